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

/* ---- caddy_note.c ---- */

/* "reverse_proxy a:1"; the first address of a site. */
const char *caddy_title(const struct lint_node *n, char *out, size_t size);
/* A finding at @n, told by what is around it; NULL: its line has it already. */
struct lint_finding *caddy_note(const struct caddy *c, enum lint_rule rule,
				const struct lint_node *n, bool sure,
				const char *text);
/* The line of @n with @to for @from: to paste, and as an edit. */
void caddy_swap(const struct caddy *c, struct lint_finding *f,
		const struct lint_node *n, const char *from, const char *to);
/* The lines of @n out, unless something else stands in the first. */
void caddy_take_out(const struct caddy *c, struct lint_finding *f,
		    const struct lint_node *n);
/* Whether the text speaks of the fields of the handshake. */
bool caddy_on_upgrade(const char *text);

/* ---- caddy_proxy.c ---- */

/* header_up and request_header: [-+?]FIELD [VALUE] */
void caddy_judge_field(const struct caddy *c, const struct lint_node *n,
		       bool sure);
void caddy_judge_proxy(const struct caddy *c, const struct lint_node *proxy,
		       bool sure);
/* handle_path around @proxy, which takes its path off. */
void caddy_judge_stripped(const struct caddy *c, const struct lint_node *proxy,
			  bool sure);
/* What is of Caddy 1, in a site. */
void caddy_check_outdated(const struct caddy *c, const struct lint_node *site);

/* ---- caddy_access.c ---- */

/* Whether the directive answers by itself: respond, abort, error. */
bool caddy_is_refusal(const struct lint_node *n);
void caddy_judge_refusal(const struct caddy *c, const struct lint_node *n,
			 enum lint_truth hit, bool sure);
void caddy_judge_auth(const struct caddy *c, const struct lint_node *n,
		      bool sure);

/* ---- caddy_names.c ---- */

/* Matchers of the block and of those in it, and which takes what first. */
void caddy_check_block(struct caddy *c, const struct lint_node *block,
		       int depth);

/* ---- caddy_site.c ---- */

bool caddy_has_tls(const struct lint_node *site);
/* The site that serves the request, or NULL. */
const struct lint_node *caddy_choose_site(const struct caddy *c);

/* ---- caddy_rules.c ---- */

void caddy_judge(struct caddy *c);

#endif
