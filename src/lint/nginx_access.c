/* SPDX-License-Identifier: MIT */
/*
 * What refuses: conditions on Origin and User-Agent, addresses, passwords,
 * limits, redirects. Such rules are often meant, so no edit loosens one; with a
 * request at hand, only those are told that it runs into.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lint/nginx.h"

#define MAX_JUMPS 8

bool nginx_is_noted(struct lint_run *run, enum lint_rule rule,
		    const struct lint_node *node)
{
	for (size_t i = 0; i < run->report->n_findings; i++) {
		const struct lint_finding *f = &run->report->finding[i];

		if (f->rule == rule && f->line == node->line &&
		    f->column == node->column && f->file == node->file)
			return true;
	}
	return false;
}

/* ---- what answers ---- */

/* "return 403", "return https://x", "return 301 https://x" */
static int status_of(const struct lint_node *node)
{
	const char *first = lint_arg(node, 0);

	return first[0] >= '0' && first[0] <= '9' ? atoi(first) : 302;
}

static const char *target_of(const struct lint_node *node)
{
	return node->n_args > 1 ? lint_arg(node, node->n_args - 1)
				: lint_arg(node, 0);
}

static enum lint_rule rule_of(const struct nginx_world *w, int status)
{
	if (status >= 300 && status < 400)
		return LINT_REDIRECT_RULE;
	if (w->asked_origin)
		return LINT_ORIGIN_RULE;
	if (w->asked_agent)
		return LINT_AGENT_RULE;
	if (w->by_default)
		return LINT_HOST_RULE;
	return status == 404 ? LINT_NO_ROUTE : LINT_REFUSED;
}

/* Whom a rule refuses; @sure: this very request. */
static const char *words_of(enum lint_rule rule, bool sure)
{
	switch (rule) {
	case LINT_ORIGIN_RULE:
		return sure ? "this Origin" : "some Origins";
	case LINT_AGENT_RULE:
		return sure ? "this User-Agent" : "some User-Agents";
	default:
		return sure ? "this request" : "some requests";
	}
}

/* @node answers, under the condition of @where's; it may be an `if`. */
static void note_answer(struct nginx_world *w, const struct lint_node *node,
			const struct lint_node *level, int status, bool sure)
{
	enum lint_rule rule = rule_of(w, status);
	const struct lint_node *at = nginx_is(level, "if") ? level : node;
	struct lint_finding *f;
	char where[128];

	if (nginx_is_noted(w->run, rule, at))
		return;
	nginx_where(level, where, sizeof(where));
	if (rule == LINT_REDIRECT_RULE) {
		f = lint_note(w->run, rule, at, sure, where,
			      "%d to %.120s: WebSocket clients do not follow "
			      "redirects",
			      status, target_of(node));
		lint_fix(f,
			 "# let the client ask for that address itself, with "
			 "wss:// for https://");
		return;
	}
	if (rule == LINT_HOST_RULE) {
		f = lint_note(
			w->run, rule, at, sure, where,
			"no server here is called %.80s, so this one takes "
			"it and answers %d",
			w->host, status);
		lint_fix(f, "server_name %.200s;", w->host);
		return;
	}
	f = lint_note(w->run, rule, at, sure, where, "%s refuses %s with %d%s",
		      node->name, words_of(rule, sure), status,
		      w->asked_referer ? " (WebSockets have no Referer)" : "");
	if (rule == LINT_ORIGIN_RULE && w->any_client)
		lint_fix(f, "# let the origins of your own pages through here");
	else if (rule == LINT_ORIGIN_RULE)
		lint_fix(f, "# let this origin through here: %.200s", w->origin);
}

/* ---- rewriting ---- */

struct walk {
	struct nginx_world *w;
	const struct lint_node *server;
	const struct lint_node *level; /* that serves the request so far */
	const char *jump;	       /* to a named location */
	bool answered, ended;	       /* ended: by break or last */
	bool origin, agent;	       /* a variable was set because of it */
	char path[2048];
};

static void run_script(struct walk *k, const struct lint_node *level);

/* error_page 418 = @ws; the usual way to jump with return. */
static const char *named_page(const struct lint_node *level, int status)
{
	const struct lint_node *list = nginx_list_level(level, "error_page");
	const struct lint_node *n = NULL;

	while (list && (n = lint_child(list, "error_page", n)))
		for (size_t i = 0; i + 1 < n->n_args; i++)
			if (atoi(n->arg[i]) == status &&
			    lint_arg(n, n->n_args - 1)[0] == '@')
				return lint_arg(n, n->n_args - 1);
	return NULL;
}

static void do_return(struct walk *k, const struct lint_node *node,
		      const struct lint_node *level)
{
	int status = status_of(node);

	k->jump = named_page(level, status);
	if (k->jump) {
		k->ended = true;
		return;
	}
	k->answered = true;
	note_answer(k->w, node, level, status, true);
}

static bool redirects(const struct lint_node *rewrite)
{
	const char *flag = lint_arg(rewrite, 2), *to = lint_arg(rewrite, 1);

	return strcmp(flag, "permanent") == 0 ||
	       strcmp(flag, "redirect") == 0 || strncmp(to, "http://", 7) == 0 ||
	       strncmp(to, "https://", 8) == 0 || strncmp(to, "$scheme", 7) == 0;
}

static void do_rewrite(struct walk *k, const struct lint_node *node,
		       const struct lint_node *level)
{
	const char *flag = lint_arg(node, 2);

	if (!k->path[0] || nginx_regex(k->w->run, lint_arg(node, 0), false,
				       k->path) != LINT_YES)
		return;
	if (redirects(node)) {
		k->answered = true;
		note_answer(k->w, node, level,
			    strcmp(flag, "permanent") == 0 ? 301 : 302, true);
		return;
	}
	k->ended = flag[0] != 0;
	if (!strchr(lint_arg(node, 1), '$'))
		snprintf(k->path, sizeof(k->path), "%s", lint_arg(node, 1));
}

/* What an `if` would do that perhaps holds: refuse, or set something. */
static void consider(struct walk *k, const struct lint_node *level)
{
	struct nginx_world *w = k->w;

	for (const struct lint_node *n = level->first; n; n = n->next) {
		if (nginx_is(n, "set") && w->n_set < NGINX_MAX_SET) {
			w->set[w->n_set].name =
				lint_arg(n, 0) + (lint_arg(n, 0)[0] == '$');
			w->set[w->n_set++].known = false;
		}
		if (nginx_is(n, "return") && status_of(n) >= 400 &&
		    w->run->report->n_findings < LINT_MAX_FINDINGS &&
		    (w->asked_origin || w->asked_agent || w->asked_referer) &&
		    !named_page(level, status_of(n)))
			note_answer(w, n, level, status_of(n), false);
	}
}

static bool is_of_set(const struct nginx_world *w, const struct lint_node *node)
{
	const char *name = lint_arg(node, 0) + (lint_arg(node, 0)[0] == '(');

	for (size_t i = 0; i < w->n_set; i++)
		if (name[0] == '$' && strncmp(name + 1, w->set[i].name,
					      strlen(w->set[i].name)) == 0)
			return true;
	return false;
}

static void do_if(struct walk *k, const struct lint_node *node)
{
	struct nginx_world *w = k->w;
	bool of_set = is_of_set(w, node);
	enum lint_truth holds;

	w->asked_origin = of_set && k->origin;
	w->asked_agent = of_set && k->agent;
	w->asked_referer = false;
	holds = nginx_condition(w, node);
	k->origin |= w->asked_origin;
	k->agent |= w->asked_agent;
	if (holds == LINT_PERHAPS)
		consider(k, node);
	if (holds != LINT_YES)
		return;
	if (lint_child(node, "proxy_pass", NULL))
		k->level = node;
	run_script(k, node);
}

static bool has_script(const struct lint_node *level)
{
	static const char *const words[] = {"set", "if", "return", "rewrite",
					    "break"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (level->names & lint_name_bit(words[i]))
			return true;
	return false;
}

static void run_script(struct walk *k, const struct lint_node *level)
{
	if (!has_script(level))
		return;
	for (const struct lint_node *n = level->first;
	     n && !k->answered && !k->ended; n = n->next) {
		if (nginx_is(n, "set"))
			nginx_set(k->w, n);
		else if (nginx_is(n, "if"))
			do_if(k, n);
		else if (nginx_is(n, "return"))
			do_return(k, n, level);
		else if (nginx_is(n, "rewrite"))
			do_rewrite(k, n, level);
		else if (nginx_is(n, "break"))
			k->ended = true;
	}
}

/* The last resort of try_files, when the file is not there. */
static void try_files(struct walk *k, const struct lint_node *level)
{
	const struct lint_node *n = lint_child(level, "try_files", NULL);
	const char *last = n ? lint_arg(n, n->n_args - 1) : "";

	if (n && n->n_args && last[0] == '@')
		k->jump = last;
}

static void start_script(struct walk *k, const struct lint_node *level)
{
	k->w->asked_origin = k->w->asked_agent = k->w->asked_referer = false;
	k->ended = false;
	k->jump = NULL;
	run_script(k, level);
}

const struct lint_node *nginx_follow(struct nginx_world *w,
				     const struct lint_node *location)
{
	struct walk k = {.w = w, .server = nginx_server(location)};

	k.level = location;
	snprintf(k.path, sizeof(k.path), "%s", w->path ? w->path : "");
	if (k.server != location)
		start_script(&k, k.server);
	for (int i = 0; i < MAX_JUMPS && !k.answered; i++) {
		const struct lint_node *named;

		if (!k.jump) {
			start_script(&k, k.level);
			if (!k.answered && !k.jump &&
			    !lint_child(k.level, "proxy_pass", NULL))
				try_files(&k, k.level);
		}
		if (!k.jump)
			break;
		named = nginx_named(k.server, k.jump);
		k.jump = NULL;
		if (!named)
			break;
		k.level = named;
	}
	return k.answered ? NULL : k.level;
}

/* ---- addresses ---- */

static void judge_addresses(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *list = nginx_list_level(level, "deny");
	const struct lint_node *deny, *allow;
	char where[128];

	/* allow of its own cancels deny of those around as well */
	if (list && nginx_list_level(level, "allow") != list &&
	    nginx_list_level(level, "allow") &&
	    !lint_child(level, "deny", NULL) && lint_child(level, "allow", NULL))
		return;
	if (!list)
		return;
	deny = lint_child(list, "deny", NULL);
	allow = lint_child(list, "allow", NULL);
	if (nginx_is_noted(run, LINT_ADDRESS_RULE, deny))
		return;
	nginx_where(level, where, sizeof(where));
	lint_fix(lint_note(run, LINT_ADDRESS_RULE, deny,
			   run->request && !allow &&
				   strcmp(lint_arg(deny, 0), "all") == 0,
			   where,
			   "deny %.60s: clients of these addresses are "
			   "refused with 403",
			   lint_arg(deny, 0)),
		 "allow 203.0.113.9; # the client's, before deny all");
}

/* ---- passwords and certificates ---- */

static bool is_on(const struct lint_node *node)
{
	return node && strcmp(lint_arg(node, 0), "off") != 0;
}

static void judge_credentials(struct lint_run *run,
			      const struct lint_node *level)
{
	static const char *const rules[] = {"auth_basic", "auth_request",
					    "auth_jwt"};
	char where[128];

	nginx_where(level, where, sizeof(where));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct lint_node *n = nginx_value(level, rules[i]);

		if (!is_on(n) || nginx_is_noted(run, LINT_AUTH_RULE, n))
			continue;
		lint_fix(
			lint_note(run, LINT_AUTH_RULE, n, run->request != NULL,
				  where,
				  "%s holds for the WebSocket as well: without "
				  "the right credentials it is refused, and "
				  "scripts in a browser cannot add any",
				  n->name),
			"%s off; # when the application checks for itself",
			n->name);
	}
}

static void judge_certificate(struct lint_run *run,
			      const struct lint_node *level)
{
	const struct lint_node *n = nginx_value(level, "ssl_verify_client");
	char where[128];

	if (!is_on(n) || strcmp(lint_arg(n, 0), "on") != 0 ||
	    nginx_is_noted(run, LINT_CERTIFICATE_RULE, n))
		return;
	nginx_where(level, where, sizeof(where));
	lint_fix(lint_note(run, LINT_CERTIFICATE_RULE, n, run->request != NULL,
			   where,
			   "clients without a certificate that it trusts are "
			   "refused with 400"),
		 "ssl_verify_client optional;");
}

/* ---- limits ---- */

/* "zone=one:10m" has the name "one". */
static bool has_zone(const struct lint_node *zone, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < zone->n_args; i++)
		if (strncmp(zone->arg[i], "zone=", 5) == 0 &&
		    strncmp(zone->arg[i] + 5, name, len) == 0 &&
		    (zone->arg[i][5 + len] == ':' || !zone->arg[i][5 + len]))
			return true;
	return false;
}

static const char *word_behind(const struct lint_node *node, const char *prefix)
{
	for (size_t i = 0; i < node->n_args; i++)
		if (strncmp(node->arg[i], prefix, strlen(prefix)) == 0)
			return node->arg[i] + strlen(prefix);
	return "";
}

/* Requests a minute that the zone lets through, or -1. */
static int rate_of(const struct lint_node *level, const char *zone)
{
	for (; level; level = level->parent) {
		const struct lint_node *n = NULL;

		while ((n = lint_child(level, "limit_req_zone", n))) {
			const char *rate = word_behind(n, "rate=");

			if (has_zone(n, zone))
				return atoi(rate) *
				       (strstr(rate, "r/m") ? 1 : 60);
		}
	}
	return -1;
}

static void judge_requests(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *list = nginx_list_level(level, "limit_req");
	const struct lint_node *n = NULL;
	char where[128];

	nginx_where(level, where, sizeof(where));
	while (list && (n = lint_child(list, "limit_req", n))) {
		int rate = rate_of(level, word_behind(n, "zone="));

		if (rate < 0 || rate > 60 || atoi(word_behind(n, "burst=")) > 5 ||
		    nginx_is_noted(run, LINT_RATE_RULE, n))
			continue;
		lint_fix(
			lint_note(run, LINT_RATE_RULE, n, run->request != NULL,
				  where,
				  "%d requests a minute with next to no burst: "
				  "a page that opens again, or two tabs, are "
				  "refused with 503",
				  rate),
			"limit_req zone=%.60s burst=20 nodelay;",
			word_behind(n, "zone="));
	}
}

static void judge_connections(struct lint_run *run,
			      const struct lint_node *level)
{
	const struct lint_node *list = nginx_list_level(level, "limit_conn");
	const struct lint_node *n = NULL;
	char where[128];

	nginx_where(level, where, sizeof(where));
	while (list && (n = lint_child(list, "limit_conn", n))) {
		if (n->n_args < 2 || atoi(lint_arg(n, 1)) > 8 ||
		    nginx_is_noted(run, LINT_RATE_RULE, n))
			continue;
		lint_fix(lint_note(run, LINT_RATE_RULE, n, run->request != NULL,
				   where,
				   "%.20s connections for each key: each open "
				   "WebSocket holds one, the next is refused "
				   "with 503",
				   lint_arg(n, 1)),
			 "limit_conn %.60s 50;", lint_arg(n, 0));
	}
}

static void judge_header_size(struct lint_run *run,
			      const struct lint_node *level)
{
	const struct lint_node *n =
		nginx_value(level, "large_client_header_buffers");
	const char *text = n ? lint_arg(n, 1) : "";
	unsigned long size = strtoul(text, NULL, 10);
	char where[128];

	if (strpbrk(text, "kK"))
		size *= 1024;
	if (!size || size >= 8192 || strpbrk(text, "mM") ||
	    nginx_is_noted(run, LINT_HEADER_LIMIT, n))
		return;
	nginx_where(level, where, sizeof(where));
	lint_fix(
		lint_note(run, LINT_HEADER_LIMIT, n, run->request != NULL, where,
			  "a field of more than %lu bytes is refused with 400; "
			  "cookies and tokens are often larger",
			  size),
		"large_client_header_buffers 4 16k;");
}

/* "listen 80 http2" without its http2. */
static void write_listen(const struct lint_node *listen, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "listen");

	for (size_t i = 0; i < listen->n_args && used < size; i++)
		if (!lint_same(listen->arg[i], "http2"))
			used += (size_t)snprintf(out + used, size - used,
						 " %.200s", listen->arg[i]);
	if (used < size)
		snprintf(out + used, size - used, ";");
}

static void judge_http2(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *n = nginx_plain_http2(nginx_server(level));
	struct nginx_mend m = {.run = run};
	char where[128], line[400];
	struct lint_finding *f;

	if (!n || (run->request && run->request->tls) ||
	    nginx_is_noted(run, LINT_PLAIN_HTTP2, n))
		return;
	nginx_where(nginx_server(level), where, sizeof(where));
	write_listen(n, line, sizeof(line));
	f = lint_note(run, LINT_PLAIN_HTTP2, n, true, where,
		      "this port speaks HTTP/2 alone (before nginx 1.25.1); "
		      "WebSocket clients ask in HTTP/1.1");
	lint_fix(f, "%s", line);
	nginx_mend_replace(&m, n, "%s", line);
	nginx_mend_done(&m, f);
}

void nginx_judge_access(struct lint_run *run, const struct lint_node *level)
{
	judge_http2(run, level);
	judge_addresses(run, level);
	judge_credentials(run, level);
	judge_certificate(run, level);
	judge_requests(run, level);
	judge_connections(run, level);
	judge_header_size(run, level);
}
