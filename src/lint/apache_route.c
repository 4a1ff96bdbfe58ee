/* SPDX-License-Identifier: MIT */
/*
 * Where Apache sends a WebSocket request. The order is that of the hooks, as
 * seen with 2.4.71: RewriteRule of the server; then ProxyPass of the last
 * <Location> that holds, else the first ProxyPass of the server that fits (a
 * virtual host's own come before the main server's); then RewriteRule and
 * Redirect within <Location>. A server's own Redirect comes only when no
 * ProxyPass took the request.
 */
#include "lint/apache.h"

#include <ctype.h>
#include <sesame/error.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- servers ---- */

static void add_item(struct apache *a, struct apache_server *s,
		     struct apache_item item)
{
	if (s->n_items == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		void *grown = reallocarray(s->item, room, sizeof(*s->item));

		if (!grown) {
			a->no_memory = true;
			return;
		}
		s->item = grown;
		s->room = room;
	}
	s->item[s->n_items++] = item;
}

static bool one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (lint_same(name, *names))
			return true;
	return false;
}

static const char *const sections[] = {
	"Location",   "LocationMatch", "Directory",  "DirectoryMatch", "Files",
	"FilesMatch", "Proxy",	       "ProxyMatch", "Macro",	       NULL};
static const char *const guards[] = {"If",    "ElseIf",	     "Else",
				     "Limit", "LimitExcept", NULL};

static void collect(struct apache *a, struct apache_server *s,
		    const struct lint_node *parent,
		    const struct lint_node *section, bool perhaps)
{
	const struct lint_node *n;

	for (n = parent->first; n; n = n->next) {
		bool place = n->block && one_of(n->name, sections);
		bool guard = n->block && one_of(n->name, guards);

		if (n->block && lint_same(n->name, "VirtualHost"))
			continue;
		add_item(a, s, (struct apache_item){n, section, perhaps});
		/* A require block is judged as a whole, by its own rule. */
		if (n->block)
			collect(a, s, n, place ? n : section, perhaps || guard);
	}
}

static void find_vhosts(struct apache *a, const struct lint_node *parent)
{
	const struct lint_node *n;

	for (n = parent->first; n; n = n->next) {
		struct apache_server *s;

		if (!n->block)
			continue;
		if (!lint_same(n->name, "VirtualHost")) {
			find_vhosts(a, n);
			continue;
		}
		if (a->n_servers == APACHE_MAX_SERVERS)
			return;
		s = &a->server[a->n_servers++];
		s->vhost = n;
		collect(a, s, n, NULL, false);
	}
}

int apache_collect(struct apache *a)
{
	size_t i, k;

	a->n_servers = 1;
	collect(a, &a->server[0], a->run->root, NULL, false);
	find_vhosts(a, a->run->root);
	for (i = 0; i < a->n_servers; i++)
		for (k = 0; k < a->server[i].n_items; k++) {
			const struct lint_node *n = a->server[i].item[k].node;

			if (lint_same(n->name, "SSLEngine"))
				a->server[i].tls =
					lint_same(lint_arg(n, 0), "on");
			else if (lint_same(n->name, "RewriteEngine") &&
				 !a->server[i].item[k].section)
				a->server[i].rewrites =
					lint_same(lint_arg(n, 0), "on");
		}
	return a->no_memory ? SESAME_ENOMEM : 0;
}

void apache_forget(struct apache *a)
{
	size_t i;

	for (i = 0; i < a->n_servers; i++)
		free(a->server[i].item);
}

/* The port of "*:443", "[::]:443", "_default_:443"; 0: any. */
static unsigned port_of(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (!colon || strchr(colon, ']') || !isdigit((unsigned char)colon[1]))
		return 0;
	return (unsigned)strtoul(colon + 1, NULL, 10);
}

static bool at_port(const struct apache_server *s, unsigned port)
{
	size_t i;

	for (i = 0; s->vhost && i < s->vhost->n_args; i++) {
		unsigned its = port_of(s->vhost->arg[i]);

		if (its == 0 || its == port)
			return true;
	}
	return false;
}

/* "example.com", "https://example.com:443": without what is around it. */
static bool name_fits(const char *name, const char *host)
{
	char bare[256];
	const char *start = strstr(name, "://") ? strstr(name, "://") + 3 : name;

	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(start, ":"), start);
	return lint_glob(bare, host, true, true);
}

static bool has_name(const struct apache_server *s, const char *host)
{
	size_t i, k;

	for (i = 0; i < s->n_items; i++) {
		const struct lint_node *n = s->item[i].node;

		if (lint_same(n->name, "ServerName") ||
		    lint_same(n->name, "ServerAlias"))
			for (k = 0; k < n->n_args; k++)
				if (name_fits(n->arg[k], host))
					return true;
	}
	return false;
}

static bool listens(const struct apache *a, unsigned port)
{
	const struct apache_server *s = &a->server[0];
	size_t i;

	for (i = 0; i < s->n_items; i++) {
		const struct lint_node *n = s->item[i].node;
		const char *where = lint_arg(n, 0);

		if (!lint_same(n->name, "Listen"))
			continue;
		if (port == (strchr(where, ':') || strchr(where, ']')
				     ? port_of(where)
				     : strtoul(where, NULL, 10)))
			return true;
	}
	return false;
}

/* The address of the request: what its host is, or something that no virtual
 * host has. */
static bool is_address(const char *host)
{
	return host && *host && !host[strspn(host, "0123456789.:abcdefABCDEF")];
}

/* Whether the virtual host is for this address; @host NULL: for any one. */
static bool at_address(const struct apache_server *s, const char *host)
{
	size_t i, len = host ? strlen(host) : 0;

	for (i = 0; s->vhost && i < s->vhost->n_args; i++) {
		const char *its = s->vhost->arg[i];

		if (host ? strncmp(its, host, len) == 0 &&
				    (!its[len] || its[len] == ':')
			 : *its != '*' && !lint_begins(its, "_default_"))
			return true;
	}
	return false;
}

const struct apache_server *apache_choose(const struct apache *a,
					  const struct lint_request *request,
					  bool *ret_sure)
{
	const struct apache_server *first = NULL;
	const char *address = is_address(request->host) ? request->host : NULL;
	bool by_port = listens(a, request->port), by_address = false;
	size_t i;

	*ret_sure = true;
	for (i = 1; i < a->n_servers; i++) {
		const struct apache_server *s = &a->server[i];

		if (address)
			by_address |= at_port(s, request->port) &&
				      at_address(s, address);
		else if (at_address(s, NULL))
			*ret_sure = false;
	}

	for (i = 1; i < a->n_servers; i++)
		by_port |= at_port(&a->server[i], request->port) &&
			   a->server[i].tls == request->tls;
	for (i = 1; i < a->n_servers; i++) {
		const struct apache_server *s = &a->server[i];

		/* Behind a container's port mapping the port tells nothing. */
		if (by_port ? !at_port(s, request->port)
			    : s->tls != request->tls)
			continue;
		if (by_address && !at_address(s, address))
			continue;
		if (!first)
			first = s;
		if (request->host && has_name(s, request->host))
			return s;
	}
	return first ? first : &a->server[0];
}

/* ---- sections ---- */

static bool plain_prefix(const char *prefix, const char *path)
{
	size_t len = strlen(prefix);

	if (strncmp(prefix, path, len) != 0)
		return false;
	return len == 0 || prefix[len - 1] == '/' || path[len] == '/' ||
	       path[len] == '\0';
}

enum lint_truth apache_covers(const struct lint_node *section, const char *path)
{
	const char *what;

	if (!section)
		return LINT_YES;
	what = lint_arg(section, 0);
	if (lint_same(section->name, "LocationMatch"))
		return lint_regex(what, false, path);
	if (lint_same(section->name, "Location")) {
		if (strcmp(what, "~") == 0)
			return lint_regex(lint_arg(section, 1), false, path);
		if (strpbrk(what, "*?["))
			return lint_truth(lint_glob(what, path, false, true));
		return lint_truth(plain_prefix(what, path));
	}
	if (lint_same(section->name, "Proxy") && strcmp(what, "*") == 0)
		return LINT_YES;
	if (lint_begins(section->name, "Proxy"))
		return LINT_PERHAPS;
	return LINT_NO;
}

/* ---- ProxyPass ---- */

bool apache_is_ws(const char *target)
{
	return lint_begins(target, "ws://") || lint_begins(target, "wss://");
}

bool apache_is_balancer(const char *target)
{
	return lint_begins(target, "balancer://");
}

const char *apache_upgrade_word(const struct lint_node *n)
{
	size_t i;

	for (i = 1; i < n->n_args; i++)
		if (lint_begins(n->arg[i], "upgrade=") && n->arg[i][8])
			return n->arg[i];
	return NULL;
}

bool apache_is_member(const struct apache_item *it, const char *target)
{
	const char *of =
		it->section ? lint_arg(it->section, 0) : lint_arg(it->node, 0);
	size_t len;

	if (!apache_is_balancer(target) ||
	    !lint_same(it->node->name, "BalancerMember"))
		return false;
	len = strcspn(target + 11, "/") + 11;
	return strncmp(of, target, len) == 0 && (!of[len] || of[len] == '/');
}

bool apache_member_upgrades(const struct apache_item *it)
{
	return apache_upgrade_word(it->node) ||
	       apache_is_ws(lint_arg(it->node, !it->section));
}

/* Whether all members of balancer://NAME take WebSockets, and there are any. */
static bool balancer_upgrades(const struct apache *a, const char *target)
{
	bool any = false;
	size_t i, k;

	for (i = 0; i < a->n_servers; i++)
		for (k = 0; k < a->server[i].n_items && !apache_tired(a); k++) {
			const struct apache_item *it = &a->server[i].item[k];

			if (!apache_is_member(it, target))
				continue;
			if (!apache_member_upgrades(it))
				return false;
			any = true;
		}
	return any;
}

bool apache_read_pass(const struct apache *a, const struct apache_item *item,
		      struct apache_pass *ret)
{
	const struct lint_node *n = item->node, *section = item->section;
	bool match = lint_same(n->name, "ProxyPassMatch");
	bool inside;

	if (!match && !lint_same(n->name, "ProxyPass"))
		return false;
	if (n->n_args == 0)
		return false;
	/* In a <Location> the path is the section's, and is not written. */
	inside = section && lint_begins(section->name, "Location");
	if (section && !inside)
		return false;
	if (inside) {
		bool regex = lint_same(section->name, "LocationMatch") ||
			     strcmp(lint_arg(section, 0), "~") == 0;

		ret->match = regex;
		ret->path = lint_arg(section,
				     strcmp(lint_arg(section, 0), "~") == 0);
		ret->target = lint_arg(n, 0);
	} else {
		ret->match = match;
		ret->path = lint_arg(n, 0);
		ret->target = lint_arg(n, 1);
	}
	ret->upgrade =
		apache_is_balancer(ret->target)
			? balancer_upgrades(a, ret->target)
			: apache_upgrade_word(n) || apache_is_ws(ret->target);
	return true;
}

enum lint_truth apache_pass_takes(const struct apache_item *item,
				  const struct apache_pass *pass,
				  const char *path)
{
	if (item->section)
		return apache_covers(item->section, path);
	if (pass->match)
		return lint_regex(pass->path, false, path);
	return lint_truth(plain_prefix(pass->path, path));
}

/* ---- RewriteRule ---- */

bool apache_flag(const char *flags, const char *flag)
{
	struct bytes list = bytes_of_str(flags), word;
	size_t len = strlen(flag);

	if (list.len >= 2 && list.data[0] == '[')
		list = bytes_of(list.data + 1, list.len - 2);
	while (bytes_next_element(&list, &word))
		if (bytes_equal_nocase(bytes_first(word, len),
				       bytes_of_str(flag)) &&
		    (word.len == len || word.data[len] == '='))
			return true;
	return false;
}

static bool absolute(const char *target)
{
	return strstr(target, "://") != NULL &&
	       strstr(target, "://") < target + 12;
}

/* "!=websocket", "^$": whoever comes with anything but a WebSocket. */
static bool wants_none(const char *pattern)
{
	return strcmp(pattern, "^$") == 0 ||
	       (pattern[0] == '!' && (lint_holds(pattern, "websocket") ||
				      lint_holds(pattern, "upgrade")));
}

static bool asks_upgrade(const struct lint_node *cond)
{
	if (wants_none(lint_arg(cond, 1)))
		return false;
	return lint_holds(lint_arg(cond, 0), "Upgrade}") ||
	       lint_holds(lint_arg(cond, 0), "Connection}") ||
	       lint_holds(lint_arg(cond, 1), "HTTP:Upgrade");
}

static void read_rule(struct apache_rewrite *r, const struct apache_item *item)
{
	const struct lint_node *n = item->node;

	r->rule = item;
	r->pattern = lint_arg(n, 0);
	r->negated = *r->pattern == '!';
	r->pattern += r->negated;
	r->target = lint_arg(n, 1);
	r->flags = lint_arg(n, 2);
	r->proxy = apache_flag(r->flags, "P") || apache_flag(r->flags, "proxy");
	r->forbidden = apache_flag(r->flags, "F") ||
		       apache_flag(r->flags, "forbidden") ||
		       apache_flag(r->flags, "G");
	/* An absolute target without [P] is a redirect, with or without [R]. */
	r->redirect = !r->proxy && !r->forbidden &&
		      (apache_flag(r->flags, "R") ||
		       apache_flag(r->flags, "redirect") || absolute(r->target));
	r->last = apache_flag(r->flags, "L") || apache_flag(r->flags, "last") ||
		  apache_flag(r->flags, "END");
}

/* Whether a rule above decides if the one at @at is looked at. */
static bool may_be_skipped(const struct apache_server *server, size_t at)
{
	int distance = 0;

	while (at-- > 0 && distance < 32) {
		const struct lint_node *n = server->item[at].node;
		const char *flags = lint_arg(n, 2), *skip;

		if (!lint_same(n->name, "RewriteRule"))
			continue;
		distance++;
		skip = strstr(flags, "S=");
		skip = skip ? skip + 2 : strstr(flags, "skip=");
		if (skip && *skip == 's')
			skip += 5;
		if ((skip && strtol(skip, NULL, 10) >= distance) ||
		    (distance == 1 &&
		     (apache_flag(flags, "C") || apache_flag(flags, "chain"))))
			return true;
	}
	return false;
}

bool apache_next_rewrite(const struct apache_server *server, size_t *at,
			 struct apache_rewrite *ret)
{
	*ret = (struct apache_rewrite){0};
	for (; *at < server->n_items; (*at)++) {
		const struct apache_item *item = &server->item[*at];

		if (lint_same(item->node->name, "RewriteCond")) {
			ret->on_upgrade |= asks_upgrade(item->node);
			if (ret->n_conds < 16)
				ret->cond[ret->n_conds++] = item;
		} else if (lint_same(item->node->name, "RewriteRule")) {
			read_rule(ret, item);
			ret->skipped = may_be_skipped(server, *at);
			(*at)++;
			return true;
		}
	}
	return false;
}

/* The value of the one variable that a test string is. */
static bool test_value(const struct apache *a, const struct apache_server *s,
		       const char *test, const char *path, const char **ret)
{
	const struct lint_request *q = a->run->request;
	static const char *const fields[][2] = {
		{"%{HTTP_USER_AGENT}", "User-Agent"},
		{"%{HTTP_HOST}", "Host"},
	};
	/* Not among the variables of mod_rewrite, so always empty. */
	static const char *const empty[] = {
		"%{HTTP_UPGRADE}", "%{HTTP_CONNECTION}", "%{HTTP_ORIGIN}", NULL};
	char name[64];
	size_t i;

	for (i = 0; i < 2; i++)
		if (lint_same(test, fields[i][0]))
			return lint_request_field(q, fields[i][1], ret);
	*ret = NULL;
	if (one_of(test, empty))
		return true;
	if (lint_begins(test, "%{HTTP:") && strlen(test) < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s",
			 (int)strcspn(test + 7, "}"), test + 7);
		return test[strlen(test) - 1] == '}' &&
		       lint_request_field(q, name, ret);
	}
	*ret = path;
	if (lint_same(test, "%{REQUEST_URI}"))
		return path != NULL;
	*ret = s->tls ? "on" : "off";
	if (lint_same(test, "%{HTTPS}"))
		return true;
	*ret = s->tls ? "https" : "http";
	if (lint_same(test, "%{REQUEST_SCHEME}"))
		return true;
	*ret = "GET";
	return lint_same(test, "%{REQUEST_METHOD}");
}

enum lint_truth apache_cond(const struct apache *a,
			    const struct apache_server *server,
			    const struct lint_node *cond, const char *path)
{
	const char *pattern = lint_arg(cond, 1), *value;
	bool nocase = apache_flag(lint_arg(cond, 2), "NC") ||
		      apache_flag(lint_arg(cond, 2), "nocase");
	bool negated = *pattern == '!';
	enum lint_truth truth;

	pattern += negated;
	if (!test_value(a, server, lint_arg(cond, 0), path, &value))
		return LINT_PERHAPS;
	if (!value)
		value = "";
	if (*pattern == '=')
		truth = lint_truth(nocase ? lint_same(pattern + 1, value)
					  : strcmp(pattern + 1, value) == 0);
	else if (*pattern == '<' || *pattern == '>' ||
		 (*pattern == '-' && pattern[1] && !pattern[2]))
		truth = LINT_PERHAPS;
	else
		truth = lint_regex(pattern, nocase, value);
	return negated ? lint_not(truth) : truth;
}

enum lint_truth apache_rewrite_takes(const struct apache *a,
				     const struct apache_server *server,
				     const struct apache_rewrite *r,
				     const char *path)
{
	bool nocase = apache_flag(r->flags, "NC");
	enum lint_truth all = lint_regex(r->pattern, nocase, path),
			any = LINT_NO;
	size_t i;

	*a->patience -= 2000; /* what patterns cost */
	/* Within a section the pattern meets the path without its beginning. */
	if (r->rule->section &&
	    lint_regex(r->pattern, nocase, path + (*path == '/')) != all)
		all = LINT_PERHAPS;
	if (r->negated)
		all = lint_not(all);
	for (i = 0; i < r->n_conds; i++) {
		const struct lint_node *c = r->cond[i]->node;

		any = lint_or(any, apache_cond(a, server, c, path));
		if (apache_flag(lint_arg(c, 2), "OR") ||
		    apache_flag(lint_arg(c, 2), "ornext"))
			continue;
		all = lint_and(all, any);
		any = LINT_NO;
	}
	return r->rule->perhaps || r->skipped ? lint_and(all, LINT_PERHAPS)
					      : all;
}

bool apache_engine_on(const struct apache_server *server,
		      const struct lint_node *section)
{
	const struct lint_node *n;
	bool on = server->rewrites;
	int looks = 0;

	for (n = section ? section->first : NULL; n && looks < 1000;
	     n = n->next, looks++)
		if (lint_same(n->name, "RewriteEngine"))
			on = lint_same(lint_arg(n, 0), "on");
	return on;
}

bool apache_shares_worker(const struct apache *a, const char *target)
{
	size_t i, k;

	for (i = 0; i < a->n_servers; i++)
		for (k = 0; k < a->server[i].n_items && !apache_tired(a); k++) {
			struct apache_pass pass;
			size_t len;

			if (!apache_read_pass(a, &a->server[i].item[k], &pass) ||
			    !pass.upgrade || !absolute(pass.target))
				continue;
			len = strlen(pass.target);
			if (strncmp(pass.target, target, len) == 0)
				return true;
		}
	return false;
}

static void rewrite_fate(const struct apache *a, const struct apache_rewrite *r,
			 enum lint_truth sure, struct apache_fate *ret)
{
	ret->by = r->rule;
	ret->sure = sure;
	if (r->forbidden)
		ret->end = APACHE_REFUSED;
	else if (r->redirect)
		ret->end = APACHE_REDIRECT;
	else if (apache_is_ws(r->target) || apache_shares_worker(a, r->target))
		ret->end = APACHE_TUNNEL;
	else
		ret->end = APACHE_PLAIN;
}

/* The server's or (@inside) its sections' rewrites. True: one has decided. */
static bool follow_rewrites(const struct apache *a,
			    const struct apache_server *s, const char *path,
			    bool inside, struct apache_fate *ret)
{
	struct apache_rewrite r;
	size_t at = 0;

	if (apache_module(a, "rewrite_module") == LINT_NO)
		return false;
	while (!apache_tired(a) && apache_next_rewrite(s, &at, &r)) {
		const struct lint_node *section = r.rule->section;
		enum lint_truth takes;

		if ((section != NULL) != inside ||
		    !apache_engine_on(s, section) ||
		    apache_covers(section, path) == LINT_NO)
			continue;
		takes = apache_rewrite_takes(a, s, &r, path);
		if (takes == LINT_PERHAPS)
			ret->sure = LINT_PERHAPS;
		/* What only perhaps takes it is looked at by the rules; but one
		 * to a WebSocket server is there for those. */
		if (takes == LINT_NO || (takes == LINT_PERHAPS &&
					 !(r.proxy && apache_is_ws(r.target))))
			continue;
		if (r.forbidden || r.redirect || r.proxy) {
			rewrite_fate(a, &r, takes, ret);
			return true;
		}
		if (strcmp(r.target, "-") != 0) /* another path, or a file */
			ret->sure = LINT_PERHAPS;
		if (r.last)
			break;
	}
	return false;
}

static void pass_fate(const struct apache_item *item,
		      const struct apache_pass *pass, struct apache_fate *ret)
{
	ret->by = item;
	ret->end = strcmp(pass->target, "!") == 0 ? APACHE_EXCLUDED
		   : pass->upgrade		  ? APACHE_TUNNEL
						  : APACHE_PLAIN;
}

static bool follow_passes(const struct apache *a, const struct apache_server *s,
			  const char *path, bool inside, struct apache_fate *ret)
{
	bool taken = false;
	size_t i;

	for (i = 0; i < s->n_items && !apache_tired(a); i++) {
		const struct apache_item *item = &s->item[i];
		struct apache_pass pass;

		if ((item->section != NULL) != inside ||
		    !apache_read_pass(a, item, &pass) ||
		    apache_pass_takes(item, &pass, path) != LINT_YES)
			continue;
		pass_fate(item, &pass, ret);
		taken = true;
		if (!inside) /* the first one; of sections, the last */
			break;
	}
	return taken;
}

/* SetHandler "proxy:ws://..." */
static bool follow_handlers(const struct apache_server *s, const char *path,
			    struct apache_fate *ret)
{
	size_t i;

	for (i = 0; i < s->n_items; i++) {
		const struct apache_item *item = &s->item[i];
		const char *handler = lint_arg(item->node, 0);

		if (!lint_same(item->node->name, "SetHandler") ||
		    apache_covers(item->section, path) != LINT_YES ||
		    !lint_begins(handler, "proxy:"))
			continue;
		ret->by = item;
		ret->sure = item->perhaps ? LINT_PERHAPS : ret->sure;
		ret->end = apache_is_ws(handler + 6) ? APACHE_TUNNEL
						     : APACHE_PLAIN;
		return true;
	}
	return false;
}

static bool redirect_takes(const struct lint_node *n, const char *path,
			   bool inside)
{
	size_t at = n->n_args > 1 && lint_arg(n, 0)[0] != '/' &&
		    lint_arg(n, 0)[0] != '^';

	if (lint_same(n->name, "RedirectMatch"))
		return lint_regex(lint_arg(n, at), false, path) == LINT_YES;
	if (!lint_same(n->name, "Redirect") &&
	    !lint_same(n->name, "RedirectPermanent") &&
	    !lint_same(n->name, "RedirectTemp"))
		return false;
	if (inside && lint_arg(n, at)[0] != '/')
		return true;
	return plain_prefix(lint_arg(n, at), path);
}

static bool follow_redirects(const struct apache_server *s, const char *path,
			     bool inside, struct apache_fate *ret)
{
	size_t i;

	for (i = 0; i < s->n_items; i++) {
		const struct apache_item *item = &s->item[i];

		if ((item->section != NULL) != inside ||
		    apache_covers(item->section, path) != LINT_YES ||
		    !redirect_takes(item->node, path, inside))
			continue;
		ret->by = item;
		ret->end = APACHE_REDIRECT;
		ret->sure = item->perhaps ? LINT_PERHAPS : ret->sure;
		return true;
	}
	return false;
}

bool apache_follow_passes(const struct apache *a,
			  const struct apache_server *server, const char *path,
			  struct apache_fate *ret)
{
	const struct apache_server *main = &a->server[0];

	return follow_passes(a, server, path, true, ret) ||
	       (server != main && follow_passes(a, main, path, true, ret)) ||
	       follow_passes(a, server, path, false, ret) ||
	       (server != main && follow_passes(a, main, path, false, ret));
}

void apache_follow(const struct apache *a, const struct apache_server *server,
		   const char *path, struct apache_fate *ret)
{
	struct apache_fate later = {.sure = LINT_YES};

	*ret = (struct apache_fate){.end = APACHE_NOWHERE, .sure = LINT_YES};
	if (follow_rewrites(a, server, path, false, ret))
		return;
	if (!apache_follow_passes(a, server, path, ret) &&
	    !follow_redirects(server, path, false, ret))
		follow_handlers(server, path, ret);
	/* What a <Location> says comes after, and overrules. */
	if (follow_redirects(server, path, true, &later) ||
	    follow_rewrites(a, server, path, true, &later))
		*ret = later;
}
