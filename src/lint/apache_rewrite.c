/* SPDX-License-Identifier: MIT */
/*
 * Rewrite rules that are meant for WebSockets and do not work: a condition that
 * nobody meets, a flag that is missing, an engine that is off.
 */
#include "lint/apache.h"

#include <stdio.h>

/* ---- rewrite rules for WebSocket ---- */

bool apache_meant_for_ws(const struct apache_rewrite *r)
{
	return apache_is_ws(r->target) || (r->on_upgrade && r->proxy);
}

static void judge_misspelt(struct lint_run *run, const struct lint_node *cond)
{
	static const char *const wrong[][2] = {
		{"%{HTTP_UPGRADE}", "%{HTTP:Upgrade}"},
		{"%{HTTP_CONNECTION}", "%{HTTP:Connection}"},
	};
	struct lint_finding *f;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!lint_same(lint_arg(cond, 0), wrong[i][0]))
			continue;
		f = lint_note(run, LINT_MISSPELT_VARIABLE, cond, true,
			      "RewriteRule",
			      "mod_rewrite has no variable %s, so it is always "
			      "empty; the field of the request is %s",
			      wrong[i][0], wrong[i][1]);
		lint_fix(f, "RewriteCond %s %s [NC]", wrong[i][1],
			 lint_arg(cond, 1));
		if (lint_swap(run, f, cond, lint_arg(cond, 0), wrong[i][1],
			      false) &&
		    !*lint_arg(cond, 2))
			lint_append(run, f, cond, " [NC]");
	}
}

/* As Firefox writes it. */
#define WITH_KEEP_ALIVE "keep-alive, Upgrade"

static void judge_cond(const struct apache *a, const struct apache_server *s,
		       const struct lint_node *cond)
{
	struct lint_run *run = a->run;
	const char *test = lint_arg(cond, 0), *flags = lint_arg(cond, 2);
	bool connection = lint_same(test, "%{HTTP:Connection}");
	const char *pattern = lint_arg(cond, 1);
	struct lint_finding *f;

	judge_misspelt(run, cond);
	if ((!connection && !lint_same(test, "%{HTTP:Upgrade}")) ||
	    *pattern == '!' || lint_told(run, LINT_NEVER_TRUE, cond))
		return;
	if (apache_cond(a, s, cond, NULL) == LINT_NO) {
		bool loose =
			lint_regex(pattern + (*pattern == '='), true,
				   connection ? "Upgrade" : "websocket") ==
				LINT_YES &&
			(!connection ||
			 lint_regex(pattern, true, WITH_KEEP_ALIVE) != LINT_NO);

		f = lint_note(run, LINT_NEVER_TRUE, cond, true, "RewriteRule",
			      "clients send %s, which \"%s\" does not match%s",
			      connection ? "Connection: Upgrade"
					 : "Upgrade: websocket",
			      pattern, loose ? " without [NC]" : "");
		if (loose && !*flags)
			apache_append(run, f, cond, " [NC]");
		else
			apache_put_instead(
				run, f, cond,
				connection ? "RewriteCond %{HTTP:Connection} "
					     "upgrade [NC]"
					   : "RewriteCond %{HTTP:Upgrade} "
					     "websocket [NC]");
	} else if (connection &&
		   lint_regex(pattern, true, WITH_KEEP_ALIVE) == LINT_NO) {
		const struct lint_request *q = run->request;
		bool firefox = !q || (q->user_agent &&
				      lint_holds(q->user_agent, "Firefox"));

		f = lint_note(
			run, LINT_NEVER_TRUE, cond, firefox, "RewriteRule",
			"Firefox sends \"Connection: keep-alive, Upgrade\", "
			"which \"%s\" does not match",
			pattern);
		apache_put_instead(
			run, f, cond,
			"RewriteCond %{HTTP:Connection} upgrade [NC]");
	}
}

/* "[L]" becomes "[P,L]". */
static void judge_flags(const struct apache *a, const struct apache_rewrite *r)
{
	const struct lint_node *n = r->rule->node;
	struct lint_run *run = a->run;
	struct lint_finding *f;
	char to[128];

	if (r->proxy || r->forbidden || !apache_is_ws(r->target) ||
	    lint_told(run, LINT_UPGRADE_NOT_FORWARDED, n))
		return;
	f = lint_note(run, LINT_UPGRADE_NOT_FORWARDED, n, true, "RewriteRule",
		      "without the flag [P] this is a redirect to %s, which "
		      "WebSocket clients do not follow",
		      r->target);
	if (!*r->flags) {
		apache_append(run, f, n, " [P,L]");
		return;
	}
	lint_fix(f, "RewriteRule %s %s [P,L]", r->pattern, r->target);
	snprintf(to, sizeof(to), "[P,%s", r->flags + 1);
	if (apache_flag(r->flags, "R") || apache_flag(r->flags, "redirect"))
		snprintf(to, sizeof(to), "[P,L]");
	if (n->last_line == n->line)
		lint_swap(run, f, n, r->flags, to, false);
}

static void judge_engine(const struct apache *a, const struct apache_server *s,
			 const struct apache_rewrite *r)
{
	const struct lint_node *first =
		r->n_conds ? r->cond[0]->node : r->rule->node;
	const struct apache_item *off = NULL;
	struct lint_finding *f;
	size_t i;

	if (apache_engine_on(s, r->rule->section) ||
	    lint_told(a->run, LINT_ENGINE_OFF, first))
		return;
	for (i = 0; i < s->n_items && !apache_tired(a); i++)
		if (lint_same(s->item[i].node->name, "RewriteEngine") &&
		    s->item[i].section == r->rule->section)
			off = &s->item[i];
	f = lint_note(
		a->run, LINT_ENGINE_OFF, off ? off->node : first, true,
		"RewriteRule",
		"RewriteEngine is not on here, so the rule for WebSockets "
		"in line %u does nothing (it is not inherited)",
		r->rule->node->line);
	if (off)
		apache_put_instead(a->run, f, off->node, "RewriteEngine On");
	else
		apache_put_above(a->run, f, first, "RewriteEngine On");
}

/* [P] to http:// passes no Upgrade on, unless a worker with upgrade= takes it. */
static void judge_scheme_of_target(const struct apache *a,
				   const struct apache_rewrite *r)
{
	const struct lint_node *n = r->rule->node;
	struct lint_finding *f;
	bool tls = lint_begins(r->target, "https://");

	if (!r->proxy || !lint_begins(r->target, "http") ||
	    apache_shares_worker(a, r->target) ||
	    lint_told(a->run, LINT_UPGRADE_NOT_FORWARDED, n))
		return;
	f = lint_note(
		a->run, LINT_UPGRADE_NOT_FORWARDED, n, true, "RewriteRule",
		"[P] to %s passes Upgrade on to nobody; the scheme has to "
		"be %s",
		r->target, tls ? "wss://" : "ws://");
	lint_fix(f, "RewriteRule %s %s%s %s", r->pattern, tls ? "wss" : "ws",
		 r->target + 4 + tls, r->flags);
	if (n->last_line == n->line)
		lint_swap(a->run, f, n, tls ? "https://" : "http://",
			  tls ? "wss://" : "ws://", false);
}

/* Whether [OR] makes the condition one of several that suffice. */
static bool one_of_many(const struct apache_rewrite *r, size_t i)
{
	return apache_flag(lint_arg(r->cond[i]->node, 2), "OR") ||
	       (i && apache_flag(lint_arg(r->cond[i - 1]->node, 2), "OR"));
}

/* True: the server has a rule for WebSockets, and it does not work. */
bool apache_judge_rewrites(const struct apache *a, const struct apache_server *s)
{
	size_t before = a->run->report->n_findings, at = 0, i;
	struct apache_rewrite r;

	while (!apache_tired(a) && apache_next_rewrite(s, &at, &r)) {
		if (!apache_meant_for_ws(&r) && !r.on_upgrade)
			continue;
		for (i = 0; i < r.n_conds; i++)
			if (!one_of_many(&r, i))
				judge_cond(a, s, r.cond[i]->node);
		if (!apache_meant_for_ws(&r))
			continue;
		judge_flags(a, &r);
		judge_scheme_of_target(a, &r);
		judge_engine(a, s, &r);
	}
	return a->run->report->n_findings > before;
}
