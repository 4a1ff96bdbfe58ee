/* SPDX-License-Identifier: MIT */
/*
 * The status page: one document without scripts and without anything from
 * elsewhere, that loads itself again. All that is put into it is escaped, and
 * its policy lets nothing run even if that failed.
 */
#include "gate/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "wire/digest.h"

#define ROUTES_SHOWN 200

static const char style[] =
	":root{color-scheme:light dark;--ground:#fff;--ink:#1c2127;"
	"--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;--good:#116329;"
	"--bad:#a40e26;--link:#0550ae}"
	"@media(prefers-color-scheme:dark){:root{--ground:#0d1117;"
	"--ink:#e6edf3;--soft:#9aa4af;--line:#30363d;--card:#161b22;"
	"--good:#56d364;--bad:#ff8182;--link:#79c0ff}}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:68rem;padding:1rem;"
	"background:var(--ground);color:var(--ink);"
	"font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
	"h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;"
	"margin:1.6rem 0 .5rem}h3{font-size:1rem;margin:0}"
	"p{margin:.2rem 0}a{color:var(--link)}"
	".soft{color:var(--soft);font-weight:400}"
	".good{color:var(--good)}.bad{color:var(--bad)}"
	".figures{display:grid;gap:.6rem;padding:0;margin:1rem 0;"
	"grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}"
	".figures div,.card{background:var(--card);"
	"border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}"
	".figures dt{color:var(--soft);font-size:.85rem}"
	".figures dd{margin:0;font-size:1.5rem;font-variant-numeric:"
	"tabular-nums}"
	".card{margin:.5rem 0}.row{display:flex;flex-wrap:wrap;gap:.1rem "
	"1.2rem;"
	"font-variant-numeric:tabular-nums;color:var(--soft)}"
	"code,pre{font:.9em/1.5 ui-monospace,monospace}"
	"pre{overflow-x:auto;background:var(--card);border:1px solid "
	"var(--line);border-radius:.5rem;padding:.6rem .8rem}"
	"table{border-collapse:collapse;width:100%}"
	"th{text-align:left;font-weight:400;color:var(--soft);"
	"vertical-align:top;padding:.15rem 1rem .15rem 0;width:7rem}"
	"td{padding:.15rem 0}";

const char *gate_status_csp(void)
{
	static char csp[400];
	uint8_t digest[SES_SHA256_LEN];
	char hash[SES_BASE64_LEN(SES_SHA256_LEN) + 1];

	if (csp[0])
		return csp;
	if (!ses_sha256(BYTES(style), digest))
		return "default-src 'none'";
	hash[ses_base64_encode(bytes_of(digest, sizeof(digest)), hash)] = '\0';
	snprintf(csp, sizeof(csp),
		 "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; "
		 "form-action 'none'; frame-ancestors 'none'",
		 hash);
	return csp;
}

/* ---- Words ---- */

static void put(struct ses_buf *out, const char *text)
{
	static const char special[] = "&<>\"'";

	while (*text) {
		size_t n = strcspn(text, special);

		ses_buf_append(out, bytes_of(text, n));
		text += n;
		if (*text)
			ses_buf_printf(out, "&#%d;", *text++);
	}
}

static const char *text_of(const json_t *from, const char *name)
{
	const char *text = json_string_value(json_object_get(from, name));

	return text ? text : "";
}

static long long number_of(const json_t *from, const char *name)
{
	return json_integer_value(json_object_get(from, name));
}

static bool is(const json_t *from, const char *name)
{
	return json_is_true(json_object_get(from, name));
}

static void put_when(struct ses_buf *out, long long time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	char when[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	put(out, when);
}

static void put_bytes(struct ses_buf *out, const char *what, long long n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)n;
	int unit = 0;

	while (value >= 1000 && unit < 4) {
		value /= 1000;
		unit++;
	}
	ses_buf_printf(out, "<span>%s %.*f&nbsp;%s</span>", what,
		       unit && value < 10, value, units[unit]);
}

static void begin_page(struct ses_buf *out, const char *title, bool again)
{
	ses_buf_printf(out,
		       "<!doctype html>\n<html lang=\"en\">\n<head>\n"
		       "<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width,"
		       "initial-scale=1\">\n%s<title>",
		       again ? "<meta http-equiv=\"refresh\" content=\"5\">\n"
			     : "");
	put(out, title);
	ses_buf_printf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n",
		       style);
}

static void end_page(struct ses_buf *out)
{
	ses_buf_append_str(out, "</body>\n</html>\n");
}

/* ---- The parts ---- */

static void put_figure(struct ses_buf *out, const char *name, long long value)
{
	ses_buf_printf(out, "<div><dt>%s</dt><dd>%lld</dd></div>\n", name,
		       value);
}

static long long sum_of(const json_t *all, const char *name)
{
	long long sum = 0;
	const json_t *listener;
	size_t i;

	json_array_foreach(json_object_get(all, "listeners"), i, listener)
		sum += number_of(listener, name);
	return sum;
}

static void put_state(const json_t *all, struct ses_buf *out)
{
	const char *state = text_of(all, "state");
	bool ready = is(all, "ready");

	ses_buf_printf(out,
		       "<h1>sesame</h1>\n<p class=\"summary\"><strong "
		       "class=\"%s\">%s</strong>, version ",
		       ready ? "good" : "bad",
		       strcmp(state, "stopping") == 0 ? "Stopping"
		       : ready			      ? "Serving"
			       : "Not all doors are open");
	put(out, text_of(all, "version"));
	ses_buf_append_str(out, ", <span class=\"soft\">since ");
	put_when(out, number_of(all, "started_ms"));
	ses_buf_append_str(out, "</span></p>\n<dl class=\"figures\">\n");
	put_figure(out, "connections now", number_of(all, "connections"));
	put_figure(out, "let in", sum_of(all, "opened"));
	put_figure(out, "refused", sum_of(all, "refused"));
	put_figure(out, "would be refused", sum_of(all, "observed"));
	ses_buf_append_str(out, "</dl>\n");
}

static void put_trouble(struct ses_buf *out, const char *what, const char *text)
{
	ses_buf_printf(out, "<p class=\"bad\">%s", what);
	put(out, text);
	ses_buf_append_str(out, "</p>\n");
}

static void put_troubles(const json_t *all, struct ses_buf *out)
{
	const json_t *c = json_object_get(all, "configuration");
	const json_t *journal = json_object_get(all, "journal");
	char text[100];

	if (!is(c, "last_reload_successful"))
		put_trouble(out,
			    "The configuration was not taken up as it was "
			    "last read; the old one is in force. ",
			    text_of(c, "fault"));
	if (is(journal, "kept") && !is(journal, "written"))
		put_trouble(out, "The journal cannot be written: ",
			    text_of(journal, "wrong"));
	if (number_of(all, "accept_failures")) {
		snprintf(text, sizeof(text), "%lld times.",
			 number_of(all, "accept_failures"));
		put_trouble(out,
			    "Connections could not be taken for want of "
			    "descriptors or room: ",
			    text);
	}
}

static void put_counts(const json_t *of, struct ses_buf *out)
{
	ses_buf_printf(out,
		       "<p class=\"row\"><span>%lld now</span><span>%lld let "
		       "in</span>",
		       number_of(of, "connections"), number_of(of, "opened"));
	if (number_of(of, "refused"))
		ses_buf_printf(out, "<span class=\"bad\">%lld refused</span>",
			       number_of(of, "refused"));
	if (number_of(of, "observed"))
		ses_buf_printf(out, "<span>%lld would be refused</span>",
			       number_of(of, "observed"));
	if (json_object_get(of, "bytes_in")) {
		put_bytes(out, "in", number_of(of, "bytes_in"));
		put_bytes(out, "out", number_of(of, "bytes_out"));
	}
	ses_buf_append_str(out, "</p>\n");
}

/* What the last check heard, where there are any. */
static void put_check(const json_t *check, struct ses_buf *out)
{
	if (!check || !text_of(check, "said")[0])
		return;
	ses_buf_append_str(out, "<span>check: ");
	put(out, text_of(check, "said"));
	ses_buf_append_str(out, "</span>");
}

static void put_server(const json_t *server, struct ses_buf *out)
{
	bool up = is(server, "up");

	ses_buf_printf(out,
		       "<p class=\"row\"><span class=\"%s\">%s</span>"
		       "<code>",
		       up ? "good" : "bad", up ? "up" : "down");
	put(out, text_of(server, "url"));
	ses_buf_printf(out, "</code><span>%lld now</span>",
		       number_of(server, "connections"));
	if (number_of(server, "failures"))
		ses_buf_printf(out, "<span>failed %lld&times;</span>",
			       number_of(server, "failures"));
	put_check(json_object_get(server, "check"), out);
	ses_buf_append_str(out, "</p>\n");
}

static void put_routes(const json_t *all, struct ses_buf *out)
{
	const json_t *route, *server;
	size_t i, k;

	ses_buf_append_str(out, "<h2>Routes</h2>\n");
	json_array_foreach(json_object_get(all, "routes"), i, route)
	{
		if (i >= ROUTES_SHOWN) {
			ses_buf_append_str(out,
					   "<p class=\"soft\">More are in <a "
					   "href=\"/status.json\">the JSON</a>."
					   "</p>\n");
			break;
		}
		ses_buf_append_str(out, "<div class=\"card\"><h3><code>");
		put(out, text_of(route, "path"));
		ses_buf_printf(out, "</code>%s</h3>\n",
			       is(route, "observes")
				       ? " <span class=\"soft\">only observes"
					 "</span>"
				       : "");
		put_counts(route, out);
		json_array_foreach(json_object_get(route, "upstreams"), k,
				   server) put_server(server, out);
		ses_buf_append_str(out, "</div>\n");
	}
}

static void put_listeners(const json_t *all, struct ses_buf *out)
{
	const json_t *door;
	size_t i;

	ses_buf_append_str(out, "<h2>Listeners</h2>\n");
	json_array_foreach(json_object_get(all, "listeners"), i, door)
	{
		ses_buf_append_str(out, "<div class=\"card\"><h3><code>");
		put(out, text_of(door, "url"));
		ses_buf_append_str(out, "</code></h3>\n");
		put_counts(door, out);
		ses_buf_append_str(out, "</div>\n");
	}
}

/* ---- Channels ---- */

static void put_backplane(const json_t *b, struct ses_buf *out)
{
	ses_buf_append_str(out, "<p>Backplane <code>");
	put(out, text_of(b, "address"));
	ses_buf_printf(out, "</code>: %s", is(b, "up") ? "up" : "down");
	if (*text_of(b, "trouble"))
		ses_buf_append_str(out, ", ");
	put(out, text_of(b, "trouble"));
	ses_buf_append_str(out, "</p>\n<p class=\"row\"><span>this is <code>");
	put(out, text_of(b, "node"));
	ses_buf_printf(out,
		       "</code></span><span>%lld alive</span>"
		       "<span>%lld published</span><span>%lld refused</span>"
		       "<span>%lld received</span></p>\n",
		       number_of(b, "nodes"), number_of(b, "published"),
		       number_of(b, "refused"), number_of(b, "received"));
}

static void put_channels(const json_t *all, struct ses_buf *out)
{
	const json_t *c = json_object_get(all, "channels");
	const json_t *b = json_object_get(all, "backplane");

	if (!number_of(c, "channels") && !b)
		return;
	ses_buf_printf(out,
		       "<h2>Channels</h2>\n<div class=\"card\">"
		       "<p class=\"row\"><span>%lld channels</span>"
		       "<span>%lld members</span><span>%lld bytes held</span>"
		       "<span>%lld gaps</span><span>%lld messages missed</span>"
		       "</p>\n",
		       number_of(c, "channels"), number_of(c, "members"),
		       number_of(c, "kept_bytes"), number_of(c, "gaps"),
		       number_of(c, "missed"));
	if (b)
		put_backplane(b, out);
	ses_buf_append_str(out, "</div>\n");
}

/* ---- Refusals ---- */

static void put_rule(const json_t *story, struct ses_buf *out)
{
	const char *rule = text_of(story, "rule");

	if (*rule) {
		put(out, text_of(story, "check"));
		ses_buf_append_str(out, ": <code>");
		put(out, rule);
		ses_buf_append_str(out, "</code>");
	} else {
		put(out, text_of(story, "note"));
	}
	if (*rule && number_of(story, "line")) {
		ses_buf_append_str(out, " at <code>");
		put(out, text_of(story, "file"));
		ses_buf_printf(out, ":%lld</code>", number_of(story, "line"));
	}
}

static void put_short(const json_t *story, struct ses_buf *out)
{
	ses_buf_append_str(out, "<div class=\"card\"><h3><a href=\"/refusals/");
	put(out, text_of(story, "reference"));
	ses_buf_append_str(out, "\">");
	put(out, text_of(story, "reference"));
	ses_buf_printf(out, "</a> %s ",
		       is(story, "observed") ? "would be refused:" : "");
	put(out, text_of(story, "cause"));
	ses_buf_append_str(out, "</h3>\n<p>");
	put(out, text_of(story, "sentence"));
	ses_buf_append_str(out, "</p>\n<p class=\"row\"><span>");
	put_when(out, number_of(story, "time_ms"));
	ses_buf_append_str(out, "</span><span>from ");
	put(out, text_of(story, "address"));
	ses_buf_append_str(out, "</span><code>");
	put(out, text_of(story, "target"));
	ses_buf_append_str(out, "</code></p>\n<p>");
	put_rule(story, out);
	ses_buf_append_str(out, "</p></div>\n");
}

static void put_refusals(const json_t *all, struct ses_buf *out)
{
	const json_t *list = json_object_get(all, "refusals"), *story;
	size_t i;

	ses_buf_append_str(out, "<h2>Latest refusals</h2>\n");
	if (json_array_size(list) == 0)
		ses_buf_append_str(out, "<p class=\"soft\">None so far.</p>\n");
	json_array_foreach(list, i, story) put_short(story, out);
}

int gate_status_page(const json_t *all, struct ses_buf *out)
{
	begin_page(out, "sesame: status", true);
	put_state(all, out);
	put_troubles(all, out);
	put_routes(all, out);
	put_channels(all, out);
	put_refusals(all, out);
	put_listeners(all, out);
	ses_buf_append_str(out,
			   "<p class=\"soft\">This page loads itself again "
			   "every five seconds. "
			   "<a href=\"/status.json\">As JSON</a>, "
			   "<a href=\"/metrics\">for Prometheus</a>, "
			   "<a href=\"/metrics/cluster\">of all gateways of "
			   "the backplane</a>. "
			   "Configuration: <code>");
	put(out, text_of(json_object_get(all, "configuration"), "file"));
	ses_buf_append_str(out, "</code></p>\n");
	end_page(out);
	return 0;
}

/* A row of two cells; the second one is what is put between the two. */
static void begin_row(struct ses_buf *out, const char *name)
{
	ses_buf_printf(out, "<tr><th>%s</th><td>", name);
}

static void end_row(struct ses_buf *out)
{
	ses_buf_append_str(out, "</td></tr>\n");
}

static void put_field(struct ses_buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	begin_row(out, name);
	put(out, value);
	end_row(out);
}

static void put_story(const json_t *s, struct ses_buf *out)
{
	const char *origin = text_of(s, "origin");

	ses_buf_append_str(out, "<h1>");
	put(out, text_of(s, "reference"));
	ses_buf_append_str(out, is(s, "observed") ? ": would be refused, "
						  : ": refused, ");
	put(out, text_of(s, "cause"));
	ses_buf_append_str(out, "</h1>\n<p class=\"summary\">");
	put(out, text_of(s, "sentence"));
	ses_buf_append_str(out, "</p>\n<table>\n");
	begin_row(out, "when");
	put_when(out, number_of(s, "time_ms"));
	end_row(out);
	put_field(out, "by", text_of(s, "node"));
	put_field(out, "asked", text_of(s, "target"));
	put_field(out, "at", text_of(s, "listener"));
	put_field(out, "from", text_of(s, "address"));
	put_field(out, "through", text_of(s, "hops"));
	put_field(out, "Host", text_of(s, "host"));
	put_field(out, "Origin", *origin ? origin : "(none was sent)");
	put_field(out, "User-Agent", text_of(s, "user_agent"));
	put_field(out, "route", text_of(s, "route"));
	put_field(out, "behind it", text_of(s, "upstream"));
	begin_row(out, "rule");
	put_rule(s, out);
	end_row(out);
	put_field(out, "compared", text_of(s, "compared"));
	put_field(out, "nearest", text_of(s, "nearest"));
	ses_buf_append_str(out, "</table>\n<h2>What can be done</h2>\n"
				"<pre tabindex=\"0\">");
	put(out, text_of(s, "advice"));
	ses_buf_append_str(out, "</pre>\n<p><a href=\"/\">Status</a></p>\n");
}

static void put_story_page(const json_t *s, struct ses_buf *out)
{
	begin_page(out, text_of(s, "reference"), false);
	put_story(s, out);
	end_page(out);
}

bool gate_status_story_page(const struct gate_story *story, struct ses_buf *out)
{
	json_t *s = gate_status_story(story);

	if (s)
		put_story_page(s, out);
	json_decref(s);
	return s != NULL;
}

bool gate_status_refusal_page(const json_t *all, struct bytes reference,
			      struct ses_buf *out)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(all, "refusals"), i, s)
	{
		if (!bytes_equal(bytes_of_str(text_of(s, "reference")),
				 reference))
			continue;
		put_story_page(s, out);
		return true;
	}
	return false;
}
