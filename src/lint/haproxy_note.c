/* SPDX-License-Identifier: MIT */
/*
 * Findings about HAProxy and the edits that mend them, and by what words a
 * line is known to be about WebSockets.
 */
#include "lint/haproxy.h"

#include <stdio.h>

const char *haproxy_title(const struct lint_node *section, char *out,
			  size_t size)
{
	snprintf(out, size, "%s%s%s", section->name, section->n_args ? " " : "",
		 lint_arg(section, 0));
	return out;
}

struct lint_finding *haproxy_note(const struct haproxy_way *w,
				  enum lint_rule rule, const struct lint_node *n,
				  bool sure, const char *text)
{
	char where[128];

	if (lint_told(w->run, rule, n))
		return NULL;
	return lint_note(
		w->run, rule, n, sure,
		haproxy_title(n->parent && n->parent->name ? n->parent : n,
			      where, sizeof(where)),
		"%s", text);
}

void haproxy_put_below(struct lint_run *run, struct lint_finding *f,
		       const struct lint_node *n, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	if (n->block) /* a section's header: as what follows it */
		snprintf(indent, sizeof(indent), "  ");
	else
		lint_indent(run, n->file, n->line, indent, sizeof(indent));
	if (n->block && n->first)
		lint_indent(run, n->file, n->first->line, indent,
			    sizeof(indent));
	lint_insert(run, f, n->file, n->line, "%s%s", indent, line);
}

void haproxy_put_instead(struct lint_run *run, struct lint_finding *f,
			 const struct lint_node *n, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	lint_replace(run, f, n->file, n->line, "%s%s",
		     lint_indent(run, n->file, n->line, indent, sizeof(indent)),
		     line);
}

void haproxy_swap(struct lint_run *run, struct lint_finding *f,
		  const struct lint_node *n, const char *from, const char *to)
{
	lint_swap(run, f, n, from, to, true);
}

void haproxy_join(const struct lint_node *n, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "%s", n->name), i;

	for (i = 0; i < n->n_args && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, " %s",
					 n->arg[i]);
}

/* ---- signs of WebSocket ---- */

bool haproxy_about_upgrade(const char *text)
{
	return lint_holds(text, "(upgrade") || lint_holds(text, "(connection") ||
	       lint_holds(text, "sec-websocket");
}

bool haproxy_is_ws(const struct haproxy *h, const struct lint_node *section,
		   const struct lint_node *n)
{
	char text[2048];

	haproxy_condition_text(h, section, n, text, sizeof(text));
	return haproxy_about_upgrade(text) || lint_smells(text);
}

bool haproxy_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}
