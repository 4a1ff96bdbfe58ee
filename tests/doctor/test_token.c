/* SPDX-License-Identifier: MIT */
/* Tokens that say when they end: what is read in them, and what it speaks for. */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/token.h"

#define URL	"ws://127.0.0.1:8080/chat"
#define NOW	1790000000
#define HEAD	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
#define OVER	HEAD "eyJzdWIiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDB9.c2ln"
#define LATER	HEAD "eyJzdWIiOiJhbm4iLCJleHAiOjQwMDAwMDAwMDB9.c2ln"
#define ENDLESS HEAD "eyJzdWIiOiJhbm4ifQ.c2ln"
#define WORDS	HEAD "eyJleHAiOiJzb29uIn0.c2ln" /* {"exp":"soon"} */
#define BEFORE	HEAD "eyJleHAiOi01fQ.c2ln"	/* {"exp":-5} */

TEST("a token is found wherever it is sent, and read without a key")
{
	static const struct {
		const char *url, *field, *offers;
		enum doctor_token_time time;
	} rows[] = {
		{URL, "Bearer " OVER, NULL, DOCTOR_TOKEN_OVER},
		{URL, "theme=dark; sid=" OVER "; b=2", NULL, DOCTOR_TOKEN_OVER},
		{URL "?token=" OVER "&room=7", NULL, NULL, DOCTOR_TOKEN_OVER},
		{URL, NULL, "chat, " OVER, DOCTOR_TOKEN_OVER},
		{URL, "eyJeyJ" OVER, NULL, DOCTOR_TOKEN_OVER},
		{URL, "Bearer " BEFORE, NULL, DOCTOR_TOKEN_OVER},
		{URL, "Bearer " LATER, NULL, DOCTOR_TOKEN_GOOD},
		{URL "?t=" LATER, "Bearer " OVER, NULL, DOCTOR_TOKEN_GOOD},
		{URL "?t=" OVER, "Bearer " LATER, NULL, DOCTOR_TOKEN_GOOD},
		{URL, "Bearer " ENDLESS, NULL, DOCTOR_TOKEN_NONE},
		{URL, "Bearer " WORDS, NULL, DOCTOR_TOKEN_NONE},
		{URL, "Bearer eyJ", NULL, DOCTOR_TOKEN_NONE},
		{URL, "Bearer eyJ.eyJ.", NULL, DOCTOR_TOKEN_NONE},
		{URL, "Bearer eyJhbGciOiJIUzI1NiJ9.....", NULL,
		 DOCTOR_TOKEN_NONE},
		{URL, NULL, NULL, DOCTOR_TOKEN_NONE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doctor_case c = {.url_text = (char *)rows[i].url,
					.opened_s = NOW,
					.subprotocols = (char *)rows[i].offers};
		int64_t exp;

		c.header[0].name = (char *)"X";
		c.header[0].value = (char *)rows[i].field;
		c.n_headers = rows[i].field ? 1 : 0;
		if (doctor_token_time(&c, &exp) != rows[i].time)
			fail_msg("row %zu", i);
	}
}

TEST("a token that ends in a minute or ended just now is good: clocks differ")
{
	struct doctor_case c = {.url_text = (char *)URL "?token=" OVER};
	int64_t exp;

	for (c.opened_s = 1699999999; c.opened_s < 1700000060; c.opened_s++)
		assert_int_equal(doctor_token_time(&c, &exp), DOCTOR_TOKEN_GOOD);
	assert_int_equal(doctor_token_time(&c, &exp), DOCTOR_TOKEN_OVER);
	assert_true(exp == 1700000000);
}

TEST("claims too long to be read are left alone")
{
	static char field[8000];
	struct doctor_case c = {.url_text = (char *)URL, .opened_s = NOW};
	int64_t exp;

	memset(field, 'A', sizeof(field) - 1);
	memcpy(field, HEAD, strlen(HEAD));
	memcpy(field + sizeof(field) - 3, ".c", 2);
	c.header[0].value = field;
	c.n_headers = 1;
	assert_int_equal(doctor_token_time(&c, &exp), DOCTOR_TOKEN_NONE);
}

TEST("a refusal of a token that is over is one of credentials; say when it ended")
{
	static const struct patient p = {
		.url = URL,
		.header = "Cookie: session=" OVER,
		.answer = "HTTP/1.1 403 Forbidden\n\nForbidden",
		.cause = "access.credentials"};
	static struct bed b;

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id, p.cause);
	assert_non_null(strstr(
		doctor_found(&b.chart, DOCTOR_F_TOKEN_OVER)->text,
		"2023-11-14 22:13 UTC"));
	assert_non_null(strstr(b.verdict.fix[0].what, "Get a new token"));
	bed_strip(&b);
}
