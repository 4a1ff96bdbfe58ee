/* SPDX-License-Identifier: MIT */
/*
 * Names in HAProxy's sections: acls and backends that nothing declares, acls
 * that nothing asks for or no client meets, and words that 2.x dropped.
 */
#include "lint/haproxy.h"

#include <stdio.h>

#include "base/text.h"

#define MAX_NAMES 256

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
		      haproxy_is_ws(names->h, names->section, names->at) ||
			      (meant && lint_smells(meant)) || lint_smells(name),
		      haproxy_title(names->section, where, sizeof(where)),
		      "there is no %s %s%s%s, so HAProxy does not start with "
		      "this",
		      what, name, meant ? "; perhaps " : "", meant ? meant : "");
	if (meant)
		haproxy_swap(run, f, names->at, name, meant);
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

	haproxy_join(acl, text, sizeof(text));
	if (!haproxy_about_upgrade(text) && !lint_smells(text))
		return;
	for (n = section->first; n && !haproxy_tired(h); n = n->next)
		haproxy_each_name(n, mark_used, &names);
	if (names.used || haproxy_is(section, "defaults") || haproxy_tired(h))
		return;
	lint_fix(lint_note(h->run, LINT_UNUSED, acl, true,
			   haproxy_title(section, where, sizeof(where)),
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
		      haproxy_title(section, where, sizeof(where)),
		      "clients write %s, and without -i this acl does not "
		      "match them",
		      lint_holds(criterion, "(upgrade")
			      ? "Upgrade: websocket"
			      : "Connection: Upgrade");
	snprintf(to, sizeof(to), "%s -i", criterion);
	haproxy_swap(h->run, f, acl, criterion, to);
}

void haproxy_check_names(const struct haproxy *h,
			 const struct lint_node *section)
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

void haproxy_judge_outdated(struct lint_run *run,
			    const struct lint_node *section)
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

		if (!option && !haproxy_one_of(n->name, gone))
			continue;
		f = lint_note(
			run, LINT_OUTDATED, n, option || upgrade,
			haproxy_title(section, where, sizeof(where)),
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
