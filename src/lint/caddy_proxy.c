/* SPDX-License-Identifier: MIT */
/*
 * What reaches the server behind Caddy: the fields, how it is spoken to, for
 * how long; and the lines of Caddy 1, which keep Caddy 2 from starting.
 */
#include "lint/caddy.h"

#include <ctype.h>
#include <stdio.h>

#define LONG_MS 3600000

/* ---- fields ---- */

/* "-Sec-*" takes Sec-WebSocket-Key, too. */
static bool removes(const char *pattern, const char *field)
{
	return lint_glob(pattern, field, true, false);
}

static void judge_removal(const struct caddy *c, const struct lint_node *n,
			  const char *pattern, bool sure)
{
	static const struct {
		const char *field;
		enum lint_rule rule;
	} fields[] = {
		{"Upgrade", LINT_UPGRADE_REMOVED},
		{"Connection", LINT_UPGRADE_REMOVED},
		{"Sec-WebSocket-Key", LINT_UPGRADE_REMOVED},
		{"Sec-WebSocket-Version", LINT_UPGRADE_REMOVED},
		{"Origin", LINT_ORIGIN_MISSING},
		{"X-Forwarded-Proto", LINT_SCHEME_LOST},
	};
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (!removes(pattern, fields[i].field))
			continue;
		snprintf(text, sizeof(text),
			 "%s -%.60s takes %s away from what "
			 "is behind",
			 n->name, pattern, fields[i].field);
		caddy_take_out(c, caddy_note(c, fields[i].rule, n, sure, text),
			       n);
		return;
	}
}

static bool host_is_kept(const char *value)
{
	return lint_holds(value, "{hostport}") ||
	       lint_holds(value, "{http.request.host}:{http.request.port}") ||
	       lint_holds(value, "{http.request.hostport}") ||
	       lint_holds(value, "{header.Host}") ||
	       lint_holds(value, "{http.request.header.Host}") ||
	       lint_holds(value, "{host}:{port}");
}

static bool odd_port(const struct caddy *c)
{
	size_t i;

	for (i = 0; c->site && i < c->site->n_args; i++) {
		const char *colon = strrchr(c->site->arg[i], ':');

		if (colon && isdigit((unsigned char)colon[1]) &&
		    strcmp(colon, ":80") != 0 && strcmp(colon, ":443") != 0 &&
		    strncmp(colon, ":80/", 4) != 0 &&
		    strncmp(colon, ":443/", 5) != 0)
			return true;
	}
	return c->run->request && c->run->request->port != 80 &&
	       c->run->request->port != 443;
}

/* Whether the upgrade does not pass: what has a placeholder may be right. */
static bool spoils_upgrade(const char *field, const char *value)
{
	if (strchr(value, '{'))
		return false;
	if (lint_same(field, "Upgrade"))
		return !lint_same(value, "websocket");
	return lint_same(field, "Connection") && !lint_holds(value, "upgrade");
}

static struct lint_finding *judge_host(const struct caddy *c,
				       const struct lint_node *n,
				       const char *value, bool sure)
{
	char text[256];
	bool portless = lint_same(value, "{host}") ||
			lint_same(value, "{http.request.host}");

	if (portless && odd_port(c))
		return caddy_note(
			c, LINT_HOST_WITHOUT_PORT, n, sure,
			"{host} has no port, and this site is not at the usual "
			"one, so a server that compares Origin with Host "
			"refuses browsers");
	if (portless || host_is_kept(value))
		return NULL;
	snprintf(text, sizeof(text),
		 "what is behind gets %.80s as Host, so a server that "
		 "compares Origin with Host refuses browsers",
		 value);
	return caddy_note(c, LINT_HOST_REPLACED, n, sure, text);
}

static void judge_value(const struct caddy *c, const struct lint_node *n,
			const char *field, const char *value, bool sure)
{
	struct lint_finding *f = NULL;
	char text[256];

	if (strncmp(value, "{>", 2) == 0 && caddy_on_upgrade(field)) {
		snprintf(
			text, sizeof(text),
			"%.60s is a placeholder of Caddy 1; here it is sent as "
			"it stands, instead of the client's %.40s",
			value, field);
		f = caddy_note(c, LINT_MISSPELT_VARIABLE, n, sure, text);
	} else if (spoils_upgrade(field, value)) {
		snprintf(text, sizeof(text),
			 "%s puts \"%.60s\" where the client's %s has to pass",
			 n->name, value, field);
		f = caddy_note(c, LINT_UPGRADE_REMOVED, n, sure, text);
	} else if (lint_same(field, "Host")) {
		f = judge_host(c, n, value, sure);
	} else if (lint_same(field, "X-Forwarded-Proto") &&
		   lint_same(value, "http") && caddy_has_tls(c->site)) {
		f = caddy_note(
			c, LINT_SCHEME_LOST, n, sure,
			"the client came over TLS, and what is behind is told "
			"that it did not");
	}
	/* Caddy sends the right values when nothing is said. */
	if (f)
		caddy_take_out(c, f, n);
}

/* header_up and request_header: [-+?]FIELD [VALUE] */
void caddy_judge_field(const struct caddy *c, const struct lint_node *n,
		       bool sure)
{
	size_t at = caddy_matcher(n) != NULL || strcmp(lint_arg(n, 0), "*") == 0;
	const char *field = lint_arg(n, at);

	/* "header_up * ..." has no matcher; "request_header" may have one. */
	if (strcmp(n->name, "header_up") == 0)
		field = lint_arg(n, at = 0);
	if (*field == '-')
		judge_removal(c, n, field + 1, sure);
	else if (n->n_args == at + 2)
		judge_value(c, n,
			    field + (*field == '+' || *field == '?' ||
				     *field == '>'),
			    lint_arg(n, at + 1), sure);
}

/* ---- reverse_proxy ---- */

static void judge_span(const struct caddy *c, const struct lint_node *n,
		       int64_t limit, bool sure, const char *what)
{
	int64_t ms = lint_duration_ms(lint_arg(n, 0), 1);
	char span[32], text[256];

	if (ms <= 0 || ms >= limit)
		return;
	snprintf(text, sizeof(text), "%s after %s", what,
		 lint_duration_text(ms, span, sizeof(span)));
	caddy_take_out(c, caddy_note(c, LINT_SHORT_TIMEOUT, n, sure, text), n);
}

static void judge_transport(const struct caddy *c, const struct lint_node *t,
			    bool sure)
{
	const struct lint_node *n;
	size_t i;

	for (n = t->first; n; n = n->next) {
		bool h2c = false, one = false;

		for (i = 0; i < n->n_args; i++) {
			h2c |= strcmp(n->arg[i], "h2c") == 0;
			one |= strcmp(n->arg[i], "1.1") == 0;
		}
		if (strcmp(n->name, "versions") == 0 && h2c && !one)
			caddy_take_out(
				c,
				caddy_note(
					c, LINT_HTTP_VERSION, n, sure,
					"what is behind is spoken to in HTTP/2 "
					"without TLS; an upgrade needs "
					"HTTP/1.1"),
				n);
		else if (strcmp(n->name, "read_timeout") == 0)
			judge_span(c, n, 60001, sure,
				   "a WebSocket in which what is behind says "
				   "nothing is cut");
	}
}

static bool below_route(const struct lint_node *n)
{
	for (; n; n = n->parent)
		if (n->name && strcmp(n->name, "handle_path") == 0)
			return true;
	return false;
}

/* What Caddy 1 had within proxy. */
static bool is_outdated(const struct lint_node *n)
{
	return strcmp(n->name, "websocket") == 0 ||
	       strcmp(n->name, "transparent") == 0 ||
	       strcmp(n->name, "header_upstream") == 0 ||
	       strcmp(n->name, "header_downstream") == 0;
}

/* The same for Caddy 2; what that does by itself goes. */
static void renew_line(const struct caddy *c, struct lint_finding *f,
		       const struct lint_node *n)
{
	const char *field = lint_arg(n, 0);

	if (strcmp(n->name, "header_downstream") == 0)
		caddy_swap(c, f, n, n->name, "header_down");
	else if (strcmp(n->name, "header_upstream") != 0 ||
		 caddy_on_upgrade(field) || lint_same(field, "Host"))
		caddy_take_out(c, f, n);
	else
		caddy_swap(c, f, n, n->name, "header_up");
}

void caddy_judge_proxy(const struct caddy *c, const struct lint_node *proxy,
		       bool sure)
{
	const struct lint_node *n;
	size_t i;

	for (i = 0; i < proxy->n_args; i++)
		if (lint_begins(proxy->arg[i], "h2c://"))
			caddy_swap(
				c,
				caddy_note(
					c, LINT_HTTP_VERSION, proxy, sure,
					"h2c:// speaks HTTP/2 without TLS; an "
					"upgrade "
					"needs HTTP/1.1"),
				proxy, "h2c://", "http://");
	for (n = proxy->first; n; n = n->next) {
		if (strcmp(n->name, "header_up") == 0)
			caddy_judge_field(c, n, sure);
		else if (strcmp(n->name, "transport") == 0)
			judge_transport(c, n, sure);
		else if (strcmp(n->name, "stream_timeout") == 0)
			judge_span(c, n, LONG_MS, sure,
				   "a WebSocket is closed, busy or not,");
		else if (is_outdated(n))
			renew_line(
				c,
				caddy_note(
					c, LINT_OUTDATED, n, true,
					"this is of Caddy 1; Caddy 2 does not "
					"start with it, and passes WebSockets "
					"on without being told"),
				n);
	}
}

void caddy_judge_stripped(const struct caddy *c, const struct lint_node *proxy,
			  bool sure)
{
	const struct lint_node *n;
	struct lint_finding *f;

	if (!below_route(proxy))
		return;
	for (n = proxy->parent; n && n->name; n = n->parent) {
		if (strcmp(n->name, "handle_path") != 0 ||
		    (!c->run->request && !lint_smells(lint_arg(n, 0))))
			continue;
		f = caddy_note(
			c, LINT_PATH_CHANGED, n, false, /* it may be meant */
			"handle_path takes its path off, so what is behind "
			"sees "
			"another than the client asked for");
		lint_fix(f, "handle %s {", lint_arg(n, 0));
		/* Many mean it so: changed for one request only. */
		if (c->run->request)
			caddy_swap(c, f, n, "handle_path", "handle");
	}
}

/* ---- what is of Caddy 1 ---- */

/* "proxy /ws" took all that begins so; in Caddy 2 that is "/ws*", and a lone
 * "/" would take nothing but itself. */
static void renew_proxy(const struct caddy *c, struct lint_finding *f,
			const struct lint_node *n)
{
	struct bytes text = lint_line(c->run, n->file, n->line);
	const char *path = lint_arg(n, 0);
	size_t name = strlen(n->name), gap = 0;
	char from[300], to[300];

	text = bytes_from(text, n->column - 1);
	while (name + gap < text.len && strchr(" \t", text.data[name + gap]))
		gap++;
	if (*path != '/' || strlen(path) + name + gap >= sizeof(from) ||
	    !bytes_starts(bytes_from(text, name + gap), bytes_of_str(path))) {
		caddy_swap(c, f, n, n->name, "reverse_proxy");
		return;
	}
	snprintf(from, sizeof(from), "%.*s%s", (int)(name + gap),
		 (const char *)text.data, path);
	snprintf(to, sizeof(to), "reverse_proxy%s%s%s", path[1] ? " " : "",
		 path[1] ? path : "", path[1] ? "*" : "");
	caddy_swap(c, f, n, from, to);
}

/* What is of Caddy 1, in a site. */
void caddy_check_outdated(const struct caddy *c, const struct lint_node *site)
{
	const struct lint_node *n, *in;
	struct lint_finding *f;

	for (n = site->first; n; n = n->next) {
		if (strcmp(n->name, "websocket") == 0)
			caddy_take_out(
				c,
				caddy_note(
					c, LINT_OUTDATED, n, true,
					"Caddy 2 has no directive websocket "
					"and "
					"does not start with it; reverse_proxy "
					"passes WebSockets on"),
				n);
		if (strcmp(n->name, "proxy") != 0)
			continue;
		f = caddy_note(
			c, LINT_OUTDATED, n, true,
			"proxy is of Caddy 1; Caddy 2 does not start with it, "
			"its reverse_proxy passes WebSockets on");
		/* Its own line comes last: that is what is to be pasted. */
		for (in = n->first; in; in = in->next)
			if (is_outdated(in))
				renew_line(c, f, in);
		renew_proxy(c, f, n);
	}
}
