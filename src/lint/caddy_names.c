/* SPDX-License-Identifier: MIT */
/*
 * Names and conditions in a Caddyfile: matchers that nothing declares or that
 * nothing asks for, that no client meets, or that come too late.
 */
#include "lint/caddy.h"

#include <stdio.h>

#include "base/text.h"

/* ---- names and conditions ---- */

static void check_matcher_name(const struct caddy *c, const struct lint_node *n)
{
	const char *name = caddy_matcher(n), *known[128], *meant;
	const struct lint_node *block, *at;
	struct lint_finding *f;
	char text[256];
	size_t count = 0;

	if (!name || *name != '@' || caddy_find(c, n, name) || caddy_tired(c))
		return;
	for (block = n->parent; block; block = block->parent)
		for (at = block->first; at; at = at->next)
			if (at->name[0] == '@' && count < 128)
				known[count++] = at->name;
	meant = text_suggest(name, known, count);
	snprintf(text, sizeof(text),
		 "there is no matcher %.60s%s%.60s, so Caddy does not start "
		 "with "
		 "this",
		 name, meant ? "; perhaps " : "", meant ? meant : "");
	f = caddy_note(c, LINT_UNDECLARED, n,
		       lint_smells(name) || (meant && lint_smells(meant)), text);
	if (meant)
		caddy_swap(c, f, n, name, meant);
}

static bool uses(const struct caddy *c, const struct lint_node *block,
		 const char *name, int depth)
{
	const struct lint_node *n;
	size_t i;

	for (n = block->first; n && depth < LINT_MAX_DEPTH && !caddy_tired(c);
	     n = n->next) {
		for (i = 0; i < n->n_args; i++)
			if (strcmp(n->arg[i], name) == 0)
				return true;
		if (uses(c, n, name, depth + 1))
			return true;
	}
	return false;
}

static void judge_field_value(const struct caddy *c, const struct lint_node *n,
			      const char *field, const char *value)
{
	bool connection = lint_same(field, "Connection");
	const char *sent = connection ? "Upgrade" : "websocket";
	char text[256];

	if ((!connection && !lint_same(field, "Upgrade")) || !*value ||
	    strchr(value, '{'))
		return;
	if (!lint_glob(value, sent, false, false)) {
		if (!lint_glob(value, sent, true, false))
			return;
		snprintf(text, sizeof(text),
			 "clients send %s: %s, and values are compared with "
			 "their case: \"%.60s\" does not match",
			 field, sent, value);
	} else if (connection &&
		   !lint_glob(value, "keep-alive, Upgrade", false, false)) {
		snprintf(text, sizeof(text),
			 "Firefox sends \"Connection: keep-alive, Upgrade\", "
			 "which \"%.60s\" does not match",
			 value);
	} else {
		return;
	}
	caddy_swap(c, caddy_note(c, LINT_NEVER_TRUE, n, true, text), n, value,
		   connection ? "*Upgrade*" : "websocket");
}

static void check_matcher(const struct caddy *c, const struct lint_node *set)
{
	const struct lint_node *n;
	char text[2048] = "";
	size_t used = 0, i;

	if (strcmp(lint_arg(set, 0), "header") == 0)
		judge_field_value(c, set, lint_arg(set, 1), lint_arg(set, 2));
	for (n = set->first; n; n = n->next) {
		if (strcmp(n->name, "header") == 0)
			judge_field_value(c, n, lint_arg(n, 0), lint_arg(n, 1));
		for (i = 0; i < n->n_args && used < sizeof(text); i++)
			used += (size_t)snprintf(text + used,
						 sizeof(text) - used, " %s",
						 n->arg[i]);
	}
	if ((caddy_on_upgrade(text) || lint_smells(set->name) ||
	     caddy_on_upgrade(lint_arg(set, 1))) &&
	    !uses(c, set->parent, set->name, 0) && !caddy_tired(c))
		lint_fix(
			caddy_note(
				c, LINT_UNUSED, set, true,
				"this matcher is declared and nothing asks for "
				"it, "
				"so WebSockets go where everything goes"),
			"reverse_proxy %s 127.0.0.1:8080", set->name);
}

/* ---- order ---- */

static bool ends_way(const struct lint_node *n)
{
	return caddy_is_refusal(n) || strcmp(n->name, "reverse_proxy") == 0 ||
	       strcmp(n->name, "redir") == 0 || strcmp(n->name, "handle") == 0 ||
	       strcmp(n->name, "file_server") == 0;
}

static bool step_is_ws(const struct caddy *c, const struct lint_node *n)
{
	char text[2048];

	caddy_matcher_text(c, n, text, sizeof(text));
	return caddy_on_upgrade(text) || lint_smells(text);
}

/* The matcher that @late names, where it is defined between the two: moving the
 * one without the other would put the name before what it means. */
static const struct lint_node *matcher_between(const struct caddy *c,
					       const struct lint_node *late,
					       const struct lint_node *early)
{
	const char *name = caddy_matcher(late);
	const struct lint_node *set =
		name && *name == '@' ? caddy_find(c, late, name) : NULL;

	return set && strcmp(set->file, early->file) == 0 &&
			       strcmp(set->file, late->file) == 0 &&
			       set->line > early->last_line &&
			       set->last_line < late->line
		       ? set
		       : NULL;
}

/* Append the lines of @n to @out. False: they do not fit. */
static bool copy_lines(const struct caddy *c, const struct lint_node *n,
		       char *out, size_t size)
{
	size_t used = strlen(out);
	unsigned line;

	for (line = n->line; line <= n->last_line; line++) {
		struct bytes l = lint_line(c->run, n->file, line);

		if (l.len + 2 > size - used)
			return false;
		used += (size_t)snprintf(out + used, size - used, "%.*s\n",
					 (int)l.len, (const char *)l.data);
	}
	return true;
}

static void judge_order(const struct caddy *c, const struct lint_node *late,
			const struct lint_node *early)
{
	const struct lint_node *set = matcher_between(c, late, early);
	char text[256], moved[2048] = "";
	struct lint_finding *f;

	snprintf(text, sizeof(text),
		 "%s of line %u takes this first, so WebSockets never get here",
		 early->name, early->line);
	f = caddy_note(c, LINT_ORDER, late, true, text);
	if ((set && !copy_lines(c, set, moved, sizeof(moved))) ||
	    !copy_lines(c, late, moved, sizeof(moved)))
		return;
	lint_fix(f, "%s", moved);
	/* Where Caddy sorts by itself, moving would help only equals. */
	if (strcmp(late->file, early->file) != 0 ||
	    strcmp(late->name, early->name) != 0)
		return;
	if (set)
		caddy_take_out(c, f, set);
	caddy_take_out(c, f, late);
	lint_insert(c->run, f, early->file, early->line - 1, "%s", moved);
}

static void check_order(struct caddy *c, const struct lint_node *block)
{
	const struct lint_node *step[CADDY_MAX_SORTED];
	size_t n = caddy_sorted(c, block, step, CADDY_MAX_SORTED), i, k;
	const struct lint_request *real = c->request;

	for (i = 1; i < n; i++) {
		struct lint_request made = {0};
		char text[2048], path[256];
		const char *at;

		if (!ends_way(step[i]) || caddy_is_refusal(step[i]) ||
		    !step_is_ws(c, step[i]))
			continue;
		caddy_matcher_text(c, step[i], text, sizeof(text));
		at = strstr(text, " /");
		if (!real && at) {
			snprintf(path, sizeof(path), "%.*s",
				 (int)strcspn(at + 1, " *"), at + 1);
			made.path = path;
			c->request = &made;
		}
		for (k = 0; k < i; k++)
			if (ends_way(step[k]) &&
			    caddy_matches(c, step[k]) == LINT_YES &&
			    caddy_matches(c, step[i]) != LINT_NO) {
				judge_order(c, step[i], step[k]);
				break;
			}
		c->request = real;
	}
}

/* ---- everywhere in a block ---- */

void caddy_check_block(struct caddy *c, const struct lint_node *block, int depth)
{
	const struct lint_node *n;

	if (depth > LINT_MAX_DEPTH)
		return;
	check_order(c, block);
	for (n = block->first; n; n = n->next) {
		check_matcher_name(c, n);
		if (n->name[0] == '@')
			check_matcher(c, n);
		else if (n->block)
			caddy_check_block(c, n, depth + 1);
	}
}
