/* SPDX-License-Identifier: MIT */
/*
 * What is set up for WebSockets and never reached: a location that another one
 * takes all requests from, a server that lacks in TLS what it has without, and
 * variables that do not exist.
 */
#include <stdio.h>

#include "lint/nginx.h"

#define MAX_WORK 10000000 /* nodes looked at, in all comparisons */

static bool is_too_much(struct lint_run *run, size_t more)
{
	struct nginx_own *own = run->own;

	own->work += more;
	if (own->work > MAX_WORK)
		run->report->truncated = true;
	return own->work > MAX_WORK;
}

static size_t n_children(const struct lint_node *level)
{
	size_t n = 0;

	for (const struct lint_node *c = level->first; c; c = c->next)
		n++;
	return n;
}

/* ---- locations ---- */

static void note_shadow(struct lint_run *run, const struct lint_node *location,
			const struct lint_node *taker)
{
	char where[128], by[128], args[512] = "";
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;

	nginx_where(location, where, sizeof(where));
	nginx_where(taker, by, sizeof(by));
	f = lint_note(run, LINT_SHADOWED, location, true, where,
		      "never reached: %s (line %u) takes its requests, and "
		      "passes no WebSocket on",
		      by, taker->line);
	if (!nginx_is_weak_prefix(location) || location->n_args != 1) {
		lint_fix(f, "# put %s before %s, or make its pattern narrower",
			 where, by);
		return;
	}
	snprintf(args, sizeof(args), "location ^~ %.400s {",
		 lint_arg(location, 0));
	lint_fix(f, "%s", args);
	nginx_mend_head(&m, location, "location ^~ ");
	nginx_mend_done(&m, f);
}

static bool is_within(const struct lint_node *node,
		      const struct lint_node *location)
{
	while (node && node != location)
		node = node->parent;
	return node != NULL;
}

static void judge_location(struct lint_run *run, const struct lint_node *server,
			   const struct lint_node *location)
{
	const struct lint_node *taker;
	char path[1024];
	bool slash;

	if (!nginx_sample(run, location, path, sizeof(path)))
		return;
	taker = nginx_find_location(run, server, path, &slash);
	if (!slash && !is_within(taker, location) &&
	    !nginx_passes_upgrade(run, taker))
		note_shadow(run, location, taker);
}

static void judge_locations(struct lint_run *run, const struct lint_node *server)
{
	size_t size = n_children(server);
	const struct lint_node *l = NULL;

	while ((l = lint_child(server, "location", l))) {
		if (is_too_much(run, size))
			return;
		if (lint_child(l, "proxy_pass", NULL) &&
		    nginx_sign(run, l) == NGINX_OWN_SIGN &&
		    nginx_passes_upgrade(run, l))
			judge_location(run, server, l);
	}
}

/* ---- servers ---- */

static void note_plain_only(struct lint_run *run,
			    const struct lint_node *plain_location,
			    const struct lint_node *tls,
			    const struct lint_node *taker)
{
	const struct lint_node *at = taker == tls ? tls : taker;
	char where[128], plain[128];

	if (lint_told(run, LINT_PLAIN_VHOST_ONLY, at))
		return;
	nginx_where(at, where, sizeof(where));
	nginx_where(plain_location, plain, sizeof(plain));
	lint_fix(
		lint_note(run, LINT_PLAIN_VHOST_ONLY, at, true, where,
			  "%s (line %u) passes WebSockets on in the plain "
			  "server alone; what comes over TLS ends here without",
			  plain, plain_location->line),
		"# copy %s into the server that listens with ssl", plain);
}

static void compare(struct lint_run *run, const struct lint_node *plain,
		    const struct lint_node *tls)
{
	const struct lint_node *l = NULL, *taker;
	char path[1024];
	bool slash;

	while ((l = lint_child(plain, "location", l))) {
		if (is_too_much(run, 8))
			return;
		if (nginx_sign(run, l) != NGINX_OWN_SIGN ||
		    !nginx_passes_upgrade(run, l) ||
		    !nginx_sample(run, l, path, sizeof(path)))
			continue;
		taker = nginx_find_location(run, tls, path, &slash);
		if (!nginx_passes_upgrade(run, taker))
			note_plain_only(run, l, tls, taker);
	}
}

static size_t n_names(const struct lint_node *server)
{
	const struct lint_node *names = lint_child(server, "server_name", NULL);

	return names ? names->n_args : 0;
}

/* Of two servers with one name at one port, the first has it all. */
static void note_second(struct lint_run *run, const struct lint_node *location,
			const struct lint_node *first)
{
	char where[128];

	if (lint_told(run, LINT_SHADOWED, location))
		return;
	nginx_where(location, where, sizeof(where));
	lint_fix(lint_note(run, LINT_SHADOWED, location, true, where,
			   "never reached: the server of line %u has the same "
			   "name and port and comes first",
			   first->line),
		 "# move %s into that server, or give this one its own name",
		 where);
}

static void compare_first(struct lint_run *run, const struct lint_node *first,
			  const struct lint_node *second)
{
	const struct lint_node *l = NULL;
	char path[1024];
	bool slash;

	while ((l = lint_child(second, "location", l))) {
		if (is_too_much(run, 8))
			return;
		if (nginx_sign(run, l) == NGINX_OWN_SIGN &&
		    nginx_sample(run, l, path, sizeof(path)) &&
		    !nginx_passes_upgrade(
			    run, nginx_find_location(run, first, path, &slash)))
			note_second(run, l, first);
	}
}

static bool has_listen(const struct lint_node *server, const char *address)
{
	const struct lint_node *l = NULL;

	while ((l = lint_child(server, "listen", l)))
		if (strcmp(lint_arg(l, 0), address) == 0)
			return true;
	return false;
}

static bool is_same_door(const struct lint_node *a, const struct lint_node *b)
{
	const struct lint_node *l = lint_child(a, "listen", NULL);
	bool same = !l && !lint_child(b, "listen", NULL);

	for (; l && !same; l = lint_child(a, "listen", l))
		same = has_listen(b, lint_arg(l, 0));
	return same && nginx_share_name(a, b);
}

static void judge_pair(struct lint_run *run, const struct lint_node *server)
{
	const struct lint_node *other = NULL;
	bool tls = nginx_has_tls(server), before = true;

	while ((other = lint_child(server->parent, "server", other))) {
		if (is_too_much(run, 4 + n_names(server) * n_names(other)))
			return;
		if (other == server)
			before = false;
		if (other == server || !nginx_is_http_server(other))
			continue;
		if (before && is_same_door(server, other))
			compare_first(run, other, server);
		if (!tls && nginx_has_tls(other) && !nginx_has_plain(other) &&
		    nginx_share_name(server, other))
			compare(run, server, other);
	}
}

void nginx_judge_reach(struct lint_run *run)
{
	for (const struct lint_node *n = run->root; n; n = lint_next(n)) {
		if (!nginx_is_http_server(n))
			continue;
		if (is_too_much(run, 0))
			return;
		judge_locations(run, n);
		judge_pair(run, n);
	}
}

/* ---- variables ---- */

/* Where a variable is one for sure, and a mistake keeps nginx from starting. */
static bool takes_variables(const struct lint_node *node)
{
	static const char *const names[] = {
		"proxy_set_header", "proxy_pass", "if", "set", "map", "return"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (nginx_is(node, names[i]))
			return true;
	return false;
}

static void note_variable(struct lint_run *run, const struct lint_node *node,
			  struct bytes variable)
{
	char name[64], near_name[64], where[128];
	bool lone = !lint_child(run->root, "http", NULL);
	const char *near;

	if (lint_told(run, LINT_MISSPELT_VARIABLE, node))
		return;
	snprintf(name, sizeof(name), "%.*s", BYTES_ARG(variable));
	near = nginx_nearest(run, name, near_name, sizeof(near_name));
	if (lone && !near)
		return; /* another file may define it */
	nginx_where(node->parent, where, sizeof(where));
	lint_note(run, LINT_MISSPELT_VARIABLE, node, false, where,
		  "$%s is not defined%s%s%s; nginx does not start with it",
		  name, lone ? " in this file" : "", near ? ", perhaps $" : "",
		  near ? near : "");
}

/* The words of a regular expression are none: "\.php$" */
static bool is_pattern(const struct lint_node *node, size_t i)
{
	return i > 0 && nginx_is(node, "if") && strchr(node->arg[i - 1], '~');
}

void nginx_judge_variables(struct lint_run *run)
{
	for (const struct lint_node *n = run->root; n; n = lint_next(n)) {
		if (!takes_variables(n) || nginx_around(n, "stream"))
			continue;
		for (size_t i = 0; i < n->n_args; i++) {
			const char *text = n->arg[i];
			struct bytes name;

			while (!is_pattern(n, i) &&
			       nginx_next_variable(&text, &name))
				if (!nginx_is_defined(run, name))
					note_variable(run, n, name);
		}
	}
}
