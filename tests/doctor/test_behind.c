/* SPDX-License-Identifier: MIT */
/*
 * Who stands in between, and who behind: several servers of which one knows the
 * session, a relay that says what it could not reach, a CDN, a box that inspects
 * TLS, and a name that is refused among its like.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/harvest.h"

#define URL "ws://127.0.0.1:8080/feed"
#define UNKNOWN                                                      \
	"HTTP/1.1 401 Unauthorized\nContent-Type: application/json\n" \
	"Content-Length: 11\n\n{\"ok\":false}"
#define NOT_UPGRADED                                               \
	"HTTP/1.1 400 Bad Request\nSec-WebSocket-Version: 13\n"     \
	"Content-Type: text/plain; charset=utf-8\nContent-Length: 12\n"
#define FULL \
	"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\nContent-Length: 0\n"
#define LOST                                                       \
	"HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n\n<html><hr>" \
	"<center>nginx/1.22.1</center></html>"

static void examine(struct bed *b, const struct patient *p, const char *cause)
{
	bed_examine(b, p);
	if (strcmp(why_cause(b->verdict.cause)->id, cause) != 0)
		fail_msg("%s, not %s", why_cause(b->verdict.cause)->id, cause);
}

TEST("credentials that are known to one server of two are not wrong")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .header = "Cookie: sid=7f31c2",
				  .answer = UNKNOWN " || @open"};
	const struct doctor_trial own = {.change = DOCTOR_NOTHING};

	examine(&b, &p, "server.sticky-session");
	assert_true(doctor_score(&b.chart, &own).opened > 0);
	assert_non_null(strstr(b.verdict.summary, "not all of them know"));
	bed_strip(&b);
}

TEST("credentials that are refused each time are wrong")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .header = "Cookie: sid=7f31c2",
				  .answer = UNKNOWN};
	const struct doctor_trial own = {.change = DOCTOR_NOTHING};

	examine(&b, &p, "access.credentials");
	assert_int_equal(doctor_score(&b.chart, &own).n, 3);
	bed_strip(&b);
}

TEST("mod_proxy's own page tells of what is behind, whatever its status")
{
	static const char *const reasons[] = {
		"DNS lookup failure for: app.invalid",
		"Error during SSL Handshake with remote server"};
	char answer[600];

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		static struct bed b;
		const struct patient p = {.url = URL, .answer = answer};

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 500 Proxy Error\nServer: Apache/2.4.71\n\n"
			 "<html><head>\n<title>500 Proxy Error</title>\n</head>"
			 "<body>\n<h1>Proxy Error</h1>\nThe proxy server could "
			 "not handle the request<p>Reason: <strong>%s</strong>"
			 "</p><p />\n</body></html>\n",
			 reasons[i]);
		examine(&b, &p, "server.backend-down");
		assert_non_null(strstr(b.verdict.refused_by, "apache"));
		bed_strip(&b);
	}
}

TEST("a name that is refused where others open is full, or not for all")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/sub/board",
		.answer = FULL,
		.answers = {{DOCTOR_PATH, "/sub/boardboard", "@open"},
			    {DOCTOR_PATH, NULL, LOST}}};

	bed_examine(&b, &p);
	assert_true(b.opinion.p[WHY_SERVER_LIMIT] +
			    b.opinion.p[WHY_ACCESS_PERMISSION] >
		    0.8);
	assert_true(b.opinion.p[WHY_SERVER_LIMIT] > 0.1);
	assert_non_null(strstr(b.verdict.summary, "/sub/board alone"));
	for (size_t i = 0; i < b.verdict.n_fixes; i++)
		assert_null(strstr(b.verdict.fix[i].what, "basic auth"));
	bed_strip(&b);
}

TEST("a name that may be secret, or somebody's, is not made up anew")
{
	static const char *const paths[] = {
		"/sub/8412", "/sub/3f9c0e77", "/feed",
		"/sub/averylongnamewhichmaybeasecret"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct doctor_case c = {.url.path = bytes_of_str(paths[i])};
		char out[200];

		assert_false(doctor_namesake_path(&c, out, sizeof(out)));
	}
}

static void bed_with_issuer(struct bed *b, const struct patient *p,
			    const char *issuer)
{
	bed_examine(b, p);
	for (size_t i = 0; i < b->chart.n_probes; i++)
		snprintf(b->chart.probe[i]->dial.tls.issuer,
			 sizeof(b->chart.probe[i]->dial.tls.issuer), "%s",
			 issuer);
	doctor_find(&b->chart);
	doctor_diagnose(&b->chart, &b->opinion);
}

TEST("an Upgrade that is lost behind an inspected certificate is lost there")
{
	static struct bed b;
	const struct patient p = {.url = "wss://127.0.0.1:8443/feed",
				  .answer = NOT_UPGRADED};

	bed_with_issuer(&b, &p, "CN=Corporate Inspection CA");
	assert_int_equal(b.opinion.best, WHY_NET_PROXY_STRIPS_UPGRADE);
	bed_strip(&b);
	bed_with_issuer(&b, &p, "CN=R11, O=Let's Encrypt");
	assert_int_equal(b.opinion.best, WHY_SERVER_PROXY_UPGRADE);
	assert_true(b.opinion.p[WHY_NET_PROXY_STRIPS_UPGRADE] > 0.02);
	bed_strip(&b);
}

TEST("a CDN hands no Upgrade on that was not told to, and a proxy behind it may")
{
	static const struct {
		const char *fields, *cause;
	} rows[] = {
		{"Via: 1.1 varnish\nX-Served-By: cache-fra-eddf8230074-FRA\n",
		 "server.cdn-websockets-off"},
		{"X-Served-By: cache-fra-eddf8230074-FRA\nServer: "
		 "nginx/1.22.1\n",
		 "server.proxy-upgrade"},
		{"Via: 1.1 varnish\nX-Varnish: 2\n", "server.proxy-upgrade"}};
	char answer[400];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;
		const struct patient p = {.url = URL, .answer = answer};

		snprintf(answer, sizeof(answer), NOT_UPGRADED "%s",
			 rows[i].fields);
		examine(&b, &p, rows[i].cause);
		bed_strip(&b);
	}
}

TEST("HAProxy's 502 to handshakes alone says that it reached what is behind")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 502 Bad Gateway\nContent-Type: text/html\n"
			  "\n<html><body><h1>502 Bad Gateway</h1>\nThe server "
			  "returned an invalid or incomplete response.\n"
			  "</body></html>\n",
		.answers = {{DOCTOR_PLAIN_GET, NULL,
			     "HTTP/1.1 400 Bad Request\nContent-Length: 0\n"}}};

	bed_examine(&b, &p);
	assert_true(b.verdict.confidence < 0.75);
	assert_true(b.opinion.p[WHY_SERVER_BACKEND_DOWN] > 0.3);
	assert_true(b.opinion.p[WHY_SERVER_BAD_ACCEPT] > 0.1);
	assert_non_null(strstr(b.verdict.summary, "answers plain requests"));
	bed_strip(&b);
}

TEST("who takes one connection at a time does not take a proof back")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.header = "Sec-WebSocket-Key: c2hvcnQ=",
		.answer = "HTTP/1.1 400 Bad Request\n\n >> @silent",
		.answers = {{DOCTOR_STANDARD, NULL,
			     "@silent || @open || @silent || @silent"}}};

	examine(&b, &p, "client.bad-handshake");
	assert_true(b.verdict.proof.given);
	bed_strip(&b);
}

TEST("a head that fills a packet and is not heard asks for a short one")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .header = "Cookie: prefs=1",
				  .large = true,
				  .answer = "@silent",
				  .answers = {{DOCTOR_MINIMAL, NULL, "@open"}}};

	examine(&b, &p, "net.timeout");
	assert_int_equal(b.chart.probe[1]->trial.change, DOCTOR_MINIMAL);
	assert_string_equal(b.verdict.who, "network");
	assert_non_null(strstr(b.verdict.summary, "large packets vanish"));
	assert_non_null(strstr(b.verdict.fix[0].what, "MTU"));
	bed_strip(&b);
}

TEST("a large head that is refused in words is too large, and did not vanish")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.header = "Cookie: prefs=1",
		.large = true,
		.answer = "HTTP/1.1 431 Request Header Fields Too Large\n\n",
		.answers = {{DOCTOR_MINIMAL, NULL, "@open"}}};

	examine(&b, &p, "client.headers-too-large");
	bed_strip(&b);
}

TEST("an address that was given has no other family, and is off after seconds")
{
	static struct bed b;
	static const struct patient given = {.url = "ws://192.0.2.7:8080/feed",
					     .answer = "@unreachable 3072"},
				    named = {.url = "ws://chat.example/feed",
					     .answer = "@unreachable 2"};

	examine(&b, &given, "net.timeout");
	assert_true(b.verdict.confidence > 0.85);
	assert_true(b.opinion.p[WHY_NET_ADDRESS_FAMILY] < 0.05);
	bed_strip(&b);
	bed_examine(&b, &named);
	assert_true(b.opinion.p[WHY_NET_ADDRESS_FAMILY] > 0.2);
	bed_strip(&b);
}

TEST("a filter that redirects CONNECT to its page is a forward proxy")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.proxy = "http://127.0.0.1:3128",
		.answer = "@proxy 302 Found\r\nServer: e2guardian\r\nLocation: "
			  "http://filter.example/denied\r\n\r\n",
		.answers = {{DOCTOR_DIRECT, NULL, "@open"}}};

	examine(&b, &p, "net.proxy-denied");
	assert_string_equal(b.verdict.who, "proxy");
	assert_null(strstr(b.verdict.summary, "no proxy"));
	bed_strip(&b);
}

TEST("whose Caddy only passes a refusal on is not told to take its limits away")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 503 Service Unavailable\nServer: Caddy\n"
			  "Content-Type: application/json\n\n"
			  "{\"error\":\"server at capacity\"}"};

	examine(&b, &p, "server.limit");
	for (size_t i = 0; i < b.verdict.n_fixes; i++)
		assert_null(strstr(b.verdict.fix[i].what, "of the proxy away"));
	bed_strip(&b);
}
