/* SPDX-License-Identifier: MIT */
/*
 * Which way to the server: the proxy that the environment asks for, and the
 * address that --resolve or --connect-to put in the place of the URL's host.
 */
#ifndef DOCTOR_ROUTE_H
#define DOCTOR_ROUTE_H

#include "wire/url.h"

/*
 * The proxy that the environment names for @url, as curl chooses: https_proxy
 * for wss, http_proxy (small letters only) for ws, then all_proxy; none for
 * hosts in no_proxy. *ret_from is the variable's name. Borrowed; NULL: none.
 */
const char *doctor_route_proxy(const struct ses_url *url,
			       const char **ret_from);
/*
 * Whether @proxy, which @from names (--proxy, or a variable), can be used: 0, or
 * -1 with a sentence in @text.
 */
int doctor_route_check_proxy(const char *proxy, const char *from, char *text,
			     size_t size);
/* Whether @host is meant by the list @no_proxy: "*", names with or without a
 * leading dot and all below them, addresses, networks (10.0.0.0/8). */
bool doctor_route_excluded(struct bytes host, const char *no_proxy);

#define DOCTOR_MAX_MAPPINGS 16

/* What --resolve and --connect-to said, in their order; texts are borrowed. */
struct doctor_mappings {
	struct {
		const char *text;
		bool connect_to;
	} one[DOCTOR_MAX_MAPPINGS];
	size_t n;
};

/*
 * Add HOST:PORT:ADDRESS (or H1:P1:H2:P2 when @connect_to). NULL, or what is
 * wrong, for a sentence that begins with the option's name.
 */
const char *doctor_route_add(struct doctor_mappings *m, const char *text,
			     bool connect_to);
/*
 * Whether one of the mappings, of which the first counts, is for @url; then
 * where to connect instead. *ret_port is 0 where it is the URL's.
 */
bool doctor_route_maps(const struct doctor_mappings *m,
		       const struct ses_url *url, struct bytes *ret_host,
		       uint16_t *ret_port);

#endif
