/* SPDX-License-Identifier: MIT */
/*
 * Who may come in: Require and what it asks, RewriteRule [F], the directives of
 * 2.2, and limits. With a request they are asked about it; what cannot be told
 * is no sure finding then.
 */
#include "lint/apache.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- who may come in ---- */

static enum lint_rule rule_about(const char *text)
{
	if (lint_holds(text, "Origin"))
		return LINT_ORIGIN_RULE;
	if (lint_holds(text, "USER_AGENT") || lint_holds(text, "User-Agent"))
		return LINT_AGENT_RULE;
	if (lint_holds(text, "REMOTE_ADDR") ||
	    lint_holds(text, "REMOTE_HOST") || lint_holds(text, "CONN_REMOTE"))
		return LINT_ADDRESS_RULE;
	if (lint_holds(text, "HTTP_HOST") || lint_holds(text, "HTTP:Host"))
		return LINT_HOST_RULE;
	if (lint_holds(text, "SSL_CLIENT"))
		return LINT_CERTIFICATE_RULE;
	return LINT_REFUSED;
}

/* What the request says where the rule looks. */
static const char *asked(const struct lint_request *q, enum lint_rule rule)
{
	const char *value = NULL;

	if (q)
		value = rule == LINT_ORIGIN_RULE  ? q->origin
			: rule == LINT_AGENT_RULE ? q->user_agent
						  : NULL;
	return value;
}

static bool in_all(const struct lint_node *n)
{
	for (n = n->parent; n && n->name; n = n->parent)
		if (lint_same(n->name, "RequireAll") ||
		    lint_same(n->name, "RequireNone"))
			return true;
	return false;
}

/*
 * Beside a Require that this request does not meet, one that it meets. Outside
 * of <RequireAll> one suffices; within, the two stand in a <RequireAny>.
 */
static void add_require(const struct apache_probe *p, struct lint_finding *f,
			const struct lint_node *n, const char *more, bool edit)
{
	struct bytes line = bytes_trim(lint_line(p->run, n->file, n->line));
	char indent[64];

	if (n->last_line != n->line || lint_same(lint_arg(n, 0), "not"))
		return;
	if (!in_all(n)) {
		lint_fix_instead(f, n->line, "%.*s\n%s", BYTES_ARG(line), more);
		if (edit)
			lint_insert(p->run, f, n->file, n->line, "%s%s",
				    lint_indent(p->run, n->file, n->line,
						indent, sizeof(indent)),
				    more);
		return;
	}
	lint_fix_instead(f, n->line, "<RequireAny>\n\t%.*s\n\t%s\n</RequireAny>",
			 BYTES_ARG(line), more);
	lint_indent(p->run, n->file, n->line, indent, sizeof(indent));
	if (edit)
		lint_replace(p->run, f, n->file, n->line,
			     "%s<RequireAny>\n%s\t%.*s\n%s\t%s\n"
			     "%s</RequireAny>",
			     indent, indent, BYTES_ARG(line), indent, more,
			     indent);
}

/* The Require that this request meets. */
static void let_in(const struct apache_probe *p, struct lint_finding *f,
		   const struct lint_node *n, enum lint_rule rule)
{
	const char *value = asked(p->run->request, rule);
	char more[600];

	if (!lint_same(n->name, "Require"))
		return;
	if (rule == LINT_ADDRESS_RULE)
		add_require(p, f, n, "Require ip 203.0.113.9", false);
	if (!value || strpbrk(value, "'\"\\%$\n") || strlen(value) > 400)
		return;
	snprintf(more, sizeof(more), "Require expr \"%s == '%s'\"",
		 rule == LINT_ORIGIN_RULE ? "%{HTTP:Origin}"
					  : "%{HTTP_USER_AGENT}",
		 value);
	add_require(p, f, n, more, true);
}

static void refuse(const struct apache_probe *p, enum lint_rule rule,
		   const struct apache_item *it, enum lint_truth passes,
		   const char *how)
{
	struct lint_finding *f;
	char where[128];

	if (rule == LINT_ORIGIN_RULE && p->run->request &&
	    !asked(p->run->request, rule))
		rule = LINT_ORIGIN_MISSING;
	if (passes == LINT_YES || lint_told(p->run, rule, it->node))
		return;
	f = lint_note(p->run, rule, it->node,
		      p->sure && (passes == LINT_NO || !p->run->request),
		      apache_place(it, p->server, where, sizeof(where)),
		      "%s refuses %s%s%s", it->node->name,
		      passes == LINT_NO && p->run->request ? "this request"
							   : "requests",
		      *how ? " " : "", how);
	let_in(p, f, it->node, rule);
}

/* Above the rule: a condition that lets this request's value through. */
static void except(const struct apache_probe *p, const struct apache_rewrite *r,
		   enum lint_rule rule, struct lint_finding *f)
{
	const char *value = asked(p->run->request, rule);
	char line[512];

	if (!value || strpbrk(value, "\"\\%$\n"))
		return;
	snprintf(line, sizeof(line), "RewriteCond %s \"!=%s\"",
		 rule == LINT_ORIGIN_RULE ? "%{HTTP:Origin}"
					  : "%{HTTP_USER_AGENT}",
		 value);
	apache_put_above(p->run, f, r->rule->node, line);
}

void apache_judge_forbidden(const struct apache_probe *p)
{
	struct apache_rewrite r;
	size_t at = 0, i;

	while (!apache_tired(p->a) && apache_next_rewrite(p->server, &at, &r)) {
		enum lint_rule rule = LINT_REFUSED;
		enum lint_truth takes;
		struct lint_finding *f;
		char where[128];

		if (!r.forbidden ||
		    !apache_engine_on(p->server, r.rule->section) ||
		    apache_covers(r.rule->section, p->path) == LINT_NO)
			continue;
		takes = apache_rewrite_takes(p->a, p->server, &r, p->path);
		for (i = 0; i < r.n_conds && rule == LINT_REFUSED; i++)
			rule = rule_about(lint_arg(r.cond[i]->node, 0));
		if (rule == LINT_ORIGIN_RULE && p->run->request &&
		    !p->run->request->origin)
			rule = LINT_ORIGIN_MISSING;
		if (takes == LINT_NO || lint_told(p->run, rule, r.rule->node))
			continue;
		f = lint_note(
			p->run, rule, r.rule->node,
			p->sure && (takes == LINT_YES || !p->run->request),
			apache_place(r.rule, p->server, where, sizeof(where)),
			"RewriteRule [F] answers 403 to %s",
			takes == LINT_YES && p->run->request
				? "this request"
				: "requests that its conditions match");
		except(p, &r, rule, f);
	}
}

/* Whether the environment variable is set for the request; *ret_rule: by what. */
static enum lint_truth env_set(const struct apache_probe *p, const char *name,
			       enum lint_rule *ret_rule)
{
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};
	enum lint_truth any = LINT_NO;
	size_t i, k, j;

	for (k = p->server == sets[0]; k < 2; k++)
		for (i = 0; i < sets[k]->n_items && !apache_tired(p->a); i++) {
			const struct lint_node *n = sets[k]->item[i].node;
			bool browser = lint_begins(n->name, "BrowserMatch");
			bool set = lint_begins(n->name, "SetEnvIf");
			const char *field =
				browser ? "User-Agent" : lint_arg(n, 0);
			const char *value = NULL;
			enum lint_truth hit = LINT_PERHAPS;

			if (!browser && !set)
				continue;
			for (j = 2 - browser; j < n->n_args; j++)
				if (strncmp(n->arg[j], name, strlen(name)) == 0 &&
				    strchr("=", n->arg[j][strlen(name)]))
					break;
			if (j >= n->n_args)
				continue;
			if (lint_same(field, "Remote_Addr"))
				field = "REMOTE_ADDR";
			*ret_rule = rule_about(field);
			if (lint_request_field(p->run->request, field, &value))
				hit = lint_regex(lint_arg(n, 1 - browser),
						 lint_holds(n->name, "NoCase"),
						 value ? value : "");
			any = lint_or(any, hit);
		}
	return any;
}

/* A simple expression about one field: does it let the request through? */
static enum lint_truth expr_passes(const struct apache_probe *p,
				   const char *expr, enum lint_rule rule)
{
	const char *value = asked(p->run->request, rule);
	char quoted[512];
	bool named;

	if (!p->run->request ||
	    (rule != LINT_ORIGIN_RULE && rule != LINT_AGENT_RULE) ||
	    strstr(expr, "=~") || strstr(expr, "!~") || strchr(expr, '|') ||
	    strchr(expr, '&') || strstr(expr, "-n") || strstr(expr, "-z"))
		return LINT_PERHAPS;
	snprintf(quoted, sizeof(quoted), "%s", value ? value : "''");
	named = strstr(expr, quoted) != NULL;
	if (strstr(expr, "!=") || *expr == '!')
		return lint_truth(!named);
	return lint_truth(named);
}

static void join_args(const struct lint_node *n, size_t from, char *out,
		      size_t size)
{
	size_t used = 0, i;

	*out = '\0';
	for (i = from; i < n->n_args && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 i > from ? " " : "", n->arg[i]);
}

static enum lint_truth require_passes(const struct apache_probe *p,
				      const struct lint_node *n,
				      enum lint_rule *ret_rule)
{
	bool negated = lint_same(lint_arg(n, 0), "not");
	const char *kind = lint_arg(n, negated);
	enum lint_truth passes = LINT_PERHAPS;
	char expr[1024];
	size_t i;

	*ret_rule = LINT_REFUSED;
	if (lint_same(kind, "all"))
		passes = lint_truth(
			lint_same(lint_arg(n, 1 + negated), "granted"));
	else if (lint_same(kind, "ip") || lint_same(kind, "host") ||
		 lint_same(kind, "local") || lint_same(kind, "forward-dns"))
		*ret_rule = LINT_ADDRESS_RULE;
	else if (lint_same(kind, "valid-user") || lint_same(kind, "user") ||
		 lint_same(kind, "group") || lint_begins(kind, "ldap-") ||
		 lint_same(kind, "claim"))
		*ret_rule = LINT_AUTH_RULE;
	else if (lint_same(kind, "method"))
		for (passes = LINT_NO, i = 1 + negated; i < n->n_args; i++)
			passes = lint_or(passes, lint_truth(lint_same(n->arg[i],
								      "GET")));
	else if (lint_same(kind, "env"))
		passes = env_set(p, lint_arg(n, 1 + negated), ret_rule);
	else if (lint_same(kind, "expr")) {
		join_args(n, 1 + negated, expr, sizeof(expr));
		*ret_rule = rule_about(expr);
		passes = expr_passes(p, expr, *ret_rule);
	}
	return negated ? lint_not(passes) : passes;
}

/* Whether another Require of the same <RequireAny> lets the request in. */
static bool suffices_beside(const struct apache_probe *p,
			    const struct lint_node *n)
{
	const struct lint_node *any = n->parent, *other;
	enum lint_rule rule;

	if (!any || !any->name || !lint_same(any->name, "RequireAny"))
		return false;
	for (other = any->first; other; other = other->next)
		if (lint_same(other->name, "Require") &&
		    require_passes(p, other, &rule) == LINT_YES)
			return true;
	return false;
}

/* Of all sections that cover the path the last one with Require counts. */
static const struct lint_node *guard_of(const struct apache_probe *p,
					bool *ret_any)
{
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};
	const struct lint_node *guard = NULL;
	size_t i, k;

	for (k = p->server == sets[0]; k < 2; k++)
		for (i = 0; i < sets[k]->n_items && !apache_tired(p->a); i++) {
			const struct apache_item *it = &sets[k]->item[i];

			if (lint_same(it->node->name, "Require") &&
			    !it->perhaps && it->section &&
			    apache_applies(p, it)) {
				guard = it->section;
				*ret_any = true;
			}
		}
	return guard;
}

void apache_judge_requires(const struct apache_probe *p)
{
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};
	bool any = false;
	const struct lint_node *guard = guard_of(p, &any);
	enum lint_rule rule;
	int round;
	size_t i, k;

	/* One that is met suffices, outside of <RequireAll>. */
	for (round = 0; any && round < 2; round++)
		for (k = p->server == sets[0]; k < 2; k++)
			for (i = 0; i < sets[k]->n_items && !apache_tired(p->a);
			     i++) {
				const struct apache_item *it = &sets[k]->item[i];
				enum lint_truth passes;

				if (!lint_same(it->node->name, "Require") ||
				    it->section != guard || it->perhaps)
					continue;
				passes = require_passes(p, it->node, &rule);
				if (round == 0) {
					if (passes == LINT_YES &&
					    !in_all(it->node))
						return;
					continue;
				}
				if (suffices_beside(p, it->node))
					continue;
				refuse(p, rule, it, passes,
				       rule == LINT_AUTH_RULE
					       ? "without credentials, which "
						 "browsers do not ask for here"
					       : "");
			}
}

/* The directives of 2.2: Order, Allow from, Deny from. */
void apache_judge_old_access(const struct apache_probe *p,
			     const struct apache_server *s)
{
	size_t i;

	for (i = 0; i < s->n_items && !apache_tired(p->a); i++) {
		const struct apache_item *it = &s->item[i];
		const char *whom = lint_arg(it->node, 1);
		enum lint_rule rule = LINT_ADDRESS_RULE;
		enum lint_truth hit = LINT_PERHAPS;

		if (!lint_same(it->node->name, "Deny") ||
		    !apache_applies(p, it) || !it->section)
			continue;
		if (lint_begins(whom, "env="))
			hit = env_set(p, whom + 4, &rule);
		refuse(p, rule, it, lint_not(hit), "");
	}
}

void apache_judge_limits(const struct apache_probe *p)
{
	const struct apache_item *size =
		apache_setting(p, "LimitRequestFieldSize");
	const struct apache_item *verify = apache_setting(p, "SSLVerifyClient");
	struct lint_finding *f;

	if (size && atol(lint_arg(size->node, 0)) < 8190 &&
	    !lint_told(p->run, LINT_HEADER_LIMIT, size->node)) {
		f = lint_note(
			p->run, LINT_HEADER_LIMIT, size->node, p->sure, "",
			"a field of the request, cookies for one, may have "
			"%s bytes; 8190 is usual",
			lint_arg(size->node, 0));
		apache_put_instead(p->run, f, size->node,
				   "LimitRequestFieldSize 8190");
	}
	if (verify && p->server->tls &&
	    lint_same(lint_arg(verify->node, 0), "require") &&
	    !lint_told(p->run, LINT_CERTIFICATE_RULE, verify->node))
		lint_note(p->run, LINT_CERTIFICATE_RULE, verify->node, p->sure,
			  "",
			  "a client without a certificate is refused in the "
			  "TLS handshake");
}
