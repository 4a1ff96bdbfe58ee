/* SPDX-License-Identifier: MIT */
/*
 * What the server behind is told of the address that the client asked for: Host
 * and the scheme, which a check of Origin goes by.
 */
#include <stdio.h>

#include "lint/nginx.h"

/* ---- Host ---- */

static enum lint_rule host_rule(struct nginx_world *w, const char *value)
{
	if (lint_same(value, w->http_host))
		return LINT_N_RULES;
	return lint_same(value, w->host) ? LINT_HOST_WITHOUT_PORT
					 : LINT_HOST_REPLACED;
}

/* What reaches the server behind as Host, and what the client asked for. */
static void host_words(const struct nginx_world *w,
		       const struct lint_node *node, enum lint_rule rule,
		       const char *value, char *out, size_t size)
{
	bool nameless = strstr(w->http_host, NGINX_NO_NAME) && !w->run->request;
	const char *shown =
		nameless && node && *value ? lint_arg(node, 1) : value;

	if (nameless && rule == LINT_HOST_WITHOUT_PORT)
		snprintf(out, size, "Host without its port (%u)", w->port);
	else
		snprintf(out, size, "%s%.80s where the client asked for %.80s",
			 *shown ? "Host: " : "no Host", shown,
			 nameless ? "another name" : w->http_host);
}

static void note_host(struct nginx_world *w, const struct lint_node *level,
		      const struct lint_node *node, enum lint_rule rule,
		      const char *value, bool sure)
{
	static const char good[] = "proxy_set_header Host $http_host;";
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);
	const struct lint_node *at = node ? node : pass;
	struct nginx_mend m = {.run = w->run};
	char paste[480] = "", words[240];
	struct lint_finding *f;

	host_words(w, node, rule, value, words, sizeof(words));
	f = nginx_note(w->run, rule, level, at, sure,
		       "the server behind gets %s; a check of Origin against "
		       "Host fails",
		       words);
	lint_fix(f, "%s", good);
	if (node) {
		nginx_mend_replace(&m, node, "%s", good);
	} else {
		nginx_keep_inherited(&m, level, pass, paste, sizeof(paste));
		nginx_add_line(&m, pass, paste, sizeof(paste), good);
		/* The first of its own cancels those around: Upgrade too. */
		if (!lint_child(level, "proxy_set_header", NULL) &&
		    nginx_list_level(level, "proxy_set_header"))
			m.failed = true;
	}
	nginx_mend_done(&m, f);
}

/* The authority that proxy_pass names: nginx's own Host. */
static void target_host(const struct lint_node *pass, char *out, size_t size)
{
	const char *target = lint_arg(pass, 0), *host = strstr(target, "://");

	host = host ? host + 3 : target;
	snprintf(out, size, "%.*s", (int)strcspn(host, "/"), host);
}

void nginx_judge_host(struct lint_run *run, const struct lint_node *level,
		      bool sure)
{
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);
	const struct lint_node *node = nginx_header(level, "Host", NULL);
	char value[NGINX_MAX_VALUE];
	struct nginx_world w;
	enum lint_rule rule;

	nginx_world_of(run, nginx_server(level), &w);
	if (!node || strcmp(lint_arg(node, 1), "$proxy_host") == 0)
		target_host(pass, value, sizeof(value));
	else if (!nginx_evaluate(&w, lint_arg(node, 1), value, sizeof(value)))
		return;
	rule = host_rule(&w, value);
	/* Clients may come by another port than the one here. */
	if (rule == LINT_HOST_WITHOUT_PORT && !run->request)
		sure = false;
	if (rule != LINT_N_RULES)
		note_host(&w, level, node, rule, value, sure);
}

/* ---- the scheme ---- */

static bool says_scheme(const struct lint_node *level)
{
	static const char *const fields[] = {
		"X-Forwarded-Proto", "Forwarded",
		"X-Forwarded-Ssl",   "X-Forwarded-Scheme",
		"X-Scheme",	     "X-Url-Scheme",
		"Front-End-Https",   "X-Forwarded-Protocol"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (nginx_header(level, fields[i], NULL))
			return true;
	return false;
}

static bool is_behind_tls(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *server = nginx_server(level);

	return run->request ? run->request->tls
			    : nginx_has_tls(server) && !nginx_has_plain(server);
}

void nginx_judge_scheme(struct lint_run *run, const struct lint_node *level,
			bool sure)
{
	static const char good[] = "proxy_set_header X-Forwarded-Proto";
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);
	const struct lint_node *node =
		nginx_header(level, "X-Forwarded-Proto", NULL);
	bool here = nginx_has_tls(nginx_server(level));
	const char *value = here ? "$scheme" : "https";
	char sent[NGINX_MAX_VALUE] = "", paste[480] = "", line[128];
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;
	struct nginx_world w;

	nginx_world_of(run, nginx_server(level), &w);
	if (!is_behind_tls(run, level) || (!node && says_scheme(level)))
		return;
	if (node && (!nginx_evaluate(&w, lint_arg(node, 1), sent, sizeof(sent)) ||
		     lint_same(sent, "https") || lint_same(sent, "wss")))
		return;
	f = nginx_note(run, LINT_SCHEME_LOST, level, node ? node : pass, sure,
		       "the server behind is %s the client came over TLS; it "
		       "takes https:// origins for foreign ones",
		       node ? "told otherwise than that" : "not told that");
	snprintf(line, sizeof(line), "%s %s;", good, value);
	lint_fix(f, "%s", line);
	if (node)
		nginx_mend_replace(&m, node, "%s", line);
	else if (nginx_list_level(level, "proxy_set_header") == level ||
		 !nginx_list_level(level, "proxy_set_header"))
		nginx_add_line(&m, pass, paste, sizeof(paste), line);
	nginx_mend_done(&m, f);
}
