/* SPDX-License-Identifier: MIT */
/*
 * Content-Security-Policy, as much of it as decides whether a page may open a
 * WebSocket: connect-src, or default-src in its place (CSP level 3). Pure.
 */
#ifndef DOCTOR_CSP_H
#define DOCTOR_CSP_H

#include "doctor/probe.h"

/*
 * Whether the page that @page got may not connect to @url. The directive that
 * says so is written to @out, printable.
 */
bool doctor_csp_forbids(const struct doctor_probe *page,
			const struct ses_url *url, char *out, size_t size);
/* The same for one policy, for a page of the URL's own host. */
bool doctor_csp_policy_forbids(struct bytes policy, const struct ses_url *url,
			       struct bytes *ret_directive);

#endif
