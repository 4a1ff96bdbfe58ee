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

/* A path that WebSockets take. */
struct probe {
	struct apache *a;
	struct lint_run *run;
	const struct apache_server *server;
	const char *path;
	bool sure;
	struct apache_fate fate;
};

static bool told(const struct lint_run *run, enum lint_rule rule,
		 const struct lint_node *node)
{
	const struct lint_report *report = run->report;
	size_t i;

	for (i = 0; i < report->n_findings; i++)
		if (report->finding[i].rule == rule &&
		    report->finding[i].line == node->line &&
		    strcmp(report->finding[i].file, node->file) == 0)
			return true;
	return false;
}

static const char *name_place(const struct apache_item *item,
			      const struct apache_server *server, char *out,
			      size_t size)
{
	const struct lint_node *n = item ? item->section : NULL;

	if (!n && server)
		n = server->vhost;
	if (!n)
		snprintf(out, size, "%s", "");
	else
		snprintf(out, size, "<%s %s>", n->name, lint_arg(n, 0));
	return out;
}

/* The line of @node with something behind it, as an edit. */
static void append_to(struct lint_run *run, struct lint_finding *f,
		      const struct lint_node *node, const char *more)
{
	struct bytes line = lint_line(run, node->file, node->line);

	while (line.len && strchr(" \t\r", line.data[line.len - 1]))
		line.len--;
	lint_fix(f, "%.*s%s", (int)bytes_trim(line).len,
		 (const char *)bytes_trim(line).data, more);
	if (node->last_line == node->line)
		lint_replace(run, f, node->file, node->line, "%.*s%s",
			     (int)line.len, (const char *)line.data, more);
}

static void put_above(struct lint_run *run, struct lint_finding *f,
		      const struct lint_node *node, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	lint_insert(run, f, node->file, node->line - 1, "%s%s",
		    lint_indent(run, node->file, node->line, indent,
				sizeof(indent)),
		    line);
}

static void put_instead(struct lint_run *run, struct lint_finding *f,
			const struct lint_node *node, const char *line)
{
	char indent[64];

	lint_fix(f, "%s", line);
	if (node->last_line == node->line)
		lint_replace(run, f, node->file, node->line, "%s%s",
			     lint_indent(run, node->file, node->line, indent,
					 sizeof(indent)),
			     line);
}

static void take_out(struct lint_run *run, struct lint_finding *f,
		     const struct lint_node *node)
{
	unsigned line;

	if (node->last_line - node->line < LINT_MAX_EDITS)
		for (line = node->line; line <= node->last_line; line++)
			lint_delete(run, f, node->file, line);
}

/* ---- settings that sections inherit ---- */

static void last_of(const struct apache_server *s, const char *name,
		    const char *path, bool inside,
		    const struct apache_item **ret)
{
	size_t i;

	for (i = 0; i < s->n_items; i++) {
		const struct apache_item *it = &s->item[i];

		if (lint_same(it->node->name, name) &&
		    (it->section != NULL) == inside && !it->perhaps &&
		    apache_covers(it->section, path) == LINT_YES)
			*ret = it;
	}
}

/* The directive that holds for the probe, or NULL. */
static const struct apache_item *setting(const struct probe *p, const char *name)
{
	const struct apache_item *found = NULL;

	last_of(&p->a->server[0], name, p->path, false, &found);
	last_of(p->server, name, p->path, false, &found);
	last_of(&p->a->server[0], name, p->path, true, &found);
	last_of(p->server, name, p->path, true, &found);
	return found;
}

/* ---- rewrite rules for WebSocket ---- */

static bool meant_for_ws(const struct apache_rewrite *r)
{
	return apache_is_ws(r->target) || (r->on_upgrade && r->proxy);
}

static void judge_misspelt(struct lint_run *run, const struct lint_node *cond)
{
	static const char *const wrong[][2] = {
		{"%{HTTP_UPGRADE}", "%{HTTP:Upgrade}"},
		{"%{HTTP_CONNECTION}", "%{HTTP:Connection}"},
	};
	struct lint_finding *f;
	char line[1024];
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!lint_same(lint_arg(cond, 0), wrong[i][0]))
			continue;
		f = lint_note(run, LINT_MISSPELT_VARIABLE, cond, true,
			      "RewriteRule",
			      "mod_rewrite has no variable %s, so it is always "
			      "empty; the field of the request is %s",
			      wrong[i][0], wrong[i][1]);
		lint_fix(f, "RewriteCond %s %s [NC]", wrong[i][1],
			 lint_arg(cond, 1));
		if (lint_swap(run, cond, lint_arg(cond, 0), wrong[i][1], line,
			      sizeof(line)))
			lint_replace(run, f, cond->file, cond->line, "%s", line);
	}
}

static void judge_cond(const struct apache *a, const struct apache_server *s,
		       const struct lint_node *cond)
{
	struct lint_run *run = a->run;
	const char *test = lint_arg(cond, 0), *flags = lint_arg(cond, 2);
	bool connection = lint_same(test, "%{HTTP:Connection}");
	const char *pattern = lint_arg(cond, 1);
	struct lint_finding *f;

	judge_misspelt(run, cond);
	if ((!connection && !lint_same(test, "%{HTTP:Upgrade}")) ||
	    *pattern == '!' || told(run, LINT_NEVER_TRUE, cond))
		return;
	if (apache_cond(a, s, cond, NULL) == LINT_NO) {
		bool loose = lint_regex(pattern + (*pattern == '='), true,
					connection ? "Upgrade" : "websocket") ==
			     LINT_YES;

		f = lint_note(run, LINT_NEVER_TRUE, cond, true, "RewriteRule",
			      "clients send %s, which \"%s\" does not match%s",
			      connection ? "Connection: Upgrade"
					 : "Upgrade: websocket",
			      pattern, loose ? " without [NC]" : "");
		if (loose && !*flags)
			append_to(run, f, cond, " [NC]");
		else
			put_instead(run, f, cond,
				    connection
					    ? "RewriteCond %{HTTP:Connection} "
					      "upgrade [NC]"
					    : "RewriteCond %{HTTP:Upgrade} "
					      "websocket [NC]");
	} else if (connection && lint_regex(pattern, true,
					    "keep-alive, Upgrade") == LINT_NO) {
		f = lint_note(
			run, LINT_NEVER_TRUE, cond, true, "RewriteRule",
			"Firefox sends \"Connection: keep-alive, Upgrade\", "
			"which \"%s\" does not match",
			pattern);
		put_instead(run, f, cond,
			    "RewriteCond %{HTTP:Connection} upgrade [NC]");
	}
}

/* "[L]" becomes "[P,L]". */
static void judge_flags(const struct apache *a, const struct apache_rewrite *r)
{
	const struct lint_node *n = r->rule->node;
	struct lint_run *run = a->run;
	struct lint_finding *f;
	char to[128], line[1024];

	if (r->proxy || r->forbidden || !apache_is_ws(r->target) ||
	    told(run, LINT_UPGRADE_NOT_FORWARDED, n))
		return;
	f = lint_note(run, LINT_UPGRADE_NOT_FORWARDED, n, true, "RewriteRule",
		      "without the flag [P] this is a redirect to %s, which "
		      "WebSocket clients do not follow",
		      r->target);
	if (!*r->flags) {
		append_to(run, f, n, " [P,L]");
		return;
	}
	lint_fix(f, "RewriteRule %s %s [P,L]", r->pattern, r->target);
	snprintf(to, sizeof(to), "[P,%s", r->flags + 1);
	if (apache_flag(r->flags, "R") || apache_flag(r->flags, "redirect"))
		snprintf(to, sizeof(to), "[P,L]");
	if (lint_swap(run, n, r->flags, to, line, sizeof(line)) &&
	    n->last_line == n->line)
		lint_replace(run, f, n->file, n->line, "%s", line);
}

static void judge_engine(const struct apache *a, const struct apache_server *s,
			 const struct apache_rewrite *r)
{
	const struct lint_node *first =
		r->n_conds ? r->cond[0]->node : r->rule->node;
	const struct apache_item *off = NULL;
	struct lint_finding *f;
	size_t i;

	if (apache_engine_on(s, r->rule->section) ||
	    told(a->run, LINT_ENGINE_OFF, first))
		return;
	for (i = 0; i < s->n_items && !apache_tired(a); i++)
		if (lint_same(s->item[i].node->name, "RewriteEngine") &&
		    s->item[i].section == r->rule->section)
			off = &s->item[i];
	f = lint_note(
		a->run, LINT_ENGINE_OFF, off ? off->node : first, true,
		"RewriteRule",
		"RewriteEngine is not on here, so the rule for WebSockets "
		"in line %u does nothing (it is not inherited)",
		r->rule->node->line);
	if (off)
		put_instead(a->run, f, off->node, "RewriteEngine On");
	else
		put_above(a->run, f, first, "RewriteEngine On");
}

/* [P] to http:// passes no Upgrade on, unless a worker with upgrade= takes it. */
static void judge_scheme_of_target(const struct apache *a,
				   const struct apache_server *s,
				   const struct apache_rewrite *r)
{
	const struct lint_node *n = r->rule->node;
	struct apache_fate fate;
	struct lint_finding *f;
	char line[1024];
	bool tls = lint_begins(r->target, "https://");

	if (!r->proxy || !lint_begins(r->target, "http") ||
	    told(a->run, LINT_UPGRADE_NOT_FORWARDED, n))
		return;
	apache_follow(a, s, "/", &fate);
	if (fate.by && fate.by->node == n && fate.end == APACHE_TUNNEL)
		return;
	f = lint_note(
		a->run, LINT_UPGRADE_NOT_FORWARDED, n, true, "RewriteRule",
		"[P] to %s passes Upgrade on to nobody; the scheme has to "
		"be %s",
		r->target, tls ? "wss://" : "ws://");
	lint_fix(f, "RewriteRule %s %s%s %s", r->pattern, tls ? "wss" : "ws",
		 r->target + 4 + tls, r->flags);
	if (n->last_line == n->line &&
	    lint_swap(a->run, n, tls ? "https://" : "http://",
		      tls ? "wss://" : "ws://", line, sizeof(line)))
		lint_replace(a->run, f, n->file, n->line, "%s", line);
}

/* Whether [OR] makes the condition one of several that suffice. */
static bool one_of_many(const struct apache_rewrite *r, size_t i)
{
	return apache_flag(lint_arg(r->cond[i]->node, 2), "OR") ||
	       (i && apache_flag(lint_arg(r->cond[i - 1]->node, 2), "OR"));
}

/* True: the server has a rule for WebSockets, and it does not work. */
static bool judge_rewrites(const struct apache *a, const struct apache_server *s)
{
	size_t before = a->run->report->n_findings, at = 0, i;
	struct apache_rewrite r;

	while (!apache_tired(a) && apache_next_rewrite(s, &at, &r)) {
		if (!meant_for_ws(&r) && !r.on_upgrade)
			continue;
		for (i = 0; i < r.n_conds; i++)
			if (!one_of_many(&r, i))
				judge_cond(a, s, r.cond[i]->node);
		if (!meant_for_ws(&r))
			continue;
		judge_flags(a, &r);
		judge_scheme_of_target(a, s, &r);
		judge_engine(a, s, &r);
	}
	return a->run->report->n_findings > before;
}

/* ---- the way ---- */

/* A ProxyPass that would carry the probe's WebSocket, had it been asked. */
static const struct apache_item *unheard(const struct probe *p,
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
	take_out(run, f, late);
	lint_insert(run, f, early->file, early->line - 1, "%s", text);
}

static void add_upgrade(const struct probe *p, struct lint_finding *f,
			const struct lint_node *n)
{
	struct apache_pass pass;
	struct apache_item item = *p->fate.by;
	size_t i;

	if (!apache_read_pass(p->a, &item, &pass) ||
	    !lint_begins(pass.target, "balancer://")) {
		append_to(p->run, f, n, " upgrade=websocket");
		return;
	}
	for (i = 0; i < p->a->server[0].n_items + p->server->n_items; i++) {
		size_t mine = p->a->server[0].n_items;
		const struct apache_item *it =
			i < mine ? &p->a->server[0].item[i]
				 : &p->server->item[i - mine];
		const char *of = it->section ? lint_arg(it->section, 0) : "";

		if (lint_same(it->node->name, "BalancerMember") && *of &&
		    strncmp(of, pass.target, strlen(of)) == 0 &&
		    (p->server != &p->a->server[0] || i < mine))
			append_to(p->run, f, it->node, " upgrade=websocket");
	}
}

static void judge_order(const struct probe *p, const struct apache_item *late)
{
	const struct lint_node *early = p->fate.by->node;
	struct apache_pass first, second;
	struct lint_finding *f;
	bool sections = late->section && p->fate.by->section;
	char where[128];

	if (told(p->run, LINT_ORDER, late->node))
		return;
	f = lint_note(p->run, LINT_ORDER, late->node, true,
		      name_place(late, p->server, where, sizeof(where)),
		      "%s of line %u takes this path first, so the WebSocket "
		      "never gets here",
		      early->name, early->line);
	if (!apache_read_pass(p->a, p->fate.by, &first) ||
	    !apache_read_pass(p->a, late, &second))
		return;
	if (sections && strcmp(first.path, second.path) != 0) {
		/* Of sections the last one wins: this one has to come after. */
		move_up(p->run, f, p->fate.by->section, late->section);
	} else if (strcmp(first.path, second.path) == 0 && !late->section) {
		add_upgrade(p, f, early);
		take_out(p->run, f, late->node);
	} else {
		move_up(p->run, f, late->node, early);
	}
}

static void judge_plain(const struct probe *p, bool broken_rule)
{
	const struct apache_item *late = unheard(p, p->server);
	const struct lint_node *n = p->fate.by->node;
	struct lint_finding *f;
	char where[128];

	if (!late && p->server != &p->a->server[0])
		late = unheard(p, &p->a->server[0]);
	if (late) {
		judge_order(p, late);
		return;
	}
	if (broken_rule || told(p->run, LINT_UPGRADE_NOT_FORWARDED, n))
		return;
	f = lint_note(
		p->run, LINT_UPGRADE_NOT_FORWARDED, n, p->sure,
		name_place(p->fate.by, p->server, where, sizeof(where)),
		"%s speaks plain HTTP to what is behind and drops Upgrade; "
		"it takes upgrade=websocket (since 2.4.47), or ws:// "
		"instead of http://",
		n->name);
	if (lint_same(n->name, "ProxyPass") ||
	    lint_same(n->name, "ProxyPassMatch"))
		add_upgrade(p, f, n);
	else
		lint_fix(f, "RewriteEngine On\n"
			    "RewriteCond %%{HTTP:Upgrade} websocket [NC]\n"
			    "RewriteRule ^/?(.*) ws://127.0.0.1:8080/$1 [P,L]");
}

static void judge_redirect(const struct probe *p)
{
	const struct lint_node *n = p->fate.by->node;
	char where[128];

	if (told(p->run, LINT_UPGRADE_NOT_FORWARDED, n) ||
	    told(p->run, LINT_REDIRECT_RULE, n))
		return;
	lint_fix(lint_note(p->run, LINT_REDIRECT_RULE, n, p->sure,
			   name_place(p->fate.by, p->server, where,
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
static bool judge_sibling(const struct probe *p)
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
		if (told(p->run, LINT_PLAIN_VHOST_ONLY, p->server->vhost))
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

static void judge_nowhere(const struct probe *p)
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
		      p->fate.by ? p->fate.by->node : p->server->vhost, true,
		      name_place(p->fate.by, p->server, where, sizeof(where)),
		      "nothing here passes %s on: it is looked for as a file",
		      p->path);
	lint_fix(f, "ProxyPass %s ws://127.0.0.1:8080%s", p->path, p->path);
}

/* ---- what it meets on the way ---- */

static bool applies(const struct probe *p, const struct apache_item *it)
{
	return apache_covers(it->section, p->path) == LINT_YES;
}

static void judge_header(const struct probe *p, const struct apache_item *it)
{
	const struct lint_node *n = it->node;
	const char *verb = lint_arg(n, 0), *field = lint_arg(n, 1);
	bool gone = lint_same(verb, "unset");
	bool changed = gone || lint_same(verb, "set");
	bool always = n->n_args <= (gone ? 2u : 3u) && !it->perhaps;
	enum lint_rule rule = LINT_UPGRADE_REMOVED;
	struct lint_finding *f;
	char where[128];

	/* Connection is written anew for what is behind, whatever stands here. */
	if (!changed || lint_same(field, "Connection"))
		return;
	if (lint_same(field, "Origin") && gone)
		rule = LINT_ORIGIN_RULE;
	else if (lint_same(field, "Host"))
		rule = LINT_HOST_REPLACED;
	else if (!lint_same(field, "Upgrade") &&
		 !(gone && lint_begins(field, "Sec-WebSocket-")))
		return;
	if ((lint_same(field, "Upgrade") && !gone &&
	     lint_same(lint_arg(n, 2), "websocket")) ||
	    told(p->run, rule, n))
		return;
	f = lint_note(p->run, rule, n, p->sure && always,
		      name_place(it, p->server, where, sizeof(where)),
		      "%s %s takes %s away from what is behind", n->name, verb,
		      field);
	take_out(p->run, f, n);
}

static void judge_headers(const struct probe *p, const struct apache_server *s)
{
	size_t i;

	for (i = 0; i < s->n_items && !apache_tired(p->a); i++) {
		const struct apache_item *it = &s->item[i];
		const struct lint_node *n = it->node;

		if (!applies(p, it))
			continue;
		if (lint_same(n->name, "RequestHeader"))
			judge_header(p, it);
		if (lint_begins(n->name, "SetEnv") &&
		    lint_same(lint_arg(n, 0), "force-proxy-request-1.0") &&
		    !told(p->run, LINT_HTTP_VERSION, n))
			take_out(p->run,
				 lint_note(
					 p->run, LINT_HTTP_VERSION, n, p->sure,
					 "",
					 "what is behind is asked in HTTP/1.0, "
					 "where there is no Upgrade"),
				 n);
	}
}

static void judge_host(const struct probe *p)
{
	const struct apache_item *set = setting(p, "ProxyPreserveHost");
	const struct lint_node *by = p->fate.by->node;
	struct lint_finding *f;
	char where[128];

	if (set && lint_same(lint_arg(set->node, 0), "on"))
		return;
	if (told(p->run, LINT_HOST_REPLACED, set ? set->node : by))
		return;
	f = lint_note(
		p->run, LINT_HOST_REPLACED, set ? set->node : by, p->sure,
		name_place(p->fate.by, p->server, where, sizeof(where)),
		"what is behind gets its own address as Host, so a server "
		"that compares Origin with Host refuses browsers");
	if (set)
		put_instead(p->run, f, set->node, "ProxyPreserveHost On");
	else
		put_above(p->run, f, by, "ProxyPreserveHost On");
}

static void judge_scheme(const struct probe *p)
{
	const struct lint_node *by = p->fate.by->node;
	const char *line = "RequestHeader set X-Forwarded-Proto \"https\"";
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};
	struct lint_finding *f;
	size_t i, k;
	char where[128];

	if (!p->server->tls)
		return;
	for (k = 0; k < 2; k++)
		for (i = 0; i < sets[k]->n_items && !apache_tired(p->a); i++) {
			const struct lint_node *n = sets[k]->item[i].node;

			if (!lint_same(n->name, "RequestHeader") ||
			    !lint_same(lint_arg(n, 1), "X-Forwarded-Proto") ||
			    lint_same(lint_arg(n, 0), "unset"))
				continue;
			if (!lint_same(lint_arg(n, 2), "http") ||
			    told(p->run, LINT_SCHEME_LOST, n))
				return;
			f = lint_note(
				p->run, LINT_SCHEME_LOST, n, p->sure,
				name_place(&sets[k]->item[i], p->server, where,
					   sizeof(where)),
				"this server speaks TLS, and tells what is "
				"behind that it does not");
			put_instead(p->run, f, n, line);
			return;
		}
	if (told(p->run, LINT_SCHEME_LOST, by))
		return;
	f = lint_note(
		p->run, LINT_SCHEME_LOST, by, p->sure,
		name_place(p->fate.by, p->server, where, sizeof(where)),
		"what is behind is not told that the client came over TLS, "
		"so it takes the page's https:// for a foreign origin");
	if (apache_module(p->a, "headers_module") == LINT_NO)
		lint_fix(f,
			 "LoadModule headers_module modules/mod_headers.so\n"
			 "%s",
			 line);
	else
		put_above(p->run, f, by, line);
}

/* An idle tunnel lives for the longer of Timeout and the proxy's own. */
static void judge_timeout(const struct probe *p)
{
	const struct apache_item *general = setting(p, "Timeout");
	const struct apache_item *proxy = setting(p, "ProxyTimeout");
	const struct lint_node *by = p->fate.by->node, *at;
	int64_t ms = general ? lint_duration_ms(lint_arg(general->node, 0), 1000)
			     : 60000;
	int64_t own =
		proxy ? lint_duration_ms(lint_arg(proxy->node, 0), 1000) : -1;
	bool param = false;
	struct lint_finding *f;
	char span[32], line[1024];
	size_t i;

	at = proxy ? proxy->node : general ? general->node : NULL;
	for (i = 1; i < by->n_args; i++)
		if (lint_begins(by->arg[i], "timeout=")) {
			own = lint_duration_ms(by->arg[i] + 8, 1000);
			at = by;
			param = true;
		}
	if (own > ms)
		ms = own;
	if (!at || ms < 0 || ms > SHORT_MS ||
	    told(p->run, LINT_SHORT_TIMEOUT, at))
		return;
	/* In a part of a configuration Timeout may be set elsewhere. */
	f = lint_note(p->run, LINT_SHORT_TIMEOUT, at,
		      p->sure && (general || p->a->n_modules),
		      param ? "timeout=" : at->name,
		      "a WebSocket in which nobody speaks for %s is cut",
		      lint_duration_text(ms, span, sizeof(span)));
	if (param) {
		for (i = 1; i < by->n_args; i++)
			if (lint_begins(by->arg[i], "timeout=") &&
			    lint_swap(p->run, by, by->arg[i], "timeout=3600",
				      line, sizeof(line))) {
				lint_fix(f, "timeout=3600");
				lint_replace(p->run, f, by->file, by->line,
					     "%s", line);
			}
	} else if (proxy) {
		put_instead(p->run, f, proxy->node, "ProxyTimeout 3600");
	} else {
		/* Timeout is also what keeps slow clients off; leave it. */
		lint_fix(f, "ProxyTimeout 3600");
		if (!by->parent || lint_begins(by->name, "ProxyPass")) {
			const struct lint_node *above =
				p->fate.by->section ? p->fate.by->section : by;

			put_above(p->run, f, above, "ProxyTimeout 3600");
		}
	}
}

/* ---- who may come in ---- */

static enum lint_rule rule_about(const char *text)
{
	if (lint_holds(text, "Origin"))
		return LINT_ORIGIN_RULE;
	if (lint_holds(text, "USER_AGENT") || lint_holds(text, "User-Agent"))
		return LINT_AGENT_RULE;
	if (lint_holds(text, "REMOTE_ADDR") ||
	    lint_holds(text, "REMOTE_HOST") || lint_holds(text, "CONN_REMOTE"))
		return LINT_ADDRESS_RULE;
	if (lint_holds(text, "HTTP_HOST") || lint_holds(text, "HTTP:Host"))
		return LINT_HOST_RULE;
	if (lint_holds(text, "SSL_CLIENT"))
		return LINT_CERTIFICATE_RULE;
	return LINT_REFUSED;
}

/* What the request says where the rule looks. */
static const char *asked(const struct lint_request *q, enum lint_rule rule)
{
	const char *value = NULL;

	if (q)
		value = rule == LINT_ORIGIN_RULE  ? q->origin
			: rule == LINT_AGENT_RULE ? q->user_agent
						  : NULL;
	return value;
}

static void refuse(const struct probe *p, enum lint_rule rule,
		   const struct apache_item *it, enum lint_truth passes,
		   const char *how)
{
	const char *value = asked(p->run->request, rule);
	char where[128];

	if (passes == LINT_YES || told(p->run, rule, it->node))
		return;
	lint_fix(lint_note(p->run, rule, it->node,
			   p->sure && (passes == LINT_NO || !p->run->request),
			   name_place(it, p->server, where, sizeof(where)),
			   "%s refuses %s%s%s", it->node->name,
			   passes == LINT_NO && p->run->request ? "this request"
								: "requests",
			   *how ? " " : "", how),
		 "%s%s",
		 rule == LINT_ADDRESS_RULE ? "Require ip 203.0.113.9"
		 : rule == LINT_ORIGIN_RULE && value
			 ? "Require expr %{HTTP:Origin} == "
			 : "",
		 rule == LINT_ORIGIN_RULE && value ? value : "");
}

/* Above the rule: a condition that lets this request's value through. */
static void except(const struct probe *p, const struct apache_rewrite *r,
		   enum lint_rule rule, struct lint_finding *f)
{
	const char *value = asked(p->run->request, rule);
	char line[512];

	if (!value || strpbrk(value, "\"\\%$\n"))
		return;
	snprintf(line, sizeof(line), "RewriteCond %s \"!=%s\"",
		 rule == LINT_ORIGIN_RULE ? "%{HTTP:Origin}"
					  : "%{HTTP_USER_AGENT}",
		 value);
	put_above(p->run, f, r->rule->node, line);
}

static void judge_forbidden(const struct probe *p)
{
	struct apache_rewrite r;
	size_t at = 0, i;

	while (!apache_tired(p->a) && apache_next_rewrite(p->server, &at, &r)) {
		enum lint_rule rule = LINT_REFUSED;
		enum lint_truth takes;
		struct lint_finding *f;
		char where[128];

		if (!r.forbidden ||
		    !apache_engine_on(p->server, r.rule->section) ||
		    apache_covers(r.rule->section, p->path) == LINT_NO)
			continue;
		takes = apache_rewrite_takes(p->a, p->server, &r, p->path);
		for (i = 0; i < r.n_conds && rule == LINT_REFUSED; i++)
			rule = rule_about(lint_arg(r.cond[i]->node, 0));
		if (takes == LINT_NO || told(p->run, rule, r.rule->node))
			continue;
		f = lint_note(
			p->run, rule, r.rule->node,
			p->sure && (takes == LINT_YES || !p->run->request),
			name_place(r.rule, p->server, where, sizeof(where)),
			"RewriteRule [F] answers 403 to %s",
			takes == LINT_YES && p->run->request
				? "this request"
				: "requests that its conditions match");
		except(p, &r, rule, f);
	}
}

/* Whether the environment variable is set for the request; *ret_rule: by what. */
static enum lint_truth env_set(const struct probe *p, const char *name,
			       enum lint_rule *ret_rule)
{
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};
	enum lint_truth any = LINT_NO;
	size_t i, k, j;

	for (k = p->server == sets[0]; k < 2; k++)
		for (i = 0; i < sets[k]->n_items && !apache_tired(p->a); i++) {
			const struct lint_node *n = sets[k]->item[i].node;
			bool browser = lint_begins(n->name, "BrowserMatch");
			bool set = lint_begins(n->name, "SetEnvIf");
			const char *field =
				browser ? "User-Agent" : lint_arg(n, 0);
			const char *value = NULL;
			enum lint_truth hit = LINT_PERHAPS;

			if (!browser && !set)
				continue;
			for (j = 2 - browser; j < n->n_args; j++)
				if (strncmp(n->arg[j], name, strlen(name)) == 0 &&
				    strchr("=", n->arg[j][strlen(name)]))
					break;
			if (j >= n->n_args)
				continue;
			if (lint_same(field, "Remote_Addr"))
				field = "REMOTE_ADDR";
			*ret_rule = rule_about(field);
			if (lint_request_field(p->run->request, field, &value))
				hit = lint_regex(lint_arg(n, 1 - browser),
						 lint_holds(n->name, "NoCase"),
						 value ? value : "");
			any = lint_or(any, hit);
		}
	return any;
}

/* A simple expression about one field: does it let the request through? */
static enum lint_truth expr_passes(const struct probe *p, const char *expr,
				   enum lint_rule rule)
{
	const char *value = asked(p->run->request, rule);
	char quoted[512];
	bool named;

	if (!p->run->request ||
	    (rule != LINT_ORIGIN_RULE && rule != LINT_AGENT_RULE) ||
	    strstr(expr, "=~") || strstr(expr, "!~") || strchr(expr, '|') ||
	    strchr(expr, '&') || strstr(expr, "-n") || strstr(expr, "-z"))
		return LINT_PERHAPS;
	snprintf(quoted, sizeof(quoted), "%s", value ? value : "''");
	named = strstr(expr, quoted) != NULL;
	if (strstr(expr, "!=") || *expr == '!')
		return lint_truth(!named);
	return lint_truth(named);
}

static void join_args(const struct lint_node *n, size_t from, char *out,
		      size_t size)
{
	size_t used = 0, i;

	*out = '\0';
	for (i = from; i < n->n_args && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 i > from ? " " : "", n->arg[i]);
}

static enum lint_truth require_passes(const struct probe *p,
				      const struct lint_node *n,
				      enum lint_rule *ret_rule)
{
	bool negated = lint_same(lint_arg(n, 0), "not");
	const char *kind = lint_arg(n, negated);
	enum lint_truth passes = LINT_PERHAPS;
	char expr[1024];
	size_t i;

	*ret_rule = LINT_REFUSED;
	if (lint_same(kind, "all"))
		passes = lint_truth(
			lint_same(lint_arg(n, 1 + negated), "granted"));
	else if (lint_same(kind, "ip") || lint_same(kind, "host") ||
		 lint_same(kind, "local") || lint_same(kind, "forward-dns"))
		*ret_rule = LINT_ADDRESS_RULE;
	else if (lint_same(kind, "valid-user") || lint_same(kind, "user") ||
		 lint_same(kind, "group") || lint_begins(kind, "ldap-") ||
		 lint_same(kind, "claim"))
		*ret_rule = LINT_AUTH_RULE;
	else if (lint_same(kind, "method"))
		for (passes = LINT_NO, i = 1 + negated; i < n->n_args; i++)
			passes = lint_or(passes, lint_truth(lint_same(n->arg[i],
								      "GET")));
	else if (lint_same(kind, "env"))
		passes = env_set(p, lint_arg(n, 1 + negated), ret_rule);
	else if (lint_same(kind, "expr")) {
		join_args(n, 1 + negated, expr, sizeof(expr));
		*ret_rule = rule_about(expr);
		passes = expr_passes(p, expr, *ret_rule);
	}
	return negated ? lint_not(passes) : passes;
}

static bool in_all(const struct lint_node *n)
{
	for (n = n->parent; n && n->name; n = n->parent)
		if (lint_same(n->name, "RequireAll") ||
		    lint_same(n->name, "RequireNone"))
			return true;
	return false;
}

/* Of all sections that cover the path the last one with Require counts. */
static const struct lint_node *guard_of(const struct probe *p, bool *ret_any)
{
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};
	const struct lint_node *guard = NULL;
	size_t i, k;

	for (k = p->server == sets[0]; k < 2; k++)
		for (i = 0; i < sets[k]->n_items && !apache_tired(p->a); i++) {
			const struct apache_item *it = &sets[k]->item[i];

			if (lint_same(it->node->name, "Require") &&
			    !it->perhaps && it->section && applies(p, it)) {
				guard = it->section;
				*ret_any = true;
			}
		}
	return guard;
}

static void judge_requires(const struct probe *p)
{
	const struct apache_server *sets[2] = {&p->a->server[0], p->server};
	bool any = false;
	const struct lint_node *guard = guard_of(p, &any);
	enum lint_rule rule;
	int round;
	size_t i, k;

	/* One that is met suffices, outside of <RequireAll>. */
	for (round = 0; any && round < 2; round++)
		for (k = p->server == sets[0]; k < 2; k++)
			for (i = 0; i < sets[k]->n_items && !apache_tired(p->a);
			     i++) {
				const struct apache_item *it = &sets[k]->item[i];
				enum lint_truth passes;
				char how[160];

				if (!lint_same(it->node->name, "Require") ||
				    it->section != guard || it->perhaps)
					continue;
				passes = require_passes(p, it->node, &rule);
				if (round == 0) {
					if (passes == LINT_YES &&
					    !in_all(it->node))
						return;
					continue;
				}
				join_args(it->node, 0, how, sizeof(how));
				refuse(p, rule, it, passes,
				       rule == LINT_AUTH_RULE
					       ? "without credentials, which "
						 "browsers do not ask for here"
					       : "");
			}
}

/* The directives of 2.2: Order, Allow from, Deny from. */
static void judge_old_access(const struct probe *p,
			     const struct apache_server *s)
{
	size_t i;

	for (i = 0; i < s->n_items && !apache_tired(p->a); i++) {
		const struct apache_item *it = &s->item[i];
		const char *whom = lint_arg(it->node, 1);
		enum lint_rule rule = LINT_ADDRESS_RULE;
		enum lint_truth hit = LINT_PERHAPS;

		if (!lint_same(it->node->name, "Deny") || !applies(p, it) ||
		    !it->section)
			continue;
		if (lint_begins(whom, "env="))
			hit = env_set(p, whom + 4, &rule);
		refuse(p, rule, it, lint_not(hit), "");
	}
}

static void judge_limits(const struct probe *p)
{
	const struct apache_item *size = setting(p, "LimitRequestFieldSize");
	const struct apache_item *verify = setting(p, "SSLVerifyClient");
	struct lint_finding *f;

	if (size && atol(lint_arg(size->node, 0)) < 8190 &&
	    !told(p->run, LINT_HEADER_LIMIT, size->node)) {
		f = lint_note(
			p->run, LINT_HEADER_LIMIT, size->node, p->sure, "",
			"a field of the request, cookies for one, may have "
			"%s bytes; 8190 is usual",
			lint_arg(size->node, 0));
		put_instead(p->run, f, size->node, "LimitRequestFieldSize 8190");
	}
	if (verify && p->server->tls &&
	    lint_same(lint_arg(verify->node, 0), "require") &&
	    !told(p->run, LINT_CERTIFICATE_RULE, verify->node))
		lint_note(p->run, LINT_CERTIFICATE_RULE, verify->node, p->sure,
			  "",
			  "a client without a certificate is refused in the "
			  "TLS handshake");
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
			    told(a->run, LINT_MODULE_MISSING, skipped))
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

static void judge_modules(const struct probe *p)
{
	const struct lint_node *n = p->fate.by->node;
	bool http = apache_module(p->a, "proxy_http_module") != LINT_NO;
	bool wstunnel = apache_module(p->a, "proxy_wstunnel_module") != LINT_NO;
	bool ws = false;
	size_t i;

	for (i = 0; i < n->n_args; i++)
		ws |= apache_is_ws(n->arg[i]);
	if (told(p->run, LINT_MODULE_MISSING, n))
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

static void judge_way(struct probe *p)
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

static void judge_probe(struct probe *p, bool broken_rule)
{
	bool elsewhere = false;

	if (apache_tired(p->a))
		return;
	*p->a->patience -= (long)(p->server->n_items + p->a->server[0].n_items);

	apache_follow(p->a, p->server, p->path, &p->fate);
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
	judge_forbidden(p);
	judge_requires(p);
	judge_old_access(p, p->server);
	judge_limits(p);
	if (p->fate.end == APACHE_TUNNEL || p->fate.end == APACHE_PLAIN)
		judge_way(p);
}

static void tell_route(const struct probe *p)
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

/* The path of a ProxyPass as a client would ask for it. */
static const char *path_of(const struct apache *a,
			   const struct apache_pass *pass)
{
	char bare[512];
	size_t used = 0, i;
	const char *s = pass->path;

	if (!pass->match)
		return pass->path;
	for (i = *s == '^'; s[i] && used + 2 < sizeof(bare); i++) {
		if (s[i] == '\\' && s[i + 1])
			i++;
		else if (strchr("([.*+?$|{", s[i]))
			break;
		bare[used++] = s[i];
	}
	if (used == 0)
		bare[used++] = '/';
	bare[used] = '\0';
	return lint_keep(a->run, bytes_of_str(bare));
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
	struct probe p = {
		.a = a, .run = a->run, .server = s, .path = path, .sure = sure};

	if (path)
		judge_probe(&p, broken_rule);
}

/* All paths of the server that look as if they were meant for WebSockets. */
static void judge_server(struct apache *a, const struct apache_server *s)
{
	bool broken = judge_rewrites(a, s);
	struct apache_rewrite r;
	size_t at = 0, i, n = 0;
	int round;

	while (!apache_tired(a) && apache_next_rewrite(s, &at, &r))
		if (meant_for_ws(&r) && n++ < MAX_PROBES)
			try_path(a, s, "/", true, broken);
	if (s->vhost && told(a->run, LINT_PLAIN_VHOST_ONLY, s->vhost))
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
			path = "/";
		for (k = 1; path && k < a->n_servers; k++) {
			struct probe p = {.a = a,
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
	struct probe p = {.a = a, .run = a->run, .sure = true};

	p.server = apache_choose(a, q);
	p.path = q->path && *q->path ? q->path : "/";
	judge_probe(&p, judge_rewrites(a, p.server));
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
