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
/* The server that answers the request; *ret_sure: an address that is not known
 * might choose another. */
const struct apache_server *apache_choose(const struct apache *a,
					  const struct lint_request *request,
					  bool *ret_sure);
enum lint_truth apache_covers(const struct lint_node *section,
			      const char *path);
void apache_follow(const struct apache *a, const struct apache_server *server,
		   const char *path, struct apache_fate *ret);

/* The part of it that ProxyPass decides: false, and *ret as it was, when none
 * takes the path. */
bool apache_follow_passes(const struct apache *a,
			  const struct apache_server *server, const char *path,
			  struct apache_fate *ret);

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
bool apache_is_balancer(const char *target);
/* "upgrade=websocket" of a ProxyPass or a BalancerMember, or NULL. */
const char *apache_upgrade_word(const struct lint_node *n);
/* Whether this is a BalancerMember of balancer://NAME, and takes WebSockets. */
bool apache_is_member(const struct apache_item *it, const char *target);
bool apache_member_upgrades(const struct apache_item *it);

/* A RewriteRule with the conditions above it. */
struct apache_rewrite {
	const struct apache_item *rule;
	const struct apache_item *cond[16];
	size_t n_conds;
	const char *pattern, *target, *flags;
	bool proxy, redirect, forbidden, last, negated;
	bool on_upgrade; /* a condition asks for Upgrade or Connection */
	bool skipped;	 /* perhaps, by [C] or [S=n] of a rule above it */
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
/* Whether a worker with upgrade= serves this http:// target: [P] shares it. */
bool apache_shares_worker(const struct apache *a, const char *target);
/* RewriteEngine's state for this item's place. */
bool apache_engine_on(const struct apache_server *server,
		      const struct lint_node *section);

/* ---- apache_note.c ---- */

/* A path that WebSockets take. */
struct apache_probe {
	struct apache *a;
	struct lint_run *run;
	const struct apache_server *server;
	const char *path;
	bool sure;
	struct apache_fate fate;
};

/* "<Location /ws>", "<VirtualHost *:80>" or "". */
const char *apache_place(const struct apache_item *item,
			 const struct apache_server *server, char *out,
			 size_t size);
/* Edits, and the lines to paste: @more behind the line of @node; @line above
 * it; @line instead of it; and without it. */
void apache_append(struct lint_run *run, struct lint_finding *f,
		   const struct lint_node *node, const char *more);
void apache_put_above(struct lint_run *run, struct lint_finding *f,
		      const struct lint_node *node, const char *line);
void apache_put_instead(struct lint_run *run, struct lint_finding *f,
			const struct lint_node *node, const char *line);
void apache_take_out(struct lint_run *run, struct lint_finding *f,
		     const struct lint_node *node);
/* The directive that holds for the probe, or NULL. */
const struct apache_item *apache_setting(const struct apache_probe *p,
					 const char *name);
bool apache_applies(const struct apache_probe *p, const struct apache_item *it);

/* ---- apache_rewrite.c ---- */

bool apache_meant_for_ws(const struct apache_rewrite *r);
/* True: the server has a rule for WebSockets, and it does not work. */
bool apache_judge_rewrites(const struct apache *a,
			   const struct apache_server *s);

/* ---- apache_access.c ---- */

void apache_judge_forbidden(const struct apache_probe *p);
void apache_judge_requires(const struct apache_probe *p);
void apache_judge_old_access(const struct apache_probe *p,
			     const struct apache_server *s);
void apache_judge_limits(const struct apache_probe *p);

/* ---- apache_forward.c ---- */

/* A ProxyPass that would carry the probe's WebSocket, had it been asked; in its
 * server or in the main one. NULL: there is none. */
const struct apache_item *apache_unheard_anywhere(const struct apache_probe *p);
/* What the probe ends at speaks plain HTTP. @broken_rule: a rule that does not
 * work was told already. */
void apache_judge_plain(const struct apache_probe *p, bool broken_rule);
/* upgrade= at a ProxyPass whose balancer does not take it. */
void apache_judge_misplaced(const struct apache_probe *p);
void apache_judge_redirect(const struct apache_probe *p);
/* Nothing takes the path, or something that is to leave it alone. */
void apache_judge_nowhere(const struct apache_probe *p);

/* ---- apache_sibling.c ---- */

/* Whether one is the plain server and the other the TLS server of one name. */
bool apache_siblings(const struct apache *a, const struct apache_server *x,
		     const struct apache_server *y);
/* The probe's server does not serve the path; a plain one of the same name
 * may. Returns whether it does. */
bool apache_judge_sibling(const struct apache_probe *p);

/* ---- apache_way.c ---- */

/* What is done to the probe's WebSocket on its way to what takes it. */
void apache_judge_way(const struct apache_probe *p);
/* <IfModule> around rules for WebSocket from @n on, where the module is not
 * there; @skipped: the one around all of them, or NULL. */
void apache_judge_skipped(const struct apache *a, const struct lint_node *n,
			  const struct lint_node *skipped);

/* ---- apache_rules.c ---- */

int apache_judge(struct apache *a);

#endif
