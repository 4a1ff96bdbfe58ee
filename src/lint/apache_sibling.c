/* SPDX-License-Identifier: MIT */
/*
 * Does another virtual host of the same name pass it on? The rules for
 * WebSockets often stand in the plain one alone, and wss:// comes to the other.
 */
#include "lint/apache.h"

#include <stdio.h>

static const char *server_name(const struct apache_server *s)
{
	size_t i;

	for (i = 0; i < s->n_items; i++)
		if (lint_same(s->item[i].node->name, "ServerName"))
			return lint_arg(s->item[i].node, 0);
	return "";
}

bool apache_siblings(const struct apache *a, const struct apache_server *x,
		     const struct apache_server *y)
{
	const char *name = server_name(x), *other = server_name(y);
	size_t len = strcspn(name, ":");

	if (!x->vhost || !y->vhost || x->tls == y->tls)
		return false;
	if (!*name || !*other)
		return a->n_servers == 3;
	return len == strcspn(other, ":") && strncmp(name, other, len) == 0;
}

static void copy_lines(struct lint_run *run, const struct lint_node *n,
		       char *out, size_t size)
{
	size_t used = strlen(out);
	unsigned line;

	for (line = n->line; line <= n->last_line; line++) {
		struct bytes l = lint_line(run, n->file, line);

		if (l.len + 2 > size - used)
			return;
		memcpy(out + used, l.data ? l.data : (const uint8_t *)"", l.len);
		used += l.len;
		out[used++] = '\n';
		out[used] = '\0';
	}
}

/* The lines that make the fate what it is. */
static void fate_lines(struct lint_run *run, const struct apache_server *s,
		       const struct apache_fate *fate, char *out, size_t size)
{
	struct apache_rewrite r;
	size_t at = 0, i;

	*out = '\0';
	while (apache_next_rewrite(s, &at, &r)) {
		if (r.rule != fate->by)
			continue;
		snprintf(out, size, "\tRewriteEngine On\n");
		for (i = 0; i < r.n_conds; i++)
			copy_lines(run, r.cond[i]->node, out, size);
	}
	copy_lines(run, fate->by->section ? fate->by->section : fate->by->node,
		   out, size);
}

/* @p->server does not serve the path; another one of the same name does. */
bool apache_judge_sibling(const struct apache_probe *p)
{
	struct apache *a = p->a;
	size_t i;

	for (i = 1; i < a->n_servers; i++) {
		const struct apache_server *s = &a->server[i];
		struct apache_fate fate;
		struct lint_finding *f;
		char text[2048];

		if (s->tls || !apache_siblings(a, s, p->server))
			continue;
		apache_follow(a, s, p->path, &fate);
		if (fate.end != APACHE_TUNNEL)
			continue;
		if (lint_told(p->run, LINT_PLAIN_VHOST_ONLY, p->server->vhost))
			return true;
		snprintf(text, sizeof(text), "<VirtualHost %s>",
			 lint_arg(p->server->vhost, 0));
		f = lint_note(p->run, LINT_PLAIN_VHOST_ONLY, p->server->vhost,
			      true, text,
			      "the rules for WebSockets stand in the plain "
			      "virtual host (line %u) alone; wss:// comes here",
			      s->vhost->line);
		fate_lines(p->run, s, &fate, text, sizeof(text));
		lint_fix(f, "%s", text);
		lint_insert(p->run, f, p->server->vhost->file,
			    p->server->vhost->line, "%s", text);
		return true;
	}
	return false;
}
