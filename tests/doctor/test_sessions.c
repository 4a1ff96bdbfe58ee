/* SPDX-License-Identifier: MIT */
/*
 * Sessions of engine.io that are continued by WebSocket: the sid in the URL is
 * no credential, and whether another node has it is asked with fresh ones.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://127.0.0.1:8080/socket.io/?EIO=4&transport=websocket"
#define OLD URL "&sid=nK3bC9uQ2bJ1vXgkAAAB"
#define POLLED                                                            \
	"HTTP/1.1 200 OK\nContent-Type: text/plain\n\n0{\"sid\":\"new\"," \
	"\"upgrades\":[\"websocket\"],\"pingInterval\":25000}"
#define BARE_403                                      \
	"HTTP/1.1 403 Forbidden\nContent-Length: 0\n" \
	"Content-Type: text/plain\n\n"
#define NO_SESSION                                               \
	"HTTP/1.1 400 Bad Request\nContent-Type: text/plain\n\n" \
	"\"Invalid session\""

TEST("a fresh session that is refused to the WebSocket is another node's, "
     "whatever the status of the refusal")
{
	static const char *const refusals[] = {BARE_403, NO_SESSION};

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		static struct bed b;
		const struct patient p = {
			.url = OLD,
			.answer = refusals[i],
			.answers = {{DOCTOR_POLLING, NULL, POLLED},
				    {DOCTOR_NO_PARAMETER, "sid", "@open"},
				    {DOCTOR_SESSION, "new", refusals[i]}}};

		bed_examine(&b, &p);
		assert_string_equal(why_cause(b.verdict.cause)->id,
				    "server.sticky-session");
		assert_true(b.verdict.confidence > 0.9);
		assert_string_equal(b.verdict.who, "proxy");
		assert_non_null(doctor_tried(&b.chart, DOCTOR_SESSION, "new"));
		assert_null(doctor_tried(&b.chart, DOCTOR_NO_CREDENTIALS, NULL));
		bed_strip(&b);
	}
}

TEST("what refuses a handshake without a session as well is no lost session")
{
	static struct bed b;
	const struct patient p = {.url = OLD,
				  .origin = "https://evil.example",
				  .answer = BARE_403,
				  .answers = {{DOCTOR_POLLING, NULL, POLLED},
					      {DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id, "access.origin");
	assert_null(doctor_found(&b.chart, DOCTOR_F_SESSION_LOST));
	bed_strip(&b);
}

TEST("where fresh sessions go on, the one in the URL is over")
{
	static struct bed b;
	const struct patient p = {
		.url = OLD,
		.answer = NO_SESSION,
		.answers = {{DOCTOR_POLLING, NULL, POLLED},
			    {DOCTOR_NO_PARAMETER, "sid", "@open"},
			    {DOCTOR_SESSION, "new", "@open"}}};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id,
			    "server.sticky-session");
	assert_non_null(doctor_found(&b.chart, DOCTOR_F_SESSION_STALE));
	assert_null(doctor_found(&b.chart, DOCTOR_F_SESSION_KEPT));
	bed_strip(&b);
}

TEST("the sid of a URL that is none of engine.io's is a credential still")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/chat?sid=nK3bC9uQ2bJ1vXgkAAAB",
		.answer = BARE_403,
		.answers = {{DOCTOR_NO_CREDENTIALS, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id,
			    "access.credentials");
	bed_strip(&b);
}

TEST("a status in the body of a 404 is no code of engine.io")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 404 Not Found\nContent-Type: "
			  "application/json\n\n{\"message\":\"Not found\","
			  "\"code\":404,\"type\":\"NOT_FOUND\"}",
		.answers = {{DOCTOR_PATH, NULL,
			     "HTTP/1.1 404 Not Found\nContent-Type: "
			     "application/json\n\n{\"message\":\"Not found\","
			     "\"code\":404,\"path\":\"/other\"}"}}};

	bed_examine(&b, &p);
	assert_null(doctor_found(&b.chart, DOCTOR_F_ENGINE_FORBIDS));
	assert_string_equal(why_cause(b.verdict.cause)->id,
			    "server.no-websocket");
	bed_strip(&b);
}
