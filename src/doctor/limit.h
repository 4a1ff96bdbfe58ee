/* SPDX-License-Identifier: MIT */
/*
 * What answers say of limits, and what a 429 leaves open: some servers have it
 * for a User-Agent that they do not want, and count nothing. Pure.
 */
#ifndef DOCTOR_LIMIT_H
#define DOCTOR_LIMIT_H

#include "doctor/finding.h"

/* So long nothing is asked after a 429 that is asked about again. */
#define DOCTOR_LIMIT_PAUSE_MS 1000

/*
 * Whether @p is a 429 that no field and no word makes one of a count: no
 * Retry-After, no RateLimit, nothing of a limit, of later, of a challenge.
 */
bool doctor_counts_nothing(const struct doctor_probe *p);
/*
 * Whether @p is such an answer to the user's own request, with a User-Agent
 * that the user chose, and that is no browser's. Then one more handshake may
 * follow.
 */
bool doctor_may_mean_agent(const struct doctor_case *c,
			   const struct doctor_probe *p);
/*
 * What is asked after such a 429: once as a browser, and where that opens, once
 * more as given. False: nothing more.
 */
bool doctor_ask_as_browser(const struct doctor_chart *chart,
			   struct doctor_trial *ret_next);
/* That all places are taken, and what a 429 without a count may be. */
void doctor_find_limit(struct doctor_chart *chart, const struct doctor_probe *p);

#endif
