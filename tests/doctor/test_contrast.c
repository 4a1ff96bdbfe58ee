/* SPDX-License-Identifier: MIT */
/*
 * What the other answers say of the given one: which door a refusal belongs to
 * is told by what is refused before it, behind it and beside it.
 */
#include "test.h"

#include "doctor/bedside.h"

#define LIVE   "ws://127.0.0.1:9000/live"
#define ENGINE "ws://127.0.0.1:9000/socket.io/?EIO=4&transport=websocket"
#define SECURE "wss://127.0.0.1:9000/live"
#define MOVED                                                 \
	"HTTP/1.1 301 Moved Permanently\nContent-Length: 0\n" \
	"Date: Mon, 01 Jan 2024 00:00:00 GMT\nLocation: "
#define COOKIE "Cookie: sid=7f3a9d"
#define NODE_401                                         \
	"HTTP/1.1 401 Unauthorized\nConnection: close\n" \
	"Content-Type: text/html\nContent-Length: 12\n\nUnauthorized"
#define NODE_403                                      \
	"HTTP/1.1 403 Forbidden\nConnection: close\n" \
	"Content-Type: text/html\nContent-Length: 9\n\nForbidden"
#define ENGINE_400                                      \
	"HTTP/1.1 400 Bad Request\nConnection: close\n" \
	"Content-type: text/html\n\n"
#define CADDY_502                                   \
	"HTTP/1.1 502 Bad Gateway\nServer: Caddy\n" \
	"Date: Mon, 01 Jan 2024 00:00:00 GMT\n"     \
	"Content-Length: 0\n\n"
#define EXPRESS_404                                                        \
	"HTTP/1.1 404 Not Found\nServer: Caddy\n"                          \
	"X-Powered-By: Express\n"                                          \
	"Date: Mon, 01 Jan 2024 00:00:00 GMT\n"                            \
	"Content-Type: text/html; charset=utf-8\n\n"                       \
	"<!DOCTYPE html>\n<html lang=\"en\">\n<body>\n<pre>Cannot GET /\n" \
	"</pre>\n</body>\n</html>\n"
#define FASTIFY_404                                                       \
	"HTTP/1.1 404 Not Found\n"                                        \
	"content-type: application/json; charset=utf-8\n"                 \
	"Date: Mon, 01 Jan 2024 00:00:00 GMT\nConnection: keep-alive\n\n" \
	"{\"message\":\"Route GET:/live not found\",\"error\":\"Not "     \
	"Found\",\"statusCode\":404}"
#define JSON                                              \
	"HTTP/1.1 200 OK\nContent-Type: application/json" \
	"\nDate: Mon, 01 Jan 2024 00:00:00 GMT\n\n"
#define PAGE                                       \
	"HTTP/1.1 200 OK\nContent-Type: text/html" \
	"\nDate: Mon, 01 Jan 2024 00:00:00 GMT\n\n"

static const struct patient patients[] = {
	{.name = "an Origin that alone passes is not what the 401 is about",
	 .url = LIVE,
	 .origin = "https://app.example",
	 .header = COOKIE,
	 .answer = NODE_401,
	 .answers = {{DOCTOR_ORIGIN, NULL, NODE_403},
		     {DOCTOR_NO_ORIGIN, NULL, NODE_403},
		     {DOCTOR_MINIMAL, NULL, NODE_403}},
	 .cause = "access.credentials",
	 .at_least = 0.85},
	{.name = "an Origin that alone is refused stays what it is about",
	 .url = LIVE,
	 .origin = "https://app.example",
	 .answer = NODE_403,
	 .answers = {{DOCTOR_ORIGIN, NULL, NODE_401},
		     {DOCTOR_NO_ORIGIN, NULL, NODE_401}},
	 .cause = "access.origin",
	 .at_least = 0.7},
	{.name = "who is told of a role is known, whatever the status",
	 .url = ENGINE,
	 .header = COOKIE,
	 .answer = ENGINE_400 "Forbidden: role \"viewer\" lacks permission "
			      "control:subscribe",
	 .answers = {{DOCTOR_NO_CREDENTIALS, NULL,
		      ENGINE_400 "Not authenticated"},
		     {DOCTOR_MINIMAL, NULL, ENGINE_400 "Not authenticated"},
		     {DOCTOR_POLLING, NULL,
		      "HTTP/1.1 403 Forbidden\n"
		      "Content-Type: application/json\n\n"
		      "{\"code\":4,\"message\":\"Forbidden: role "
		      "\\\"viewer\\\" lacks permission "
		      "control:subscribe\"}"},
		     {DOCTOR_PATH, NULL, "@closed late"}},
	 .cause = "access.permission",
	 .at_least = 0.8},
	{.name = "a check of engine.io's that names the address is about that",
	 .url = ENGINE,
	 .local = true,
	 .answer = ENGINE_400 "Address 127.0.0.1 is not on the allow list",
	 .answers = {{DOCTOR_NO_QUERY, NULL, ENGINE_400 "Transport unknown"},
		     {DOCTOR_POLLING, NULL,
		      "HTTP/1.1 403 Forbidden\n"
		      "Content-Type: application/json\n\n"
		      "{\"code\":4,\"message\":\"Address 127.0.0.1 is not on "
		      "the allow list\"}"},
		     {DOCTOR_PATH, NULL, "@closed late"}},
	 .cause = "access.ip",
	 .at_least = 0.8},
	{.name = "a token that is not good is not good in either answer",
	 .url = ENGINE,
	 .header = COOKIE,
	 .answer = ENGINE_400 "Session expired, log in again",
	 .answers = {{DOCTOR_NO_CREDENTIALS, NULL,
		      ENGINE_400 "Not authenticated"},
		     {DOCTOR_MINIMAL, NULL, ENGINE_400 "Not authenticated"},
		     {DOCTOR_PATH, NULL, "@closed late"}},
	 .cause = "access.credentials",
	 .at_least = 0.85},
	{.name = "an API's root lists where the path went",
	 .url = LIVE,
	 .answer = FASTIFY_404,
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		      JSON "{\"links\":{\"users\":\"/v3/users\","
			   "\"stream\":\"/v3/live\"}}"},
		     {DOCTOR_PATH, "/v3/live", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "JSON may write its slashes with a backslash",
	 .url = LIVE,
	 .answer = FASTIFY_404,
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		      JSON "{\"_links\":[{\"href\":\"http:\\/\\/127.0.0.1:9000"
			   "\\/feeds\\/ticker-stream\"}]}"},
		     {DOCTOR_PATH, "/feeds/ticker-stream", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a router that takes upgrades for requests may have another "
		 "path",
	 .url = LIVE,
	 .answer = FASTIFY_404,
	 .cause = "server.no-websocket",
	 .at_least = 0.4,
	 .at_most = 0.75},
	{.name = "Socket.IO's own path ends in a slash",
	 .url = ENGINE,
	 .answer = "@late " CADDY_502,
	 .answers = {{DOCTOR_PLAIN_GET, NULL, EXPRESS_404},
		     {DOCTOR_POLLING, NULL, EXPRESS_404},
		     {DOCTOR_PLAIN_GET_PATH, "/",
		      PAGE "<script>io({ path: \"/rt/socket.io\" })</script>"},
		     {DOCTOR_PATH, "/rt/socket.io/?EIO=4&transport=websocket",
		      "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a gateway's error a second later is no backend that is down",
	 .url = ENGINE,
	 .answer = "@late " CADDY_502,
	 .answers = {{DOCTOR_PLAIN_GET, NULL, EXPRESS_404},
		     {DOCTOR_PLAIN_GET_PATH, NULL, EXPRESS_404},
		     {DOCTOR_POLLING, NULL, EXPRESS_404}},
	 .cause = "url.path",
	 .at_least = 0.5},
	{.name = "who ends one path alone, and lets others wait, misses "
		 "something in it",
	 .url = LIVE,
	 .answer = "@closed",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"},
		     {DOCTOR_PLAIN_GET_PATH, NULL,
		      "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"},
		     {DOCTOR_PATH, "/sesame-no-such-path", "@silent"}},
	 .cause = "access.credentials",
	 .at_least = 0.3,
	 .at_most = 0.7},
	{.name = "the port of a script that the page loads is worth a knock",
	 .url = LIVE,
	 .answer = EXPRESS_404,
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		      PAGE "<!doctype html><script src=\"//127.0.0.1:35729/"
			   "livereload.js?snipver=1\" async></script>"},
		     {DOCTOR_PORT, "35729", "@open"}},
	 .cause = "url.port",
	 .at_least = 0.8},
	{.name = "so is the port of one whose place the page puts together",
	 .url = LIVE,
	 .answer = EXPRESS_404,
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		      PAGE "<!doctype html><script>document.write('<script "
			   "src=\"//' + location.host.split(':')[0] + "
			   "':28951/reload.js?v=1\"></' + 'script>')</script>"},
		     {DOCTOR_PORT, "28951", "@open"}},
	 .cause = "url.port",
	 .at_least = 0.8},
	{.name = "so is the one that its query names, written as markup",
	 .url = LIVE,
	 .answer = EXPRESS_404,
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		      PAGE "<!doctype html><script src=\"/reload.js?"
			   "v=1&amp;port=28952\"></script>"},
		     {DOCTOR_PORT, "28952", "@open"}},
	 .cause = "url.port",
	 .at_least = 0.8},
	{.name = "https that is sent to the same https was taken for http",
	 .url = SECURE,
	 .answer = MOVED "https://127.0.0.1:9000/live\n\n",
	 .cause = "server.proxy-proto",
	 .at_least = 0.6},
	{.name = "https that is sent to https without its port may be",
	 .url = SECURE,
	 .answer = MOVED "https://127.0.0.1/live\n\n",
	 .cause = "server.redirect",
	 .at_least = 0.5,
	 .at_most = 0.88},
	{.name = "a redirect to another path of https is a redirect",
	 .url = SECURE,
	 .answer = MOVED "https://127.0.0.1:9000/v2/live\n\n",
	 .cause = "server.redirect",
	 .at_least = 0.85},
	{.name = "a close for a silence is one, whatever its code",
	 .url = LIVE,
	 .answer = "@close 4408 idle timeout",
	 .cause = "net.idle-timeout",
	 .at_least = 0.8},
	{.name = "a silence is counted later as well",
	 .url = LIVE,
	 .answer = "@open",
	 .answers = {{DOCTOR_HOLD, NULL, "@close 4000 no heartbeat for 3 s"}},
	 .cause = "net.idle-timeout",
	 .at_least = 0.7},
	{.name = "a close with another reason is the application's",
	 .url = LIVE,
	 .answer = "@close 4408 the tournament is over",
	 .cause = "server.app-rejected",
	 .at_least = 0.7},
};

TEST("the answers beside the given one say which door it belongs to")
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
		const struct patient *p = &patients[i];
		static struct bed b;

		bed_examine(&b, p);
		if (strcmp(why_cause(b.verdict.cause)->id, p->cause) != 0 ||
		    b.verdict.confidence < p->at_least ||
		    (p->at_most > 0 && b.verdict.confidence > p->at_most))
			wrong += fprintf(stderr, "%s: %s %.3f\n", p->name,
					 why_cause(b.verdict.cause)->id,
					 b.verdict.confidence) > 0;
		bed_strip(&b);
	}
	assert_int_equal(wrong, 0);
}

struct authorship {
	const char *name, *answer, *who;
};

static const struct authorship authorships[] = {
	{"Caddy counts what it refuses itself",
	 "HTTP/1.1 403 Forbidden\nServer: Caddy\n"
	 "Date: Mon, 01 Jan 2024 00:00:00 GMT\nContent-Length: 0\n\n",
	 "proxy"},
	{"what Caddy passes on was counted behind it",
	 "HTTP/1.1 403 Forbidden\nContent-Length: 0\nServer: Caddy\n"
	 "Date: Mon, 01 Jan 2024 00:00:00 GMT\n\n",
	 "server"},
	{"or by nobody",
	 "HTTP/1.1 403 Forbidden\nServer: Caddy\n"
	 "Date: Mon, 01 Jan 2024 00:00:00 GMT\n"
	 "Transfer-Encoding: chunked\n\n",
	 "server"},
};

TEST("a relay that puts its name to an answer has not written it")
{
	for (size_t i = 0; i < ARRAY_LEN(authorships); i++) {
		const struct patient p = {
			.url = LIVE,
			.origin = "https://app.example",
			.answer = authorships[i].answer,
			.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};
		static struct bed b;

		bed_examine(&b, &p);
		if (strcmp(b.verdict.who, authorships[i].who) != 0)
			fail_msg("%s: %s", authorships[i].name, b.verdict.who);
		bed_strip(&b);
	}
}

TEST("a silence is the server's to mend where its close has words for it")
{
	static const struct authorship ends[] = {
		{"with words", "@close 4408 idle timeout", "server"},
		{"without", "@cut 3000", "proxy"},
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const struct patient p = {.url = LIVE,
					  .answer = ends[i].answer};
		static struct bed b;

		bed_examine(&b, &p);
		assert_string_equal(why_cause(b.verdict.cause)->id,
				    "net.idle-timeout");
		if (strcmp(b.verdict.who, ends[i].who) != 0)
			fail_msg("%s: %s", ends[i].name, b.verdict.who);
		bed_strip(&b);
	}
}

TEST("who closes a quiet connection in order is no proxy, and none is mended")
{
	static struct bed b;
	const struct patient p = {.url = "ws://a.example/live",
				  .answer = "@open",
				  .answers = {{DOCTOR_HOLD, NULL,
					       "@close 1001"}}};
	const struct doctor_verdict *v = &b.verdict;

	bed_examine(&b, &p);
	assert_int_equal(v->cause, WHY_NET_IDLE_TIMEOUT);
	assert_string_equal(v->who, "server");
	assert_non_null(strstr(v->summary, "closes the connection itself"));
	for (size_t i = 0; i < v->n_fixes; i++)
		assert_string_not_equal(v->fix[i].who, "proxy");
	bed_strip(&b);
}

TEST("where the standard handshake opens, it is what was set by hand")
{
	static const char *const fields[] = {"Connection: keep-alive",
					     "Upgrade: h2c"};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		static struct bed b;
		const struct patient p = {
			.url = "ws://a.example/live",
			.header = fields[i],
			.answer = "HTTP/1.1 200 OK\nContent-Type: text/html\n"
				  "Keep-Alive: timeout=5\nConnection: keep-alive"
				  "\n\n<h1>hello</h1>",
			.answers = {{DOCTOR_STANDARD, NULL, "@open"},
				    {DOCTOR_MINIMAL, NULL, "@open"}}};

		bed_examine(&b, &p);
		assert_string_equal(why_cause(b.verdict.cause)->id,
				    "client.bad-handshake");
		assert_true(b.verdict.confidence > 0.9);
		bed_strip(&b);
	}
}

TEST("a status for heads that are too large is one, whatever the phrase")
{
	static char cookie[620] = "Cookie: sid=";
	static struct bed b;
	const struct patient p = {
		.url = "ws://a.example/live",
		.header = cookie,
		.answer = "HTTP/1.1 431 X\nContent-Length: 0\n\n",
		.answers = {{DOCTOR_NO_CREDENTIALS, NULL, "@open"},
			    {DOCTOR_MINIMAL, NULL, "@open"}}};

	memset(cookie + strlen(cookie), 'a', sizeof(cookie) - 20);
	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id,
			    "client.headers-too-large");
	assert_true(b.verdict.confidence > 0.9);
	bed_strip(&b);
}

TEST("who dials Socket.IO's server as a WebSocket is told what it is")
{
	static const char io[] = "/socket.io/?EIO=4&transport=websocket";
	static struct bed b;
	const struct patient p = {
		.url = "ws://a.example/",
		.answer = "@closed late",
		.answers = {{DOCTOR_PLAIN_GET, NULL,
			     "HTTP/1.1 200 OK\nX-Powered-By: Express\n"
			     "Content-Type: text/html\n\nhi"},
			    {DOCTOR_PATH, io, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_PATH);
	assert_string_equal(b.verdict.fix[0].snippet, "io('http://a.example');");
	for (size_t i = 0; i < b.verdict.n_fixes; i++)
		assert_null(strstr(b.verdict.fix[i].snippet, "WebSocketServer"));
	bed_strip(&b);
}

TEST("a rule that refuses the doctor's own name is not changed for it")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://a.example/live",
		.answer = "HTTP/1.1 403 Forbidden\nServer: nginx\n\n<html>"
			  "<center><h1>403 Forbidden</h1></center><hr><center>"
			  "nginx</center></html>",
		.answers = {{DOCTOR_USER_AGENT, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_USER_AGENT);
	assert_string_equal(b.verdict.fix[0].snippet,
			    "sesame doctor -A 'YOUR CLIENT/1.0' "
			    "ws://a.example/live");
	bed_strip(&b);
}
