/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/report.h"

static struct doctor_case asked;
static struct doctor_probe refused, opened;
static struct doctor_chart chart;
static struct doctor_verdict verdict;

/* A diagnosis as the head would hand it over, a secret in many places. */
static void set_up(void)
{
	asked = (struct doctor_case){
		.url_text = (char *)"ws://ann:hunter22@h/chat?token=tok-4711",
		.origin = (char *)"https://evil.example",
	};
	refused = (struct doctor_probe){
		.n = 1,
		.outcome = DOCTOR_ANSWERED,
		.status = 403,
		.ms = 12.34,
		.request = (char *)"GET /chat?token=tok-4711 HTTP/1.1\r\n"
				   "Cookie: a=b\r\n\r\n",
		.head = (char *)"HTTP/1.1 403 Forbidden\r\nX: hunter22\r\n\r\n",
		.body = (uint8_t *)(uintptr_t) "no tok-4711\x1b[2J",
		.body_len = 15};
	refused.head_len = strlen(refused.head);
	opened = (struct doctor_probe){
		.n = 2,
		.outcome = DOCTOR_OPEN,
		.status = 101,
		.ms = 3,
		.trial = {DOCTOR_ORIGIN, "https://app.example"}};
	chart = (struct doctor_chart){
		.c = &asked, .probe = {&refused, &opened}, .n_probes = 2};
	verdict = (struct doctor_verdict){
		.outcome = "refused",
		.status = 403,
		.cause = WHY_ACCESS_ORIGIN,
		.confidence = 0.987654,
		.who = "server",
		.summary = "The server refuses this origin; tok-4711.",
		.evidence = {"probe 2 opens, hunter22", "the body says no"},
		.evidence_weight = {4.2, -0.4},
		.n_evidence = 2,
		.fix = {{.who = "server",
			 .what = "Allow the origin.",
			 .where = "nginx.conf:12",
			 .snippet = "location / {\n\tadd tok-4711;\n}"}},
		.n_fixes = 1,
		.proof = {true, 2, "Origin: https://app.example", "101", 2},
		.alternative = {{WHY_ACCESS_HOST, 0.01, "look at the log"}},
		.n_alternatives = 1,
		.refused_by = "nginx/1.22.1",
		.layer = WHY_LAYER_REVERSE_PROXY,
		.hop = {"nginx/1.22.1, by its Server field"},
		.n_hops = 1};
}

static char page[65536];

static const char *text_report(bool colour, int width)
{
	struct doctor_look look = {colour, width};
	struct ses_buf out;
	struct bytes text;

	ses_buf_init(&out, sizeof(page) - 1);
	assert_int_equal(
		doctor_report_text(&chart, &verdict, 1500, &look, &out), 0);
	text = ses_buf_bytes(&out);
	memcpy(page, text.data, text.len);
	page[text.len] = 0;
	ses_buf_fini(&out);
	return page;
}

static bool before(const char *a, const char *b)
{
	const char *at = strstr(page, a), *bt = strstr(page, b);

	return at && bt && at < bt;
}

TEST("the text says what it is first, then the proof, the remedy, the rest")
{
	set_up();
	text_report(false, 80);
	assert_non_null(strstr(page, "✗ access.origin\n"));
	assert_non_null(strstr(page, "Practically certain (99 %)"));
	assert_non_null(strstr(page, "Whoever runs the server has to act."));
	assert_non_null(
		strstr(page, "Refused by\n  nginx/1.22.1 (reverse proxy)."));
	assert_true(before("✗ access.origin", "Proof"));
	assert_true(before("Proof", "A   as asked"));
	assert_true(before("A   as asked", "B   Origin: https://app.example"));
	assert_true(
		before("Proof: handshake 2, confirmed twice", "403 Forbidden"));
	assert_true(before("handshake 2", "What opens it"));
	assert_true(before("  1. Allow the origin.\n     → server: nginx.conf",
			   "         location / {\n             add ***;\n"));
	assert_true(before("What opens it", "Evidence"));
	assert_true(before("  +++ handshake 2 opens", "  −   the body says"));
	assert_true(before("Evidence", "access.host (1 %)\n      look at"));
	assert_true(before("access.host", "Handshakes"));
	assert_non_null(strstr(page, "2 handshakes in 1.5 s."));
	assert_null(strstr(page, "\x1b"));
}

TEST("the verdict's mark is there without colour, and colour adds nothing else")
{
	char plain[sizeof(page)];
	size_t n = 0;

	set_up();
	strcpy(plain, text_report(false, 80));
	text_report(true, 80);
	assert_non_null(strstr(page, "\x1b[31m"));
	for (const char *p = page; *p; p++) {
		if (*p == '\x1b')
			p = strchr(p, 'm');
		else
			page[n++] = *p;
	}
	page[n] = 0;
	assert_string_equal(page, plain);
}

static size_t longest_line(void)
{
	size_t longest = 0, n = 0;

	for (const char *p = page; *p; p++) {
		if (*p == '\n')
			n = 0;
		else if (((unsigned char)*p & 0xc0) != 0x80)
			n++;
		longest = n > longest ? n : longest;
	}
	return longest;
}

TEST("the report keeps to the width, also a narrow one")
{
	set_up();
	strcpy(opened.trial.value, "https://a-very-long-origin-of-a-tenant."
				   "with.many.labels.example.org:8443");
	snprintf(verdict.proof.changed, sizeof(verdict.proof.changed), "%s",
		 opened.trial.value);
	asked.url_text = (char *)"ws://h/";
	asked.origin = NULL;
	for (int width = 60; width <= 100; width += 20) {
		text_report(false, width);
		assert_true(longest_line() <= (size_t)width);
	}
}

TEST("nothing secret and nothing that drives a terminal is in the long form")
{
	set_up();
	asked.verbose = true;
	text_report(false, 80);
	assert_non_null(strstr(page, "> GET /chat?token=*** HTTP/1.1\n"));
	assert_non_null(strstr(page, "< no ***\\x1b[2J"));
	assert_null(strstr(page, "hunter22"));
	assert_null(strstr(page, "4711"));
	assert_null(strstr(page, "\x1b"));
}

TEST("quiet is one line")
{
	set_up();
	asked.quiet = true;
	assert_string_equal(text_report(false, 80),
			    "refused: access.origin (99 %): The server refuses "
			    "this origin; ***.\n");
	verdict.outcome = "open";
	verdict.cause = WHY_OK;
	assert_string_equal(text_report(false, 80),
			    "open: The server refuses this origin; ***.\n");
}

TEST("what could not be asked is not called unreachable")
{
	set_up();
	asked.quiet = true;
	asked.url_error = SESAME_EINVAL;
	verdict.outcome = "unreachable";
	verdict.cause = WHY_URL_SYNTAX;
	assert_non_null(
		strstr(text_report(false, 80), "not asked: url.syntax (99 %)"));
}

TEST("below a quarter no verdict is claimed")
{
	set_up();
	verdict.confidence = 0.2;
	text_report(false, 80);
	assert_non_null(strstr(page, "? no verdict  likeliest: access.origin"));
	assert_null(strstr(page, "✗"));
	assert_non_null(strstr(page, "What may open it"));
}

TEST("without a proof the report says so")
{
	set_up();
	verdict.proof.given = false;
	text_report(false, 80);
	assert_non_null(strstr(page, "there is no proof"));
}

TEST("an open door is told with its own mark")
{
	set_up();
	verdict.outcome = "open";
	verdict.cause = WHY_OK;
	text_report(false, 80);
	assert_non_null(strstr(page, "✓ ok\n"));
	assert_null(strstr(page, "What opens it"));
	assert_null(strstr(page, "Asked without an Origin"));
	asked.origin = NULL;
	text_report(false, 80);
	assert_non_null(strstr(page, "Asked without an Origin"));
	verdict.cause = WHY_BROWSER_CSP;
	text_report(false, 80);
	assert_non_null(strstr(page, "! browser.csp\n"));
	assert_non_null(strstr(page, "What opens it"));
}

static json_t *json_report(void)
{
	struct ses_buf out;
	json_error_t error;
	json_t *o;

	ses_buf_init(&out, 1 << 20);
	assert_int_equal(doctor_report_json(&chart, &verdict, 1500, &out), 0);
	o = json_loadb((const char *)ses_buf_bytes(&out).data,
		       ses_buf_len(&out), 0, &error);
	assert_non_null(o);
	ses_buf_fini(&out);
	return o;
}

static const char *text_at(const json_t *o, const char *a, const char *b)
{
	return json_string_value(json_object_get(json_object_get(o, a), b));
}

TEST("the JSON holds what the text holds, redacted")
{
	json_t *o, *v, *fix;
	char *all;

	set_up();
	o = json_report();
	v = json_object_get(o, "verdict");
	assert_string_equal(text_at(o, "target", "url"),
			    "ws://ann:***@h/chat?token=***");
	assert_string_equal(text_at(o, "target", "origin"),
			    "https://evil.example");
	assert_string_equal(text_at(o, "verdict", "cause"), "access.origin");
	assert_string_equal(text_at(o, "verdict", "category"), "access");
	assert_true(json_real_value(json_object_get(v, "confidence")) == 0.9877);
	assert_int_equal(json_integer_value(json_object_get(o, "status")), 403);
	fix = json_array_get(json_object_get(v, "fix"), 0);
	assert_string_equal(json_string_value(json_object_get(fix, "snippet")),
			    "location / {\n\tadd ***;\n}");
	assert_string_equal(text_at(v, "proof", "result"), "101");
	assert_string_equal(text_at(o, "responder", "layer"), "reverse-proxy");
	assert_int_equal(json_array_size(json_object_get(o, "probes")), 2);
	assert_null(json_object_get(o, "stopped"));
	all = json_dumps(o, 0);
	assert_null(strstr(all, "hunter22"));
	assert_null(strstr(all, "4711"));
	free(all);
	json_decref(o);
}

TEST("what is unknown is null in the JSON")
{
	json_t *o;

	set_up();
	asked.origin = NULL;
	verdict.status = 0;
	verdict.proof.given = false;
	verdict.refused_by[0] = 0;
	verdict.layer = WHY_LAYER_NONE;
	verdict.fix[0].where[0] = 0;
	verdict.alternative[0].tell_apart[0] = 0;
	o = json_report();
	assert_true(json_is_null(json_object_get(o, "status")));
	assert_true(json_is_null(
		json_object_get(json_object_get(o, "target"), "origin")));
	assert_true(json_is_null(
		json_object_get(json_object_get(o, "verdict"), "proof")));
	assert_true(json_is_null(json_object_get(
		json_object_get(o, "responder"), "refused_by")));
	assert_true(json_is_null(
		json_object_get(json_object_get(o, "responder"), "layer")));
	json_decref(o);
}

TEST("a buffer that is too small is an error, not half a report")
{
	struct doctor_look look = {false, 80};
	struct ses_buf out;

	set_up();
	ses_buf_init(&out, 100);
	assert_true(doctor_report_text(&chart, &verdict, 0, &look, &out) < 0);
	ses_buf_fini(&out);
	ses_buf_init(&out, 100);
	assert_true(doctor_report_json(&chart, &verdict, 0, &out) < 0);
	ses_buf_fini(&out);
	ses_buf_init(&out, 100);
	assert_true(doctor_report_html(&chart, &verdict, 0, "", "", &out) < 0);
	ses_buf_fini(&out);
}

TEST("the page escapes what it is told, and hides it, too")
{
	struct ses_buf out;
	struct bytes text;

	set_up();
	snprintf(verdict.summary, sizeof(verdict.summary), "%s",
		 "<b onload='x'>\"&amp; hunter22\x1b[2J");
	ses_buf_init(&out, 1 << 20);
	assert_int_equal(doctor_report_html(&chart, &verdict, 1500,
					    "sesame doctor '<i>'", "today", &out),
			 0);
	text = ses_buf_bytes(&out);
	assert_true(text.len < sizeof(page));
	memcpy(page, text.data, text.len);
	page[text.len] = 0;
	assert_non_null(strstr(page, "<p class=\"summary\">&#60;b onload=&#39;"
				     "x&#39;&#62;&#34;&#38;amp; ***\\x1b[2J"));
	assert_non_null(strstr(page, "sesame doctor &#39;&#60;i&#62;&#39;"));
	assert_null(strstr(page, "hunter22"));
	assert_null(strstr(page, "4711"));
	assert_null(strstr(page, "\x1b"));
	ses_buf_fini(&out);
}
