/* SPDX-License-Identifier: MIT */
/*
 * What the doctor promises about credentials: they go to no other host, port or
 * scheme, and to no path that was made up. Pure.
 */
#ifndef DOCTOR_WITHHOLD_H
#define DOCTOR_WITHHOLD_H

#include "doctor/probe.h"

/* Whether the user's own fields stay at home in @trial. */
bool doctor_withholds(const struct doctor_case *c,
		      const struct doctor_trial *trial);
/* Whether, where they do, @h does. */
bool doctor_withholds_field(const struct doctor_trial *trial,
			    const struct doctor_header *h);
/* Whether "name=value" of a query may be a secret. */
bool doctor_is_secret_part(struct bytes pair);
/* Whether a field called @name says nothing about who asks. */
bool doctor_is_public(struct bytes name);

/* Where @trial connects, when that is not what the URL says; or NULL. */
const char *doctor_connect_host(const struct doctor_case *c,
				const struct doctor_trial *trial);
/* "1.2" is 12. */
int doctor_tls_version(const char *text);

#endif
