/* SPDX-License-Identifier: MIT */
/*
 * Values worth trying, taken from what was seen rather than guessed at random:
 * the server's own origin, names of its certificate, links in its pages, words
 * of its refusal, and last the usual endpoints and subprotocols. Pure.
 */
#ifndef DOCTOR_HARVEST_H
#define DOCTOR_HARVEST_H

#include "doctor/finding.h"

#define DOCTOR_MAX_VALUES 48

struct doctor_values {
	char value[DOCTOR_MAX_VALUES][512];
	size_t n;
	/* of paths and subprotocols: so many, the first, the server told */
	size_t n_told;
};

/* An origin and a path that nobody has. */
#define DOCTOR_NONSENSE_NAME   "sesame.invalid"
#define DOCTOR_NONSENSE_ORIGIN "https://sesame.invalid"
#define DOCTOR_NONSENSE_PATH   "/sesame-no-such-path"

/* Each appends values, best first, none twice. */
void doctor_harvest_origins(const struct doctor_chart *chart,
			    struct doctor_values *v);
void doctor_harvest_hosts(const struct doctor_chart *chart,
			  struct doctor_values *v);
void doctor_harvest_paths(const struct doctor_chart *chart,
			  struct doctor_values *v);
void doctor_harvest_subprotocols(const struct doctor_chart *chart,
				 struct doctor_values *v);
/* "name=value" with another version in the place of the query's own. */
void doctor_harvest_versions(const struct doctor_chart *chart,
			     struct doctor_values *v);
/* The same, with the values that the scripts of a page have. */
void doctor_harvest_page_parameters(struct bytes page, struct doctor_values *v);
/*
 * What the query lacks by its looks: "&name=", the first parameter whose "&" got
 * lost in copying, and what engine.io wants to be asked for.
 */
void doctor_harvest_lacks(const struct doctor_chart *chart,
			  struct doctor_values *v);
/*
 * The length of what stands in @query at @at in the place of a "&": "&amp;" as
 * in HTML, "%26", a second "?"... with a parameter behind it. 0: nothing does.
 */
size_t doctor_lost_separator(struct bytes query, size_t at);
/* Whether the URL is engine.io's, and lacks the version or the transport. */
bool doctor_asks_no_engine(const struct doctor_case *c);
/* The names of the query's parameters, where there are several. */
void doctor_harvest_parameters(const struct doctor_chart *chart,
			       struct doctor_values *v);
/* Whether a page has the URL's own path at another host; *ret: which, borrowed
 * from @p. */
bool doctor_names_other_host(const struct doctor_case *c,
			     const struct doctor_probe *p, struct bytes *ret);
/* Whether the answer is the page on which a service shows its own state. */
bool doctor_shows_state(const struct doctor_probe *p);
void doctor_harvest_ports(const struct doctor_chart *chart,
			  struct doctor_values *v);

/* Pages that tell of the WebSockets beside them, as paths. */
void doctor_harvest_side(const struct doctor_chart *chart,
			 struct doctor_values *v);
/* Scripts of the same host that its pages load, as paths. */
void doctor_harvest_scripts(const struct doctor_chart *chart,
			    struct doctor_values *v);
/* The same of the page that was given, when it is elsewhere: as URLs. */
void doctor_harvest_page_scripts(const struct doctor_chart *chart,
				 struct doctor_values *v);
/* Ports of the same host that its pages open WebSockets at. */
void doctor_harvest_named_ports(const struct doctor_chart *chart,
				struct doctor_values *v);
/* Whether a page or script opens WebSockets. */
bool doctor_opens_sockets(struct bytes text);
/* The first parameter in the URL of a page's WebSocket. False: none. */
bool doctor_names_query(struct bytes text, char *name, size_t size);
/* Whether the field called @name tells why something was refused. */
bool doctor_gives_reason(struct bytes name);

/* A path beside the URL's own that cannot exist; false for one at the root. */
bool doctor_sibling_path(const struct doctor_case *c, char *out, size_t size);
/* The URL's own path with another name at its end, made of the same letters, so
 * that it fits where that does: /rooms/fishfish. False: it ends in no name. */
bool doctor_namesake_path(const struct doctor_case *c, char *out, size_t size);
/* A path that cannot exist, beside that which opened: the control of it. False:
 * no path opened, or none that needs one. */
bool doctor_beside_path(const struct doctor_chart *chart, char *out,
			size_t size);
/* Whether the control opened as well. */
bool doctor_any_name_opens(const struct doctor_chart *chart);
/* Whether the URL has a name, and @p found that it leads to this machine. */
bool doctor_is_local_name(const struct doctor_case *c,
			  const struct doctor_probe *p);

#endif
