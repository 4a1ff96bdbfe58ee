/* SPDX-License-Identifier: MIT */
/*
 * Lines of Apache into the tree. What is hard: a line ends where no backslash
 * stands before its newline, ${NAME} is replaced before words are cut, and
 * <IfModule> and <IfDefine> are decided on the way, by what was loaded and
 * defined above them. A section that does not hold is kept, but not as a block,
 * so that it can be shown and is never entered.
 */
#include "lint/apache.h"

#include <ctype.h>
#include <sesame/error.h>
#include <stdio.h>

#define MAX_LINE 16384

struct place {
	struct apache *a;
	const char *file;
	struct bytes rest;
	unsigned line;
	struct lint_node *parent, *top;
	int depth; /* of includes */
	int r;
};

static int parse_file(struct apache *a, const char *file, struct bytes text,
		      struct lint_node *parent, int depth);

enum lint_truth apache_module(const struct apache *a, const char *name)
{
	/* Built into Debian's server. */
	static const char *const built_in[] = {
		"core",	   "so",       "http",	"log_config", "logio",
		"version", "watchdog", "unixd", "systemd",    "log_debug",
	};
	char wanted[64];
	size_t i;

	if (lint_begins(name, "mod_"))
		snprintf(wanted, sizeof(wanted), "%.*s",
			 (int)strcspn(name + 4, "."), name + 4);
	else
		snprintf(wanted, sizeof(wanted), "%s", name);
	if (strstr(wanted, "_module"))
		*strstr(wanted, "_module") = '\0';
	for (i = 0; i < sizeof(built_in) / sizeof(*built_in); i++)
		if (strcmp(wanted, built_in[i]) == 0)
			return LINT_YES;
	for (i = 0; i < a->n_modules; i++)
		if (strncmp(a->module[i], wanted, strlen(wanted)) == 0 &&
		    strcmp(a->module[i] + strlen(wanted), "_module") == 0)
			return LINT_YES;
	return a->n_modules ? LINT_NO : LINT_PERHAPS;
}

static const char *variable(const struct apache *a, const char *name, size_t len)
{
	size_t i;

	for (i = a->n_defined; i > 0; i--)
		if (a->defined[i - 1] && strlen(a->defined[i - 1]) == len &&
		    memcmp(a->defined[i - 1], name, len) == 0)
			return a->value[i - 1];
	return NULL;
}

/* Replace ${NAME} in place; a name that nobody defined stays as it is. */
static void expand(const struct apache *a, char *line, size_t size)
{
	char out[MAX_LINE];
	size_t used = 0, i = 0;

	if (!strstr(line, "${"))
		return;
	while (line[i] && used + 1 < size) {
		const char *end = strncmp(line + i, "${", 2) == 0
					  ? strchr(line + i, '}')
					  : NULL;
		size_t len = end ? (size_t)(end - line) - i - 2 : 0;
		const char *value = end ? variable(a, line + i + 2, len) : NULL;

		if (!value) {
			out[used++] = line[i++];
			continue;
		}
		if (strlen(value) >= size - used)
			break;
		memcpy(out + used, value, strlen(value));
		used += strlen(value);
		i += len + 3;
	}
	out[used] = '\0';
	memcpy(line, out, used + 1);
}

/* The next line of the text, without its end; whether the one after is part of
 * it. */
static struct bytes take_line(struct place *p, bool *ret_more)
{
	ptrdiff_t end = bytes_find_byte(p->rest, '\n');
	struct bytes line =
		bytes_first(p->rest, end < 0 ? p->rest.len : (size_t)end);

	p->rest = bytes_from(p->rest, line.len + 1);
	p->line++;
	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	*ret_more = line.len && line.data[line.len - 1] == '\\';
	line.len -= *ret_more;
	return line;
}

/* One logical line. 1, 0 at the end, or an error. */
static int next_line(struct place *p, char *line, unsigned *ret_first,
		     unsigned *ret_column)
{
	size_t used = 0;
	bool more = true, blank = true;

	if (!p->rest.len)
		return 0;
	*ret_first = p->line + 1;
	*ret_column = 1;
	while (more && p->rest.len) {
		struct bytes part = take_line(p, &more);
		size_t indent = 0;

		while (blank && indent < part.len && isspace(part.data[indent]))
			indent++;
		if (blank && indent < part.len) {
			blank = false;
			*ret_first = p->line;
			*ret_column = (unsigned)indent + 1;
		}
		part = bytes_from(part, indent);
		if (part.len >= MAX_LINE - used)
			return lint_fail(p->a->run, p->file, p->line, 1,
					 "this line is longer than %d bytes",
					 MAX_LINE);
		if (part.len)
			memcpy(line + used, part.data, part.len);
		used += part.len;
	}
	while (used && isspace((unsigned char)line[used - 1]))
		used--;
	line[used] = '\0';
	return 1;
}

/* Cut a word off as ap_getword_conf() does; false: there is none. */
static bool next_word(char **at, struct bytes *ret)
{
	char *s = *at, *out, quote;

	while (isspace((unsigned char)*s))
		s++;
	if (!*s)
		return false;
	ret->data = (const uint8_t *)s;
	quote = *s == '"' || *s == '\'' ? *s : '\0';
	if (!quote) {
		while (*s && !isspace((unsigned char)*s))
			s++;
		ret->len = (size_t)(s - (char *)ret->data);
		*at = s;
		return true;
	}
	out = s++;
	ret->data = (const uint8_t *)out;
	while (*s && *s != quote) {
		if (*s == '\\' && (s[1] == quote || s[1] == '\\'))
			s++;
		*out++ = *s++;
	}
	ret->len = (size_t)(out - (char *)ret->data);
	*at = *s ? s + 1 : s;
	return true;
}

/* ---- what is decided while reading ---- */

static bool defined(const struct apache *a, const char *name)
{
	return variable(a, name, strlen(name)) != NULL;
}

/* Whether the content of <IfModule x> and the like holds. */
static bool holds(const struct apache *a, const struct lint_node *node)
{
	const char *what = lint_arg(node, 0);
	bool negated = *what == '!';
	enum lint_truth truth;

	what += negated;
	if (lint_same(node->name, "IfModule"))
		truth = apache_module(a, what);
	else if (lint_same(node->name, "IfDefine"))
		truth = lint_truth(defined(a, what));
	else
		return true; /* IfVersion, IfFile, IfDirective: cannot be told */
	if (truth == LINT_PERHAPS)
		return !negated;
	return (truth == LINT_YES) != negated;
}

static void define(struct place *p, const struct lint_node *node)
{
	struct apache *a = p->a;
	size_t i;

	if (lint_same(node->name, "UnDefine")) {
		for (i = 0; i < a->n_defined; i++)
			if (a->defined[i] &&
			    strcmp(a->defined[i], lint_arg(node, 0)) == 0)
				a->defined[i] = NULL;
	} else if (a->n_defined < APACHE_MAX_NAMES) {
		a->defined[a->n_defined] = lint_arg(node, 0);
		a->value[a->n_defined++] = lint_arg(node, 1);
	}
}

struct including {
	struct place *p;
	const struct lint_node *node;
	int n;
};

static void on_found(void *ctx, const char *path)
{
	struct including *in = ctx;
	struct place *p = in->p;
	struct bytes text;
	const char *name;

	in->n++;
	if (p->r != 0)
		return;
	p->r = lint_read(p->a->run, path, in->node, &text, &name);
	if (p->r == 0)
		p->r = parse_file(p->a, name, text, p->parent, p->depth + 1);
}

/* Where a relative include is: under ServerRoot, which for a tree that is not
 * at its place is the folder of the main file. */
static const char *include_path(struct place *p, const char *path)
{
	char joined[4096];

	if (path[0] == '/' || !p->a->root_folder)
		return lint_path_beside(p->a->run, p->a->main_file, path);
	snprintf(joined, sizeof(joined), "%s/%s", p->a->root_folder, path);
	return lint_keep(p->a->run, bytes_of_str(joined));
}

static void include(struct place *p, const struct lint_node *node)
{
	bool optional = lint_same(node->name, "IncludeOptional");
	struct including in = {p, node, 0};
	const char *path = include_path(p, lint_arg(node, 0));
	bool pattern;

	if (!path) {
		p->r = SESAME_ENOMEM;
		return;
	}
	if (p->depth >= LINT_MAX_DEPTH) {
		p->r = lint_fail(p->a->run, node->file, node->line, node->column,
				 "includes within includes, more than %d deep",
				 LINT_MAX_DEPTH);
		return;
	}
	pattern = strpbrk(path, "*?[") != NULL;
	if (pattern || optional)
		lint_list(p->a->run, path, on_found, &in);
	else
		on_found(&in, path);
}

static void take_notice(struct place *p, const struct lint_node *node)
{
	struct apache *a = p->a;

	if (lint_same(node->name, "LoadModule")) {
		if (a->n_modules < APACHE_MAX_NAMES && node->n_args)
			a->module[a->n_modules++] = lint_arg(node, 0);
	} else if (lint_same(node->name, "Define") ||
		   lint_same(node->name, "UnDefine")) {
		define(p, node);
	} else if (lint_same(node->name, "ServerRoot")) {
		a->root_folder = lint_arg(node, 0);
	} else if ((lint_same(node->name, "Include") ||
		    lint_same(node->name, "IncludeOptional")) &&
		   node->n_args) {
		include(p, node);
	}
}

/* ---- lines ---- */

static bool off(const struct lint_node *node)
{
	for (; node; node = node->parent)
		if (node->name && !node->block && node->parent &&
		    (lint_same(node->name, "IfModule") ||
		     lint_same(node->name, "IfDefine")))
			return true;
	return false;
}

static void add_args(struct place *p, struct lint_node *node, char *at)
{
	struct bytes word;

	while (p->r == 0 && next_word(&at, &word))
		p->r = lint_node_arg(p->a->run, node, word);
}

static struct lint_node *add_node(struct place *p, char *line, char **ret_args,
				  unsigned first, unsigned column)
{
	size_t len = strcspn(line, " \t\r\v\f");
	char end = line[len];
	const char *name;
	struct lint_node *node;

	line[len] = '\0';
	*ret_args = line + len + (end != '\0');
	name = lint_keep(p->a->run, bytes_of_str(line));
	node = name ? lint_node_new(p->a->run, p->parent, p->file, first,
				    column, name)
		    : NULL;
	if (!node && p->r == 0)
		p->r = p->a->run->error->text[0] ? SESAME_EINVAL : SESAME_ENOMEM;
	else if (node)
		node->last_line = p->line;
	return node;
}

static void open_section(struct place *p, char *line, unsigned first,
			 unsigned column)
{
	size_t len = strlen(line);
	struct lint_node *node, *up;
	int depth = 0;
	char *args;

	if (line[len - 1] == '>')
		line[len - 1] = '\0';
	node = add_node(p, line + 1, &args, first, column);
	if (!node)
		return;
	add_args(p, node, args);
	node->block = holds(p->a, node);
	p->parent = node;
	for (up = node; up; up = up->parent)
		depth++;
	if (depth > LINT_MAX_DEPTH)
		p->r = lint_fail(p->a->run, p->file, first, column,
				 "sections within sections, more than %d deep",
				 LINT_MAX_DEPTH);
}

static void close_section(struct place *p, char *line, unsigned first,
			  unsigned column)
{
	size_t len = strcspn(line + 2, ">");

	line[2 + len] = '\0';
	if (p->parent == p->top) {
		p->r = lint_fail(p->a->run, p->file, first, column,
				 "</%s> without its <%s>", line + 2, line + 2);
		return;
	}
	if (!lint_same(p->parent->name, line + 2)) {
		p->r = lint_fail(p->a->run, p->file, first, column,
				 "</%s> closes <%s> of line %u", line + 2,
				 p->parent->name, p->parent->line);
		return;
	}
	p->parent->last_line = p->line;
	p->parent = p->parent->parent;
}

static void read_line(struct place *p, char *line, unsigned first,
		      unsigned column)
{
	struct lint_node *node;
	char *args;

	if (!*line || *line == '#')
		return;
	expand(p->a, line, MAX_LINE);
	if (strncmp(line, "</", 2) == 0) {
		close_section(p, line, first, column);
	} else if (*line == '<') {
		open_section(p, line, first, column);
	} else {
		node = add_node(p, line, &args, first, column);
		if (!node)
			return;
		add_args(p, node, args);
		if (p->r == 0 && !off(p->parent))
			take_notice(p, node);
	}
}

static int parse_file(struct apache *a, const char *file, struct bytes text,
		      struct lint_node *parent, int depth)
{
	struct place p = {.a = a,
			  .file = file,
			  .rest = text,
			  .parent = parent,
			  .top = parent,
			  .depth = depth};
	char line[MAX_LINE];
	unsigned first, column;
	int r;

	while (p.r == 0 && (r = next_line(&p, line, &first, &column)) != 0)
		p.r = r < 0 ? r : (read_line(&p, line, first, column), p.r);
	if (p.r == 0 && p.parent != p.top)
		return lint_fail(a->run, file, p.parent->line, p.parent->column,
				 "<%s> is never closed", p.parent->name);
	return p.r;
}

int apache_parse(struct apache *a, const char *file, struct bytes text)
{
	return parse_file(a, file, text, a->run->root, 0);
}
