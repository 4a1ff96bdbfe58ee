/* SPDX-License-Identifier: MIT */
/*
 * The Caddyfile: words, of which those of one line make a directive, and { at
 * the end of a line opens a block. Quotes, `raw quotes` and heredocs (<<EOT)
 * hold anything. Snippets and files are put where they are imported; their
 * nodes keep the lines that they were written in.
 */
#include "lint/caddy.h"

#include <ctype.h>
#include <sesame/error.h>
#include <stdio.h>

#define MAX_WORD 16384

struct word {
	char text[MAX_WORD];
	size_t len;
	unsigned line, column;
	bool quoted;
};

struct place {
	struct lint_run *run;
	const char *file;
	const char *at, *end;
	unsigned line;
	const char *line_start;
	struct word word;		  /* the one that next() read */
	bool have;			  /* it was put back */
	int depth;			  /* of imports and blocks */
	const struct lint_node *snippets; /* the root that holds them */
};

static int parse_body(struct place *p, struct lint_node *parent, bool to_brace);

static int failed(const struct lint_run *run)
{
	return run->error->text[0] ? SESAME_EINVAL : SESAME_ENOMEM;
}

static int add(struct place *p, char c)
{
	if (p->word.len == MAX_WORD - 1)
		return lint_fail(p->run, p->file, p->word.line, p->word.column,
				 "a word of more than %d bytes", MAX_WORD);
	p->word.text[p->word.len++] = c;
	return 0;
}

static void newline(struct place *p)
{
	p->line++;
	p->line_start = p->at;
}

static void skip_blanks(struct place *p)
{
	while (p->at < p->end) {
		char c = *p->at;

		if (c == '\\' && p->end - p->at > 1 &&
		    (p->at[1] == '\n' || (p->at[1] == '\r' && p->end - p->at > 2 &&
					  p->at[2] == '\n'))) {
			p->at += p->at[1] == '\n' ? 2 : 3;
			newline(p);
		} else if (c == '#') {
			while (p->at < p->end && *p->at != '\n')
				p->at++;
		} else if (c == '\n') {
			p->at++;
			newline(p);
		} else if (isspace((unsigned char)c)) {
			p->at++;
		} else {
			return;
		}
	}
}

static int read_quoted(struct place *p, char quote)
{
	int r = 0;

	p->word.quoted = true;
	p->at++;
	while (r == 0 && p->at < p->end && *p->at != quote) {
		char c = *p->at++;

		if (c == '\n')
			newline(p);
		if (c == '\\' && quote == '"' && p->at < p->end &&
		    (*p->at == '"' || *p->at == '\\'))
			c = *p->at++;
		r = add(p, c);
	}
	if (r == 0 && p->at == p->end)
		return lint_fail(p->run, p->file, p->word.line, p->word.column,
				 "the quote %c is never closed", quote);
	p->at++;
	return r;
}

/* <<EOT ... EOT: since 2.7. The marker was read into the word. */
static int read_heredoc(struct place *p)
{
	char marker[64];
	size_t len = p->word.len - 2;
	int r = 0;

	if (len == 0 || len >= sizeof(marker))
		return 0;
	memcpy(marker, p->word.text + 2, len);
	p->word.len = 0;
	p->word.quoted = true;
	while (p->at < p->end && *p->at != '\n')
		p->at++;
	while (r == 0 && p->at < p->end) {
		const char *start, *stop;

		p->at++;
		newline(p);
		for (start = p->at;
		     start < p->end && (*start == ' ' || *start == '\t');
		     start++)
			;
		stop = memchr(p->at, '\n', (size_t)(p->end - p->at));
		if (!stop)
			stop = p->end;
		if ((size_t)(stop - start) >= len &&
		    memcmp(start, marker, len) == 0) {
			p->at = start + len;
			return 0;
		}
		for (; r == 0 && p->at < stop; p->at++)
			r = add(p, *p->at);
		if (r == 0)
			r = add(p, '\n');
	}
	return r ? r
		 : lint_fail(p->run, p->file, p->word.line, p->word.column,
			     "the text that <<%.*s begins is never ended",
			     (int)len, marker);
}

/* {$NAME:default} becomes the default; without one it stays. */
static void use_defaults(struct word *w)
{
	char *at = w->text, *colon, *close;

	w->text[w->len] = '\0';
	while ((at = strstr(at, "{$")) != NULL) {
		close = strchr(at, '}');
		colon = strchr(at, ':');
		if (!close)
			break;
		if (!colon || colon > close) {
			at = close;
			continue;
		}
		memmove(at, colon + 1, (size_t)(close - colon - 1));
		memmove(at + (close - colon - 1), close + 1, strlen(close));
		at += close - colon - 1;
	}
	w->len = strlen(w->text);
}

/* 1 with p->word, 0 at the end, or an error. */
static int next(struct place *p)
{
	int r = 0;

	if (p->have) {
		p->have = false;
		return 1;
	}
	skip_blanks(p);
	if (p->at == p->end)
		return 0;
	p->word.len = 0;
	p->word.quoted = false;
	p->word.line = p->line;
	p->word.column = (unsigned)(p->at - p->line_start) + 1;
	if (*p->at == '"' || *p->at == '`') {
		r = read_quoted(p, *p->at);
	} else {
		while (r == 0 && p->at < p->end &&
		       !isspace((unsigned char)*p->at))
			r = add(p, *p->at++);
		if (r == 0 && p->word.len > 2 &&
		    memcmp(p->word.text, "<<", 2) == 0)
			r = read_heredoc(p);
	}
	if (r)
		return r;
	use_defaults(&p->word);
	return 1;
}

static bool is(const struct place *p, const char *text)
{
	return !p->word.quoted && strcmp(p->word.text, text) == 0;
}

static struct lint_node *new_node(struct place *p, struct lint_node *parent,
				  const char *name)
{
	const char *kept = lint_keep(p->run, bytes_of_str(name));
	struct lint_node *n =
		kept ? lint_node_new(p->run, parent, p->file, p->word.line,
				     p->word.column, kept)
		     : NULL;

	if (n)
		n->last_line = p->word.line;
	return n;
}

static int open_block(struct place *p, struct lint_node *n)
{
	int r;

	n->block = true;
	if (++p->depth > LINT_MAX_DEPTH)
		return lint_fail(p->run, p->file, n->line, n->column,
				 "blocks within blocks, more than %d deep",
				 LINT_MAX_DEPTH);
	r = parse_body(p, n, true);
	p->depth--;
	return r;
}

/* ---- imports ---- */

/* {args.0} and {args[0]} replaced by the import's arguments. */
static const char *fill(struct place *p, const char *text,
			const struct lint_node *import)
{
	char out[MAX_WORD];
	size_t used = 0;
	unsigned i;

	if (!strstr(text, "{args"))
		return text;
	while (*text && used + 1 < sizeof(out)) {
		int len = 0;

		if ((sscanf(text, "{args.%3u}%n", &i, &len) == 1 && len) ||
		    (sscanf(text, "{args[%3u]}%n", &i, &len) == 1 && len)) {
			used += (size_t)snprintf(out + used, sizeof(out) - used,
						 "%s", lint_arg(import, i + 1));
			if (used >= sizeof(out))
				used = sizeof(out) - 1;
			text += len;
		} else {
			out[used++] = *text++;
		}
	}
	return lint_keep(p->run, bytes_of(out, used));
}

static int copy_nodes(struct place *p, const struct lint_node *from,
		      struct lint_node *to, const struct lint_node *import,
		      int depth)
{
	const struct lint_node *n;

	if (depth > LINT_MAX_DEPTH)
		return lint_fail(p->run, p->file, import->line, import->column,
				 "imports within imports, more than %d deep",
				 LINT_MAX_DEPTH);
	for (n = from->first; n; n = n->next) {
		const char *name = fill(p, n->name, import);
		struct lint_node *copy =
			name ? lint_node_new(p->run, to, n->file, n->line,
					     n->column, name)
			     : NULL;
		size_t i;
		int r = copy ? 0 : failed(p->run);

		for (i = 0; r == 0 && i < n->n_args; i++) {
			const char *arg = fill(p, n->arg[i], import);

			r = arg ? lint_node_arg(p->run, copy, bytes_of_str(arg))
				: SESAME_ENOMEM;
		}
		if (r == 0) {
			copy->block = n->block;
			copy->last_line = n->last_line;
			r = copy_nodes(p, n, copy, import, depth + 1);
		}
		if (r)
			return r;
	}
	return 0;
}

static const struct lint_node *find_snippet(const struct place *p,
					    const char *name)
{
	const struct lint_node *n;
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "(%s)", name);
	for (n = p->snippets->first; n; n = n->next)
		if (strcmp(n->name, wanted) == 0)
			return n;
	return NULL;
}

struct including {
	struct place *p;
	struct lint_node *parent;
	const struct lint_node *import;
	int r;
};

static int parse_top(struct place *p);

static void on_found(void *ctx, const char *path)
{
	struct including *in = ctx;
	struct place *inner;
	struct place p = {.run = in->p->run,
			  .line = 1,
			  .snippets = in->p->snippets,
			  .depth = in->p->depth + 1};
	struct bytes text;

	inner = &p;
	if (in->r != 0)
		return;
	if (p.depth > 6) { /* each takes some of the stack */
		in->r = lint_fail(p.run, in->import->file, in->import->line,
				  in->import->column,
				  "imports within imports, more than 6 deep");
		return;
	}
	in->r = lint_read(p.run, path, in->import, &text, &inner->file);
	if (in->r != 0)
		return;
	p.at = p.line_start = (const char *)text.data;
	p.end = p.at ? p.at + text.len : NULL;
	in->r = in->parent == p.run->root ? parse_top(inner)
					  : parse_body(inner, in->parent, false);
}

static int import(struct place *p, struct lint_node *n)
{
	const char *name = lint_arg(n, 0), *path;
	const struct lint_node *snippet = find_snippet(p, name);
	struct including in = {p, n->parent, n, 0};

	if (snippet)
		return copy_nodes(p, snippet, n->parent, n, 0);
	path = lint_path_beside(p->run, n->file, name);
	if (!path)
		return SESAME_ENOMEM;
	if (strpbrk(path, "*?["))
		lint_list(p->run, path, on_found, &in);
	else
		on_found(&in, path);
	return in.r;
}

/* ---- directives ---- */

/* The rest of the line of @n, and its block. p->word is its name. */
static int parse_rest(struct place *p, struct lint_node *n)
{
	unsigned line = p->line;
	int r;

	while ((r = next(p)) > 0) {
		if (p->word.line != line) {
			p->have = true;
			return 0;
		}
		if (is(p, "}")) { /* of a block on one line */
			p->have = true;
			return 0;
		}
		if (is(p, "{"))
			return open_block(p, n);
		r = lint_node_arg(p->run, n,
				  bytes_of(p->word.text, p->word.len));
		if (r)
			return r;
		n->last_line = line = p->line;
	}
	return r;
}

static int parse_body(struct place *p, struct lint_node *parent, bool to_brace)
{
	int r;

	while ((r = next(p)) > 0) {
		struct lint_node *n;

		if (is(p, "}")) {
			if (!to_brace)
				return lint_fail(p->run, p->file, p->word.line,
						 p->word.column,
						 "a } that closes nothing");
			parent->last_line = p->word.line;
			return 0;
		}
		n = new_node(p, parent, p->word.text);
		if (!n)
			return failed(p->run);
		r = parse_rest(p, n);
		if (r == 0 && strcmp(n->name, "import") == 0 && n->n_args)
			r = import(p, n);
		if (r < 0)
			return r;
	}
	if (r == 0 && to_brace)
		return lint_fail(p->run, p->file, parent->line, parent->column,
				 "the block that begins here is never closed");
	return r;
}

/* ---- the main level ---- */

/* A word that begins a directive, not an address: it is a fragment. */
static bool is_directive(const char *word)
{
	static const char *const words[] = {
		"reverse_proxy", "handle",     "handle_path", "route",
		"respond",	 "redir",      "header",      "root",
		"file_server",	 "encode",     "tls",	      "request_header",
		"basicauth",	 "basic_auth", "log",	      "abort",
		"uri",		 "rewrite",    "proxy",	      "gzip",
		"php_fastcgi",	 "bind",       "try_files",   "websocket",
	};
	size_t i;

	if (*word == '@')
		return true;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* "a.example, b.example": the addresses before the {. 1: a block follows. */
static int parse_addresses(struct place *p, struct lint_node *site)
{
	unsigned line = p->word.line;
	bool more = false;
	int r;

	do {
		struct bytes rest = bytes_of(p->word.text, p->word.len), one;

		if (is(p, "{"))
			return 1;
		if (p->word.line != line && !more) {
			p->have = true;
			return 0;
		}
		line = p->word.line;
		more = rest.len && rest.data[rest.len - 1] == ',';
		while (bytes_next_element(&rest, &one)) {
			r = lint_node_arg(p->run, site, one);
			if (r)
				return r;
		}
	} while ((r = next(p)) > 0);
	return r;
}

/* A site and its block; a file of one site needs neither braces nor address. */
static int parse_site(struct place *p)
{
	struct lint_node *n = new_node(p, p->run->root, CADDY_SITE);
	int r = 0;

	if (!n)
		return failed(p->run);
	if (is_directive(p->word.text))
		p->have = true;
	else
		r = parse_addresses(p, n);
	if (r == 1)
		return open_block(p, n);
	if (r < 0)
		return r;
	n->block = true;
	return parse_body(p, n, false);
}

/* What begins with the word just read. */
static int parse_entry(struct place *p, bool first)
{
	struct lint_node *root = p->run->root, *n;
	bool named =
		p->word.text[0] == '(' || strncmp(p->word.text, "&(", 2) == 0;
	int r;

	if (is(p, "{") && first) {
		n = new_node(p, root, CADDY_GLOBAL);
		return n ? open_block(p, n) : failed(p->run);
	}
	if (is(p, "}") || is(p, "{"))
		return lint_fail(p->run, p->file, p->word.line, p->word.column,
				 "a %s where the name of a site was expected",
				 p->word.text);
	if (!named && !is(p, "import"))
		return parse_site(p);
	n = new_node(p, root, p->word.text);
	r = n ? parse_rest(p, n) : failed(p->run);
	return r == 0 && !named && n->n_args ? import(p, n) : r;
}

static int parse_top(struct place *p)
{
	bool first = true;
	int r, wrong;

	while ((r = next(p)) > 0) {
		wrong = parse_entry(p, first);
		if (wrong < 0)
			return wrong;
		first = false;
	}
	return r;
}

static int parse(struct lint_run *run, const char *file, struct bytes text)
{
	struct place p = {
		.run = run, .file = file, .line = 1, .snippets = run->root};

	p.at = p.line_start = (const char *)text.data;
	p.end = p.at ? p.at + text.len : NULL;
	return parse_top(&p);
}

int lint_caddy(struct lint_run *run, const char *file, struct bytes text)
{
	long patience = LINT_PATIENCE;
	struct caddy c = {
		.run = run, .request = run->request, .patience = &patience};
	int r = parse(run, file, text);

	if (r == 0)
		caddy_judge(&c);
	if (patience < 0)
		run->report->truncated = true;
	return r;
}
