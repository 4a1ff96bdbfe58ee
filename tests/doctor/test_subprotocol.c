/* SPDX-License-Identifier: MIT */
/*
 * Subprotocols: one that was offered and is not spoken, one that is missed, and
 * one that the server names although nobody offered it.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://127.0.0.1:8080/chat"

TEST("a 101 with a subprotocol that nobody offered is no valid acceptance, "
     "even "
     "where offering it opens")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "@unasked chat",
		.answers = {{DOCTOR_SUBPROTOCOL, "chat", "@open chat"}}};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id,
			    "server.bad-accept");
	assert_true(b.verdict.confidence > 0.9);
	assert_string_equal(b.verdict.who, "server");
	assert_null(strstr(b.verdict.summary, "that was offered"));
	assert_non_null(strstr(b.verdict.fix[0].what,
			       "Leave Sec-WebSocket-Protocol out"));
	bed_strip(&b);
}

TEST("a 101 with another subprotocol than the one that was offered may be "
     "either")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.subprotocols = "a.v2",
		.answer = "@unasked a.v1",
		.answers = {{DOCTOR_SUBPROTOCOL, "a.v1", "@open a.v1"}}};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id,
			    "server.subprotocol");
	bed_strip(&b);
}

TEST("where no subprotocol was offered, no sentence says that one was")
{
	static const struct patient rows[] = {
		{.url = URL,
		 .answer = "HTTP/1.1 400 Bad Request\n\n",
		 .answers = {{DOCTOR_SUBPROTOCOL, NULL, "@open xmpp"}}},
		{.url = URL,
		 .answer = "HTTP/1.1 400 Bad Request\n\nMissing subprotocol"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;

		bed_examine(&b, &rows[i]);
		assert_string_equal(why_cause(b.verdict.cause)->id,
				    "server.subprotocol");
		assert_non_null(strstr(b.verdict.summary,
				       "wants a subprotocol, and none was "
				       "offered"));
		bed_strip(&b);
	}
}

TEST("two credentials at once are no matter of the subprotocol, and the words "
     "of the error no names of one")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/v1/realtime?model=a",
		.subprotocols = "realtime, insecure-api-key.sk-123",
		.header = "Authorization: Bearer sk-123",
		.answer =
			"HTTP/1.1 400 Bad Request\n"
			"Content-Type: application/json\n\n"
			"{\"error\":{\"type\":\"invalid_request_error\","
			"\"code\":\"duplicate_auth\",\"message\":\"Both an "
			"Authorization header and an API key subprotocol were "
			"sent. Send exactly one of them.\"}}",
		.answers = {{DOCTOR_SUBPROTOCOL, NULL, "@open"},
			    {DOCTOR_NO_SUBPROTOCOL, NULL, "@open"},
			    {DOCTOR_NO_CREDENTIALS, NULL, "@open realtime"}}};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id,
			    "access.credentials");
	assert_true(b.verdict.confidence > 0.8);
	assert_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "error"));
	assert_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "code"));
	bed_strip(&b);
}

TEST("what JSON calls its values is no name of a subprotocol")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.subprotocols = "a.v2",
		.answer = "HTTP/1.1 400 Bad Request\n\n{\"error\" : "
			  "\"Unsupported "
			  "subprotocol\",\"supported\":[\"tick\"]}"};

	bed_examine(&b, &p);
	assert_non_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "tick"));
	assert_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "error"));
	assert_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "supported"));
	bed_strip(&b);
}
