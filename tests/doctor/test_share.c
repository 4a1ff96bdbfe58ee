/* SPDX-License-Identifier: MIT */
/*
 * A refusal that depends on who one is need not be one of the credentials: an
 * account that has its one connection already is known, and refused for that.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://127.0.0.1:8080/desk"

static const struct {
	const char *header, *answer, *without;
	enum why_cause cause;
} rows[] = {
	{"Cookie: uid=17",
	 "HTTP/1.1 409 Conflict\nContent-Type: application/json\n\n{\"error\":"
	 "\"conflict\",\"message\":\"This account already has an open "
	 "session\"}",
	 "@open", WHY_SERVER_APP_REJECTED},
	{"Cookie: uid=17", "HTTP/1.1 409 Conflict\nContent-Length: 0\n\n",
	 "@open", WHY_SERVER_APP_REJECTED},
	{"Cookie: uid=17",
	 "HTTP/1.1 403 Forbidden\nContent-Type: application/json\n\n{\"error\":"
	 "\"already_connected\"}",
	 "@open", WHY_SERVER_APP_REJECTED},
	{"Cookie: uid=17",
	 "HTTP/1.1 403 Forbidden\nContent-Type: application/json\n\n{\"error\":"
	 "\"room_full\",\"message\":\"you have the maximum of open rooms\"}",
	 "@open", WHY_SERVER_LIMIT},
	{"Authorization: Bearer abcdefghijkl",
	 "HTTP/1.1 409 Conflict\nContent-Type: text/plain\n\nalready connected "
	 "from another device",
	 "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer\n\n",
	 WHY_SERVER_APP_REJECTED},
	/* and where nothing of the kind is said, it is the credentials */
	{"Cookie: uid=17", "HTTP/1.1 403 Forbidden\nContent-Length: 0\n\n",
	 "@open", WHY_ACCESS_CREDENTIALS},
	{"Authorization: Bearer abcdefghijkl",
	 "HTTP/1.1 401 Unauthorized\nContent-Length: 0\n\n", "@open",
	 WHY_ACCESS_CREDENTIALS},
};

TEST("who is refused as the second of an account has no bad credentials")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = URL,
			.header = rows[i].header,
			.answer = rows[i].answer,
			.answers = {
				{DOCTOR_NO_CREDENTIALS, NULL, rows[i].without},
				{DOCTOR_MINIMAL, NULL, rows[i].without},
				{DOCTOR_PLAIN_GET, NULL,
				 "HTTP/1.1 200 OK\n\n{}"}}};

		bed_examine(&b, &p);
		if (b.verdict.cause != rows[i].cause ||
		    b.verdict.confidence < 0.6)
			fail_msg("row %zu: %s, %.2f", i,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("a body that names the query's own parameter is heard before a proxy is "
     "suspected")
{
	static const char *const bodies[] = {
		"{\"code\":-1121,\"msg\":\"Parameter 'stream' must be one of: "
		"trade, depth\"}",
		"stream must be trade or depth"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		char answer[400];
		const struct patient p = {
			.url = "ws://127.0.0.1:8080/v1?stream=trades",
			.answer = answer,
			.answers = {{DOCTOR_PATH, NULL,
				     "HTTP/1.1 404 Not Found\nServer: Caddy\n"
				     "Server: Python/3.11 aiohttp/3.8.4\n\n"
				     "404: Not Found"}}};

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 400 Bad Request\nServer: Caddy\nServer: "
			 "Python/3.11 aiohttp/3.8.4\nContent-Type: text/plain"
			 "\n\n%s",
			 bodies[i]);
		bed_examine(&b, &p);
		if (b.verdict.cause != WHY_URL_QUERY ||
		    b.verdict.confidence < 0.7)
			fail_msg("%s: %s, %.2f", bodies[i],
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}
