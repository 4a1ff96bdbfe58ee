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

#include "base/text.h"

#define LONG_MS 3600000

static const char *title(const struct lint_node *n, char *out, size_t size)
{
	const char *first = lint_arg(n, 0);

	if (strcmp(n->name, CADDY_SITE) == 0)
		snprintf(out, size, "%s", first);
	else
		snprintf(out, size, "%s%s%s", n->name, *first ? " " : "", first);
	return out;
}

static struct lint_finding *note(const struct caddy *c, enum lint_rule rule,
				 const struct lint_node *n, bool sure,
				 const char *text)
{
	const struct lint_node *place =
		n->parent && n->parent->name ? n->parent : n;
	char where[128];

	if (lint_told(c->run, rule, n))
		return NULL;
	return lint_note(c->run, rule, n, sure,
			 title(place, where, sizeof(where)), "%s", text);
}

static void swap(const struct caddy *c, struct lint_finding *f,
		 const struct lint_node *n, const char *from, const char *to)
{
	char line[2048];

	if (!lint_swap(c->run, n, from, to, line, sizeof(line)))
		return;
	lint_fix(f, "%s", line + strspn(line, " \t"));
	lint_replace(c->run, f, n->file, n->line, "%s", line);
}

static void take_out(const struct caddy *c, struct lint_finding *f,
		     const struct lint_node *n)
{
	unsigned line;
	struct bytes text = lint_line(c->run, n->file, n->line);

	/* Something else may stand in the same line. */
	if (n->column > 1 && bytes_trim(bytes_first(text, n->column - 1)).len)
		return;
	if (n->last_line - n->line < LINT_MAX_EDITS)
		for (line = n->line; line <= n->last_line; line++)
			lint_delete(c->run, f, n->file, line);
}

/* ---- fields ---- */

static bool on_upgrade(const char *text)
{
	return lint_holds(text, "upgrade") || lint_holds(text, "connection") ||
	       lint_holds(text, "sec-websocket");
}

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
		take_out(c, note(c, fields[i].rule, n, sure, text), n);
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

static bool tls_site(const struct lint_node *site);

static void judge_value(const struct caddy *c, const struct lint_node *n,
			const char *field, const char *value, bool sure)
{
	struct lint_finding *f = NULL;
	char text[256];

	if (strncmp(value, "{>", 2) == 0 && on_upgrade(field)) {
		snprintf(
			text, sizeof(text),
			"%.60s is a placeholder of Caddy 1; here it is sent as "
			"it stands, instead of the client's %.40s",
			value, field);
		f = note(c, LINT_MISSPELT_VARIABLE, n, sure, text);
	} else if (lint_same(field, "Upgrade")
			   ? !strchr(value, '{') &&
				     !lint_same(value, "websocket")
		   : lint_same(field, "Connection")
			   ? !strchr(value, '{') &&
				     !lint_holds(value, "upgrade")
			   : false) {
		snprintf(text, sizeof(text),
			 "%s puts \"%.60s\" where the client's %s has to pass",
			 n->name, value, field);
		f = note(c, LINT_UPGRADE_REMOVED, n, sure, text);
	} else if (lint_same(field, "Host") &&
		   (lint_same(value, "{host}") ||
		    lint_same(value, "{http.request.host}"))) {
		if (!odd_port(c))
			return;
		f = note(
			c, LINT_HOST_WITHOUT_PORT, n, sure,
			"{host} has no port, and this site is not at the usual "
			"one, so a server that compares Origin with Host "
			"refuses "
			"browsers");
	} else if (lint_same(field, "Host") && !host_is_kept(value)) {
		snprintf(text, sizeof(text),
			 "what is behind gets %.80s as Host, so a server that "
			 "compares Origin with Host refuses browsers",
			 value);
		f = note(c, LINT_HOST_REPLACED, n, sure, text);
	} else if (lint_same(field, "X-Forwarded-Proto") &&
		   lint_same(value, "http") && tls_site(c->site)) {
		f = note(c, LINT_SCHEME_LOST, n, sure,
			 "the client came over TLS, and what is behind is told "
			 "that it did not");
	}
	/* Caddy sends the right values when nothing is said. */
	if (f)
		take_out(c, f, n);
}

/* header_up and request_header: [-+?]FIELD [VALUE] */
static void judge_field(const struct caddy *c, const struct lint_node *n,
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
	take_out(c, note(c, LINT_SHORT_TIMEOUT, n, sure, text), n);
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
			take_out(c,
				 note(c, LINT_HTTP_VERSION, n, sure,
				      "what is behind is spoken to in HTTP/2 "
				      "without TLS; an upgrade needs HTTP/1.1"),
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
		swap(c, f, n, n->name, "header_down");
	else if (strcmp(n->name, "header_upstream") != 0 || on_upgrade(field) ||
		 lint_same(field, "Host"))
		take_out(c, f, n);
	else
		swap(c, f, n, n->name, "header_up");
}

static void judge_proxy(const struct caddy *c, const struct lint_node *proxy,
			bool sure)
{
	const struct lint_node *n;
	size_t i;

	for (i = 0; i < proxy->n_args; i++)
		if (lint_begins(proxy->arg[i], "h2c://"))
			swap(c,
			     note(c, LINT_HTTP_VERSION, proxy, sure,
				  "h2c:// speaks HTTP/2 without TLS; an "
				  "upgrade "
				  "needs HTTP/1.1"),
			     proxy, "h2c://", "http://");
	for (n = proxy->first; n; n = n->next) {
		if (strcmp(n->name, "header_up") == 0)
			judge_field(c, n, sure);
		else if (strcmp(n->name, "transport") == 0)
			judge_transport(c, n, sure);
		else if (strcmp(n->name, "stream_timeout") == 0)
			judge_span(c, n, LONG_MS, sure,
				   "a WebSocket is closed, busy or not,");
		else if (is_outdated(n))
			renew_line(c,
				   note(c, LINT_OUTDATED, n, true,
					"this is of Caddy 1; Caddy 2 does not "
					"start with it, and passes WebSockets "
					"on without being told"),
				   n);
	}
}

static void judge_stripped(const struct caddy *c, const struct lint_node *proxy,
			   bool sure)
{
	const struct lint_node *n;
	struct lint_finding *f;

	if (!below_route(proxy))
		return;
	for (n = proxy->parent; n && n->name; n = n->parent) {
		if (strcmp(n->name, "handle_path") != 0)
			continue;
		f = note(c, LINT_PATH_CHANGED, n, sure && c->run->request,
			 "handle_path takes its path off, so what is behind "
			 "sees "
			 "another than the client asked for");
		lint_fix(f, "handle %s {", lint_arg(n, 0));
		/* Many mean it so: changed for one request only. */
		if (c->run->request)
			swap(c, f, n, "handle_path", "handle");
	}
}

/* ---- who may come in ---- */

static enum lint_rule rule_about(const char *text)
{
	if (lint_holds(text, "origin"))
		return LINT_ORIGIN_RULE;
	if (lint_holds(text, "user-agent") || lint_holds(text, "user_agent"))
		return LINT_AGENT_RULE;
	if (lint_holds(text, "remote_ip") || lint_holds(text, "client_ip") ||
	    lint_holds(text, "remote_host"))
		return LINT_ADDRESS_RULE;
	if (lint_holds(text, " host "))
		return LINT_HOST_RULE;
	return LINT_REFUSED;
}

/* "not header Origin A" within a matcher: where another value goes. */
static void add_value(const struct caddy *c, struct lint_finding *f,
		      const struct lint_node *set, const char *field,
		      const char *value)
{
	const struct lint_node *n;
	char indent[64], more[600];

	if (!value || strpbrk(value, "\"{}`\\\n") || strlen(value) > 300)
		return;
	snprintf(more, sizeof(more), "not header %s \"%s\"", field, value);
	lint_indent(c->run, set->file, set->line, indent, sizeof(indent));
	if (set->n_args == 4 && strcmp(lint_arg(set, 0), "not") == 0 &&
	    lint_same(lint_arg(set, 2), field)) {
		lint_fix(f, "%s", more);
		lint_replace(c->run, f, set->file, set->line,
			     "%s%s {\n%s\tnot header %s \"%s\"\n%s\t%s\n%s}",
			     indent, set->name, indent, field, lint_arg(set, 3),
			     indent, more, indent);
		return;
	}
	for (n = set->first; n; n = n->next)
		if (strcmp(n->name, "not") == 0 && n->n_args == 3 &&
		    lint_same(lint_arg(n, 1), field)) {
			lint_fix(f, "%s", more);
			lint_insert(c->run, f, n->file, n->line, "%s%s",
				    lint_indent(c->run, n->file, n->line,
						indent, sizeof(indent)),
				    more);
			return;
		}
}

static bool answers_404(const struct lint_node *n)
{
	size_t i;

	for (i = 0; i < n->n_args; i++)
		if (strcmp(n->arg[i], "404") == 0)
			return true;
	return false;
}

static void judge_refusal(const struct caddy *c, const struct lint_node *n,
			  enum lint_truth hit, bool sure)
{
	const struct lint_request *q = c->run->request;
	const char *matcher = caddy_matcher(n);
	const struct lint_node *set =
		matcher && *matcher == '@' ? caddy_find(c, n, matcher) : NULL;
	char text[2048], said[256];
	enum lint_rule rule;
	struct lint_finding *f;

	caddy_matcher_text(c, n, text, sizeof(text));
	rule = rule_about(text);
	if (rule == LINT_REFUSED && (hit != LINT_YES || !q))
		return;
	if (rule == LINT_ORIGIN_RULE && q && !q->origin)
		rule = LINT_ORIGIN_MISSING;
	/* What is left for those whom nothing else took. */
	if (rule == LINT_REFUSED && (!matcher || answers_404(n)))
		rule = LINT_NO_ROUTE;
	snprintf(said, sizeof(said), "%s %s %s", n->name,
		 strcmp(n->name, "respond") == 0 ? "answers" : "turns away",
		 hit == LINT_YES && q ? "this request"
				      : "what its matcher takes");
	f = note(c, rule, n, sure && (hit == LINT_YES || !q), said);
	if (set && q && rule == LINT_ORIGIN_RULE)
		add_value(c, f, set, "Origin", q->origin);
	else if (set && q && rule == LINT_AGENT_RULE)
		add_value(c, f, set, "User-Agent", q->user_agent);
	else if (rule == LINT_ADDRESS_RULE)
		lint_fix(f, "not remote_ip 203.0.113.9");
}

static bool is_refusal(const struct lint_node *n)
{
	return strcmp(n->name, "respond") == 0 ||
	       strcmp(n->name, "abort") == 0 || strcmp(n->name, "error") == 0;
}

static void judge_auth(const struct caddy *c, const struct lint_node *n,
		       bool sure)
{
	note(c, LINT_AUTH_RULE, n, sure,
	     "credentials are asked for; browsers do not ask people for them "
	     "when "
	     "a WebSocket opens");
}

/* What a directive on the way does, when the request (perhaps) meets it. */
static void judge_step(const struct caddy *c, const struct lint_node *n,
		       enum lint_truth hit, bool sure)
{
	if (is_refusal(n))
		judge_refusal(c, n, hit, sure);
	else if (strcmp(n->name, "basicauth") == 0 ||
		 strcmp(n->name, "basic_auth") == 0 ||
		 strcmp(n->name, "forward_auth") == 0)
		judge_auth(c, n, sure);
	else if (strcmp(n->name, "request_header") == 0)
		judge_field(c, n, sure && hit == LINT_YES);
	else if (strcmp(n->name, "rate_limit") == 0)
		note(c, LINT_RATE_RULE, n, sure, "a limit on requests");
	else if (strcmp(n->name, "reverse_proxy") == 0) {
		judge_proxy(c, n, sure);
		judge_stripped(c, n, sure);
	} else if (strcmp(n->name, "uri") == 0 && c->run->request &&
		   hit == LINT_YES &&
		   lint_holds(lint_arg(n, 0 + (caddy_matcher(n) != NULL)),
			      "strip_prefix"))
		note(c, LINT_PATH_CHANGED, n,
		     sure, "what is behind sees another path than the client asked for");
}

/* ---- names and conditions ---- */

static void check_matcher_name(const struct caddy *c, const struct lint_node *n)
{
	const char *name = caddy_matcher(n), *known[128], *meant;
	const struct lint_node *block, *at;
	struct lint_finding *f;
	char text[256];
	size_t count = 0;

	if (!name || *name != '@' || caddy_find(c, n, name) || caddy_tired(c))
		return;
	for (block = n->parent; block; block = block->parent)
		for (at = block->first; at; at = at->next)
			if (at->name[0] == '@' && count < 128)
				known[count++] = at->name;
	meant = text_suggest(name, known, count);
	snprintf(text, sizeof(text),
		 "there is no matcher %.60s%s%.60s, so Caddy does not start "
		 "with "
		 "this",
		 name, meant ? "; perhaps " : "", meant ? meant : "");
	f = note(c, LINT_UNDECLARED, n,
		 lint_smells(name) || (meant && lint_smells(meant)), text);
	if (meant)
		swap(c, f, n, name, meant);
}

static bool uses(const struct caddy *c, const struct lint_node *block,
		 const char *name, int depth)
{
	const struct lint_node *n;
	size_t i;

	for (n = block->first; n && depth < LINT_MAX_DEPTH && !caddy_tired(c);
	     n = n->next) {
		for (i = 0; i < n->n_args; i++)
			if (strcmp(n->arg[i], name) == 0)
				return true;
		if (uses(c, n, name, depth + 1))
			return true;
	}
	return false;
}

static void judge_field_value(const struct caddy *c, const struct lint_node *n,
			      const char *field, const char *value)
{
	bool connection = lint_same(field, "Connection");
	const char *sent = connection ? "Upgrade" : "websocket";
	char text[256];

	if ((!connection && !lint_same(field, "Upgrade")) || !*value ||
	    strchr(value, '{'))
		return;
	if (!lint_glob(value, sent, false, false)) {
		if (!lint_glob(value, sent, true, false))
			return;
		snprintf(text, sizeof(text),
			 "clients send %s: %s, and values are compared with "
			 "their case: \"%.60s\" does not match",
			 field, sent, value);
	} else if (connection &&
		   !lint_glob(value, "keep-alive, Upgrade", false, false)) {
		snprintf(text, sizeof(text),
			 "Firefox sends \"Connection: keep-alive, Upgrade\", "
			 "which \"%.60s\" does not match",
			 value);
	} else {
		return;
	}
	swap(c, note(c, LINT_NEVER_TRUE, n, true, text), n, value,
	     connection ? "*Upgrade*" : "websocket");
}

static void check_matcher(const struct caddy *c, const struct lint_node *set)
{
	const struct lint_node *n;
	char text[2048] = "";
	size_t used = 0, i;

	if (strcmp(lint_arg(set, 0), "header") == 0)
		judge_field_value(c, set, lint_arg(set, 1), lint_arg(set, 2));
	for (n = set->first; n; n = n->next) {
		if (strcmp(n->name, "header") == 0)
			judge_field_value(c, n, lint_arg(n, 0), lint_arg(n, 1));
		for (i = 0; i < n->n_args && used < sizeof(text); i++)
			used += (size_t)snprintf(text + used,
						 sizeof(text) - used, " %s",
						 n->arg[i]);
	}
	if ((on_upgrade(text) || lint_smells(set->name) ||
	     on_upgrade(lint_arg(set, 1))) &&
	    !uses(c, set->parent, set->name, 0) && !caddy_tired(c))
		lint_fix(note(c, LINT_UNUSED, set, true,
			      "this matcher is declared and nothing asks for "
			      "it, "
			      "so WebSockets go where everything goes"),
			 "reverse_proxy %s 127.0.0.1:8080", set->name);
}

/* ---- order ---- */

static bool ends_way(const struct lint_node *n)
{
	return is_refusal(n) || strcmp(n->name, "reverse_proxy") == 0 ||
	       strcmp(n->name, "redir") == 0 || strcmp(n->name, "handle") == 0 ||
	       strcmp(n->name, "file_server") == 0;
}

static bool step_is_ws(const struct caddy *c, const struct lint_node *n)
{
	char text[2048];

	caddy_matcher_text(c, n, text, sizeof(text));
	return on_upgrade(text) || lint_smells(text);
}

static void judge_order(const struct caddy *c, const struct lint_node *late,
			const struct lint_node *early)
{
	char text[256], moved[2048];
	struct lint_finding *f;
	size_t used = 0;
	unsigned line;

	snprintf(text, sizeof(text),
		 "%s of line %u takes this first, so WebSockets never get here",
		 early->name, early->line);
	f = note(c, LINT_ORDER, late, true, text);
	for (line = late->line; line <= late->last_line; line++) {
		struct bytes l = lint_line(c->run, late->file, line);

		if (l.len + 2 > sizeof(moved) - used)
			return;
		used += (size_t)snprintf(moved + used, sizeof(moved) - used,
					 "%.*s\n", (int)l.len,
					 (const char *)l.data);
	}
	lint_fix(f, "%s", moved);
	/* Where Caddy sorts by itself, moving would help only equals. */
	if (strcmp(late->file, early->file) != 0 ||
	    strcmp(late->name, early->name) != 0)
		return;
	take_out(c, f, late);
	lint_insert(c->run, f, early->file, early->line - 1, "%s", moved);
}

static void check_order(struct caddy *c, const struct lint_node *block)
{
	const struct lint_node *step[CADDY_MAX_SORTED];
	size_t n = caddy_sorted(c, block, step, CADDY_MAX_SORTED), i, k;
	const struct lint_request *real = c->request;

	for (i = 1; i < n; i++) {
		struct lint_request made = {0};
		char text[2048], path[256];
		const char *at;

		if (!ends_way(step[i]) || is_refusal(step[i]) ||
		    !step_is_ws(c, step[i]))
			continue;
		caddy_matcher_text(c, step[i], text, sizeof(text));
		at = strstr(text, " /");
		if (!real && at) {
			snprintf(path, sizeof(path), "%.*s",
				 (int)strcspn(at + 1, " *"), at + 1);
			made.path = path;
			c->request = &made;
		}
		for (k = 0; k < i; k++)
			if (ends_way(step[k]) &&
			    caddy_matches(c, step[k]) == LINT_YES &&
			    caddy_matches(c, step[i]) != LINT_NO) {
				judge_order(c, step[i], step[k]);
				break;
			}
		c->request = real;
	}
}

/* ---- everywhere in a block ---- */

static void check_block(struct caddy *c, const struct lint_node *block,
			int depth)
{
	const struct lint_node *n;

	if (depth > LINT_MAX_DEPTH)
		return;
	check_order(c, block);
	for (n = block->first; n; n = n->next) {
		check_matcher_name(c, n);
		if (n->name[0] == '@')
			check_matcher(c, n);
		else if (n->block)
			check_block(c, n, depth + 1);
	}
}

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
		swap(c, f, n, n->name, "reverse_proxy");
		return;
	}
	snprintf(from, sizeof(from), "%.*s%s", (int)(name + gap),
		 (const char *)text.data, path);
	snprintf(to, sizeof(to), "reverse_proxy%s%s%s", path[1] ? " " : "",
		 path[1] ? path : "", path[1] ? "*" : "");
	swap(c, f, n, from, to);
}

/* What is of Caddy 1, in a site. */
static void check_outdated(const struct caddy *c, const struct lint_node *site)
{
	const struct lint_node *n, *in;
	struct lint_finding *f;

	for (n = site->first; n; n = n->next) {
		if (strcmp(n->name, "websocket") == 0)
			take_out(c,
				 note(c, LINT_OUTDATED, n, true,
				      "Caddy 2 has no directive websocket and "
				      "does not start with it; reverse_proxy "
				      "passes WebSockets on"),
				 n);
		if (strcmp(n->name, "proxy") != 0)
			continue;
		f = note(c, LINT_OUTDATED, n, true,
			 "proxy is of Caddy 1; Caddy 2 does not start with it, "
			 "its reverse_proxy passes WebSockets on");
		/* Its own line comes last: that is what is to be pasted. */
		for (in = n->first; in; in = in->next)
			if (is_outdated(in))
				renew_line(c, f, in);
		renew_proxy(c, f, n);
	}
}

static bool text_smells(const struct lint_node *block, int depth)
{
	const struct lint_node *n;
	size_t i;

	for (n = block->first; n && depth < LINT_MAX_DEPTH; n = n->next) {
		if (lint_smells(n->name) || on_upgrade(n->name))
			return true;
		for (i = 0; i < n->n_args; i++)
			if (lint_smells(n->arg[i]) || on_upgrade(n->arg[i]))
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
	bool perhaps; /* something on the way could not be told */
};

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
		note(w->c, LINT_REDIRECT_RULE, n, true,
		     "the request is redirected; WebSocket clients do not "
		     "follow, "
		     "so the URL has to name the new place");
		return ANSWERED;
	}
	if (is_refusal(n) || strcmp(n->name, "php_fastcgi") == 0 ||
	    strcmp(n->name, "metrics") == 0)
		return ANSWERED;
	if (strcmp(n->name, "file_server") == 0) {
		note(w->c, LINT_NO_ROUTE, n, true,
		     "the path is looked for as a file: nothing passes it on");
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
		judge_step(w->c, step[i], hit, true);
		if (hit == LINT_PERHAPS) {
			w->perhaps = true;
			continue;
		}
		/* What would come next is judged, too: one patch for all. */
		if (is_refusal(step[i]) && caddy_matcher(step[i])) {
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

/* ---- sites ---- */

struct address {
	char scheme[8], host[256];
	unsigned port; /* 0: not told */
	const char *path;
};

static void read_address(const char *text, struct address *ret)
{
	const char *scheme = strstr(text, "://"), *colon;
	size_t len;

	*ret = (struct address){0};
	if (scheme && scheme - text < 8) {
		snprintf(ret->scheme, sizeof(ret->scheme), "%.*s",
			 (int)(scheme - text), text);
		text = scheme + 3;
	}
	len = strcspn(text, "/");
	ret->path = text + len;
	snprintf(ret->host, sizeof(ret->host), "%.*s",
		 (int)(len < 255 ? len : 255), text);
	colon = strrchr(ret->host, ':');
	if (colon && !strchr(colon, ']')) {
		ret->port = (unsigned)strtoul(colon + 1, NULL, 10);
		ret->host[colon - ret->host] = '\0';
	}
	if (!ret->port)
		ret->port = strcmp(ret->scheme, "http") == 0 ? 80
			    : *ret->scheme || *ret->host     ? 443
							     : 0;
}

static bool plain_address(const struct address *a, const struct lint_node *site)
{
	if (strcmp(a->scheme, "https") == 0)
		return false;
	return strcmp(a->scheme, "http") == 0 || a->port == 80 ||
	       (!*a->host && a->port != 443 && !lint_child(site, "tls", NULL));
}

static bool tls_site(const struct lint_node *site)
{
	struct address a;
	size_t i;

	for (i = 0; site && i < site->n_args; i++) {
		read_address(site->arg[i], &a);
		if (!plain_address(&a, site))
			return true;
	}
	return false;
}

/* How well an address fits the request; 0: not at all. */
static int fit(const struct lint_request *q, const struct lint_node *site,
	       const char *text, bool by_port)
{
	struct address a;
	int score = 1;

	read_address(text, &a);
	if (by_port && a.port && a.port != q->port)
		return 0;
	if (by_port && !a.port && q->port != 443 && q->port != 80)
		return 0;
	if (plain_address(&a, site) == q->tls && by_port)
		return 0;
	if (*a.host && q->host) {
		if (lint_same(a.host, q->host))
			score += 4;
		else if (strchr(a.host, '*') &&
			 lint_glob(a.host, q->host, true, false))
			score += 2;
		else
			return 0;
	}
	if (*a.path && strcmp(a.path, "/") != 0) {
		if (q->path && caddy_path(a.path, q->path) != LINT_YES)
			return 0;
		score++;
	}
	return score;
}

static bool knows_port(const struct caddy *c, const struct lint_request *q)
{
	const struct lint_node *n;
	struct address a;
	size_t i;

	for (n = c->run->root->first; n; n = n->next)
		for (i = 0; strcmp(n->name, CADDY_SITE) == 0 && i < n->n_args;
		     i++) {
			read_address(n->arg[i], &a);
			if (a.port == q->port)
				return true;
		}
	return false;
}

static const struct lint_node *choose_site(const struct caddy *c)
{
	const struct lint_request *q = c->run->request;
	const struct lint_node *n, *best = NULL;
	bool by_port = knows_port(c, q);
	int best_score = 0, score;
	size_t i;

	for (n = c->run->root->first; n; n = n->next) {
		if (strcmp(n->name, CADDY_SITE) != 0)
			continue;
		if (n->n_args == 0) /* a fragment */
			return n;
		for (i = 0; i < n->n_args; i++) {
			score = strchr(n->arg[i], '{')
					? 1
					: fit(q, n, n->arg[i], by_port);
			if (score > best_score) {
				best_score = score;
				best = n;
			}
		}
	}
	return best;
}

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
	const struct lint_node *near = near_miss(c, c->site, 0);
	struct lint_finding *f;
	char text[256], to[256];
	size_t len;

	if (!near) {
		f = note(c, LINT_NO_ROUTE, c->site, !w->perhaps,
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
	f = note(c, LINT_NO_ROUTE, near, !w->perhaps, text);
	swap(c, f, near, caddy_matcher(near), to);
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
		note(c, LINT_CERTIFICATE_RULE, mode ? mode : auth, true,
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
		note(c, LINT_HEADER_LIMIT, size, false,
		     "the head of a request, cookies and all, has to fit into "
		     "this");
}

static void judge_request(struct caddy *c)
{
	struct lint_report *report = c->run->report;
	struct walk w = {.c = c};
	const struct lint_node *n;
	char where[128];
	enum end end;

	c->site = choose_site(c);
	if (!c->site) {
		for (n = c->run->root->first; n; n = n->next)
			if (strcmp(n->name, CADDY_SITE) == 0)
				break;
		if (n)
			note(c, LINT_NO_SITE, n, true,
			     "no site here has the name and the port that the "
			     "request asks for: Caddy answers 200 with nothing "
			     "in it, or redirects to https:");
		return;
	}
	check_outdated(c, c->site);
	check_block(c, c->site, 0);
	judge_tls_options(c, c->site);
	end = walk_block(&w, c->site, 0);
	if (end == GOES_ON && !w.refused)
		judge_nowhere(&w);
	n = w.refused ? w.refused : w.by ? w.by : c->site;
	snprintf(report->route, sizeof(report->route), "%s:%u %s", n->file,
		 n->line, title(n, where, sizeof(where)));
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
		check_outdated(c, n);
		check_block(c, n, 0);
		judge_tls_options(c, n);
		walk_all(c, n, text_smells(n, 0), 0);
	}
}
