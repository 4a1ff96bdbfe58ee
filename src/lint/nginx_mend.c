/* SPDX-License-Identifier: MIT */
/*
 * Edits within lines. A configuration may hold a whole block on one line, or
 * one directive on three, while a patch knows lines only: parts of lines are
 * collected here and become whole lines at the end.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lint/nginx.h"

#define MAX_LINE 4096

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

/* ---- whole lines ---- */

static void put(char *out, const char *text, size_t len)
{
	size_t used = strlen(out);

	if (len > MAX_LINE - 1 - used)
		len = MAX_LINE - 1 - used;
	memcpy(out + used, text, len);
	out[used + len] = 0;
}

/* The part of the line from column *at on that no part takes. */
static void put_rest(char *out, struct bytes line, size_t *at, size_t end)
{
	if (end > line.len)
		end = line.len;
	if (*at < end)
		put(out, (const char *)line.data + *at, end - *at);
	*at = end;
}

static bool is_of_line(const struct nginx_mend *m, size_t i, size_t first)
{
	return m->part[i].line == m->part[first].line &&
	       strcmp(m->part[i].file, m->part[first].file) == 0;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r")] == 0;
}

/* Rewrite the line of part @first by all parts of it, which are in order. */
static void mend_line(struct nginx_mend *m, struct lint_finding *f, size_t first)
{
	struct bytes line =
		lint_line(m->run, m->part[first].file, m->part[first].line);
	char out[MAX_LINE] = "";
	bool changed = false;
	size_t at = 0;

	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len >= MAX_LINE / 2)
		m->failed = true;
	for (size_t i = first; i < m->n; i++) {
		if (!is_of_line(m, i, first) || m->part[i].column == UINT_MAX)
			continue;
		changed = true;
		put_rest(out, line, &at, m->part[i].column - 1);
		put(out, m->part[i].text, strlen(m->part[i].text));
		at = m->part[i].len > line.len - at ? line.len
						    : at + m->part[i].len;
	}
	put_rest(out, line, &at, line.len);
	if (changed && is_blank(out))
		lint_delete(m->run, f, m->part[first].file, m->part[first].line);
	else if (changed)
		lint_replace(m->run, f, m->part[first].file,
			     m->part[first].line, "%s", out);
	for (size_t i = first; i < m->n; i++)
		if (is_of_line(m, i, first) && m->part[i].column == UINT_MAX)
			lint_insert(m->run, f, m->part[i].file, m->part[i].line,
				    "%s", m->part[i].text);
}

/* By file, line and column; the order of the rest stays. */
static int order(const struct nginx_mend *m, size_t a, size_t b)
{
	int files = strcmp(m->part[a].file, m->part[b].file);

	if (files)
		return files;
	if (m->part[a].line != m->part[b].line)
		return m->part[a].line < m->part[b].line ? -1 : 1;
	return (m->part[a].column > m->part[b].column) -
	       (m->part[a].column < m->part[b].column);
}

static void sort(struct nginx_mend *m)
{
	for (size_t i = 1; i < m->n; i++)
		for (size_t k = i; k > 0 && order(m, k - 1, k) > 0; k--) {
			__typeof__(m->part[0]) swap = m->part[k];

			m->part[k] = m->part[k - 1];
			m->part[k - 1] = swap;
		}
}

void nginx_mend_done(struct nginx_mend *m, struct lint_finding *f)
{
	sort(m);
	for (size_t i = 0; i < m->n && !m->failed; i++)
		if (i == 0 || !is_of_line(m, i, i - 1))
			mend_line(m, f, i);
	if (m->failed)
		lint_no_edits(f);
	m->n = 0;
}
