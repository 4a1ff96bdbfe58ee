/* SPDX-License-Identifier: MIT */
/*
 * What is wrong for WebSockets in a configuration of HAProxy. The way is
 * frontend, its http-request rules, use_backend in order, then the backend's
 * rules. With 2.6 neither httpclose nor http-server-close harms a WebSocket,
 * though old advice says so; forceclose and http-tunnel are refused as unknown.
 */
#include "lint/haproxy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#define MAX_NAMES 256
#define SHORT_MS  60000

/* One way through: a frontend (or listen) and what it leads to. */
struct way {
	struct haproxy *h;
	struct lint_run *run;
	const struct lint_node *front, *back; /* the same for a listen */
	bool sure;
};

static const char *title(const struct lint_node *section, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", section->name, section->n_args ? " " : "",
		 lint_arg(section, 0));
	return out;
}

static struct lint_finding *note(const struct way *w, enum lint_rule rule,
				 const struct lint_node *n, bool sure,
				 const char *text)
{
	char where[128];

	if (lint_told(w->run, rule, n))
		return NULL;
	return lint_note(w->run, rule, n, sure,
			 title(n->parent && n->parent->name ? n->parent : n,
			       where, sizeof(where)),
			 "%s", text);
}

static void put_below(struct lint_run *run, struct lint_finding *f,
		      const struct lint_node *n, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	if (n->block) /* a section's header: as what follows it */
		snprintf(indent, sizeof(indent), "  ");
	else
		lint_indent(run, n->file, n->line, indent, sizeof(indent));
	if (n->block && n->first)
		lint_indent(run, n->file, n->first->line, indent,
			    sizeof(indent));
	lint_insert(run, f, n->file, n->line, "%s%s", indent, line);
}

static void put_instead(struct lint_run *run, struct lint_finding *f,
			const struct lint_node *n, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	lint_replace(run, f, n->file, n->line, "%s%s",
		     lint_indent(run, n->file, n->line, indent, sizeof(indent)),
		     line);
}

static void swap(struct lint_run *run, struct lint_finding *f,
		 const struct lint_node *n, const char *from, const char *to)
{
	char line[2048];
	size_t blank;

	if (!lint_swap(run, n, from, to, line, sizeof(line)))
		return;
	blank = strspn(line, " \t");
	lint_fix(f, "%s", line + blank);
	lint_replace(run, f, n->file, n->line, "%s", line);
}

static void join(const struct lint_node *n, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "%s", n->name), i;

	for (i = 0; i < n->n_args && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, " %s",
					 n->arg[i]);
}

/* ---- signs of WebSocket ---- */

static bool about_upgrade(const char *text)
{
	return lint_holds(text, "(upgrade") || lint_holds(text, "(connection") ||
	       lint_holds(text, "sec-websocket");
}

static bool condition_is_ws(const struct haproxy *h,
			    const struct lint_node *section,
			    const struct lint_node *n)
{
	char text[2048];

	haproxy_condition_text(h, section, n, text, sizeof(text));
	return about_upgrade(text) || lint_smells(text);
}

/* Whether the section itself says that WebSockets come by. */
static bool section_smells(const struct haproxy *h,
			   const struct lint_node *section)
{
	const struct lint_node *n;
	char text[2048];

	if (lint_smells(lint_arg(section, 0)))
		return true;
	for (n = section->first; n && !haproxy_tired(h); n = n->next) {
		join(n, text, sizeof(text));
		if (about_upgrade(text) ||
		    (strcmp(n->name, "timeout") == 0 &&
		     strcmp(lint_arg(n, 0), "tunnel") == 0))
			return true;
		if ((strcmp(n->name, "acl") == 0 ||
		     strcmp(n->name, "use_backend") == 0) &&
		    haproxy_is(section, "listen") && lint_smells(text))
			return true;
	}
	return false;
}

/* ---- rules of http-request ---- */

static enum lint_rule rule_about(const char *text)
{
	if (lint_holds(text, "(origin"))
		return LINT_ORIGIN_RULE;
	if (lint_holds(text, "(user-agent"))
		return LINT_AGENT_RULE;
	if (lint_holds(text, "_rate") || lint_holds(text, "conn_cur") ||
	    lint_holds(text, "_cnt(0") || lint_holds(text, "_gpc"))
		return LINT_RATE_RULE;
	if (lint_holds(text, "http_auth"))
		return LINT_AUTH_RULE;
	if (lint_holds(text, "(host") || lint_holds(text, "sni"))
		return LINT_HOST_RULE;
	if (lint_holds(text, " src") || lint_holds(text, "(x-forwarded-for") ||
	    lint_holds(text, "req.ip"))
		return LINT_ADDRESS_RULE;
	if (lint_holds(text, "ssl_c_"))
		return LINT_CERTIFICATE_RULE;
	return LINT_REFUSED;
}

static bool one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* The same rule, but not for what this request says. */
static void let_through(const struct way *w, struct lint_finding *f,
			const struct lint_node *n, enum lint_rule rule)
{
	const struct lint_request *q = w->run->request;
	const char *value = !q			       ? NULL
			    : rule == LINT_ORIGIN_RULE ? q->origin
			    : rule == LINT_AGENT_RULE  ? q->user_agent
						       : NULL;
	size_t at = haproxy_condition(n), i;
	struct bytes line = lint_line(w->run, n->file, n->line);
	char more[600];
	bool unless;

	if (rule == LINT_ADDRESS_RULE)
		lint_fix(f, "!{ src 203.0.113.9 }");
	if (!value || !at || strpbrk(value, "'\\\n") || strlen(value) > 400)
		return;
	unless = strcmp(n->arg[at - 1], "unless") == 0;
	snprintf(more, sizeof(more), "%s{ req.fhdr(%s) -m str '%s' }",
		 unless ? "or " : "!",
		 rule == LINT_ORIGIN_RULE ? "origin" : "user-agent", value);
	lint_fix(f, "%s", more);
	for (i = at; i < n->n_args && !unless; i++)
		if (strcmp(n->arg[i], "or") == 0 || strcmp(n->arg[i], "||") == 0)
			return; /* it would belong to the last alternative */
	while (line.len && strchr(" \t\r", line.data[line.len - 1]))
		line.len--;
	if (!memchr(line.data, '#', line.len))
		lint_replace(w->run, f, n->file, n->line, "%.*s %s",
			     (int)line.len, (const char *)line.data, more);
}

static void judge_refusal(const struct way *w, const struct lint_node *section,
			  const struct lint_node *n, enum lint_truth hit)
{
	char cond[2048], text[256];
	enum lint_rule rule;
	struct lint_finding *f;
	bool request = w->run->request != NULL;

	haproxy_condition_text(w->h, section, n, cond, sizeof(cond));
	rule = rule_about(cond);
	/* Paths and the like: what they mean for a WebSocket is unknown. */
	if (rule == LINT_REFUSED && hit != LINT_YES)
		return;
	if (rule == LINT_ORIGIN_RULE && request && !w->run->request->origin)
		rule = LINT_ORIGIN_MISSING;
	snprintf(text, sizeof(text), "%s %s refuses %s", n->name, lint_arg(n, 0),
		 hit == LINT_YES && request ? "this request"
					    : "what its condition matches");
	f = note(w, rule, n, w->sure && (hit == LINT_YES || !request), text);
	let_through(w, f, n, rule);
}

static void judge_header(const struct way *w, const struct lint_node *n,
			 enum lint_truth hit)
{
	static const char *const carried[] = {"upgrade", "connection",
					      "sec-websocket-key",
					      "sec-websocket-version", NULL};
	const char *verb = lint_arg(n, 0), *field = lint_arg(n, 1);
	const char *value = lint_arg(n, 2);
	bool gone = strcmp(verb, "del-header") == 0, deleted = false;
	char text[256], lower[64];
	enum lint_rule rule = LINT_UPGRADE_REMOVED;
	struct lint_finding *f;
	size_t i;

	if (!gone && strcmp(verb, "set-header") != 0)
		return;
	for (i = 0; field[i] && i + 1 < sizeof(lower); i++)
		lower[i] = (char)byte_lower((uint8_t)field[i]);
	lower[i] = '\0';
	/* del-header ^Up -m reg: since 2.2. */
	if (gone && strcmp(value, "-m") == 0 &&
	    strcmp(lint_arg(n, 3), "reg") == 0)
		deleted = lint_regex(field, true, "upgrade") == LINT_YES;
	if (lint_same(field, "Origin") && gone)
		rule = LINT_ORIGIN_MISSING;
	else if (lint_same(field, "Host"))
		rule = LINT_HOST_REPLACED;
	else if (!deleted && (!one_of(lower, carried) ||
			      (!gone && (lint_same(value, "websocket") ||
					 lint_same(value, "upgrade") ||
					 strstr(value, "%[")))))
		return;
	if (rule == LINT_HOST_REPLACED && (lint_holds(value, "hdr(host") || gone))
		return;
	snprintf(text, sizeof(text), "%s %s: %.60s %s", n->name, verb, field,
		 rule == LINT_HOST_REPLACED
			 ? "is not what the client sent, so a server that "
			   "compares Origin with Host refuses browsers"
			 : "does not reach what is behind as the client sent "
			   "it");
	f = note(w, rule, n, w->sure && (hit == LINT_YES || !w->run->request),
		 text);
	lint_delete(w->run, f, n->file, n->line);
}

static void judge_redirect(const struct way *w, const struct lint_node *n,
			   enum lint_truth hit)
{
	/* Without a request, most go from http: to https:, as they should. */
	if (!w->run->request || hit != LINT_YES)
		return;
	lint_fix(note(w, LINT_REDIRECT_RULE, n, true,
		      "the request is redirected; WebSocket clients do not "
		      "follow, so the URL has to name the new place"),
		 "acl is_websocket hdr(Upgrade) -i websocket");
}

static void judge_auth(const struct way *w, const struct lint_node *n)
{
	note(w, LINT_AUTH_RULE, n, w->sure,
	     "credentials are asked for; browsers do not ask people for them "
	     "when a WebSocket opens");
}

/* One rule; true: nothing after it is looked at. */
static bool judge_rule(const struct way *w, const struct lint_node *section,
		       const struct lint_node *n)
{
	static const char *const refuse[] = {"deny", "tarpit", "reject",
					     "silent-drop", NULL};
	const char *verb = lint_arg(n, 0);
	enum lint_truth hit = haproxy_holds(w->h, section, n);
	bool last = hit == LINT_YES && w->run->request;

	if (hit == LINT_NO)
		return false;
	if (strcmp(n->name, "tcp-request") == 0) {
		verb = lint_arg(n, 1);
		if (strcmp(verb, "reject") == 0)
			judge_refusal(w, section, n, hit);
		return false;
	}
	if (one_of(verb, refuse)) {
		judge_refusal(w, section, n, hit);
		return last;
	}
	if (strcmp(verb, "allow") == 0)
		return last;
	if (strcmp(verb, "redirect") == 0)
		judge_redirect(w, n, hit);
	else if (strcmp(verb, "auth") == 0)
		judge_auth(w, n);
	else if (strcmp(verb, "return") == 0 && last)
		note(w, LINT_REFUSED, n, w->sure,
		     "HAProxy answers this request itself");
	else
		judge_header(w, n, hit);
	return false;
}

static void judge_section_rules(const struct way *w,
				const struct lint_node *section)
{
	const struct lint_node *n;
	bool done = false;

	for (n = section->first; n && !haproxy_tired(w->h); n = n->next) {
		if (strcmp(n->name, "http-request") == 0) {
			if (!done)
				done = judge_rule(w, section, n);
		} else if (strcmp(n->name, "tcp-request") == 0) {
			judge_rule(w, section, n);
		} else if (strcmp(n->name, "redirect") == 0) {
			judge_redirect(w, n, haproxy_holds(w->h, section, n));
		}
	}
}

/* ---- what a way is like ---- */

static const struct lint_node *ssl_bind(const struct lint_node *front)
{
	const struct lint_node *n, *last = NULL;
	size_t i;

	for (n = front->first; n; n = n->next)
		for (i = 1; strcmp(n->name, "bind") == 0 && i < n->n_args; i++)
			if (strcmp(n->arg[i], "ssl") == 0)
				last = n;
	return last;
}

/* What the section tells of the scheme: NULL, or the last rule about it. */
static const struct lint_node *scheme_rule(const struct haproxy *h,
					   const struct lint_node *section)
{
	const struct lint_node *n, *found = NULL;
	int depth;

	for (depth = 0; section && depth < LINT_MAX_DEPTH; depth++) {
		for (n = section->first; n && !haproxy_tired(h); n = n->next)
			if (strcmp(n->name, "http-request") == 0 &&
			    lint_same(lint_arg(n, 1), "X-Forwarded-Proto") &&
			    strcmp(lint_arg(n, 0), "del-header") != 0 &&
			    (!found || lint_holds(lint_arg(n, 2), "https")))
				found = n;
		section = haproxy_defaults(h, section);
	}
	return found;
}

static void judge_scheme(const struct way *w)
{
	const struct lint_node *bind = ssl_bind(w->front), *rule;
	struct lint_finding *f;

	if (!bind)
		return;
	rule = scheme_rule(w->h, w->front);
	if (!rule && w->back)
		rule = scheme_rule(w->h, w->back);
	if (!rule) {
		f = note(w, LINT_SCHEME_LOST, bind, w->sure,
			 "what is behind is not told that the client came over "
			 "TLS, so it takes the page's https:// for a foreign "
			 "origin");
		put_below(w->run, f, bind,
			  "http-request set-header X-Forwarded-Proto https if "
			  "{ ssl_fc }");
	} else if (lint_same(lint_arg(rule, 2), "http") &&
		   !haproxy_condition(rule)) {
		f = note(w, LINT_SCHEME_LOST, rule, w->sure,
			 "the client came over TLS, and what is behind is told "
			 "that it did not");
		put_instead(
			w->run, f, rule,
			"http-request set-header X-Forwarded-Proto https if "
			"{ ssl_fc }");
	}
}

static int64_t span_of(const struct lint_node *n)
{
	return n ? lint_duration_ms(lint_arg(n, 1), 1) : -1;
}

static void judge_timeout(const struct way *w)
{
	const struct lint_node *back = w->back ? w->back : w->front;
	const struct lint_node *tunnel =
		haproxy_setting(w->h, back, "timeout", "tunnel");
	const struct lint_node *client =
		haproxy_setting(w->h, w->front, "timeout", "client");
	const struct lint_node *server =
		haproxy_setting(w->h, back, "timeout", "server");
	const struct lint_node *at = tunnel;
	int64_t ms = span_of(tunnel);
	struct lint_finding *f;
	char span[32], text[256];

	if (!tunnel) {
		at = server;
		ms = span_of(server);
		if (span_of(client) > 0 && (ms <= 0 || span_of(client) < ms)) {
			at = client;
			ms = span_of(client);
		}
	}
	if (!at || ms <= 0 || ms > SHORT_MS)
		return;
	snprintf(text, sizeof(text),
		 tunnel ? "a WebSocket in which nobody speaks for %s is cut"
			: "without timeout tunnel a WebSocket in which nobody "
			  "speaks for %s is cut",
		 lint_duration_text(ms, span, sizeof(span)));
	f = note(w, LINT_SHORT_TIMEOUT, at, w->sure, text);
	if (tunnel)
		put_instead(w->run, f, tunnel, "timeout tunnel 1h");
	else if (at->parent && !haproxy_is(at->parent, "frontend"))
		put_below(w->run, f, at, "timeout tunnel 1h");
	else /* a frontend takes no timeout tunnel */
		put_below(w->run, f, back, "timeout tunnel 1h");
}

static const char *option_of(const struct lint_node *n, const char *name)
{
	size_t i;

	for (i = 1; i + 1 < n->n_args; i++)
		if (strcmp(n->arg[i], name) == 0)
			return n->arg[i + 1];
	return "";
}

static void judge_version(const struct way *w, const struct lint_node *n)
{
	const char *alpn = option_of(n, "alpn");
	bool server = strcmp(n->name, "server") == 0;
	struct lint_finding *f;
	struct bytes line = lint_line(w->run, n->file, n->line);

	while (line.len && strchr(" \t\r", line.data[line.len - 1]))
		line.len--;
	if (server && *option_of(n, "ws") == '\0' &&
	    (strcmp(option_of(n, "proto"), "h2") == 0 ||
	     strcmp(alpn, "h2") == 0)) {
		f = note(w, LINT_HTTP_VERSION, n, w->sure,
			 "the server behind is spoken to in HTTP/2 alone; most "
			 "do not take WebSockets over it");
		lint_fix(f, "ws h1");
		if (!memchr(line.data, '#', line.len))
			lint_replace(w->run, f, n->file, n->line, "%.*s ws h1",
				     (int)line.len, (const char *)line.data);
	} else if (!server && strcmp(alpn, "h2") == 0) {
		f = note(w, LINT_HTTP_VERSION, n, w->sure,
			 "clients that speak HTTP/1.1 alone, as most WebSocket "
			 "clients do, find no common protocol here");
		swap(w->run, f, n, "alpn h2", "alpn h2,http/1.1");
	}
}

static void judge_lines(const struct way *w, const struct lint_node *section)
{
	const struct lint_node *n;

	for (n = section->first; n && !haproxy_tired(w->h); n = n->next) {
		if (strcmp(n->name, "server") == 0 ||
		    strcmp(n->name, "default-server") == 0 ||
		    strcmp(n->name, "bind") == 0)
			judge_version(w, n);
		if (strcmp(n->name, "bind") == 0 &&
		    strcmp(option_of(n, "verify"), "required") == 0)
			lint_fix(note(w, LINT_CERTIFICATE_RULE, n, w->sure,
				      "a client without a certificate is "
				      "refused "
				      "in the TLS handshake"),
				 "verify optional");
	}
}

/* Rules about HTTP, in a section that does not read HTTP. */
static void judge_mode(const struct way *w, const struct lint_node *section)
{
	const struct lint_node *mode =
		haproxy_setting(w->h, section, "mode", NULL);
	const struct lint_node *n, *rule = NULL;
	struct lint_finding *f;
	char text[2048], told_text[256];

	/* Without any mode it is tcp, but a fragment may take its from elsewhere. */
	if (mode ? strcmp(lint_arg(mode, 0), "tcp") != 0
		 : !haproxy_defaults(w->h, section))
		return;
	for (n = section->first; n && !rule && !haproxy_tired(w->h);
	     n = n->next) {
		join(n, text, sizeof(text));
		if (strcmp(n->name, "http-request") == 0 ||
		    (strcmp(n->name, "acl") == 0 &&
		     (lint_holds(text, "hdr(") || lint_holds(text, " path"))) ||
		    (strcmp(n->name, "use_backend") == 0 &&
		     (lint_holds(text, "hdr(") || lint_holds(text, " path"))))
			rule = n;
	}
	if (!rule)
		return;
	snprintf(told_text, sizeof(told_text),
		 "in mode tcp nobody waits for the head of a request, so line "
		 "%u (%s) works by chance at best",
		 rule->line, rule->name);
	f = note(w, LINT_ENGINE_OFF, mode ? mode : section,
		 mode != NULL && (w->sure || about_upgrade(text)), told_text);
	if (mode)
		put_instead(w->run, f, mode, "mode http");
	else
		put_below(w->run, f, section, "mode http");
}

static void judge_way(const struct way *w)
{
	judge_mode(w, w->front);
	judge_section_rules(w, w->front);
	judge_lines(w, w->front);
	judge_scheme(w);
	judge_timeout(w);
	if (w->back && w->back != w->front) {
		judge_section_rules(w, w->back);
		judge_lines(w, w->back);
	}
}

/* ---- names ---- */

struct names {
	const struct haproxy *h;
	const struct lint_node *section, *at;
	const char *name[MAX_NAMES];
	size_t n;
	bool used;
	const char *wanted;
};

static void collect_acls(struct names *names)
{
	const struct lint_node *n, *section = names->section;
	int depth;

	for (depth = 0; section && depth < LINT_MAX_DEPTH; depth++) {
		for (n = section->first; n && !haproxy_tired(names->h);
		     n = n->next)
			if (strcmp(n->name, "acl") == 0 && n->n_args &&
			    names->n < MAX_NAMES)
				names->name[names->n++] = lint_arg(n, 0);
		section = haproxy_defaults(names->h, section);
	}
}

static void undeclared(struct names *names, const char *what, const char *name)
{
	const char *meant = text_suggest(name, names->name, names->n);
	struct lint_run *run = names->h->run;
	struct lint_finding *f;
	char where[128];

	if (haproxy_tired(names->h) ||
	    lint_told(run, LINT_UNDECLARED, names->at))
		return;
	f = lint_note(run, LINT_UNDECLARED, names->at,
		      condition_is_ws(names->h, names->section, names->at) ||
			      (meant && lint_smells(meant)) || lint_smells(name),
		      title(names->section, where, sizeof(where)),
		      "there is no %s %s%s%s, so HAProxy does not start with "
		      "this",
		      what, name, meant ? "; perhaps " : "", meant ? meant : "");
	if (meant)
		swap(run, f, names->at, name, meant);
}

static void check_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	size_t i;

	for (i = 0; i < names->n; i++)
		if (strcmp(names->name[i], name) == 0)
			return;
	if (!haproxy_predefined(name) && names->n < MAX_NAMES)
		undeclared(names, "acl", name);
}

static void check_backend(const struct haproxy *h, const struct lint_node *n,
			  const struct lint_node *section)
{
	struct names names = {.h = h, .section = section, .at = n};
	const struct lint_node *s;

	if (strchr(lint_arg(n, 0), '%') || strchr(lint_arg(n, 0), '$') ||
	    haproxy_backend(h, lint_arg(n, 0)))
		return;
	for (s = h->run->root->first; s && !haproxy_tired(h); s = s->next)
		if (haproxy_is(s, "backend") && names.n < MAX_NAMES)
			names.name[names.n++] = lint_arg(s, 0);
	if (names.n)
		undeclared(&names, "backend", lint_arg(n, 0));
}

static void mark_used(void *ctx, const char *name)
{
	struct names *names = ctx;

	names->used |= strcmp(name, names->wanted) == 0;
}

static void check_unused(const struct haproxy *h,
			 const struct lint_node *section,
			 const struct lint_node *acl)
{
	struct names names = {
		.h = h, .section = section, .wanted = lint_arg(acl, 0)};
	const struct lint_node *n;
	char text[1024], where[128];

	join(acl, text, sizeof(text));
	if (!about_upgrade(text) && !lint_smells(text))
		return;
	for (n = section->first; n && !haproxy_tired(h); n = n->next)
		haproxy_each_name(n, mark_used, &names);
	if (names.used || haproxy_is(section, "defaults") || haproxy_tired(h))
		return;
	lint_fix(lint_note(h->run, LINT_UNUSED, acl, true,
			   title(section, where, sizeof(where)),
			   "%s is declared and no rule asks for it, so "
			   "WebSockets go where everything goes",
			   lint_arg(acl, 0)),
		 "use_backend BACKEND if %s", lint_arg(acl, 0));
}

/* hdr(Upgrade) WebSocket without -i: browsers write it small. */
static void check_never(const struct haproxy *h, const struct lint_node *section,
			const struct lint_node *acl)
{
	const char *word[LINT_MAX_ARGS + 2];
	const char *criterion = lint_arg(acl, 1);
	struct lint_finding *f;
	char where[128], to[256];
	size_t i, n = 0;

	if (acl->n_args < 3 || acl->n_args > LINT_MAX_ARGS ||
	    !lint_holds(criterion, "hdr(") ||
	    (!lint_holds(criterion, "(upgrade)") &&
	     !lint_holds(criterion, "(connection)")) ||
	    haproxy_acl(h, acl->arg + 1, acl->n_args - 1) != LINT_NO)
		return;
	word[n++] = criterion;
	word[n++] = "-i";
	for (i = 2; i < acl->n_args; i++)
		word[n++] = acl->arg[i];
	if (haproxy_acl(h, word, n) != LINT_YES)
		return;
	f = lint_note(h->run, LINT_NEVER_TRUE, acl, true,
		      title(section, where, sizeof(where)),
		      "clients write %s, and without -i this acl does not "
		      "match them",
		      lint_holds(criterion, "(upgrade")
			      ? "Upgrade: websocket"
			      : "Connection: Upgrade");
	snprintf(to, sizeof(to), "%s -i", criterion);
	swap(h->run, f, acl, criterion, to);
}

static void check_names(const struct haproxy *h, const struct lint_node *section)
{
	struct names names = {.h = h, .section = section};
	const struct lint_node *n;

	collect_acls(&names);
	for (n = section->first; n && !haproxy_tired(h); n = n->next) {
		names.at = n;
		haproxy_each_name(n, check_name, &names);
		if (strcmp(n->name, "use_backend") == 0 ||
		    strcmp(n->name, "default_backend") == 0)
			check_backend(h, n, section);
		if (strcmp(n->name, "acl") == 0) {
			check_unused(h, section, n);
			check_never(h, section, n);
		}
	}
}

/* ---- what 2.x no longer has ---- */

static void judge_outdated(struct lint_run *run, const struct lint_node *section)
{
	static const char *const gone[] = {
		"reqdel",    "reqidel", "reqrep",   "reqirep",	"reqadd",
		"rspadd",    "reqdeny", "reqideny", "reqallow", "reqiallow",
		"reqtarpit", "rspdel",	"rspidel",  "rsprep",	"rspirep",
		"block",     NULL};
	const struct lint_node *n;
	struct lint_finding *f;
	char where[128];

	for (n = section->first; n; n = n->next) {
		const char *arg = lint_arg(n, 0);
		bool option = strcmp(n->name, "option") == 0 &&
			      (strcmp(arg, "forceclose") == 0 ||
			       strcmp(arg, "http-tunnel") == 0);
		bool upgrade = lint_holds(arg, "upgrade") ||
			       lint_holds(arg, "connection");

		if (!option && !one_of(n->name, gone))
			continue;
		f = lint_note(
			run, LINT_OUTDATED, n, option || upgrade,
			title(section, where, sizeof(where)),
			"%s%s%s is not known to HAProxy 2.x%s", n->name,
			option ? " " : "", option ? arg : "",
			option || upgrade
				? "; WebSockets pass without it"
				: "; http-request and http-response rules "
				  "took its place");
		if (option || upgrade)
			lint_delete(run, f, n->file, n->line);
	}
}

/* ---- routing ---- */

static bool binds_port(const struct lint_node *bind, unsigned port)
{
	const char *at = lint_arg(bind, 0), *colon;
	bool found = false;

	/* bind 10.0.0.1:80,10.0.0.2:8000-8010 */
	while (at && !found) {
		char *end;
		unsigned long first, last;

		colon = strchr(at, ',');
		colon = colon ? colon : at + strlen(at);
		while (colon > at && *colon != ':')
			colon--;
		first = *colon == ':' ? strtoul(colon + 1, &end, 10) : 0;
		last = *colon == ':' && *end == '-' ? strtoul(end + 1, NULL, 10)
						    : first;
		found = first && port >= first && port <= last;
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return found;
}

static const struct lint_node *choose_front(const struct haproxy *h)
{
	const struct lint_request *q = h->run->request;
	const struct lint_node *n, *bind, *same_tls = NULL, *any = NULL;

	for (n = h->run->root->first; n && !haproxy_tired(h); n = n->next) {
		bool door =
			haproxy_is(n, "frontend") || haproxy_is(n, "listen");
		bool tls = ssl_bind(n) != NULL;

		if (!door)
			continue;
		for (bind = n->first; bind && !haproxy_tired(h);
		     bind = bind->next)
			if (strcmp(bind->name, "bind") == 0 &&
			    binds_port(bind, q->port))
				return n;
		any = any ? any : n;
		if (tls == q->tls)
			same_tls = same_tls ? same_tls : n;
	}
	return same_tls ? same_tls : any;
}

/* The first path that a condition names: what its WebSockets ask for. */
static bool path_in(const struct haproxy *h, const struct lint_node *section,
		    const struct lint_node *n, char *out, size_t size)
{
	char text[2048];
	const char *at;

	haproxy_condition_text(h, section, n, text, sizeof(text));
	at = strstr(text, " /");
	if (!at || !lint_holds(text, "path"))
		return false;
	snprintf(out, size, "%.*s", (int)strcspn(at + 1, " "), at + 1);
	return true;
}

static void judge_order(const struct way *w, const struct lint_node *late,
			const struct lint_node *early)
{
	struct bytes line = lint_line(w->run, late->file, late->line);
	struct lint_finding *f;
	char text[256];

	snprintf(text, sizeof(text),
		 "use_backend of line %u takes this first, so WebSockets never "
		 "get here; put this above it",
		 early->line);
	f = note(w, LINT_ORDER, late, true, text);
	lint_fix(f, "%.*s", (int)bytes_trim(line).len,
		 (const char *)bytes_trim(line).data);
	if (strcmp(late->file, early->file) != 0)
		return;
	lint_delete(w->run, f, late->file, late->line);
	lint_insert(w->run, f, early->file, early->line - 1, "%.*s",
		    (int)line.len, (const char *)line.data);
}

/* A rule for WebSockets behind one that takes everything they could be. */
static void check_order(struct way *w, const struct lint_node *front)
{
	const struct lint_request *real = w->h->request;
	const struct lint_node *late, *early;

	for (late = front->first; late && !haproxy_tired(w->h);
	     late = late->next) {
		struct lint_request made = {0};
		char path[256];

		if (strcmp(late->name, "use_backend") != 0 ||
		    !condition_is_ws(w->h, front, late))
			continue;
		if (!real && path_in(w->h, front, late, path, sizeof(path))) {
			made.path = path;
			made.tls = ssl_bind(front) != NULL;
			w->h->request = &made;
		}
		for (early = front->first;
		     early != late && !haproxy_tired(w->h); early = early->next)
			if (strcmp(early->name, "use_backend") == 0 &&
			    strcmp(lint_arg(early, 0), lint_arg(late, 0)) != 0 &&
			    haproxy_holds(w->h, front, early) == LINT_YES &&
			    haproxy_holds(w->h, front, late) != LINT_NO) {
				judge_order(w, late, early);
				break;
			}
		w->h->request = real;
	}
}

static void judge_request(struct haproxy *h)
{
	struct way w = {.h = h, .run = h->run, .sure = true};
	const struct lint_node *n, *by = NULL;
	struct lint_finding *f;
	bool perhaps = false;

	w.front = choose_front(h);
	if (!w.front) /* a lone backend */
		for (n = h->run->root->first;
		     n && !w.front && !haproxy_tired(h); n = n->next)
			if (haproxy_is(n, "backend"))
				w.front = w.back = n;
	if (!w.front)
		return;
	for (n = w.front->first; n && !by; n = n->next) {
		enum lint_truth hit;

		if (strcmp(n->name, "use_backend") != 0)
			continue;
		hit = haproxy_holds(h, w.front, n);
		perhaps |= hit == LINT_PERHAPS;
		if (hit == LINT_YES)
			by = n;
	}
	if (!by)
		by = haproxy_setting(h, w.front, "default_backend", NULL);
	if (by)
		w.back = haproxy_backend(h, lint_arg(by, 0));
	else if (lint_child(w.front, "server", NULL) ||
		 haproxy_is(w.front, "listen"))
		w.back = w.front;
	check_order(&w, w.front);
	judge_way(&w);
	if (!by && !w.back) {
		f = note(&w, LINT_NO_ROUTE, w.front, !perhaps,
			 "no use_backend takes this request and there is no "
			 "default_backend: the answer is 503");
		lint_fix(f, "default_backend BACKEND");
	}
	n = w.back && w.back->n_args ? w.back : by ? by : w.front;
	snprintf(h->run->report->route, sizeof(h->run->report->route),
		 "%s:%u %s %s", n->file, n->line, n->name, lint_arg(n, 0));
}

/* ---- everywhere ---- */

static bool leads_ws(const struct haproxy *h, const struct lint_node *front,
		     const struct lint_node *n)
{
	const struct lint_node *back = haproxy_backend(h, lint_arg(n, 0));

	return condition_is_ws(h, front, n) || (back && section_smells(h, back));
}

static void judge_front(struct haproxy *h, const struct lint_node *front)
{
	struct way w = {.h = h, .run = h->run, .front = front};
	const struct lint_node *n;
	bool smells = section_smells(h, front), separate = false;
	size_t ways = 0;

	for (n = front->first; n && !haproxy_tired(h); n = n->next)
		separate |= strcmp(n->name, "use_backend") == 0 &&
			    leads_ws(h, front, n);
	w.sure = smells || separate;
	check_order(&w, front);
	for (n = front->first; n && ways < 64 && !haproxy_tired(h); n = n->next) {
		if (strcmp(n->name, "use_backend") != 0 &&
		    strcmp(n->name, "default_backend") != 0)
			continue;
		w.back = haproxy_backend(h, lint_arg(n, 0));
		w.sure = leads_ws(h, front, n) || (smells && !separate);
		/* What is not for WebSockets where others are: not judged. */
		if (separate && !w.sure)
			continue;
		judge_way(&w);
		ways++;
	}
	if (!ways) {
		w.back = haproxy_is(front, "listen") ? front : NULL;
		judge_way(&w);
	}
}

static bool has_door(const struct haproxy *h)
{
	const struct lint_node *n;

	for (n = h->run->root->first; n; n = n->next)
		if (haproxy_is(n, "frontend"))
			return true;
	return false;
}

static void judge_buffer(struct haproxy *h, const struct lint_node *global)
{
	const struct lint_node *size = lint_child(global, "tune.bufsize", NULL);

	if (size && atol(lint_arg(size, 0)) < 8192)
		lint_note(h->run, LINT_HEADER_LIMIT, size, false, "global",
			  "the head of a request, cookies and all, has to fit "
			  "into this buffer; 16384 is usual");
}

void haproxy_judge(struct haproxy *h)
{
	const struct lint_node *n;

	for (n = h->run->root->first; n; n = n->next) {
		if (haproxy_is_proxy(n))
			check_names(h, n);
		if (haproxy_is_proxy(n) || haproxy_is(n, "defaults"))
			judge_outdated(h->run, n);
		if (haproxy_is(n, "global"))
			judge_buffer(h, n);
	}
	if (h->run->request) {
		judge_request(h);
		return;
	}
	for (n = h->run->root->first; n; n = n->next) {
		if (haproxy_is(n, "frontend") || haproxy_is(n, "listen"))
			judge_front(h, n);
		else if (haproxy_is(n, "backend") && !has_door(h)) {
			struct way w = {h, h->run, n, n, section_smells(h, n)};

			judge_way(&w);
		}
	}
}
