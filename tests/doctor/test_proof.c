/* SPDX-License-Identifier: MIT */
/*
 * Which handshake is shown as proof, and what both sides say where the same
 * request has more than one answer.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/report.h"

#define HOME   "https://app.example"
#define REFUSE "HTTP/1.1 403 Forbidden\nSec-WebSocket-Version: 13\n\nno"

static char page[65536];

static void print(const struct bed *b)
{
	const struct doctor_look look = {.width = 80};
	struct ses_buf out;

	ses_buf_init(&out, sizeof(page) - 1);
	assert_int_equal(
		doctor_report_text(&b->chart, &b->verdict, 1, &look, &out), 0);
	snprintf(page, sizeof(page), "%.*s", BYTES_ARG(ses_buf_bytes(&out)));
	ses_buf_fini(&out);
}

TEST("what tells most about the cause is the proof, not what opened first")
{
	static struct bed b;
	const struct patient p = {
		.url = "wss://app.example/chat",
		.origin = HOME,
		.answer = REFUSE,
		.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
			    {DOCTOR_ORIGIN, "http://app.example", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_PROTO);
	assert_string_equal(b.verdict.proof.changed,
			    "Origin: http://app.example");
	assert_int_equal(b.chart.probe[b.verdict.proof.probe - 1]->trial.change,
			 DOCTOR_ORIGIN);
	assert_non_null(strstr(b.verdict.summary, "with Origin: http://app"));
	bed_strip(&b);
}

TEST("where servers disagree, both sides of the proof say how often")
{
	static struct bed b;
	const struct patient p = {
		.url = "wss://app.example/chat",
		.origin = "https://new.example",
		.answer =
			"HTTP/1.1 403 Forbidden\n\norigin not allowed || @open",
		.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_true(b.verdict.proof.given);
	print(&b);
	assert_non_null(
		strstr(page, "as asked   403 Forbidden (3 of 5 times)"));
	assert_non_null(strstr(page, "no Origin  101 (5 of 5 times)"));
	bed_strip(&b);
}

TEST("where they agree, nobody counts")
{
	static struct bed b;
	const struct patient p = {.url = "wss://app.example/chat",
				  .origin = "https://new.example",
				  .answer = REFUSE,
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	print(&b);
	assert_non_null(strstr(page, "as asked   403 Forbidden\n"));
	assert_non_null(strstr(page, "no Origin  101\n"));
	bed_strip(&b);
}
