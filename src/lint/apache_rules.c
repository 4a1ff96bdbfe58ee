/* SPDX-License-Identifier: MIT */
/*
 * What is wrong for WebSockets in a configuration of Apache. Each path that is
 * meant for them (or that of the request) is followed through its server, and
 * what it meets on the way is judged: where it ends in apache_forward.c, what
 * another server of the same name has in apache_sibling.c, what is done to it
 * in apache_way.c.
 */
#include "lint/apache.h"

#include <stdio.h>

#define MAX_PROBES 64

/* ---- one path ---- */

/* The rule for WebSockets that takes the path as soon as it works, or NULL. */
static const struct apache_item *broken_rewrite(const struct apache_probe *p)
{
	struct apache_rewrite r;
	size_t at = 0;

	while (!apache_tired(p->a) && apache_next_rewrite(p->server, &at, &r))
		if (apache_meant_for_ws(&r) && !r.negated &&
		    lint_regex(r.pattern, false, p->path) != LINT_NO)
			return r.rule;
	return NULL;
}

/* What else is wrong on the way that the probe takes once it is let through. */
static void judge_intended(const struct apache_probe *p, bool broken_rule)
{
	const struct apache_item *by = NULL;
	struct apache_probe way = *p;

	if (p->fate.end == APACHE_TUNNEL) {
		apache_judge_way(p);
		return;
	}
	if (p->fate.end == APACHE_REFUSED) {
		apache_follow_passes(p->a, p->server, p->path, &way.fate);
		by = way.fate.by;
	} else {
		by = broken_rule ? broken_rewrite(p) : NULL;
		by = by ? by : apache_unheard_anywhere(p);
		by = by || p->fate.end != APACHE_PLAIN ? by : p->fate.by;
	}
	way.fate.by = by;
	if (by)
		apache_judge_way(&way);
}

static void judge_probe(struct apache_probe *p, bool broken_rule)
{
	bool elsewhere = false;

	if (apache_tired(p->a))
		return;
	*p->a->patience -= (long)(p->server->n_items + p->a->server[0].n_items);

	apache_follow(p->a, p->server, p->path, &p->fate);
	p->sure &= p->fate.sure == LINT_YES;
	if (p->fate.end == APACHE_TUNNEL || p->fate.end == APACHE_PLAIN)
		apache_judge_misplaced(p);
	if (p->fate.end != APACHE_TUNNEL)
		elsewhere = p->server->tls && apache_judge_sibling(p);
	if (!elsewhere) {
		if (p->fate.end == APACHE_PLAIN)
			apache_judge_plain(p, broken_rule);
		else if (p->fate.end == APACHE_REDIRECT)
			apache_judge_redirect(p);
		else if (p->fate.end == APACHE_EXCLUDED ||
			 p->fate.end == APACHE_NOWHERE)
			apache_judge_nowhere(p);
	}
	apache_judge_forbidden(p);
	apache_judge_requires(p);
	apache_judge_old_access(p, p->server);
	apache_judge_limits(p);
	if (!elsewhere || p->fate.end == APACHE_PLAIN)
		judge_intended(p, broken_rule);
}

static void tell_route(const struct apache_probe *p)
{
	struct lint_report *report = p->run->report;
	const struct apache_item *by = p->fate.by;
	const struct lint_node *n = by ? by->node : p->server->vhost;
	char where[128];

	if (!n)
		return;
	if (by && by->section)
		snprintf(where, sizeof(where), "<%s %s>", by->section->name,
			 lint_arg(by->section, 0));
	else if (by)
		snprintf(where, sizeof(where), "%s %s", n->name, lint_arg(n, 0));
	else
		snprintf(where, sizeof(where), "<VirtualHost %s>",
			 lint_arg(n, 0));
	snprintf(report->route, sizeof(report->route), "%s:%u %s", n->file,
		 n->line, where);
}

/* ---- which paths ---- */

/* A path that the pattern takes, as a client would ask for it; NULL: the
 * beginning of the pattern does not tell. */
static const char *path_for(const struct apache *a, const char *pattern)
{
	char bare[512] = "/";
	size_t used = 1;

	for (const char *s = pattern + (*pattern == '^');
	     *s && used + 1 < sizeof(bare); s++) {
		bool escaped = *s == '\\' && s[1];

		s += escaped;
		if (!escaped && strchr("([.*+?$|{", *s))
			break;
		/* a slash is there in any case, the first one is already */
		if (s[1] != '*' && (s[1] != '?' || *s == '/') &&
		    (used > 1 || *s != '/'))
			bare[used++] = *s;
		s += s[1] == '?' || s[1] == '*';
	}
	bare[used] = '\0';
	return lint_regex(pattern, false, bare) == LINT_NO
		       ? NULL
		       : lint_keep(a->run, bytes_of_str(bare));
}

/* The path of a ProxyPass as a client would ask for it. */
static const char *path_of(const struct apache *a,
			   const struct apache_pass *pass)
{
	const char *path = pass->match ? path_for(a, pass->path) : pass->path;

	return path ? path : "/";
}

/* The same for rules; NULL: they take no path that could be told. */
static const char *path_of_rule(const struct apache *a,
				const struct apache_rewrite *r)
{
	for (size_t i = 0; i < r->n_conds; i++) {
		const struct lint_node *c = r->cond[i]->node;

		if (lint_same(lint_arg(c, 0), "%{REQUEST_URI}") &&
		    !strchr("!=<>-", lint_arg(c, 1)[0]))
			return path_for(a, lint_arg(c, 1));
	}
	return r->negated ? "/" : path_for(a, r->pattern);
}

static bool plain_target(const char *target)
{
	return lint_begins(target, "http://") ||
	       lint_begins(target, "https://") ||
	       lint_begins(target, "balancer://");
}

static void try_path(struct apache *a, const struct apache_server *s,
		     const char *path, bool sure, bool broken_rule)
{
	struct apache_probe p = {
		.a = a, .run = a->run, .server = s, .path = path, .sure = sure};

	if (path)
		judge_probe(&p, broken_rule);
}

/* All paths of the server that look as if they were meant for WebSockets. */
static void judge_server(struct apache *a, const struct apache_server *s)
{
	bool broken = apache_judge_rewrites(a, s);
	struct apache_rewrite r;
	size_t at = 0, i, n = 0;
	int round;

	while (!apache_tired(a) && apache_next_rewrite(s, &at, &r))
		if (apache_meant_for_ws(&r) && n++ < MAX_PROBES)
			try_path(a, s, path_of_rule(a, &r), true, broken);
	if (s->vhost && lint_told(a->run, LINT_PLAIN_VHOST_ONLY, s->vhost))
		return;
	for (round = 0; round < 2; round++)
		for (i = 0; i < s->n_items && n < MAX_PROBES; i++) {
			struct apache_pass pass;
			bool sign;

			if (!apache_read_pass(a, &s->item[i], &pass))
				continue;
			sign = apache_is_ws(pass.target) || pass.upgrade ||
			       lint_smells(pass.path);
			/* No sign at all: perhaps they were forgotten. */
			if (round == 0 ? !sign
				       : n > 0 || !plain_target(pass.target))
				continue;
			n += round == 0;
			try_path(a, s, path_of(a, &pass), sign, broken);
		}
}

/* The plain server's WebSocket paths, in its TLS sibling. */
static void judge_siblings(struct apache *a, const struct apache_server *s)
{
	size_t i, k;

	for (i = 0; i < s->n_items && !apache_tired(a); i++) {
		struct apache_pass pass;
		struct apache_rewrite r;
		const char *path = NULL;
		size_t at = i;

		if (apache_read_pass(a, &s->item[i], &pass) && pass.upgrade)
			path = path_of(a, &pass);
		else if (lint_same(s->item[i].node->name, "RewriteRule") &&
			 apache_next_rewrite(s, &at, &r) &&
			 apache_is_ws(r.target))
			path = path_of_rule(a, &r);
		for (k = 1; path && k < a->n_servers; k++) {
			struct apache_probe p = {.a = a,
						 .run = a->run,
						 .server = &a->server[k],
						 .path = path,
						 .sure = true};

			if (!a->server[k].tls ||
			    !apache_siblings(a, s, p.server))
				continue;
			apache_follow(a, p.server, path, &p.fate);
			if (p.fate.end != APACHE_TUNNEL)
				apache_judge_sibling(&p);
		}
	}
}

static void judge_request(struct apache *a)
{
	const struct lint_request *q = a->run->request;
	struct apache_probe p = {.a = a, .run = a->run, .sure = true};

	p.server = apache_choose(a, q, &p.sure);
	p.path = q->path && *q->path ? q->path : "/";
	judge_probe(&p, apache_judge_rewrites(a, p.server));
	tell_route(&p);
}

int apache_judge(struct apache *a)
{
	size_t i;

	apache_judge_skipped(a, a->run->root->first, NULL);
	if (a->run->request) {
		judge_request(a);
		return 0;
	}
	for (i = 1; i < a->n_servers; i++)
		if (!a->server[i].tls)
			judge_siblings(a, &a->server[i]);
	for (i = 0; i < a->n_servers; i++)
		judge_server(a, &a->server[i]);
	return 0;
}
