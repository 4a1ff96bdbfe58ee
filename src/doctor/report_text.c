/* SPDX-License-Identifier: MIT */
/*
 * The diagnosis for somebody who reads it at two in the morning: first what it
 * is, who has to act, how it was proved and what to change, on one screen;
 * below that, for whoever doubts, everything that led there. What is too long
 * for the screen is cut there and comes whole after it. Colour only repeats
 * what the words and marks say already.
 */
#include "doctor/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "doctor/compare.h"
#include "doctor/redact.h"
#include "doctor/sheet.h"

#define BODY_COLUMNS 600 /* of an answer's body, in the long form */

/* Verdict, proof and remedy together, and what each may take at most. */
#define SCREEN_LINES  24
#define SUMMARY_LINES 4
#define WORDS_LINES   3
#define STOPPED_LINES 2
#define WHAT_LINES    3
#define PROOF_LINES   2 /* of each side */
#define CELL_LINES    4 /* of a cell of the table */

struct page {
	struct doctor_sheet sheet;
	const struct doctor_chart *chart;
	const struct doctor_verdict *v;
	char text[8192]; /* room to redact in */
	size_t n_shown;	 /* remedies that stand whole on the first screen */
	bool summary_cut, asked_cut;
};

#define put(pg, ...) doctor_sheet_put(&(pg)->sheet, __VA_ARGS__)

static const char *paint(const struct page *pg, const char *colour)
{
	return doctor_sheet_paint(&pg->sheet, colour);
}

/* @text fit to be shown; valid until the next call. */
static const char *shown(struct page *pg, const char *text)
{
	return doctor_redact_lines(pg->chart->c, text, pg->text,
				   sizeof(pg->text));
}

/* As doctor_sheet_text(), of what others may have written. */
static bool put_text(struct page *pg, const char *label, const char *text,
		     int indent, size_t max)
{
	return doctor_sheet_text(&pg->sheet, label, shown(pg, text), indent,
				 max);
}

static void wrap(struct page *pg, const char *text, int indent)
{
	put_text(pg, "", text, indent, SHEET_ANY_LINES);
}

static void item(struct page *pg, const char *label, const char *text,
		 int indent)
{
	put_text(pg, label, text, indent, SHEET_ANY_LINES);
}

static void heading(struct page *pg, const char *title)
{
	doctor_sheet_heading(&pg->sheet, title);
}

/* ---- the verdict ---- */

static bool opens(const struct page *pg)
{
	return strcmp(pg->v->outcome, "open") == 0;
}

static void put_mark(struct page *pg)
{
	static const struct {
		const char *mark, *colour;
	} marks[] = {[DOCTOR_FINE] = {"✓", SHEET_GREEN},
		     [DOCTOR_FLAWED] = {"!", SHEET_AMBER},
		     [DOCTOR_REFUSES] = {"✗", SHEET_RED},
		     [DOCTOR_UNSURE] = {"?", SHEET_AMBER},
		     [DOCTOR_UNKNOWN] = {"?", SHEET_AMBER}};
	enum doctor_standing standing = doctor_standing(pg->v);
	const char *id = why_cause(pg->v->cause)->id;

	put(pg, "%s%s%s ", paint(pg, SHEET_BOLD),
	    paint(pg, marks[standing].colour), marks[standing].mark);
	if (standing == DOCTOR_UNKNOWN)
		put(pg, "no verdict%s\n", paint(pg, SHEET_RESET));
	else if (standing == DOCTOR_UNSURE)
		put(pg, "no verdict%s  likeliest: %s\n", paint(pg, SHEET_RESET),
		    id);
	else
		put(pg, "%s%s\n", id, paint(pg, SHEET_RESET));
}

/* What was asked, on one line. */
static void put_asked(struct page *pg)
{
	const struct doctor_case *c = pg->chart->c;
	char url[2048], line[4096], cell[4096];
	size_t n;

	doctor_redact_url(c, url, sizeof(url));
	n = (size_t)snprintf(line, sizeof(line), "%s", url);
	if (c->url_fault == SES_URL_HTTP && !c->url_error)
		n += (size_t)snprintf(line + n, sizeof(line) - n,
				      "  (asked as %s://)",
				      c->url.tls ? "wss" : "ws");
	if (c->origin)
		n += (size_t)snprintf(line + n, sizeof(line) - n,
				      "  Origin: %.600s", shown(pg, c->origin));
	if (c->proxy_from) {
		if (ses_url_redact(bytes_of_str(c->proxy), url, sizeof(url)) < 0)
			snprintf(url, sizeof(url), "(a proxy)");
		snprintf(line + n, sizeof(line) - n, "  through %.600s (%s)",
			 shown(pg, url), c->proxy_from);
	}
	pg->asked_cut = doctor_sheet_fit(line, (size_t)pg->sheet.width, cell,
					 sizeof(cell));
	put(pg, "%s%s%s\n\n", paint(pg, SHEET_DIM), cell,
	    paint(pg, SHEET_RESET));
}

/* How sure, who has to act, who refused. */
static void put_words(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	const char *layer = doctor_say_layer(v->layer);
	char line[1024];
	size_t n;

	n = (size_t)snprintf(line, sizeof(line), "%s (%.0f %%). %s",
			     doctor_say_confidence(v->confidence),
			     v->confidence * 100, doctor_say_who(v));
	if (line[0] >= 'a' && line[0] <= 'z')
		line[0] ^= 0x20;
	if (*v->refused_by)
		n += (size_t)snprintf(
			line + n, sizeof(line) - n, " Refused by %s%s%s%s%s%s.",
			v->refused_by, layer ? " (" : "", layer ? layer : "",
			layer ? ")" : "", *v->reference ? ", reference " : "",
			v->reference);
	if (*v->reference && n < sizeof(line))
		snprintf(line + n, sizeof(line) - n,
			 " The gateway's operator runs: sesame why %s.",
			 v->reference);
	put_text(pg, "", line, 2, WORDS_LINES);
}

static void put_stopped(struct page *pg)
{
	char line[1024];

	if (!pg->chart->stopped)
		return;
	snprintf(line, sizeof(line), "No more was tried: %s.",
		 pg->chart->stopped);
	put_text(pg, "", line, 2, STOPPED_LINES);
}

static void put_verdict(struct page *pg)
{
	put_asked(pg);
	put_mark(pg);
	pg->summary_cut = put_text(pg, "", pg->v->summary, 2, SUMMARY_LINES);
	if (doctor_standing(pg->v) != DOCTOR_UNKNOWN)
		put_words(pg);
	put_stopped(pg);
	if (doctor_standing(pg->v) == DOCTOR_FINE && !pg->chart->c->origin)
		wrap(pg,
		     "Asked without an Origin, as programs do. A browser sends "
		     "that of its page: when a page fails, name it with "
		     "--origin.",
		     2);
}

/* ---- proof and remedy ---- */

static void put_proof(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	char first[1024], second[1024], changed[1024], repeats[40], title[80];
	struct doctor_row a = {.before = "  A   ",
			       .left = "as asked",
			       .max = PROOF_LINES,
			       .after = ""};
	struct doctor_row b = {
		.before = "  B   ", .max = PROOF_LINES, .after = ""};

	if (!v->proof.given || pg->chart->n_probes == 0) {
		if (opens(pg) || pg->chart->n_probes < 2)
			return;
		put(pg, "\n%s", paint(pg, SHEET_DIM));
		wrap(pg,
		     "No single change of the request had another outcome, so "
		     "there is no proof; the verdict rests on the evidence "
		     "below.",
		     2);
		put(pg, "%s", paint(pg, SHEET_RESET));
		return;
	}
	doctor_say_repeats(v->proof.repeated, repeats, sizeof(repeats));
	snprintf(title, sizeof(title), "Proof: handshake %d%s%s",
		 v->proof.probe, *repeats ? ", " : "", repeats);
	heading(pg, title);
	doctor_result_often(pg->chart, pg->chart->probe[0], first,
			    sizeof(first));
	snprintf(changed, sizeof(changed), "%s", shown(pg, v->proof.changed));
	snprintf(second, sizeof(second), "%s", shown(pg, v->proof.result));
	a.right = first;
	b.left = changed;
	b.right = second;
	b.left_width = doctor_sheet_columns(changed) < 8
			       ? 8
			       : doctor_sheet_columns(changed);
	b.right_width =
		doctor_sheet_columns(first) > doctor_sheet_columns(second)
			? doctor_sheet_columns(first)
			: doctor_sheet_columns(second);
	doctor_sheet_share((size_t)pg->sheet.width - 8, &b.left_width,
			   &b.right_width);
	a.left_width = b.left_width;
	a.right_width = b.right_width;
	a.colour = opens(pg) ? SHEET_GREEN : SHEET_RED;
	b.colour = opens(pg) ? SHEET_RED : SHEET_GREEN;
	doctor_sheet_row(&pg->sheet, &a);
	doctor_sheet_row(&pg->sheet, &b);
}

/* A remedy in at most @lines lines. Returns whether all of it stands there. */
static bool put_fix(struct page *pg, size_t i, size_t lines)
{
	const struct doctor_fix *fix = &pg->v->fix[i];
	size_t begin = doctor_sheet_lines(&pg->sheet), used;
	size_t what = lines == SHEET_ANY_LINES ? lines : WHAT_LINES;
	char label[24], where[240];
	bool cut;

	snprintf(label, sizeof(label), "%zu.", i + 1);
	cut = put_text(pg, label, fix->what, 5, what);
	if (*fix->where || strcmp(fix->who, pg->v->who) != 0) {
		snprintf(where, sizeof(where), "→ %s%s%s", fix->who,
			 *fix->where ? ": " : "", fix->where);
		put(pg, "%s", paint(pg, SHEET_DIM));
		cut |= put_text(pg, "", where, 5,
				lines == SHEET_ANY_LINES ? lines : 1);
		put(pg, "%s", paint(pg, SHEET_RESET));
	}
	used = doctor_sheet_lines(&pg->sheet) - begin;
	if (*fix->snippet && used >= lines)
		cut = true;
	else if (*fix->snippet)
		cut |= doctor_sheet_lines_to_paste(
			&pg->sheet, shown(pg, fix->snippet), lines - used);
	return !cut && doctor_sheet_lines(&pg->sheet) - begin <= lines;
}

static bool has_remedy(const struct page *pg)
{
	return pg->v->n_fixes > 0 && doctor_standing(pg->v) != DOCTOR_FINE;
}

/* The first remedy, cut if need be, and as many more as fit whole. */
static void put_fixes(struct page *pg)
{
	size_t room, len, i;

	if (!has_remedy(pg))
		return;
	heading(pg,
		pg->v->confidence < 0.5 ? "What may open it" : "What opens it");
	for (i = 0; i < pg->v->n_fixes; i++) {
		room = doctor_sheet_lines(&pg->sheet) < SCREEN_LINES
			       ? SCREEN_LINES - doctor_sheet_lines(&pg->sheet)
			       : 0;
		len = ses_buf_len(pg->sheet.out);
		if (i == 0)
			room = room < 3 ? 3 : room;
		else if (room < 2)
			break;
		if (put_fix(pg, i, room))
			continue;
		if (i > 0)
			doctor_sheet_take_back(&pg->sheet, len);
		break;
	}
	pg->n_shown = i;
}

/* What the first screen had no room for. */
static void put_rest(struct page *pg)
{
	char url[2048];

	if (pg->asked_cut) {
		heading(pg, "The request");
		wrap(pg, doctor_redact_url(pg->chart->c, url, sizeof(url)), 2);
		if (pg->chart->c->origin) {
			snprintf(url, sizeof(url), "Origin: %s",
				 pg->chart->c->origin);
			wrap(pg, url, 2);
		}
	}
	if (pg->summary_cut) {
		heading(pg, "In full");
		wrap(pg, pg->v->summary, 2);
	}
	if (!has_remedy(pg) || pg->n_shown == pg->v->n_fixes)
		return;
	heading(pg, pg->n_shown == 0 ? "The whole remedy" : "More that helps");
	for (size_t i = pg->n_shown; i < pg->v->n_fixes; i++)
		put_fix(pg, i, SHEET_ANY_LINES);
}

/* ---- what led there ---- */

/* Log odds as a length: each sign is about a factor of five. */
static const char *weight_sign(double weight)
{
	if (weight == 0)
		return "·";
	if (weight < 0)
		return weight < -1.6 ? "−−" : "−";
	return weight >= 3.2 ? "+++" : weight >= 1.6 ? "++" : "+";
}

/* What is to be known of the copies that the request was taken from. */
static void put_remarks(struct page *pg)
{
	const char *remark = doctor_remark(pg->chart, 0);

	if (remark)
		heading(pg, "About the request");
	for (size_t i = 0; (remark = doctor_remark(pg->chart, i)); i++)
		item(pg, "-", remark, 4);
}

static void put_evidence(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	char text[sizeof(v->evidence[0]) + 8];

	if (v->n_evidence == 0)
		return;
	heading(pg, "Evidence");
	for (size_t i = 0; i < v->n_evidence; i++)
		item(pg, weight_sign(v->evidence_weight[i]),
		     doctor_say_evidence(v, i, text, sizeof(text)), 6);
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

/* The result of a probe; valid until the next call of shown(). */
static const char *result_of(struct page *pg, const struct doctor_probe *p)
{
	char text[1024];

	return shown(pg, doctor_result_text(p, text, sizeof(text)));
}

static void put_probe_row(struct page *pg, const struct doctor_probe *p,
			  size_t left, size_t right)
{
	char change[1024], before[16], after[40];
	bool open = p->outcome == DOCTOR_OPEN;
	struct doctor_row row = {.before = before,
				 .left = change,
				 .right = result_of(pg, p),
				 .left_width = left,
				 .right_width = right,
				 .max = CELL_LINES,
				 .colour = paint(pg, open ? SHEET_GREEN : ""),
				 .after = after};

	doctor_say_change(pg->chart->c, p, change, sizeof(change));
	snprintf(before, sizeof(before), "  %2d  ", p->n);
	snprintf(after, sizeof(after), " %6.0f ms", p->ms);
	doctor_sheet_row(&pg->sheet, &row);
}

static void put_probes(struct page *pg)
{
	size_t left = 8, right = 3;
	char text[1024];

	if (pg->chart->n_probes == 0)
		return;
	for (size_t i = 0; i < pg->chart->n_probes; i++) {
		const struct doctor_probe *p = pg->chart->probe[i];
		size_t n = doctor_sheet_columns(
			doctor_say_change(pg->chart->c, p, text, sizeof(text)));

		left = n > left ? n : left;
		n = doctor_sheet_columns(result_of(pg, p));
		right = n > right ? n : right;
	}
	doctor_sheet_share((size_t)pg->sheet.width - 18, &left, &right);
	heading(pg, "Handshakes");
	for (size_t i = 0; i < pg->chart->n_probes; i++)
		put_probe_row(pg, pg->chart->probe[i], left, right);
}

static void put_hops(struct page *pg)
{
	char label[24];

	if (pg->v->n_hops == 0)
		return;
	heading(pg, "On the way, from here on");
	for (size_t i = 0; i < pg->v->n_hops; i++) {
		snprintf(label, sizeof(label), "%zu.", i + 1);
		item(pg, label, pg->v->hop[i], 5);
	}
}

/* ---- the long form ---- */

static void put_steps(struct page *pg, const struct doctor_probe *p)
{
	for (size_t i = 0; i < p->dial.n_steps; i++) {
		const struct ses_dial_step *step = &p->dial.step[i];
		char what[200];

		doctor_say_object(step, what, sizeof(what));
		put(pg, "      %8.1f ms %+8.1f ms  %-8s %s",
		    (double)step->start_us / 1000, (double)step->took_us / 1000,
		    doctor_say_step(step->kind), shown(pg, what));
		put(pg, "  %s\n", shown(pg, doctor_say_outcome(step)));
	}
	if (p->dial.n_steps > 0 && p->status)
		put(pg, "      %8.1f ms              answer\n", p->ms);
}

static void put_head(struct page *pg, struct bytes head, const char *prefix)
{
	if (!pg->sheet.error && head.len > 0)
		pg->sheet.error = doctor_redact_head(pg->chart->c, head, prefix,
						     pg->sheet.out);
}

static void put_body(struct page *pg, const struct doctor_probe *p)
{
	char text[BODY_COLUMNS * 5];

	if (p->body_len == 0)
		return;
	doctor_redact(
		pg->chart->c,
		bytes_first(bytes_of(p->body, p->body_len), sizeof(pg->text)),
		pg->text, sizeof(pg->text));
	doctor_sheet_fit(pg->text, BODY_COLUMNS, text, sizeof(text));
	put(pg, "      < %s\n", text);
}

static void put_conversation(struct page *pg, const struct doctor_probe *p)
{
	char text[1024];

	put(pg, "\n  %shandshake %d: %s%s\n", paint(pg, SHEET_BOLD), p->n,
	    doctor_say_change(pg->chart->c, p, text, sizeof(text)),
	    paint(pg, SHEET_RESET));
	put_steps(pg, p);
	put_head(pg, bytes_of_str(p->request), "      > ");
	put_head(pg, bytes_of(p->dial.proxy_head, p->dial.proxy_head_len),
		 "      proxy < ");
	put_head(pg, bytes_of(p->head, p->head_len), "      < ");
	put_body(pg, p);
	if (*p->first_message)
		put(pg, "      < message: %s\n", shown(pg, p->first_message));
	put(pg, "      = %s", result_of(pg, p));
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
	put(pg, "\n%s%zu handshake%s in %.1f s.", paint(pg, SHEET_DIM),
	    pg->chart->n_probes, pg->chart->n_probes == 1 ? "" : "s",
	    duration_ms / 1000);
	if (pg->chart->c->html)
		put(pg, "\nAs a page: %s", shown(pg, pg->chart->c->html));
	if (doctor_standing(pg->v) != DOCTOR_FINE &&
	    doctor_standing(pg->v) != DOCTOR_UNKNOWN)
		put(pg, "\nMore on this cause: sesame explain %s",
		    why_cause(pg->v->cause)->id);
	put(pg, "%s\n", paint(pg, SHEET_RESET));
}

static void put_line(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	const char *id = why_cause(v->cause)->id;
	enum doctor_standing standing = doctor_standing(v);

	if (standing == DOCTOR_FINE)
		put(pg, "open: %s\n", shown(pg, v->summary));
	else if (standing == DOCTOR_UNKNOWN)
		put(pg, "no verdict: %s\n", shown(pg, v->summary));
	else
		put(pg, "%s: %s%s (%.0f %%): %s\n",
		    pg->chart->c->url_error ? "not asked" : v->outcome,
		    standing == DOCTOR_UNSURE ? "no verdict, likeliest " : "",
		    id, v->confidence * 100, shown(pg, v->summary));
}

int doctor_report_text(const struct doctor_chart *chart,
		       const struct doctor_verdict *verdict, double duration_ms,
		       const struct doctor_look *look, struct ses_buf *out)
{
	struct page pg = {.sheet = {.out = out,
				    .start = ses_buf_len(out),
				    .width = look->width,
				    .colour = look->colour},
			  .chart = chart,
			  .v = verdict};

	if (chart->c->quiet) {
		put_line(&pg);
		return pg.sheet.error;
	}
	put_verdict(&pg);
	put_proof(&pg);
	put_fixes(&pg);
	put_rest(&pg);
	put_remarks(&pg);
	put_evidence(&pg);
	put_alternatives(&pg);
	put_probes(&pg);
	put_hops(&pg);
	put_conversations(&pg);
	put_closing(&pg, duration_ms);
	return pg.sheet.error;
}
