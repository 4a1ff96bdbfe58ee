/* SPDX-License-Identifier: MIT */
/*
 * What is wrong for WebSockets in a configuration of Apache. Each path that is
 * meant for them (or that of the request) is followed through its server, and
 * what it meets on the way is judged.
 */
#include "lint/apache.h"

#include <sesame/error.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_PROBES 64
#define SHORT_MS   60000

/* ---- the way ---- */

/* A ProxyPass that would carry the probe's WebSocket, had it been asked. */
static const struct apache_item *unheard(const struct apache_probe *p,
					 const struct apache_server *s)
{
	size_t i;

	for (i = 0; i < s->n_items && !apache_tired(p->a); i++) {
		const struct apache_item *it = &s->item[i];
		struct apache_pass pass;

		if (it != p->fate.by && apache_read_pass(p->a, it, &pass) &&
		    pass.upgrade && strcmp(pass.target, "!") != 0 &&
		    apache_pass_takes(it, &pass, p->path) == LINT_YES)
			return it;
	}
	return NULL;
}

/* Move the lines of @late above @early. */
static void move_up(struct lint_run *run, struct lint_finding *f,
		    const struct lint_node *late, const struct lint_node *early)
{
	char text[2048];
	size_t used = 0;
	unsigned line;

	for (line = late->line; line <= late->last_line; line++) {
		struct bytes l = lint_line(run, late->file, line);

		if (l.len + 2 > sizeof(text) - used)
			return;
		memcpy(text + used, l.data ? l.data : (const uint8_t *)"",
		       l.len);
		used += l.len;
		text[used++] = '\n';
	}
	text[used] = '\0';
	lint_fix(f, "%s", text);
	if (strcmp(late->file, early->file) != 0)
		return;
	apache_take_out(run, f, late);
	lint_insert(run, f, early->file, early->line - 1, "%s", text);
}

/* upgrade= for what the item leads to: a balancer's members have it each. */
static void add_upgrade(const struct apache_probe *p, struct lint_finding *f,
			const struct apache_item *item)
{
	static const char word[] = " upgrade=websocket";
	struct apache_pass pass;
	size_t k, i;

	if (!apache_read_pass(p->a, item, &pass) ||
	    !apache_is_balancer(pass.target)) {
		apache_append(p->run, f, item->node, word);
		return;
	}
	for (k = 0; k < p->a->n_servers; k++) {
		const struct apache_server *s = &p->a->server[k];

		for (i = 0; i < s->n_items && !apache_tired(p->a); i++)
			if (apache_is_member(&s->item[i], pass.target) &&
			    !apache_member_upgrades(&s->item[i]))
				apache_append(p->run, f, s->item[i].node, word);
	}
}

static void judge_order(const struct apache_probe *p,
			const struct apache_item *late)
{
	const struct lint_node *early = p->fate.by->node;
	struct apache_pass first, second;
	struct lint_finding *f;
	bool sections = late->section && p->fate.by->section;
	char where[128];

	if (lint_told(p->run, LINT_ORDER, late->node))
		return;
	f = lint_note(p->run, LINT_ORDER, late->node, p->fate.sure == LINT_YES,
		      apache_place(late, p->server, where, sizeof(where)),
		      "%s of line %u takes this path, so the WebSocket never "
		      "gets here (the %s wins)",
		      early->name, early->line,
		      sections ? "last section" : "first line");
	if (!apache_read_pass(p->a, p->fate.by, &first) ||
	    !apache_read_pass(p->a, late, &second))
		return;
	if (sections && strcmp(first.path, second.path) != 0) {
		/* Of sections the last one wins: this one has to come after. */
		move_up(p->run, f, p->fate.by->section, late->section);
	} else if (strcmp(first.path, second.path) == 0 && !late->section) {
		add_upgrade(p, f, p->fate.by);
		apache_take_out(p->run, f, late->node);
	} else {
		move_up(p->run, f, late->node, early);
	}
}

static const struct apache_item *unheard_anywhere(const struct apache_probe *p)
{
	const struct apache_server *main = &p->a->server[0];
	const struct apache_item *late = unheard(p, p->server);

	return late || p->server == main ? late : unheard(p, main);
}

static void judge_plain(const struct apache_probe *p, bool broken_rule)
{
	const struct apache_item *late = unheard_anywhere(p);
	const struct lint_node *n = p->fate.by->node;
	struct lint_finding *f;
	char where[128];

	if (late) {
		judge_order(p, late);
		return;
	}
	if (broken_rule || lint_told(p->run, LINT_UPGRADE_NOT_FORWARDED, n))
		return;
	f = lint_note(
		p->run, LINT_UPGRADE_NOT_FORWARDED, n, p->sure,
		apache_place(p->fate.by, p->server, where, sizeof(where)),
		"%s speaks plain HTTP to what is behind and drops Upgrade; "
		"it takes upgrade=websocket (since 2.4.47), or ws:// "
		"instead of http://",
		n->name);
	if (lint_same(n->name, "ProxyPass") ||
	    lint_same(n->name, "ProxyPassMatch"))
		add_upgrade(p, f, p->fate.by);
	else
		lint_fix(f, "RewriteEngine On\n"
			    "RewriteCond %%{HTTP:Upgrade} websocket [NC]\n"
			    "RewriteRule ^/?(.*) ws://127.0.0.1:8080/$1 [P,L]");
}

/* ProxyPass / balancer://b/ upgrade=websocket */
static void judge_misplaced(const struct apache_probe *p)
{
	const struct apache_item *by = p->fate.by;
	const struct lint_node *n = by->node;
	const char *word = apache_upgrade_word(n);
	struct apache_pass pass;
	struct lint_finding *f;
	char where[128], out[64];

	if (!word || !apache_read_pass(p->a, by, &pass) ||
	    !apache_is_balancer(pass.target) ||
	    lint_told(p->run, LINT_UPGRADE_NOT_FORWARDED, n))
		return;
	f = lint_note(p->run, LINT_UPGRADE_NOT_FORWARDED, n, true,
		      apache_place(by, p->server, where, sizeof(where)),
		      "a balancer:// does not take %.32s, and Apache does not "
		      "start with it; it belongs to each BalancerMember",
		      word);
	add_upgrade(p, f, by);
	snprintf(out, sizeof(out), " %s", word);
	if (n->last_line == n->line)
		lint_swap(p->run, f, n, out, "", false);
}

static void judge_redirect(const struct apache_probe *p)
{
	const struct lint_node *n = p->fate.by->node;
	char where[128];

	if (lint_told(p->run, LINT_UPGRADE_NOT_FORWARDED, n) ||
	    lint_told(p->run, LINT_REDIRECT_RULE, n))
		return;
	lint_fix(lint_note(p->run, LINT_REDIRECT_RULE, n, p->sure,
			   apache_place(p->fate.by, p->server, where,
					sizeof(where)),
			   "%s sends %s elsewhere; WebSocket clients do not "
			   "follow, so the URL has to name the new place, or "
			   "this rule has to leave WebSockets out",
			   n->name, p->path),
		 "RewriteCond %%{HTTP:Upgrade} !websocket [NC]");
}

/* ---- one server has it, its sibling does not ---- */

static const char *server_name(const struct apache_server *s)
{
	size_t i;

	for (i = 0; i < s->n_items; i++)
		if (lint_same(s->item[i].node->name, "ServerName"))
			return lint_arg(s->item[i].node, 0);
	return "";
}

static bool siblings(const struct apache *a, const struct apache_server *x,
		     const struct apache_server *y)
{
	const char *name = server_name(x), *other = server_name(y);
	size_t len = strcspn(name, ":");

	if (!x->vhost || !y->vhost || x->tls == y->tls)
		return false;
	if (!*name || !*other)
		return a->n_servers == 3;
	return len == strcspn(other, ":") && strncmp(name, other, len) == 0;
}

static void copy_lines(struct lint_run *run, const struct lint_node *n,
		       char *out, size_t size)
{
	size_t used = strlen(out);
	unsigned line;

	for (line = n->line; line <= n->last_line; line++) {
		struct bytes l = lint_line(run, n->file, line);

		if (l.len + 2 > size - used)
			return;
		memcpy(out + used, l.data ? l.data : (const uint8_t *)"", l.len);
		used += l.len;
		out[used++] = '\n';
		out[used] = '\0';
	}
}

/* The lines that make the fate what it is. */
static void fate_lines(struct lint_run *run, const struct apache_server *s,
		       const struct apache_fate *fate, char *out, size_t size)
{
	struct apache_rewrite r;
	size_t at = 0, i;

	*out = '\0';
	while (apache_next_rewrite(s, &at, &r)) {
		if (r.rule != fate->by)
			continue;
		snprintf(out, size, "\tRewriteEngine On\n");
		for (i = 0; i < r.n_conds; i++)
			copy_lines(run, r.cond[i]->node, out, size);
	}
	copy_lines(run, fate->by->section ? fate->by->section : fate->by->node,
		   out, size);
}

/* @p->server does not serve the path; another one of the same name does. */
static bool judge_sibling(const struct apache_probe *p)
{
	struct apache *a = p->a;
	size_t i;

	for (i = 1; i < a->n_servers; i++) {
		const struct apache_server *s = &a->server[i];
		struct apache_fate fate;
		struct lint_finding *f;
		char text[2048];

		if (s->tls || !siblings(a, s, p->server))
			continue;
		apache_follow(a, s, p->path, &fate);
		if (fate.end != APACHE_TUNNEL)
			continue;
		if (lint_told(p->run, LINT_PLAIN_VHOST_ONLY, p->server->vhost))
			return true;
		snprintf(text, sizeof(text), "<VirtualHost %s>",
			 lint_arg(p->server->vhost, 0));
		f = lint_note(p->run, LINT_PLAIN_VHOST_ONLY, p->server->vhost,
			      true, text,
			      "the rules for WebSockets stand in the plain "
			      "virtual host (line %u) alone; wss:// comes here",
			      s->vhost->line);
		fate_lines(p->run, s, &fate, text, sizeof(text));
		lint_fix(f, "%s", text);
		lint_insert(p->run, f, p->server->vhost->file,
			    p->server->vhost->line, "%s", text);
		return true;
	}
	return false;
}

static void judge_nowhere(const struct apache_probe *p)
{
	const struct apache_item *late =
		p->fate.by ? unheard(p, p->server) : NULL;
	struct lint_finding *f;
	char where[128];

	if (late) {
		judge_order(p, late);
		return;
	}
	if (!p->run->request)
		return;
	f = lint_note(p->run, LINT_NO_ROUTE,
		      p->fate.by ? p->fate.by->node : p->server->vhost, p->sure,
		      apache_place(p->fate.by, p->server, where, sizeof(where)),
		      "nothing here passes %s on: it is looked for as a file",
		      p->path);
	lint_fix(f, "ProxyPass %s ws://127.0.0.1:8080%s", p->path, p->path);
}

/* ---- what it meets on the way ---- */

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
static void judge_skipped(const struct apache *a, const struct lint_node *n,
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
		judge_skipped(a, n->first,
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

/* ---- the probes ---- */

static void judge_way(const struct apache_probe *p)
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

/* The rule for WebSockets that takes the path as soon as it works, or NULL. */
static const struct apache_item *broken_rewrite(const struct apache_probe *p)
{
	struct apache_rewrite r;
	size_t at = 0;

	while (!apache_tired(p->a) && apache_next_rewrite(p->server, &at, &r))
		if (apache_meant_for_ws(&r) && !r.negated &&
		    lint_regex(r.pattern, false, p->path) != LINT_NO)
			return r.rule;
	return NULL;
}

/* What else is wrong on the way that the probe takes once it is let through. */
static void judge_intended(const struct apache_probe *p, bool broken_rule)
{
	const struct apache_item *by = NULL;
	struct apache_probe way = *p;

	if (p->fate.end == APACHE_TUNNEL) {
		judge_way(p);
		return;
	}
	if (p->fate.end == APACHE_REFUSED) {
		apache_follow_passes(p->a, p->server, p->path, &way.fate);
		by = way.fate.by;
	} else {
		by = broken_rule ? broken_rewrite(p) : NULL;
		by = by ? by : unheard_anywhere(p);
		by = by || p->fate.end != APACHE_PLAIN ? by : p->fate.by;
	}
	way.fate.by = by;
	if (by)
		judge_way(&way);
}

static void judge_probe(struct apache_probe *p, bool broken_rule)
{
	bool elsewhere = false;

	if (apache_tired(p->a))
		return;
	*p->a->patience -= (long)(p->server->n_items + p->a->server[0].n_items);

	apache_follow(p->a, p->server, p->path, &p->fate);
	p->sure &= p->fate.sure == LINT_YES;
	if (p->fate.end == APACHE_TUNNEL || p->fate.end == APACHE_PLAIN)
		judge_misplaced(p);
	if (p->fate.end != APACHE_TUNNEL)
		elsewhere = p->server->tls && judge_sibling(p);
	if (!elsewhere) {
		if (p->fate.end == APACHE_PLAIN)
			judge_plain(p, broken_rule);
		else if (p->fate.end == APACHE_REDIRECT)
			judge_redirect(p);
		else if (p->fate.end == APACHE_EXCLUDED ||
			 p->fate.end == APACHE_NOWHERE)
			judge_nowhere(p);
	}
	apache_judge_forbidden(p);
	apache_judge_requires(p);
	apache_judge_old_access(p, p->server);
	apache_judge_limits(p);
	if (!elsewhere || p->fate.end == APACHE_PLAIN)
		judge_intended(p, broken_rule);
}

static void tell_route(const struct apache_probe *p)
{
	struct lint_report *report = p->run->report;
	const struct apache_item *by = p->fate.by;
	const struct lint_node *n = by ? by->node : p->server->vhost;
	char where[128];

	if (!n)
		return;
	if (by && by->section)
		snprintf(where, sizeof(where), "<%s %s>", by->section->name,
			 lint_arg(by->section, 0));
	else if (by)
		snprintf(where, sizeof(where), "%s %s", n->name, lint_arg(n, 0));
	else
		snprintf(where, sizeof(where), "<VirtualHost %s>",
			 lint_arg(n, 0));
	snprintf(report->route, sizeof(report->route), "%s:%u %s", n->file,
		 n->line, where);
}

/* A path that the pattern takes, as a client would ask for it; NULL: the
 * beginning of the pattern does not tell. */
static const char *path_for(const struct apache *a, const char *pattern)
{
	char bare[512] = "/";
	size_t used = 1;

	for (const char *s = pattern + (*pattern == '^');
	     *s && used + 1 < sizeof(bare); s++) {
		bool escaped = *s == '\\' && s[1];

		s += escaped;
		if (!escaped && strchr("([.*+?$|{", *s))
			break;
		/* a slash is there in any case, the first one is already */
		if (s[1] != '*' && (s[1] != '?' || *s == '/') &&
		    (used > 1 || *s != '/'))
			bare[used++] = *s;
		s += s[1] == '?' || s[1] == '*';
	}
	bare[used] = '\0';
	return lint_regex(pattern, false, bare) == LINT_NO
		       ? NULL
		       : lint_keep(a->run, bytes_of_str(bare));
}

/* The path of a ProxyPass as a client would ask for it. */
static const char *path_of(const struct apache *a,
			   const struct apache_pass *pass)
{
	const char *path = pass->match ? path_for(a, pass->path) : pass->path;

	return path ? path : "/";
}

/* The same for rules; NULL: they take no path that could be told. */
static const char *path_of_rule(const struct apache *a,
				const struct apache_rewrite *r)
{
	for (size_t i = 0; i < r->n_conds; i++) {
		const struct lint_node *c = r->cond[i]->node;

		if (lint_same(lint_arg(c, 0), "%{REQUEST_URI}") &&
		    !strchr("!=<>-", lint_arg(c, 1)[0]))
			return path_for(a, lint_arg(c, 1));
	}
	return r->negated ? "/" : path_for(a, r->pattern);
}

static bool plain_target(const char *target)
{
	return lint_begins(target, "http://") ||
	       lint_begins(target, "https://") ||
	       lint_begins(target, "balancer://");
}

static void try_path(struct apache *a, const struct apache_server *s,
		     const char *path, bool sure, bool broken_rule)
{
	struct apache_probe p = {
		.a = a, .run = a->run, .server = s, .path = path, .sure = sure};

	if (path)
		judge_probe(&p, broken_rule);
}

/* All paths of the server that look as if they were meant for WebSockets. */
static void judge_server(struct apache *a, const struct apache_server *s)
{
	bool broken = apache_judge_rewrites(a, s);
	struct apache_rewrite r;
	size_t at = 0, i, n = 0;
	int round;

	while (!apache_tired(a) && apache_next_rewrite(s, &at, &r))
		if (apache_meant_for_ws(&r) && n++ < MAX_PROBES)
			try_path(a, s, path_of_rule(a, &r), true, broken);
	if (s->vhost && lint_told(a->run, LINT_PLAIN_VHOST_ONLY, s->vhost))
		return;
	for (round = 0; round < 2; round++)
		for (i = 0; i < s->n_items && n < MAX_PROBES; i++) {
			struct apache_pass pass;
			bool sign;

			if (!apache_read_pass(a, &s->item[i], &pass))
				continue;
			sign = apache_is_ws(pass.target) || pass.upgrade ||
			       lint_smells(pass.path);
			/* No sign at all: perhaps they were forgotten. */
			if (round == 0 ? !sign
				       : n > 0 || !plain_target(pass.target))
				continue;
			n += round == 0;
			try_path(a, s, path_of(a, &pass), sign, broken);
		}
}

/* The plain server's WebSocket paths, in its TLS sibling. */
static void judge_siblings(struct apache *a, const struct apache_server *s)
{
	size_t i, k;

	for (i = 0; i < s->n_items && !apache_tired(a); i++) {
		struct apache_pass pass;
		struct apache_rewrite r;
		const char *path = NULL;
		size_t at = i;

		if (apache_read_pass(a, &s->item[i], &pass) && pass.upgrade)
			path = path_of(a, &pass);
		else if (lint_same(s->item[i].node->name, "RewriteRule") &&
			 apache_next_rewrite(s, &at, &r) &&
			 apache_is_ws(r.target))
			path = path_of_rule(a, &r);
		for (k = 1; path && k < a->n_servers; k++) {
			struct apache_probe p = {.a = a,
						 .run = a->run,
						 .server = &a->server[k],
						 .path = path,
						 .sure = true};

			if (!a->server[k].tls || !siblings(a, s, p.server))
				continue;
			apache_follow(a, p.server, path, &p.fate);
			if (p.fate.end != APACHE_TUNNEL)
				judge_sibling(&p);
		}
	}
}

static void judge_request(struct apache *a)
{
	const struct lint_request *q = a->run->request;
	struct apache_probe p = {.a = a, .run = a->run, .sure = true};

	p.server = apache_choose(a, q, &p.sure);
	p.path = q->path && *q->path ? q->path : "/";
	judge_probe(&p, apache_judge_rewrites(a, p.server));
	tell_route(&p);
}

int apache_judge(struct apache *a)
{
	size_t i;

	judge_skipped(a, a->run->root->first, NULL);
	if (a->run->request) {
		judge_request(a);
		return 0;
	}
	for (i = 1; i < a->n_servers; i++)
		if (!a->server[i].tls)
			judge_siblings(a, &a->server[i]);
	for (i = 0; i < a->n_servers; i++)
		judge_server(a, &a->server[i]);
	return 0;
}
