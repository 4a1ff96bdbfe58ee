/* SPDX-License-Identifier: MIT */
/*
 * The diagnosis for somebody who reads it at two in the morning: first what it
 * is, who has to act, how it was proved and what to change; below that, for
 * whoever doubts, everything that led there. Colour only repeats what the
 * words and marks say already.
 */
#include "doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"

#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define AMBER "\033[33m"
#define RESET "\033[0m"

#define BODY_COLUMNS 600 /* of an answer's body, in the long form */

/* What is being written, and the first error, after which nothing is. */
struct page {
	const struct doctor_chart *chart;
	const struct doctor_verdict *v;
	const struct doctor_look *look;
	struct ses_buf *out;
	int error;
	char text[8192]; /* room to redact in */
};

#define put(pg, ...)                             \
	((pg)->error = (pg)->error ? (pg)->error \
				   : ses_buf_printf((pg)->out, __VA_ARGS__))

static const char *paint(const struct page *pg, const char *colour)
{
	return pg->look->colour ? colour : "";
}

/* @text fit to be shown; valid until the next call. */
static const char *shown(struct page *pg, const char *text)
{
	return doctor_redact_lines(pg->chart->c, text, pg->text,
				   sizeof(pg->text));
}

static void wrap(struct page *pg, const char *text, int indent)
{
	if (!pg->error)
		pg->error = text_wrap(pg->out, shown(pg, text), indent,
				      pg->look->width);
}

static size_t columns(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void pad(struct page *pg, const char *text, size_t width)
{
	size_t n = columns(text);

	put(pg, "%s%*s", text, n < width ? (int)(width - n) : 0, "");
}

/* The same, with @label standing in the indent of the first line. */
static void item(struct page *pg, const char *label, const char *text,
		 int indent)
{
	struct ses_buf lines;
	struct bytes all;

	ses_buf_init(&lines, 64 * 1024);
	if (!pg->error)
		pg->error = text_wrap(&lines, shown(pg, text), indent,
				      pg->look->width);
	all = bytes_from(ses_buf_bytes(&lines), (size_t)indent);
	put(pg, "  ");
	pad(pg, label, (size_t)indent - 2);
	put(pg, "%.*s", BYTES_ARG(all));
	ses_buf_fini(&lines);
}

static void heading(struct page *pg, const char *title)
{
	put(pg, "\n%s%s%s\n", paint(pg, BOLD), title, paint(pg, RESET));
}

/* Copy at most @width columns of @text, marked where it was cut. */
static void fit(const char *text, size_t width, char *out, size_t size)
{
	size_t n = 0, used = 0;

	snprintf(out, size, "%s", text);
	if (columns(out) <= width)
		return;
	while (out[n] && used + 1 < width) {
		n++;
		while (((unsigned char)out[n] & 0xc0) == 0x80)
			n++;
		used++;
	}
	snprintf(out + n, size - n, "…");
}

/* ---- the verdict ---- */

static bool is_open(const struct page *pg)
{
	return strcmp(pg->v->outcome, "open") == 0;
}

/* Open, and yet a fault: in the browser, or a moment later. */
static bool is_fine(const struct page *pg)
{
	return is_open(pg) && pg->v->cause == WHY_OK;
}

static bool is_unsure(const struct page *pg)
{
	return !is_open(pg) && pg->v->confidence < DOCTOR_NO_VERDICT;
}

static const char *confidence_words(double confidence)
{
	static const struct {
		double from;
		const char *words;
	} scale[] = {
		{0.97, "practically certain"},
		{0.85, "very likely"},
		{0.65, "likely"},
		{0.45, "as likely as not"},
		{0.25, "the best of several guesses"},
	};

	for (size_t i = 0; i < sizeof(scale) / sizeof(scale[0]); i++)
		if (confidence >= scale[i].from)
			return scale[i].words;
	return "a mere guess";
}

static const char *who_acts(const char *who)
{
	static const char *const rows[][2] = {
		{"nobody", "Nobody has to act."},
		{"client", "The client has to act: the request must change."},
		{"proxy", "Whoever runs the proxy has to act."},
		{"server", "Whoever runs the server has to act."},
		{"network", "Whoever runs the network in between has to act."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i][0], who) == 0)
			return rows[i][1];
	return "";
}

static void put_mark(struct page *pg)
{
	const char *id = why_cause(pg->v->cause)->id;

	if (is_unsure(pg))
		put(pg, "%s%s? no verdict%s  likeliest: %s\n", paint(pg, BOLD),
		    paint(pg, AMBER), paint(pg, RESET), id);
	else
		put(pg, "%s%s%s %s%s\n", paint(pg, BOLD),
		    paint(pg, is_fine(pg)   ? GREEN
			      : is_open(pg) ? AMBER
					    : RED),
		    is_fine(pg)	  ? "✓"
		    : is_open(pg) ? "!"
				  : "✗",
		    id, paint(pg, RESET));
}

static void put_asked(struct page *pg)
{
	const struct doctor_case *c = pg->chart->c;
	char url[2048];

	doctor_redact_url(c, url, sizeof(url));
	put(pg, "%s%s", paint(pg, DIM), url);
	if (c->url_fault == SES_URL_HTTP && !c->url_error)
		put(pg, "  (asked as %s://)", c->url.tls ? "wss" : "ws");
	if (c->origin)
		put(pg, "  Origin: %s", shown(pg, c->origin));
	if (c->proxy_from) {
		if (ses_url_redact(bytes_of_str(c->proxy), url, sizeof(url)) < 0)
			snprintf(url, sizeof(url), "(a proxy)");
		put(pg, "  through %s", shown(pg, url));
		put(pg, " (%s)", c->proxy_from);
	}
	put(pg, "%s\n\n", paint(pg, RESET));
}

static void put_verdict(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	const char *layer = why_layer_name(v->layer);
	char line[512];

	put_asked(pg);
	put_mark(pg);
	wrap(pg, v->summary, 2);
	put(pg, "\n");
	snprintf(line, sizeof(line), "%s (%.0f %%). %s",
		 confidence_words(v->confidence), v->confidence * 100,
		 who_acts(v->who));
	if (line[0] >= 'a' && line[0] <= 'z')
		line[0] ^= 0x20;
	wrap(pg, line, 2);
	if (*v->refused_by) {
		snprintf(line, sizeof(line), "Refused by %s%s%s%s%s%s.",
			 v->refused_by, layer ? " (" : "", layer ? layer : "",
			 layer ? ")" : "", *v->reference ? ", reference " : "",
			 v->reference);
		wrap(pg, line, 2);
	}
	if (is_fine(pg) && !pg->chart->c->origin)
		wrap(pg,
		     "Asked without an Origin, as programs do. A browser sends "
		     "that of its page: when a page fails, name it with "
		     "--origin.",
		     2);
	if (pg->chart->stopped) {
		snprintf(line, sizeof(line), "No more was tried: %s.",
			 pg->chart->stopped);
		wrap(pg, line, 2);
	}
}

/* ---- proof and remedy ---- */

static void put_side(struct page *pg, const char *name, const char *sent,
		     size_t width, const char *result, bool good)
{
	char cell[512];

	fit(shown(pg, sent), width, cell, sizeof(cell));
	put(pg, "  %s  ", name);
	pad(pg, cell, width);
	put(pg, "  %s%s%s\n", paint(pg, good ? GREEN : RED), shown(pg, result),
	    paint(pg, RESET));
}

static void put_proof(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	char result[640];
	size_t width = columns(v->proof.changed);
	size_t room = (size_t)pg->look->width * 2 / 3;

	if (!v->proof.given || pg->chart->n_probes == 0) {
		if (!is_open(pg) && pg->chart->n_probes > 1)
			put(pg,
			    "\n  %sNo single change of the request had "
			    "another outcome, so there is no proof;\n  the "
			    "verdict rests on the evidence below.%s\n",
			    paint(pg, DIM), paint(pg, RESET));
		return;
	}
	heading(pg, "Proof");
	width = width < 8 ? 8 : width > room ? room : width;
	doctor_result_text(pg->chart->probe[0], result, sizeof(result));
	put_side(pg, "A", "as asked", width, result, is_open(pg));
	snprintf(result, sizeof(result), "%s", v->proof.result);
	put_side(pg, "B", v->proof.changed, width, result, !is_open(pg));
	if (v->proof.repeated == 1)
		put(pg, "     %sProbe %d, confirmed once.%s\n", paint(pg, DIM),
		    v->proof.probe, paint(pg, RESET));
	else if (v->proof.repeated > 1)
		put(pg, "     %sProbe %d, confirmed %d times.%s\n",
		    paint(pg, DIM), v->proof.probe, v->proof.repeated,
		    paint(pg, RESET));
	else
		put(pg, "     %sProbe %d.%s\n", paint(pg, DIM), v->proof.probe,
		    paint(pg, RESET));
}

/* Lines to paste: never wrapped, a tab as four blanks. */
static void put_snippet(struct page *pg, const char *snippet)
{
	const char *text = shown(pg, snippet);
	bool start = true;

	for (; *text; text++) {
		if (start)
			put(pg, "         %s", paint(pg, GREEN));
		start = *text == '\n';
		if (start)
			put(pg, "%s\n", paint(pg, RESET));
		else if (*text == '\t')
			put(pg, "    ");
		else
			put(pg, "%c", *text);
	}
	if (!start)
		put(pg, "%s\n", paint(pg, RESET));
}

static void put_fix(struct page *pg, size_t number, const struct doctor_fix *fix)
{
	char label[24], where[240];

	snprintf(label, sizeof(label), "%zu.", number);
	item(pg, label, fix->what, 5);
	snprintf(where, sizeof(where), "%s%s%s", fix->who,
		 *fix->where ? ": " : "", fix->where);
	put(pg, "     %s→ %s%s\n", paint(pg, DIM), shown(pg, where),
	    paint(pg, RESET));
	if (*fix->snippet)
		put_snippet(pg, fix->snippet);
}

static void put_fixes(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;

	if (v->n_fixes == 0 || is_fine(pg))
		return;
	heading(pg, v->confidence < 0.5 ? "What may open it" : "What opens it");
	for (size_t i = 0; i < v->n_fixes; i++)
		put_fix(pg, i + 1, &v->fix[i]);
}

/* ---- what led there ---- */

/* Log odds as a length: each sign is about a factor of five. */
static const char *weight_sign(double weight)
{
	if (weight < 0)
		return weight < -1.6 ? "−−" : "−";
	return weight >= 3.2 ? "+++" : weight >= 1.6 ? "++" : "+";
}

static void put_evidence(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;

	if (v->n_evidence == 0)
		return;
	heading(pg, "Evidence");
	for (size_t i = 0; i < v->n_evidence; i++)
		item(pg,
		     v->evidence_weight[i] != 0
			     ? weight_sign(v->evidence_weight[i])
			     : "·",
		     v->evidence[i], 6);
}

static void put_alternatives(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;

	if (v->n_alternatives == 0)
		return;
	heading(pg, "Could it be something else?");
	for (size_t i = 0; i < v->n_alternatives; i++) {
		put(pg, "  %s (%.0f %%)\n",
		    why_cause(v->alternative[i].cause)->id,
		    v->alternative[i].confidence * 100);
		if (*v->alternative[i].tell_apart)
			wrap(pg, v->alternative[i].tell_apart, 6);
	}
}

static const char *changed(struct page *pg, const struct doctor_probe *p,
			   char *out, size_t size)
{
	if (p->trial.change == DOCTOR_NOTHING)
		snprintf(out, size, p->n == 1 ? "as asked" : "as asked, again");
	else
		doctor_trial_text(pg->chart->c, &p->trial, out, size);
	return out;
}

static void put_probe_row(struct page *pg, const struct doctor_probe *p,
			  size_t first, size_t second)
{
	char text[1024], cell[1024];

	put(pg, "  %2d  ", p->n);
	changed(pg, p, text, sizeof(text));
	fit(text, first, cell, sizeof(cell));
	pad(pg, cell, first);
	doctor_result_text(p, text, sizeof(text));
	fit(shown(pg, text), second, cell, sizeof(cell));
	put(pg, "  %s", paint(pg, p->outcome == DOCTOR_OPEN ? GREEN : ""));
	pad(pg, cell, second);
	put(pg, "%s %6.0f ms\n",
	    paint(pg, p->outcome == DOCTOR_OPEN ? RESET : ""), p->ms);
}

static void put_probes(struct page *pg)
{
	size_t longest = 17, second = 3, room;
	char text[1024];

	if (pg->chart->n_probes == 0)
		return;
	for (size_t i = 0; i < pg->chart->n_probes; i++) {
		const struct doctor_probe *p = pg->chart->probe[i];
		size_t n = columns(changed(pg, p, text, sizeof(text)));

		longest = n > longest ? n : longest;
		n = columns(shown(pg, doctor_result_text(p, text, sizeof(text))));
		second = n > second ? n : second;
	}
	/* the result is what one looks for: it gives way last */
	room = (size_t)pg->look->width - 18;
	if (second > room * 3 / 5)
		second = room * 3 / 5;
	if (longest > room - second)
		longest = room - second;
	heading(pg, "Handshakes");
	for (size_t i = 0; i < pg->chart->n_probes; i++)
		put_probe_row(pg, pg->chart->probe[i], longest, second);
}

static void put_hops(struct page *pg)
{
	if (pg->v->n_hops == 0)
		return;
	heading(pg, "On the way, from here on");
	for (size_t i = 0; i < pg->v->n_hops; i++)
		wrap(pg, pg->v->hop[i], 2);
}

/* ---- the long form ---- */

static void put_steps(struct page *pg, const struct doctor_probe *p)
{
	static const char *const names[] = {
		[SES_DIAL_NAMES] = "names",
		[SES_DIAL_CONNECT] = "connect",
		[SES_DIAL_PROXY] = "proxy",
		[SES_DIAL_TLS] = "TLS",
	};

	for (size_t i = 0; i < p->dial.n_steps; i++) {
		const struct ses_dial_step *step = &p->dial.step[i];
		char what[200];

		if (ses_url_redact(bytes_of_str(step->what), what,
				   sizeof(what)) < 0)
			what[0] = 0;
		put(pg, "      %8.1f ms %+8.1f ms  %-8s %s",
		    (double)step->start_us / 1000, (double)step->took_us / 1000,
		    names[step->kind], shown(pg, what));
		put(pg, "  %s\n",
		    shown(pg, *step->text   ? step->text
			      : step->error ? sesame_strerror(step->error)
					    : "done"));
	}
	if (p->dial.n_steps > 0 && p->status)
		put(pg, "      %8.1f ms              answer\n", p->ms);
}

static void put_head(struct page *pg, struct bytes head, const char *prefix)
{
	if (!pg->error && head.len > 0)
		pg->error =
			doctor_redact_head(pg->chart->c, head, prefix, pg->out);
}

static void put_body(struct page *pg, const struct doctor_probe *p)
{
	char text[BODY_COLUMNS * 5];

	if (p->body_len == 0)
		return;
	doctor_redact(pg->chart->c, bytes_of(p->body, p->body_len), pg->text,
		      sizeof(pg->text));
	fit(pg->text, BODY_COLUMNS, text, sizeof(text));
	put(pg, "      < %s\n", text);
}

static void put_conversation(struct page *pg, const struct doctor_probe *p)
{
	char text[1024];

	put(pg, "\n  %sprobe %d: %s%s\n", paint(pg, BOLD), p->n,
	    changed(pg, p, text, sizeof(text)), paint(pg, RESET));
	put_steps(pg, p);
	put_head(pg, bytes_of_str(p->request), "      > ");
	put_head(pg, bytes_of(p->dial.proxy_head, p->dial.proxy_head_len),
		 "      proxy < ");
	put_head(pg, bytes_of(p->head, p->head_len), "      < ");
	put_body(pg, p);
	if (*p->first_message)
		put(pg, "      < message: %s\n", shown(pg, p->first_message));
	put(pg, "      = %s",
	    shown(pg, doctor_result_text(p, text, sizeof(text))));
	if (p->bare && doctor_has_credentials(pg->chart->c))
		put(pg, "  (without your credentials)");
	put(pg, "\n");
}

static void put_conversations(struct page *pg)
{
	if (!pg->chart->c->verbose || pg->chart->n_probes == 0)
		return;
	heading(pg, "What was said (> sent, < received)");
	for (size_t i = 0; i < pg->chart->n_probes; i++)
		put_conversation(pg, pg->chart->probe[i]);
}

static void put_closing(struct page *pg, double duration_ms)
{
	put(pg, "\n%s%zu handshake%s in %.1f s.", paint(pg, DIM),
	    pg->chart->n_probes, pg->chart->n_probes == 1 ? "" : "s",
	    duration_ms / 1000);
	if (!is_fine(pg))
		put(pg, "\nMore on this cause: sesame explain %s",
		    why_cause(pg->v->cause)->id);
	put(pg, "%s\n", paint(pg, RESET));
}

static void put_line(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	const char *id = why_cause(v->cause)->id;

	if (is_fine(pg))
		put(pg, "open: %s\n", shown(pg, v->summary));
	else
		put(pg, "%s: %s%s (%.0f %%): %s\n",
		    pg->chart->c->url_error ? "not asked" : v->outcome,
		    is_unsure(pg) ? "no verdict, likeliest " : "", id,
		    v->confidence * 100, shown(pg, v->summary));
}

int doctor_report_text(const struct doctor_chart *chart,
		       const struct doctor_verdict *verdict, double duration_ms,
		       const struct doctor_look *look, struct ses_buf *out)
{
	struct page pg = {.chart = chart, .v = verdict, .look = look, .out = out};

	if (chart->c->quiet) {
		put_line(&pg);
		return pg.error;
	}
	put_verdict(&pg);
	put_proof(&pg);
	put_fixes(&pg);
	put_evidence(&pg);
	put_alternatives(&pg);
	put_probes(&pg);
	put_hops(&pg);
	put_conversations(&pg);
	put_closing(&pg, duration_ms);
	return pg.error;
}
