/* SPDX-License-Identifier: MIT */
/*
 * What refuses in a Caddyfile: answers of its own, by what their matcher takes,
 * and credentials.
 */
#include "lint/caddy.h"

#include <stdio.h>

/* ---- who may come in ---- */

static enum lint_rule rule_about(const char *text)
{
	if (lint_holds(text, "origin"))
		return LINT_ORIGIN_RULE;
	if (lint_holds(text, "user-agent") || lint_holds(text, "user_agent"))
		return LINT_AGENT_RULE;
	if (lint_holds(text, "remote_ip") || lint_holds(text, "client_ip") ||
	    lint_holds(text, "remote_host"))
		return LINT_ADDRESS_RULE;
	if (lint_holds(text, " host "))
		return LINT_HOST_RULE;
	return LINT_REFUSED;
}

/* The one "not KIND" of the matcher, be it in its own line or in braces. */
static const struct lint_node *exception(const struct lint_node *set,
					 const char *kind, const char *field)
{
	const struct lint_node *n;
	bool fits = strcmp(lint_arg(set, 0), "not") == 0 &&
		    lint_same(lint_arg(set, 1), kind);

	if (set->n_args)
		return fits && (!field || (set->n_args == 4 &&
					   lint_same(lint_arg(set, 2), field)))
			       ? set
			       : NULL;
	for (n = set->first; n; n = n->next)
		if (strcmp(n->name, "not") == 0 &&
		    lint_same(lint_arg(n, 0), kind) &&
		    (!field ||
		     (n->n_args == 3 && lint_same(lint_arg(n, 1), field))))
			return n;
	return NULL;
}

/* The matcher with @more in it: what is in one line gets braces. */
static void widen(const struct caddy *c, struct lint_finding *f,
		  const struct lint_node *set, const char *more, bool edit)
{
	struct bytes line = bytes_trim(lint_line(c->run, set->file, set->line));
	struct bytes has = bytes_trim(bytes_from(line, strlen(set->name)));
	char indent[64];

	if (!set->n_args || set->block || set->last_line != set->line ||
	    memchr(line.data, '#', line.len) ||
	    !bytes_starts(line, bytes_of_str(set->name)))
		return;
	if (f && strcmp(f->file, set->file) == 0)
		lint_fix_instead(f, set->line, "%s {\n\t%.*s\n\t%s\n}",
				 set->name, BYTES_ARG(has), more);
	lint_indent(c->run, set->file, set->line, indent, sizeof(indent));
	if (edit)
		lint_replace(c->run, f, set->file, set->line,
			     "%s%s {\n%s\t%.*s\n%s\t%s\n%s}", indent, set->name,
			     indent, BYTES_ARG(has), indent, more, indent);
}

/* "not header Origin A" within a matcher: where another value goes. */
static void add_value(const struct caddy *c, struct lint_finding *f,
		      const struct lint_node *set, const char *field,
		      const char *value)
{
	const struct lint_node *n = exception(set, "header", field);
	char indent[64], more[600];

	if (!n || !value || strpbrk(value, "\"{}`\\\n") || strlen(value) > 300)
		return;
	snprintf(more, sizeof(more), "not header %s \"%s\"", field, value);
	if (n == set) {
		widen(c, f, set, more, true);
		return;
	}
	lint_fix(f, "%s", more);
	lint_insert(c->run, f, n->file, n->line, "%s%s",
		    lint_indent(c->run, n->file, n->line, indent, sizeof(indent)),
		    more);
}

static bool answers_404(const struct lint_node *n)
{
	size_t i;

	for (i = 0; i < n->n_args; i++)
		if (strcmp(n->arg[i], "404") == 0)
			return true;
	return false;
}

void caddy_judge_refusal(const struct caddy *c, const struct lint_node *n,
			 enum lint_truth hit, bool sure)
{
	const struct lint_request *q = c->run->request;
	const char *matcher = caddy_matcher(n);
	const struct lint_node *set =
		matcher && *matcher == '@' ? caddy_find(c, n, matcher) : NULL;
	char text[2048], said[256];
	enum lint_rule rule;
	struct lint_finding *f;

	caddy_matcher_text(c, n, text, sizeof(text));
	rule = rule_about(text);
	if (rule == LINT_REFUSED && (hit != LINT_YES || !q))
		return;
	if (rule == LINT_ORIGIN_RULE && q && !q->origin)
		rule = LINT_ORIGIN_MISSING;
	/* What is left for those whom nothing else took. */
	if (rule == LINT_REFUSED && (!matcher || answers_404(n)))
		rule = LINT_NO_ROUTE;
	snprintf(said, sizeof(said), "%s %s %s", n->name,
		 strcmp(n->name, "respond") == 0 ? "answers" : "turns away",
		 hit == LINT_YES && q ? "this request"
				      : "what its matcher takes");
	f = caddy_note(c, rule, n, sure && (hit == LINT_YES || !q), said);
	if (set && q && rule == LINT_ORIGIN_RULE)
		add_value(c, f, set, "Origin", q->origin);
	else if (set && q && rule == LINT_AGENT_RULE)
		add_value(c, f, set, "User-Agent", q->user_agent);
	else if (set && rule == LINT_ADDRESS_RULE)
		widen(c, f, set, "not remote_ip 203.0.113.9", false);
}

bool caddy_is_refusal(const struct lint_node *n)
{
	return strcmp(n->name, "respond") == 0 ||
	       strcmp(n->name, "abort") == 0 || strcmp(n->name, "error") == 0;
}

void caddy_judge_auth(const struct caddy *c, const struct lint_node *n,
		      bool sure)
{
	caddy_note(c, LINT_AUTH_RULE, n, sure,
		   "credentials are asked for; browsers do not ask people for "
		   "them "
		   "when "
		   "a WebSocket opens");
}
