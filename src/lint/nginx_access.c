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
	if (lint_told(run, LINT_ADDRESS_RULE, deny))
		return;
	nginx_where(level, where, sizeof(where));
	lint_fix(lint_note(run, LINT_ADDRESS_RULE, deny,
			   run->request && !allow && is_final(level, 403) &&
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
	char where[128];

	nginx_where(level, where, sizeof(where));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct lint_node *n = nginx_value(level, rules[i]);

		if (!is_on(n) || lint_told(run, LINT_AUTH_RULE, n) ||
		    is_answered(run, level, n))
			continue;
		lint_fix(
			lint_note(run, LINT_AUTH_RULE, n,
				  run->request && is_final(level, 401), where,
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
	    lint_told(run, LINT_CERTIFICATE_RULE, n))
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
		    lint_told(run, LINT_RATE_RULE, n))
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
		    lint_told(run, LINT_RATE_RULE, n))
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
	    lint_told(run, LINT_HEADER_LIMIT, n))
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
	    lint_told(run, LINT_PLAIN_HTTP2, n))
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
