/* SPDX-License-Identifier: MIT */
/*
 * Caddy 2 (Caddyfile): sites with their directives, snippets already put where
 * they are imported, and matchers about a request of which not all is known.
 */
#ifndef LINT_CADDY_H
#define LINT_CADDY_H

#include "lint/match.h"

#define CADDY_MAX_SORTED 512

struct caddy {
	struct lint_run *run;
	/* What matchers are asked about; a made-up one when none is given. */
	const struct lint_request *request;
	const struct lint_node *site;
	long *patience; /* looks that are left */
};

static inline bool caddy_tired(const struct caddy *c)
{
	return --*c->patience < 0;
}

/* ---- caddy.c ---- */

/* The site with these addresses; its block's nodes are its children. A site's
 * name is CADDY_SITE, that of the global options CADDY_GLOBAL. */
#define CADDY_SITE   "site"
#define CADDY_GLOBAL "{"

int caddy_parse(struct lint_run *run, const char *file, struct bytes text);

/* ---- caddy_match.c ---- */

/* Whether the node (a directive) takes a matcher, and has one: "/ws", "@x". */
const char *caddy_matcher(const struct lint_node *n);
/* The definition of @name for @n: in its block or around it, or NULL. */
const struct lint_node *caddy_find(const struct caddy *c,
				   const struct lint_node *n, const char *name);
/* Whether the directive's matcher lets the request in. */
enum lint_truth caddy_matches(const struct caddy *c, const struct lint_node *n);
/* @path: NULL when it is not known. */
enum lint_truth caddy_path(const char *pattern, const char *path);
/* The text of the directive's matcher, for classifying. */
void caddy_matcher_text(const struct caddy *c, const struct lint_node *n, char *out, size_t size);
/* The children of a block in the order in which Caddy runs them; how many. */
size_t caddy_sorted(const struct caddy *c, const struct lint_node *block, const struct lint_node **ret,
		    size_t max);

/* ---- caddy_rules.c ---- */

void caddy_judge(struct caddy *c);

#endif
