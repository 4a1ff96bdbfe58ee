/* SPDX-License-Identifier: MIT */
/*
 * Does Apache pass the WebSocket on? Where it does not: a ProxyPass that speaks
 * plain HTTP, another one that takes the path first, upgrade= at the wrong
 * place, a redirect, or nothing that takes the path at all.
 */
#include "lint/apache.h"

#include <stdio.h>

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

const struct apache_item *apache_unheard_anywhere(const struct apache_probe *p)
{
	const struct apache_server *main = &p->a->server[0];
	const struct apache_item *late = unheard(p, p->server);

	return late || p->server == main ? late : unheard(p, main);
}

void apache_judge_plain(const struct apache_probe *p, bool broken_rule)
{
	const struct apache_item *late = apache_unheard_anywhere(p);
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
void apache_judge_misplaced(const struct apache_probe *p)
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

void apache_judge_redirect(const struct apache_probe *p)
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

void apache_judge_nowhere(const struct apache_probe *p)
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
