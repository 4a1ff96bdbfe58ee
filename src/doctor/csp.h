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
/* The same for a page that is at @at, of whatever host. */
bool doctor_csp_page_forbids(const struct doctor_probe *page,
			     const struct ses_url *at, const struct ses_url *url,
			     char *out, size_t size);
/* Whether a policy of the page has this directive; written to @out. */
bool doctor_csp_has(const struct doctor_probe *page, const char *name,
		    char *out, size_t size);
/* Whether a policy takes the page's origin away. */
bool doctor_csp_sandboxed(const struct doctor_probe *page);
/* Whether a policy lets none of the page's scripts run. */
bool doctor_csp_scriptless(const struct doctor_probe *page);
/* The same for one policy, for a page of the URL's own host. For tests: pages
 * have several. */
bool doctor_csp_policy_forbids(struct bytes policy, const struct ses_url *url,
			       struct bytes *ret_directive);

#endif
