/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of lint for nginx: parsing, evaluating, routing, judging,
 * mending. A level is any block that directives are inherited through.
 */
#ifndef LINT_NGINX_H
#define LINT_NGINX_H

#include "lint/match.h"
#include "lint/tree.h"

/* ---- nginx_parse.c: text into run->root, includes in their place ---- */

/* The text of the main file, or what `nginx -T` prints. 0 or an error. */
int nginx_parse(struct lint_run *run, const char *file, struct bytes text);

/* ---- nginx_level.c: what holds where ---- */

bool nginx_is(const struct lint_node *node, const char *name);
/* The nearest @name at @level or around it, or NULL: a value of its own. */
const struct lint_node *nginx_value(const struct lint_node *level,
				    const char *name);
/* The level whose @name directives hold at @level: the nearest with any of its
 * own, which cancels those around it. NULL: none. */
const struct lint_node *nginx_list_level(const struct lint_node *level,
					 const char *name);
/* The proxy_set_header of @field that holds at @level, after @after; NULL. */
const struct lint_node *nginx_header(const struct lint_node *level,
				     const char *field,
				     const struct lint_node *after);
/* The nearest block called @name around @node, itself included, or NULL. */
const struct lint_node *nginx_around(const struct lint_node *node,
				     const char *name);
/* The server that @node is in; the root for a fragment without one. */
const struct lint_node *nginx_server(const struct lint_node *node);
/* Whether @node is an http server, or one of a fragment. */
bool nginx_is_http_server(const struct lint_node *node);
/* "location /ws", "server app.example", "the main level". */
void nginx_where(const struct lint_node *level, char *out, size_t size);
/* A finding at @node about @level; NULL: its place has it already. */
struct lint_finding *nginx_note(struct lint_run *run, enum lint_rule rule,
				const struct lint_node *level,
				const struct lint_node *node, bool sure,
				const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* ---- nginx_names.c: variables ---- */

/* A variable that the configuration makes: by map, set, a named group, ... */
struct nginx_name {
	const char *name;
	size_t len;
	const struct lint_node *node;
};

/* run->own: what is looked up often, and how much work was done. */
struct nginx_own {
	struct nginx_name *name; /* sorted */
	size_t n_names;
	size_t work;	   /* nodes that were looked at */
	unsigned regexes;  /* that were tried */
};

/* Collect the names. 0 or SESAME_ENOMEM; nginx_own_fini() in any case. */
int nginx_own_init(struct lint_run *run, struct nginx_own *own);
void nginx_own_fini(struct nginx_own *own);
/* The last `map` that makes $@name, or NULL. */
const struct lint_node *nginx_map(struct lint_run *run, const char *name);
/* Whether the configuration, or nginx itself, knows $@name. */
bool nginx_is_defined(struct lint_run *run, struct bytes name);
/* Some variable that was probably meant by @name, or NULL. */
const char *nginx_nearest(struct lint_run *run, const char *name, char *out,
			  size_t size);
/* lint_regex(), so often and no more. */
enum lint_truth nginx_regex(struct lint_run *run, const char *pattern,
			    bool nocase, const char *subject);
/* Cut the next variable off @text: "$name" or "${name}"; false: no more. */
bool nginx_next_variable(const char **text, struct bytes *ret);

/* ---- nginx_eval.c: what a value is for one request ---- */

#define NGINX_MAX_VALUE 1024
#define NGINX_MAX_SET	32
#define NGINX_NO_NAME	"any.invalid" /* for a server without a name */

/* What is known of the request, and what `set` has set so far. */
struct nginx_world {
	struct lint_run *run;
	const struct lint_node *server;
	bool tls;
	char host[256], http_host[272]; /* without and with the port */
	unsigned port;			/* that nginx listens on */
	const char *path, *origin, *user_agent;
	bool any_client; /* origin and user_agent are not known */
	bool unsure; /* what nobody can tell may lead it elsewhere */
	bool by_default; /* no server has this name: the default one took it */
	struct {
		const char *name;
		char value[256];
		bool known;
	} set[NGINX_MAX_SET];
	size_t n_set;
	bool asking; /* it is the request that auth_request makes of it */
	int answer;  /* the status of what answered it, or 0 */
	bool asked_origin, asked_agent; /* a value depended on it */
	bool asked_referer;
};

/* The world of run->request, or of any WebSocket that comes to @server. */
void nginx_world_of(struct lint_run *run, const struct lint_node *server,
		    struct nginx_world *ret);
/* @text with its variables replaced; false: that depends on what is unknown. */
bool nginx_evaluate(struct nginx_world *w, const char *text, char *out,
		    size_t size);
/* The condition of an `if`. */
enum lint_truth nginx_condition(struct nginx_world *w,
				 const struct lint_node *node);
/* Remember what a `set` does. */
void nginx_set(struct nginx_world *w, const struct lint_node *node);

/* ---- nginx_route.c: who serves a request ---- */

/* The server of a request: one that listens on its port, else one of the same
 * kind (the port outside may be another), else any. NULL: there is none. */
const struct lint_node *nginx_find_server(struct lint_run *run,
					  const struct lint_request *request);
/* Whether @server has the name that is asked for, by a pattern or as it is. */
bool nginx_has_name(struct lint_run *run, const struct lint_node *server,
		    const char *host);
/* The location of @server that takes @path; @server when there is none.
 * @ret_slash: it only redirects, to the same path with a slash. */
const struct lint_node *nginx_find_location(struct lint_run *run,
					    const struct lint_node *server,
					    const char *path, bool *ret_slash);
/* Whether a listen of @server has TLS; its first port in *ret_port. */
bool nginx_has_tls(const struct lint_node *server);
bool nginx_has_plain(const struct lint_node *server);
unsigned nginx_port(const struct lint_node *server, bool tls);
/* A listen of @server with http2 and without TLS, or NULL. */
const struct lint_node *nginx_plain_http2(const struct lint_node *server);
/* Whether the two servers share a name (or both have none). */
bool nginx_share_name(const struct lint_node *a, const struct lint_node *b);
/* The named location "@name" of @server, or NULL. */
const struct lint_node *nginx_named(const struct lint_node *server,
				    const char *name);
/* A path that the location surely matches, or false. */
bool nginx_sample(struct lint_run *run, const struct lint_node *location,
		  char *out, size_t size);
/* Whether it is a prefix that regular expressions come before. */
bool nginx_is_weak_prefix(const struct lint_node *location);

/* ---- nginx_mend.c: edits within lines ---- */

#define NGINX_MAX_MENDS 24

struct nginx_mend {
	struct lint_run *run;
	struct {
		const char *file;
		unsigned line, column, len; /* what goes; len UINT_MAX: below */
		char text[1024];
	} part[NGINX_MAX_MENDS];
	size_t n;
	bool failed;
};

/* Put @text in the place of the directive @node, its semicolon included. */
void nginx_mend_replace(struct nginx_mend *m, const struct lint_node *node,
			const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void nginx_mend_delete(struct nginx_mend *m, const struct lint_node *node);
/* Add something before the directive @node, on a line of its own if it can be. */
void nginx_mend_before(struct nginx_mend *m, const struct lint_node *node,
		       const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Add a directive after @node, indented like it. */
void nginx_mend_add(struct nginx_mend *m, const struct lint_node *node,
		    const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Put @text in the place of the block's own name, "location " for one. */
void nginx_mend_head(struct nginx_mend *m, const struct lint_node *block,
		     const char *text);
/* Give the edits to the finding. */
void nginx_mend_done(struct nginx_mend *m, struct lint_finding *f);

/* ---- nginx_sign.c: where a WebSocket is meant to pass ---- */

/* How surely a WebSocket is meant to pass where @level proxies. */
enum nginx_sign {
	NGINX_NO_SIGN,
	NGINX_INHERITED, /* Upgrade is passed on, as around it */
	NGINX_OWN_SIGN,	 /* its path, its lines or its server tell of one */
};

enum nginx_sign nginx_sign(struct lint_run *run, const struct lint_node *level);

/* ---- nginx_forward.c: what reaches the server behind ---- */

/* Whether what @level proxies gets Upgrade and Connection. */
bool nginx_passes_upgrade(struct lint_run *run, const struct lint_node *level);
/* The same in an HTTP that has Upgrade. */
bool nginx_is_set_up(struct lint_run *run, const struct lint_node *level);
void nginx_judge_upgrade(struct lint_run *run, const struct lint_node *level,
			 bool sure);
/* Host, path, scheme and time-outs. */
void nginx_judge_rest(struct lint_run *run, const struct lint_node *level,
		      bool sure);
/* Add @line after @after, and to @paste: the lines that a reader is shown. */
void nginx_add_line(struct nginx_mend *m, const struct lint_node *after,
		    char *paste, size_t size, const char *line);
/* The same for the lines around that a first proxy_set_header at @level would
 * cancel, but for those of the upgrade itself. */
void nginx_keep_inherited(struct nginx_mend *m, const struct lint_node *level,
			  const struct lint_node *after, char *paste,
			  size_t size);

/* ---- nginx_address.c: what it is told of the address asked for ---- */

void nginx_judge_host(struct lint_run *run, const struct lint_node *level,
		      bool sure);
void nginx_judge_scheme(struct lint_run *run, const struct lint_node *level,
			bool sure);

/* ---- nginx_path.c: what path the server behind is asked for ---- */

void nginx_judge_path(struct lint_run *run, const struct lint_node *level);

/* ---- nginx_walk.c: what conditions decide ---- */

/*
 * Go through set, if, return and rewrite of the server and of @location as
 * nginx does, noting what refuses or redirects. Returns the level that serves
 * the request (the location, an `if` in it, a named location), or NULL when a
 * rule answers it, or it goes where nobody can tell.
 */
const struct lint_node *nginx_follow(struct nginx_world *w,
				     const struct lint_node *location);
/* Where `error_page STATUS = PLACE` leads at @level, or NULL. */
const char *nginx_page(const struct lint_node *level, int status);
/* The status that the location of @uri gives to an auth_request of @level, noting
 * what refuses; 0: that is not known. */
int nginx_ask(struct lint_run *run, const struct lint_node *level,
	      const char *uri);

/* ---- nginx_access.c: what refuses beside them ---- */

/* allow, deny, auth, limits, certificates. */
void nginx_judge_access(struct lint_run *run, const struct lint_node *level);

/* ---- nginx_shadow.c: what is never reached ---- */

void nginx_judge_reach(struct lint_run *run);
void nginx_judge_variables(struct lint_run *run);

#endif
