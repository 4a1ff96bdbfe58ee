/* SPDX-License-Identifier: MIT */
/* Files from memory for lint, and short ways to ask it. */
#ifndef TESTS_LINT_MEMORY_H
#define TESTS_LINT_MEMORY_H

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "lint/lint.h"

struct memory_file {
	const char *name, *text;
};

struct memory {
	const struct memory_file *file; /* ends with a name of NULL */
};

static int memory_read(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	const struct memory *m = ctx;

	for (const struct memory_file *f = m->file; f->name; f++) {
		if (strcmp(f->name, path) != 0)
			continue;
		*ret_len = strlen(f->text);
		*ret = malloc(*ret_len ? *ret_len : 1); /* no NUL behind it */
		memcpy(*ret, f->text, *ret_len);
		return 0;
	}
	return ENOENT;
}

static int memory_list(void *ctx, const char *pattern,
		       void (*found)(void *found_ctx, const char *path),
		       void *found_ctx)
{
	const struct memory *m = ctx;

	for (const struct memory_file *f = m->file; f->name; f++)
		if (fnmatch(pattern, f->name, FNM_PATHNAME) == 0)
			found(found_ctx, f->name);
	return 0;
}

/* lint_file() of the first file. */
static inline int memory_lint(const struct memory_file *file,
			      enum lint_language language,
			      const struct lint_request *request,
			      struct lint_report *ret,
			      struct lint_error *ret_error)
{
	struct memory m = {file};
	struct lint_files files = {memory_read, memory_list, &m};

	return lint_file(&files, file->name, language, request, ret, ret_error);
}

/* All findings as "rule:line rule:line", with "?" behind those not sure. */
static inline const char *memory_told(const struct lint_report *report,
				      char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < report->n_findings && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, "%s%s:%u%s", i ? " " : "",
			lint_rule_id(report->finding[i].rule),
			report->finding[i].line,
			report->finding[i].sure ? "" : "?");
	return out;
}

#endif
