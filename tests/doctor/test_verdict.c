/* SPDX-License-Identifier: MIT */
/*
 * The verdict in words: every cause has its sentence, values are filled in,
 * who has to act follows from who refused, and a proof is one.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://127.0.0.1:8080/chat"
#define NGINX_403                                                            \
	"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\n<html><center><h1>" \
	"403 "                                                               \
	"Forbidden</h1></center>\n<hr><center>nginx/1.22.1</center></html>"

static void examine(struct bed *b, const struct patient *p)
{
	bed_examine(b, p);
}

TEST("a proven Origin is told with its values, its proof and the fix")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .origin = "https://evil.example",
				  .answer = NGINX_403,
				  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};
	const struct doctor_verdict *v = &b.verdict;

	examine(&b, &p);
	assert_string_equal(v->outcome, "refused");
	assert_int_equal(v->status, 403);
	assert_int_equal(v->cause, WHY_ACCESS_ORIGIN);
	assert_string_equal(v->who, "proxy");
	assert_string_equal(v->refused_by, "nginx/1.22.1");
	assert_int_equal(v->layer, WHY_LAYER_REVERSE_PROXY);
	assert_non_null(strstr(v->summary, "https://evil.example"));
	assert_true(v->proof.given);
	assert_int_equal(v->proof.probe, 2);
	assert_string_equal(v->proof.result, "101");
	assert_int_equal(v->proof.repeated, 1);
	assert_true(v->n_fixes > 0);
	assert_true(v->n_evidence > 0);
	for (size_t i = 0; i < v->n_evidence; i++)
		assert_true(strncmp(v->evidence[i], "probe ", 6) == 0);
	for (size_t i = 1; i < v->n_evidence; i++)
		assert_true(v->evidence_weight[i] <= v->evidence_weight[i - 1]);
	bed_strip(&b);
}

TEST("an open door has no proof and nobody to act")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "@open"};

	examine(&b, &p);
	assert_string_equal(b.verdict.outcome, "open");
	assert_int_equal(b.verdict.status, 101);
	assert_int_equal(b.verdict.cause, WHY_OK);
	assert_string_equal(b.verdict.who, "nobody");
	assert_false(b.verdict.proof.given);
	assert_string_equal(b.verdict.refused_by, "");
	bed_strip(&b);
}

TEST("an open door is said to have been watched for as long as it was")
{
	static struct bed b;
	struct patient p = {.url = URL, .answer = "@open"};

	examine(&b, &p);
	assert_string_equal(doctor_tried(&b.chart, DOCTOR_HOLD, NULL)->trial.value,
			    "5");
	assert_non_null(
		strstr(b.verdict.fix[1].what, "4.0 seconds were watched"));
	assert_string_equal(b.verdict.fix[1].snippet,
			    "sesame doctor --hold 120 " URL);
	bed_strip(&b);
	p.proxy = "http://proxy.example:3128";
	examine(&b, &p);
	assert_string_equal(doctor_tried(&b.chart, DOCTOR_HOLD, NULL)->trial.value,
			    "7");
	bed_strip(&b);
}

TEST("the outcome says how far the user's request came")
{
	static const struct {
		const char *answer, *outcome;
		int status;
	} rows[] = {
		{"@refused", "unreachable", 0},
		{"@noname", "unreachable", 0},
		{"@silent", "unreachable", 0},
		{"@tls cut", "unreachable", 0},
		{"@bad101", "broken", 101},
		{"@cut 5", "broken", 101},
		{"@close 1008", "refused", 101},
		{"HTTP/1.1 404 N\n\n", "refused", 404},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {.url = URL, .answer = rows[i].answer};

		examine(&b, &p);
		assert_string_equal(b.verdict.outcome, rows[i].outcome);
		assert_int_equal(b.verdict.status, rows[i].status);
		bed_strip(&b);
	}
}

TEST("what cannot be written down is not offered for pasting")
{
	static struct bed b;
	struct patient p = {.url = URL,
			    .origin = "https://evil.example",
			    .answer = "HTTP/1.1 403 F\n\n",
			    .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

	examine(&b, &p);
	for (size_t i = 0; i < b.verdict.n_fixes; i++)
		assert_null(strstr(b.verdict.fix[i].snippet, "no Origin"));
	bed_strip(&b);
	p.answers[0] = (struct answer){DOCTOR_ORIGIN, "http://127.0.0.1:8080",
				       "@open"};
	examine(&b, &p);
	assert_non_null(strstr(b.verdict.summary, "http://127.0.0.1:8080"));
	bed_strip(&b);
}

TEST("that nothing is special is no evidence")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = NGINX_403};

	examine(&b, &p);
	for (size_t i = 0; i < b.verdict.n_evidence; i++) {
		assert_null(strstr(b.verdict.evidence[i], "standard one"));
		assert_null(strstr(b.verdict.evidence[i], "no forward proxy"));
	}
	bed_strip(&b);
}

TEST("who acts is who refused: the proxy or the server behind it")
{
	static const struct {
		const char *answer, *who;
	} rows[] = {
		{NGINX_403, "proxy"},
		{"HTTP/1.1 403 Forbidden\nServer: TornadoServer/6.2\n\nCross "
		 "origin websockets not allowed",
		 "server"},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = URL,
			.origin = "https://evil.example",
			.answer = rows[i].answer,
			.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

		examine(&b, &p);
		assert_string_equal(b.verdict.who, rows[i].who);
		bed_strip(&b);
	}
}

TEST("a mistyped URL is told with what was probably meant")
{
	static struct bed b;
	const struct patient p = {.url = "wws://chat.example/x"};

	examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_SYNTAX);
	assert_non_null(strstr(b.verdict.summary, "chat.example/x"));
	assert_int_equal(b.chart.n_probes, 0);
	bed_strip(&b);
}

TEST("the URL that opens is written out")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = "HTTP/1.1 404 N\n\n",
				  .answers = {{DOCTOR_PATH, "/ws", "@open"}}};

	examine(&b, &p);
	assert_non_null(strstr(b.verdict.summary, "ws://127.0.0.1:8080/ws"));
	bed_strip(&b);
}

TEST("every cause has its sentence, and no sentence keeps a brace")
{
	static const char *const answers[] = {"@open", "@closed", "@refused",
					      "@tls untrusted", NGINX_403};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct patient p = {.url = URL, .answer = answers[i]};

		examine(&b, &p);
		for (int c = 0; c < WHY_N_CAUSES; c++) {
			static struct doctor_verdict v;
			struct doctor_opinion o = b.opinion;

			o.best = (enum why_cause)c;
			o.p[c] = 0.9;
			doctor_pronounce(&b.chart, &o, &v);
			if (strlen(v.summary) < 20 || strchr(v.summary, '{'))
				fail_msg("%s: %s", why_cause(v.cause)->id,
					 v.summary);
		}
		bed_strip(&b);
	}
}

TEST("alternatives are told with what would decide")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "HTTP/1.1 403 F\n\n"};

	examine(&b, &p);
	assert_true(b.verdict.n_alternatives > 0);
	assert_true(b.verdict.alternative[0].tell_apart[0] != 0);
	for (size_t i = 0; i < b.verdict.n_alternatives; i++)
		assert_true(b.verdict.alternative[i].confidence <=
			    b.verdict.confidence);
	bed_strip(&b);
}

TEST("nobody refused what was opened, though a proxy is on the way")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "@open"};
	struct why_hops *h;

	examine(&b, &p);
	h = &b.chart.probe[0]->hops;
	h->n = 1;
	h->writer = 0;
	h->hop[0].stack = WHY_STACK_NGINX;
	snprintf(h->hop[0].text, sizeof(h->hop[0].text), "nginx/1.22.1");
	doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
	assert_string_equal(b.verdict.refused_by, "");
	assert_int_equal(b.verdict.n_hops, 1);
	bed_strip(&b);
}

TEST("without fingerprints no stack is named")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = NGINX_403};

	examine(&b, &p);
	b.chart.blind = true;
	doctor_find(&b.chart);
	doctor_diagnose(&b.chart, &b.opinion);
	doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
	assert_string_equal(b.verdict.refused_by, "");
	assert_int_equal(b.verdict.n_hops, 0);
	bed_strip(&b);
}

TEST("the reference of a refusal by sesame is told, and none that is none")
{
	static const struct {
		const char *answer, *reference;
	} rows[] = {
		{"HTTP/1.1 403 F\nSesame-Reference: 7K2M-Q4XD\n\n",
		 "7K2M-Q4XD"},
		{"HTTP/1.1 403 F\n\nForbidden: no.\n\nReference: 7K2M-Q4XD\n",
		 "7K2M-Q4XD"},
		{"HTTP/1.1 403 F\nSesame-Reference: $(reboot)\n\n", ""},
		{"HTTP/1.1 403 F\n\nReference: ", ""},
		{"HTTP/1.1 403 F\n\nReference: 12", ""},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = URL,
			.origin = "https://evil.example",
			.answer = rows[i].answer,
			.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}};

		bed_examine(&b, &p);
		assert_string_equal(b.verdict.reference, rows[i].reference);
		if (i == 0)
			assert_non_null(strstr(b.verdict.fix[0].what,
					       "sesame why 7K2M-Q4XD"));
		bed_strip(&b);
	}
}

static bool has_snippet(const struct doctor_verdict *v, const char *text)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (strcmp(v->fix[i].snippet, text) == 0)
			return true;
	return false;
}

TEST("of the other address family no more is told than what it answered")
{
	static const struct {
		const char *url, *family, *answer, *summary, *snippet;
	} rows[] = {
		{URL, "6", "@open",
		 "Nothing listens at 127.0.0.1:8080; over IPv6 the same "
		 "request opens: ws://[::1]:8080/chat.",
		 "ws://[::1]:8080/chat"},
		{URL, "6", "HTTP/1.1 403 Forbidden\n\n",
		 "Nothing listens at 127.0.0.1:8080; something over IPv6 "
		 "answers 403 Forbidden, and may be the server.",
		 "ws://[::1]:8080/chat"},
		{"ws://[::1]:8080/chat?a=b", "4", "@open",
		 "Nothing listens at [::1]:8080; over IPv4 the same request "
		 "opens: ws://127.0.0.1:8080/chat?a=b.",
		 "ws://127.0.0.1:8080/chat?a=b"},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = rows[i].url,
			.answer = "@refused",
			.answers = {{DOCTOR_FAMILY, rows[i].family,
				     rows[i].answer}}};

		examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_NET_ADDRESS_FAMILY);
		assert_string_equal(b.verdict.summary, rows[i].summary);
		assert_true(has_snippet(&b.verdict, rows[i].snippet));
		bed_strip(&b);
	}
}

TEST("a scheme that does not fit and would not help is told as both")
{
	static const struct {
		const char *answer, *summary;
	} rows[] = {
		{"HTTP/1.1 200 OK\n\nhi",
		 "Port 8080 speaks plain HTTP, no TLS. As ws:// it answers "
		 "200 OK, which is no WebSocket either."},
		{"HTTP/1.1 403 Forbidden\n\n",
		 "Port 8080 speaks plain HTTP, no TLS. As ws:// it answers "
		 "403 Forbidden, which has a cause of its own."},
		{"@open",
		 "The scheme is wrong: ws://127.0.0.1:8080/chat is the URL for "
		 "this port."},
		{"@closed", "The scheme does not fit: no TLS is spoken there."},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = "wss://127.0.0.1:8080/chat",
			.answer = "@tls not-tls",
			.answers = {{DOCTOR_SCHEME, NULL, rows[i].answer}}};
		const struct doctor_finding *f;

		examine(&b, &p);
		b.opinion.best = WHY_URL_SCHEME;
		doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
		assert_string_equal(b.verdict.summary, rows[i].summary);
		f = doctor_found(&b.chart, DOCTOR_F_SCHEME_ANSWERS);
		if (i < 2)
			assert_non_null(strstr(f->text, "; as asked: no TLS"));
		bed_strip(&b);
	}
}

TEST("a port of this machine that refuses is looked at before it is opened")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "@refused"};

	examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_NET_REFUSED);
	assert_string_equal(b.verdict.fix[0].snippet, "ss -ltnp");
	assert_null(strstr(b.verdict.fix[0].what, "0.0.0.0"));
	assert_non_null(strstr(b.verdict.fix[1].what, "0.0.0.0"));
	bed_strip(&b);
}

TEST("a URL that was never asked has no alternatives, and is put right")
{
	static struct bed b;
	const struct patient p = {.url = "wws://localhost:8080/chat"};

	examine(&b, &p);
	assert_int_equal(b.verdict.n_alternatives, 0);
	assert_string_equal(b.verdict.fix[0].snippet,
			    "ws://localhost:8080/chat");
	bed_strip(&b);
}

TEST("what was refused once is told as what came and went")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "@reset >> @open"};

	examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_NET_RESET);
	assert_non_null(strstr(b.verdict.summary, "It was refused once"));
	assert_non_null(strstr(b.verdict.summary, "1 of 5 times"));
	assert_false(b.verdict.proof.given);
	bed_strip(&b);
}

TEST("a URL of http that opens is told as taken for one of ws")
{
	static struct bed b;
	const struct patient p = {.url = "http://127.0.0.1:8080/chat",
				  .answer = "@open"};

	examine(&b, &p);
	assert_string_equal(b.verdict.outcome, "open");
	assert_non_null(strstr(b.verdict.summary,
			       "Taken as ws://127.0.0.1:8080/chat it opens"));
	assert_non_null(strstr(b.verdict.evidence[0], "taken as ws://"));
	bed_strip(&b);
}

TEST("a blank in the host is advised about once")
{
	static struct bed b;
	const struct patient p = {.url = "ws://a b/"};

	examine(&b, &p);
	assert_non_null(strstr(b.verdict.summary, "ws://ab/"));
	assert_null(strstr(b.verdict.summary, "%20"));
	bed_strip(&b);
}

TEST("who is unsure asks the gateway, which gave a reference, before all else")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 403 Forbidden\nServer: sesame/0.1.0\n"
			  "Sesame-Reference: 51KM-GC9T\n\n"};
	const struct doctor_verdict *v = &b.verdict;

	examine(&b, &p);
	assert_true(v->confidence < 0.9);
	assert_string_equal(v->fix[0].stack, "sesame");
	assert_string_equal(v->fix[0].snippet, "sesame why 51KM-GC9T");
	for (size_t i = 1; i < v->n_fixes; i++)
		assert_null(strstr(v->fix[i].what, "sesame why --last"));
	bed_strip(&b);
}
