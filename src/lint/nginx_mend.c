/* SPDX-License-Identifier: MIT */
/*
 * Edits within lines. A configuration may hold a whole block on one line, or
 * one directive on three: the parts that a finding changes are collected here
 * and become its edits together, or not at all.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "lint/nginx.h"

/* ---- collecting ---- */

__attribute__((format(printf, 5, 0))) static void
add(struct nginx_mend *m, const char *file, unsigned line, unsigned column,
    const char *format, va_list args, unsigned len)
{
	size_t n = m->n;

	if (n == NGINX_MAX_MENDS) {
		m->failed = true;
		return;
	}
	m->part[n].file = file;
	m->part[n].line = line;
	m->part[n].column = column;
	m->part[n].len = len;
	vsnprintf(m->part[n].text, sizeof(m->part[n].text), format, args);
	m->n++;
}

__attribute__((format(printf, 6, 7))) static void
add_part(struct nginx_mend *m, const char *file, unsigned line, unsigned column,
	 unsigned len, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(m, file, line, column, format, args, len);
	va_end(args);
}

/* Take what is between the directive's first and last character out. */
static void cut(struct nginx_mend *m, const struct lint_node *node,
		const char *text)
{
	unsigned line = node->line, column = node->column;

	for (; line < node->last_line; line++, column = 1)
		add_part(m, node->file, line, column, UINT_MAX, "%s",
			 line == node->line ? text : "");
	add_part(m, node->file, line, column, node->last_column - column + 1,
		 "%s", line == node->line ? text : "");
}

void nginx_mend_replace(struct nginx_mend *m, const struct lint_node *node,
			const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cut(m, node, text);
}

void nginx_mend_delete(struct nginx_mend *m, const struct lint_node *node)
{
	cut(m, node, "");
}

void nginx_mend_head(struct nginx_mend *m, const struct lint_node *block,
		     const char *text)
{
	unsigned len = (unsigned)strlen(block->name);
	struct bytes rest =
		bytes_from(lint_line(m->run, block->file, block->line),
			   block->column - 1 + len);

	while (rest.len && (rest.data[0] == ' ' || rest.data[0] == '\t')) {
		rest = bytes_from(rest, 1);
		len++;
	}
	add_part(m, block->file, block->line, block->column, len, "%s", text);
}

/* Whether the line ends with the directive (a comment may follow), so that
 * another line can stand below it. */
static bool ends_line(struct nginx_mend *m, const struct lint_node *node)
{
	struct bytes rest =
		bytes_from(lint_line(m->run, node->file, node->last_line),
			   node->last_column);

	while (rest.len && (rest.data[0] <= ' '))
		rest = bytes_from(rest, 1);
	return !rest.len || rest.data[0] == '#';
}

/* Whether nothing but blanks stands before the directive. */
static bool begins_line(struct nginx_mend *m, const struct lint_node *node)
{
	struct bytes line = lint_line(m->run, node->file, node->line);

	for (unsigned i = 0; i + 1 < node->column && i < line.len; i++)
		if (line.data[i] != ' ' && line.data[i] != '\t')
			return false;
	return true;
}

void nginx_mend_before(struct nginx_mend *m, const struct lint_node *node,
		       const char *format, ...)
{
	char indent[256], text[900];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!begins_line(m, node)) {
		add_part(m, node->file, node->line, node->column, 0, "%s ",
			 text);
		return;
	}
	lint_indent(m->run, node->file, node->line, indent, sizeof(indent));
	add_part(m, node->file, node->line - 1, UINT_MAX, 0, "%.100s%s", indent,
		 text);
}

void nginx_mend_add(struct nginx_mend *m, const struct lint_node *node,
		    const char *format, ...)
{
	char indent[256] = "", text[900];
	bool below = ends_line(m, node);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!below) {
		add_part(m, node->file, node->last_line, node->last_column + 1,
			 0, " %s", text);
		return;
	}
	lint_indent(m->run, node->file, node->line, indent, sizeof(indent));
	add_part(m, node->file, node->last_line, UINT_MAX, 0, "%.100s%s",
		 indent, text);
}

void nginx_mend_done(struct nginx_mend *m, struct lint_finding *f)
{
	for (size_t i = 0; i < m->n && !m->failed; i++) {
		const char *text = m->part[i].text, *file = m->part[i].file;

		if (m->part[i].column == UINT_MAX)
			lint_insert(m->run, f, file, m->part[i].line, "%s",
				    text);
		else
			lint_change(m->run, f, file, m->part[i].line,
				    m->part[i].column - 1, m->part[i].len, text);
	}
	if (m->failed)
		lint_no_edits(f);
	m->n = 0;
}
