/* SPDX-License-Identifier: MIT */
/*
 * Whether a WebSocket is meant to pass at a place: by its path, its lines, the
 * server behind it, or by what it cancels.
 */
#include "lint/nginx.h"

#define LONG_TIMEOUT_MS 3600000

static bool tells_of_upgrade(const struct lint_node *level)
{
	static const char *const lines[] = {"proxy_set_header", "add_header",
					    "if", "more_set_headers"};

	for (const struct lint_node *n = level->first; n; n = n->next)
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			if (nginx_is(n, lines[i]) &&
			    (lint_holds(lint_arg(n, 0), "upgrade") ||
			     lint_holds(lint_arg(n, 1), "upgrade") ||
			     lint_same(lint_arg(n, 1), "websocket")))
				return true;
	return false;
}

static bool waits_long(const struct lint_node *level)
{
	const struct lint_node *n =
		lint_child(level, "proxy_read_timeout", NULL);

	return n && lint_duration_ms(lint_arg(n, 0), 1000) >= LONG_TIMEOUT_MS;
}

/* "/ws" in "http://app/ws", "ws-backend" in "http://ws-backend". */
static bool target_smells(const struct lint_node *pass)
{
	const char *target = lint_arg(pass, 0), *host = strstr(target, "://");

	return lint_smells(host ? host + 3 : target);
}

static bool path_smells(const struct lint_node *level)
{
	for (; level; level = level->parent)
		if (nginx_is(level, "location") &&
		    (lint_smells(lint_arg(level, 0)) ||
		     lint_smells(lint_arg(level, 1))))
			return true;
	return false;
}

/* Lines of its own cancel the Upgrade of those around, and nobody else in the
 * server gets it: so it was meant for here. */
static bool cancels_all(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *server = nginx_server(level);
	const struct lint_node *other = NULL;

	if (!lint_child(level, "proxy_set_header", NULL) || !level->parent ||
	    !nginx_header(level->parent, "Upgrade", NULL))
		return false;
	while ((other = lint_child(server, "location", other)))
		if (nginx_passes_upgrade(run, other))
			return false;
	return true;
}

enum nginx_sign nginx_sign(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);

	if (tells_of_upgrade(level) || waits_long(level) ||
	    path_smells(level) || (pass && target_smells(pass)) ||
	    (nginx_is(level, "if") &&
	     lint_holds(lint_arg(level, 0), "upgrade")))
		return NGINX_OWN_SIGN;
	if (nginx_header(level, "Upgrade", NULL))
		return NGINX_INHERITED;
	return cancels_all(run, level) ? NGINX_OWN_SIGN : NGINX_NO_SIGN;
}
