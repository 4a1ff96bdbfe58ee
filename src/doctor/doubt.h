/* SPDX-License-Identifier: MIT */
/*
 * The questions that are not chosen by their worth: those that make sure of
 * what was seen, and those that the user asked for. Pure.
 */
#ifndef DOCTOR_DOUBT_H
#define DOCTOR_DOUBT_H

#include "doctor/finding.h"

/* What has to be asked next, before anything is chosen. False: nothing. */
bool doctor_doubt(const struct doctor_chart *chart,
		  struct doctor_trial *ret_next);
/* When nothing else is worth a knock: whether an error is that of all. */
bool doctor_doubt_error(const struct doctor_chart *chart,
			struct doctor_trial *ret_next);
/* How many probes made this change. */
size_t doctor_count(const struct doctor_chart *chart,
		    enum doctor_change change);
/* The name of the largest field, if it is large. */
bool doctor_large_header(const struct doctor_case *c, char *out, size_t size);

#endif
