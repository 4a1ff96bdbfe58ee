/* SPDX-License-Identifier: MIT */
/*
 * Two families of addresses: a list that names one of them alone, and a local
 * name that is let in by one door and not by the other.
 */
#include "test.h"

#include "doctor/bedside.h"

#define DENIED                                               \
	"HTTP/1.1 403 Forbidden\nServer: thin\nContent-Type: " \
	"application/json\n\n{\"error\":\"forbidden\"}"

TEST("a refusal that nothing explains is asked for over the other family before "
     "guesses go on, whatever a plain GET gets")
{
	static const struct patient patients[] = {
		{.url = "ws://127.0.0.1:8080/ops"},
		{.url = "ws://ops.example/ops", .both = true}};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
		struct patient p = patients[i];
		const struct doctor_probe *asked;

		p.answer = DENIED;
		p.answers[0] = (struct answer){DOCTOR_FAMILY, NULL, "@open"};
		p.answers[1] = (struct answer){DOCTOR_PLAIN_GET, NULL,
					       "HTTP/1.1 200 OK\n\n{}"};
		p.answers[2] = (struct answer){DOCTOR_PLAIN_GET_PATH, NULL,
					       "HTTP/1.1 200 OK\n\n{}"};
		bed_examine(&b, &p);
		asked = doctor_tried(&b.chart, DOCTOR_FAMILY, NULL);
		assert_non_null(asked);
		assert_true(asked->n <= 8);
		assert_string_equal(why_cause(b.verdict.cause)->id, "access.ip");
		assert_true(b.verdict.confidence > 0.9);
		bed_strip(&b);
	}
}

TEST("a name with one address has no other family to be asked over")
{
	static struct bed b;
	const struct patient p = {.url = "ws://ops.example/ops",
				  .answer = DENIED};

	bed_examine(&b, &p);
	assert_null(doctor_tried(&b.chart, DOCTOR_FAMILY, NULL));
	bed_strip(&b);
}

TEST("localhost that opens over one family and is refused over the other is "
     "open, and the verdict says where it is not")
{
	static struct bed b;
	const struct patient p = {.url = "ws://localhost:8080/",
				  .both = true,
				  .answer = "@open",
				  .answers = {{DOCTOR_FAMILY, "4", DENIED}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_OK);
	assert_true(b.verdict.confidence > 0.9);
	assert_non_null(strstr(b.verdict.summary, "over IPv4"));
	assert_non_null(strstr(b.verdict.summary, "403"));
	bed_strip(&b);
}

TEST("a door that is open over both families, or far away, is said to be open")
{
	static const struct patient patients[] = {
		{.url = "ws://localhost:8080/", .both = true, .answer = "@open"},
		{.url = "ws://chat.example/",
		 .both = true,
		 .answer = "@open",
		 .answers = {{DOCTOR_FAMILY, NULL, DENIED}}}};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
		bed_examine(&b, &patients[i]);
		assert_int_equal(b.verdict.cause, WHY_OK);
		assert_null(strstr(b.verdict.summary, "over IPv"));
		bed_strip(&b);
	}
}
