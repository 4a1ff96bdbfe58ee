/* SPDX-License-Identifier: MIT */
/*
 * What the report tells to do: to the one who refused, in the words of that
 * software; and where two causes stay possible, what would tell them apart.
 */
#include "test.h"

#include "doctor/apart.h"
#include "doctor/bedside.h"

#define URL "ws://127.0.0.1:8080/chat"
#define NGINX_403                                                            \
	"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\n<html><center><h1>" \
	"403 "                                                               \
	"Forbidden</h1></center>\n<hr><center>nginx</center></html>"
#define NGINX_404                                                            \
	"HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n\n<html><center><h1>" \
	"404 Not Found</h1></center>\n<hr><center>nginx</center></html>"
#define TORNADO_BEHIND_NGINX                               \
	"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\n" \
	"Cross origin websockets not allowed"

static bool has_fix_for(const struct doctor_verdict *v, const char *stack)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (v->fix[i].stack && strcmp(v->fix[i].stack, stack) == 0)
			return true;
	return false;
}

TEST("the rule that refused is mended where it stands, with the case's values")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "https://evil.example",
				  .answer = NGINX_403,
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};
	const struct doctor_fix *fix = &b.verdict.fix[0];

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
	assert_string_equal(fix->stack, "nginx");
	assert_true(strncmp(fix->where, "nginx, ", 7) == 0);
	assert_non_null(strstr(fix->snippet, "\"https://evil.example\""));
	assert_null(strchr(fix->snippet, '<'));
	bed_strip(&b);
}

TEST("where the proxy itself is not there, one goes without or mends it")
{
	static struct bed b;
	const struct patient p = {.url = "ws://far.example/chat",
				  .proxy = "http://p.example:3128",
				  .answer = "@refused",
				  .answers = {{DOCTOR_DIRECT, NULL, "@lost"}}};

	bed_examine(&b, &p);
	assert_string_equal(b.verdict.refused_by, "");
	assert_string_equal(b.verdict.who, "client");
	assert_non_null(strstr(b.verdict.fix[0].snippet, "--no-proxy"));
	assert_string_equal(b.verdict.fix[1].who, "proxy");
	assert_int_equal(b.verdict.n_fixes, 2);
	bed_strip(&b);
}

TEST("a proxy's own certificate is trusted by the option for the proxy")
{
	static struct bed b;
	const struct patient p = {.url = "wss://far.example/chat",
				  .proxy = "https://p.example:3129",
				  .answer = "@proxytls untrusted"};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_TLS_UNTRUSTED);
	assert_non_null(strstr(b.verdict.fix[0].snippet, "--proxy-cacert"));
	for (size_t i = 0; i < b.verdict.n_fixes; i++)
		assert_null(strstr(b.verdict.fix[i].snippet, " --cacert"));
	assert_string_equal(b.verdict.who, "proxy");
	assert_null(doctor_tried(&b.chart, DOCTOR_INSECURE, NULL));
	bed_strip(&b);
}

#define TO(path) "HTTP/1.1 302 Found\nServer: nginx\nLocation: " path "\n\n"

TEST("what is no origin is corrected where it is sent, and listed nowhere")
{
	static struct bed b;
	struct patient p = {.url = URL,
			    .origin = "app.example",
			    .answer = NGINX_403,
			    .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
	assert_string_equal(b.verdict.who, "client");
	assert_non_null(strstr(b.verdict.summary, "that is no origin"));
	assert_string_equal(b.verdict.fix[0].who, "client");
	assert_string_equal(b.verdict.fix[0].snippet,
			    "Origin: https://app.example");
	for (size_t i = 1; i < b.verdict.n_fixes; i++)
		assert_string_equal(b.verdict.fix[i].snippet, "");
	bed_strip(&b);
	p.origin = "https://app.example/";
	bed_examine(&b, &p);
	assert_string_equal(b.verdict.fix[0].snippet,
			    "Origin: https://app.example");
	bed_strip(&b);
	p.origin = "null";
	bed_examine(&b, &p);
	assert_string_equal(b.verdict.who, "proxy");
	bed_strip(&b);
}

#define NOT_SPOKEN(ref)                                   \
	"HTTP/1.1 400 Bad Request\nServer: "              \
	"sesame/0.1.0\nSesame-Reference: " ref            \
	"\n\nBad Request: the subprotocol is not spoken " \
	"here.\nReference: " ref "\n"
#define NUMBERED(id) \
	"HTTP/1.1 400 Bad Request\n\nsubprotocol not spoken (" id ")\n"

TEST("what numbers a refusal is no subprotocol, and none is not advised in "
     "vain")
{
	static struct bed b;
	struct patient p = {
		.url = URL,
		.subprotocols = "chat.vl",
		.answer = NOT_SPOKEN("0903-F4P8"),
		.answers = {{DOCTOR_SUBPROTOCOL, NULL, NOT_SPOKEN("HTMD-KKFB")},
			    {DOCTOR_NO_SUBPROTOCOL, NULL,
			     NOT_SPOKEN("8RYH-MC71")}}};
	bool names_the_list = false;

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_SUBPROTOCOL);
	assert_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "0903-F4P8"));
	assert_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "HTMD-KKFB"));
	assert_non_null(doctor_tried(&b.chart, DOCTOR_NO_SUBPROTOCOL, NULL));
	for (size_t i = 0; i < b.verdict.n_fixes; i++) {
		assert_null(strstr(b.verdict.fix[i].what, "or none"));
		names_the_list |= strstr(b.verdict.fix[i].snippet,
					 "subprotocols: [chat.vl]") != NULL;
	}
	assert_true(names_the_list);
	bed_strip(&b);
	p.answer = NUMBERED("req_1a7f");
	p.answers[0].what = NUMBERED("req_2b8e");
	p.answers[1].what = "@open";
	bed_examine(&b, &p);
	assert_null(doctor_tried(&b.chart, DOCTOR_SUBPROTOCOL, "req_2b8e"));
	assert_non_null(strstr(b.verdict.fix[0].what, "or none"));
	bed_strip(&b);
}

#define LOST "HTTP/1.1 404 Not Found\nServer: x\n\n"

TEST("where any name below a prefix opens, none is said to be the one")
{
	static struct bed b;
	struct patient p = {.url = "ws://127.0.0.1:8080/rooms",
			    .answer = LOST,
			    .answers = {{DOCTOR_PATH, "/rooms/ws", "@open"},
					{DOCTOR_PATH,
					 "/rooms/sesame-no-such-path", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_PATH);
	assert_non_null(strstr(b.verdict.summary, "any name"));
	assert_non_null(strstr(b.verdict.summary, "/rooms/NAME"));
	assert_null(strstr(b.verdict.summary, "/rooms/ws"));
	assert_int_equal(b.verdict.n_fixes, 1);
	bed_strip(&b);
	p.answers[1] = (struct answer){0};
	bed_examine(&b, &p);
	assert_non_null(doctor_tried(&b.chart, DOCTOR_PATH,
				     "/rooms/sesame-no-such-path"));
	assert_non_null(strstr(b.verdict.summary, "it is at"));
	assert_non_null(strstr(b.verdict.fix[0].snippet, "/rooms/ws"));
	bed_strip(&b);
}

#define IN_SANDBOX "HTTP/1.1 200 OK\nContent-Security-Policy: sandbox"

TEST("a page in a sandbox is let out of it, and null is put on no list")
{
	static struct bed b;
	struct patient p = {.url = "wss://chat.example/x",
			    .page = "https://app.example/",
			    .origin = "https://app.example",
			    .answer = "@open",
			    .answers = {{DOCTOR_PAGE, NULL, IN_SANDBOX "\n\n<"},
					{DOCTOR_ORIGIN, "null", NGINX_403}}};

	for (int i = 0; i < 2; i++) {
		bed_examine(&b, &p);
		assert_int_equal(b.verdict.n_fixes, 1);
		assert_non_null(strstr(b.verdict.summary, "into a sandbox"));
		assert_non_null(strstr(b.verdict.fix[0].snippet,
				       "allow-scripts allow-same-origin"));
		bed_strip(&b);
		p.answers[0].what = IN_SANDBOX " allow-scripts\n\n<";
	}
}

static bool names_the_target(const struct doctor_verdict *v)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (strstr(v->fix[i].what, "address that the redirect names"))
			return true;
	return false;
}

TEST("where every path is sent to one, it is the redirect that is at fault")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = TO("/live"),
				  .answers = {{DOCTOR_PATH, "/live", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_REDIRECT);
	assert_true(b.verdict.confidence > 0.9);
	assert_true(b.chart.n_probes < 8);
	assert_true(names_the_target(&b.verdict));
	bed_strip(&b);
}

TEST("nobody is sent where a redirect leads to itself or to the next one")
{
	static const char *const to[] = {TO("/chat"), TO("/live"),
					 TO("http://127.0.0.1:8080/chat")};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		bed_examine(&b, &(struct patient){.url = URL, .answer = to[i]});
		assert_int_equal(b.verdict.cause, WHY_SERVER_REDIRECT);
		assert_false(names_the_target(&b.verdict));
		bed_strip(&b);
	}
}

TEST("who is sent to a login is told to sign in, and what an exception would do")
{
	static const char *const to[] = {TO("/signin?next=/chat"),
					 TO("https://sso.example/login")};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		const struct doctor_verdict *v = &b.verdict;
		bool warned = true;

		bed_examine(&b, &(struct patient){.url = URL, .answer = to[i]});
		assert_string_equal(v->fix[0].who, "client");
		assert_false(names_the_target(v));
		for (size_t k = 0; k < v->n_fixes; k++)
			if (strcmp(v->fix[k].who, "client") != 0 &&
			    v->fix[k].snippet[0] && v->cause == WHY_SERVER_REDIRECT)
				warned &= strstr(v->fix[k].what,
						 "not signed in") != NULL;
		assert_true(warned);
		bed_strip(&b);
	}
}

TEST("a redirect to https comes with the URL to use, tried or not")
{
	static struct bed b;
	const struct patient p = {.url = "ws://a.example/chat?room=7",
				  .answer = TO("https://a.example/chat?room=7"),
				  .answers = {{DOCTOR_SCHEME, NULL, "@refused"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_REDIRECT);
	assert_string_equal(b.verdict.fix[0].snippet, "wss://a.example/chat?room=7");
	bed_strip(&b);
}

TEST("what is refused at times is told with how often")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = "HTTP/1.1 403 F\n\n || @open"};

	bed_examine(&b, &p);
	assert_non_null(strstr(b.verdict.summary, " times)"));
	bed_strip(&b);
}

TEST("hops that only other answers show are listed, and refused nothing")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = NGINX_403,
		.answers = {{DOCTOR_PLAIN_GET, NULL,
			     "HTTP/1.1 200 OK\nServer: nginx/1.22.1\n"
			     "Via: 1.1 varnish\nX-Varnish: 3\n"
			     "X-Powered-By: Express\n\nhello"}}};

	bed_make(&b, &p);
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_NOTHING});
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_PLAIN_GET});
	doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
	assert_int_equal(b.verdict.n_hops, 3);
	assert_int_equal(strncmp(b.verdict.hop[0], "nginx", 5), 0);
	assert_non_null(strstr(b.verdict.hop[1], "varnish"));
	assert_non_null(strstr(b.verdict.hop[2], "express"));
	assert_int_equal(strncmp(b.verdict.refused_by, "nginx", 5), 0);
	bed_strip(&b);
}

TEST("data, or a field of what it was made by, is nothing of a proxy's own")
{
	static struct bed b;
	static const char *const answers[] = {
		"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\nContent-Type: "
		"application/json\n\n{\"error\":\"no\"}",
		"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\nX-Request-Id: "
		"7\n\nno",
		"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\nno"};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct patient p = {
			.url = URL,
			.origin = "https://evil.example",
			.answer = answers[i],
			.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
		assert_true(has_fix_for(&b.verdict, "nginx"));
		assert_true((b.verdict.fix[0].stack == NULL) == (i < 2));
		bed_strip(&b);
	}
}

TEST("a subprotocol that opened went through the proxy, and is used first")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\n\n"
			  "subprotocol required",
		.answers = {{DOCTOR_SUBPROTOCOL, NULL, "@open mqtt"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_SUBPROTOCOL);
	assert_string_equal(b.verdict.fix[0].who, "client");
	assert_null(b.verdict.fix[0].stack);
	bed_strip(&b);
}

TEST("a scheme of another protocol is told as that, and no port is meant")
{
	static struct bed b;
	const struct patient p = {.url = "ftp://example.org/x"};

	bed_examine(&b, &p);
	assert_non_null(strstr(b.verdict.summary, "another protocol"));
	assert_non_null(strstr(b.verdict.summary, "wss://example.org/x"));
	assert_null(strstr(b.verdict.summary, "for this port"));
	bed_strip(&b);
}

TEST("an application's refusal is not mended in the proxy before it")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "https://evil.example",
				  .answer = TORNADO_BEHIND_NGINX,
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
	assert_string_equal(b.verdict.fix[0].stack, "tornado");
	assert_false(has_fix_for(&b.verdict, "nginx"));
	bed_strip(&b);
}

TEST("what the proxy lost is mended in the proxy, whoever refused for it")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "http://127.0.0.1:8080",
				  .answer = TORNADO_BEHIND_NGINX,
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_HOST);
	assert_string_equal(b.verdict.fix[0].stack, "nginx");
	assert_true(has_fix_for(&b.verdict, "tornado"));
	bed_strip(&b);
}

static const struct doctor_fix *fix_that_has(const struct doctor_verdict *v,
					    const char *text)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (strstr(v->fix[i].what, text) ||
		    strstr(v->fix[i].snippet, text))
			return &v->fix[i];
	return NULL;
}

TEST("where a filter sends who it refuses, there the reason stands")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.proxy = "http://proxy.example:3128",
		.answer = "@proxy 302 Found\r\nServer: e2guardian\r\n"
			  "Location: http://filter.example/?why=sites",
		.answers = {{DOCTOR_DIRECT, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_NET_PROXY_DENIED);
	assert_string_equal(b.verdict.fix[0].who, "client");
	assert_non_null(strstr(b.verdict.fix[0].snippet,
			       "http://filter.example/?why="));
	bed_strip(&b);
}

TEST("who asks by wss:// already is not told to")
{
	static const char *const urls[] = {"ws://far.example:8080/chat",
					   "wss://far.example/chat"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		const struct patient p = {
			.url = urls[i],
			.proxy = "http://proxy.example:3128",
			.answer = "HTTP/1.1 400 Bad Request\n"
				  "Sec-WebSocket-Version: 13\n\nBad Request",
			.answers = {{DOCTOR_DIRECT, NULL, "@open"}}};

		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_NET_PROXY_STRIPS_UPGRADE);
		assert_int_equal(fix_that_has(&b.verdict, "Use wss://") != NULL,
				 i == 0);
		bed_strip(&b);
	}
}

TEST("an idle cut by nobody known: pings first, then the clocks in their order")
{
	static struct bed b;
	const struct doctor_fix *clocks;

	bed_examine(&b, &(struct patient){.url = URL, .answer = "@cut 30000"});
	assert_int_equal(b.verdict.cause, WHY_NET_IDLE_TIMEOUT);
	assert_non_null(strstr(b.verdict.fix[0].what, "Send a ping"));
	clocks = fix_that_has(&b.verdict, "a clock of about 30.0 seconds");
	assert_ptr_equal(clocks, &b.verdict.fix[1]);
	assert_true(strstr(clocks->snippet, "the application") <
		    strstr(clocks->snippet, "proxy_read_timeout"));
	assert_true(strstr(clocks->snippet, "proxy_read_timeout") <
		    strstr(clocks->snippet, "NAT"));
	bed_strip(&b);
}

TEST("a URL that opened is used before any server is changed")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = NGINX_404,
				  .answers = {{DOCTOR_PATH, "/chat/", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_PATH);
	assert_string_equal(b.verdict.fix[0].who, "client");
	assert_string_equal(b.verdict.fix[0].snippet,
			    "ws://127.0.0.1:8080/chat/");
	assert_true(has_fix_for(&b.verdict, "nginx"));
	bed_strip(&b);
}

TEST("a version that was set by hand is the client's to take back")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .header =
					  (char[]){"Sec-WebSocket-Version: 14"},
				  .answer = "HTTP/1.1 426 Upgrade Required\n"
					    "Sec-WebSocket-Version: 8, 13\n\n",
				  .answers = {{DOCTOR_VERSION, "13", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_VERSION);
	assert_int_equal(b.verdict.n_fixes, 1);
	assert_string_equal(b.verdict.fix[0].who, "client");
	assert_non_null(strstr(b.verdict.fix[0].what, "set by hand"));
	bed_strip(&b);
}

TEST("Action Cable is known by its subprotocol, and reads a cookie")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/cable",
		.subprotocols = "actioncable-v1-json",
		.chosen = "actioncable-v1-json",
		.answer = "@told close {\"type\":\"disconnect\","
			  "\"reason\":\"unauthorized\"}"};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_CREDENTIALS);
	assert_string_equal(b.verdict.refused_by, "actioncable");
	assert_string_equal(b.verdict.fix[0].stack, "actioncable");
	assert_non_null(strstr(b.verdict.fix[0].what, "cookie"));
	bed_strip(&b);
}

TEST("what is built on who refused shows where it opens, and has the setting")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.host = "shop.tunnel.example",
		.subprotocols = "vite-hmr",
		.chosen = "vite-hmr",
		.answer = "HTTP/1.1 400 Bad Request\nConnection: close\n"
			  "Content-Type: text/html\nContent-Length: 11\n\n"
			  "Bad Request",
		.answers = {{DOCTOR_HOST, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_HOST);
	assert_string_equal(b.verdict.refused_by, "node-ws");
	assert_string_equal(b.verdict.fix[0].stack, "vite");
	assert_non_null(strstr(b.verdict.fix[0].snippet, "allowedHosts"));
	bed_strip(&b);
}

TEST("what a firewall takes for an attack is named, and exempted alone")
{
	static struct bed b;
	struct patient p = {.url = URL "?file=../../etc/passwd",
			    .answer = NGINX_403,
			    .answers = {{DOCTOR_NO_QUERY, NULL, "@open"}}};
	const struct doctor_fix *fix = &b.verdict.fix[0];

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_WAF);
	assert_non_null(strstr(b.verdict.summary, "the parameter file"));
	assert_null(strstr(b.verdict.summary, "this client alone"));
	assert_non_null(strstr(fix->snippet, "@streq /chat"));
	assert_non_null(strstr(fix->snippet, "OWASP_CRS;ARGS:file\""));
	for (size_t i = 0; i + 1 < b.verdict.n_fixes; i++)
		assert_null(strstr(b.verdict.fix[i].snippet, "$remote_addr"));
	bed_strip(&b);
	p.url = URL "?a=1&file=../../etc/passwd";
	bed_examine(&b, &p);
	assert_non_null(strstr(b.verdict.summary, "takes the query for"));
	assert_non_null(strstr(fix->snippet, "OWASP_CRS;ARGS\""));
	bed_strip(&b);
}

TEST("the port that a refusal names is the first to be tried in Host")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 400 port 8080 in HTTP Host header "
			  "\"127.0.0.1:8080\" does not match server listening "
			  "port 9443\n\n",
		.answers = {{DOCTOR_HOST, "127.0.0.1:9443", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_HOST);
	assert_int_equal(b.chart.probe[1]->trial.change, DOCTOR_HOST);
	assert_non_null(strstr(b.verdict.summary, "the port in the Host "
						  "127.0.0.1:8080"));
	assert_non_null(strstr(b.verdict.fix[0].what, "the port that clients"));
	for (size_t i = 0; i < b.verdict.n_fixes; i++)
		assert_null(strstr(b.verdict.fix[i].what, "Add the name"));
	bed_strip(&b);
}

TEST("a proxy that shows no mark: the usual ones each get a say")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.origin = "http://127.0.0.1:8080",
		.answer =
			"HTTP/1.1 403 Forbidden\nServer: TornadoServer/6.2\n\n"
			"Cross origin websockets not allowed",
		.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_HOST);
	assert_true(has_fix_for(&b.verdict, "nginx"));
	assert_true(has_fix_for(&b.verdict, "haproxy"));
	assert_true(has_fix_for(&b.verdict, "apache"));
	bed_strip(&b);
}

TEST("whoever closes without a word is known by its other answers, or not at "
     "all")
{
	static struct bed b;
	struct patient p = {.url = URL,
			    .origin = "https://evil.example",
			    .answer = "@closed",
			    .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
	assert_true(has_fix_for(&b.verdict, "nginx"));
	assert_true(has_fix_for(&b.verdict, "haproxy"));
	p.answers[1] =
		(struct answer){DOCTOR_PLAIN_GET, NULL,
				"HTTP/1.1 200 OK\nServer: nginx/1.22.1\n\nhi"};
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_PLAIN_GET});
	doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
	assert_string_equal(b.verdict.fix[0].stack, "nginx");
	assert_false(has_fix_for(&b.verdict, "haproxy"));
	assert_string_equal(b.verdict.refused_by, "");
	bed_strip(&b);
}

static const char *lines_for(const struct doctor_verdict *v, const char *stack)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (v->fix[i].stack && strcmp(v->fix[i].stack, stack) == 0 &&
		    v->fix[i].snippet[0])
			return v->fix[i].snippet;
	return "";
}

TEST("a refusal in nobody's words: the usual proxies, after all that is sure")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = "HTTP/1.1 401 Unauthorized\n"
					    "Content-Type: text/plain\n\n"
					    "Missing token"};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_CREDENTIALS);
	assert_null(b.verdict.fix[0].stack);
	assert_non_null(
		strstr(lines_for(&b.verdict, "nginx"), "auth_basic off;"));
	assert_non_null(
		strstr(lines_for(&b.verdict, "haproxy"), "{ src 127.0.0.1 }"));
	assert_non_null(
		strstr(lines_for(&b.verdict, "apache"), "Require local"));
	assert_non_null(
		strstr(lines_for(&b.verdict, "caddy"), "forward_auth @locked"));
	bed_strip(&b);
}

TEST("who redirects or resets without a mark may be one of the usual, too")
{
	static struct bed b;

	bed_examine(&b, &(struct patient){
				.url = URL,
				.answer = "HTTP/1.1 302 Found\n"
					  "Location: https://x.example/\n\n"});
	assert_int_equal(b.verdict.cause, WHY_SERVER_REDIRECT);
	assert_null(b.verdict.fix[0].stack);
	assert_true(has_fix_for(&b.verdict, "haproxy"));
	bed_strip(&b);
	bed_examine(&b, &(struct patient){.url = URL, .answer = "@reset"});
	assert_int_equal(b.verdict.cause, WHY_NET_RESET);
	assert_non_null(strstr(lines_for(&b.verdict, "haproxy"),
			       "tcp-request connection accept"));
	bed_strip(&b);
}

TEST("a refusal in an application's words is not the proxy's")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = "HTTP/1.1 401 Unauthorized\n"
					    "X-Powered-By: Express\n\nno"};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_CREDENTIALS);
	assert_false(has_fix_for(&b.verdict, "nginx"));
	assert_false(has_fix_for(&b.verdict, "haproxy"));
	bed_strip(&b);
}

TEST("a proxy that wrote the refusal is told of its own list of origins")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "http://127.0.0.1:8080",
				  .answer = NGINX_403,
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_HOST);
	assert_non_null(
		strstr(b.verdict.fix[0].snippet,
		       "if ($http_origin = \"http://127.0.0.1:8080\")"));
	assert_non_null(strstr(b.verdict.fix[2].snippet,
			       "X-Forwarded-Host $http_host;"));
	bed_strip(&b);
}

#define APACHE(status, text)                                      \
	"HTTP/1.1 " status "\nServer: Apache/2.4.57 (Debian)\n\n" \
	"<html><head><title>" status "</title></head>" text "</html>"

TEST("one user is let in by name, where there is one that can be written")
{
	static const struct {
		const char *header, *line;
	} rows[] = {
		{"Authorization: Basic Z3Vlc3Q6b3Blbg==", "Require user guest"},
		{"Authorization: Basic Og==", NULL},
		{"Authorization: Basic YSBiOmM=", NULL}, /* "a b" */
		{"Authorization: Basic Z3Vlc3Q=", NULL}, /* no password */
		{"Authorization: Basic *", NULL},
		{"Authorization: Bearer Z3Vlc3Q6b3Blbg==", NULL},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = URL,
			.header = rows[i].header,
			.answer = APACHE("403 Forbidden", "<h1>Forbidden</h1>"),
			.answers = {{DOCTOR_NO_CREDENTIALS, NULL,
				     APACHE("401 Unauthorized", "")}}};

		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_ACCESS_PERMISSION);
		assert_string_equal(lines_for(&b.verdict, "apache"),
				    rows[i].line ? rows[i].line : "");
		bed_strip(&b);
	}
}

TEST("over AJP no option helps, and the path goes to another port")
{
	static struct bed b;
	struct patient p = {
		.url = URL,
		.answer = APACHE(
			"500 500",
			"HTTP upgrade is not supported by this protocol"),
		.answers = {{DOCTOR_PLAIN_GET, NULL, APACHE("404 404", "")}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_UPGRADE);
	assert_non_null(strstr(lines_for(&b.verdict, "apache"),
			       "\"http://127.0.0.1:3000/chat\""));
	bed_strip(&b);
	p = (struct patient){
		.url = URL,
		.answer = "HTTP/1.1 400 Bad Request\nServer: Apache/2.4.57\n\n"
			  "Can \"Upgrade\" only to \"WebSocket\"."};
	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_UPGRADE);
	assert_non_null(strstr(lines_for(&b.verdict, "apache"),
			       "ProxyPass \"/chat\" ... upgrade"));
	bed_strip(&b);
}

static struct why_hops one_hop(enum why_stack stack, int writer)
{
	struct why_hops hops = {.n = 1, .writer = writer};

	hops.hop[0].stack = stack;
	return hops;
}

TEST("the pair's own sentence is the same, whichever of them was named")
{
	static struct doctor_case c;
	const struct why_hops none = {.writer = -1};
	char ab[640], ba[640];

	doctor_tell_apart(&c, WHY_ACCESS_ORIGIN, WHY_SERVER_PROXY_HOST, &none,
			  ab, sizeof(ab));
	doctor_tell_apart(&c, WHY_SERVER_PROXY_HOST, WHY_ACCESS_ORIGIN, &none,
			  ba, sizeof(ba));
	assert_string_equal(ab, ba);
	assert_non_null(strstr(ab, "--backend"));
	assert_null(strstr(ab, "--config")); /* whose? */
}

TEST("the log of the stack that was seen is quoted, and no other")
{
	static struct doctor_case c;
	const struct why_hops nginx = one_hop(WHY_STACK_NGINX, 0),
			      node = one_hop(WHY_STACK_NODE_WS, 0);
	char text[640];

	doctor_tell_apart(&c, WHY_ACCESS_CREDENTIALS, WHY_ACCESS_IP, &nginx,
			  text, sizeof(text));
	assert_non_null(strstr(text, "\"access forbidden by rule\""));
	assert_non_null(strstr(text, "--config FILE"));
	doctor_tell_apart(&c, WHY_ACCESS_CREDENTIALS, WHY_ACCESS_IP, &node,
			  text, sizeof(text));
	assert_null(strstr(text, "forbidden by rule"));
	assert_null(strstr(text, "--config"));
}

TEST("no cause is without a sentence that tells it from the others")
{
	const struct why_hops none = {.writer = -1};
	char text[640];

	for (int a = 0; a < WHY_N_CAUSES; a++)
		for (int b = 0; b < WHY_N_CAUSES; b++) {
			doctor_tell_apart(NULL, a, b, &none, text, sizeof(text));
			if (b != WHY_OK)
				assert_true(strlen(text) > 20);
		}
}

TEST("what does not fit is left out whole")
{
	static struct doctor_case c;
	const struct why_hops nginx = one_hop(WHY_STACK_NGINX, 0);
	char all[640], text[640];
	size_t len;

	doctor_tell_apart(&c, WHY_ACCESS_WAF, WHY_ACCESS_IP, &nginx, all,
			  sizeof(all));
	len = strlen(all);
	for (size_t size = 1; size <= len; size++) {
		doctor_tell_apart(&c, WHY_ACCESS_WAF, WHY_ACCESS_IP, &nginx,
				  text, size);
		assert_true(strlen(text) < size);
		assert_true(strncmp(all, text, strlen(text)) == 0 ||
			    strstr(text, "--config") != NULL);
	}
}

/* The first fix and the summary of a patient. */
static void first_fix(const struct patient *p, struct doctor_fix *ret_fix,
		      char summary[600])
{
	static struct bed b;

	bed_examine(&b, p);
	*ret_fix = b.verdict.fix[0];
	snprintf(summary, 600, "%s", b.verdict.summary);
	bed_strip(&b);
}

TEST("what the refusal says is wrong with the token is said, and mended first")
{
	static const struct {
		const char *said, *fix;
	} rows[] = {
		{"The token expired", "Get a new token"},
		{"The audience is invalid", "another audience"},
		{"Invalid issuer", "the issuer (iss) that"},
		{"Signature verification failed", "signature is not by the key"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char answer[400], summary[600];
		struct doctor_fix fix;
		struct patient p = {.url = URL,
				    .header = "Authorization: Bearer abcdef",
				    .answer = answer};

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 401 Unauthorized\nServer: Python/3.11 "
			 "aiohttp/3.8.4\nWWW-Authenticate: Bearer realm=\"a\", "
			 "error=\"invalid_token\", error_description=\"%s\"\n\n",
			 rows[i].said);
		first_fix(&p, &fix, summary);
		assert_non_null(strstr(summary, rows[i].said));
		assert_non_null(strstr(fix.what, rows[i].fix));
	}
}

TEST("a parameter that the refusal names stands in the fix")
{
	static const char *const answers[] = {
		"HTTP/1.1 400 Bad Request\n\n{\"error\":\"missing query "
		"parameter: room\"}",
		"HTTP/1.1 400 Bad Request\n\nquery parameter 'room' is required",
		"HTTP/1.1 422 Unprocessable Entity\n\n{\"detail\":[{\"loc\":["
		"\"query\",\"room\"],\"msg\":\"field required\"}]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct patient p = {.url = URL, .answer = answers[i]};
		struct doctor_fix fix;
		char summary[600];

		first_fix(&p, &fix, summary);
		assert_non_null(strstr(fix.what, "parameter room"));
		assert_string_equal(fix.snippet, URL "?room=VALUE");
	}
}

TEST("a sentence about parameters that names none puts no word into the fix")
{
	struct patient p = {.url = URL,
			    .answer = "HTTP/1.1 400 Bad Request\n\nA required "
				      "query parameter is missing"};
	struct doctor_fix fix;
	char summary[600];

	first_fix(&p, &fix, summary);
	assert_null(strstr(fix.snippet, "=VALUE"));
}
