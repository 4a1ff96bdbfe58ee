/* SPDX-License-Identifier: MIT */
/*
 * What the rules for Apache share: places in words, edits that keep a line's
 * indentation, and settings, of which the last one that holds counts.
 */
#include "lint/apache.h"

#include <stdio.h>

const char *apache_place(const struct apache_item *item,
			 const struct apache_server *server, char *out,
			 size_t size)
{
	const struct lint_node *n = item ? item->section : NULL;

	if (!n && server)
		n = server->vhost;
	if (!n)
		snprintf(out, size, "%s", "");
	else
		snprintf(out, size, "<%s %s>", n->name, lint_arg(n, 0));
	return out;
}

/* The line of @node with something behind it, as an edit; of several lines each
 * is there to paste. */
void apache_append(struct lint_run *run, struct lint_finding *f,
		   const struct lint_node *node, const char *more)
{
	struct bytes line = bytes_trim(lint_line(run, node->file, node->line));
	char before[sizeof(f->fix)];

	if (line.len && line.data[line.len - 1] == '\r')
		line = bytes_trim(bytes_first(line, line.len - 1));
	snprintf(before, sizeof(before), "%s", f ? f->fix : "");
	lint_fix(f, "%s%s%.*s%s", before, before[0] ? "\n" : "",
		 BYTES_ARG(line), more);
	lint_append(run, f, node, more);
}

void apache_put_above(struct lint_run *run, struct lint_finding *f,
		      const struct lint_node *node, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	lint_insert(run, f, node->file, node->line - 1, "%s%s",
		    lint_indent(run, node->file, node->line, indent,
				sizeof(indent)),
		    line);
}

void apache_put_instead(struct lint_run *run, struct lint_finding *f,
			const struct lint_node *node, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	if (node->last_line == node->line)
		lint_replace(run, f, node->file, node->line, "%s%s",
			     lint_indent(run, node->file, node->line, indent,
					 sizeof(indent)),
			     line);
}

void apache_take_out(struct lint_run *run, struct lint_finding *f,
		     const struct lint_node *node)
{
	unsigned line;

	if (node->last_line - node->line < LINT_MAX_EDITS)
		for (line = node->line; line <= node->last_line; line++)
			lint_delete(run, f, node->file, line);
}

/* ---- settings that sections inherit ---- */

static void last_of(const struct apache_server *s, const char *name,
		    const char *path, bool inside,
		    const struct apache_item **ret)
{
	size_t i;

	for (i = 0; i < s->n_items; i++) {
		const struct apache_item *it = &s->item[i];

		if (lint_same(it->node->name, name) &&
		    (it->section != NULL) == inside && !it->perhaps &&
		    apache_covers(it->section, path) == LINT_YES)
			*ret = it;
	}
}

/* The directive that holds for the probe, or NULL. */
const struct apache_item *apache_setting(const struct apache_probe *p,
					 const char *name)
{
	const struct apache_item *found = NULL;

	last_of(&p->a->server[0], name, p->path, false, &found);
	last_of(p->server, name, p->path, false, &found);
	last_of(&p->a->server[0], name, p->path, true, &found);
	last_of(p->server, name, p->path, true, &found);
	return found;
}

bool apache_applies(const struct apache_probe *p, const struct apache_item *it)
{
	return apache_covers(it->section, p->path) == LINT_YES;
}
