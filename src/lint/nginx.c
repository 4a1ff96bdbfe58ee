/* SPDX-License-Identifier: MIT */
/*
 * nginx, from the file to the findings. Without a request, every place that
 * proxies is judged where something tells of a WebSocket; with one, the place
 * that serves it, and what stands in its way.
 */
#include "lint/nginx.h"

#include <sesame/error.h>

#include <stdio.h>

#define MAX_WORK 40000000

/* ---- one place ---- */

/* A file without blocks around is what some location includes. */
static bool is_proxying(const struct lint_node *level)
{
	return level->block && lint_child(level, "proxy_pass", NULL) &&
	       !nginx_around(level, "stream") &&
	       (!level->parent || nginx_is(level, "location") ||
		nginx_is(level, "if") || nginx_is(level, "limit_except"));
}

/* Directives that are looked through for one place: those of all around. */
static bool is_too_much(struct lint_run *run, const struct lint_node *level)
{
	struct nginx_own *own = run->own;

	for (; level; level = level->parent)
		for (const struct lint_node *n = level->first; n; n = n->next)
			own->work++;
	if (own->work > MAX_WORK)
		run->report->truncated = true;
	return own->work > MAX_WORK;
}

static void judge_level(struct lint_run *run, const struct lint_node *level,
			bool sure)
{
	nginx_judge_upgrade(run, level, sure);
	nginx_judge_rest(run, level, sure);
	nginx_judge_access(run, level);
}

/* ---- without a request ---- */

/* What the servers' and locations' own rules do to any WebSocket. */
static void judge_route(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *location = nginx_around(level, "location");
	struct nginx_world w;
	char path[1024];

	if (!location)
		return;
	nginx_world_of(run, nginx_server(level), &w);
	if (nginx_sample(run, location, path, sizeof(path)))
		w.path = path;
	nginx_follow(&w, location);
}

static bool is_any_set_up(struct lint_run *run)
{
	for (const struct lint_node *n = run->root; n; n = lint_next(n)) {
		if (!is_proxying(n))
			continue;
		if (is_too_much(run, n))
			return true;
		if (nginx_sign(run, n) != NGINX_NO_SIGN)
			return true;
	}
	return false;
}

static void judge_place(struct lint_run *run, const struct lint_node *level,
			bool any)
{
	enum nginx_sign sign = nginx_sign(run, level);

	if (sign == NGINX_OWN_SIGN) {
		judge_level(run, level, true);
		judge_route(run, level);
	} else if (sign == NGINX_INHERITED && nginx_is_set_up(run, level)) {
		nginx_judge_upgrade(run, level, true); /* what takes away */
	} else if (sign == NGINX_INHERITED || !any) {
		nginx_judge_upgrade(run, level, sign == NGINX_INHERITED);
		nginx_judge_rest(run, level, sign == NGINX_INHERITED);
	}
}

static void judge_all(struct lint_run *run)
{
	bool any = is_any_set_up(run);

	for (const struct lint_node *n = run->root; n; n = lint_next(n)) {
		if (!is_proxying(n))
			continue;
		if (is_too_much(run, n))
			break;
		judge_place(run, n, any);
	}
	nginx_judge_reach(run);
	nginx_judge_variables(run);
}

/* ---- with a request ---- */

static void note_slash(struct lint_run *run, const struct lint_node *location)
{
	char where[128];

	nginx_where(location, where, sizeof(where));
	lint_fix(lint_note(run, LINT_REDIRECT_RULE, location, true, where,
			   "%.80s is redirected (301) to the same path with a "
			   "slash at its end; WebSocket clients do not follow",
			   run->request->path),
		 "# let the client ask for %.200s/, or write here\n"
		 "location %.200s {",
		 run->request->path, run->request->path);
}

static bool proxies_anything(const struct lint_node *server)
{
	const struct lint_node *l = NULL;

	while ((l = lint_child(server, "location", l)))
		if (lint_child(l, "proxy_pass", NULL))
			return true;
	return false;
}

static void note_no_proxy(struct lint_run *run, const struct lint_node *level,
			  bool sure)
{
	enum lint_rule rule = proxies_anything(nginx_server(level))
				      ? LINT_NO_ROUTE
				      : LINT_NO_PROXY;
	static const char *const others[] = {"grpc_pass", "fastcgi_pass",
					     "uwsgi_pass", "scgi_pass"};
	const char *what = "files";
	char where[128];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (lint_child(level, others[i], NULL))
			what = others[i];
	nginx_where(level, where, sizeof(where));
	lint_fix(lint_note(run, rule, level, sure, where,
			   "%.80s comes to %s, which serves %s: there is no "
			   "proxy_pass to a WebSocket server",
			   run->request->path, where, what),
		 "location %.200s {\n"
		 "    proxy_pass http://127.0.0.1:3000;\n"
		 "    proxy_http_version 1.1;\n"
		 "    proxy_set_header Upgrade $http_upgrade;\n"
		 "    proxy_set_header Connection \"upgrade\";\n"
		 "    proxy_set_header Host $http_host;\n}",
		 run->request->path);
}

/* Whether the server that answers was taken for want of one with the name. */
static bool is_by_default(struct lint_run *run, const struct lint_node *server)
{
	const char *host = run->request->host ? run->request->host : "";
	const struct lint_node *other = NULL;

	if (!server->parent || nginx_has_name(run, server, host))
		return false;
	while ((other = lint_child(server->parent, "server", other)))
		if (other != server && lint_child(other, "server_name", NULL))
			return true;
	return false;
}

/* Another location of the server that is set up, and meant for this path. */
static void judge_taken(struct lint_run *run, const struct lint_node *server,
			const struct lint_node *taker)
{
	const struct lint_node *l = NULL;
	char path[1024], where[128], by[128];

	while ((l = lint_child(server, "location", l))) {
		if (l == taker || !nginx_passes_upgrade(run, l) ||
		    !nginx_sample(run, l, path, sizeof(path)) ||
		    strlen(path) < 2 ||
		    strncmp(path, run->request->path, strlen(path)) != 0)
			continue;
		nginx_where(l, where, sizeof(where));
		nginx_where(taker, by, sizeof(by));
		lint_note(
			run, LINT_SHADOWED, l, true, where,
			"%.80s does not come here: %s (line %u) takes it, and "
			"passes no WebSocket on",
			run->request->path, by, taker->line);
	}
}

static void name_route(struct lint_run *run, const struct lint_node *level)
{
	char where[128];

	nginx_where(level, where, sizeof(where));
	snprintf(run->report->route, sizeof(run->report->route), "%.100s:%u %s",
		 level->file, level->line, where);
}

static void judge_request(struct lint_run *run)
{
	const struct lint_node *server = nginx_find_server(run, run->request);
	const struct lint_node *location, *level;
	struct nginx_world w;
	bool slash;

	if (!server) {
		lint_note(run, LINT_NO_ROUTE, NULL, true, "",
			  "there is no server for http here");
		return;
	}
	location = nginx_find_location(run, server, run->request->path, &slash);
	name_route(run, location);
	if (slash) {
		note_slash(run, location);
		return;
	}
	nginx_world_of(run, server, &w);
	w.by_default = is_by_default(run, server);
	level = nginx_follow(&w, location);
	if (!level)
		return;
	name_route(run, level);
	nginx_judge_access(run, level);
	if (!lint_child(level, "proxy_pass", NULL)) {
		note_no_proxy(run, level, !w.unsure);
	} else {
		nginx_judge_upgrade(run, level, !w.unsure);
		nginx_judge_rest(run, level, !w.unsure);
	}
	if (!nginx_passes_upgrade(run, level))
		judge_taken(run, server, level);
}

int lint_nginx(struct lint_run *run, const char *file, struct bytes text)
{
	struct nginx_own own;
	int error = nginx_parse(run, file, text);

	if (error)
		return error;
	error = nginx_own_init(run, &own);
	if (!error && run->request)
		judge_request(run);
	else if (!error)
		judge_all(run);
	nginx_own_fini(&own);
	run->own = NULL;
	return error;
}
