/* SPDX-License-Identifier: MIT */
/*
 * Between harvest.c (origins, hosts, ports) and its parts: pages.c and
 * scripts.c (what the site's pages and scripts say), listed.c (what an API
 * lists), paths.c, homes.c and protocols.c (what is guessed).
 */
#ifndef DOCTOR_HARVEST_INNER_H
#define DOCTOR_HARVEST_INNER_H

#include "doctor/harvest.h"

/* How far from the call its URL, its parameters and its names stand. */
#define NEAR 300

/* The usual endpoints of the client libraries that a page loads. */
void doctor_add_library_paths(struct bytes page, struct doctor_values *v);
/* What a page says of WebSockets at the case's own host. */
void doctor_add_links(const struct doctor_case *c, struct bytes text,
		      struct doctor_values *v);
/* Where software that names itself in an answer has its WebSocket. */
void doctor_add_homes(const struct doctor_chart *chart, struct doctor_values *v);
/* Paths of the case's own host that an API's root or a page lists. */
void doctor_add_listed_paths(const struct doctor_case *c, struct bytes text,
			     struct doctor_values *v);
/* Paths that a page or script gives to Socket.IO's client. */
void doctor_add_engine_paths(struct bytes text, struct doctor_values *v);
/* Paths that a refusal names. */
void doctor_add_named_paths(struct bytes text, struct doctor_values *v);
/* What a script that opens WebSockets assigns to names of ports and paths. */
void doctor_add_script_ports(const struct doctor_case *c, struct bytes text,
			     struct doctor_values *v);
void doctor_add_script_paths(struct bytes text, struct doctor_values *v);
/* "name=value" of the query that a script opens its WebSocket with. */
void doctor_add_script_parameters(struct bytes text, struct doctor_values *v);
/* Whether the plain GET @p of the user's URL is led on, and not to a login. */
bool doctor_is_led_on(const struct doctor_case *c, const struct doctor_probe *p);
/* Append @path if it is one. */
void doctor_add_path(struct bytes path, struct doctor_values *v);
/*
 * Append a value that is made by a format, unless it is there, too long or no
 * field value.
 */
void doctor_add_value(struct doctor_values *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The body that was kept of an answer. */
struct bytes doctor_body(const struct doctor_probe *p);
/* Take a value out again. */
void doctor_drop_value(struct doctor_values *v, struct bytes value);
/* Whether a URL in foreign text ends before this byte. */
bool doctor_ends_url(uint8_t b);
/* A field of the answer; empty without one. */
struct bytes doctor_field(const struct doctor_probe *p, const char *name);
/* Whether the probe fetched something to read. */
bool doctor_is_fetched(const struct doctor_probe *p);
/* Whether the answer is a page or a script of the site. */
bool doctor_is_page(const struct doctor_probe *p);
/* Whether a byte begins a string of a script. */
bool doctor_is_quote(uint8_t b);
/* The arguments of the next call in @text that opens a WebSocket. */
struct bytes doctor_next_call(struct bytes text, size_t *at);
/* The next absolute URL of @text from *at on. */
bool doctor_next_url(struct bytes text, size_t *at, struct bytes *ret);
/* The path of @url when that leads to the case's own host; else empty. */
struct bytes doctor_own_path(const struct doctor_case *c, struct bytes url);

#endif
