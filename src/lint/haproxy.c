/* SPDX-License-Identifier: MIT */
/*
 * Lines of HAProxy into sections. Quotes are strong ('') or weak (""), a
 * backslash escapes, # begins a comment outside of both, and names of the
 * environment stay as they are written. Of .if and .else the first branch is
 * read: what they ask for cannot be told here.
 */
#include "lint/haproxy.h"

#include <ctype.h>
#include <sesame/error.h>

#define MAX_WORD 4096

static const char *const kinds[] = {
	"global",      "defaults",  "frontend",	 "backend",	"listen",
	"userlist",    "peers",	    "resolvers", "mailers",	"program",
	"http-errors", "cache",	    "ring",	 "log-forward", "fcgi-app",
	"crt-list",    "crt-store", "traces",
};

struct place {
	struct lint_run *run;
	const char *file;
	unsigned line;
	struct lint_node *section;
	int depth;    /* of .if */
	int skipping; /* the depth whose branch is left out; 0: none */
};

/* Cut the next word off; 1, 0 at the end of the line, or an error. */
static int next_word(struct place *p, struct bytes line, size_t *at, char *word,
		     size_t *ret_len, unsigned *ret_column)
{
	size_t used = 0, i = *at;
	char quote = '\0';

	while (i < line.len && isspace(line.data[i]))
		i++;
	if (i == line.len || line.data[i] == '#')
		return 0;
	*ret_column = (unsigned)i + 1;
	for (; i < line.len; i++) {
		char c = (char)line.data[i];

		if (used == MAX_WORD - 1)
			return lint_fail(
				p->run, p->file, p->line, (unsigned)i + 1,
				"a word of more than %d bytes", MAX_WORD);
		if (!quote && (isspace((unsigned char)c) || c == '#'))
			break;
		if (c == '\\' && quote != '\'' && i + 1 < line.len) {
			/* Regular expressions keep the backslash they need. */
			i++;
			if (quote && !strchr("\\\"$", line.data[i]))
				word[used++] = '\\';
			word[used++] = (char)line.data[i];
		} else if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? '\0' : c;
		} else {
			word[used++] = c;
		}
	}
	if (quote)
		return lint_fail(p->run, p->file, p->line, *ret_column,
				 "the quote %c is never closed", quote);
	word[used] = '\0';
	*ret_len = used;
	*at = i;
	return 1;
}

static bool begins_section(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(word, kinds[i]) == 0)
			return true;
	return false;
}

/* .if and the like: true when the line is one of them, or left out. */
static bool skipped(struct place *p, const char *word)
{
	if (strcmp(word, ".if") == 0) {
		p->depth++;
	} else if (strcmp(word, ".elif") == 0 || strcmp(word, ".else") == 0) {
		if (!p->skipping)
			p->skipping = p->depth;
	} else if (strcmp(word, ".endif") == 0) {
		if (p->skipping == p->depth)
			p->skipping = 0;
		p->depth -= p->depth > 0;
	} else {
		return p->skipping || *word == '.';
	}
	return true;
}

static int failed(const struct lint_run *run)
{
	return run->error->text[0] ? SESAME_EINVAL : SESAME_ENOMEM;
}

/* A line outside of all sections: a fragment; it is as good as in a listen. */
static int need_section(struct place *p)
{
	if (p->section)
		return 0;
	p->section = lint_node_new(p->run, p->run->root, p->file, p->line, 1,
				   "listen");
	if (!p->section)
		return failed(p->run);
	p->section->block = true;
	return 0;
}

static int open_line(struct place *p, const char *word, unsigned column,
		     struct lint_node **ret)
{
	bool section = begins_section(word);
	const char *name = lint_keep(p->run, bytes_of_str(word));
	int r = section ? 0 : need_section(p);

	if (r)
		return r;
	if (!name)
		return SESAME_ENOMEM;
	*ret = lint_node_new(p->run, section ? p->run->root : p->section,
			     p->file, p->line, column, name);
	if (!*ret)
		return failed(p->run);
	(*ret)->last_line = p->line;
	(*ret)->block = section;
	if (section)
		p->section = *ret;
	else
		p->section->last_line = p->line;
	return 0;
}

static int read_line(struct place *p, struct bytes line)
{
	struct lint_node *node = NULL;
	char word[MAX_WORD];
	size_t at = 0, len = 0;
	unsigned column = 1;
	int r;

	while ((r = next_word(p, line, &at, word, &len, &column)) > 0) {
		if (node)
			r = lint_node_arg(p->run, node, bytes_of(word, len));
		else if (skipped(p, word))
			return 0;
		else
			r = open_line(p, word, column, &node);
		if (r < 0)
			return r;
	}
	return r;
}

static int parse(struct lint_run *run, const char *file, struct bytes text)
{
	struct place p = {.run = run, .file = file};
	int r = 0;

	while (text.len && r == 0) {
		ptrdiff_t end = bytes_find_byte(text, '\n');
		struct bytes line =
			bytes_first(text, end < 0 ? text.len : (size_t)end);

		text = bytes_from(text, line.len + 1);
		p.line++;
		if (line.len && line.data[line.len - 1] == '\r')
			line.len--;
		r = read_line(&p, line);
	}
	return r;
}

/* ---- sections ---- */

bool haproxy_is(const struct lint_node *section, const char *kind)
{
	return strcmp(section->name, kind) == 0;
}

bool haproxy_is_proxy(const struct lint_node *section)
{
	return haproxy_is(section, "frontend") ||
	       haproxy_is(section, "backend") || haproxy_is(section, "listen");
}

const struct lint_node *haproxy_defaults(const struct haproxy *h,
					 const struct lint_node *section)
{
	const struct lint_node *n, *last = NULL;
	const char *from = NULL;
	size_t i;

	for (i = 0; i + 1 < section->n_args; i++)
		if (strcmp(section->arg[i], "from") == 0)
			from = section->arg[i + 1];
	if (haproxy_is(section, "defaults") && !from)
		return NULL;
	for (n = h->run->root->first; n && n != section && !haproxy_tired(h);
	     n = n->next)
		if (haproxy_is(n, "defaults") &&
		    (!from || strcmp(lint_arg(n, 0), from) == 0))
			last = n;
	return last;
}

const struct lint_node *haproxy_setting(const struct haproxy *h,
					const struct lint_node *section,
					const char *name, const char *arg)
{
	const struct lint_node *n, *last = NULL;
	int depth;

	for (depth = 0; section && !last && depth < LINT_MAX_DEPTH; depth++) {
		for (n = section->first; n && !haproxy_tired(h); n = n->next)
			if (strcmp(n->name, name) == 0 &&
			    (!arg || strcmp(lint_arg(n, 0), arg) == 0))
				last = n;
		section = haproxy_defaults(h, section);
	}
	return last;
}

const struct lint_node *haproxy_backend(const struct haproxy *h,
					const char *name)
{
	const struct lint_node *n;

	for (n = h->run->root->first; n && !haproxy_tired(h); n = n->next)
		if ((haproxy_is(n, "backend") || haproxy_is(n, "listen")) &&
		    strcmp(lint_arg(n, 0), name) == 0)
			return n;
	return NULL;
}

int lint_haproxy(struct lint_run *run, const char *file, struct bytes text)
{
	long patience = LINT_PATIENCE;
	struct haproxy h = {
		.run = run, .request = run->request, .patience = &patience};
	int r = parse(run, file, text);

	if (r == 0)
		haproxy_judge(&h);
	if (patience < 0)
		run->report->truncated = true;
	return r;
}
