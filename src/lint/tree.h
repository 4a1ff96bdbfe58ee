/* SPDX-License-Identifier: MIT */
/*
 * Between lint's languages and what they share: files with their includes, the
 * tree of directives, and the findings. Everything lives as long as the report.
 */
#ifndef LINT_TREE_H
#define LINT_TREE_H

#include "lint/lint.h"

#define LINT_MAX_NODES 200000
#define LINT_MAX_ARGS  4096 /* names of a server, patterns of an acl */

/* A directive, a block, a section: "location ~ /ws { ... }". */
struct lint_node {
	const char *name; /* "location"; as written */
	const char **arg; /* "~", "/ws"; quotes and escapes undone */
	size_t n_args;
	const char *file;
	unsigned line, column; /* of the name */
	unsigned last_line;    /* of its end: of the ';', or of the '}' */
	unsigned last_column;  /* of the same; 0: not known */
	bool block;	       /* it can have children */
	uint64_t names;	       /* of its children, one bit for each: a sieve */
	struct lint_node *parent, *first, *last, *next;
};

/* One reading of one configuration. */
struct lint_run {
	const struct lint_files *files;
	const struct lint_request *request; /* or NULL */
	struct lint_report *report;
	struct lint_error *error;
	struct lint_node *root; /* nameless; children: the main level */
	void *own;		/* of the language at work */
};

/* ---- source.c ---- */

/*
 * The content of a file, kept with the report; once read it is not read again.
 * It holds no NUL byte. @from: the node that asked for it, or NULL for the main
 * file. An included file that cannot be read is a finding (CANNOT_READ) and as
 * good as empty: 0. SESAME_EINVAL with the error filled (the main file cannot be
 * read; too much in all; too many; a NUL byte), or SESAME_ENOMEM.
 */
int lint_read(struct lint_run *run, const char *path,
	      const struct lint_node *from, struct bytes *ret,
	      const char **ret_name);
/* A file that is part of another's text, which must live as long as the report
 * (nginx -T). lint_read() finds it by its name then. Errors as lint_read(). */
int lint_add_part(struct lint_run *run, const char *name, struct bytes text);
/* Call @found for each file that the pattern of an include means; parts that
 * were added come instead of the file system's when there are any. */
int lint_list(struct lint_run *run, const char *pattern,
	      void (*found)(void *ctx, const char *path), void *ctx);
/* @path beside the file @beside unless it is absolute; kept with the report. */
const char *lint_path_beside(struct lint_run *run, const char *beside,
			     const char *path);
/* A copy of @text, kept with the report; NULL: out of memory, or too much. */
const char *lint_keep(struct lint_run *run, struct bytes text);
/* A new last child of @parent; NULL: too many nodes (error filled) or memory. */
struct lint_node *lint_node_new(struct lint_run *run, struct lint_node *parent,
				const char *file, unsigned line,
				unsigned column, const char *name);
/* Append an argument. 0 or an error (error filled). */
int lint_node_arg(struct lint_run *run, struct lint_node *node,
		  struct bytes text);
/* Fill the error (the first one stays) and return SESAME_EINVAL. */
int lint_fail(struct lint_run *run, const char *file, unsigned line,
	      unsigned column, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* Line @n of @file as it is, without its newline; empty when there is none. */
struct bytes lint_line(struct lint_run *run, const char *file, unsigned n);

/* ---- tree.c: looking ---- */

/* The bit of a name in lint_node.names; ASCII case ignored. */
uint64_t lint_name_bit(const char *name);

/* The first child called @name (ASCII case ignored), from @after's next; NULL. */
const struct lint_node *lint_child(const struct lint_node *node,
				   const char *name,
				   const struct lint_node *after);
/* The next node in the order of the text, children first; NULL at the end. */
const struct lint_node *lint_next(const struct lint_node *node);
/* The argument @i, or "". */
const char *lint_arg(const struct lint_node *node, size_t i);

/* ---- finding.c ---- */

/*
 * Add a finding at @node (NULL: the file as a whole). Returns it so that fix
 * and edits can be added, or NULL when there are too many (or no memory, which
 * lint_file() notices).
 */
struct lint_finding *lint_note(struct lint_run *run, enum lint_rule rule,
			       const struct lint_node *node, bool sure,
			       const char *where, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/*
 * Lines to paste; and edits. Both accept a NULL finding. The text of an edit is
 * one or more lines; a final newline is added when it is missing. A finding
 * with more edits than it can hold has none: half a remedy is none.
 */
void lint_fix(struct lint_finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, of lines that stand in place of line @line. */
void lint_fix_instead(struct lint_finding *f, unsigned line, const char *format,
		      ...) __attribute__((format(printf, 3, 4)));
void lint_insert(struct lint_run *run, struct lint_finding *f,
		 const char *file, unsigned below_line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void lint_replace(struct lint_run *run, struct lint_finding *f,
		  const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* @text (no newline is added) for @len bytes (UINT_MAX: all the others) behind the
 * first @from of a line. */
void lint_change(struct lint_run *run, struct lint_finding *f,
		 const char *file, unsigned line, unsigned from, unsigned len,
		 const char *text);
void lint_delete(struct lint_run *run, struct lint_finding *f,
		 const char *file, unsigned line);

/* Take back the edits that were added: the file has to be mended by hand. */
void lint_no_edits(struct lint_finding *f);

/* ---- the languages: parse @text of @file into run->root, and judge ---- */

int lint_nginx(struct lint_run *run, const char *file, struct bytes text);
int lint_apache(struct lint_run *run, const char *file, struct bytes text);
int lint_haproxy(struct lint_run *run, const char *file, struct bytes text);
int lint_caddy(struct lint_run *run, const char *file, struct bytes text);

#endif
