/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 against an independent reading of RFC 3629, whole and cut, with and
 * without ASCII around it (which takes the fast path).
 */
#include "test.h"

#include "wire/utf8.h"

/* @bad: index of the first byte that no valid text can have there, or -1. */
#define GOOD(text)                    \
	{                             \
		BYTES(text), -1, true \
	}
#define OPEN(text)                     \
	{                              \
		BYTES(text), -1, false \
	}
#define WRONG(text, i)                \
	{                             \
		BYTES(text), i, false \
	}
static const struct {
	struct bytes text;
	int bad;
	bool valid;
} cases[] = {
	GOOD(""),
	GOOD("Hello"),
	GOOD("\x00"),
	GOOD("\x7f"),
	GOOD("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"),
	/* first and last of each length */
	GOOD("\xc2\x80"),
	GOOD("\xdf\xbf"),
	GOOD("\xe0\xa0\x80"),
	GOOD("\xef\xbf\xbf"),
	GOOD("\xf0\x90\x80\x80"),
	GOOD("\xf4\x8f\xbf\xbf"),
	/* around the surrogates */
	GOOD("\xed\x9f\xbf"),
	GOOD("\xee\x80\x80"),
	GOOD("\xef\xbf\xbd"),
	WRONG("\xed\xa0\x80", 1),
	WRONG("\xed\xad\xbf", 1),
	WRONG("\xed\xae\x80", 1),
	WRONG("\xed\xbf\xbf", 1),
	WRONG("\xed\xa0\x80\xed\xb0\x80", 1),
	/* noncharacters are text */
	GOOD("\xef\xbf\xbe"),
	GOOD("\xef\xb7\x90"),
	GOOD("\xf0\x9f\xbf\xbe"),
	/* past U+10FFFF */
	WRONG("\xf4\x90\x80\x80", 1),
	WRONG("\xf5\x80\x80\x80", 0),
	WRONG("\xf7\xbf\xbf\xbf", 0),
	WRONG("\xf8\x88\x80\x80\x80", 0),
	WRONG("\xfc\x84\x80\x80\x80\x80", 0),
	WRONG("\xfe", 0),
	WRONG("\xff", 0),
	/* overlong */
	WRONG("\xc0\x80", 0),
	WRONG("\xc0\xaf", 0),
	WRONG("\xc1\xbf", 0),
	WRONG("\xe0\x80\x80", 1),
	WRONG("\xe0\x80\xaf", 1),
	WRONG("\xe0\x9f\xbf", 1),
	WRONG("\xf0\x80\x80\x80", 1),
	WRONG("\xf0\x80\x80\xaf", 1),
	WRONG("\xf0\x8f\xbf\xbf", 1),
	/* tails without a lead, leads without a tail */
	WRONG("\x80", 0),
	WRONG("\xbf", 0),
	WRONG("\x80\xbf\x80", 0),
	WRONG("\xc2 ", 1),
	WRONG("\xdf\xc2", 1),
	WRONG("\xe1\x80 ", 2),
	WRONG("\xe1 ", 1),
	WRONG("\xf1\x80\x80 ", 3),
	WRONG("\xf1\x80 ", 2),
	WRONG("\xc2\x80\x80", 2),
	WRONG("\xe1\x80\x80\x80", 3),
	WRONG("\xf1\x80\x80\x80\x80", 4),
	WRONG("\xef\xbb\xbf\xff", 3),
	/* cut inside a character: nothing is wrong yet */
	OPEN("\xc2"),
	OPEN("\xe0"),
	OPEN("\xe0\xa0"),
	OPEN("\xed\x9f"),
	OPEN("\xef\xbf"),
	OPEN("\xf0"),
	OPEN("\xf0\x90"),
	OPEN("\xf0\x90\x80"),
	OPEN("\xf4\x8f\xbf"),
};

/* How many bytes are taken, fed one by one, before the first is refused. */
static int first_refused(struct bytes text, struct ses_utf8 *u)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ses_utf8_feed(u, bytes_of(text.data + i, 1)))
			return (int)i;
	return -1;
}

TEST("text fails at its first bad byte and at no other")
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ses_utf8 u = {0};

		assert_int_equal(first_refused(cases[i].text, &u), cases[i].bad);
		if (cases[i].bad < 0)
			assert_int_equal(ses_utf8_done(&u), cases[i].valid);
	}
}

TEST("a whole text is judged alike wherever it stands among ASCII")
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t before = 0; before < 290; before++) {
			uint8_t text[400], *copy;
			size_t n = cases[i].text.len, len = before + n;

			memset(text, 'a', sizeof(text));
			if (n)
				memcpy(text + before, cases[i].text.data, n);
			copy = test_guarded(text, len);
			assert_int_equal(ses_utf8_valid(bytes_of(copy, len)),
					 cases[i].valid);
			test_guard_free(copy, len);
			/* with more behind it, the open ones are wrong */
			assert_int_equal(ses_utf8_valid(bytes_of(text, sizeof(text))),
					 cases[i].valid);
		}
}

TEST("a text cut in two is judged as in one")
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t cut = 0; cut <= cases[i].text.len; cut++) {
			struct bytes text = cases[i].text;
			struct ses_utf8 u = {0};
			bool good = ses_utf8_feed(&u, bytes_first(text, cut)) &&
				    ses_utf8_feed(&u, bytes_from(text, cut));

			assert_int_equal(good, cases[i].bad < 0);
			assert_int_equal(good && ses_utf8_done(&u),
					 cases[i].valid);
		}
}

TEST("a character cut by a whole block of ASCII is refused")
{
	for (size_t before = 0; before < 290; before++) {
		uint8_t text[400];

		memset(text, 'a', sizeof(text));
		text[before] = 0xc3;
		text[before + 97] = 0xa9;
		assert_false(ses_utf8_valid(bytes_of(text, sizeof(text))));
		text[before + 1] = 0xa9;
		text[before + 97] = 'a';
		assert_true(ses_utf8_valid(bytes_of(text, sizeof(text))));
	}
}

/* Encode @c by the RFC's table, whether or not it may be encoded. */
static size_t encode(uint32_t c, uint8_t out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = 0x80 | (c & 0x3f);
	out[0] = (uint8_t)(leads[n] | c);
	return n;
}

TEST("every character up to U+1FFFFF is judged rightly")
{
	for (uint32_t c = 0; c < 0x200000; c++) {
		bool good = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		uint8_t text[4];

		if (ses_utf8_valid(bytes_of(text, encode(c, text))) != good)
			fail_msg("U+%X", c);
	}
}

/* The first and last byte of each kind that RFC 3629 tells apart. */
static const uint8_t edges[] = {
	0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
	0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
};

/* Four bytes of @edges, by the digits of @n. */
static void put_edges(size_t n, uint8_t out[4])
{
	for (size_t i = 0; i < 4; i++, n /= ARRAY_LEN(edges))
		out[i] = edges[n % ARRAY_LEN(edges)];
}

TEST("four bytes of any kinds are judged alike in long text and one by one")
{
	size_t kinds = ARRAY_LEN(edges) * ARRAY_LEN(edges) *
		       ARRAY_LEN(edges) * ARRAY_LEN(edges);

	for (size_t at = 26; at <= 34; at += 2)
		for (size_t n = 0; n < kinds; n++) {
			struct ses_utf8 u = {0};
			uint8_t text[100], few[4];
			bool good;

			for (size_t i = 0; i < sizeof(text); i += 2)
				memcpy(text + i, "\xd0\xb6", 2);
			put_edges(n, few);
			memcpy(text + at, few, 4);
			good = first_refused(bytes_of(few, 4), &u) < 0 &&
			       ses_utf8_done(&u);
			if (ses_utf8_valid(bytes_of(text, sizeof(text))) != good)
				fail_msg("%zu: %02x %02x %02x %02x", at, few[0],
					 few[1], few[2], few[3]);
		}
}

TEST("long text is refused for its end alone")
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t len = 60; len < 140; len += 2) {
			uint8_t text[160];

			for (size_t k = 0; k < len; k += 2)
				memcpy(text + k, "\xd0\xb6", 2);
			memcpy(text + len, cases[i].text.data,
			       cases[i].text.len);
			assert_int_equal(ses_utf8_valid(bytes_of(text, len + cases[i].text.len)),
					 cases[i].valid);
		}
}

TEST("a text once refused stays refused")
{
	struct ses_utf8 u = {0};

	assert_false(ses_utf8_feed(&u, BYTES("\xff")));
	assert_false(ses_utf8_feed(&u, BYTES("good text again, over and over, "
					     "longer than any block of it")));
	assert_false(ses_utf8_done(&u));
}
