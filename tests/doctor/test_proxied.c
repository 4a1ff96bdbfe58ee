/* SPDX-License-Identifier: MIT */
/*
 * Forward proxies that say why they did not connect: the destination is judged
 * by their words, whatever status they chose for them.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL   "ws://chat.example:8080/room"
#define PROXY "http://127.0.0.1:3128"

static void examine(struct bed *b, const char *answer, const char *direct)
{
	struct patient p = {.url = URL, .proxy = PROXY, .answer = answer};

	if (direct)
		p.answers[0] = (struct answer){DOCTOR_DIRECT, NULL, direct};
	bed_examine(b, &p);
}

TEST("a proxy's words for what became of the destination are believed, "
     "whatever "
     "its status")
{
	static const struct {
		const char *answer, *direct, *cause;
	} rows[] = {
		{"@proxy 404 No such domain\r\n\r\n<title>502 "
		 "(Privoxy@a)</title>",
		 "@noname", "net.dns"},
		{"@proxy 503 Service Unavailable\r\nX-Squid-Error: "
		 "ERR_DNS_FAIL 0\r\n\r\n",
		 "@noname", "net.dns"},
		{"@proxy 502 Bad Gateway\r\n\r\ndial tcp: lookup chat.example: "
		 "no such host",
		 "@noname", "net.dns"},
		{"@proxy 503 Service Unavailable\r\nX-Squid-Error: "
		 "ERR_CONNECT_FAIL 111\r\n\r\n",
		 "@refused", "net.refused"},
		{"@proxy 502 Bad Gateway\r\nProxy-Status: edge; "
		 "error=connection_refused\r\n\r\n",
		 "@refused", "net.refused"},
		{"@proxy 503 Service Unavailable\r\nX-Squid-Error: "
		 "ERR_CONNECT_FAIL 110\r\n\r\n",
		 "@lost", "net.timeout"},
		{"@proxy 504 Connect to chat.example:8080 failed: Connection "
		 "timed out\r\n\r\n",
		 "@lost", "net.timeout"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;

		examine(&b, rows[i].answer, rows[i].direct);
		if (strcmp(why_cause(b.verdict.cause)->id, rows[i].cause) != 0)
			fail_msg("%s: %s", rows[i].answer,
				 why_cause(b.verdict.cause)->id);
		assert_true(b.verdict.confidence > 0.9);
		bed_strip(&b);
	}
}

TEST("one text for an unknown name and a closed port decides neither")
{
	static struct bed b;

	examine(&b,
		"@proxy 502 Bad Gateway\r\n\r\nHost Not Found or connection "
		"failed",
		"@refused");
	assert_string_equal(why_cause(b.verdict.cause)->id, "net.refused");
	assert_true(b.opinion.p[WHY_NET_DNS] < 0.05);
	bed_strip(&b);
}

TEST("a web server's page about a method is no word of a proxy")
{
	static struct bed b;

	examine(&b,
		"@proxy 405 Not Allowed\r\nServer: nginx\r\n\r\n<h1>405 Not "
		"Allowed</h1>",
		"@open");
	assert_non_null(strstr(b.verdict.summary, "is no proxy of that kind"));
	bed_strip(&b);
}

TEST("a proxy that names its rule is not asked whether the name exists")
{
	static struct bed b;

	examine(&b,
		"@proxy 503 Service Unavailable\r\nX-Squid-Error: "
		"ERR_ACCESS_DENIED 0\r\n\r\n",
		"@noname");
	assert_string_equal(why_cause(b.verdict.cause)->id, "net.proxy-denied");
	bed_strip(&b);
}

#define PORTAL                                                         \
	"HTTP/1.1 511 Network Authentication Required\nContent-Type: " \
	"text/html\n\n<p>Please log in to the guest network."

TEST("who answers in the tunnel in the server's place is told from who loses "
     "the "
     "Upgrade there")
{
	static const struct {
		const char *answer, *cause;
	} rows[] = {
		{"HTTP/1.1 403 Forbidden\nX-Squid-Error: ERR_ACCESS_DENIED "
		 "0\n\n",
		 "net.proxy-denied"},
		{"HTTP/1.1 403 Forbidden\nContent-Type: "
		 "text/html\n\n<h1>Zugriff "
		 "gesperrt</h1>",
		 "net.proxy-denied"},
		{"HTTP/1.1 426 Upgrade Required\nUpgrade: websocket\n\n",
		 "net.proxy-strips-upgrade"},
		{"HTTP/1.1 404 Not Found\nContent-Type: text/html\n\nnothing",
		 "net.proxy-strips-upgrade"},
		{PORTAL, "net.proxy-auth"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;

		examine(&b, rows[i].answer, "@open");
		if (strcmp(why_cause(b.verdict.cause)->id, rows[i].cause) != 0 ||
		    b.verdict.confidence < 0.8)
			fail_msg("%s: %s %.2f", rows[i].answer,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("a network that wants a sign-in is told of where no proxy was given")
{
	static const struct patient p = {.url = URL, .answer = PORTAL};
	static struct bed b;

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id, "net.proxy-auth");
	assert_true(b.verdict.confidence > 0.8);
	assert_non_null(strstr(b.verdict.summary, "wants a sign-in"));
	bed_strip(&b);
}
