/* SPDX-License-Identifier: MIT */
/* Challenges as servers and proxies write them, alone and in lists. */
#include "wire/challenge.h"

#include <stdio.h>

#include "test.h"

/* "Scheme token name=value;" for every challenge, to compare with. */
static void describe(struct bytes list, char *out, size_t size)
{
	static const char *const names[] = {"realm", "nonce", "qop", "charset"};
	struct ses_challenge c;
	char value[64];
	size_t n = 0;

	out[0] = 0;
	while (n < size && ses_challenge_next(&list, &c)) {
		n += (size_t)snprintf(out + n, size - n, "%.*s",
				      BYTES_ARG(c.scheme));
		if (c.token.len)
			n += (size_t)snprintf(out + n, size - n, " (%.*s)",
					      BYTES_ARG(c.token));
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (ses_challenge_param(&c, names[i], value,
						sizeof(value)))
				n += (size_t)snprintf(out + n, size - n,
						      " %s=%s", names[i], value);
		n += (size_t)snprintf(out + n, size - n, ";");
	}
}

TEST("challenges are told apart from their parameters")
{
	static const struct {
		const char *text, *shape;
	} rows[] = {
		{"Basic realm=\"a\"", "Basic realm=a;"},
		{"Basic", "Basic;"},
		{"Negotiate", "Negotiate;"},
		{"Negotiate YIIJ+/w==", "Negotiate (YIIJ+/w==);"},
		{"Negotiate, Basic realm=\"x, y\"",
		 "Negotiate;Basic realm=x, y;"},
		{"Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", "
		 "Basic realm=r2",
		 "Digest realm=r nonce=n qop=auth,auth-int;Basic realm=r2;"},
		{"Digest realm = \"r\" ,nonce= n,, ,Basic",
		 "Digest realm=r nonce=n;Basic;"},
		{"Basic realm=\"a \\\"b\\\" c\", charset=\"UTF-8\"",
		 "Basic realm=a \"b\" c charset=UTF-8;"},
		{" , ,Basic realm=\"\"", "Basic realm=;"},
		{"", ""},
		{", ,", ""},
		{"(((", ""},
		{"Basic;realm", ""},
		{"Basic realm=\"never ends", "Basic realm=;"},
	};
	char shape[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		describe(bytes_of_str(rows[i].text), shape, sizeof(shape));
		assert_string_equal(shape, rows[i].shape);
	}
}

TEST("a list cut at any byte is read to its end and no further")
{
	static const char text[] = "Digest realm=\"r\\\"\", nonce=n, Basic "
				   "realm=\"x\", Negotiate aGk=";
	char shape[512];

	for (size_t n = 0; n <= strlen(text); n++) {
		uint8_t *copy = test_guarded(text, n);

		describe(bytes_of(copy, n), shape, sizeof(shape));
		test_guard_free(copy, n);
	}
}

TEST("a value that does not fit is none")
{
	struct bytes list = BYTES("Digest nonce=\"12345678\"");
	struct ses_challenge c;
	char small[8];

	assert_true(ses_challenge_next(&list, &c));
	assert_false(ses_challenge_param(&c, "nonce", small, sizeof(small)));
}
