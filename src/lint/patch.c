/* SPDX-License-Identifier: MIT */
/*
 * The edits of all findings as one unified diff. A finding's edits go in
 * together or not at all: one that would change a part of a line otherwise than
 * a weightier finding does is left for the next run.
 */
#include <sesame/error.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lint/line.h"
#include "lint/source.h"

#define CONTEXT	    3
#define MAX_EDITS   (LINT_MAX_FINDINGS * LINT_MAX_EDITS)
#define MAX_CHANGES 64 /* of one line */

struct plan {
	const struct lint_edit *edit[MAX_EDITS]; /* by line, then as found */
	size_t n;
};

struct printer {
	struct ses_buf *out;
	struct lint_source *source;
	struct lint_text *file;
	bool crlf;
	bool plain;	 /* not a diff: the file as the patch leaves it */
	unsigned *moved; /* plain: where each line stands then; or NULL */
	long grown;	 /* lines that the file has more by now */
	int error;
};

/* ---- which edits ---- */

static bool is_insert(const struct lint_edit *e)
{
	return e->kind == LINT_INSERT_AFTER;
}

static struct lint_span span_of(const struct lint_edit *e)
{
	size_t to = e->len == UINT_MAX ? SIZE_MAX : (size_t)e->from + e->len;

	return (struct lint_span){e->from, to, bytes_of_str(e->text)};
}

static bool is_same(const struct lint_edit *a, const struct lint_edit *b)
{
	return a->kind == b->kind && a->from == b->from && a->len == b->len &&
	       (a->kind == LINT_DELETE || strcmp(a->text, b->text) == 0);
}

static bool contradicts(const struct lint_edit *a, const struct lint_edit *b)
{
	struct lint_span of_a, of_b;

	if (a->line != b->line || is_insert(a) || is_insert(b) ||
	    strcmp(a->file, b->file) != 0 || is_same(a, b))
		return false;
	if (a->kind != LINT_CHANGE || b->kind != LINT_CHANGE)
		return true;
	of_a = span_of(a);
	of_b = span_of(b);
	return lint_spans_clash(&of_a, &of_b);
}

static bool fits(const struct lint_finding *f, const struct plan *plan)
{
	size_t changes = f->n_edits;

	for (size_t i = 0; i < f->n_edits; i++)
		for (size_t k = 0; k < plan->n; k++) {
			if (contradicts(&f->edit[i], plan->edit[k]))
				return false;
			changes += plan->edit[k]->line == f->edit[i].line;
		}
	return changes <= MAX_CHANGES;
}

/* All that is to be done, in any file: what keeps the door shut comes before
 * what only makes it narrow, which is the order of the rules. @chosen (or NULL)
 * says which findings are mended. */
static int choose(const struct lint_report *report, struct plan *plan,
		  bool *chosen)
{
	int mended = 0;

	for (size_t i = 0; i < LINT_N_RULES * report->n_findings; i++) {
		const struct lint_finding *f =
			&report->finding[i % report->n_findings];

		if (f->rule != i / report->n_findings || !f->n_edits ||
		    !fits(f, plan))
			continue;
		for (size_t e = 0; e < f->n_edits; e++)
			plan->edit[plan->n++] = &f->edit[e];
		if (chosen)
			chosen[i % report->n_findings] = true;
		mended++;
	}
	return mended;
}

/* Those of @file, by line; of one line in the order in which they were found. */
static void choose_file(const struct plan *all, const char *file,
			struct plan *plan)
{
	plan->n = 0;
	for (size_t i = 0; i < all->n; i++) {
		size_t k = plan->n;

		if (strcmp(all->edit[i]->file, file) != 0)
			continue;
		for (; k && plan->edit[k - 1]->line > all->edit[i]->line; k--)
			plan->edit[k] = plan->edit[k - 1];
		plan->edit[k] = all->edit[i];
		plan->n++;
	}
}

/* ---- lines ---- */

static void put(struct printer *p, struct bytes text)
{
	if (!p->error)
		p->error = ses_buf_append(p->out, text);
}

static struct bytes old_line(struct printer *p, size_t n)
{
	struct bytes line = {NULL, 0};

	lint_source_line(p->source, p->file, n, &line);
	return line;
}

static bool is_unended(struct printer *p, size_t n)
{
	struct bytes text = p->file->text;

	return n == p->file->n_lines && text.len &&
	       text.data[text.len - 1] != '\n';
}

static void put_mark(struct printer *p, char mark)
{
	if (!p->plain)
		put(p, bytes_of(&mark, 1));
}

static void put_old(struct printer *p, char mark, size_t n)
{
	if (p->plain && mark == '-')
		return;
	put_mark(p, mark);
	put(p, old_line(p, n));
	put(p, BYTES("\n"));
	if (!p->plain && mark != '+' && is_unended(p, n))
		put(p, BYTES("\\ No newline at end of file\n"));
}

/* Cut the next line off @text, its newline left out. */
static bool next_line(const char **text, struct bytes *ret)
{
	size_t len = strcspn(*text, "\n");

	if (!**text)
		return false;
	*ret = bytes_of(*text, len);
	*text += len + ((*text)[len] == '\n');
	return true;
}

/* Whether edits before @end of @plan put @line below the same line already. */
static bool is_there(const struct plan *plan, size_t end, struct bytes line)
{
	const struct lint_edit *last = plan->edit[end];

	for (size_t i = end; i > 0 && plan->edit[i - 1]->line == last->line;
	     i--) {
		const char *text = plan->edit[i - 1]->text;
		struct bytes other;

		while (is_insert(plan->edit[i - 1]) && next_line(&text, &other))
			if (bytes_equal(line, other))
				return true;
	}
	return false;
}

/* A block that an earlier edit puts there as it is. */
static bool is_again(const struct plan *plan, size_t end)
{
	const struct lint_edit *e = plan->edit[end];

	for (size_t i = end; i > 0 && plan->edit[i - 1]->line == e->line; i--)
		if (is_insert(e) && is_same(plan->edit[i - 1], e))
			return true;
	return false;
}

static void put_new(struct printer *p, struct bytes line)
{
	put_mark(p, '+');
	put(p, line);
	put(p, p->crlf ? BYTES("\r\n") : BYTES("\n"));
}

static size_t put_inserted(struct printer *p, const struct plan *plan, size_t i)
{
	const char *text = plan->edit[i]->text;
	struct bytes line;
	size_t n = 0;

	while (!is_again(plan, i) && next_line(&text, &line)) {
		if (bytes_trim(line).len > 1 && is_there(plan, i, line))
			continue;
		put_new(p, line);
		n++;
	}
	return n;
}

static size_t put_lines(struct printer *p, const char *text)
{
	struct bytes line;
	size_t n = 0;

	for (; next_line(&text, &line); n++)
		put_new(p, line);
	return n;
}

/* The line of the edits from @from to @to, all its parts changed. */
static size_t put_changed(struct printer *p, const struct plan *plan,
			  size_t from, size_t to)
{
	struct bytes old = old_line(p, plan->edit[from]->line);
	struct lint_span span[MAX_CHANGES];
	struct ses_buf line;
	size_t n = 0;

	if (old.len && old.data[old.len - 1] == '\r')
		old.len--;
	for (size_t i = from; i < to && n < MAX_CHANGES; i++)
		if (plan->edit[i]->kind == LINT_CHANGE)
			span[n++] = span_of(plan->edit[i]);
	ses_buf_init(&line, p->out->limit);
	if (!p->error)
		p->error = lint_line_mend(old, span, n, &line);
	n = bytes_trim(ses_buf_bytes(&line)).len > 0;
	if (!p->error)
		p->error = ses_buf_append(&line, bytes_of("", 1));
	if (!p->error && n)
		n = put_lines(p, (const char *)ses_buf_bytes(&line).data);
	ses_buf_fini(&line);
	return n;
}

/* ---- hunks ---- */

struct hunk {
	size_t from, to;    /* edits of the plan */
	size_t first, last; /* lines of the file */
	size_t n_old, n_new;
};

/* What an edit needs around it. */
static size_t first_of(const struct lint_edit *e)
{
	size_t before = is_insert(e) ? (size_t)e->line + 1 : e->line;

	return before > CONTEXT ? before - CONTEXT : 1;
}

static size_t last_of(const struct printer *p, const struct lint_edit *e)
{
	size_t last = (size_t)e->line + CONTEXT;

	return last < p->file->n_lines ? last : p->file->n_lines;
}

static struct hunk find_hunk(const struct printer *p, const struct plan *plan,
			     size_t from)
{
	struct hunk h = {.from = from, .to = from};

	h.first = first_of(plan->edit[from]);
	for (; h.to < plan->n; h.to++) {
		const struct lint_edit *e = plan->edit[h.to];

		if (h.to > from && first_of(e) > h.last + 1)
			break;
		if (first_of(e) < h.first) /* below an insert of its line */
			h.first = first_of(e);
		h.last = last_of(p, e);
	}
	return h;
}

/* The edits of line @n, from *i on; *i is left behind them. */
static void put_line(struct printer *p, const struct plan *plan, struct hunk *h,
		     size_t n, size_t *i)
{
	size_t from = *i, inserts = 0, change = SIZE_MAX;

	if (p->moved)
		p->moved[n] = (unsigned)h->n_new + 1;
	for (; *i < h->to && plan->edit[*i]->line == n; (*i)++) {
		if (is_insert(plan->edit[*i]))
			inserts++;
		else if (change == SIZE_MAX)
			change = *i;
	}
	if (n) {
		bool again = change == SIZE_MAX && inserts && is_unended(p, n);

		put_old(p, change != SIZE_MAX || again ? '-' : ' ', n);
		if (again)
			put_old(p, '+', n);
		h->n_old++;
		h->n_new += change == SIZE_MAX;
	}
	if (change != SIZE_MAX && plan->edit[change]->kind == LINT_REPLACE)
		h->n_new += put_lines(p, plan->edit[change]->text);
	else if (change != SIZE_MAX && plan->edit[change]->kind == LINT_CHANGE)
		h->n_new += put_changed(p, plan, from, *i);
	for (size_t k = from; k < *i; k++)
		if (is_insert(plan->edit[k]))
			h->n_new += put_inserted(p, plan, k);
}

static void put_body(struct printer *p, const struct plan *plan, struct hunk *h)
{
	size_t i = h->from;

	h->n_old = h->n_new = 0;
	if (plan->edit[i]->line == 0)
		put_line(p, plan, h, 0, &i);
	for (size_t n = h->first; n <= h->last; n++)
		put_line(p, plan, h, n, &i);
}

/* The counts stand before the lines, so the lines are made aside. */
static void put_hunk(struct printer *p, const struct plan *plan, struct hunk *h)
{
	struct ses_buf *out = p->out, body;
	size_t first = h->last >= h->first ? h->first : 0;

	ses_buf_init(&body, out->limit);
	p->out = &body;
	put_body(p, plan, h);
	p->out = out;
	if (!p->error)
		p->error = ses_buf_printf(
			out, "@@ -%zu,%zu +%zu,%zu @@\n", first, h->n_old,
			(first ? first : 1) + (size_t)p->grown, h->n_new);
	put(p, ses_buf_bytes(&body));
	ses_buf_fini(&body);
	p->grown += (long)h->n_new - (long)h->n_old;
}

/* ---- files ---- */

/* As `diff` writes names that could be misread. */
static void put_name(struct printer *p, const char *mark, const char *name)
{
	bool quote = name[strcspn(name, "\"\\")] != 0;

	for (const char *c = name; *c; c++)
		quote |= (unsigned char)*c < ' ' || *c == 0x7f;
	put(p, bytes_of_str(mark));
	if (quote)
		put(p, BYTES("\""));
	for (; *name; name++) {
		char octal[8] = {*name};

		if (*name == '"' || *name == '\\')
			put(p, BYTES("\\"));
		else if ((unsigned char)*name < ' ' || *name == 0x7f)
			snprintf(octal, sizeof(octal), "\\%03o", *name);
		put(p, bytes_of_str(octal));
	}
	put(p, quote ? BYTES("\"\n") : BYTES("\t\n"));
}

static bool has_crlf(struct printer *p)
{
	struct bytes line = old_line(p, 1);

	return line.len && line.data[line.len - 1] == '\r';
}

static void put_file(struct printer *p, const struct plan *plan)
{
	p->crlf = has_crlf(p);
	p->grown = 0;
	put_name(p, "--- ", p->file->name);
	put_name(p, "+++ ", p->file->name);
	for (size_t i = 0; i < plan->n;) {
		struct hunk h = find_hunk(p, plan, i);

		put_hunk(p, plan, &h);
		i = h.to;
	}
}

static void put_files(struct printer *p, const struct plan *all,
		      struct plan *plan)
{
	for (size_t i = 0; i < p->source->n_files && !p->error; i++) {
		p->file = &p->source->file[i];
		choose_file(all, p->file->name, plan);
		if (plan->n)
			put_file(p, plan);
	}
}

int lint_patch(const struct lint_report *report, struct ses_buf *out)
{
	struct printer p = {.out = out, .source = report->source};
	struct plan *all = calloc(2, sizeof(*all));
	int mended;

	if (!all)
		return SESAME_ENOMEM;
	mended = choose(report, all, NULL);
	put_files(&p, all, all + 1);
	free(all);
	return p.error ? p.error : mended;
}

int lint_patched(const struct lint_report *report, size_t file,
		 struct ses_buf *out, unsigned **ret_moved, bool *chosen)
{
	struct printer p = {.out = out, .source = report->source, .plain = true};
	struct plan *all = calloc(2, sizeof(*all));
	struct hunk whole = {.first = 1};

	p.file = &report->source->file[file];
	p.crlf = has_crlf(&p); /* the lines are counted now */
	p.moved = calloc(p.file->n_lines + 1, sizeof(*p.moved));
	if (!all || !p.moved) {
		free(all);
		free(p.moved);
		return SESAME_ENOMEM;
	}
	choose(report, all, chosen);
	choose_file(all, p.file->name, all + 1);
	whole.to = all[1].n;
	whole.last = p.file->n_lines;
	if (whole.to)
		put_body(&p, all + 1, &whole);
	else
		put(&p, p.file->text);
	free(all);
	if (whole.to && !p.error) {
		*ret_moved = p.moved;
		return 1;
	}
	free(p.moved);
	return p.error;
}
