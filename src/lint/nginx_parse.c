/* SPDX-License-Identifier: MIT */
/*
 * nginx's syntax as its own reader takes it: words, quotes, blocks, includes
 * put in their place, Lua blocks skipped. `nginx -T` prints several files one
 * after the other; each is a file of its own here, with its own lines.
 */
#include <sesame/error.h>

#include <stdio.h>

#include "lint/nginx.h"

#define MAX_WORD 4096
#define MARK	 "# configuration file "

struct reader {
	struct lint_run *run;
	const char *file;
	struct bytes text;
	size_t at;
	unsigned line;
	size_t line_start;
	int includes;		    /* files that we are in */
	const struct reader *outer; /* that includes this one */
	const char *main;	    /* whose folder includes are relative to */
};

struct word {
	char text[MAX_WORD];
	size_t len;
	unsigned line, column;
	bool quoted;
};

static int read_file(struct lint_run *run, struct lint_node *parent,
		     const char *path, const struct lint_node *from,
		     const struct reader *outer);

/* ---- characters ---- */

static int peek(const struct reader *r)
{
	return r->at < r->text.len ? r->text.data[r->at] : -1;
}

static unsigned column(const struct reader *r)
{
	return (unsigned)(r->at - r->line_start) + 1;
}

static int next(struct reader *r)
{
	int c = peek(r);

	if (c < 0)
		return c;
	r->at++;
	if (c == '\n') {
		r->line++;
		r->line_start = r->at;
	}
	return c;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blank(struct reader *r)
{
	for (;; next(r)) {
		if (peek(r) == '#')
			while (peek(r) >= 0 && peek(r) != '\n')
				next(r);
		if (!is_blank(peek(r)))
			return;
	}
}

/* ---- words ---- */

static int add_char(struct reader *r, struct word *w, int c)
{
	if (w->len + 1 >= sizeof(w->text))
		return lint_fail(r->run, r->file, w->line, w->column,
				 "a word of more than %d characters; is a "
				 "closing quote or a semicolon missing?",
				 MAX_WORD - 1);
	w->text[w->len++] = (char)c;
	w->text[w->len] = 0;
	return 0;
}

/* A backslash keeps its meaning for regular expressions, but for these. */
static int add_escape(struct reader *r, struct word *w)
{
	int c = next(r), error = 0;

	if (c == 't' || c == 'r' || c == 'n')
		return add_char(r, w, c == 't' ? '\t' : c == 'r' ? '\r' : '\n');
	if (c != '"' && c != '\'' && c != '\\')
		error = add_char(r, w, '\\');
	return error || c < 0 ? error : add_char(r, w, c);
}

static int read_quoted(struct reader *r, struct word *w)
{
	int quote = next(r), c, error = 0;

	w->quoted = true;
	while (!error && (c = next(r)) != quote) {
		if (c < 0)
			return lint_fail(r->run, r->file, w->line, w->column,
					 "the quote %c is never closed", quote);
		error = c == '\\' ? add_escape(r, w) : add_char(r, w, c);
	}
	c = peek(r);
	if (!error && !is_blank(c) && c != ';' && c != '{' && c != ')' && c >= 0)
		return lint_fail(r->run, r->file, r->line, column(r),
				 "behind the closing quote a blank or \";\" is "
				 "missing");
	return error;
}

static int read_bare(struct reader *r, struct word *w)
{
	int c, last = 0, error = 0;

	while (!error && (c = peek(r)) >= 0 && !is_blank(c) && c != ';' &&
	       (c != '{' || last == '$')) {
		next(r);
		error = c == '\\' ? add_escape(r, w) : add_char(r, w, c);
		last = c;
	}
	return error;
}

static int read_word(struct reader *r, struct word *w)
{
	w->len = 0;
	w->text[0] = 0;
	w->line = r->line;
	w->column = column(r);
	w->quoted = false;
	return peek(r) == '"' || peek(r) == '\'' ? read_quoted(r, w)
						 : read_bare(r, w);
}

/* ---- Lua ---- */

static bool is_lua(const char *name)
{
	size_t len = strlen(name);

	return len > 13 && strcmp(name + len - 13, "_by_lua_block") == 0;
}

static bool skip_past(struct reader *r, const char *end)
{
	size_t len = strlen(end);

	while (r->text.len - r->at >= len) {
		if (memcmp(r->text.data + r->at, end, len) == 0) {
			r->at += len;
			return true;
		}
		next(r);
	}
	return false;
}

static bool starts(const struct reader *r, const char *text)
{
	return bytes_starts(bytes_from(r->text, r->at), bytes_of_str(text));
}

static void skip_lua_string(struct reader *r)
{
	int quote = next(r), c;

	while ((c = next(r)) >= 0 && c != quote && c != '\n')
		if (c == '\\')
			next(r);
}

/* Behind the opening brace: to the one that closes it. */
static int skip_lua(struct reader *r, const struct lint_node *node)
{
	int depth = 1;

	while (depth && peek(r) >= 0) {
		if (starts(r, "--[["))
			skip_past(r, "]]");
		else if (starts(r, "[["))
			skip_past(r, "]]");
		else if (starts(r, "--"))
			while (peek(r) >= 0 && peek(r) != '\n')
				next(r);
		else if (peek(r) == '"' || peek(r) == '\'')
			skip_lua_string(r);
		else {
			int c = next(r);

			depth += (c == '{') - (c == '}');
		}
	}
	return depth ? lint_fail(r->run, node->file, node->line, node->column,
				 "the block of %.60s is never closed",
				 node->name)
		     : 0;
}

/* ---- includes ---- */

struct includes {
	struct lint_run *run;
	struct lint_node *parent;
	const struct lint_node *from;
	const struct reader *reader;
	int error;
	size_t n;
};

static void found_file(void *ctx, const char *path)
{
	struct includes *in = ctx;

	in->n++;
	if (!in->error)
		in->error = read_file(in->run, in->parent, path, in->from,
				      in->reader);
}

/* Tables that every installation has, and that hold nothing of ours. */
static bool is_harmless(const char *path)
{
	static const char *const names[] = {"mime.types",   "_params",
					    "fastcgi.conf", "modules",
					    "koi-",	    "options-ssl"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(path, names[i]))
			return true;
	return false;
}

/* @file, as if it were in the folder @up above its own. */
static void go_up(const char *file, int up, char *out, size_t size)
{
	size_t len;

	snprintf(out, size, "%s", file);
	for (len = strlen(out); up >= 0; up--) {
		while (len && out[len - 1] != '/')
			len--;
		len -= len > 1 && up;
	}
	out[len] = 0;
}

/* The folder of nginx.conf; for a file of sites-enabled, one further up. */
static int list_beside(struct includes *in, const char *pattern)
{
	char folder[MAX_WORD];
	const char *whole;

	for (int up = 0; up < 3 && !in->n && !in->error; up++) {
		go_up(in->reader->main, up, folder, sizeof(folder));
		whole = lint_path_beside(in->run, folder, pattern);
		if (!whole)
			return SESAME_ENOMEM;
		lint_list(in->run, whole, found_file, in);
		if (pattern[0] == '/' || !folder[0])
			break;
	}
	return in->error;
}

static int include(struct reader *r, const struct lint_node *node,
		   struct lint_node *parent)
{
	struct includes in = {r->run, parent, node, r, 0, 0};
	const char *pattern = lint_arg(node, 0), *whole;
	struct bytes ignored;
	const char *name;
	int error;

	if (node->n_args != 1)
		return lint_fail(r->run, node->file, node->line, node->column,
				 "include takes one file or pattern");
	error = list_beside(&in, pattern);
	if (error || in.n || strpbrk(pattern, "*?[") || is_harmless(pattern))
		return error;
	whole = lint_path_beside(r->run, r->main, pattern);
	return whole ? lint_read(r->run, whole, node, &ignored, &name)
		     : SESAME_ENOMEM;
}

/* ---- directives and blocks ---- */

static int unexpected(struct reader *r, const char *what)
{
	return lint_fail(r->run, r->file, r->line, column(r), "%s", what);
}

/* Names that are never a value: where an argument in a line of its own is one
 * of them, the semicolon of the directive before was forgotten. */
static bool begins_directive(const struct word *w)
{
	static const char *const names[] = {"proxy_pass",
					    "proxy_set_header",
					    "proxy_http_version",
					    "proxy_read_timeout",
					    "proxy_send_timeout",
					    "proxy_connect_timeout",
					    "proxy_redirect",
					    "proxy_buffering",
					    "proxy_cache_bypass",
					    "add_header",
					    "server_name",
					    "listen",
					    "location",
					    "ssl_certificate",
					    "ssl_certificate_key",
					    "access_log",
					    "error_log",
					    "try_files"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!w->quoted && strcmp(w->text, names[i]) == 0)
			return true;
	return false;
}

/* The words of one directive, up to what ends it: ';' or '{'. */
static int read_words(struct reader *r, struct lint_node *parent,
		      struct lint_node **ret, int *ret_end)
{
	struct lint_node *node = NULL;
	unsigned line, end_column; /* where the word before ended */
	struct word w;
	int error = 0, c;

	for (;;) {
		line = r->line;
		end_column = column(r);
		skip_blank(r);
		c = peek(r);
		if (c < 0)
			return lint_fail(
				r->run, r->file, node->line, node->column,
				"%.60s is not ended by \";\"", node->name);
		if (c == ';' || c == '{')
			break;
		if (c == '}')
			return unexpected(r, "\"}\" before the directive is "
					     "ended; is a \";\" missing?");
		error = read_word(r, &w);
		if (!error && node && w.line > line && begins_directive(&w))
			return lint_fail(
				r->run, r->file, line, end_column,
				"%.60s is not ended by \";\" before %s",
				node->name, w.text);
		if (!error && !node)
			node = lint_node_new(r->run, parent, r->file, w.line,
					     w.column, w.text);
		else if (!error)
			error = lint_node_arg(r->run, node,
					      bytes_of(w.text, w.len));
		if (error || !node)
			return error ? error : SESAME_EINVAL;
	}
	*ret = node;
	*ret_end = c;
	return 0;
}

static void end_node(struct reader *r, struct lint_node *node)
{
	node->last_line = r->line;
	node->last_column = column(r);
	next(r);
}

/* One directive, without what is in its block. */
static int read_directive(struct reader *r, struct lint_node *parent,
			  struct lint_node **ret)
{
	struct lint_node *node;
	int end, error = read_words(r, parent, &node, &end);

	if (error)
		return error;
	node->block = end == '{';
	end_node(r, node);
	*ret = node;
	if (node->block && is_lua(node->name)) {
		node->block = false;
		return skip_lua(r, node);
	}
	if (!node->block && strcmp(node->name, "include") == 0)
		return include(r, node, parent);
	return 0;
}

/* Whether what is read is inside of what the file itself opened. */
static int close_block(struct reader *r, struct lint_node **level, int *depth)
{
	if (*depth == 0)
		return unexpected(r, "a \"}\" that closes nothing; is one too "
				     "many above?");
	end_node(r, *level);
	*level = (*level)->parent;
	--*depth;
	return 0;
}

static int open_block(struct reader *r, struct lint_node *node, int *depth)
{
	if (++*depth > LINT_MAX_DEPTH)
		return lint_fail(r->run, node->file, node->line, node->column,
				 "blocks in blocks, more than %d deep",
				 LINT_MAX_DEPTH);
	return 0;
}

static int read_all(struct reader *r, struct lint_node *level)
{
	struct lint_node *node = NULL;
	int depth = 0, error = 0;

	for (skip_blank(r); !error && peek(r) >= 0; skip_blank(r)) {
		if (peek(r) == '}') {
			error = close_block(r, &level, &depth);
			continue;
		}
		if (peek(r) == ';' || peek(r) == '{')
			return unexpected(r, peek(r) == ';'
						     ? "a \";\" that ends "
						       "nothing"
						     : "a block needs a name "
						       "before its \"{\"");
		error = read_directive(r, level, &node);
		if (!error && node->block) {
			level = node;
			error = open_block(r, node, &depth);
		}
	}
	if (!error && depth)
		return lint_fail(
			r->run, level->file, level->line, level->column,
			"the block of %.60s is never closed: a \"}\" is "
			"missing",
			level->name);
	return error;
}

static bool is_open(const struct reader *r, const char *file)
{
	for (; r; r = r->outer)
		if (strcmp(r->file, file) == 0)
			return true;
	return false;
}

static int read_text(struct lint_run *run, struct lint_node *parent,
		     const char *file, struct bytes text,
		     const struct reader *outer)
{
	struct reader r = {
		.run = run,
		.file = file,
		.text = text,
		.line = 1,
		.outer = outer,
		.main = outer ? outer->main : file,
		.includes = outer ? outer->includes + 1 : 0,
	};

	if (bytes_starts(text, BYTES("\xef\xbb\xbf"))) /* a byte order mark */
		r.at = r.line_start = 3;
	return read_all(&r, parent);
}

static int read_file(struct lint_run *run, struct lint_node *parent,
		     const char *path, const struct lint_node *from,
		     const struct reader *outer)
{
	struct bytes text;
	const char *name;
	int error = lint_read(run, path, from, &text, &name);

	if (error)
		return error;
	if (is_open(outer, name))
		return lint_fail(run, from->file, from->line, from->column,
				 "%.200s includes itself", name);
	if (outer->includes >= LINT_MAX_DEPTH)
		return lint_fail(run, from->file, from->line, from->column,
				 "includes in includes, more than %d deep",
				 LINT_MAX_DEPTH);
	return read_text(run, parent, name, text, outer);
}

/* ---- nginx -T ---- */

/* Whether a line begins a file: "# configuration file /etc/nginx/nginx.conf:" */
static bool is_mark(struct bytes line, struct bytes *ret_name)
{
	struct bytes mark = BYTES(MARK);

	while (line.len && is_blank(line.data[line.len - 1]))
		line.len--;
	if (!bytes_starts(line, mark) || line.len < mark.len + 2 ||
	    line.data[line.len - 1] != ':')
		return false;
	*ret_name = bytes_of(line.data + mark.len, line.len - mark.len - 1);
	return ret_name->data[0] == '/';
}

struct dump {
	struct lint_run *run;
	struct bytes name, text; /* of the part that is being cut out */
	const char *first;	 /* the main file's name */
};

/* The part ends where @end begins; nginx added one newline. */
static int end_part(struct dump *d, const uint8_t *end)
{
	char name[MAX_WORD];
	size_t len = (size_t)(end - d->text.data);
	int error;

	if (!d->name.len)
		return 0;
	snprintf(name, sizeof(name), "%.*s", BYTES_ARG(d->name));
	if (len && d->text.data[len - 1] == '\n')
		len--;
	error = lint_add_part(d->run, name, bytes_of(d->text.data, len));
	if (!error && !d->first) {
		d->first = lint_keep(d->run, bytes_of_str(name));
		error = d->first ? 0 : SESAME_ENOMEM;
	}
	return error;
}

static int cut_parts(struct dump *d, struct bytes text)
{
	struct bytes rest = text, name;
	int error = 0;

	while (rest.len && !error) {
		ptrdiff_t end = bytes_find_byte(rest, '\n');
		size_t len = end < 0 ? rest.len : (size_t)end + 1;

		if (is_mark(bytes_first(rest, len), &name)) {
			error = end_part(d, rest.data);
			d->name = name;
			d->text = bytes_from(rest, len);
		}
		rest = bytes_from(rest, len);
	}
	return error ? error : end_part(d, text.data + text.len);
}

int nginx_parse(struct lint_run *run, const char *file, struct bytes text)
{
	struct dump d = {.run = run};
	int error = cut_parts(&d, text);
	struct bytes part;
	const char *name;

	if (error || !d.first)
		return error ? error
			     : read_text(run, run->root, file, text, NULL);
	error = lint_read(run, d.first, NULL, &part, &name);
	if (error)
		return error;
	run->root->file = name;
	return read_text(run, run->root, name, part, NULL);
}
