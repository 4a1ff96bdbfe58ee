/* SPDX-License-Identifier: MIT */
/*
 * What happens to a WebSocket on its way through Apache? Fields that are taken
 * away, the Host and the scheme that what is behind is told, how long an idle
 * tunnel lives, modules that are not loaded.
 */
#include "lint/apache.h"

#include <stdio.h>

#define SHORT_MS 60000

/* ---- fields ---- */

static void judge_header(const struct apache_probe *p,
			 const struct apache_item *it)
{
	const struct lint_node *n = it->node;
	const char *verb = lint_arg(n, 0), *field = lint_arg(n, 1);
	bool gone = lint_same(verb, "unset");
	bool changed = gone || lint_same(verb, "set");
	size_t last = gone ? 2 : 3;
	bool always = !it->perhaps && (n->n_args <= last ||
				       lint_same(lint_arg(n, last), "early"));
	enum lint_rule rule = LINT_UPGRADE_REMOVED;
	struct lint_finding *f;
	char where[128];

	/* Connection is written anew for what is behind, whatever stands here. */
	if (!changed || lint_same(field, "Connection"))
		return;
	if (lint_same(field, "Origin") && gone)
		rule = LINT_ORIGIN_MISSING;
	else if (lint_same(field, "Host"))
		rule = LINT_HOST_REPLACED;
	else if (!lint_same(field, "Upgrade") &&
		 !(gone && lint_begins(field, "Sec-WebSocket-")))
		return;
	if ((lint_same(field, "Upgrade") && !gone &&
	     lint_same(lint_arg(n, 2), "websocket")) ||
	    lint_told(p->run, rule, n))
		return;
	f = lint_note(p->run, rule, n, p->sure && always,
		      apache_place(it, p->server, where, sizeof(where)),
		      "%s %s takes %s away from what is behind", n->name, verb,
		      field);
	apache_take_out(p->run, f, n);
}

static void judge_headers(const struct apache_probe *p,
			  const struct apache_server *s)
{
	size_t i;

	for (i = 0; i < s->n_items && !apache_tired(p->a); i++) {
		const struct apache_item *it = &s->item[i];
		const struct lint_node *n = it->node;

		if (!apache_applies(p, it))
			continue;
		if (lint_same(n->name, "RequestHeader"))
			judge_header(p, it);
		if (lint_begins(n->name, "SetEnv") &&
		    lint_same(lint_arg(n, 0), "force-proxy-request-1.0") &&
		    !lint_told(p->run, LINT_HTTP_VERSION, n))
			apache_take_out(
				p->run,
				lint_note(
					p->run, LINT_HTTP_VERSION, n, p->sure, "",
					"what is behind is asked in HTTP/1.0, "
					"where there is no Upgrade"),
				n);
	}
}

static void judge_host(const struct apache_probe *p)
{
	const struct apache_item *set = apache_setting(p, "ProxyPreserveHost");
	const struct lint_node *by = p->fate.by->node;
	struct lint_finding *f;
	char where[128];

	if (set && lint_same(lint_arg(set->node, 0), "on"))
		return;
	if (lint_told(p->run, LINT_HOST_REPLACED, set ? set->node : by))
		return;
	f = lint_note(
		p->run, LINT_HOST_REPLACED, set ? set->node : by, p->sure,
		apache_place(p->fate.by, p->server, where, sizeof(where)),
		"what is behind gets its own address as Host, so a server "
		"that compares Origin with Host refuses browsers");
	if (set)
		apache_put_instead(p->run, f, set->node, "ProxyPreserveHost On");
	else
		apache_put_above(p->run, f, by, "ProxyPreserveHost On");
}

/* The RequestHeader that tells of the scheme, for all servers or for this one;
 * NULL. */
static const struct apache_item *scheme_field(const struct apache_probe *p)
{
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sets[k]->n_items && !apache_tired(p->a);
		     i++) {
			const struct lint_node *n = sets[k]->item[i].node;

			if (lint_same(n->name, "RequestHeader") &&
			    lint_same(lint_arg(n, 1), "X-Forwarded-Proto") &&
			    !lint_same(lint_arg(n, 0), "unset"))
				return &sets[k]->item[i];
		}
	return NULL;
}

static void judge_scheme(const struct apache_probe *p)
{
	static const char line[] =
		"RequestHeader set X-Forwarded-Proto \"https\"";
	const struct apache_item *told, *at;
	struct lint_finding *f;
	char where[128];

	if (!p->server->tls)
		return;
	told = scheme_field(p);
	at = told ? told : p->fate.by;
	if ((told && !lint_same(lint_arg(told->node, 2), "http")) ||
	    lint_told(p->run, LINT_SCHEME_LOST, at->node))
		return;
	apache_place(at, p->server, where, sizeof(where));
	f = lint_note(
		p->run, LINT_SCHEME_LOST, at->node, p->sure, where, "%s",
		told ? "this server speaks TLS, and tells what is behind that "
		       "it does not"
		     : "what is behind is not told that the client came over "
		       "TLS, so it takes the page's https:// for a foreign "
		       "origin");
	if (told)
		apache_put_instead(p->run, f, told->node, line);
	else if (apache_module(p->a, "headers_module") == LINT_NO)
		lint_fix(f,
			 "LoadModule headers_module modules/mod_headers.so\n"
			 "%s",
			 line);
	else
		apache_put_above(p->run, f, at->node, line);
}

/* ---- time ---- */

/* The last "timeout=" of a ProxyPass or the like, or NULL. */
static const char *timeout_parameter(const struct lint_node *by)
{
	const char *found = NULL;

	for (size_t i = 1; i < by->n_args; i++)
		if (lint_begins(by->arg[i], "timeout="))
			found = by->arg[i];
	return found;
}

static void mend_timeout(const struct apache_probe *p, struct lint_finding *f,
			 const char *param, const struct apache_item *proxy)
{
	const struct lint_node *by = p->fate.by->node;

	if (param) {
		lint_fix(f, "timeout=3600");
		lint_swap(p->run, f, by, param, "timeout=3600", false);
		return;
	}
	if (proxy) {
		apache_put_instead(p->run, f, proxy->node, "ProxyTimeout 3600");
		return;
	}
	/* Timeout is also what keeps slow clients off; leave it. */
	lint_fix(f, "ProxyTimeout 3600");
	if (!by->parent || lint_begins(by->name, "ProxyPass"))
		apache_put_above(p->run, f,
				 p->fate.by->section ? p->fate.by->section : by,
				 "ProxyTimeout 3600");
}

/* An idle tunnel lives for the longer of Timeout and the proxy's own. */
static void judge_timeout(const struct apache_probe *p)
{
	const struct apache_item *general = apache_setting(p, "Timeout");
	const struct apache_item *proxy = apache_setting(p, "ProxyTimeout");
	const struct lint_node *by = p->fate.by->node, *at;
	const char *param = timeout_parameter(by);
	int64_t ms = general ? lint_duration_ms(lint_arg(general->node, 0), 1000)
			     : 60000;
	int64_t own = param ? lint_duration_ms(param + strlen("timeout="), 1000)
		      : proxy ? lint_duration_ms(lint_arg(proxy->node, 0), 1000)
			      : -1;
	struct lint_finding *f;
	char span[32];

	at = param ? by : proxy ? proxy->node : general ? general->node : NULL;
	if (own > ms)
		ms = own;
	if (!at || ms < 0 || ms > SHORT_MS ||
	    lint_told(p->run, LINT_SHORT_TIMEOUT, at))
		return;
	/* In a part of a configuration Timeout may be set elsewhere. */
	f = lint_note(p->run, LINT_SHORT_TIMEOUT, at,
		      p->sure && (general || p->a->n_modules),
		      param ? "timeout=" : at->name,
		      "a WebSocket in which nobody speaks for %s is cut",
		      lint_duration_text(ms, span, sizeof(span)));
	mend_timeout(p, f, param, proxy);
}

/* ---- modules ---- */

static const struct lint_node *last_load(const struct apache *a)
{
	const struct apache_server *s = &a->server[0];
	const struct lint_node *last = NULL;
	size_t i;

	for (i = 0; i < s->n_items; i++)
		if (lint_same(s->item[i].node->name, "LoadModule"))
			last = s->item[i].node;
	return last;
}

static void load(const struct apache *a, struct lint_finding *f,
		 const char *name)
{
	const struct lint_node *last = last_load(a);
	const char *path = last ? lint_arg(last, 1) : "modules/x";
	const char *slash = strrchr(path, '/');
	char line[512], indent[64];

	snprintf(line, sizeof(line), "LoadModule %s_module %.*smod_%s.so", name,
		 slash ? (int)(slash - path + 1) : 0, path, name);
	lint_fix(f, "%s", line);
	if (last)
		lint_insert(a->run, f, last->file, last->line, "%s%s",
			    lint_indent(a->run, last->file, last->line, indent,
					sizeof(indent)),
			    line);
}

/* <IfModule> around rules for WebSocket, and the module is not there. */
void apache_judge_skipped(const struct apache *a, const struct lint_node *n,
			  const struct lint_node *skipped)
{
	for (; n; n = n->next) {
		bool guard = lint_same(n->name, "IfModule") && !n->block;
		char module[64];
		const char *what;
		size_t i;

		for (i = 0; skipped && i < n->n_args; i++) {
			if (!apache_is_ws(n->arg[i]) ||
			    lint_told(a->run, LINT_MODULE_MISSING, skipped))
				continue;
			what = lint_arg(skipped, 0);
			what += lint_begins(what, "mod_") ? 4 : 0;
			snprintf(module, sizeof(module), "%.*s",
				 (int)strcspn(what, "."), what);
			if (strstr(module, "_module"))
				*strstr(module, "_module") = '\0';
			load(a,
			     lint_note(a->run, LINT_MODULE_MISSING, skipped,
				       true, "<IfModule>",
				       "%s is not loaded, so the rules for "
				       "WebSockets in here are skipped",
				       lint_arg(skipped, 0)),
			     module);
		}
		apache_judge_skipped(
			a, n->first,
			guard && lint_arg(n, 0)[0] != '!' ? n : skipped);
	}
}

static void judge_modules(const struct apache_probe *p)
{
	const struct lint_node *n = p->fate.by->node;
	bool http = apache_module(p->a, "proxy_http_module") != LINT_NO;
	bool wstunnel = apache_module(p->a, "proxy_wstunnel_module") != LINT_NO;
	bool ws = false;
	size_t i;

	for (i = 0; i < n->n_args; i++)
		ws |= apache_is_ws(n->arg[i]);
	ws |= lint_same(n->name, "RewriteRule"); /* it knows no other way */
	if (lint_told(p->run, LINT_MODULE_MISSING, n))
		return;
	/* Since 2.4.47 mod_proxy_http passes ws:// on, too. */
	if (ws && !wstunnel)
		load(p->a,
		     lint_note(p->run, LINT_MODULE_MISSING, n, !http, "",
			       http ? "before 2.4.47 ws:// needs "
				      "mod_proxy_wstunnel, which is not loaded"
				    : "neither mod_proxy_wstunnel nor "
				      "mod_proxy_http is loaded: nothing "
				      "understands ws://"),
		     "proxy_wstunnel");
	else if (!ws && !http)
		load(p->a,
		     lint_note(p->run, LINT_MODULE_MISSING, n, true, "",
			       "mod_proxy_http is not loaded: nothing "
			       "understands http://"),
		     "proxy_http");
}

/* ---- all of the way ---- */

void apache_judge_way(const struct apache_probe *p)
{
	judge_headers(p, &p->a->server[0]);
	if (p->server != &p->a->server[0])
		judge_headers(p, p->server);
	if (!p->fate.by)
		return;
	judge_host(p);
	judge_scheme(p);
	judge_timeout(p);
	judge_modules(p);
}
