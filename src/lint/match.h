/* SPDX-License-Identifier: MIT */
/*
 * What a configuration's conditions say about a request of which not all is
 * known: yes, no, or perhaps. Patterns are matched here, not by the C library:
 * a hostile one must not cost more than its length times the subject's. Pure.
 */
#ifndef LINT_MATCH_H
#define LINT_MATCH_H

#include "lint/tree.h"

/*
 * How many looks at directives a configuration is worth: some rules compare
 * each with each, and a hostile one has 200,000. Who runs out of patience ends
 * early; the report says so.
 */
#define LINT_PATIENCE 20000000

enum lint_truth { LINT_NO, LINT_YES, LINT_PERHAPS };

static inline enum lint_truth lint_truth(bool yes)
{
	return yes ? LINT_YES : LINT_NO;
}
enum lint_truth lint_not(enum lint_truth a);
enum lint_truth lint_and(enum lint_truth a, enum lint_truth b);
enum lint_truth lint_or(enum lint_truth a, enum lint_truth b);

/*
 * Whether the regular expression (PCRE's usual part: classes, groups, counts,
 * anchors) is found in @subject. PERHAPS for look-arounds, back references,
 * and what is too long.
 */
enum lint_truth lint_regex(const char *pattern, bool nocase,
			   const char *subject);
/* Whether @subject is @pattern, where * stands for any run of characters and,
 * with @question, ? for one. */
bool lint_glob(const char *pattern, const char *subject, bool nocase,
	       bool question);

/*
 * What a field of the handshake holds. True with *ret its value, or NULL: it is
 * not sent; false: that is not known (cookies, for instance).
 */
bool lint_request_field(const struct lint_request *request, const char *name,
			const char **ret);

/* "20s", "1h", "1.5m", "300ms", "1h30m"; a bare number in @unit_ms. -1: no
 * duration. */
int64_t lint_duration_ms(const char *text, int64_t unit_ms);
/* The same for people: "20 s", "300 ms". */
const char *lint_duration_text(int64_t ms, char *out, size_t size);

/* Whether a name looks as if a WebSocket were behind it: "/ws", "socket.io". */
bool lint_smells(const char *text);
/* ASCII case ignored. */
bool lint_same(const char *a, const char *b);
bool lint_holds(const char *hay, const char *needle);
bool lint_begins(const char *text, const char *prefix);

/* Whether the rule has a finding at this place already. */
bool lint_told(const struct lint_run *run, enum lint_rule rule,
	       const struct lint_node *node);
/* The indentation of a line, as it is. */
const char *lint_indent(struct lint_run *run, const char *file, unsigned line,
			char *out, size_t size);
/* In the line of @node the first @from behind its place becomes @to: an edit, and
 * with @paste the line to paste. False: it is not there. */
bool lint_swap(struct lint_run *run, struct lint_finding *f,
	       const struct lint_node *node, const char *from, const char *to,
	       bool paste);
/* An edit that adds @more to the end of the line of @node, which ends there. */
void lint_append(struct lint_run *run, struct lint_finding *f,
		 const struct lint_node *node, const char *more);

#endif
