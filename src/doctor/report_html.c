/* SPDX-License-Identifier: MIT */
/*
 * The diagnosis as one page to attach to a ticket: no script, nothing loaded
 * from anywhere, a policy that forbids both should something slip through. All
 * of it was written by strangers at some point, so every text is redacted, made
 * printable and escaped on its way in, by put_text() and its kin alone.
 */
#include "doctor/report.h"

#include <stdio.h>
#include <stdlib.h>

#include <sesame/version.h>

#include "base/base64.h"
#include "base/percent.h"
#include "doctor/compare.h"
#include "doctor/redact.h"
#include "wire/digest.h"

#define HEAD_LIMIT   (8 * 1024) /* of a head that is shown */
#define BODY_LIMIT   (4 * 1024) /* of an answer's body */
#define HEAVY_WEIGHT 6.0	/* log odds that fill a bar */
#define BAR_LENGTH   96

struct page {
	const struct doctor_chart *chart;
	const struct doctor_verdict *v;
	struct ses_buf *out;
	int error;
	char text[16384]; /* room to redact in */
};

#define put(pg, ...)                             \
	((pg)->error = (pg)->error ? (pg)->error \
				   : ses_buf_printf((pg)->out, __VA_ARGS__))

static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1c20;--soft:#545862;"
	"--line:#d4d6dc;--box:#f3f4f7;--good:#0b6b2f;--bad:#b3261e;"
	"--warn:#7a4d00;--link:#174ea6}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#15171b;--fg:#e7e8ec;"
	"--soft:#aab0bc;--line:#3a3e47;--box:#20232a;--good:#6fdc8c;"
	"--bad:#ff8f85;--warn:#ffcf70;--link:#9ec1ff}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--bg);color:var(--fg);"
	"font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
	"main,footer{max-width:52rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0 .5rem}\n"
	"h2{font-size:1.15rem;margin:1.75rem 0 .5rem}\n"
	"h3{font-size:1rem;margin:0}\n"
	"p{margin:.35rem 0}\nol,ul{padding-left:1.5rem;margin:.5rem 0}\n"
	"li{margin:.35rem 0}\n"
	".soft,.where,footer{color:var(--soft)}\n"
	".good{color:var(--good)}\n.bad{color:var(--bad)}\n"
	".warn{color:var(--warn)}\n"
	".summary{font-size:1.15rem}\n"
	"code,pre,.asked{font-family:ui-monospace,monospace;font-size:.9rem}\n"
	"pre{background:var(--box);border:1px solid var(--line);"
	"border-radius:.4rem;padding:.6rem .75rem;margin:.4rem 0;"
	"overflow-x:auto;overflow-wrap:normal;tab-size:4}\n"
	"pre.paste{user-select:all;-webkit-user-select:all}\n"
	".pair{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}\n"
	".side{border:1px solid var(--line);border-left:.3rem solid;"
	"border-radius:.4rem;padding:.6rem .75rem}\n"
	".side p{color:var(--fg);font-weight:600}\n"
	".weights{list-style:none;padding:0}\n"
	".weights li{display:grid;grid-template-columns:6.5rem "
	"1fr;gap:.75rem}\n"
	".weights svg{margin-top:.5rem}\n"
	".bar{fill:var(--good)}\n.against{fill:var(--bad)}\n"
	".rail{fill:var(--line)}\n"
	".path{list-style:none;padding:0;border-left:.2rem solid var(--line);"
	"margin-left:.35rem}\n"
	".path li{padding-left:.9rem}\n"
	"details{border:1px solid var(--line);border-radius:.4rem;"
	"margin:.4rem 0;padding:.4rem .75rem}\n"
	"summary{cursor:pointer;display:flex;flex-wrap:wrap;gap:.25rem "
	".75rem}\n"
	"summary::before{content:'\\25b8'}\n"
	"details[open]>summary::before{content:'\\25be'}\n"
	"summary b{margin-left:auto}\n"
	"details h3{margin-top:.6rem}\n"
	":focus-visible{outline:.15rem solid "
	"var(--link);outline-offset:.1rem}\n"
	"@media(max-width:36rem){.pair{grid-template-columns:1fr}"
	"summary b{margin-left:0}"
	".weights li{grid-template-columns:1fr;gap:0}}\n"
	"@media print{pre{white-space:pre-wrap;overflow-wrap:anywhere}"
	"details::details-content{content-visibility:visible;"
	"block-size:auto}section,.side,li{break-inside:avoid}}\n";

/* ---- texts ---- */

/* @text as it stands between tags and in attributes. */
static void escape(struct page *pg, const char *text)
{
	for (; *text && !pg->error; text++) {
		size_t plain = strcspn(text, "&<>\"'");

		pg->error = ses_buf_append(pg->out, bytes_of(text, plain));
		text += plain;
		if (!*text)
			return;
		put(pg, "&#%d;", *text);
	}
}

/* A text of ours, which may quote others. */
static void put_text(struct page *pg, const char *text)
{
	escape(pg, doctor_redact_lines(pg->chart->c, text, pg->text,
				       sizeof(pg->text)));
}

static void put_element(struct page *pg, const char *name, const char *class,
			const char *text)
{
	put(pg, "<%s%s%s%s>", name, *class ? " class=\"" : "", class,
	    *class ? "\"" : "");
	put_text(pg, text);
	put(pg, "</%s>\n", name);
}

static void open_section(struct page *pg, const char *id, const char *title)
{
	put(pg, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id,
	    id, title);
}

static void close_section(struct page *pg)
{
	put(pg, "</section>\n");
}

/* ---- the head ---- */

/* The hash that lets this one style in: 'sha256-...' */
static void put_style_hash(struct page *pg)
{
	char hex[SES_HEX_LEN], text[SES_BASE64_LEN(32)];
	uint8_t digest[32];

	if (!ses_digest_hex("SHA256", BYTES(style), hex)) {
		put(pg, "'unsafe-inline'");
		return;
	}
	for (size_t i = 0; i < sizeof(digest); i++)
		digest[i] = (uint8_t)(ses_hex_digit((uint8_t)hex[2 * i]) * 16 +
				      ses_hex_digit((uint8_t)hex[2 * i + 1]));
	ses_base64_encode(bytes_of(digest, sizeof(digest)), text);
	put(pg, "'sha256-%.*s'", (int)sizeof(text), text);
}

static const char *name_of_verdict(const struct doctor_verdict *v)
{
	return doctor_standing(v) == DOCTOR_UNKNOWN ? "no verdict"
						    : why_cause(v->cause)->id;
}

static void put_head(struct page *pg)
{
	put(pg, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" "
		"content=\"default-src 'none'; style-src ");
	put_style_hash(pg);
	put(pg, "; base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n<title>");
	put(pg, "%s: ", name_of_verdict(pg->v));
	put_text(pg, pg->v->summary);
	put(pg, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", style);
}

/* ---- the verdict ---- */

static void put_asked(struct page *pg)
{
	const struct doctor_case *c = pg->chart->c;
	char url[4096];

	put(pg, "<p class=\"asked soft\">");
	escape(pg, doctor_redact_url(c, url, sizeof(url)));
	if (c->origin) {
		put(pg, "<br>Origin: ");
		put_text(pg, c->origin);
	}
	if (c->proxy &&
	    ses_url_redact(bytes_of_str(c->proxy), url, sizeof(url)) >= 0) {
		put(pg, "<br>through ");
		put_text(pg, url);
		if (c->proxy_from)
			put(pg, " (%s)", c->proxy_from);
	}
	put(pg, "</p>\n");
}

static void put_title(struct page *pg)
{
	static const struct {
		const char *mark, *class;
	} marks[] = {[DOCTOR_FINE] = {"✓", "good"},
		     [DOCTOR_FLAWED] = {"!", "warn"},
		     [DOCTOR_REFUSES] = {"✗", "bad"},
		     [DOCTOR_UNSURE] = {"?", "warn"},
		     [DOCTOR_UNKNOWN] = {"?", "warn"}};
	enum doctor_standing standing = doctor_standing(pg->v);

	put(pg,
	    "<h1><span class=\"%s\"><span aria-hidden=\"true\">%s</span> "
	    "%s%s</span></h1>\n",
	    marks[standing].class, marks[standing].mark,
	    standing == DOCTOR_UNSURE ? "no verdict; likeliest: " : "",
	    name_of_verdict(pg->v));
}

static void put_responder(struct page *pg)
{
	const char *layer = doctor_say_layer(pg->v->layer);

	if (!*pg->v->refused_by)
		return;
	put(pg, " Refused by ");
	put_text(pg, pg->v->refused_by);
	if (layer)
		put(pg, " (%s)", layer);
	if (*pg->v->reference) {
		put(pg, ", reference ");
		put_text(pg, pg->v->reference);
		put(pg, ". The gateway's operator runs: "
			"<code>sesame why ");
		put_text(pg, pg->v->reference);
		put(pg, "</code>");
	}
	put(pg, ".");
}

/* How sure, who has to act, who refused. */
static void put_words(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	const char *sure = doctor_say_confidence(v->confidence);

	put(pg, "<p>%c%s (%.0f&nbsp;%%). %s", *sure - 0x20, sure + 1,
	    v->confidence * 100, doctor_say_who(v));
	put_responder(pg);
	put(pg, "</p>\n");
}

static void put_verdict(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;

	put(pg, "<header>\n");
	put_asked(pg);
	put_title(pg);
	put_element(pg, "p", "summary", v->summary);
	if (doctor_standing(v) != DOCTOR_UNKNOWN)
		put_words(pg);
	if (pg->chart->stopped) {
		put(pg, "<p class=\"warn\">No more was tried: ");
		put_text(pg, pg->chart->stopped);
		put(pg, ".</p>\n");
	}
	put(pg, "</header>\n");
}

/* ---- proof and remedy ---- */

static void put_side(struct page *pg, const char *name, const char *change,
		     const char *result, bool good)
{
	put(pg, "<div class=\"side %s\">\n<h3>%s: ", good ? "good" : "bad",
	    name);
	put_text(pg, change);
	put(pg, "</h3>\n");
	put_element(pg, "p", "", result);
	put(pg, "</div>\n");
}

static void put_proof(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	bool opens = strcmp(v->outcome, "open") == 0;
	char result[1024], repeats[40];

	if (!v->proof.given || pg->chart->n_probes == 0) {
		if (!opens && pg->chart->n_probes > 1)
			put(pg, "<p class=\"soft\">No single change of the "
				"request had another outcome, so there is no "
				"proof; the verdict rests on the evidence "
				"below.</p>\n");
		return;
	}
	open_section(pg, "proof", "Proof");
	put(pg, "<div class=\"pair\">\n");
	doctor_result_often(pg->chart, pg->chart->probe[0], result,
			    sizeof(result));
	put_side(pg, "A", "as asked", result, opens);
	put_side(pg, "B", v->proof.changed, v->proof.result, !opens);
	doctor_say_repeats(v->proof.repeated, repeats, sizeof(repeats));
	put(pg, "</div>\n<p class=\"soft\">B is handshake %d%s%s.</p>\n",
	    v->proof.probe, *repeats ? ", " : "", repeats);
	close_section(pg);
}

static void put_snippet(struct page *pg, const char *snippet, size_t number)
{
	put(pg,
	    "<pre class=\"paste\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"lines to paste, %zu\"><code>",
	    number);
	put_text(pg, snippet);
	put(pg, "</code></pre>\n");
}

static void put_fix(struct page *pg, const struct doctor_fix *fix, size_t number)
{
	put(pg, "<li>");
	put_element(pg, "p", "", fix->what);
	put(pg, "<p class=\"where\">→ %s%s", fix->who, *fix->where ? ": " : "");
	put_text(pg, fix->where);
	put(pg, "</p>\n");
	if (*fix->snippet)
		put_snippet(pg, fix->snippet, number);
	put(pg, "</li>\n");
}

static void put_fixes(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;

	if (v->n_fixes == 0 || doctor_standing(v) == DOCTOR_FINE)
		return;
	open_section(pg, "fix",
		     v->confidence < 0.5 ? "What may open it" : "What opens it");
	put(pg, "<ol>\n");
	for (size_t i = 0; i < v->n_fixes; i++)
		put_fix(pg, &v->fix[i], i + 1);
	put(pg, "</ol>\n");
	close_section(pg);
}

/* ---- what led there ---- */

static void put_bar(struct page *pg, double share, const char *class,
		    const char *label)
{
	double length = share < 0 ? 0 : share > 1 ? 1 : share;

	put(pg,
	    "<svg width=\"%d\" height=\"8\" role=\"img\" aria-label=\"%s\">"
	    "<rect class=\"rail\" width=\"%d\" height=\"8\"/>"
	    "<rect class=\"%s\" width=\"%.0f\" height=\"8\"/></svg>",
	    BAR_LENGTH, label, BAR_LENGTH, class, length * BAR_LENGTH);
}

static void put_evidence(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;

	if (v->n_evidence == 0)
		return;
	open_section(pg, "evidence", "Evidence");
	put(pg, "<ul class=\"weights\">\n");
	for (size_t i = 0; i < v->n_evidence; i++) {
		double weight = v->evidence_weight[i];
		char label[40], text[sizeof(v->evidence[0]) + 8];

		snprintf(label, sizeof(label), "weight %+.1f", weight);
		put(pg, "<li>");
		put_bar(pg, (weight < 0 ? -weight : weight) / HEAVY_WEIGHT,
			weight < 0 ? "against" : "bar", label);
		put_element(pg, "span", "",
			    doctor_say_evidence(v, i, text, sizeof(text)));
		put(pg, "</li>\n");
	}
	put(pg, "</ul>\n");
	close_section(pg);
}

static void put_alternatives(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;

	if (v->n_alternatives == 0)
		return;
	open_section(pg, "alternatives", "Could it be something else?");
	put(pg, "<ul class=\"weights\">\n");
	for (size_t i = 0; i < v->n_alternatives; i++) {
		double p = v->alternative[i].confidence;
		char label[40];

		snprintf(label, sizeof(label), "%.0f per cent", p * 100);
		put(pg, "<li>");
		put_bar(pg, p, "bar", label);
		put(pg, "<div><b>%s</b> (%.0f&nbsp;%%)\n",
		    why_cause(v->alternative[i].cause)->id, p * 100);
		if (*v->alternative[i].tell_apart)
			put_element(pg, "p", "", v->alternative[i].tell_apart);
		put(pg, "</div></li>\n");
	}
	put(pg, "</ul>\n");
	close_section(pg);
}

static void put_hops(struct page *pg)
{
	if (pg->v->n_hops == 0)
		return;
	open_section(pg, "hops", "On the way");
	put(pg, "<ol class=\"path\">\n<li>this machine</li>\n");
	for (size_t i = 0; i < pg->v->n_hops; i++)
		put_element(pg, "li", "", pg->v->hop[i]);
	put(pg, "</ol>\n");
	close_section(pg);
}

static void put_remarks(struct page *pg)
{
	const char *remark = doctor_remark(pg->chart, 0);

	if (!remark)
		return;
	open_section(pg, "request", "About the request");
	put(pg, "<ul>\n");
	for (size_t i = 0; (remark = doctor_remark(pg->chart, i)); i++)
		put_element(pg, "li", "", remark);
	put(pg, "</ul>\n");
	close_section(pg);
}

/* ---- the handshakes ---- */

/* Open a box of things that were said; @of what and of which probe. */
static void open_box(struct page *pg, const char *title, int n)
{
	put(pg,
	    "<h3>%s</h3>\n<pre tabindex=\"0\" role=\"region\" "
	    "aria-label=\"%s of handshake %d\">",
	    title, title, n);
}

/* What is too long for a page is cut, and says so. */
static void escape_cut(struct page *pg, struct bytes text, size_t limit)
{
	char *copy = malloc(limit + 8);
	size_t n = text.len < limit ? text.len : limit;

	if (!copy) {
		pg->error = SESAME_ENOMEM;
		return;
	}
	while (n > 0 && n < text.len && (text.data[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(copy, text.data, n);
	snprintf(copy + n, 8, "%s", n < text.len ? "…" : "");
	escape(pg, copy);
	free(copy);
}

static void put_message(struct page *pg, const char *title, int n,
			struct bytes head, struct bytes body)
{
	struct ses_buf lines;

	if (head.len == 0 || pg->error)
		return;
	ses_buf_init(&lines, 1024 * 1024);
	pg->error = doctor_redact_head(pg->chart->c, head, "", &lines);
	open_box(pg, title, n);
	escape_cut(pg, ses_buf_bytes(&lines), HEAD_LIMIT);
	ses_buf_fini(&lines);
	if (body.len > 0) {
		/* an end that was cut off hides the beginning of a secret */
		doctor_redact(pg->chart->c, bytes_first(body, 2 * BODY_LIMIT),
			      pg->text, sizeof(pg->text));
		put(pg, "\n");
		escape_cut(pg, bytes_of_str(pg->text), BODY_LIMIT);
	}
	put(pg, "</pre>\n");
}

static void put_steps(struct page *pg, const struct doctor_probe *p)
{
	if (p->dial.n_steps == 0)
		return;
	put(pg, "<h3>the way there</h3>\n<ol>\n");
	for (size_t i = 0; i < p->dial.n_steps; i++) {
		const struct ses_dial_step *step = &p->dial.step[i];
		char what[200];

		put(pg, "<li>%s ", doctor_say_step(step->kind));
		put_text(pg, doctor_say_object(step, what, sizeof(what)));
		put(pg, ": ");
		put_text(pg, doctor_say_outcome(step));
		put(pg, " (%.1f&nbsp;ms)</li>\n", (double)step->took_us / 1000);
	}
	put(pg, "</ol>\n");
}

static void put_probe(struct page *pg, const struct doctor_probe *p)
{
	struct bytes body = bytes_of(p->body, p->body_len);
	char text[1024];

	put(pg, "<details>\n<summary><span>%d.</span><span>", p->n);
	put_text(pg, doctor_say_change(pg->chart->c, p, text, sizeof(text)));
	put(pg, "</span><b class=\"%s\">",
	    p->outcome == DOCTOR_OPEN ? "good" : "");
	put_text(pg, doctor_result_text(p, text, sizeof(text)));
	put(pg, "</b><span class=\"soft\">%.0f&nbsp;ms</span></summary>\n",
	    p->ms);
	if (p->bare && doctor_has_credentials(pg->chart->c))
		put(pg, "<p>Asked without the credentials.</p>\n");
	put_steps(pg, p);
	put_message(pg, "request", p->n, bytes_of_str(p->request),
		    bytes_of(NULL, 0));
	put_message(pg, "the proxy's answer", p->n,
		    bytes_of(p->dial.proxy_head, p->dial.proxy_head_len),
		    bytes_of(p->dial.proxy_body, p->dial.proxy_body_len));
	put_message(pg, "answer", p->n, bytes_of(p->head, p->head_len), body);
	if (*p->first_message) {
		open_box(pg, "first message", p->n);
		put_text(pg, p->first_message);
		put(pg, "</pre>\n");
	}
	put(pg, "</details>\n");
}

static void put_probes(struct page *pg)
{
	if (pg->chart->n_probes == 0)
		return;
	open_section(pg, "handshakes", "Handshakes");
	for (size_t i = 0; i < pg->chart->n_probes; i++)
		put_probe(pg, pg->chart->probe[i]);
	close_section(pg);
}

/* ---- the end ---- */

static void put_footer(struct page *pg, double duration_ms, const char *command,
		       const char *when)
{
	put(pg, "</main>\n<footer>\n<h2>This report</h2>\n"
		"<p>Repeat it (*** stands for what is hidden here):</p>\n"
		"<pre class=\"paste\" tabindex=\"0\" role=\"region\" "
		"aria-label=\"the command\"><code>");
	escape(pg, command);
	put(pg,
	    "</code></pre>\n");
	if (doctor_standing(pg->v) != DOCTOR_UNKNOWN)
		put(pg,
		    "<p>More on this cause: <code>sesame explain "
		    "%s</code></p>\n",
		    why_cause(pg->v->cause)->id);
	put(pg, "<p>sesame %s, ", SESAME_VERSION);
	escape(pg, when);
	put(pg,
	    ", %zu handshake%s in %.1f&nbsp;s. Secrets are hidden as ***; "
	    "read it before you publish it.</p>\n</footer>\n</body>\n"
	    "</html>\n",
	    pg->chart->n_probes, pg->chart->n_probes == 1 ? "" : "s",
	    duration_ms / 1000);
}

int doctor_report_html(const struct doctor_chart *chart,
		       const struct doctor_verdict *verdict, double duration_ms,
		       const char *command, const char *when,
		       struct ses_buf *out)
{
	struct page *pg = calloc(1, sizeof(*pg));
	int r;

	if (!pg)
		return SESAME_ENOMEM;
	*pg = (struct page){.chart = chart, .v = verdict, .out = out};
	put_head(pg);
	put_verdict(pg);
	put_proof(pg);
	put_fixes(pg);
	put_evidence(pg);
	put_alternatives(pg);
	put_remarks(pg);
	put_hops(pg);
	put_probes(pg);
	put_footer(pg, duration_ms, command, when);
	r = pg->error;
	free(pg);
	return r;
}
