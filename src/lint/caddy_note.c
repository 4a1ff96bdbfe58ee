/* SPDX-License-Identifier: MIT */
/*
 * Findings about a Caddyfile, and the edits that mend it: a word for another
 * in its line, or lines out.
 */
#include "lint/caddy.h"

#include <stdio.h>

const char *caddy_title(const struct lint_node *n, char *out, size_t size)
{
	const char *first = lint_arg(n, 0);

	if (strcmp(n->name, CADDY_SITE) == 0)
		snprintf(out, size, "%s", first);
	else
		snprintf(out, size, "%s%s%s", n->name, *first ? " " : "", first);
	return out;
}

struct lint_finding *caddy_note(const struct caddy *c, enum lint_rule rule,
				const struct lint_node *n, bool sure,
				const char *text)
{
	const struct lint_node *place =
		n->parent && n->parent->name ? n->parent : n;
	char where[128];

	if (lint_told(c->run, rule, n))
		return NULL;
	return lint_note(c->run, rule, n, sure,
			 caddy_title(place, where, sizeof(where)), "%s", text);
}

void caddy_swap(const struct caddy *c, struct lint_finding *f,
		const struct lint_node *n, const char *from, const char *to)
{
	lint_swap(c->run, f, n, from, to, true);
}

void caddy_take_out(const struct caddy *c, struct lint_finding *f,
		    const struct lint_node *n)
{
	unsigned line;
	struct bytes text = lint_line(c->run, n->file, n->line);

	/* Something else may stand in the same line. */
	if (n->column > 1 && bytes_trim(bytes_first(text, n->column - 1)).len)
		return;
	if (n->last_line - n->line < LINT_MAX_EDITS)
		for (line = n->line; line <= n->last_line; line++)
			lint_delete(c->run, f, n->file, line);
}

bool caddy_on_upgrade(const char *text)
{
	return lint_holds(text, "upgrade") || lint_holds(text, "connection") ||
	       lint_holds(text, "sec-websocket");
}
