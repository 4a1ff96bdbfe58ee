/* SPDX-License-Identifier: MIT */
/*
 * Which site of a Caddyfile serves a request: by port, scheme, name and path.
 */
#include "lint/caddy.h"

#include <stdio.h>
#include <stdlib.h>

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

bool caddy_has_tls(const struct lint_node *site)
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

const struct lint_node *caddy_choose_site(const struct caddy *c)
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
