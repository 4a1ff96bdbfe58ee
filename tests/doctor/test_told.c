/* SPDX-License-Identifier: MIT */
/*
 * Applications that accept every handshake, and refuse in a message: what they
 * say is read and quoted, and a greeting is no refusal.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/told.h"

#define URL "ws://chat.example/room"

TEST("an error is told from a greeting, whatever the protocol")
{
	static const char *const refusals[] = {
		"{\"error\": \"unauthorized\"}",
		"{\"error\":{\"code\":401}}",
		"{\"type\":\"disconnect\",\"reason\":\"unauthorized\"}",
		"{\"type\":\"connection_error\",\"payload\":{}}",
		"[null,\"1\",\"room\",\"phx_reply\",{\"status\":\"error\"}]",
		"44{\"message\":\"no\"}",
		"{\"type\":7,\"error\":\"closed\"}\\x1e",
		"Unauthorized",
		"Error: no such room",
		"[\"NOTICE\",\"restricted: divers alone\"]",
		"[\"error\",{\"reason\":\"ebb\"}]",
	};
	static const char *const greetings[] = {
		"",
		"hello",
		"welcome, log in to talk; errors go to the operator",
		"{\"type\":\"auth_required\"}",
		"{\"type\":\"welcome\",\"error\":null,\"errors\":[]}",
		"{\"success\": true, \"error\": \"\"}",
		"0{\"sid\":\"x\",\"upgrades\":[]}",
		"[\"log\",\"error 3 of 4 pumps\"]",
		"[{\"id\":1,\"text\":\"error: no such buoy\"}]",
		"[\"EVENT\",{\"text\":\"restricted: divers alone\"}]",
	};

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (!doctor_is_error_message(refusals[i]))
			fail_msg("a refusal: %s", refusals[i]);
	for (size_t i = 0; i < ARRAY_LEN(greetings); i++)
		if (doctor_is_error_message(greetings[i]))
			fail_msg("a greeting: %s", greetings[i]);
}

TEST("a message that says what is missing is the cause, however it ends")
{
	static const struct {
		const char *message, *cause;
		double at_least;
	} rows[] = {
		{"{\"error\":\"unauthorized\"}", "access.credentials", 0.9},
		{"Unauthorized", "access.credentials", 0.9},
		{"{\"error\":{\"code\":401}}", "access.credentials", 0.9},
		{"{\"type\":\"disconnect\",\"reason\":\"unauthorized\"}",
		 "access.credentials", 0.9},
		{"{\"type\":\"connection_error\",\"payload\":{\"message\":"
		 "\"Missing token\"}}",
		 "access.credentials", 0.9},
		{"44{\"message\":\"invalid token\"}", "access.credentials", 0.9},
		{"permission denied", "access.permission", 0.7},
		/* of nobody it is not known whether he may */
		{"forbidden", "access.permission", 0.4},
		{"{\"type\":\"error\",\"message\":\"Rate limit exceeded\"}",
		 "access.rate", 0.5},
	};
	static const char *const ends[] = {"open", "close", "cut"};

	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(ends); i++) {
		static struct bed b;
		char answer[200];
		const struct patient p = {.url = URL, .answer = answer};

		snprintf(answer, sizeof(answer), "@told %s %s", ends[i % 3],
			 rows[i / 3].message);
		bed_examine(&b, &p);
		if (strcmp(why_cause(b.verdict.cause)->id, rows[i / 3].cause) !=
			    0 ||
		    b.verdict.confidence < rows[i / 3].at_least)
			fail_msg("%s: %s %.2f", answer,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("the verdict quotes the message; an open door with a greeting stays open")
{
	static struct bed b;
	struct patient p = {.url = URL,
			    .answer =
				    "@told close {\"error\":\"unauthorized\"}"};

	bed_examine(&b, &p);
	assert_non_null(
		strstr(b.verdict.summary, "told \"{\"error\":\"unauth"));
	bed_strip(&b);
	p.answer = "@told open {\"type\":\"welcome\",\"error\":null}";
	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id, "ok");
	assert_true(b.verdict.confidence > 0.9);
	bed_strip(&b);
}

TEST("a status is spelled beside a word that says that it is one")
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{"{\"event\":\"X\",\"code\":503}", 503},
		{"{\"statusCode\": \"404\", \"id\": 7}", 404},
		{"the handler answered with status 429", 429},
		{"HTTP 500", 500},
		{"Error: 404", 404},
		{"{\"id\":404}", 0},
		{"code 4404", 0},
		{"code 404.1", 0},
		{"503 rooms", 0},
		{"code 200", 0},
		{"", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (doctor_spelled_status(bytes_of_str(rows[i].text)) !=
		    rows[i].status)
			fail_msg("%s", rows[i].text);
}

TEST("the sentence of a message is its own, and no name of its kind")
{
	struct bytes said = doctor_told_sentence(
		BYTES("{\"event\":\"UNAUTHORIZED\",\"message\": \"not yet\"}"));

	assert_true(bytes_equal_str(said, "not yet"));
	assert_int_equal(doctor_told_sentence(BYTES("{\"message\":7}")).len, 0);
	assert_int_equal(doctor_told_sentence(BYTES("")).len, 0);
}

TEST("the number after the 101 is read as a status would be")
{
	static const struct patient rows[] = {
		{.name = "a library's one name for all that is refused",
		 .url = URL,
		 .answer = "@told close {\"event\":\"UNAUTHORIZED_CONNECTION\","
			   "\"action\":\"ERROR\",\"payload\":{\"message\":"
			   "\"Season has not started\",\"code\":503}}",
		 .cause = "server.app-rejected"},
		{.name = "the sentence itself speaks of it",
		 .url = URL,
		 .answer = "@told close {\"event\":\"error\",\"message\":"
			   "\"unauthorized: no session\",\"code\":500}",
		 .cause = "access.credentials"},
		{.name = "no handler has this path",
		 .url = URL,
		 .answer = "@told close {\"event\":\"HANDLER_NOT_FOUND\","
			   "\"action\":\"ERROR\",\"payload\":{\"message\":"
			   "\"No endpoint found\",\"code\":404}}",
		 .cause = "url.path"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;

		bed_examine(&b, &rows[i]);
		if (strcmp(why_cause(b.verdict.cause)->id, rows[i].cause) != 0)
			fail_msg("%s: %s", rows[i].name,
				 why_cause(b.verdict.cause)->id);
		bed_strip(&b);
	}
}
