/* SPDX-License-Identifier: MIT */
/*
 * Whether a patch mends: the files that it leaves are judged again, from memory.
 * A finding that is told again at its place was not mended by its edits, which
 * a reader of the patch would believe, and a second run would add them again.
 */
#include <sesame/error.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "lint/source.h"

#define MAX_ROUNDS 8 /* what one finding loses may have helped another */

struct trial {
	const struct lint_files *files;
	const char *path;
	const struct lint_report *report;
	struct ses_buf text[LINT_MAX_FILES]; /* as the patch leaves them */
	unsigned *moved[LINT_MAX_FILES];     /* NULL: nothing changes */
	bool chosen[LINT_MAX_FINDINGS];
};

/* ---- files that are patched ---- */

static int give(struct ses_buf *text, char **ret, size_t *ret_len)
{
	struct bytes all = ses_buf_bytes(text);

	*ret = malloc(all.len ? all.len : 1);
	if (!*ret)
		return ENOMEM;
	if (all.len)
		memcpy(*ret, all.data, all.len);
	*ret_len = all.len;
	return 0;
}

/* The output of nginx -T is one file that holds the others. */
static int give_parts(struct trial *t, char **ret, size_t *ret_len)
{
	const struct lint_source *source = t->report->source;
	struct ses_buf all;
	int r = 0;

	ses_buf_init(&all, 2 * (size_t)LINT_MAX_BYTES);
	for (size_t i = 1; i <= source->n_parts && r == 0; i++) {
		r = ses_buf_printf(&all, "# configuration file %s:\n",
				   source->file[i].name);
		if (r == 0)
			r = ses_buf_append(&all, ses_buf_bytes(&t->text[i]));
		if (r == 0)
			r = ses_buf_append(&all, BYTES("\n"));
	}
	r = r ? ENOMEM : give(&all, ret, ret_len);
	ses_buf_fini(&all);
	return r;
}

static int read_patched(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	struct trial *t = ctx;
	const struct lint_source *source = t->report->source;

	if (source->n_parts && strcmp(path, t->path) == 0)
		return give_parts(t, ret, ret_len);
	for (size_t i = 0; i < source->n_files; i++)
		if (source->file[i].heap &&
		    strcmp(source->file[i].name, path) == 0)
			return give(&t->text[i], ret, ret_len);
	return t->files->read(t->files->ctx, path, ret, ret_len);
}

static int list_same(void *ctx, const char *pattern,
		     void (*found)(void *found_ctx, const char *path),
		     void *found_ctx)
{
	struct trial *t = ctx;

	return t->files->list(t->files->ctx, pattern, found, found_ctx);
}

static int prepare(struct trial *t)
{
	int r = 0;

	for (size_t i = 0; i < t->report->source->n_files && r >= 0; i++) {
		ses_buf_init(&t->text[i], 2 * (size_t)LINT_MAX_BYTES);
		r = lint_patched(t->report, i, &t->text[i], &t->moved[i],
				 t->chosen);
	}
	return r < 0 ? r : 0;
}

static void clean(struct trial *t)
{
	for (size_t i = 0; i < t->report->source->n_files; i++) {
		ses_buf_fini(&t->text[i]);
		free(t->moved[i]);
	}
	free(t);
}

/* ---- findings that are told again ---- */

/* Numbers of lines stand in texts, and lines move. */
static bool is_same_text(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (isdigit((unsigned char)*a))
			a++;
		while (isdigit((unsigned char)*b))
			b++;
		if (*a != *b || !*a)
			return *a == *b;
	}
}

static unsigned line_then(const struct trial *t, const struct lint_finding *f)
{
	const struct lint_source *source = t->report->source;

	for (size_t i = 0; i < source->n_files && f->line; i++)
		if (t->moved[i] && strcmp(source->file[i].name, f->file) == 0 &&
		    f->line <= source->file[i].n_lines)
			return t->moved[i][f->line];
	return f->line;
}

static bool is_told(const struct trial *t, const struct lint_finding *f,
		    const struct lint_report *then)
{
	unsigned line = line_then(t, f);

	for (size_t i = 0; i < then->n_findings; i++) {
		const struct lint_finding *other = &then->finding[i];

		if (other->rule == f->rule && other->line == line &&
		    strcmp(other->file, f->file) == 0 &&
		    strcmp(other->where, f->where) == 0 &&
		    is_same_text(other->text, f->text))
			return true;
	}
	return false;
}

static int drop(const struct trial *t, struct lint_report *report,
		const struct lint_report *then)
{
	int n = 0;

	for (size_t i = 0; i < report->n_findings; i++) {
		struct lint_finding *f = &report->finding[i];

		if (!t->chosen[i] || (then && !is_told(t, f, then)))
			continue;
		lint_no_edits(f);
		f->stays = true;
		n++;
	}
	return n;
}

/* ---- the story ---- */

/* What the patch leaves may make no sense to lint at all: then nothing of it
 * is a remedy. */
static int try_once(struct trial *t, enum lint_language language,
		    const struct lint_request *request,
		    struct lint_report *report)
{
	struct lint_files files = {read_patched, list_same, t};
	struct lint_report then;
	struct lint_error error;
	int r = prepare(t);

	if (r == 0)
		r = lint_file(&files, t->path, language, request, &then, &error);
	if (r == SESAME_EINVAL)
		return drop(t, report, NULL);
	if (r < 0)
		return r;
	r = drop(t, report, &then);
	lint_report_fini(&then);
	return r;
}

static bool has_edits(const struct lint_report *report)
{
	for (size_t i = 0; i < report->n_findings; i++)
		if (report->finding[i].n_edits)
			return true;
	return false;
}

int lint_try(const struct lint_files *files, const char *path,
	     enum lint_language language, const struct lint_request *request,
	     struct lint_report *report)
{
	int n = 0, dropped = has_edits(report);

	for (int round = 0; round < MAX_ROUNDS && dropped > 0; round++) {
		struct trial *t = calloc(1, sizeof(*t));

		if (!t)
			return SESAME_ENOMEM;
		t->files = files;
		t->path = path;
		t->report = report;
		dropped = try_once(t, language ? language : report->language,
				   request, report);
		clean(t);
		n += dropped > 0 ? dropped : 0;
	}
	return dropped < 0 ? dropped : n;
}
