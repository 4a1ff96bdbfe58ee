/* SPDX-License-Identifier: MIT */
/*
 * Servers that have no place left, and gateways with nobody behind: told from
 * each other by when an answer comes, by who writes it, and by what a plain GET
 * is told.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://127.0.0.1:8080/chat"
#define NO_SERVER                                                     \
	"HTTP/1.1 503 Service Unavailable\nCache-Control: no-cache\n" \
	"Content-Type: text/html\n\n<html><body><h1>503 Service "     \
	"Unavailable</h1>\nNo server is available to handle this "    \
	"request.\n</body></html>\n"

TEST("who ends the handshake without a word, and tells a plain GET that nobody "
     "is behind, has nobody behind")
{
	static const char *const gets[] = {
		"HTTP/1.1 503 Backend fetch failed\nServer: Varnish\n"
		"Retry-After: 5\n\n<h1>Error 503 Backend fetch failed</h1>",
		NO_SERVER,
		"HTTP/1.1 502 Bad Gateway\nServer: nginx/1.22.1\n\n<html><head>"
		"<title>502 Bad Gateway</title></head><hr><center>nginx/1.22.1"
		"</center></html>",
	};

	for (size_t i = 0; i < ARRAY_LEN(gets); i++) {
		static struct bed b;
		const struct patient p = {
			.url = URL,
			.answer = "@closed",
			.answers = {{DOCTOR_PLAIN_GET, NULL, gets[i]},
				    {DOCTOR_PLAIN_GET_PATH, NULL, gets[i]}}};

		bed_examine(&b, &p);
		assert_string_equal(why_cause(b.verdict.cause)->id,
				    "server.backend-down");
		if (b.verdict.confidence <= 0.6)
			fail_msg("%s: %.2f", gets[i], b.verdict.confidence);
		bed_strip(&b);
	}
}

/* How likely a limit is where all answers are this one. */
static double limit_of(const char *answer)
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = answer};
	double limit;

	bed_examine(&b, &p);
	limit = b.opinion.p[WHY_SERVER_LIMIT];
	bed_strip(&b);
	return limit;
}

TEST("a 503 that comes after the same second each time may be a queue's")
{
	assert_true(limit_of("@late " NO_SERVER) > 0.15);
	assert_true(limit_of(NO_SERVER) < 0.1);
}

TEST("websocketd's 429 is about its programs as likely as about the client")
{
	static const char *const answers[] = {
		"HTTP/1.1 429 Too Many Requests\nContent-Type: text/plain; "
		"charset=utf-8\nX-Content-Type-Options: nosniff\n\n429 Too "
		"Many "
		"Requests\n",
		"HTTP/1.1 429 Too Many Requests\nRetry-After: 5\n\nslow down"};

	assert_true(limit_of(answers[0]) > 0.3);
	assert_true(limit_of(answers[1]) < 0.05);
}
