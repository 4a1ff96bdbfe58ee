/* SPDX-License-Identifier: MIT */
/*
 * Matchers of Caddy, and the order of directives. Of one matcher the values are
 * alternatives, of a set all kinds have to match, and "not" turns one round.
 * Outside of route, directives run in Caddy's own order, and those of one kind
 * by the length of their path.
 */
#include "lint/caddy.h"

#include <stdio.h>
#include <stdlib.h>

/* Their places in Caddy's order (2.6); what is not here takes no part. */
static const char *const order[] = {
	"tracing",	  "map",	   "vars",	    "root",
	"skip_log",	  "log_skip",	   "header",	    "request_body",
	"redir",	  "method",	   "rewrite",	    "uri",
	"try_files",	  "basicauth",	   "basic_auth",    "forward_auth",
	"request_header", "encode",	   "push",	    "templates",
	"invoke",	  "handle",	   "handle_path",   "route",
	"abort",	  "error",	   "copy_response", "respond",
	"metrics",	  "reverse_proxy", "php_fastcgi",   "file_server",
	"acme_server",
};

static int place_of(const struct lint_node *n)
{
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (strcmp(n->name, order[i]) == 0)
			/* handle and handle_path are alternatives. */
			return strcmp(n->name, "handle_path") == 0 ? (int)i - 1
								   : (int)i;
	return -1;
}

const char *caddy_matcher(const struct lint_node *n)
{
	const char *word = lint_arg(n, 0);

	if (place_of(n) < 0 || (*word != '/' && *word != '@'))
		return NULL;
	return word;
}

const struct lint_node *caddy_find(const struct caddy *c,
				   const struct lint_node *n, const char *name)
{
	const struct lint_node *block, *at;

	for (block = n->parent; block; block = block->parent)
		for (at = block->first; at && !caddy_tired(c); at = at->next)
			if (strcmp(at->name, name) == 0)
				return at;
	return NULL;
}

enum lint_truth caddy_path(const char *pattern, const char *path)
{
	if (strcmp(pattern, "*") == 0 || strcmp(pattern, "/*") == 0)
		return LINT_YES;
	if (!path || strchr(pattern, '{'))
		return LINT_PERHAPS;
	return lint_truth(lint_glob(pattern, path, true, false));
}

/* header FIELD [VALUE...] */
static enum lint_truth match_header(const struct caddy *c, const char *field,
				    const char *const *value, size_t n)
{
	const struct lint_request *q = c->request;
	bool absent = *field == '!';
	const char *has;
	enum lint_truth any = LINT_NO;
	size_t i;

	if (!lint_request_field(q, field + absent, &has))
		return LINT_PERHAPS;
	if (absent)
		return lint_truth(!has);
	if (n == 0)
		return lint_truth(has != NULL);
	for (i = 0; i < n && has; i++)
		any = lint_or(any,
			      strchr(value[i], '{')
				      ? LINT_PERHAPS
				      : lint_truth(lint_glob(value[i], has,
							     false, false)));
	return any;
}

static enum lint_truth match_words(const struct caddy *c, const char *kind,
				   const char *const *word, size_t n)
{
	const struct lint_request *q = c->request;
	enum lint_truth any = LINT_NO;
	const char *has = NULL;
	size_t i;

	if (n == 0)
		return LINT_PERHAPS;
	if (strcmp(kind, "path") == 0 || strcmp(kind, "host") == 0) {
		const char *subject = !q	     ? NULL
				      : *kind == 'p' ? q->path
						     : q->host;

		for (i = 0; i < n; i++)
			any = lint_or(any, caddy_path(word[i], subject));
		return any;
	}
	if (strcmp(kind, "path_regexp") == 0)
		return q && q->path ? lint_regex(word[n - 1], false, q->path)
				    : LINT_PERHAPS;
	if (strcmp(kind, "header") == 0)
		return match_header(c, word[0], word + 1, n - 1);
	if (strcmp(kind, "header_regexp") == 0 && n > 1) {
		if (!lint_request_field(q, word[n - 2], &has))
			return LINT_PERHAPS;
		return has ? lint_regex(word[n - 1], false, has) : LINT_NO;
	}
	if (strcmp(kind, "method") == 0) {
		for (i = 0; i < n; i++)
			any = lint_or(any,
				      lint_truth(lint_same(word[i], "GET")));
		return any;
	}
	if (strcmp(kind, "protocol") == 0 && q)
		return lint_truth(strcmp(word[0], q->tls ? "https" : "http") ==
				  0);
	return LINT_PERHAPS; /* remote_ip, expression, query, file, vars */
}

static enum lint_truth match_set(const struct caddy *c,
				 const struct lint_node *block);

static enum lint_truth match_line(const struct caddy *c, const char *kind,
				  const char **word, size_t n,
				  const struct lint_node *node)
{
	bool negated = false;
	enum lint_truth truth;

	while (strcmp(kind, "not") == 0) {
		negated = !negated;
		if (n == 0)
			break;
		kind = *word++;
		n--;
	}
	if (node->block && node->first && n == 0)
		truth = match_set(c, node);
	else
		truth = match_words(c, kind, (const char *const *)word, n);
	return negated ? lint_not(truth) : truth;
}

/* Lines of one header's name are alternatives; all else has to match. */
static bool same_header(const struct lint_node *a, const struct lint_node *b)
{
	return strcmp(a->name, "header") == 0 &&
	       strcmp(b->name, "header") == 0 &&
	       lint_same(lint_arg(a, 0), lint_arg(b, 0));
}

static enum lint_truth match_set(const struct caddy *c,
				 const struct lint_node *block)
{
	enum lint_truth all = LINT_YES;
	const struct lint_node *n, *other;

	for (n = block->first; n; n = n->next) {
		enum lint_truth any = LINT_NO;
		bool seen = false;

		for (other = block->first; other != n && !caddy_tired(c);
		     other = other->next)
			seen |= same_header(n, other);
		if (seen)
			continue;
		for (other = n; other && !caddy_tired(c); other = other->next)
			if (other == n || same_header(n, other))
				any = lint_or(any,
					      match_line(c, other->name,
							 other->arg,
							 other->n_args, other));
		all = lint_and(all, any);
	}
	return all;
}

enum lint_truth caddy_matches(const struct caddy *c, const struct lint_node *n)
{
	const char *matcher = caddy_matcher(n);
	const struct lint_node *set;

	if (!matcher)
		return LINT_YES;
	if (*matcher == '/')
		return caddy_path(matcher, c->request ? c->request->path : NULL);
	set = caddy_find(c, n, matcher);
	if (!set)
		return LINT_PERHAPS;
	if (set->n_args)
		return match_line(c, set->arg[0], set->arg + 1, set->n_args - 1,
				  set);
	return match_set(c, set);
}

static void add_text(const struct lint_node *n, char *out, size_t size,
		     int depth)
{
	const struct lint_node *at;
	size_t used = strlen(out), i;

	for (i = 0; i < n->n_args && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, " %s",
					 n->arg[i]);
	for (at = n->first; at && used < size && depth < 8; at = at->next) {
		used = strlen(out);
		snprintf(out + used, size - used, " %s", at->name);
		add_text(at, out, size, depth + 1);
	}
}

void caddy_matcher_text(const struct caddy *c, const struct lint_node *n,
			char *out, size_t size)
{
	const char *matcher = caddy_matcher(n);
	const struct lint_node *set;

	*out = '\0';
	if (!matcher)
		return;
	snprintf(out, size, " %s", matcher);
	set = *matcher == '@' ? caddy_find(c, n, matcher) : NULL;
	if (set)
		add_text(set, out, size, 0);
}

/* ---- the order ---- */

/* The path by which it is sorted; 0: it has none. */
static size_t path_length(const struct caddy *c, const struct lint_node *n)
{
	const char *matcher = caddy_matcher(n);
	const struct lint_node *set, *at;

	/* Seen with 2.6.2: handle_path is sorted as if it had no path. */
	if (!matcher || strcmp(n->name, "handle_path") == 0)
		return 0;
	if (*matcher == '/')
		return strlen(matcher);
	set = caddy_find(c, n, matcher);
	if (set && strcmp(lint_arg(set, 0), "path") == 0 && set->n_args == 2)
		return strlen(lint_arg(set, 1));
	for (at = set ? set->first : NULL; at; at = at->next)
		if (strcmp(at->name, "path") == 0 && at->n_args == 1)
			return strlen(lint_arg(at, 0));
	return 0;
}

/* Whether @a runs before @b, which is written after it. */
static bool before(const struct caddy *c, const struct lint_node *a,
		   const struct lint_node *b)
{
	size_t x, y;

	if (place_of(a) != place_of(b))
		return place_of(a) < place_of(b);
	x = path_length(c, a);
	y = path_length(c, b);
	if (x != y)
		return x > y;
	return x || caddy_matcher(a) || !caddy_matcher(b);
}

size_t caddy_sorted(const struct caddy *c, const struct lint_node *block,
		    const struct lint_node **ret, size_t max)
{
	bool as_written = strcmp(block->name, "route") == 0;
	const struct lint_node *n;
	size_t count = 0, i;

	for (n = block->first; n && count < max && !caddy_tired(c); n = n->next) {
		if (place_of(n) < 0)
			continue;
		for (i = count;
		     i > 0 && !as_written && !before(c, ret[i - 1], n); i--)
			ret[i] = ret[i - 1];
		ret[i] = n;
		count++;
	}
	return count;
}
