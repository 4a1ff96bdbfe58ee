/* SPDX-License-Identifier: MIT */
/*
 * What a report stands on: the files that were read, and the memory of all that
 * was made from them. Everything here grows up to a ceiling and is freed once.
 */
#ifndef LINT_SOURCE_H
#define LINT_SOURCE_H

#include "lint/tree.h"

#define LINT_MAX_KEPT	((size_t)96 * 1024 * 1024) /* strings and nodes */
#define LINT_MAX_PARSED ((size_t)64 * 1024 * 1024) /* files count each time */

struct lint_text {
	const char *name;
	struct bytes text;
	char *heap;    /* text.data, when it is ours */
	size_t *start; /* where each line begins; made when asked for */
	size_t n_lines;
};

struct lint_source {
	struct lint_text file[LINT_MAX_FILES];
	size_t n_files, n_parts;
	size_t bytes;  /* of all files */
	size_t parsed; /* the same, each time that one is included */
	struct lint_chunk *chunk;
	size_t kept, n_nodes;
	bool no_memory;
};

struct lint_source *lint_source_new(void);
void lint_source_free(struct lint_source *source);
/* Line @n (from 1) of @file without its newline; false: there is none. */
bool lint_source_line(struct lint_source *source, struct lint_text *file,
		      size_t n, struct bytes *ret);

/* ---- patch.c ---- */

/*
 * File @file of the report's source as the patch leaves it, appended to @out.
 * 1, with *ret_moved (freed with free()) telling for each line where it stands
 * then; 0 when the patch leaves it as it is; or an error. @chosen (one for each
 * finding, false before): which findings the patch mends.
 */
int lint_patched(const struct lint_report *report, size_t file,
		 struct ses_buf *out, unsigned **ret_moved, bool *chosen);

#endif
