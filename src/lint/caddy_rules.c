/* SPDX-License-Identifier: MIT */
/*
 * What is wrong for WebSockets in a Caddyfile. Caddy 2 passes them on without
 * being told, so what keeps them out is nearly always a line too much, or a
 * matcher that leaves the request to nobody: then the answer is an empty 200.
 */
#include "lint/caddy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- one directive ---- */

/* What a directive on the way does, when the request (perhaps) meets it. */
static void judge_step(const struct caddy *c, const struct lint_node *n,
		       enum lint_truth hit, bool sure)
{
	if (caddy_is_refusal(n))
		caddy_judge_refusal(c, n, hit, sure);
	else if (strcmp(n->name, "basicauth") == 0 ||
		 strcmp(n->name, "basic_auth") == 0 ||
		 strcmp(n->name, "forward_auth") == 0)
		caddy_judge_auth(c, n, sure);
	else if (strcmp(n->name, "request_header") == 0)
		caddy_judge_field(c, n, sure && hit == LINT_YES);
	else if (strcmp(n->name, "rate_limit") == 0)
		caddy_note(c, LINT_RATE_RULE, n, sure, "a limit on requests");
	else if (strcmp(n->name, "reverse_proxy") == 0) {
		caddy_judge_proxy(c, n, sure);
		caddy_judge_stripped(c, n, sure);
	} else if (strcmp(n->name, "uri") == 0 && c->run->request &&
		   hit == LINT_YES &&
		   lint_holds(lint_arg(n, 0 + (caddy_matcher(n) != NULL)),
			      "strip_prefix"))
		caddy_note(
			c, LINT_PATH_CHANGED, n,
			false, "what is behind sees another path than the client asked for");
}

/* ---- everywhere ---- */

static bool text_smells(const struct lint_node *block, int depth)
{
	const struct lint_node *n;
	size_t i;

	for (n = block->first; n && depth < LINT_MAX_DEPTH; n = n->next) {
		if (lint_smells(n->name) || caddy_on_upgrade(n->name))
			return true;
		for (i = 0; i < n->n_args; i++)
			if (lint_smells(n->arg[i]) ||
			    caddy_on_upgrade(n->arg[i]))
				return true;
		if (text_smells(n, depth + 1))
			return true;
	}
	return false;
}

static void walk_all(struct caddy *c, const struct lint_node *block, bool sure,
		     int depth)
{
	const struct lint_node *n;

	for (n = block->first; n && depth < LINT_MAX_DEPTH; n = n->next) {
		enum lint_truth hit =
			n->name[0] == '@' ? LINT_NO : caddy_matches(c, n);

		if (hit == LINT_NO)
			continue;
		judge_step(c, n, hit, sure);
		if (n->block)
			walk_all(c, n, sure, depth + 1);
	}
}

/* ---- the way of one request ---- */

enum end { GOES_ON, PROXIED, ANSWERED };

struct walk {
	struct caddy *c;
	const struct lint_node *by;
	const struct lint_node *refused; /* what turned it away first */
	bool perhaps;			 /* it may have ended before */
	bool lost; /* its path is not known any more, as in: */
	struct lint_request moved;
};

/* What may end the way, when nobody can tell whether the request meets it. */
static bool may_end(const struct lint_node *n)
{
	static const char *const ends[] = {
		"reverse_proxy", "redir",	"handle",
		"handle_path",	 "route",	"invoke",
		"php_fastcgi",	 "file_server", "metrics"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(n->name, ends[i]) == 0)
			return true;
	return caddy_is_refusal(n);
}

/* Whether the request has another path behind the directive. */
static bool moves(const struct lint_node *n)
{
	return strcmp(n->name, "rewrite") == 0 || strcmp(n->name, "uri") == 0 ||
	       strcmp(n->name, "try_files") == 0 ||
	       strcmp(n->name, "handle_path") == 0;
}

static void forget_path(struct walk *w)
{
	w->moved = *w->c->request;
	w->moved.path = NULL;
	w->lost = true;
	w->c->request = &w->moved;
}

static const struct lint_node *named_route(const struct caddy *c,
					   const char *name)
{
	char wanted[128];
	const struct lint_node *n;

	snprintf(wanted, sizeof(wanted), "&(%s)", name);
	for (n = c->run->root->first; n; n = n->next)
		if (strcmp(n->name, wanted) == 0)
			return n;
	return NULL;
}

static enum end walk_block(struct walk *w, const struct lint_node *block,
			   int depth);

static enum end walk_step(struct walk *w, const struct lint_node *n, int depth)
{
	const struct lint_node *named;

	if (strcmp(n->name, "handle") == 0 ||
	    strcmp(n->name, "handle_path") == 0 || strcmp(n->name, "route") == 0)
		return walk_block(w, n, depth + 1);
	if (strcmp(n->name, "invoke") == 0) {
		named = named_route(w->c,
				    lint_arg(n, n->n_args ? n->n_args - 1 : 0));
		return named ? walk_block(w, named, depth + 1) : GOES_ON;
	}
	w->by = n;
	if (strcmp(n->name, "reverse_proxy") == 0)
		return PROXIED;
	if (strcmp(n->name, "redir") == 0) {
		caddy_note(
			w->c, LINT_REDIRECT_RULE, n, !w->perhaps,
			"the request is redirected; WebSocket clients do not "
			"follow, "
			"so the URL has to name the new place");
		return ANSWERED;
	}
	if (caddy_is_refusal(n) || strcmp(n->name, "php_fastcgi") == 0 ||
	    strcmp(n->name, "metrics") == 0)
		return ANSWERED;
	if (strcmp(n->name, "file_server") == 0) {
		caddy_note(
			w->c, LINT_NO_ROUTE, n,
			!w->perhaps, "the path is looked for as a file: nothing passes it on");
		return ANSWERED;
	}
	w->by = NULL;
	return GOES_ON;
}

static enum end walk_block(struct walk *w, const struct lint_node *block,
			   int depth)
{
	const struct lint_node *step[CADDY_MAX_SORTED];
	size_t n, i;
	bool handled = false;

	if (depth > 8) /* each takes some of the stack */
		return GOES_ON;
	n = caddy_sorted(w->c, block, step, CADDY_MAX_SORTED);
	for (i = 0; i < n; i++) {
		enum lint_truth hit = caddy_matches(w->c, step[i]);
		bool one = strncmp(step[i]->name, "handle", 6) == 0;
		enum end end;

		if (hit == LINT_NO || (one && handled))
			continue;
		judge_step(w->c, step[i], hit, !w->perhaps);
		if (moves(step[i]))
			forget_path(w);
		if (hit == LINT_PERHAPS) {
			w->perhaps |= may_end(step[i]);
			continue;
		}
		/* What would come next is judged, too: one patch for all. */
		if (caddy_is_refusal(step[i]) && caddy_matcher(step[i])) {
			if (!w->refused)
				w->refused = step[i];
			continue;
		}
		handled |= one;
		end = walk_step(w, step[i], depth);
		if (end != GOES_ON)
			return end;
	}
	return GOES_ON;
}

/* ---- a path that nothing takes ---- */

/* A proxy whose path nearly fits: "/chat/" and all, but not "/chat". */
static const struct lint_node *
near_miss(const struct caddy *c, const struct lint_node *block, int depth)
{
	const struct lint_node *n, *found = NULL;
	const char *path = c->run->request->path ? c->run->request->path : "/";

	for (n = block->first; n && !found && depth < 8; n = n->next) {
		const char *m = caddy_matcher(n);
		size_t len = m ? strcspn(m, "*") : 0;

		while (len > 1 && m[len - 1] == '/')
			len--;
		if (m && *m == '/' && len > 1 && strncmp(m, path, len) == 0 &&
		    caddy_path(m, path) == LINT_NO &&
		    (strcmp(n->name, "reverse_proxy") == 0 ||
		     strncmp(n->name, "handle", 6) == 0 ||
		     strcmp(n->name, "route") == 0))
			found = n;
		else if (n->block)
			found = near_miss(c, n, depth + 1);
	}
	return found;
}

static void judge_nowhere(const struct walk *w)
{
	const struct caddy *c = w->c;
	const struct lint_node *near =
		w->lost || w->perhaps ? NULL : near_miss(c, c->site, 0);
	struct lint_finding *f;
	char text[256], to[256];
	size_t len;

	if (!near) {
		f = caddy_note(
			c, LINT_NO_ROUTE, c->site, !w->perhaps,
			"no directive takes this path: Caddy answers 200 with "
			"nothing in it");
		lint_fix(f, "reverse_proxy %s 127.0.0.1:8080",
			 c->run->request->path ? c->run->request->path : "");
		return;
	}
	len = strcspn(caddy_matcher(near), "*");
	while (len > 1 && caddy_matcher(near)[len - 1] == '/')
		len--;
	snprintf(to, sizeof(to), "%.*s*", (int)len, caddy_matcher(near));
	snprintf(text, sizeof(text),
		 "%.60s does not match %.80s, and nothing else does: Caddy "
		 "answers 200 with nothing in it",
		 caddy_matcher(near), c->run->request->path);
	f = caddy_note(c, LINT_NO_ROUTE, near, !w->perhaps, text);
	caddy_swap(c, f, near, caddy_matcher(near), to);
}

static void judge_tls_options(const struct caddy *c,
			      const struct lint_node *site)
{
	const struct lint_node *tls = lint_child(site, "tls", NULL);
	const struct lint_node *auth =
		tls ? lint_child(tls, "client_auth", NULL) : NULL;
	const struct lint_node *mode =
		auth ? lint_child(auth, "mode", NULL) : NULL;

	if (auth && (!mode || lint_begins(lint_arg(mode, 0), "require")))
		caddy_note(
			c, LINT_CERTIFICATE_RULE, mode ? mode : auth, true,
			"a client without a certificate is refused in the TLS "
			"handshake");
}

static void judge_global(const struct caddy *c, const struct lint_node *global)
{
	const struct lint_node *servers = lint_child(global, "servers", NULL);
	const struct lint_node *size =
		servers ? lint_child(servers, "max_header_size", NULL) : NULL;
	const char *text = size ? lint_arg(size, 0) : "";
	char *end;
	double bytes = strtod(text, &end);

	if (tolower((unsigned char)*end) == 'k')
		bytes *= 1024;
	else if (tolower((unsigned char)*end) == 'm')
		bytes *= 1024 * 1024;
	if (size && bytes < 8192)
		caddy_note(c, LINT_HEADER_LIMIT, size, false,
			   "the head of a request, cookies and all, has to fit "
			   "into "
			   "this");
}

static void judge_request(struct caddy *c)
{
	struct lint_report *report = c->run->report;
	struct walk w = {.c = c};
	const struct lint_node *n;
	char where[128];
	enum end end;

	c->site = caddy_choose_site(c);
	if (!c->site) {
		for (n = c->run->root->first; n; n = n->next)
			if (strcmp(n->name, CADDY_SITE) == 0)
				break;
		if (n)
			caddy_note(c, LINT_NO_SITE, n, true,
				   "no site here has the name and the port "
				   "that the "
				   "request asks for: Caddy answers 200 with "
				   "nothing "
				   "in it, or redirects to https:");
		return;
	}
	caddy_check_outdated(c, c->site);
	caddy_check_block(c, c->site, 0);
	judge_tls_options(c, c->site);
	end = walk_block(&w, c->site, 0);
	c->request = c->run->request;
	if (end == GOES_ON && !w.refused)
		judge_nowhere(&w);
	n = w.refused ? w.refused : w.by ? w.by : c->site;
	snprintf(report->route, sizeof(report->route), "%s:%u %s", n->file,
		 n->line, caddy_title(n, where, sizeof(where)));
}

void caddy_judge(struct caddy *c)
{
	const struct lint_node *n;

	for (n = c->run->root->first; n; n = n->next)
		if (strcmp(n->name, CADDY_GLOBAL) == 0)
			judge_global(c, n);
	if (c->run->request) {
		judge_request(c);
		return;
	}
	for (n = c->run->root->first; n; n = n->next) {
		bool route = strncmp(n->name, "&(", 2) == 0;

		if (strcmp(n->name, CADDY_SITE) != 0 && !route)
			continue;
		c->site = n;
		caddy_check_outdated(c, n);
		caddy_check_block(c, n, 0);
		judge_tls_options(c, n);
		walk_all(c, n, text_smells(n, 0), 0);
	}
}
