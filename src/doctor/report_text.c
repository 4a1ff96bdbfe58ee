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

#include "base/percent.h"
#include "base/text.h"
#include "doctor/compare.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"

#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define AMBER "\033[33m"
#define RESET "\033[0m"

#define BODY_COLUMNS 600 /* of an answer's body, in the long form */

/* Verdict, proof and remedy together, and what each may take at most. */
#define SCREEN_LINES  24
#define SUMMARY_LINES 4
#define WORDS_LINES   3
#define STOPPED_LINES 2
#define WHAT_LINES    3
#define PROOF_LINES   2 /* of each side */
#define CELL_LINES    4 /* of a cell of the table */
#define ANY_LINES     10000

#define ESCAPE_LEN 4

/* What is being written, and the first error, after which nothing is. */
struct page {
	const struct doctor_chart *chart;
	const struct doctor_verdict *v;
	const struct doctor_look *look;
	struct ses_buf *out;
	size_t start; /* where in @out it begins */
	int error;
	char text[8192]; /* room to redact in */
	size_t n_shown;	 /* remedies that stand whole on the first screen */
	bool summary_cut, asked_cut;
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

/* What stands for a byte that is not shown: "\\x1b". */
static bool is_escape(struct bytes text)
{
	return text.len >= ESCAPE_LEN && bytes_starts(text, BYTES("\\x")) &&
	       ses_hex_digit(text.data[2]) >= 0 &&
	       ses_hex_digit(text.data[3]) >= 0;
}

/* Copy at most @width columns of @text, marked where it was cut. */
static bool fit(const char *text, size_t width, char *out, size_t size)
{
	size_t n = 0, used = 0;

	snprintf(out, size, "%.*s", (int)size - 1, text);
	if (columns(out) <= width)
		return false;
	while (out[n] && used + 1 < width) {
		n++;
		while (((unsigned char)out[n] & 0xc0) == 0x80)
			n++;
		used++;
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	for (size_t back = 1; back < ESCAPE_LEN && back <= n; back++)
		if (is_escape(bytes_of_str(out + n - back)))
			n -= back; /* whole, or not at all */
	snprintf(out + n, size - n, "…");
	return true;
}

/* How many lines of the terminal @n columns take. */
static size_t rows_of(const struct page *pg, size_t n)
{
	size_t width = (size_t)pg->look->width;

	return n <= width ? 1 : (n + width - 1) / width;
}

/* How many lines of the terminal were written; colours take none. */
static size_t lines_used(const struct page *pg)
{
	struct bytes all = bytes_from(ses_buf_bytes(pg->out), pg->start);
	size_t rows = 0, n = 0;

	for (size_t i = 0; i < all.len; i++) {
		if (all.data[i] == '\n') {
			rows += rows_of(pg, n);
			n = 0;
		} else if (all.data[i] == '\033') {
			while (i < all.len && all.data[i] != 'm')
				i++;
		} else {
			n += (all.data[i] & 0xc0) != 0x80;
		}
	}
	return rows;
}

/* Take back what was written since it was @len bytes long. */
static void take_back(struct page *pg, size_t len)
{
	pg->out->end -= ses_buf_len(pg->out) - len;
}

/* The next line of *@rest, without its end. */
static struct bytes take_line(struct bytes *rest)
{
	ptrdiff_t end = bytes_find_byte(*rest, '\n');
	struct bytes line = end < 0 ? *rest : bytes_first(*rest, (size_t)end);

	*rest = bytes_from(*rest, line.len + 1);
	return line;
}

/*
 * One line of a text after @used columns. Where lines are counted (@max), a
 * word that is wider than all of it is cut as well. True when it was.
 */
static bool put_text_line(struct page *pg, struct bytes line, int used,
			  size_t max, bool more)
{
	char text[8192], cell[8192];
	bool cut;

	if (max == ANY_LINES) {
		put(pg, "%.*s\n", BYTES_ARG(line));
		return false;
	}
	snprintf(text, sizeof(text), "%.*s%s", BYTES_ARG(line),
		 more ? " …" : "");
	cut = fit(text, (size_t)(pg->look->width - used), cell, sizeof(cell));
	put(pg, "%s\n", cell);
	return cut || more;
}

/*
 * Wrapped text after an indent, with @label standing in that of its first
 * line; at most @max lines of it. True when some had to be left out.
 */
static bool put_text(struct page *pg, const char *label, const char *text,
		     int indent, size_t max)
{
	struct ses_buf lines;
	struct bytes rest;
	bool cut = false;

	ses_buf_init(&lines, 64 * 1024);
	if (!pg->error)
		pg->error = text_wrap(&lines, shown(pg, text), indent,
				      pg->look->width);
	rest = ses_buf_bytes(&lines);
	for (size_t n = 1; rest.len > 0 && n <= max; n++) {
		struct bytes line = take_line(&rest);

		if (n == 1 && *label) {
			put(pg, "  ");
			pad(pg, label, (size_t)indent - 2);
			line = bytes_from(line, (size_t)indent);
		}
		cut |= put_text_line(pg, line, *label && n == 1 ? indent : 0,
				     max, n == max && rest.len > 0);
	}
	ses_buf_fini(&lines);
	return cut;
}

static void wrap(struct page *pg, const char *text, int indent)
{
	put_text(pg, "", text, indent, ANY_LINES);
}

static void item(struct page *pg, const char *label, const char *text,
		 int indent)
{
	put_text(pg, label, text, indent, ANY_LINES);
}

static void heading(struct page *pg, const char *title)
{
	put(pg, "\n%s%s%s\n", paint(pg, BOLD), title, paint(pg, RESET));
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
	} marks[] = {[DOCTOR_FINE] = {"✓", GREEN},
		     [DOCTOR_FLAWED] = {"!", AMBER},
		     [DOCTOR_REFUSES] = {"✗", RED},
		     [DOCTOR_UNSURE] = {"?", AMBER}};
	enum doctor_standing standing = doctor_standing(pg->v);
	const char *id = why_cause(pg->v->cause)->id;

	put(pg, "%s%s%s ", paint(pg, BOLD), paint(pg, marks[standing].colour),
	    marks[standing].mark);
	if (standing == DOCTOR_UNSURE)
		put(pg, "no verdict%s  likeliest: %s\n", paint(pg, RESET), id);
	else
		put(pg, "%s%s\n", id, paint(pg, RESET));
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
	pg->asked_cut = fit(line, (size_t)pg->look->width, cell, sizeof(cell));
	put(pg, "%s%s%s\n\n", paint(pg, DIM), cell, paint(pg, RESET));
}

/* How sure, who has to act, who refused, why no more was tried. */
static void put_words(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	const char *layer = why_layer_name(v->layer);
	char line[1024];
	size_t n;

	n = (size_t)snprintf(line, sizeof(line), "%s (%.0f %%). %s",
			     doctor_say_confidence(v->confidence),
			     v->confidence * 100, doctor_say_who(v->who));
	if (line[0] >= 'a' && line[0] <= 'z')
		line[0] ^= 0x20;
	if (*v->refused_by)
		n += (size_t)snprintf(
			line + n, sizeof(line) - n, " Refused by %s%s%s%s%s%s.",
			v->refused_by, layer ? " (" : "", layer ? layer : "",
			layer ? ")" : "", *v->reference ? ", reference " : "",
			v->reference);
	put_text(pg, "", line, 2, WORDS_LINES);
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
	put_words(pg);
	if (doctor_standing(pg->v) == DOCTOR_FINE && !pg->chart->c->origin)
		wrap(pg,
		     "Asked without an Origin, as programs do. A browser sends "
		     "that of its page: when a page fails, name it with "
		     "--origin.",
		     2);
}

/* ---- proof and remedy ---- */

/* One row of two cells, each wrapped in its column. */
struct row {
	const char *before; /* in front of the first line: 6 columns */
	const char *left, *right;
	size_t left_width, right_width, max; /* lines */
	const char *colour;		     /* of the right cell */
	const char *after;		     /* behind the first line */
};

/* @text wrapped at @width in *ret_lines, however long its words are. */
static void wrap_cell(struct page *pg, const char *text, size_t width,
		      struct ses_buf *ret_lines)
{
	struct ses_buf wrapped;
	struct bytes rest;

	ses_buf_init(ret_lines, 64 * 1024);
	ses_buf_init(&wrapped, 64 * 1024);
	if (!pg->error)
		pg->error = text_wrap(&wrapped, text, 0, (int)width);
	rest = ses_buf_bytes(&wrapped);
	while (rest.len > 0 && !pg->error) {
		struct bytes line = take_line(&rest);
		size_t n = 0, used = 0;

		for (; n < line.len; n++) {
			bool begins = (line.data[n] & 0xc0) != 0x80;
			size_t unit =
				is_escape(bytes_from(line, n)) ? ESCAPE_LEN : 1;

			if (begins && used + unit > width && !pg->error) {
				pg->error = ses_buf_append_str(ret_lines, "\n");
				used = 0;
			}
			used += begins;
			if (pg->error == 0)
				pg->error = ses_buf_append(
					ret_lines, bytes_of(line.data + n, 1));
		}
		if (pg->error == 0)
			pg->error = ses_buf_append_str(ret_lines, "\n");
	}
	ses_buf_fini(&wrapped);
}

/* @line of a cell, marked when more would follow. */
static void put_cell(struct page *pg, struct bytes line, size_t width, bool cut,
		     bool padded)
{
	char text[1024], cell[1040];

	snprintf(text, sizeof(text), "%.*s%s", BYTES_ARG(line), cut ? "…" : "");
	fit(text, width, cell, sizeof(cell));
	pad(pg, cell, padded ? width : 0);
}

static void put_row(struct page *pg, const struct row *row)
{
	struct ses_buf left, right;
	struct bytes a, b;

	wrap_cell(pg, row->left, row->left_width, &left);
	wrap_cell(pg, row->right, row->right_width, &right);
	a = ses_buf_bytes(&left);
	b = ses_buf_bytes(&right);
	for (size_t n = 1; n <= row->max && (a.len > 0 || b.len > 0); n++) {
		struct bytes one = take_line(&a), two = take_line(&b);
		bool last = n == row->max;

		put(pg, "%s", n == 1 ? row->before : "      ");
		put_cell(pg, one, row->left_width, last && a.len > 0,
			 two.len > 0);
		put(pg, "%s%s", two.len > 0 ? "  " : "", paint(pg, row->colour));
		put_cell(pg, two, row->right_width, last && b.len > 0,
			 n == 1 && *row->after);
		put(pg, "%s%s\n", paint(pg, *row->colour ? RESET : ""),
		    n == 1 ? row->after : "");
	}
	ses_buf_fini(&left);
	ses_buf_fini(&right);
}

/* Share @room between two columns: the right one is what one looks for. */
static void share(size_t room, size_t *left, size_t *right)
{
	size_t half = room * 3 / 5;

	if (*left + *right <= room)
		return;
	if (*right > half)
		*right = *left + half <= room ? room - *left : half;
	*left = room - *right;
}

static void put_proof(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	char first[1024], second[1024], changed[1024], repeats[40], title[80];
	struct row a = {.before = "  A   ",
			.left = "as asked",
			.max = PROOF_LINES,
			.after = ""};
	struct row b = {.before = "  B   ", .max = PROOF_LINES, .after = ""};

	if (!v->proof.given || pg->chart->n_probes == 0) {
		if (opens(pg) || pg->chart->n_probes < 2)
			return;
		put(pg, "\n%s", paint(pg, DIM));
		wrap(pg,
		     "No single change of the request had another outcome, so "
		     "there is no proof; the verdict rests on the evidence "
		     "below.",
		     2);
		put(pg, "%s", paint(pg, RESET));
		return;
	}
	doctor_say_repeats(v->proof.repeated, repeats, sizeof(repeats));
	snprintf(title, sizeof(title), "Proof: handshake %d%s%s",
		 v->proof.probe, *repeats ? ", " : "", repeats);
	heading(pg, title);
	doctor_result_text(pg->chart->probe[0], first, sizeof(first));
	snprintf(changed, sizeof(changed), "%s", shown(pg, v->proof.changed));
	snprintf(second, sizeof(second), "%s", shown(pg, v->proof.result));
	a.right = first;
	b.left = changed;
	b.right = second;
	b.left_width = columns(changed) < 8 ? 8 : columns(changed);
	b.right_width = columns(first) > columns(second) ? columns(first)
							 : columns(second);
	share((size_t)pg->look->width - 8, &b.left_width, &b.right_width);
	a.left_width = b.left_width;
	a.right_width = b.right_width;
	a.colour = opens(pg) ? GREEN : RED;
	b.colour = opens(pg) ? RED : GREEN;
	put_row(pg, &a);
	put_row(pg, &b);
}

static void put_snippet_line(struct page *pg, struct bytes line)
{
	put(pg, "         %s", paint(pg, GREEN));
	for (size_t i = 0; i < line.len; i++)
		put(pg, "%s%.*s", line.data[i] == '\t' ? "    " : "",
		    line.data[i] != '\t', (const char *)line.data + i);
	put(pg, "%s\n", paint(pg, RESET));
}

/*
 * Lines to paste: never wrapped, a tab as four blanks. They take at most @max
 * lines of the terminal, the last of them a mark when there are more; true then.
 */
static bool put_snippet(struct page *pg, const char *snippet, size_t max)
{
	struct bytes rest = bytes_of_str(shown(pg, snippet));

	while (rest.len > 0) {
		size_t len = ses_buf_len(pg->out), begin = lines_used(pg), used;

		put_snippet_line(pg, take_line(&rest));
		used = lines_used(pg) - begin;
		if (used < max || (used == max && rest.len == 0)) {
			max -= used;
			continue;
		}
		take_back(pg, len);
		put(pg, "         %s… more below%s\n", paint(pg, DIM),
		    paint(pg, RESET));
		return true;
	}
	return false;
}

/* A remedy in at most @lines lines. Returns whether all of it stands there. */
static bool put_fix(struct page *pg, size_t i, size_t lines)
{
	const struct doctor_fix *fix = &pg->v->fix[i];
	size_t begin = lines_used(pg), used;
	size_t what = lines == ANY_LINES ? lines : WHAT_LINES;
	char label[24], where[240];
	bool cut;

	snprintf(label, sizeof(label), "%zu.", i + 1);
	cut = put_text(pg, label, fix->what, 5, what);
	if (*fix->where || strcmp(fix->who, pg->v->who) != 0) {
		snprintf(where, sizeof(where), "→ %s%s%s", fix->who,
			 *fix->where ? ": " : "", fix->where);
		put(pg, "%s", paint(pg, DIM));
		cut |= put_text(pg, "", where, 5,
				lines == ANY_LINES ? lines : 1);
		put(pg, "%s", paint(pg, RESET));
	}
	used = lines_used(pg) - begin;
	if (*fix->snippet && used >= lines)
		cut = true;
	else if (*fix->snippet)
		cut |= put_snippet(pg, fix->snippet, lines - used);
	return !cut && lines_used(pg) - begin <= lines;
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
		room = lines_used(pg) < SCREEN_LINES
			       ? SCREEN_LINES - lines_used(pg)
			       : 0;
		len = ses_buf_len(pg->out);
		if (i == 0)
			room = room < 3 ? 3 : room;
		else if (room < 2)
			break;
		if (put_fix(pg, i, room))
			continue;
		if (i > 0)
			take_back(pg, len);
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
		put_fix(pg, i, ANY_LINES);
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

	if (v->n_evidence == 0)
		return;
	heading(pg, "Evidence");
	for (size_t i = 0; i < v->n_evidence; i++)
		item(pg, weight_sign(v->evidence_weight[i]), v->evidence[i], 6);
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
	struct row row = {.before = before,
			  .left = change,
			  .right = result_of(pg, p),
			  .left_width = left,
			  .right_width = right,
			  .max = CELL_LINES,
			  .colour = paint(pg, open ? GREEN : ""),
			  .after = after};

	doctor_say_change(pg->chart->c, p, change, sizeof(change));
	snprintf(before, sizeof(before), "  %2d  ", p->n);
	snprintf(after, sizeof(after), " %6.0f ms", p->ms);
	put_row(pg, &row);
}

static void put_probes(struct page *pg)
{
	size_t left = 8, right = 3;
	char text[1024];

	if (pg->chart->n_probes == 0)
		return;
	for (size_t i = 0; i < pg->chart->n_probes; i++) {
		const struct doctor_probe *p = pg->chart->probe[i];
		size_t n = columns(
			doctor_say_change(pg->chart->c, p, text, sizeof(text)));

		left = n > left ? n : left;
		n = columns(result_of(pg, p));
		right = n > right ? n : right;
	}
	share((size_t)pg->look->width - 18, &left, &right);
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
	if (!pg->error && head.len > 0)
		pg->error =
			doctor_redact_head(pg->chart->c, head, prefix, pg->out);
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
	fit(pg->text, BODY_COLUMNS, text, sizeof(text));
	put(pg, "      < %s\n", text);
}

static void put_conversation(struct page *pg, const struct doctor_probe *p)
{
	char text[1024];

	put(pg, "\n  %sprobe %d: %s%s\n", paint(pg, BOLD), p->n,
	    doctor_say_change(pg->chart->c, p, text, sizeof(text)),
	    paint(pg, RESET));
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
	put(pg, "\n%s%zu handshake%s in %.1f s.", paint(pg, DIM),
	    pg->chart->n_probes, pg->chart->n_probes == 1 ? "" : "s",
	    duration_ms / 1000);
	if (pg->chart->c->html)
		put(pg, "\nAs a page: %s", shown(pg, pg->chart->c->html));
	if (doctor_standing(pg->v) != DOCTOR_FINE)
		put(pg, "\nMore on this cause: sesame explain %s",
		    why_cause(pg->v->cause)->id);
	put(pg, "%s\n", paint(pg, RESET));
}

static void put_line(struct page *pg)
{
	const struct doctor_verdict *v = pg->v;
	const char *id = why_cause(v->cause)->id;
	enum doctor_standing standing = doctor_standing(v);

	if (standing == DOCTOR_FINE)
		put(pg, "open: %s\n", shown(pg, v->summary));
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
	struct page pg = {.chart = chart,
			  .v = verdict,
			  .look = look,
			  .out = out,
			  .start = ses_buf_len(out)};

	if (chart->c->quiet) {
		put_line(&pg);
		return pg.error;
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
	return pg.error;
}
