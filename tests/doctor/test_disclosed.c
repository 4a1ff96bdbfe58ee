/* SPDX-License-Identifier: MIT */
/*
 * What a gateway discloses is read in the forms that it writes, believed above
 * all guesses, and doubted where a handshake shows something else.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/disclosed.h"
#include "doctor/key.h"

#define URL    "ws://chat.example/host"
#define DENIED "HTTP/1.1 403 Forbidden\nSesame-Reference: 7K2M-Q4XD\n\n"
#define SAID   DENIED "Forbidden: No.\n\nReference: 7K2M-Q4XD\n"
#define APP    DENIED "no"

TEST("a cause is read in the text, in the JSON and in the close frame alone")
{
	static const struct {
		const char *answer;
		int cause;
	} rows[] = {
		{SAID "Cause: access.host\n", WHY_ACCESS_HOST},
		{SAID "Cause: server.limit\nRule: limits\n", WHY_SERVER_LIMIT},
		{DENIED "{\"type\":\"about:blank\",\"reference\":\"7K2M-Q4XD\","
			"\"cause\":\"access.ip\"}\n",
		 WHY_ACCESS_IP},
		{"@close 4403 7K2M-Q4XD access.rate Too many requests",
		 WHY_ACCESS_RATE},
		{"@close 4429 7K2M-Q4XD access.rate Too many requests",
		 WHY_ACCESS_RATE},
		{"@close 1013 7K2M-Q4XD server.limit No room",
		 WHY_SERVER_LIMIT},
		{"@close 1011 7K2M-Q4XD server.bad-accept Not so",
		 WHY_SERVER_BAD_ACCEPT},
		/* nothing is disclosed, or nobody knows that cause */
		{SAID, -1},
		{SAID "Cause: access.moon\n", -1},
		{DENIED "{\"reference\":\"7K2M-Q4XD\"}", -1},
		{"@close 4403 7K2M-Q4XD", -1},
		/* another's words */
		{DENIED "Cause: access.host\n", -1},
		{DENIED "Reference: 12\nCause: access.host\n", -1},
		{DENIED "{\"cause\":\"access.ip\"}", -1},
		{"@close 4403 access.host", -1},
		{"@close 4401 7K2M-Q4XD access.rate Too many", -1},
		{"@open", -1},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {.url = URL, .answer = rows[i].answer};
		const struct doctor_trial own = {.change = DOCTOR_NOTHING};

		bed_make(&b, &p);
		bed_probe(&b, &p, &own);
		if (doctor_disclosed(b.chart.probe[0]) != rows[i].cause)
			fail_msg("row %zu: %d", i,
				 doctor_disclosed(b.chart.probe[0]));
		bed_strip(&b);
	}
}

TEST("a cause that is disclosed is the verdict, whatever the path is called")
{
	static const enum why_cause causes[] = {
		WHY_ACCESS_HOST,	WHY_ACCESS_IP,
		WHY_ACCESS_RATE,	WHY_ACCESS_CLIENT_CERT,
		WHY_ACCESS_USER_AGENT,	WHY_SERVER_LIMIT,
		WHY_SERVER_BAD_ACCEPT,	WHY_SERVER_BACKEND_DOWN,
		WHY_SERVER_SUBPROTOCOL, WHY_URL_PATH};
	static struct bed b;

	for (size_t i = 0; i < 2 * ARRAY_LEN(causes); i++) {
		char answer[200];
		const struct patient p = {.url = URL, .answer = answer};

		snprintf(answer, sizeof(answer),
			 i % 2 ? "@close 4403 7K2M-Q4XD %s Not so."
			       : SAID "Cause: %s\n",
			 why_cause(causes[i / 2])->id);
		bed_examine(&b, &p);
		if (b.verdict.cause != causes[i / 2] ||
		    b.verdict.confidence < 0.9)
			fail_msg("%s: %s, %.2f", answer,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		assert_string_equal(b.verdict.reference, "7K2M-Q4XD");
		bed_strip(&b);
	}
}

TEST("a handshake that opens outweighs a cause that it speaks against")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = SAID "Cause: access.host\n",
				  .answers = {{DOCTOR_ORIGIN, NULL, "@open"}}};
	struct doctor_trial trial = {.change = DOCTOR_NOTHING};

	bed_make(&b, &p);
	bed_probe(&b, &p, &trial);
	assert_int_equal(b.opinion.best, WHY_ACCESS_HOST);
	trial.change = DOCTOR_ORIGIN;
	strcpy(trial.value, "http://chat.example");
	bed_probe(&b, &p, &trial);
	assert_int_equal(b.opinion.best, WHY_ACCESS_ORIGIN_MISSING);
	bed_strip(&b);
}

TEST("an acceptance that is closed as a refusal opens nothing")
{
	static const char *const foreign[] = {
		"@close 4403 GP1S-6M4R access.origin This origin is not "
		"allowed",
		"@close 4403 GP1S-6M4R",
		DENIED "Forbidden: This origin is not allowed.\n\n"
		       "Reference: 7K2M-Q4XD\nCause: access.origin\n"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		const struct patient p = {
			.url = URL,
			.answer = APP,
			.answers = {{DOCTOR_ORIGIN, "https://sesame.invalid",
				     foreign[i]}}};

		struct doctor_trial trial = {.change = DOCTOR_NOTHING};

		bed_make(&b, &p);
		bed_probe(&b, &p, &trial);
		trial.change = DOCTOR_ORIGIN;
		strcpy(trial.value, "http://chat.example");
		bed_probe(&b, &p, &trial);
		strcpy(trial.value, "https://sesame.invalid");
		bed_probe(&b, &p, &trial);
		assert_null(doctor_key(&b.chart));
		if (b.opinion.p[WHY_ACCESS_ORIGIN_MISSING] > 0.2)
			fail_msg("row %zu: %.2f", i,
				 b.opinion.p[WHY_ACCESS_ORIGIN_MISSING]);
		bed_strip(&b);
	}
}
