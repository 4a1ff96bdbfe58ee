/* SPDX-License-Identifier: MIT */
/*
 * WebSocket mistakes in the configurations of nginx, Apache httpd, HAProxy and
 * Caddy. A configuration is parsed into a tree of directives that know their
 * file and line; rules look at the tree, for every route in it or for the one
 * that serves a given request. Pure: files come through a function.
 *
 *   lint.c        the story: tell the language, parse, judge, sort
 *   source.c      files and their includes, all bounded
 *   nginx.c       blocks and rules of nginx, `nginx -T` output too
 *   apache.c haproxy.c caddy.c
 *   field.c       fields whose names are misspelt, in any language
 *   patch.c       the edits of all findings as one unified diff
 *   line.c        several changes of one line
 *   trial.c       whether the patch mends: what it leaves is judged again
 *   rules.def     every rule, with the cause it leads to
 */
#ifndef LINT_LINT_H
#define LINT_LINT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "why/cause.h"

#define LINT_MAX_FILES	  1024
#define LINT_MAX_BYTES	  (16 * 1024 * 1024) /* of all files together */
#define LINT_MAX_DEPTH	  32		     /* includes in includes, blocks in blocks */
#define LINT_MAX_FINDINGS 128
#define LINT_MAX_EDITS	  24 /* of one finding */

enum lint_language {
	LINT_UNKNOWN,
	LINT_NGINX,
	LINT_APACHE,
	LINT_HAPROXY,
	LINT_CADDY,
};

enum lint_rule {
#define RULE(symbol, ...) LINT_##symbol,
#include "lint/rules.def"
#undef RULE
	LINT_N_RULES
};

/*
 * Where files come from. read() puts the content of @path into *ret (freed
 * with free()) and returns 0, or an errno; list() calls @found for each path
 * that the pattern of an include means, in order. @ctx is theirs.
 */
struct lint_files {
	int (*read)(void *ctx, const char *path, char **ret, size_t *ret_len);
	int (*list)(void *ctx, const char *pattern,
		    void (*found)(void *found_ctx, const char *path),
		    void *found_ctx);
	void *ctx;
};

/* The request that is to be served; what is not known is NULL or 0. */
struct lint_request {
	bool tls;
	const char *host; /* as in the URL, without the port */
	uint16_t port;
	const char *path; /* without the query */
	const char *origin;	/* NULL: none is sent */
	const char *user_agent; /* NULL: none is sent */
};

/* One change of one file. */
struct lint_edit {
	enum lint_edit_kind {
		LINT_INSERT_AFTER, /* @text below line @line; 0: on top */
		LINT_REPLACE,	   /* line @line by @text */
		LINT_DELETE,	   /* line @line */
		LINT_CHANGE,	   /* a part of line @line by @text */
	} kind;
	const char *file; /* owned by the report */
	unsigned line;	  /* from 1 */
	char *text;	  /* whole lines, each ended by a newline; owned */
	/* Of LINT_CHANGE: the bytes before the part, and those of it (UINT_MAX:
	 * to the end of the line). A line of which nothing is left goes. */
	unsigned from, len;
};

struct lint_finding {
	enum lint_rule rule;
	const char *file; /* owned by the report */
	unsigned line, column; /* from 1; 0: the file as a whole */
	/* What is affected, as the configuration names it: "location /ws",
	 * "<Location /ws>", "backend app"; "" : everything. */
	char where[128];
	char text[384];	  /* what is wrong and what comes of it; one sentence */
	char fix[512];	  /* lines to paste, or "" */
	unsigned instead; /* the line that @fix stands in place of, or 0 */
	/* Sure that a WebSocket is meant to pass here: the block has signs of
	 * one, or the request leads to it. Doctor weighs only these. */
	bool sure;
	struct lint_edit edit[LINT_MAX_EDITS];
	size_t n_edits;
	bool no_edits; /* there would be more than fit */
	bool stays;    /* lint_try() saw it again behind its own edits */
};

struct lint_report {
	enum lint_language language; /* of the last file that was given */
	struct lint_finding *finding; /* by file and line */
	size_t n_findings;
	bool truncated; /* there were more than LINT_MAX_FINDINGS */
	/* The block that serves the request: "default.conf:12 location /ws",
	 * or "" when there is none or no request was given. */
	char route[256];
	/* Files that were read; the findings' names point into it. */
	struct lint_source *source;
};

/* Where the lines of @fix go: "in place of line 11", "below line 12"; "" when
 * that is not known. */
const char *lint_fix_place(const struct lint_finding *f, char *out,
			   size_t size);

/* Why a configuration could not be judged. */
struct lint_error {
	char file[256];
	unsigned line, column;
	char text[384]; /* what is wrong and what would be right */
};

/*
 * Read @path and what it includes and look for mistakes: everywhere, or with
 * @request (may be NULL) where that leads. @language: LINT_UNKNOWN to tell it
 * from the content. 0 and *ret to be given to lint_report_fini(); SESAME_EINVAL
 * with *ret_error filled when the file cannot be read or makes no sense (a
 * missing include is a finding, not an error); SESAME_ENOMEM.
 */
int lint_file(const struct lint_files *files, const char *path,
	      enum lint_language language, const struct lint_request *request,
	      struct lint_report *ret, struct lint_error *ret_error);
void lint_report_fini(struct lint_report *report);

/*
 * Apply the patch in memory and judge what it leaves, by the same arguments as
 * lint_file(). Edits of a finding that would be told again are no remedy: they
 * go, and the finding says that it stays. Returns how many do, or an error.
 */
int lint_try(const struct lint_files *files, const char *path,
	     enum lint_language language, const struct lint_request *request,
	     struct lint_report *report);

/* Append the edits of all findings as a unified diff for `patch -p0`. Where two
 * would change one part of a line in two ways, the one whose rule comes first in
 * rules.def goes in, and the other not at all. Returns how many findings are
 * mended, or an error. */
int lint_patch(const struct lint_report *report, struct ses_buf *out);

const char *lint_rule_id(enum lint_rule rule);	   /* "upgrade-not-forwarded" */
enum why_cause lint_rule_cause(enum lint_rule rule);
const char *lint_rule_text(enum lint_rule rule);   /* what the rule looks for */
const char *lint_language_name(enum lint_language language); /* "nginx" */

#endif
