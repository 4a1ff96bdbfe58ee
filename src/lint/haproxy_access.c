/* SPDX-License-Identifier: MIT */
/*
 * What the rules of http-request and tcp-request do to a WebSocket: who is
 * refused or sent elsewhere, and which fields are changed on the way.
 */
#include "lint/haproxy.h"

#include <stdio.h>

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

/* The line of @n with @more behind its condition, to stand in its place. False:
 * something follows the condition there. */
static bool extend(const struct haproxy_way *w, struct lint_finding *f,
		   const struct lint_node *n, const char *more)
{
	struct bytes line = bytes_trim(lint_line(w->run, n->file, n->line));

	if (n->last_line != n->line || !line.len ||
	    memchr(line.data, '#', line.len))
		return false;
	lint_fix_instead(f, n->line, "%.*s%s", BYTES_ARG(line), more);
	return true;
}

/* What joins another alternative to the condition, or NULL: it has several. */
static const char *joint(const struct lint_node *n)
{
	size_t at = haproxy_condition(n), i;

	if (at && strcmp(n->arg[at - 1], "unless") == 0)
		return " or ";
	for (i = at; i < n->n_args; i++)
		if (strcmp(n->arg[i], "or") == 0 || strcmp(n->arg[i], "||") == 0)
			return NULL;
	return at ? " !" : NULL;
}

/* The same rule, but not for what this request says. */
static void let_through(const struct haproxy_way *w, struct lint_finding *f,
			const struct lint_node *n, enum lint_rule rule)
{
	const struct lint_request *q = w->run->request;
	const char *value = !q			       ? NULL
			    : rule == LINT_ORIGIN_RULE ? q->origin
			    : rule == LINT_AGENT_RULE  ? q->user_agent
						       : NULL;
	const char *but = joint(n);
	char more[600];

	if (but && rule == LINT_ADDRESS_RULE) {
		snprintf(more, sizeof(more), "%s{ src 203.0.113.9 }", but);
		extend(w, f, n, more);
	}
	if (!but || !value || strpbrk(value, "'\\\n") || strlen(value) > 400)
		return;
	snprintf(more, sizeof(more), "%s{ req.fhdr(%s) -m str '%s' }", but,
		 rule == LINT_ORIGIN_RULE ? "origin" : "user-agent", value);
	if (extend(w, f, n, more))
		lint_append(w->run, f, n, more);
}

static void judge_refusal(const struct haproxy_way *w,
			  const struct lint_node *section,
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
	f = haproxy_note(w, rule, n, w->sure && (hit == LINT_YES || !request),
			 text);
	let_through(w, f, n, rule);
}

/* Whether a rule below gives the field back. */
static bool is_set_again(const struct lint_node *n)
{
	const struct lint_node *m;

	for (m = n->next; m; m = m->next)
		if (strcmp(m->name, "http-request") == 0 &&
		    (strcmp(lint_arg(m, 0), "set-header") == 0 ||
		     strcmp(lint_arg(m, 0), "add-header") == 0) &&
		    lint_same(lint_arg(m, 1), lint_arg(n, 1)))
			return true;
	return false;
}

static void judge_header(const struct haproxy_way *w, const struct lint_node *n,
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

	if ((!gone && strcmp(verb, "set-header") != 0) || is_set_again(n))
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
	else if (!deleted && (!haproxy_one_of(lower, carried) ||
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
	f = haproxy_note(w, rule, n,
			 w->sure && (hit == LINT_YES || !w->run->request), text);
	lint_delete(w->run, f, n->file, n->line);
}

static void judge_redirect(const struct haproxy_way *w,
			   const struct lint_node *n, enum lint_truth hit)
{
	/* Without a request, most go from http: to https:, as they should. */
	if (!w->run->request || hit != LINT_YES)
		return;
	lint_fix(haproxy_note(
			 w, LINT_REDIRECT_RULE, n, true,
			 "the request is redirected; WebSocket clients do not "
			 "follow, so the URL has to name the new place"),
		 "acl is_websocket hdr(Upgrade) -i websocket");
}

static void judge_auth(const struct haproxy_way *w, const struct lint_node *n)
{
	haproxy_note(w, LINT_AUTH_RULE, n, w->sure,
		     "credentials are asked for; browsers do not ask people "
		     "for them "
		     "when a WebSocket opens");
}

/* One rule; true: nothing after it is looked at. */
static bool judge_rule(const struct haproxy_way *w,
		       const struct lint_node *section,
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
	if (haproxy_one_of(verb, refuse)) {
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
		haproxy_note(w, LINT_REFUSED, n, w->sure,
			     "HAProxy answers this request itself");
	else
		judge_header(w, n, hit);
	return false;
}

void haproxy_judge_rules(const struct haproxy_way *w,
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
