/* SPDX-License-Identifier: MIT */
/*
 * What path the server behind is asked for. A proxy_pass with a path of its own
 * puts that in the place of the location's prefix; many mean it so, but the
 * servers of Socket.IO wait at the path that their clients use.
 */
#include <stdio.h>

#include "lint/nginx.h"

#define SOCKET_IO "socket.io"

/* The prefix that a path of proxy_pass would replace, or "". */
static const char *prefix_of(const struct lint_node *location)
{
	const char *first = lint_arg(location, 0);

	if (strcmp(first, "^~") == 0)
		return lint_arg(location, 1);
	return first[0] == '/' ? first : "";
}

/* "/" in "http://app/"; NULL when there is none, or none that is known. */
static const char *path_of(const struct lint_node *pass)
{
	const char *host = strstr(lint_arg(pass, 0), "://");

	if (!host || strchr(host, '$') || strncmp(host, "://unix:", 8) == 0)
		return NULL;
	return strchr(host + 3, '/');
}

void nginx_judge_path(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);
	const struct lint_node *location = nginx_around(level, "location");
	const char *target = lint_arg(pass, 0), *path = path_of(pass);
	struct nginx_mend m = {.run = run};
	char line[512];
	struct lint_finding *f;

	if (!location || !path || !lint_holds(prefix_of(location), SOCKET_IO) ||
	    lint_holds(path, SOCKET_IO))
		return;
	f = nginx_note(run, LINT_PATH_CHANGED, level, pass, false,
		       "the \"%.80s\" at the end of proxy_pass takes the place "
		       "of %.80s, where a server of Socket.IO waits",
		       path, prefix_of(location));
	snprintf(line, sizeof(line), "proxy_pass %.*s;", (int)(path - target),
		 target);
	lint_fix(f, "%s", line);
	nginx_mend_replace(&m, pass, "%s", line);
	nginx_mend_done(&m, f);
}
