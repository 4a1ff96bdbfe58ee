/* SPDX-License-Identifier: MIT */
/*
 * What refuses beside conditions: addresses, passwords, certificates, limits.
 * Such rules are often meant, so no edit loosens one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lint/nginx.h"

/* Whether what refuses with @status has the last word at @level. */
static bool is_final(const struct lint_node *level, int status)
{
	const struct lint_node *satisfy = nginx_value(level, "satisfy");

	return !nginx_page(level, status) &&
	       !(satisfy && strcmp(lint_arg(satisfy, 0), "any") == 0);
}

/* ---- addresses ---- */

static void judge_addresses(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *list = nginx_list_level(level, "deny");
	const struct lint_node *deny, *allow;
	bool all;

	/* allow of its own cancels deny of those around as well */
	if (!list || (lint_child(level, "allow", NULL) &&
		      !lint_child(level, "deny", NULL)))
		return;
	deny = lint_child(list, "deny", NULL);
	allow = lint_child(list, "allow", NULL);
	all = !allow && strcmp(lint_arg(deny, 0), "all") == 0;
	lint_fix(nginx_note(run, LINT_ADDRESS_RULE, level, deny,
			    run->request && all && is_final(level, 403),
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

/* Whether an auth_request is answered by the rules of the location that it
 * names, which then have told whom they refuse. */
static bool is_answered(struct lint_run *run, const struct lint_node *level,
			const struct lint_node *auth)
{
	return nginx_is(auth, "auth_request") &&
	       !strchr(lint_arg(auth, 0), '$') &&
	       nginx_ask(run, level, lint_arg(auth, 0)) != 0;
}

static void judge_credentials(struct lint_run *run,
			      const struct lint_node *level)
{
	static const char *const rules[] = {"auth_basic", "auth_request",
					    "auth_jwt"};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct lint_node *n = nginx_value(level, rules[i]);

		if (!is_on(n) || is_answered(run, level, n))
			continue;
		lint_fix(nginx_note(run, LINT_AUTH_RULE, level, n,
				    run->request && is_final(level, 401),
				    "%s holds for the WebSocket as well: "
				    "without the right credentials it is "
				    "refused, and scripts in a browser cannot "
				    "add any",
				    n->name),
			 "%s off; # when the application checks for itself",
			 n->name);
	}
}

static void judge_certificate(struct lint_run *run,
			      const struct lint_node *level)
{
	const struct lint_node *n = nginx_value(level, "ssl_verify_client");

	if (!is_on(n) || strcmp(lint_arg(n, 0), "on") != 0)
		return;
	lint_fix(nginx_note(run, LINT_CERTIFICATE_RULE, level, n,
			    run->request != NULL,
			    "clients without a certificate that it trusts are "
			    "refused with 400"),
		 "ssl_verify_client optional;");
}

/* ---- limits ---- */

static const char *word_behind(const struct lint_node *node, const char *prefix)
{
	for (size_t i = 0; i < node->n_args; i++)
		if (strncmp(node->arg[i], prefix, strlen(prefix)) == 0)
			return node->arg[i] + strlen(prefix);
	return "";
}

/* Requests a minute that the zone ("zone=one:10m") lets through, or -1. */
static int rate_of(const struct lint_node *level, const char *zone)
{
	for (; level; level = level->parent) {
		const struct lint_node *n = NULL;

		while ((n = lint_child(level, "limit_req_zone", n))) {
			const char *rate = word_behind(n, "rate=");
			const char *name = word_behind(n, "zone=");
			size_t len = strcspn(name, ":");

			if (len == strlen(zone) && !strncmp(name, zone, len))
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

	while (list && (n = lint_child(list, "limit_req", n))) {
		const char *zone = word_behind(n, "zone=");
		int rate = rate_of(level, zone);

		if (rate < 0 || rate > 60 || atoi(word_behind(n, "burst=")) > 5)
			continue;
		lint_fix(nginx_note(run, LINT_RATE_RULE, level, n,
				    run->request != NULL,
				    "%d requests a minute with next to no "
				    "burst: a page that opens again, or two "
				    "tabs, are refused with 503",
				    rate),
			 "limit_req zone=%.60s burst=20 nodelay;", zone);
	}
}

static void judge_connections(struct lint_run *run,
			      const struct lint_node *level)
{
	const struct lint_node *list = nginx_list_level(level, "limit_conn");
	const struct lint_node *n = NULL;

	while (list && (n = lint_child(list, "limit_conn", n))) {
		if (n->n_args < 2 || atoi(lint_arg(n, 1)) > 8)
			continue;
		lint_fix(nginx_note(run, LINT_RATE_RULE, level, n,
				    run->request != NULL,
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

	if (strpbrk(text, "kK"))
		size *= 1024;
	if (!size || size >= 8192 || strpbrk(text, "mM"))
		return;
	lint_fix(nginx_note(run, LINT_HEADER_LIMIT, level, n,
			    run->request != NULL,
			    "a field of more than %lu bytes is refused with "
			    "400; cookies and tokens are often larger",
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
	const struct lint_node *server = nginx_server(level);
	const struct lint_node *n = nginx_plain_http2(server);
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;
	char line[400];

	if (!n || (run->request && run->request->tls))
		return;
	write_listen(n, line, sizeof(line));
	f = nginx_note(run, LINT_PLAIN_HTTP2, server, n, true,
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
