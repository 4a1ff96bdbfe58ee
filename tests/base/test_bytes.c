/* SPDX-License-Identifier: MIT */
/* Borrowed bytes: comparing, cutting lists, reading numbers, showing. */
#include "test.h"

#include "base/bytes.h"

static const struct bytes none = {NULL, 0};

TEST("the empty run behaves, whether or not it points anywhere")
{
	assert_true(bytes_equal(none, BYTES("")));
	assert_true(bytes_equal_nocase(none, BYTES("")));
	assert_true(bytes_equal_secret(none, BYTES("")));
	assert_int_equal(bytes_trim(none).len, 0);
	assert_int_equal(bytes_from(none, 3).len, 0);
	assert_int_equal(bytes_first(none, 3).len, 0);
	assert_int_equal(bytes_find_byte(none, 'a'), -1);
	assert_true(bytes_contains_nocase(none, none));
	assert_false(bytes_contains_nocase(none, BYTES("a")));
	assert_true(bytes_starts(none, none));
	assert_int_equal(bytes_of_str(NULL).len, 0);
}

TEST("case is ignored for ASCII letters and nothing else")
{
	assert_true(bytes_equal_nocase(BYTES("UpGrade"), BYTES("uPgRADE")));
	assert_false(bytes_equal_nocase(BYTES("a"), BYTES("ab")));
	for (unsigned c = 0; c < 256; c++)
		for (unsigned d = 0; d < 256; d++) {
			uint8_t a = (uint8_t)c, b = (uint8_t)d;
			bool letter = (c >= 'A' && c <= 'Z') ||
				      (c >= 'a' && c <= 'z');

			assert_int_equal(bytes_equal_nocase(bytes_of(&a, 1),
							    bytes_of(&b, 1)),
					 c == d || (letter && (c ^ d) == 32));
		}
}

static bool are_the_same_letter(unsigned c, unsigned d)
{
	bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

	return c == d || (letter && (c ^ d) == 32);
}

/* @n bytes that differ at @at alone stand at the end of what may be read. */
static void compare_at(size_t n, size_t at)
{
	uint8_t a[17], b[17], *x = a + sizeof(a) - n, *y = b + sizeof(b) - n;

	memcpy(x, "Sec-WebSocket-Key", n);
	memcpy(y, "sEC-wEBsOCKET-kEY", n);
	for (unsigned c = 0; c < 256; c++)
		for (unsigned d = 0; d < 256; d++) {
			x[at] = (uint8_t)c;
			y[at] = (uint8_t)d;
			if (bytes_equal_nocase(bytes_of(x, n), bytes_of(y, n)) !=
			    are_the_same_letter(c, d))
				fail_msg("%u and %u at %zu of %zu", c, d, at, n);
		}
}

TEST("so it is at each place of runs of each length")
{
	for (size_t n = 1; n <= 17; n++)
		for (size_t at = 0; at < n; at++)
			compare_at(n, at);
}

TEST("bytes are trimmed of blanks and tabs only")
{
	static const struct {
		struct bytes in;
		const char *out;
	} cases[] = {
		{BYTES(""), ""},
		{BYTES(" \t "), ""},
		{BYTES("a"), "a"},
		{BYTES("\t a b \t"), "a b"},
		{BYTES("\r\na\v"), "\r\na\v"},
		{BYTES(" a"), "a"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(
			bytes_equal_str(bytes_trim(cases[i].in), cases[i].out));
}

TEST("cuts never reach outside")
{
	struct bytes a = BYTES("abc");

	assert_true(bytes_equal_str(bytes_from(a, 1), "bc"));
	assert_int_equal(bytes_from(a, 3).len, 0);
	assert_int_equal(bytes_from(a, SIZE_MAX).len, 0);
	assert_true(bytes_equal_str(bytes_first(a, 2), "ab"));
	assert_true(bytes_equal_str(bytes_first(a, SIZE_MAX), "abc"));
	assert_true(bytes_starts(a, BYTES("ab")));
	assert_false(bytes_starts(a, BYTES("abcd")));
}

TEST("a needle is found wherever it stands, and only whole")
{
	struct bytes hay = BYTES("Mozilla/5.0 BadBot");

	assert_true(bytes_contains_nocase(hay, BYTES("mozilla")));
	assert_true(bytes_contains_nocase(hay, BYTES("BADBOT")));
	assert_true(bytes_contains_nocase(hay, hay));
	assert_true(bytes_contains_nocase(hay, BYTES("")));
	assert_false(bytes_contains_nocase(hay, BYTES("BadBots")));
	assert_false(bytes_contains_nocase(BYTES("ot"), BYTES("bot")));
	assert_int_equal(bytes_find_byte(hay, 'B'), 12);
	assert_int_equal(bytes_find_byte(hay, 'x'), -1);
}

TEST("a list gives its elements, trimmed, without the empty ones")
{
	static const struct {
		struct bytes list;
		const char *elements[4];
	} cases[] = {
		{BYTES(""), {NULL}},
		{BYTES(" , ,\t,"), {NULL}},
		{BYTES("a"), {"a"}},
		{BYTES("a,b,c"), {"a", "b", "c"}},
		{BYTES(" keep-alive , Upgrade "), {"keep-alive", "Upgrade"}},
		{BYTES(",,a b,,"), {"a b"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes list = cases[i].list, element;
		size_t n = 0;

		while (bytes_next_element(&list, &element))
			assert_true(bytes_equal_str(element,
						    cases[i].elements[n++]));
		assert_null(cases[i].elements[n]);
	}
}

TEST("decimal numbers are read whole, up to the limit, and never wrap")
{
	static const struct {
		struct bytes text;
		uint64_t max;
		bool good;
		uint64_t value;
	} cases[] = {
		{BYTES("0"), 0, true, 0},
		{BYTES("1"), 0, false, 0},
		{BYTES("007"), 7, true, 7},
		{BYTES("8"), 7, false, 0},
		{BYTES("65535"), 65535, true, 65535},
		{BYTES("65536"), 65535, false, 0},
		{BYTES("70"), 65, false, 0},
		{BYTES("66"), 65, false, 0},
		{BYTES("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
		{BYTES("18446744073709551616"), UINT64_MAX, false, 0},
		{BYTES("184467440737095516150"), UINT64_MAX, false, 0},
		{BYTES(""), 10, false, 0},
		{BYTES("-1"), 10, false, 0},
		{BYTES("+1"), 10, false, 0},
		{BYTES(" 1"), 10, false, 0},
		{BYTES("1 "), 10, false, 0},
		{BYTES("1a"), 100, false, 0},
		{BYTES("1\0"), 100, false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t value = 99;

		assert_int_equal(
			bytes_to_u64(cases[i].text, cases[i].max, &value),
			cases[i].good);
		assert_true(value == (cases[i].good ? cases[i].value : 99));
	}
}

TEST("what a peer sent is shown without anything that acts on a terminal")
{
	static const struct {
		struct bytes in;
		const char *out;
	} cases[] = {
		{BYTES(""), ""},
		{BYTES("plain ~"), "plain ~"},
		{BYTES("a\r\nb"), "a\\x0d\\x0ab"},
		{BYTES("\x1b[31m"), "\\x1b[31m"},
		{BYTES("\0\x7f\t"), "\\x00\\x7f\\x09"},
		{BYTES("caf\xc3\xa9"), "caf\xc3\xa9"},
		{BYTES("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80"},
		/* C1 controls, line and paragraph separator, directions */
		{BYTES("\xc2\x9b"), "\\xc2\\x9b"},
		{BYTES("\xc2\x85"), "\\xc2\\x85"},
		{BYTES("\xe2\x80\xa8"), "\\xe2\\x80\\xa8"},
		{BYTES("\xe2\x80\xa9"), "\\xe2\\x80\\xa9"},
		{BYTES("\xe2\x80\xae"), "\\xe2\\x80\\xae"},
		{BYTES("\xe2\x81\xa6"), "\\xe2\\x81\\xa6"},
		/* what nobody sees, and what is no character */
		{BYTES("\xe2\x80\x8b"), "\\xe2\\x80\\x8b"},
		{BYTES("\xe2\x81\xa0"), "\\xe2\\x81\\xa0"},
		{BYTES("\xc2\xad"), "\\xc2\\xad"},
		{BYTES("\xef\xbf\xbe"), "\\xef\\xbf\\xbe"},
		{BYTES("\xef\xb7\x90"), "\\xef\\xb7\\x90"},
		{BYTES("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81"},
		{BYTES("\xe2\x80\x94"), "\xe2\x80\x94"},
		/* not UTF-8: overlong, surrogate, too high, cut */
		{BYTES("\xc0\xaf"), "\\xc0\\xaf"},
		{BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
		{BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
		{BYTES("\xe2\x82"), "\\xe2\\x82"},
		{BYTES("\xff"
		       "a"),
		 "\\xffa"},
	};
	char out[80];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
			bytes_printable(cases[i].in, out, sizeof(out)),
			cases[i].out);
}

TEST("a text is cut between two characters")
{
	struct bytes a = BYTES("a\xc3\xa9\xf0\x9f\x98\x80z");
	static const size_t lengths[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};

	for (size_t n = 0; n < ARRAY_LEN(lengths); n++)
		assert_int_equal(bytes_first_whole(a, n).len, lengths[n]);
}

TEST("what is too long to show ends in dots, never inside a character")
{
	static const struct {
		size_t size;
		const char *out;
	} cases[] = {
		{1, ""},
		{2, "."},
		{3, ".."},
		{4, "..."},
		{5, "a..."},
		{6, "a..."},
		{7, "a\xc3\xa9..."},
		{8, "a\xc3\xa9"
		    "b..."},
		{9, "a\xc3\xa9"
		    "bcdef"},
	};
	char out[20];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		memset(out, 'X', sizeof(out));
		assert_string_equal(bytes_printable(BYTES("a\xc3\xa9"
							  "bcdef"),
						    out, cases[i].size),
				    cases[i].out);
		assert_int_equal(out[cases[i].size], 'X');
	}
}

TEST("a word is found among others whatever its case, and no part of one")
{
	static const char *const words[] = {"Host", "Origin"};

	assert_true(bytes_is_one_of(BYTES("host"), words, 2));
	assert_true(bytes_is_one_of(BYTES("ORIGIN"), words, 2));
	assert_false(bytes_is_one_of(BYTES("ORIGIN"), words, 1));
	assert_false(bytes_is_one_of(BYTES("Hos"), words, 2));
	assert_false(bytes_is_one_of(BYTES("Hosts"), words, 2));
	assert_false(bytes_is_one_of(BYTES(""), words, 2));
}

TEST("secrets compare equal only when they are")
{
	assert_true(bytes_equal_secret(BYTES("secret"), BYTES("secret")));
	assert_false(bytes_equal_secret(BYTES("secret"), BYTES("secreT")));
	assert_false(bytes_equal_secret(BYTES("secret"), BYTES("secre")));
	assert_false(bytes_equal_secret(BYTES(""), BYTES("s")));
	/* a difference in length of 256 must not vanish in a byte */
	assert_false(bytes_equal_secret(bytes_of("", 0),
					bytes_of((char[256]){0}, 256)));
}

TEST("fields are found by name, counted, and searched for tokens")
{
	const struct ses_field fields[] = {
		{BYTES("Host"), BYTES("a")},
		{BYTES("Connection"), BYTES("keep-alive")},
		{BYTES("connection"), BYTES("x, UPGRADE ,y")},
		{BYTES("Upgrade"), BYTES("websockets")},
	};

	assert_ptr_equal(ses_field_find(fields, 4, "CONNECTION"), &fields[1]);
	assert_null(ses_field_find(fields, 4, "Connectio"));
	assert_null(ses_field_find(NULL, 0, "Host"));
	assert_int_equal(ses_field_count(fields, 4, "Connection"), 2);
	assert_int_equal(ses_field_count(fields, 4, "Origin"), 0);
	assert_true(ses_field_has_token(fields, 4, "Connection", "upgrade"));
	assert_true(ses_field_has_token(fields, 4, "Connection", "keep-alive"));
	assert_false(ses_field_has_token(fields, 4, "Connection", "keep"));
	assert_false(ses_field_has_token(fields, 4, "Upgrade", "websocket"));
}
