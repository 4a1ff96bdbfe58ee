/* SPDX-License-Identifier: MIT */
/*
 * Apache httpd 2.4: the servers of a configuration (the main one and its
 * virtual hosts), each with its directives in order, and what happens there to
 * a request for a path.
 */
#ifndef LINT_APACHE_H
#define LINT_APACHE_H

#include "lint/match.h"

#define APACHE_MAX_SERVERS 256
#define APACHE_MAX_NAMES   256 /* modules; variables */

/* A directive and where it holds: <Location> and its kin, or NULL: all over. */
struct apache_item {
	const struct lint_node *node;
	const struct lint_node *section;
	bool perhaps; /* within an <If> */
};

struct apache_server {
	const struct lint_node *vhost; /* NULL: the main server */
	struct apache_item *item;
	size_t n_items, room;
	bool tls;
	bool rewrites; /* RewriteEngine is on, but for what sections say */
};

struct apache {
	struct lint_run *run;
	const char *module[APACHE_MAX_NAMES]; /* of LoadModule: "rewrite_module" */
	size_t n_modules;
	const char *defined[APACHE_MAX_NAMES], *value[APACHE_MAX_NAMES];
	size_t n_defined;
	const char *main_file, *root_folder;
	struct apache_server server[APACHE_MAX_SERVERS];
	size_t n_servers;
	bool no_memory;
	long *patience; /* looks that are left */
};

static inline bool apache_tired(const struct apache *a)
{
	return --*a->patience < 0;
}

/* ---- apache_parse.c ---- */

int apache_parse(struct apache *a, const char *file, struct bytes text);
/* Whether a module is loaded: "mod_rewrite.c" or "rewrite_module". PERHAPS when
 * no LoadModule was seen at all: the file is a part of something. */
enum lint_truth apache_module(const struct apache *a, const char *name);

/* ---- apache_route.c ---- */

enum apache_end {
	APACHE_NOWHERE,	 /* no rule takes it: files, or 404 */
	APACHE_TUNNEL,	 /* to something as a WebSocket */
	APACHE_PLAIN,	 /* to something in HTTP, without Upgrade */
	APACHE_REDIRECT, /* somewhere else */
	APACHE_REFUSED,	 /* RewriteRule [F] */
	APACHE_EXCLUDED, /* ProxyPass ! */
};

/* What happens to a WebSocket request for a path. */
struct apache_fate {
	enum apache_end end;
	const struct apache_item *by; /* NULL: nothing */
	enum lint_truth sure;	      /* PERHAPS: a condition could not be told */
};

int apache_collect(struct apache *a);
void apache_forget(struct apache *a);
/* The server that answers the request, NULL: none is there. */
const struct apache_server *apache_choose(const struct apache *a,
					  const struct lint_request *request);
enum lint_truth apache_covers(const struct lint_node *section,
			      const char *path);
void apache_follow(const struct apache *a, const struct apache_server *server,
		   const char *path, struct apache_fate *ret);

/* ProxyPass, ProxyPassMatch, as it is meant. */
struct apache_pass {
	const char *path;   /* "/chat"; a pattern; of the section; or "" */
	const char *target; /* "ws://127.0.0.1:9/", "!" */
	bool match;	    /* path is a pattern */
	bool upgrade;	    /* upgrade=..., here or at all members */
};
bool apache_read_pass(const struct apache *a, const struct apache_item *item,
		      struct apache_pass *ret);
enum lint_truth apache_pass_takes(const struct apache_item *item,
				  const struct apache_pass *pass,
				  const char *path);
bool apache_is_ws(const char *target);

/* A RewriteRule with the conditions above it. */
struct apache_rewrite {
	const struct apache_item *rule;
	const struct apache_item *cond[16];
	size_t n_conds;
	const char *pattern, *target, *flags;
	bool proxy, redirect, forbidden, last, negated;
	bool on_upgrade; /* a condition asks for Upgrade or Connection */
};
/* The next rewrite from *at on; false: no more. */
bool apache_next_rewrite(const struct apache_server *server, size_t *at,
			 struct apache_rewrite *ret);
/* One condition, without its flags' OR. */
enum lint_truth apache_cond(const struct apache *a,
			    const struct apache_server *server,
			    const struct lint_node *cond, const char *path);
enum lint_truth apache_rewrite_takes(const struct apache *a,
				     const struct apache_server *server,
				     const struct apache_rewrite *r,
				     const char *path);
bool apache_flag(const char *flags, const char *flag);
/* RewriteEngine's state for this item's place. */
bool apache_engine_on(const struct apache_server *server,
		      const struct lint_node *section);

/* ---- apache_rules.c ---- */

int apache_judge(struct apache *a);

#endif
