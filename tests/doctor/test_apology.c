/* SPDX-License-Identifier: MIT */
/*
 * Successes that refuse, and pages of sites that have the same words. Every
 * path and a plain GET get the same, as it is with both.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/visible.h"

#define URL	   "ws://127.0.0.1:8080/feed"
#define PAGE(text) "HTTP/1.1 200 OK\nContent-Type: text/html\n\n" text
#define JSON(text) "HTTP/1.1 200 OK\nContent-Type: application/json\n\n" text
#define STYLE                                                               \
	"<style>body{margin:0;font-family:sans-serif;background:#fafafa}"   \
	".box{max-width:40em;margin:10% auto;padding:2em;border:1px solid " \
	"#ccc;border-radius:8px;box-shadow:0 2px 8px rgba(0,0,0,.2)}h1{"    \
	"font-size:2em;color:#333}p{color:#666;line-height:1.5}.small{"     \
	"font-size:.8em;color:#999}@media(max-width:600px){.box{margin:0}}" \
	"</style>"

static const struct {
	const char *answer;
	enum why_cause cause;
} refusals[] = {
	{PAGE("<!doctype html><title>Warteraum</title>" STYLE
	      "<div class=box><h1>Waiting room</h1><p>You are now in line. "
	      "Your "
	      "estimated wait time is 3 minutes.</div>"),
	 WHY_SERVER_LIMIT},
	{PAGE("<html><body><h2>We'll be right back</h2>" STYLE
	      "<p>The dashboard is temporarily unavailable.</p></body></html>"),
	 WHY_SERVER_BACKEND_DOWN},
	{PAGE("<title>Connexion</title><form method=post><input name=nom>"
	      "<input type=\"password\" "
	      "name=mdp><button>Entrer</button></form>"),
	 WHY_ACCESS_CREDENTIALS},
	{PAGE("<script>window.location.replace('https://id.example/signin?'"
	      "+'next=/')</script>"),
	 WHY_SERVER_REDIRECT},
	{JSON("{\"code\":429,\"message\":\"Slow it\"}"), WHY_ACCESS_RATE},
	{JSON("{\"success\":false,\"status\":401}"), WHY_ACCESS_CREDENTIALS},
	{JSON("{\"errno\":-7,\"errmsg\":\"client ip 10.0.0.9 not in "
	      "whitelist\"}"),
	 WHY_ACCESS_IP},
	{"HTTP/1.1 200 OK\nContent-Type: text/plain\n\nToo many requests, try "
	 "again in a minute",
	 WHY_ACCESS_RATE},
	{PAGE("<title>Portal</title>" STYLE "<h1>Wartungsarbeiten</h1><p>Wir "
	      "sind bald zurück."),
	 WHY_SERVER_APP_REJECTED},
	{PAGE("<h1>Le site est temporairement indisponible</h1>"),
	 WHY_SERVER_BACKEND_DOWN},
	{PAGE("<h1>エラー</h1><p>ログインしてください"), WHY_ACCESS_CREDENTIALS},
	{PAGE("<title>403</title>" STYLE "<h1>Access denied</h1>"),
	 WHY_ACCESS_CREDENTIALS},
	{PAGE("<title>403</title>" STYLE "<h1>Доступ запрещён</h1>"),
	 WHY_ACCESS_CREDENTIALS},
	{JSON("{\"errcode\":40001,\"errmsg\":\"\\u8bf7\\u6c42\\u8fc7\\u4e8e"
	      "\\u9891\\u7e41\"}"),
	 WHY_ACCESS_RATE},
};

static const struct {
	const char *answer;
} sites[] = {
	{PAGE("<h1>Harbour</h1><p>Boats and tides. <a href=/login>Log in</a>")},
	{PAGE("<title>API</title><h1>Reference</h1>" STYLE
	      "<p>Every key has a rate limit of its own, which the field "
	      "X-RateLimit-Limit tells. Who sends too many requests gets a 429 "
	      "and waits. Whoever needs more writes to the people of the desk, "
	      "who raise it, mostly within a day and sometimes within an hour, "
	      "as long as what is asked for is not out of all proportion to "
	      "what others have, and as long as there is a reason for it that "
	      "they can follow. The list of all methods comes next.</p>")},
	{"HTTP/1.1 200 OK\nContent-Type: text/plain\n\nYour IP address is "
	 "10.0.0.9"},
	{JSON("{\"status\":\"ok\",\"errcode\":0,\"error\":null}")},
	{PAGE("<h1>Hafen</h1><p>Boote und Gezeiten. <a href=/login>Anmelden</a>")},
	{PAGE("<h1>维护手册</h1>" STYLE
	      "<p>本手册说明如何保养小型船只的发动机。第一章讲机油，第二章讲冷却"
	      "水，第三章讲螺旋桨。每一章的末尾有一张表，列出每月要做的事。有问题"
	      "的读者可以写信给编者，信箱在最后一页。这一版增加了电动机的内容，并"
	      "且改正了旧版里的错误。第四章讲油漆，第五章讲缆绳，第六章讲航海图，第"
	      "七章讲天气，第八章讲急救。书后有词汇表和索引，方便查找。新手可以先读"
	      "第一章和第七章，再去码头，同老船员一起出海。海上风大的时候，不要独自"
	      "离岸，也不要关掉无线电。出发以前，请把行程告诉家人，带够饮用水、干粮"
	      "和衣服，还要检查救生衣与信号弹是不是齐全、是不是还能用。</p>")},
};

static enum why_cause judged(struct bed *b, const char *answer,
			     double *ret_confidence)
{
	const struct patient patient = {.url = URL, .answer = answer};
	enum why_cause cause;

	bed_examine(b, &patient);
	cause = b->verdict.cause;
	*ret_confidence = b->verdict.confidence;
	bed_strip(b);
	return cause;
}

TEST("a success that refuses is read for what it says")
{
	static struct bed b;
	double confidence;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		enum why_cause cause =
			judged(&b, refusals[i].answer, &confidence);

		if (cause != refusals[i].cause || confidence < 0.75)
			fail_msg("%s: %s %.2f", refusals[i].answer,
				 why_cause(cause)->id, confidence);
	}
}

TEST("the page of a site may hold the words of a refusal")
{
	static struct bed b;
	double confidence;

	for (size_t i = 0; i < ARRAY_LEN(sites); i++) {
		enum why_cause cause = judged(&b, sites[i].answer, &confidence);

		if (cause != WHY_SERVER_NO_WEBSOCKET)
			fail_msg("%s: %s %.2f", sites[i].answer,
				 why_cause(cause)->id, confidence);
	}
}

TEST("an error about a plain request refuses nobody")
{
	static const char *const answers[] = {
		JSON("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,"
		     "\"message\":\"Parse error\"},\"id\":null}"),
		JSON("{\"errors\":[{\"message\":\"Must provide query "
		     "string.\"}]}"),
	};
	static struct bed b;
	double confidence;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		enum why_cause cause = judged(&b, answers[i], &confidence);

		if (cause != WHY_SERVER_NO_WEBSOCKET &&
		    cause != WHY_SERVER_PROXY_UPGRADE)
			fail_msg("%s: %s %.2f", answers[i],
				 why_cause(cause)->id, confidence);
	}
}

TEST("a page is read without what is for programs")
{
	static const struct {
		const char *page, *text;
	} rows[] = {
		{"<p>One <b>two</b></p>", "One two"},
		{"<h1>One </h1>  <p>two", "One\ntwo"},
		{"<style>a{}</style ><script>b()</script>Three", "Three"},
		{"<!-- <p>no --><p>Four", "Four"},
		{"<script>never closed", ""},
		{"Five <never closed", "Five"},
		{"", ""},
	};
	char out[40];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = doctor_visible_text(
			bytes_of_str(rows[i].page), out, sizeof(out));

		if (!bytes_equal_str(text, rows[i].text))
			fail_msg("%s: %.*s", rows[i].page, BYTES_ARG(text));
	}
	assert_int_equal(
		doctor_visible_text(BYTES("more than fits"), out, 4).len, 4);
}
