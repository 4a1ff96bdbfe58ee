/* SPDX-License-Identifier: MIT */
/* Findings as they are noted, with the lines to paste and the edits that mend. */
#include "lint/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct lint_finding *lint_note(struct lint_run *run, enum lint_rule rule,
			       const struct lint_node *node, bool sure,
			       const char *where, const char *format, ...)
{
	struct lint_report *report = run->report;
	struct lint_finding *f;
	va_list args;

	if (report->n_findings == LINT_MAX_FINDINGS) {
		report->truncated = true;
		return NULL;
	}
	f = &report->finding[report->n_findings++];
	*f = (struct lint_finding){
		.rule = rule,
		.file = node ? node->file : run->root->file,
		.line = node ? node->line : 0,
		.column = node ? node->column : 0,
		.sure = sure,
	};
	snprintf(f->where, sizeof(f->where), "%s", where);
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return f;
}

void lint_fix(struct lint_finding *f, const char *format, ...)
{
	va_list args;

	if (!f)
		return;
	va_start(args, format);
	vsnprintf(f->fix, sizeof(f->fix), format, args);
	va_end(args);
}

void lint_fix_instead(struct lint_finding *f, unsigned line, const char *format,
		      ...)
{
	va_list args;

	if (!f)
		return;
	va_start(args, format);
	vsnprintf(f->fix, sizeof(f->fix), format, args);
	va_end(args);
	f->instead = line;
}

/* Whether the edit puts there what @fix begins with. */
static bool is_of_fix(const struct lint_edit *e, const char *fix)
{
	return e->text &&
	       memmem(e->text, strlen(e->text), fix, strcspn(fix, "\n"));
}

const char *lint_fix_place(const struct lint_finding *f, char *out, size_t size)
{
	const struct lint_edit *e = f->n_edits == 1 ? &f->edit[0] : NULL;
	unsigned instead = f->instead;

	snprintf(out, size, "%s", "");
	if (!f->fix[0])
		return out;
	if (!instead && e && strcmp(e->file, f->file) == 0 &&
	    (e->kind == LINT_CHANGE ||
	     (e->kind == LINT_REPLACE && is_of_fix(e, f->fix))))
		instead = e->line;
	if (instead)
		snprintf(out, size, "in place of line %u", instead);
	else if (e && e->kind == LINT_INSERT_AFTER && e->line &&
		 strcmp(e->file, f->file) == 0 && is_of_fix(e, f->fix))
		snprintf(out, size, "below line %u", e->line);
	return out;
}

/* ---- edits ---- */

void lint_no_edits(struct lint_finding *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_edits; i++)
		free(f->edit[i].text);
	f->n_edits = 0;
	f->no_edits = true;
}

/* @text is ours from now on. */
static void add_edit(struct lint_run *run, struct lint_finding *f,
		     struct lint_edit edit)
{
	if (f->n_edits == LINT_MAX_EDITS)
		lint_no_edits(f);
	if (f->no_edits)
		free(edit.text);
	else
		f->edit[f->n_edits++] = edit;
}

__attribute__((format(printf, 2, 0))) static char *
print_lines(struct lint_run *run, const char *format, va_list args)
{
	char *text = NULL, *ended = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	if (text && *text && text[strlen(text) - 1] != '\n') {
		if (asprintf(&ended, "%s\n", text) < 0)
			ended = NULL;
		free(text);
		text = ended;
	}
	if (!text)
		run->report->source->no_memory = true;
	return text;
}

__attribute__((format(printf, 4, 0))) static void
add_lines(struct lint_run *run, struct lint_finding *f, struct lint_edit edit,
	  const char *format, va_list args)
{
	if (!f)
		return;
	edit.text = print_lines(run, format, args);
	if (edit.text)
		add_edit(run, f, edit);
}

void lint_insert(struct lint_run *run, struct lint_finding *f, const char *file,
		 unsigned below_line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_lines(run, f,
		  (struct lint_edit){.kind = LINT_INSERT_AFTER,
				     .file = file,
				     .line = below_line},
		  format, args);
	va_end(args);
}

void lint_replace(struct lint_run *run, struct lint_finding *f,
		  const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_lines(run, f,
		  (struct lint_edit){
			  .kind = LINT_REPLACE, .file = file, .line = line},
		  format, args);
	va_end(args);
}

void lint_delete(struct lint_run *run, struct lint_finding *f, const char *file,
		 unsigned line)
{
	if (f)
		add_edit(run, f,
			 (struct lint_edit){.kind = LINT_DELETE,
					    .file = file,
					    .line = line});
}

void lint_change(struct lint_run *run, struct lint_finding *f, const char *file,
		 unsigned line, unsigned from, unsigned len, const char *text)
{
	struct lint_edit edit = {
		LINT_CHANGE, file, line, f ? strdup(text) : NULL, from, len};

	if (edit.text)
		add_edit(run, f, edit);
	else if (f)
		run->report->source->no_memory = true;
}
