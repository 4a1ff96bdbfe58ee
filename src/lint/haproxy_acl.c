/* SPDX-License-Identifier: MIT */
/*
 * Conditions of HAProxy: "if is_ws !{ src 10.0.0.0/8 } or TRUE". Terms are
 * joined by and, alternatives by or; an acl holds when one of its lines does,
 * and a line when one of its values matches.
 */
#include "lint/haproxy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_VALUE 2048

/* What a criterion fetched. */
struct sample {
	bool known, there;
	bool list; /* elements between commas match for themselves */
	char value[MAX_VALUE];
};

struct criterion {
	char name[64];	   /* "hdr", without its match: hdr_beg is hdr */
	char arg[128];	   /* "Upgrade" */
	char convert[256]; /* "lower,field(1,:)" */
	char method[16];   /* "str", "beg", ...; "" : not told */
	bool nocase;
};

static const char *const methods[] = {"beg", "end", "sub", "reg",   "dir",
				      "dom", "len", "str", "found", "bool"};

static void cut_suffix(struct criterion *c)
{
	char *under = strrchr(c->name, '_');
	size_t i;

	if (!under || strcmp(c->name, "ssl_fc_sni") == 0)
		return;
	for (i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strcmp(under + 1, methods[i]) == 0) {
			snprintf(c->method, sizeof(c->method), "%s", methods[i]);
			*under = '\0';
			return;
		}
}

/* "req.hdr(host),lower" */
static void read_criterion(const char *text, struct criterion *c)
{
	size_t name = strcspn(text, "(,"), arg = 0;

	*c = (struct criterion){0};
	snprintf(c->name, sizeof(c->name), "%.*s", (int)(name < 63 ? name : 63),
		 text);
	text += name;
	if (*text == '(') {
		arg = strcspn(text, ")");
		snprintf(c->arg, sizeof(c->arg), "%.*s",
			 (int)(arg < 127 ? arg ? arg - 1 : 0 : 126), text + 1);
		text += arg + (text[arg] == ')');
		if (strchr(c->arg, ','))
			*strchr(c->arg, ',') = '\0';
	}
	snprintf(c->convert, sizeof(c->convert), "%s", text + (*text == ','));
	cut_suffix(c);
}

static bool is_header(const struct criterion *c)
{
	return strcmp(c->name, "hdr") == 0 || strcmp(c->name, "req.hdr") == 0 ||
	       strcmp(c->name, "req.fhdr") == 0 ||
	       strcmp(c->name, "shdr") == 0 || strcmp(c->name, "req.shdr") == 0;
}

static void set_value(struct sample *s, const char *value)
{
	s->known = true;
	s->there = value != NULL;
	snprintf(s->value, sizeof(s->value), "%s", value ? value : "");
}

static void fetch_header(const struct haproxy *h, const struct criterion *c,
			 struct sample *s)
{
	const struct lint_request *q = h->request;
	const char *value;
	char host[512];

	s->list = strcmp(c->name, "req.fhdr") != 0;
	if (q && q->host && lint_same(c->arg, "Host") &&
	    q->port != (q->tls ? 443 : 80) && q->port) {
		snprintf(host, sizeof(host), "%s:%u", q->host, q->port);
		set_value(s, host);
	} else if (lint_request_field(q, c->arg, &value)) {
		set_value(s, value);
	}
}

static void fetch(const struct haproxy *h, const struct criterion *c,
		  struct sample *s)
{
	const struct lint_request *q = h->request;

	*s = (struct sample){0};
	if (is_header(c)) {
		fetch_header(h, c, s);
	} else if (strcmp(c->name, "path") == 0 || strcmp(c->name, "url") == 0) {
		if (q && q->path && !h->path_changed)
			set_value(s, q->path);
	} else if (strcmp(c->name, "method") == 0) {
		set_value(s, "GET");
	} else if (strcmp(c->name, "ssl_fc_sni") == 0 ||
		   strcmp(c->name, "req.ssl_sni") == 0) {
		if (q && q->host)
			set_value(s, q->tls ? q->host : NULL);
	}
}

/* "field(1,:)": the part of that number. */
static bool take_field(char *value, const char *converter)
{
	long n = strtol(converter + 6, NULL, 10), i;
	const char *comma = strchr(converter, ',');
	char delimiter = comma ? comma[1] : '\0';
	char *at = value, *end;

	if (n < 1 || !delimiter)
		return false;
	for (i = 1; i < n; i++) {
		at = strchr(at, delimiter);
		if (!at) {
			*value = '\0';
			return true;
		}
		at++;
	}
	end = strchr(at, delimiter);
	if (end)
		*end = '\0';
	memmove(value, at, strlen(at) + 1);
	return true;
}

static bool convert_one(char *value, const char *converter)
{
	char *at;

	if (strcmp(converter, "lower") == 0 || strcmp(converter, "upper") == 0) {
		for (at = value; *at; at++)
			*at = (char)(*converter == 'l'
					     ? tolower((unsigned char)*at)
					     : toupper((unsigned char)*at));
		return true;
	}
	if (strncmp(converter, "field(", 6) == 0)
		return take_field(value, converter);
	if (strcmp(converter, "host_only") == 0) {
		at = strrchr(value, ':');
		if (at && !strchr(at, ']'))
			*at = '\0';
		return true;
	}
	return false;
}

static void convert(const struct criterion *c, struct sample *s)
{
	const char *at = c->convert;
	char one[64];

	while (*at && s->known) {
		size_t len = 0;
		int deep = 0;

		while (at[len] && (at[len] != ',' || deep)) {
			deep += at[len] == '(';
			deep -= at[len] == ')' && deep > 0;
			len++;
		}
		snprintf(one, sizeof(one), "%.*s", (int)(len < 63 ? len : 63),
			 at);
		if (!convert_one(s->value, one))
			s->known = false;
		at += len + (at[len] == ',');
	}
}

/* A part of @value between delimiters is @wanted (dir: /; dom: / ? . :). */
static bool has_part(const char *value, const char *wanted,
		     const char *delimiters, bool nocase)
{
	size_t len = strlen(wanted);
	const char *at;

	for (at = value; *at; at++) {
		struct bytes here = bytes_of(at, strnlen(at, len));
		bool same =
			nocase ? bytes_equal_nocase(here, bytes_of(wanted, len))
			       : bytes_equal(here, bytes_of(wanted, len));

		if (same && (at == value || strchr(delimiters, at[-1])) &&
		    (!at[len] || strchr(delimiters, at[len])))
			return true;
	}
	return false;
}

static enum lint_truth match_one(const struct criterion *c, const char *value,
				 const char *pattern)
{
	const char *how = c->method;
	size_t n = strlen(value), m = strlen(pattern);
	char folded[MAX_VALUE];

	if (strcmp(how, "reg") == 0)
		return lint_regex(pattern, c->nocase, value);
	if (strcmp(how, "beg") == 0)
		return lint_truth(c->nocase ? lint_begins(value, pattern)
					    : strncmp(value, pattern, m) == 0);
	if (strcmp(how, "end") == 0)
		return lint_truth(
			n >= m &&
			(c->nocase ? lint_same(value + n - m, pattern)
				   : strcmp(value + n - m, pattern) == 0));
	if (strcmp(how, "sub") == 0)
		return lint_truth(c->nocase ? lint_holds(value, pattern)
					    : strstr(value, pattern) != NULL);
	snprintf(folded, sizeof(folded), "%.*s",
		 (int)strcspn(pattern + strspn(pattern, "/"), "/"),
		 pattern + strspn(pattern, "/"));
	if (strcmp(how, "dir") == 0)
		return lint_truth(has_part(value, folded, "/?", c->nocase));
	if (strcmp(how, "dom") == 0)
		return lint_truth(has_part(value, pattern, "/?.:", c->nocase));
	if (strcmp(how, "len") == 0 || strcmp(how, "ip") == 0)
		return LINT_PERHAPS;
	return lint_truth(c->nocase ? lint_same(value, pattern)
				    : strcmp(value, pattern) == 0);
}

static enum lint_truth match_value(const struct criterion *c,
				   const struct sample *s, const char *pattern)
{
	struct bytes rest = bytes_of_str(s->value), part;
	enum lint_truth any = LINT_NO;
	char one[MAX_VALUE];

	if (!s->list || !strchr(s->value, ','))
		return match_one(c, s->value, pattern);
	while (bytes_next_element(&rest, &part)) {
		snprintf(one, sizeof(one), "%.*s", (int)part.len,
			 (const char *)part.data);
		any = lint_or(any, match_one(c, one, pattern));
	}
	return any;
}

/* "80", "80:90" */
static enum lint_truth in_range(long value, const char *range)
{
	const char *colon = strchr(range, ':');
	long first = strtol(range, NULL, 10);
	long last = colon ? strtol(colon + 1, NULL, 10) : first;

	return lint_truth(value >= first && value <= last);
}

/* "gt 0", "eq 1" after hdr_cnt(). */
static enum lint_truth compare(long value, const char **word, size_t n)
{
	long other = n > 1 ? strtol(word[1], NULL, 10) : 0;

	if (n == 1 && isdigit((unsigned char)word[0][0]))
		return in_range(value, word[0]);
	if (n != 2)
		return LINT_PERHAPS;
	if (strcmp(word[0], "eq") == 0)
		return lint_truth(value == other);
	if (strcmp(word[0], "gt") == 0)
		return lint_truth(value > other);
	if (strcmp(word[0], "ge") == 0)
		return lint_truth(value >= other);
	if (strcmp(word[0], "lt") == 0)
		return lint_truth(value < other);
	return strcmp(word[0], "le") == 0 ? lint_truth(value <= other)
					  : LINT_PERHAPS;
}

/* The criteria that are not about text. */
static bool special(const struct haproxy *h, const struct criterion *c,
		    const char **word, size_t n, enum lint_truth *ret)
{
	const struct lint_request *q = h->request;
	const char *value;

	*ret = LINT_PERHAPS;
	if (strcmp(c->name, "always_true") == 0) {
		*ret = LINT_YES;
	} else if (strcmp(c->name, "always_false") == 0 ||
		   strcmp(c->name, "http_auth") == 0 ||
		   strcmp(c->name, "http_auth_group") == 0) {
		*ret = LINT_NO; /* the handshake carries no credentials */
	} else if (strcmp(c->name, "ssl_fc") == 0) {
		if (q)
			*ret = lint_truth(q->tls);
		if (n && lint_same(word[0], "false"))
			*ret = lint_not(*ret);
	} else if (strcmp(c->name, "hdr_cnt") == 0 ||
		   strcmp(c->name, "req.hdr_cnt") == 0) {
		if (lint_request_field(q, c->arg, &value))
			*ret = compare(value ? 1 : 0, word, n);
	} else if (strcmp(c->name, "dst_port") == 0) {
		if (q && q->port)
			*ret = compare(q->port, word, n);
	} else {
		return false;
	}
	return true;
}

/* Read -i, -m and the like; returns where the values begin. */
static size_t read_flags(struct criterion *c, const char **word, size_t n,
			 bool *ret_file)
{
	size_t i = 1;

	for (; i < n && word[i][0] == '-' && word[i][1]; i++) {
		if (strcmp(word[i], "--") == 0)
			return i + 1;
		if (strcmp(word[i], "-i") == 0) {
			c->nocase = true;
		} else if (strcmp(word[i], "-m") == 0 && i + 1 < n) {
			snprintf(c->method, sizeof(c->method), "%s", word[++i]);
		} else if (strcmp(word[i], "-f") == 0 ||
			   strcmp(word[i], "-M") == 0) {
			*ret_file = true;
			i += strcmp(word[i], "-f") == 0;
		}
	}
	return i < n ? i : n;
}

/* Every path begins with /. */
static enum lint_truth always(const struct criterion *c, const char **word,
			      size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(c->name, "path") == 0 &&
		    strcmp(c->method, "beg") == 0 && strcmp(word[i], "/") == 0)
			return LINT_YES;
	return LINT_PERHAPS;
}

enum lint_truth haproxy_acl(const struct haproxy *h, const char **word, size_t n)
{
	enum lint_truth any;
	struct criterion c;
	struct sample s;
	bool file = false;
	size_t i;

	if (n == 0)
		return LINT_PERHAPS;
	read_criterion(word[0], &c);
	i = read_flags(&c, word, n, &file);
	if (special(h, &c, word + i, n - i, &any))
		return any;
	any = LINT_NO;
	fetch(h, &c, &s);
	convert(&c, &s);
	if (!s.known)
		return always(&c, word + i, n - i);
	if (strcmp(c.method, "found") == 0)
		return lint_truth(s.there);
	if (!s.there)
		return LINT_NO;
	if (file)
		return LINT_PERHAPS;
	for (; i < n; i++)
		any = lint_or(any, match_value(&c, &s, word[i]));
	return any;
}

/* ---- conditions ---- */

bool haproxy_predefined(const char *name)
{
	static const char *const names[] = {
		"TRUE",		  "FALSE",	   "HTTP",
		"HTTP_1.0",	  "HTTP_1.1",	   "HTTP_2.0",
		"HTTP_3.0",	  "HTTP_CONTENT",  "HTTP_URL_ABS",
		"HTTP_URL_SLASH", "HTTP_URL_STAR", "LOCALHOST",
		"RDP_COOKIE",	  "REQ_CONTENT",   "WAIT_END",
		"METH_CONNECT",	  "METH_DELETE",   "METH_GET",
		"METH_HEAD",	  "METH_OPTIONS",  "METH_POST",
		"METH_PUT",	  "METH_TRACE",	   "METH_PATCH",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static enum lint_truth predefined_truth(const char *name)
{
	static const char *const no[] = {
		"FALSE",	"METH_POST",	"METH_PUT",    "METH_DELETE",
		"METH_OPTIONS", "METH_CONNECT", "METH_HEAD",   "METH_TRACE",
		"METH_PATCH",	"HTTP_1.0",	"HTTP_CONTENT"};
	static const char *const yes[] = {"TRUE",	    "HTTP",
					  "METH_GET",	    "HTTP_1.1",
					  "HTTP_URL_SLASH", "WAIT_END"};
	size_t i;

	for (i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (strcmp(name, no[i]) == 0)
			return LINT_NO;
	for (i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (strcmp(name, yes[i]) == 0)
			return LINT_YES;
	return LINT_PERHAPS;
}

static enum lint_truth named_truth(const struct haproxy *h,
				   const struct lint_node *section,
				   const char *name)
{
	enum lint_truth any = LINT_NO;
	bool found = false;
	const struct lint_node *n;
	int depth;

	for (depth = 0; section && depth < LINT_MAX_DEPTH; depth++) {
		for (n = section->first; n && !haproxy_tired(h); n = n->next) {
			if (strcmp(n->name, "acl") != 0 || n->n_args < 2 ||
			    strcmp(lint_arg(n, 0), name) != 0)
				continue;
			found = true;
			any = lint_or(
				any, haproxy_acl(h, n->arg + 1, n->n_args - 1));
		}
		section = haproxy_defaults(h, section);
	}
	return found ? any : predefined_truth(name);
}

size_t haproxy_condition(const struct lint_node *n)
{
	size_t i;

	for (i = 0; i < n->n_args; i++)
		if (strcmp(n->arg[i], "if") == 0 ||
		    strcmp(n->arg[i], "unless") == 0)
			return i + 1;
	return 0;
}

static bool is_or(const char *word)
{
	return strcmp(word, "or") == 0 || strcmp(word, "||") == 0;
}

/* The end of "{ ... }" that begins at @i: the index of "}", or n. */
static size_t close_brace(const struct lint_node *n, size_t i)
{
	while (i < n->n_args && strcmp(n->arg[i], "}") != 0)
		i++;
	return i;
}

enum lint_truth haproxy_holds(const struct haproxy *h,
			      const struct lint_node *section,
			      const struct lint_node *n)
{
	enum lint_truth any = LINT_NO, all = LINT_YES;
	size_t i = haproxy_condition(n);
	bool unless, negated = false;

	if (i == 0)
		return LINT_YES;
	unless = strcmp(n->arg[i - 1], "unless") == 0;
	for (; i < n->n_args; i++) {
		const char *word = n->arg[i];
		enum lint_truth term;

		if (is_or(word)) {
			any = lint_or(any, all);
			all = LINT_YES;
			continue;
		}
		for (; *word == '!'; word++)
			negated = !negated;
		if (!*word)
			continue;
		if (strcmp(word, "{") == 0) {
			size_t end = close_brace(n, i);

			term = haproxy_acl(h, n->arg + i + 1, end - i - 1);
			i = end;
		} else {
			term = named_truth(h, section, word);
		}
		all = lint_and(all, negated ? lint_not(term) : term);
		negated = false;
	}
	any = lint_or(any, all);
	return unless ? lint_not(any) : any;
}

void haproxy_each_name(const struct lint_node *n,
		       void (*use)(void *ctx, const char *name), void *ctx)
{
	size_t i = haproxy_condition(n);

	if (i == 0)
		return;
	for (; i < n->n_args; i++) {
		const char *word = n->arg[i] + strspn(n->arg[i], "!");

		if (strcmp(word, "{") == 0)
			i = close_brace(n, i);
		else if (*word && !is_or(word))
			use(ctx, word);
	}
}

static void add_words(const struct lint_node *n, size_t from, char *out,
		      size_t size)
{
	size_t used = strlen(out), i;

	for (i = from; i < n->n_args && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, " %s",
					 n->arg[i]);
}

struct text {
	const struct haproxy *h;
	const struct lint_node *section;
	char *out;
	size_t size;
};

static void add_acl_text(void *ctx, const char *name)
{
	const struct text *t = ctx;
	const struct lint_node *n, *section = t->section;
	int depth;

	for (depth = 0; section && depth < LINT_MAX_DEPTH; depth++) {
		for (n = section->first; n && !haproxy_tired(t->h); n = n->next)
			if (strcmp(n->name, "acl") == 0 &&
			    strcmp(lint_arg(n, 0), name) == 0)
				add_words(n, 1, t->out, t->size);
		section = haproxy_defaults(t->h, section);
	}
}

void haproxy_condition_text(const struct haproxy *h,
			    const struct lint_node *section,
			    const struct lint_node *n, char *out, size_t size)
{
	struct text t = {h, section, out, size};
	size_t from = haproxy_condition(n);

	*out = '\0';
	if (!from)
		return;
	add_words(n, from, out, size);
	haproxy_each_name(n, add_acl_text, &t);
}
