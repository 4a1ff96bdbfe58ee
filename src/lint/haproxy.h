/* SPDX-License-Identifier: MIT */
/*
 * HAProxy 2.x: sections with their defaults, and conditions (acl) about a
 * request of which not all need be known.
 */
#ifndef LINT_HAPROXY_H
#define LINT_HAPROXY_H

#include "lint/match.h"

struct haproxy {
	struct lint_run *run;
	/* What conditions are asked about; a made-up one when none is given. */
	const struct lint_request *request;
	bool path_changed; /* by a rule: what it is then nobody knows */
	long *patience; /* looks that are left */
};

static inline bool haproxy_tired(const struct haproxy *h)
{
	return --*h->patience < 0;
}

/* ---- haproxy.c ---- */

bool haproxy_is(const struct lint_node *section, const char *kind);
/* frontend, listen or backend. */
bool haproxy_is_proxy(const struct lint_node *section);
/* The defaults that @section takes over, or NULL. */
const struct lint_node *haproxy_defaults(const struct haproxy *h,
					 const struct lint_node *section);
/* The last directive @name (with @arg first, unless NULL) of the section or of
 * its defaults, or NULL. */
const struct lint_node *haproxy_setting(const struct haproxy *h,
					const struct lint_node *section,
					const char *name, const char *arg);
/* The backend or listen section of this name, or NULL. */
const struct lint_node *haproxy_backend(const struct haproxy *h,
					const char *name);

/* ---- haproxy_acl.c ---- */

/* Where the condition of @n begins (the word after if or unless); 0: none. */
size_t haproxy_condition(const struct lint_node *n);
enum lint_truth haproxy_holds(const struct haproxy *h,
			      const struct lint_node *section,
			      const struct lint_node *n);
/* One "acl NAME CRITERION ..." line, its words from @from on. */
enum lint_truth haproxy_acl(const struct haproxy *h, const char **word,
			    size_t n);
/* All the text of a condition, its acls written out, for classifying. */
void haproxy_condition_text(const struct haproxy *h,
			    const struct lint_node *section,
			    const struct lint_node *n, char *out, size_t size);
bool haproxy_predefined(const char *name);
/* Call @use for each acl that the condition of @n names. */
void haproxy_each_name(const struct lint_node *n,
		       void (*use)(void *ctx, const char *name), void *ctx);

/* ---- haproxy_note.c ---- */

/* One way through: a frontend (or listen) and what it leads to. */
struct haproxy_way {
	struct haproxy *h;
	struct lint_run *run;
	const struct lint_node *front, *back; /* the same for a listen */
	bool sure;
};

/* "backend app" */
const char *haproxy_title(const struct lint_node *section, char *out,
			  size_t size);
/* A finding at @n; NULL: its line has it already. */
struct lint_finding *haproxy_note(const struct haproxy_way *w,
				  enum lint_rule rule,
				  const struct lint_node *n, bool sure,
				  const char *text);
/* A line to paste, and the edit: below @n, or in its place. */
void haproxy_put_below(struct lint_run *run, struct lint_finding *f,
		       const struct lint_node *n, const char *line);
void haproxy_put_instead(struct lint_run *run, struct lint_finding *f,
			 const struct lint_node *n, const char *line);
/* The line of @n with @to for @from: to paste, and as an edit. */
void haproxy_swap(struct lint_run *run, struct lint_finding *f,
		  const struct lint_node *n, const char *from, const char *to);
/* All words of @n with a blank between. */
void haproxy_join(const struct lint_node *n, char *out, size_t size);
/* Whether the text asks for fields of the handshake. */
bool haproxy_about_upgrade(const char *text);
/* Whether the condition of @n tells of a WebSocket. */
bool haproxy_is_ws(const struct haproxy *h, const struct lint_node *section,
		   const struct lint_node *n);
/* @list ends with NULL. */
bool haproxy_one_of(const char *word, const char *const *list);

/* ---- haproxy_access.c ---- */

void haproxy_judge_rules(const struct haproxy_way *w,
			 const struct lint_node *section);

/* ---- haproxy_names.c ---- */

void haproxy_check_names(const struct haproxy *h,
			 const struct lint_node *section);
/* What 2.x no longer has. */
void haproxy_judge_outdated(struct lint_run *run,
			    const struct lint_node *section);

/* ---- haproxy_rules.c ---- */

void haproxy_judge(struct haproxy *h);

#endif
