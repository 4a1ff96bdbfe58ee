/* SPDX-License-Identifier: MIT */
/*
 * set, if, return and rewrite, gone through as nginx does for one request, or
 * for any WebSocket: who serves it in the end, and who answers before. The same
 * for the request that auth_request makes of it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lint/nginx.h"

#define MAX_JUMPS 8

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
	if (status >= 300 && status < 400 && !w->asking)
		return LINT_REDIRECT_RULE;
	if (w->asked_origin)
		return w->any_client || w->origin[0] ? LINT_ORIGIN_RULE
						     : LINT_ORIGIN_MISSING;
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
	case LINT_ORIGIN_MISSING:
		return "requests without Origin";
	case LINT_AGENT_RULE:
		return sure ? "this User-Agent" : "some User-Agents";
	default:
		return sure ? "this request" : "some requests";
	}
}

/* ---- letting in ---- */

/* Whether it may stand between double quotes, where nothing can be escaped. */
static bool is_plain(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || strchr("\"\\$", *value))
			return false;
	return true;
}

/* Whether the level does nothing below @node that ending here would leave out;
 * "return 204" may be, when it is what is said instead. */
static bool is_last_word(const struct nginx_world *w,
			 const struct lint_node *node)
{
	static const char *const words[] = {"set", "if", "rewrite", "break",
					    "return"};

	for (node = node->next; node; node = node->next)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (nginx_is(node, words[i]) &&
			    !(w->asking && nginx_is(node, "return") &&
			      status_of(node) / 100 == 2))
				return false;
	return true;
}

/* Lines that let exactly this client past the `if` that refuses it. */
static void let_in(const struct nginx_world *w, struct lint_finding *f,
		   const struct lint_node *refusal)
{
	bool agent = f && f->rule == LINT_AGENT_RULE;
	const char *name = agent ? "http_user_agent" : "http_origin";
	const char *value = agent ? w->user_agent : w->origin;
	const char *end = w->asking ? "return 204" : "break";
	struct nginx_mend m = {.run = w->run};

	if (w->any_client) {
		lint_fix(f, agent ? "# let the programs through here that are "
				    "meant to come"
				  : "# let the origins of your own pages "
				    "through here");
		return;
	}
	if (!is_plain(value))
		return;
	lint_fix(f, "# above line %u\nif ($%s = \"%.200s\") {\n    %s;\n}",
		 refusal->line, name, value, end);
	if (f &&
	    (!f->sure || !nginx_is(refusal, "if") || !is_last_word(w, refusal)))
		return;
	nginx_mend_before(&m, refusal, "if ($%s = \"%.200s\") { %s; }", name,
			  value, end);
	nginx_mend_done(&m, f);
}

/* ---- answers ---- */

/* @node answers, under the condition of @where's; it may be an `if`. */
static void note_answer(struct nginx_world *w, const struct lint_node *node,
			const struct lint_node *level, int status, bool sure)
{
	enum lint_rule rule = rule_of(w, status);
	const struct lint_node *at = nginx_is(level, "if") ? level : node;
	struct lint_finding *f;
	char where[128];

	if (lint_told(w->run, rule, at))
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
	f = lint_note(w->run, rule, at, sure, where, "%s refuses %s with %d%s%s",
		      node->name, words_of(rule, sure), status,
		      w->asked_referer ? " (WebSockets have no Referer)" : "",
		      w->asking ? ", for auth_request" : "");
	if (rule == LINT_ORIGIN_RULE || rule == LINT_ORIGIN_MISSING ||
	    rule == LINT_AGENT_RULE)
		let_in(w, f, at);
}

/* ---- rewriting ---- */

struct walk {
	struct nginx_world *w;
	const struct lint_node *server;
	const struct lint_node *level; /* that serves the request so far */
	const char *jump;	       /* to a named location */
	bool answered, ended;	       /* ended: by break or last */
	bool moved, lost;	       /* to another path; to one unknown */
	bool origin, agent;	       /* a variable was set because of it */
	char path[2048];
};

static void run_script(struct walk *k, const struct lint_node *level);

const char *nginx_page(const struct lint_node *level, int status)
{
	const struct lint_node *list = nginx_list_level(level, "error_page");
	const struct lint_node *n = NULL;

	/* Without "=" the status stays what it is, also where a server behind
	 * would say 101. */
	while (list && (n = lint_child(list, "error_page", n)))
		for (size_t i = 0; i + 2 < n->n_args; i++)
			if (atoi(n->arg[i]) == status &&
			    strcmp(n->arg[n->n_args - 2], "=") == 0)
				return lint_arg(n, n->n_args - 1);
	return NULL;
}

/* On to @place, "@name" or a path, whose query does not matter. */
static void go_to(struct walk *k, const char *place)
{
	if (place[0] == '@') {
		k->jump = place;
		return;
	}
	k->moved = true;
	k->lost |= place[0] != '/' || strchr(place, '$');
	snprintf(k->path, sizeof(k->path), "%.*s", (int)strcspn(place, "?"),
		 place);
}

static void do_return(struct walk *k, const struct lint_node *node,
		      const struct lint_node *level)
{
	int status = status_of(node);
	const char *page = nginx_page(level, status);

	if (page) {
		k->ended = true;
		go_to(k, page);
		return;
	}
	k->answered = true;
	k->w->answer = status;
	if (!k->w->asking || status / 100 != 2)
		note_answer(k->w, node, level, status, true);
}

static bool redirects(const struct lint_node *rewrite)
{
	const char *flag = lint_arg(rewrite, 2), *to = lint_arg(rewrite, 1);

	return strcmp(flag, "permanent") == 0 ||
	       strcmp(flag, "redirect") == 0 || strncmp(to, "http://", 7) == 0 ||
	       strncmp(to, "https://", 8) == 0 || strncmp(to, "$scheme", 7) == 0;
}

/* What the group of "^/ws(.*)$" holds, where it is such a pattern; or NULL. */
static const char *rest_behind(const char *pattern, const char *path)
{
	if (*pattern++ != '^')
		return NULL;
	for (; *pattern && !strchr("([.*+?$|{", *pattern); pattern++, path++) {
		pattern += *pattern == '\\' && pattern[1];
		if (*pattern != *path)
			return NULL;
	}
	return strcmp(pattern, "(.*)") == 0 || strcmp(pattern, "(.*)$") == 0
		       ? path
		       : NULL;
}

static void change_path(struct walk *k, const struct lint_node *node)
{
	const char *to = lint_arg(node, 1), *one = strstr(to, "$1");
	const char *rest = rest_behind(lint_arg(node, 0), k->path);
	char path[4096];

	if (one && rest && !strchr(one + 1, '$') && strchr(to, '$') == one)
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(one - to), to,
			 rest, one + 2);
	else
		snprintf(path, sizeof(path), "%s", to);
	go_to(k, path[0] == '@' ? "" : path);
}

static void do_rewrite(struct walk *k, const struct lint_node *node,
		       const struct lint_node *level)
{
	const char *flag = lint_arg(node, 2);
	enum lint_truth takes = LINT_PERHAPS;

	if (k->path[0] && !k->lost)
		takes = nginx_regex(k->w->run, lint_arg(node, 0), false,
				    k->path);
	k->w->unsure |= takes == LINT_PERHAPS;
	if (takes != LINT_YES)
		return;
	if (redirects(node)) {
		k->answered = true;
		note_answer(k->w, node, level,
			    strcmp(flag, "permanent") == 0 ? 301 : 302, true);
		return;
	}
	k->ended = flag[0] != 0;
	change_path(k, node);
	if (strcmp(flag, "break") == 0)
		k->moved = false;
}

/* What an `if` would do that perhaps holds: refuse, or set something. */
static void consider(struct walk *k, const struct lint_node *level)
{
	struct nginx_world *w = k->w;

	for (const struct lint_node *n = level->first; n; n = n->next) {
		w->unsure |= nginx_is(n, "rewrite") ||
			     nginx_is(n, "proxy_pass") ||
			     (nginx_is(n, "return") &&
			      nginx_page(level, status_of(n)));
		if (nginx_is(n, "set") && w->n_set < NGINX_MAX_SET) {
			w->set[w->n_set].name =
				lint_arg(n, 0) + (lint_arg(n, 0)[0] == '$');
			w->set[w->n_set++].known = false;
		}
		if (nginx_is(n, "return") && status_of(n) >= 400 &&
		    w->run->report->n_findings < LINT_MAX_FINDINGS &&
		    (w->asked_origin || w->asked_agent || w->asked_referer) &&
		    !nginx_page(level, status_of(n)))
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
		if (nginx_is(n, "break")) { /* the path stays as it is */
			k->ended = true;
			k->moved = false;
		}
	}
}

/* The last resort of try_files, or the page for what is not found. */
static void find_no_file(struct walk *k, const struct lint_node *level)
{
	const struct lint_node *n = lint_child(level, "try_files", NULL);
	const char *last = n && n->n_args ? lint_arg(n, n->n_args - 1) : "";

	if (!n)
		last = nginx_page(level,
				  lint_child(level, "deny", NULL) ? 403 : 404);
	if (last && (last[0] == '@' || last[0] == '/'))
		go_to(k, last);
}

static void start_script(struct walk *k, const struct lint_node *level)
{
	k->w->asked_origin = k->w->asked_agent = k->w->asked_referer = false;
	k->ended = false;
	k->jump = NULL;
	run_script(k, level);
}

/* Where the jump or the new path leads; false: nowhere else. */
static bool go_on(struct walk *k)
{
	const struct lint_node *next = k->level;
	bool slash = false;

	if (k->jump)
		next = nginx_named(k->server, k->jump);
	else if (k->moved && !k->lost)
		next = nginx_find_location(k->w->run, k->server, k->path,
					   &slash);
	k->jump = NULL;
	k->moved = false;
	if (!next || next == k->level || slash)
		return false;
	k->level = next;
	return true;
}

const struct lint_node *nginx_follow(struct nginx_world *w,
				     const struct lint_node *location)
{
	struct walk k = {.w = w, .server = nginx_server(location)};

	k.level = location;
	snprintf(k.path, sizeof(k.path), "%s", w->path ? w->path : "");
	if (k.server != location) {
		start_script(&k, k.server);
		go_on(&k);
	}
	for (int i = 0; i < MAX_JUMPS && !k.answered && !k.lost; i++) {
		start_script(&k, k.level);
		if (!k.answered && !k.jump && !k.moved &&
		    !lint_child(k.level, "proxy_pass", NULL))
			find_no_file(&k, k.level);
		if (k.answered || !go_on(&k))
			break;
	}
	return k.answered || k.lost ? NULL : k.level;
}

int nginx_ask(struct lint_run *run, const struct lint_node *level,
	      const char *uri)
{
	const struct lint_node *server = nginx_server(level), *location;
	struct nginx_world w;
	bool slash;

	location = nginx_find_location(run, server, uri, &slash);
	if (location == server || slash)
		return 0;
	nginx_world_of(run, server, &w);
	w.path = uri;
	w.asking = true;
	nginx_follow(&w, location);
	return w.answer;
}
