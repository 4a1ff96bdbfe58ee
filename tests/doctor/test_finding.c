/* SPDX-License-Identifier: MIT */
/*
 * Findings: what pairs of probes show, what refusals say in words, and what
 * must not be read into them. Also the Content-Security-Policy.
 */
#include "test.h"

#include "doctor/alike.h"
#include "doctor/bedside.h"
#include "doctor/config.h"
#include "doctor/csp.h"
#include "doctor/key.h"

#define URL "ws://127.0.0.1:8080/chat"

static bool has(const struct bed *b, enum doctor_finding_kind kind)
{
	return doctor_found(&b->chart, kind) != NULL;
}

/* The findings after the user's request and one trial. */
static void try_one(struct bed *b, const struct patient *p,
		    enum doctor_change change, const char *value)
{
	struct doctor_trial nothing = {.change = DOCTOR_NOTHING}, t = nothing;

	bed_make(b, p);
	bed_probe(b, p, &nothing);
	if (change == DOCTOR_NOTHING)
		return;
	t.change = change;
	snprintf(t.value, sizeof(t.value), "%s", value);
	bed_probe(b, p, &t);
}

TEST("each way in which a request can end is one symptom")
{
	static const struct {
		const char *answer;
		enum doctor_finding_kind kind;
	} rows[] = {
		{"@open", DOCTOR_F_OPEN},
		{"@noname", DOCTOR_F_NAMES_FAIL},
		{"@refused", DOCTOR_F_TCP_REFUSED},
		{"@lost", DOCTOR_F_TCP_TIMEOUT},
		{"@proxy 407", DOCTOR_F_PROXY_BROKEN}, /* see below */
		{"@tls untrusted", DOCTOR_F_TLS_UNTRUSTED},
		{"@tls expired", DOCTOR_F_TLS_EXPIRED},
		{"@tls hostname", DOCTOR_F_TLS_HOSTNAME},
		{"@tls not-tls", DOCTOR_F_TLS_NOT_TLS},
		{"@tls alert:unrecognized name", DOCTOR_F_TLS_NAME},
		{"@tls alert:no application protocol", DOCTOR_F_TLS_ALPN},
		{"@tls alert:handshake failure", DOCTOR_F_TLS_VERSION},
		{"@tls alert:internal error", DOCTOR_F_TLS_ALERT},
		{"@silent", DOCTOR_F_SILENT},
		{"@closed", DOCTOR_F_CLOSED},
		{"@reset", DOCTOR_F_RESET},
		{"@raw -ERR unknown command", DOCTOR_F_NOT_HTTP},
		{"@bad101", DOCTOR_F_BAD_101},
		{"@badframe", DOCTOR_F_BAD_FRAME},
		{"@close 1008", DOCTOR_F_CLOSE_POLICY},
		{"@close 1013", DOCTOR_F_CLOSE_LATER},
		{"@close 1013 7K2M-Q4XD", DOCTOR_F_CLOSE_LATER},
		{"@close 1011", DOCTOR_F_CLOSE_ERROR},
		{"@close 1011 7K2M-Q4XD", DOCTOR_F_CLOSE_BEHIND},
		{"@close 4403 7K2M-Q4XD", DOCTOR_F_CLOSE_REFERENCE},
		{"@close 4429 7K2M-Q4XD", DOCTOR_F_CLOSE_RATE},
		{"@close 4401", DOCTOR_F_CLOSE_UNAUTHORIZED},
		{"@close 4999", DOCTOR_F_CLOSE_PRIVATE},
		{"@close 1000", DOCTOR_F_CLOSE_OTHER},
		{"@cut 10", DOCTOR_F_CUT_AT_ONCE},
		{"@cut 60000", DOCTOR_F_CUT_LATER},
		{"HTTP/1.1 204 No Content\n\n", DOCTOR_F_STATUS_2XX},
		{"HTTP/1.1 302 Found\n\n", DOCTOR_F_STATUS_3XX},
		{"HTTP/1.1 401 Unauthorized\n\n", DOCTOR_F_STATUS_401},
		{"HTTP/1.1 410 Gone\n\n", DOCTOR_F_STATUS_404},
		{"HTTP/1.1 418 Teapot\n\n", DOCTOR_F_STATUS_4XX},
		{"HTTP/1.1 501 Not Implemented\n\n", DOCTOR_F_STATUS_405},
		{"HTTP/1.1 522 x\n\n", DOCTOR_F_STATUS_52X},
		{"HTTP/1.1 599 x\n\n", DOCTOR_F_STATUS_OTHER},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {.url = URL, .answer = rows[i].answer};
		size_t symptoms = 0;

		if (strncmp(p.answer, "@proxy", 6) == 0)
			p.answer = "@proxy 0";
		try_one(&b, &p, DOCTOR_NOTHING, "");
		for (size_t k = 0; k < b.chart.n_findings; k++)
			symptoms += doctor_is_symptom(b.chart.finding[k].kind);
		if (!has(&b, rows[i].kind) || symptoms != 1)
			fail_msg("%s: %zu symptoms", rows[i].answer, symptoms);
		bed_strip(&b);
	}
}

TEST("the status of a forward proxy tells denied from unauthenticated")
{
	static const struct {
		const char *answer;
		enum doctor_finding_kind kind;
	} rows[] = {
		{"@proxy 407", DOCTOR_F_PROXY_407},
		{"@proxy 403", DOCTOR_F_PROXY_DENIES},
		{"@proxy 503", DOCTOR_F_PROXY_GATEWAY},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {.url = URL,
				    .proxy = "http://p:3128",
				    .answer = rows[i].answer};

		try_one(&b, &p, DOCTOR_NOTHING, "");
		assert_true(has(&b, rows[i].kind));
		bed_strip(&b);
	}
}

#define LINES                                                               \
	"<p>There is much to read on this page, more than a refusal would " \
	"say, and it goes on for another line or two.</p>"

TEST("words are heard in sentences, not in pages, and not inside other words")
{
	static const struct {
		const char *answer;
		enum doctor_finding_kind kind;
		bool heard;
	} rows[] = {
		{"HTTP/1.1 403 Forbidden\n\nOrigin not in list",
		 DOCTOR_F_SAYS_ORIGIN, true},
		{"HTTP/1.1 403 Bad origin\n\n", DOCTOR_F_SAYS_ORIGIN, true},
		{"HTTP/1.1 403 Forbidden\n\nthe original file",
		 DOCTOR_F_SAYS_ORIGIN, false},
		{"HTTP/1.1 403 Forbidden\n\n<html>" LINES LINES LINES LINES LINES
		 "origin of species</html>",
		 DOCTOR_F_SAYS_ORIGIN, false},
		{"HTTP/1.1 403 Forbidden\n\n<html><title>403 Forbidden</title>"
		 "<p>Your role does not suffice.</p>",
		 DOCTOR_F_SAYS_PERMISSION, true},
		{"HTTP/1.1 400 Bad Request\n\n{\"message\":\"missing or "
		 "malformed jwt\"}",
		 DOCTOR_F_SAYS_BAD_TOKEN, true},
		{"HTTP/1.1 403 Forbidden\n\n{\"detail\":\"Token lacks scope "
		 "a\"}",
		 DOCTOR_F_SAYS_CREDENTIALS, false},
		{"HTTP/1.1 400 Bad Request\n\n'upgrade' token not found in "
		 "'Connection' header",
		 DOCTOR_F_SAYS_BAD_TOKEN, false},
		{"HTTP/1.1 400 Bad Request\n\n{\"errors\":[{\"message\":"
		 "\"Unknown query\"}]}",
		 DOCTOR_F_SAYS_QUERY, false},
		{"HTTP/1.1 401 Unauthorized\n\n{\"errors\":[{\"message\":"
		 "\"invalid token\"}]}",
		 DOCTOR_F_SAYS_GRAPHQL, false},
		{"HTTP/1.1 503 Service Unavailable\n\n<p>The server is "
		 "temporarily unable to service your request due to "
		 "maintenance "
		 "downtime or capacity problems.</p>",
		 DOCTOR_F_SAYS_FULL, false},
		{"HTTP/1.1 403 Forbidden\n\n<title>403 Forbidden</title><p>You "
		 "don't have permission to access this resource.</p>",
		 DOCTOR_F_SAYS_PERMISSION, false},
		{"HTTP/1.1 503 Service Unavailable\n\ntoo many open sockets",
		 DOCTOR_F_SAYS_FULL, true},
		{"HTTP/1.1 403 Forbidden\n\n<html>Cross Origin WebSockets not "
		 "allowed</html>",
		 DOCTOR_F_SAYS_SAME_ORIGIN, true},
		{"HTTP/1.1 403 Forbidden\ncf-mitigated: challenge\n\n",
		 DOCTOR_F_SAYS_WAF, true},
		{"HTTP/1.1 403 Forbidden\nX-WAF-Rule: 7\n\n", DOCTOR_F_SAYS_WAF,
		 true},
		{"HTTP/1.1 503 Unavailable\n\nsuccessfully stopped",
		 DOCTOR_F_SAYS_FULL, false},
		{"@close 4000 invalid token", DOCTOR_F_SAYS_CREDENTIALS, true},
		{"HTTP/1.1 400 Bad Request\n\ntokenizer failed",
		 DOCTOR_F_SAYS_CREDENTIALS, false},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {.url = URL, .answer = rows[i].answer};

		try_one(&b, &p, DOCTOR_NOTHING, "");
		if (has(&b, rows[i].kind) != rows[i].heard)
			fail_msg("%s", rows[i].answer);
		bed_strip(&b);
	}
}

TEST("what a program calls its refusal reads like the sentence")
{
	static const struct {
		const char *answer;
		enum doctor_finding_kind kind;
	} rows[] = {
		{"HTTP/1.1 403 x\n\n{\"error\":\"host_not_allowed\"}",
		 DOCTOR_F_SAYS_HOST},
		{"HTTP/1.1 403 x\n\n{\"code\":\"ip-blocked\"}",
		 DOCTOR_F_SAYS_ADDRESS},
		{"HTTP/1.1 403 x\n\n{\"message\":\"Access denied for IP "
		 "192.0.2.7\"}",
		 DOCTOR_F_SAYS_ADDRESS},
		{"HTTP/1.1 429 x\n\n{\"error\":\"TOO_MANY_CONNECTIONS\"}",
		 DOCTOR_F_SAYS_MANY},
		{"@raw Error occured while trying to proxy: a/b",
		 DOCTOR_F_SAYS_UNCONNECTED},
	};
	struct patient p = {.url = URL};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		p.answer = rows[i].answer;
		try_one(&b, &p, DOCTOR_NOTHING, "");
		if (!has(&b, rows[i].kind))
			fail_msg("%s: nothing heard", rows[i].answer);
		bed_strip(&b);
	}
	p.answer = "HTTP/1.1 403 x\n\n<p class=\"ip-blocked\">No</p>";
	try_one(&b, &p, DOCTOR_NOTHING, "");
	assert_false(has(&b, DOCTOR_F_SAYS_ADDRESS));
	bed_strip(&b);
}

TEST("a refusal that prints the request says nothing of its fields")
{
	static const char answer[] = "HTTP/1.1 403 Forbidden\n\nUser-Agent: a/1"
				     "\nOrigin: https://a.example\n";
	struct doctor_probe *p;
	static struct bed b;

	for (int sent = 0; sent < 2; sent++) {
		bed_make(&b, &(struct patient){.url = URL});
		p = lie(&(struct doctor_trial){.change = DOCTOR_NOTHING}, 1,
			answer);
		b.chart.probe[b.chart.n_probes++] = p;
		if (sent) {
			free(p->request);
			p->request = strdup("GET / HTTP/1.1\r\nUser-Agent: a/1"
					    "\r\nOrigin: https://a.example"
					    "\r\n\r\n");
		}
		doctor_find(&b.chart);
		assert_int_equal(has(&b, DOCTOR_F_SAYS_AGENT), !sent);
		assert_int_equal(has(&b, DOCTOR_F_SAYS_ORIGIN), !sent);
		bed_strip(&b);
	}
}

#define WS_401                                                              \
	"HTTP/1.1 401 Unauthorized\nConnection: close\nContent-Type: text/" \
	"html\nContent-Length: 12\n\nUnauthorized"

TEST("a 401 without a scheme is not yet about credentials where a subprotocol "
     "is offered")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.subprotocols = "v1.board",
		.answer = "HTTP/1.1 401 Unauthorized\nContent-Length: 0\n\n",
		.answers = {{DOCTOR_SUBPROTOCOL, "v2.board", "@open"}}};

	bed_examine(&b, &p);
	assert_true(has(&b, DOCTOR_F_SUBPROTOCOL_OR_TOKEN));
	assert_int_equal(b.verdict.cause, WHY_SERVER_SUBPROTOCOL);
	bed_strip(&b);
}

TEST("a 404 for another path than was asked for tells of a change on the way")
{
	static const struct {
		const char *answer;
		bool changed;
	} rows[] = {
		{"HTTP/1.1 404 x\n\n{\"message\":\"Route GET:/api/chat not "
		 "found\"}",
		 true},
		{"HTTP/1.1 404 x\n\nCannot GET /chat", false},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {.url = URL, .answer = rows[i].answer};

		try_one(&b, &p, DOCTOR_NOTHING, "");
		assert_int_equal(has(&b, DOCTOR_F_PATH_REWRITTEN),
				 rows[i].changed);
		bed_strip(&b);
	}
}

TEST("a 401 by the library that has no other leaves two causes open")
{
	static struct bed b;
	const struct patient p = {
		.url = URL, .origin = "https://a.example", .answer = WS_401};

	bed_examine(&b, &p);
	assert_true(has(&b, DOCTOR_F_ORIGIN_OR_TOKEN));
	assert_true(b.opinion.p[WHY_ACCESS_ORIGIN] > 0.35);
	assert_true(b.opinion.p[WHY_ACCESS_CREDENTIALS] > 0.35);
	assert_string_equal(b.verdict.who, "server");
	assert_true(b.verdict.alternative[0].tell_apart[0] != 0);
	bed_strip(&b);
}

TEST("who speaks of the Origin after the 101 has missed it")
{
	static struct bed b;

	for (int sent = 0; sent < 2; sent++) {
		struct patient p = {.url = URL,
				    .origin = sent ? "https://a.example" : NULL,
				    .answer = "@close 4000 origin not allowed"};

		bed_examine(&b, &p);
		assert_int_equal(has(&b, DOCTOR_F_ORIGIN_MISSED), !sent);
		assert_int_equal(b.verdict.cause,
				 sent ? WHY_ACCESS_ORIGIN
				      : WHY_ACCESS_ORIGIN_MISSING);
		bed_strip(&b);
	}
}

TEST("a pair that differs in one thing becomes the finding of that thing")
{
	static const struct {
		const char *origin, *subprotocols;
		enum doctor_change change;
		const char *value, *before, *after;
		enum doctor_finding_kind kind;
	} rows[] = {
		{"https://a.example", NULL, DOCTOR_NO_ORIGIN, "",
		 "HTTP/1.1 403 F\n\n", "@open", DOCTOR_F_ORIGIN_ABSENT_OPENS},
		{"http://127.0.0.1:8080", NULL, DOCTOR_NO_ORIGIN, "",
		 "HTTP/1.1 403 F\n\n", "@open", DOCTOR_F_ORIGIN_OWN_REFUSED},
		{"http://127.0.0.1:8080", NULL, DOCTOR_ORIGIN,
		 "https://127.0.0.1:8080", "HTTP/1.1 403 F\n\n", "@open",
		 DOCTOR_F_ORIGIN_SCHEME_OPENS},
		{"https://a.example", NULL, DOCTOR_ORIGIN,
		 "http://127.0.0.1:8080", "HTTP/1.1 403 F\n\n", "@open",
		 DOCTOR_F_ORIGIN_SAME_OPENS},
		{NULL, NULL, DOCTOR_ORIGIN, "http://127.0.0.1:8080",
		 "HTTP/1.1 403 F\n\n", "@open", DOCTOR_F_ORIGIN_ADDED_OPENS},
		{NULL, NULL, DOCTOR_ORIGIN, "http://127.0.0.1:8080",
		 "HTTP/1.1 403 F\n\n", "HTTP/1.1 401 U\n\n",
		 DOCTOR_F_ORIGIN_CHANGES_ANSWER},
		{NULL, NULL, DOCTOR_ORIGIN, "http://127.0.0.1:8080",
		 "HTTP/1.1 403 F\n\n", "HTTP/1.1 403 F\n\n",
		 DOCTOR_F_ORIGIN_NO_EFFECT},
		{NULL, NULL, DOCTOR_HOST, "localhost", "HTTP/1.1 403 F\n\n",
		 "@open", DOCTOR_F_HOST_OPENS},
		{NULL, NULL, DOCTOR_HOST, "localhost", "HTTP/1.1 404 N\n\n",
		 "@open", DOCTOR_F_HOST_OPENS_LOST},
		{NULL, NULL, DOCTOR_PATH, "/chat/", "HTTP/1.1 404 N\n\n",
		 "@open", DOCTOR_F_PATH_SLASH_OPENS},
		{NULL, NULL, DOCTOR_PATH, "/ws", "HTTP/1.1 404 N\n\n", "@open",
		 DOCTOR_F_PATH_OPENS},
		{NULL, NULL, DOCTOR_PLAIN_GET, "",
		 "HTTP/1.1 426 Upgrade Required\n\n",
		 "HTTP/1.1 426 Upgrade Required\n\n", DOCTOR_F_GET_SAME_WS},
		{NULL, NULL, DOCTOR_PLAIN_GET, "", "HTTP/1.1 200 OK\n\nhi",
		 "HTTP/1.1 200 OK\n\nhi", DOCTOR_F_GET_SAME_PAGE},
		{NULL, NULL, DOCTOR_PLAIN_GET, "", "HTTP/1.1 403 F\n\n",
		 "HTTP/1.1 403 F\n\n", DOCTOR_F_GET_SAME_DENIED},
		{NULL, NULL, DOCTOR_PLAIN_GET, "", "HTTP/1.1 403 F\n\n",
		 "HTTP/1.1 426 U\n\n", DOCTOR_F_GET_UPGRADE_SEEN},
		{NULL, NULL, DOCTOR_PLAIN_GET, "", "@silent",
		 "HTTP/1.1 426 U\n\n", DOCTOR_F_GET_UPGRADE_REQUIRED},
		{NULL, "a", DOCTOR_SUBPROTOCOL, "b", "@open", "@open b",
		 DOCTOR_F_SUBPROTOCOL_OPENS},
		{NULL, NULL, DOCTOR_SCHEME, "wss", "@closed", "@tls untrusted",
		 DOCTOR_F_SCHEME_CERTIFIED},
		{NULL, NULL, DOCTOR_SCHEME, "wss", "HTTP/1.1 404 N\n\n",
		 "@tls untrusted", DOCTOR_F_SCHEME_NO_EFFECT},
		{NULL, NULL, DOCTOR_NO_SOURCE, "", "@refused", "@open",
		 DOCTOR_F_SOURCE_OPENS},
		{NULL, NULL, DOCTOR_NO_SOURCE, "", "@lost",
		 "HTTP/1.1 404 N\n\n", DOCTOR_F_SOURCE_ANSWERS},
		{NULL, NULL, DOCTOR_NO_QUERY, "", "HTTP/1.1 403 F\n\n", "@open",
		 DOCTOR_F_QUERY_REMOVED_OPENS},
		{NULL, NULL, DOCTOR_SHORT_HEADER, "Cookie",
		 "HTTP/1.1 413 P\n\n", "@open", DOCTOR_F_HEADER_SHORT_OPENS},
		{NULL, NULL, DOCTOR_SHORT_HEADER, "Cookie", "HTTP/1.1 400 B\n\n",
		 "HTTP/1.1 401 U\n\n", DOCTOR_F_HEADER_SHORT_ANSWERS},
		{NULL, NULL, DOCTOR_PLAIN_GET, "",
		 "HTTP/1.1 404 N\nServer: front/1\n\n",
		 "HTTP/1.1 426 U\nServer: app/2\n\n", DOCTOR_F_GET_OTHER_HOP},
		{NULL, NULL, DOCTOR_PLAIN_GET, "",
		 "HTTP/1.1 404 N\nServer: front/1\n\n",
		 "HTTP/1.1 426 U\nServer: front/1\nAge: 0\n\n",
		 DOCTOR_F_GET_OTHER_HOP},
		{NULL, NULL, DOCTOR_PLAIN_GET, "", "@raw Error 404: Not Found",
		 "HTTP/1.1 200 OK\n\n", DOCTOR_F_HEADLESS_404},
		{NULL, NULL, DOCTOR_SOURCE, "127.0.0.2", "HTTP/1.1 403 F\n\n",
		 "@open", DOCTOR_F_SOURCE_OPENS},
		{NULL, NULL, DOCTOR_HOLD, "7", "@open", "@cut 3000",
		 DOCTOR_F_HELD_CUT},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {
			.url = URL,
			.origin = rows[i].origin,
			.subprotocols = rows[i].subprotocols,
			.answer = rows[i].before,
			.answers = {{rows[i].change, NULL, rows[i].after}}};

		try_one(&b, &p, rows[i].change, rows[i].value);
		if (!has(&b, rows[i].kind))
			fail_msg("row %zu: finding %d is missing", i,
				 rows[i].kind);
		bed_strip(&b);
	}
}

TEST("a query that looks like an attack is one to a firewall")
{
	static const struct {
		const char *url;
		bool attack;
	} rows[] = {
		{"ws://127.0.0.1:8080/a?file=../../b", true},
		{"ws://127.0.0.1:8080/a?q=%3Cb%3E", true},
		{"ws://127.0.0.1:8080/a?q=1'+or+'1", true},
		{"ws://127.0.0.1:8080/a?next=https://a.example/", true},
		{"ws://127.0.0.1:8080/a?room=7&name=ann", false},
		{"ws://127.0.0.1:8080/a?EIO=4&transport=websocket", false},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {
			.url = rows[i].url,
			.answer = "HTTP/1.1 403 F\n\n",
			.answers = {{DOCTOR_NO_QUERY, NULL, "@open"}}};

		try_one(&b, &p, DOCTOR_NO_QUERY, "");
		assert_int_equal(has(&b, DOCTOR_F_QUERY_ATTACK_OPENS),
				 rows[i].attack);
		bed_strip(&b);
	}
}

#define EVERY_DAY_ANOTHER(word)                                             \
	"HTTP/1.1 404 N\n\nWhatever you were looking for is not here, and " \
	"nobody knows where it went. " word

TEST("bodies that vary by chance are alike, and those that differ are not")
{
	static struct bed b;
	struct patient p = {
		.url = URL,
		.answer = EVERY_DAY_ANOTHER(
			"Keep looking") " || " EVERY_DAY_ANOTHER("Behind you"),
		.answers = {{DOCTOR_ORIGIN, NULL, EVERY_DAY_ANOTHER("Alas")},
			    {DOCTOR_USER_AGENT, NULL,
			     "HTTP/1.1 404 N\n\nno such room for your kind"}}};
	struct doctor_trial again = {.change = DOCTOR_NOTHING};
	struct doctor_trial origin = {.change = DOCTOR_ORIGIN, .value = "a"};
	struct doctor_trial agent = {.change = DOCTOR_USER_AGENT, .value = "b"};

	bed_make(&b, &p);
	bed_probe(&b, &p, &again);
	bed_probe(&b, &p, &origin);
	assert_false(doctor_same_answer(b.chart.probe[0], b.chart.probe[1]));
	assert_true(doctor_plan(&b.chart, &b.opinion, &again));
	assert_int_equal(again.change, DOCTOR_NOTHING);
	bed_probe(&b, &p, &agent);
	bed_probe(&b, &p, &again);
	assert_true(doctor_same_answer(b.chart.probe[0], b.chart.probe[1]));
	assert_false(doctor_same_answer(b.chart.probe[0], b.chart.probe[2]));
	assert_false(has(&b, DOCTOR_F_REPEAT_DIFFERS));
	bed_strip(&b);
}

TEST("the key is the first single change that opens")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "https://a.example",
				  .answer = "HTTP/1.1 403 F\n\n",
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	try_one(&b, &p, DOCTOR_PLAIN_GET, "");
	assert_null(doctor_key(&b.chart));
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_NO_ORIGIN});
	assert_non_null(doctor_key(&b.chart));
	assert_int_equal(doctor_key(&b.chart)->n, 3);
	assert_int_equal(doctor_repeats(&b.chart, &b.chart.probe[2]->trial), 0);
	bed_strip(&b);
}

TEST("what opens as the user's own request does is no key")
{
	static struct bed b;
	const struct patient p = {
		.url = URL, .subprotocols = "a", .answer = "@open"};

	try_one(&b, &p, DOCTOR_SUBPROTOCOL, "b");
	assert_null(doctor_key(&b.chart));
	bed_strip(&b);
}

TEST("a second answer that differs is a finding of its own")
{
	static struct bed b;
	struct patient p = {.url = URL, .answer = "HTTP/1.1 403 F\n\n"};
	struct doctor_trial nothing = {.change = DOCTOR_NOTHING};

	try_one(&b, &p, DOCTOR_NOTHING, "");
	bed_probe(&b, &p, &nothing);
	assert_false(has(&b, DOCTOR_F_REPEAT_DIFFERS));
	p.answer = "HTTP/1.1 503 S\n\n";
	bed_probe(&b, &p, &nothing);
	assert_true(has(&b, DOCTOR_F_REPEAT_DIFFERS));
	bed_strip(&b);
}

TEST("secrets of the case do not get into findings")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.header = "Authorization: Bearer s3cr3t-t0ken-value",
		.answer = "HTTP/1.1 403 F\n\ninvalid token s3cr3t-t0ken-value"};

	try_one(&b, &p, DOCTOR_NOTHING, "");
	for (size_t i = 0; i < b.chart.n_findings; i++)
		assert_null(strstr(b.chart.finding[i].text, "s3cr3t"));
	bed_strip(&b);
}

TEST("connect-src is read as browsers read it")
{
	static const struct {
		const char *policy, *url;
		bool forbids;
	} rows[] = {
		{"default-src 'self'", URL, false},
		{"connect-src 'none'", URL, true},
		{"connect-src https://api.example", URL, true},
		{"connect-src ws:", URL, false},
		{"connect-src wss:", URL, true},
		{"connect-src 'none' https:", "wss://x.example/", true},
		{"connect-src https://x.example", "wss://x.example/", true},
		{"connect-src wss:", "wss://x.example/", false},
		{"connect-src *", URL, false},
		{"connect-src *.example", "wss://a.example/", false},
		{"connect-src *.example", "wss://example/", true},
		{"connect-src wss://a.example:8443", "wss://a.example/", true},
		{"connect-src wss://a.example:*", "wss://a.example:9/", false},
		{"connect-src ws://a.example/x", "wss://a.example:443/x", false},
		{"connect-src a.example/x", "wss://a.example/y", true},
		{"connect-src a.example/x", "wss://a.example/x/y", true},
		{"connect-src a.example/x/", "wss://a.example/x/y/z", false},
		{"connect-src a.example/x/", "wss://a.example/x/", false},
		{"connect-src a.example/x/", "wss://a.example/x", true},
		{"connect-src a.example/x/", "wss://a.example/xy/z", true},
		{"connect-src a.example/", "wss://a.example/y", false},
		{"connect-src a.example/%78", "wss://a.example/x?q=1", false},
		{"connect-src a.example/x?q=2", "wss://a.example/x?q=1", false},
		{"img-src 'none'", URL, false},
		{"default-src 'none'; connect-src 'self'", URL, false},
		{"", URL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum ses_url_fault fault;
		struct ses_url url;
		struct bytes d;
		size_t at;

		assert_int_equal(ses_url_parse(bytes_of_str(rows[i].url), &url,
					       &fault, &at),
				 0);
		if (doctor_csp_policy_forbids(bytes_of_str(rows[i].policy),
					      &url, &d) != rows[i].forbids)
			fail_msg("%s for %s", rows[i].policy, rows[i].url);
	}
}

TEST("a reset where the request as given got an answer shows no sameness")
{
	static const struct {
		enum doctor_change change;
		const char *value, *header;
		const char *origin;
		enum doctor_finding_kind kind;
	} rows[] = {
		{DOCTOR_ORIGIN, "http://127.0.0.1:8080", NULL, NULL,
		 DOCTOR_F_ORIGIN_NO_EFFECT},
		{DOCTOR_NO_ORIGIN, "", NULL, "http://127.0.0.1:8080",
		 DOCTOR_F_ORIGIN_NO_EFFECT},
		{DOCTOR_NO_CREDENTIALS, "", "Cookie: a=b", NULL,
		 DOCTOR_F_CREDENTIALS_NO_EFFECT},
		{DOCTOR_USER_AGENT, "Mozilla/5.0", NULL, NULL,
		 DOCTOR_F_AGENT_NO_EFFECT},
		{DOCTOR_HOST, "localhost:8080", NULL, NULL,
		 DOCTOR_F_HOST_NO_EFFECT},
		{DOCTOR_SOURCE, "127.0.0.2", NULL, NULL,
		 DOCTOR_F_SOURCE_NO_EFFECT},
	};
	static const char *const others[] = {"@reset", "@closed", "@silent"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {.url = URL,
				    .header = rows[i].header,
				    .origin = rows[i].origin,
				    .answer = "HTTP/1.1 403 Forbidden\n\n"};

		try_one(&b, &p, rows[i].change, rows[i].value);
		assert_true(has(&b, rows[i].kind));
		assert_int_equal(doctor_found(&b.chart, rows[i].kind)->probe, 2);
		bed_strip(&b);
		for (size_t k = 0; k < ARRAY_LEN(others); k++) {
			p.answers[0] = (struct answer){rows[i].change, NULL,
						       others[k]};
			try_one(&b, &p, rows[i].change, rows[i].value);
			if (has(&b, rows[i].kind))
				fail_msg("row %zu: %s", i, others[k]);
			for (size_t f = 0; f < b.chart.n_findings; f++)
				assert_int_not_equal(b.chart.finding[f].probe,
						     0);
			bed_strip(&b);
		}
	}
}

TEST("one status with two bodies is told as another body")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 403 Forbidden\n\nno",
		.answers = {{DOCTOR_ORIGIN, NULL,
			     "HTTP/1.1 403 Forbidden\n\nnot you"}}};
	const struct doctor_finding *f;

	try_one(&b, &p, DOCTOR_ORIGIN, "https://app.example");
	f = doctor_found(&b.chart, DOCTOR_F_ORIGIN_CHANGES_ANSWER);
	assert_non_null(f);
	assert_string_equal(f->text,
			    "with one change (Origin: https://app.example): "
			    "403 Forbidden again, with another body");
	bed_strip(&b);
}

/* The findings of a page that answers @answer, for @url and @page. */
static bool page_finds(const char *url, const char *page, const char *answer,
		       enum doctor_finding_kind kind)
{
	static struct bed b;
	const struct patient p = {.url = url, .page = page, .answer = "@open"};
	const struct patient with = {.url = url, .page = page, .answer = answer};
	struct doctor_trial t = {.change = DOCTOR_NOTHING};
	bool found;

	bed_make(&b, &p);
	bed_probe(&b, &p, &t);
	t.change = DOCTOR_PAGE;
	snprintf(t.value, sizeof(t.value), "%s", page);
	bed_probe(&b, &with, &t);
	found = doctor_found(&b.chart, kind);
	bed_strip(&b);
	return found;
}

#define POLICY(text) \
	"HTTP/1.1 200 OK\nContent-Security-Policy: " text "\n\n<html>"

TEST("'self' is the page's own host and port, in either scheme's secure form")
{
	static const struct {
		const char *page, *url;
		bool forbids;
	} rows[] = {
		{"http://a.example/", "ws://a.example/x", false},
		{"http://a.example/", "wss://a.example/x", false},
		{"https://a.example/", "wss://a.example/x", false},
		{"https://a.example/", "ws://a.example/x", true},
		{"https://a.example/", "wss://b.example/x", true},
		{"http://a.example:81/", "ws://a.example:81/x", false},
		{"http://a.example:81/", "ws://a.example:82/x", true},
		{"http://a.example:81/", "ws://a.example/x", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (page_finds(rows[i].url, rows[i].page,
			       POLICY("connect-src 'self'"),
			       DOCTOR_F_PAGE_FORBIDS) != rows[i].forbids)
			fail_msg("%s from %s", rows[i].url, rows[i].page);
}

TEST("each policy of a page has its say, and a report none")
{
	static const struct {
		const char *answer;
		enum doctor_finding_kind kind;
		bool found;
	} rows[] = {
		{POLICY("connect-src *"), DOCTOR_F_PAGE_FORBIDS, false},
		{POLICY("connect-src *, connect-src 'none'"),
		 DOCTOR_F_PAGE_FORBIDS, true},
		{POLICY("connect-src *\nContent-Security-Policy: default-src "
			"'none'"),
		 DOCTOR_F_PAGE_FORBIDS, true},
		{"HTTP/1.1 200 OK\nContent-Security-Policy-Report-Only: "
		 "connect-src 'none'\n\n<html>",
		 DOCTOR_F_PAGE_FORBIDS, false},
		{"HTTP/1.1 200 OK\n\n<meta content=\"connect-src 'none'\" "
		 "http-equiv=Content-Security-Policy>",
		 DOCTOR_F_PAGE_FORBIDS, false}, /* unquoted: not read */
		{"HTTP/1.1 200 OK\n\n<html><meta name=x content='a>b'><META "
		 "http-equiv='content-security-policy' "
		 "content=\"connect-src 'none'\">",
		 DOCTOR_F_PAGE_FORBIDS, true},
		{"HTTP/1.1 404 No\nContent-Security-Policy: connect-src "
		 "'none'\n\n<html>",
		 DOCTOR_F_PAGE_FORBIDS, false},
		{POLICY("sandbox allow-scripts"), DOCTOR_F_PAGE_SANDBOXED, true},
		{POLICY("sandbox allow-scripts allow-same-origin"),
		 DOCTOR_F_PAGE_SANDBOXED, false},
		{POLICY("sandbox allow-scripts allow-same-origin, sandbox"),
		 DOCTOR_F_PAGE_SANDBOXED, true},
		{POLICY("sandbox allow-scripts"), DOCTOR_F_PAGE_SCRIPTLESS, false},
		{POLICY("sandbox allow-forms"), DOCTOR_F_PAGE_SCRIPTLESS, true},
		{POLICY("sandbox"), DOCTOR_F_PAGE_SCRIPTLESS, true},
		{"HTTP/1.1 200 OK\n\n<meta content=\"sandbox\" "
		 "http-equiv=\"Content-Security-Policy\">",
		 DOCTOR_F_PAGE_SANDBOXED, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (page_finds("wss://ws.example/", "https://a.example/",
			       rows[i].answer, rows[i].kind) != rows[i].found)
			fail_msg("row %zu: %s", i, rows[i].answer);
}

TEST("mixed content is what browsers take for it")
{
	static const struct {
		const char *page, *url, *answer;
		bool mixed;
	} rows[] = {
		{"https://a.example/", "ws://a.example/", "HTTP/1.1 200 O\n\n",
		 true},
		{"https://a.example/", "wss://a.example/", "HTTP/1.1 200 O\n\n",
		 false},
		{"http://a.example/", "ws://a.example/", "HTTP/1.1 200 O\n\n",
		 false},
		{"https://a.example/", "ws://localhost:1/",
		 "HTTP/1.1 200 O\n\n", false},
		{"https://a.example/", "ws://127.0.0.9/", "HTTP/1.1 200 O\n\n",
		 false},
		{"https://a.example/", "ws://[::1]:3/", "HTTP/1.1 200 O\n\n",
		 false},
		{"https://a.example/", "ws://x.localhost/",
		 "HTTP/1.1 200 O\n\n", false},
		{"https://a.example/", "ws://192.168.0.1/",
		 "HTTP/1.1 200 O\n\n", true},
		{"https://a.example/", "ws://a.example/",
		 POLICY("upgrade-insecure-requests"), false},
		{"https://a.example/", "ws://a.example/", "HTTP/1.1 500 O\n\n",
		 true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (page_finds(rows[i].url, rows[i].page, rows[i].answer,
			       DOCTOR_F_PAGE_MIXED) != rows[i].mixed)
			fail_msg("%s from %s", rows[i].url, rows[i].page);
}

TEST("every rule that configurations are judged by has a finding that weighs")
{
	for (int r = 0; r < LINT_N_RULES; r++) {
		enum why_cause cause = lint_rule_cause((enum lint_rule)r);
		enum doctor_finding_kind kind = doctor_config_kind(cause);

		if (cause == WHY_OK)
			continue;
		if (kind == DOCTOR_F_NONE || !doctor_weighs(kind))
			fail_msg("%s", lint_rule_id((enum lint_rule)r));
	}
}
