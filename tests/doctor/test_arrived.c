/* SPDX-License-Identifier: MIT */
/*
 * Refusals that quote the Host that reached them: another one than was sent is
 * a proxy's doing, the same one is a list's.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://chat.example:8080/room"

TEST("a refusal that quotes another Host than was sent is about a proxy that "
     "changed it")
{
	static const struct {
		const char *origin, *answer, *quoted;
	} rows[] = {
		{NULL,
		 "HTTP/1.1 400 port 3000 in HTTP Host header \"10.0.0.7:3000\" "
		 "does not match server listening port 8080\nServer: "
		 "nginx/1.22.1\n\n",
		 "10.0.0.7:3000 reaches the application"},
		{NULL,
		 "HTTP/1.1 400 Bad Request\n\nInvalid HTTP_HOST header: "
		 "'app:3000'.",
		 "app:3000 reaches"},
		{"http://chat.example:8080",
		 "HTTP/1.1 403 Forbidden\n\nrequest Origin "
		 "\"http://chat.example:8080\" is not authorized for Host "
		 "\"backend.internal\"\n",
		 "backend.internal reaches"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;
		const struct patient p = {.url = URL,
					  .origin = rows[i].origin,
					  .answer = rows[i].answer};

		bed_examine(&b, &p);
		if (b.verdict.cause != WHY_SERVER_PROXY_HOST)
			fail_msg("%s: %s", rows[i].answer,
				 why_cause(b.verdict.cause)->id);
		if (b.verdict.confidence <= 0.7)
			fail_msg("%s: %.2f", rows[i].answer,
				 b.verdict.confidence);
		assert_string_equal(b.verdict.who, "proxy");
		assert_non_null(strstr(b.verdict.summary, rows[i].quoted));
		bed_strip(&b);
	}
}

TEST("a Host that arrived as it was sent, or that the server would rather "
     "have, "
     "shows no proxy")
{
	static const char *const answers[] = {
		"HTTP/1.1 400 Bad Request\n\nInvalid HTTP_HOST header: "
		"'chat.example:8080'.",
		"HTTP/1.1 400 Bad Request\n\nInvalid host header: chat.example",
		"HTTP/1.1 400 Bad Request\n\nHost not allowed, expected host "
		"\"api.example\"",
		"HTTP/1.1 400 Bad Request\n\nThe Host header must match "
		"\"api.example\"",
		"HTTP/1.1 403 Forbidden\n\nServed by host web7.example",
	};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		static struct bed b;
		const struct patient p = {.url = URL, .answer = answers[i]};

		bed_examine(&b, &p);
		if (doctor_found(&b.chart, DOCTOR_F_HOST_ARRIVED_OTHER))
			fail_msg("%s", answers[i]);
		bed_strip(&b);
	}
}

TEST("with a foreign Origin the Host that arrived excuses nothing")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.origin = "https://evil.example",
		.answer = "HTTP/1.1 403 Forbidden\n\nrequest Origin "
			  "\"https://evil.example\" is not authorized for Host "
			  "\"app:3000\"\n"};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id, "access.origin");
	bed_strip(&b);
}
