/* SPDX-License-Identifier: MIT */
/*
 * The plan: which handshake comes next, which never comes, and when it is
 * enough. And the values that are harvested for it.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/harvest.h"

#define URL "ws://127.0.0.1:8080/chat"

static bool next(struct bed *b, struct doctor_trial *t)
{
	memset(t, 0, sizeof(*t));
	return doctor_plan(&b->chart, &b->opinion, t);
}

static size_t count_change(const struct bed *b, enum doctor_change change)
{
	size_t n = 0;

	for (size_t i = 0; i < b->chart.n_probes; i++)
		n += b->chart.probe[i]->trial.change == change;
	return n;
}

TEST("the user's own request comes first, and a URL that is none costs nothing")
{
	static struct bed b;
	struct patient p = {.url = URL, .answer = "@open"};
	struct doctor_trial t;

	bed_make(&b, &p);
	assert_true(next(&b, &t));
	assert_int_equal(t.change, DOCTOR_NOTHING);
	bed_strip(&b);
	p.url = "wws://x/";
	bed_make(&b, &p);
	assert_false(next(&b, &t));
	bed_strip(&b);
}

TEST("a foreign Origin that is refused is the first thing to leave out")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "https://a.example",
				  .answer = "HTTP/1.1 403 F\n\n"};

	bed_examine(&b, &p);
	assert_int_equal(b.chart.probe[1]->trial.change, DOCTOR_NO_ORIGIN);
	bed_strip(&b);
}

TEST("a page, or a status that is nobody's, may be the refusal of what was "
     "sent")
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\nServer: nginx\n\n<h1>Not for you</h1>",
		"HTTP/1.1 750 No\n\n"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct patient p = {
			.url = URL,
			.origin = "https://a.example",
			.answer = answers[i],
			.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
		assert_true(b.verdict.confidence > 0.9);
		bed_strip(&b);
		p.origin = NULL;
		p.agent = "okhttp/4.9";
		p.answers[0].change = DOCTOR_USER_AGENT;
		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_ACCESS_USER_AGENT);
		assert_true(b.verdict.confidence > 0.9);
		bed_strip(&b);
		p.agent = NULL;
		p.answers[0].change = DOCTOR_ORIGIN;
		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN_MISSING);
		assert_true(b.verdict.confidence > 0.9);
		bed_strip(&b);
	}
}

TEST("an extension that was set by hand is left out as well")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.header = "Sec-WebSocket-Extensions: permessage-deflate",
		.answer = "@closed",
		.answers = {{DOCTOR_NO_EXTENSIONS, NULL, "@open"},
			    {DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\nhi"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_CLIENT_BAD_HANDSHAKE);
	assert_true(b.chart.n_probes <= 8);
	bed_strip(&b);
}

TEST("the deciding pair is repeated, A B B A, and then it is enough")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.origin = "https://a.example",
		.answer = "HTTP/1.1 403 F\nServer: nginx/1.22.1\n\n",
		.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(count_change(&b, DOCTOR_NOTHING), 2);
	assert_int_equal(count_change(&b, DOCTOR_NO_ORIGIN), 2);
	assert_int_equal(b.chart.probe[2]->trial.change, DOCTOR_NO_ORIGIN);
	assert_int_equal(b.chart.probe[3]->trial.change, DOCTOR_NOTHING);
	assert_true(b.chart.n_probes <= 5);
	bed_strip(&b);
}

TEST("where the order of the answers is all there is, it has to be longer")
{
	static const enum doctor_change order[] = {
		DOCTOR_NOTHING, DOCTOR_NO_ORIGIN, DOCTOR_NO_ORIGIN,
		DOCTOR_NOTHING, DOCTOR_NO_ORIGIN, DOCTOR_NOTHING};
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "https://a.example",
				  .answer = "HTTP/1.1 403 F\n\n",
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.chart.n_probes, ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		assert_int_equal(b.chart.probe[i]->trial.change, order[i]);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
	assert_true(b.verdict.confidence > 0.94 && b.verdict.confidence < 0.98);
	bed_strip(&b);
}

TEST("the budget is never passed, whatever the server answers")
{
	static const char *const answers[] = {"HTTP/1.1 403 F\n\n",
					      "HTTP/1.1 404 N\n\n",
					      "HTTP/1.1 400 B\n\n",
					      "HTTP/1.1 200 OK\n\nhi",
					      "@closed",
					      "@reset",
					      "@silent",
					      "@close 1008",
					      "@refused",
					      "@tls cut",
					      "@open",
					      "@bad101",
					      "HTTP/1.1 500 E\n\n"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct patient p = {.url = URL,
					  .answer = answers[i],
					  .origin = "https://a.example",
					  .subprotocols = "a",
					  .header = "Cookie: session=1"};

		bed_examine(&b, &p);
		assert_true(b.chart.n_probes <= 20);
		bed_strip(&b);
	}
}

TEST("no trial is performed twice unless it decides")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "HTTP/1.1 404 N\n\n"};

	bed_examine(&b, &p);
	for (size_t i = 0; i < b.chart.n_probes; i++)
		assert_int_equal(
			doctor_repeats(&b.chart, &b.chart.probe[i]->trial), 0);
	bed_strip(&b);
}

TEST("a server that does not answer is not waited for without end")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "@silent"};

	bed_examine(&b, &p);
	assert_true(b.chart.n_probes <= 5);
	bed_strip(&b);
}

TEST("who asks to be left alone is left alone")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = "HTTP/1.1 429 Too Many\n\n"};

	bed_examine(&b, &p);
	assert_int_equal(b.chart.n_probes, 1);
	bed_strip(&b);
}

TEST("foreign hosts get no trial at other ports or from other addresses")
{
	static const char *const answers[] = {"@closed", "@refused",
					      "HTTP/1.1 403 F\n\n"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct patient p = {.url = "ws://shop.example/x",
					  .answer = answers[i]};

		bed_examine(&b, &p);
		assert_int_equal(count_change(&b, DOCTOR_PORT), 0);
		assert_int_equal(count_change(&b, DOCTOR_SOURCE), 0);
		bed_strip(&b);
	}
}

TEST("credentials keep the doctor from unverified TLS and made-up Origins")
{
	static struct bed b;
	struct patient p = {.url = "wss://shop.example/x",
			    .header = "Cookie: session=1",
			    .answer = "@tls untrusted"};

	bed_examine(&b, &p);
	assert_int_equal(count_change(&b, DOCTOR_INSECURE), 0);
	bed_strip(&b);
	p.header = NULL;
	bed_examine(&b, &p);
	assert_true(count_change(&b, DOCTOR_INSECURE) > 0);
	bed_strip(&b);
	p = (struct patient){.url = URL,
			     .header = "Cookie: session=1",
			     .origin = "https://a.example",
			     .answer = "HTTP/1.1 403 F\n\n"};
	bed_examine(&b, &p);
	for (size_t i = 0; i < b.chart.n_probes; i++)
		assert_string_not_equal(b.chart.probe[i]->trial.value,
					DOCTOR_NONSENSE_ORIGIN);
	bed_strip(&b);
}

TEST("an open connection is given time to fail")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "@open"};

	bed_examine(&b, &p);
	assert_int_equal(count_change(&b, DOCTOR_HOLD), 1);
	assert_int_equal(b.chart.n_probes, 2);
	bed_strip(&b);
}

static bool in(const struct doctor_values *v, const char *value)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->value[i], value) == 0)
			return true;
	return false;
}

TEST("paths are taken from redirects and scripts of the same host alone")
{
	static struct bed b;
	static struct doctor_values v;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 302 Found\nLocation: /entry/\n\n"
			  "<script>new WebSocket(`ws://${location.host}/feed`);"
			  "var a = 'ws://127.0.0.1:8080/direct?x=1';"
			  "var b = 'wss://other.example/theirs';</script>"};

	bed_make(&b, &p);
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_NOTHING});
	doctor_harvest_paths(&b.chart, &v);
	assert_string_equal(v.value[0], "/entry/");
	assert_true(in(&v, "/feed"));
	assert_true(in(&v, "/direct?x=1"));
	assert_true(in(&v, "/chat/"));
	assert_false(in(&v, "/theirs"));
	assert_false(in(&v, "/chat"));
	bed_strip(&b);
}

TEST("no path begins with two slashes: that would name another host")
{
	static const char *const urls[] = {"ws://127.0.0.1:8080",
					   "ws://127.0.0.1:8080/", URL};
	static const char *const locations[] = {"//", "//other.example/feed"};
	static struct bed b;
	char answer[100];

	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		for (size_t k = 0; k < ARRAY_LEN(locations); k++) {
			struct doctor_values v = {.n = 0};
			const struct patient p = {.url = urls[i],
						  .answer = answer};

			snprintf(answer, sizeof(answer),
				 "HTTP/1.1 302 Found\nLocation: %s\n\n",
				 locations[k]);
			bed_make(&b, &p);
			bed_probe(&b, &p,
				  &(struct doctor_trial){
					  .change = DOCTOR_NOTHING});
			doctor_harvest_paths(&b.chart, &v);
			for (size_t n = 0; n < v.n; n++)
				assert_int_not_equal(
					strncmp(v.value[n], "//", 2), 0);
			bed_strip(&b);
		}
}

TEST("where all paths fare alike, guesses wait for better questions")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "HTTP/1.1 400 B\n\n"};
	size_t guesses = 0;

	bed_examine(&b, &p);
	for (size_t i = 0; i < b.chart.n_probes; i++) {
		enum doctor_change change = b.chart.probe[i]->trial.change;

		guesses += change == DOCTOR_PATH;
		if (change == DOCTOR_SUBPROTOCOL)
			assert_true(guesses <= 4);
	}
	assert_true(count_change(&b, DOCTOR_SUBPROTOCOL) > 0);
	bed_strip(&b);
}

TEST("scripts are those of the same host, and no libraries")
{
	static struct bed b;
	static struct doctor_values v;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/app/",
		.answer = "HTTP/1.1 200 OK\n\n<html>"
			  "<script src=\"/js/jquery.min.js\"></script>"
			  "<script async src='./main.js?v=3'></script>"
			  "<script src=\"https://cdn.example/x.js\"></script>"
			  "<script>src='/no.js'</script>"
			  "<script src=//cdn.example/y.js></script>"
			  "<script src=http://127.0.0.1:8080/z.js></script>"};

	bed_make(&b, &p);
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_NOTHING});
	doctor_harvest_scripts(&b.chart, &v);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.value[0], "/app/main.js?v=3");
	assert_string_equal(v.value[1], "/z.js");
	bed_strip(&b);
}

TEST("a page tells paths in all the ways in which pages write them")
{
	static const struct {
		const char *page, *path; /* NULL: none is told */
	} rows[] = {
		{"new WebSocket('ws://' + location.host + '/a/b')", "/a/b"},
		{"const u=location.host+\"/a/b\";new WebSocket(u)", "/a/b"},
		{"new WebSocket(`wss://${host}/a/b`)", "/a/b"},
		{"<body data-ws-url=\"/a/b\">", "/a/b"},
		{"<meta name=\"action-cable-url\" content=\"/a/b\" />", "/a/b"},
		{"{\"socketPath\": \"/a/b\"}", "/a/b"},
		{"new WebSocket(base + '/a/b?room=' + id)", "/a/b"},
		{"<a href=\"/a/b\">", NULL},
		{"<script src=\"/websocket/a.js\">", NULL},
		{"new WebSocket(", NULL},
		{"new WebSocket(\"/", "/"},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct doctor_values v;
		char answer[200];
		const struct patient p = {.url = URL, .answer = answer};

		memset(&v, 0, sizeof(v));
		snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\n\n%s",
			 rows[i].page);
		bed_make(&b, &p);
		bed_probe(&b, &p,
			  &(struct doctor_trial){.change = DOCTOR_NOTHING});
		doctor_harvest_paths(&b.chart, &v);
		if ((v.n_told > 0) != (rows[i].path != NULL) ||
		    (rows[i].path && strcmp(v.value[0], rows[i].path) != 0))
			fail_msg("%s: %zu, %s", rows[i].page, v.n_told,
				 v.value[0]);
		bed_strip(&b);
	}
}

TEST("a refusal of few words tells paths and names, a page of errors none")
{
	static struct bed b;
	static struct doctor_values v, none, hosts;
	struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 404 N\n\n{\"error\": \"not /chat; try "
			  "/v2/chat.\", \"see\": \"http://shop.example/x\"}"};
	const struct doctor_trial nothing = {.change = DOCTOR_NOTHING};

	bed_make(&b, &p);
	bed_probe(&b, &p, &nothing);
	doctor_harvest_paths(&b.chart, &v);
	doctor_harvest_hosts(&b.chart, &hosts);
	assert_int_equal(v.n_told, 1);
	assert_string_equal(v.value[0], "/v2/chat");
	assert_true(in(&hosts, "shop.example:8080"));
	bed_strip(&b);
	p.answer = "HTTP/1.1 404 N\n\n<html> /v2/chat is no more </html>";
	bed_make(&b, &p);
	bed_probe(&b, &p, &nothing);
	doctor_harvest_paths(&b.chart, &none);
	assert_int_equal(none.n_told, 0);
	bed_strip(&b);
}

TEST("subprotocols are read out of refusals, and those offered left out")
{
	static const struct {
		const char *says, *named;
	} rows[] = {
		{"Unsupported subprotocol, this server speaks chat.v2",
		 "chat.v2"},
		{"subprotocol required: 'talk'", "talk"},
		{"missing Sec-WebSocket-Protocol (one of ocpp1.6, ocpp2.0.1).",
		 "ocpp2.0.1"},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct doctor_values v;
		char answer[200];
		const struct patient p = {
			.url = URL, .subprotocols = "chat.v1", .answer = answer};

		memset(&v, 0, sizeof(v));
		snprintf(answer, sizeof(answer), "HTTP/1.1 400 Bad\n\n%s",
			 rows[i].says);
		bed_make(&b, &p);
		bed_probe(&b, &p,
			  &(struct doctor_trial){.change = DOCTOR_NOTHING});
		doctor_harvest_subprotocols(&b.chart, &v);
		assert_true(in(&v, rows[i].named));
		assert_false(in(&v, "chat.v1"));
		bed_strip(&b);
	}
}

TEST("an origin is one's own by host and port, whatever its scheme")
{
	static const struct {
		const char *url, *origin;
		bool own;
	} rows[] = {
		{URL, "http://127.0.0.1:8080", true},
		{URL, "https://127.0.0.1:8080", true},
		{URL, "http://127.0.0.1", false},
		{URL, "http://localhost:8080", false},
		{"wss://shop.example/x", "https://shop.example", true},
		{"wss://shop.example/x", "http://SHOP.example", true},
		{"wss://shop.example/x", "https://shop.example:8443", false},
		{URL, "null", false},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {.url = rows[i].url};

		bed_make(&b, &p);
		if (doctor_is_own_origin(&b.c, rows[i].origin) != rows[i].own)
			fail_msg("%s at %s", rows[i].origin, rows[i].url);
		bed_strip(&b);
	}
}

TEST("another port is somebody else's: it comes after what this one can tell")
{
	static const char *const answers[] = {"@closed", "@reset", "@silent"};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct patient p = {
			.url = URL, .local = true, .answer = answers[i]};
		bool asked_here = false;

		bed_examine(&b, &p);
		for (size_t k = 0; k < b.chart.n_probes; k++) {
			enum doctor_change change =
				b.chart.probe[k]->trial.change;

			asked_here |= change == DOCTOR_PLAIN_GET;
			assert_true(asked_here || change != DOCTOR_PORT);
		}
		bed_strip(&b);
	}
}

TEST("where every answer costs a wait, less is asked")
{
	static struct bed quick, slow;
	struct patient p = {.url = URL, .answer = "@closed"};

	bed_examine(&quick, &p);
	p.answer = "@silent";
	bed_examine(&slow, &p);
	assert_true(slow.chart.n_probes < quick.chart.n_probes);
	bed_strip(&quick);
	bed_strip(&slow);
}

TEST("what is all but sure is still put to the test that would prove it")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.origin = "https://a.example",
		.answer = "HTTP/1.1 403 F\n\nOrigin not allowed",
		.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};
	struct doctor_trial t;

	bed_make(&b, &p);
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_NOTHING});
	assert_true(b.opinion.p[WHY_ACCESS_ORIGIN] > 0.9);
	assert_true(next(&b, &t));
	assert_true(t.change == DOCTOR_NO_ORIGIN || t.change == DOCTOR_ORIGIN);
	bed_strip(&b);
}
