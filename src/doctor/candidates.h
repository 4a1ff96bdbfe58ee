/* SPDX-License-Identifier: MIT */
/*
 * The values that the experiments of trials.def are tried with. Each row names
 * the function of candidates.c that yields them. Pure, but for what it keeps
 * of the pages between two questions of one plan.
 */
#ifndef DOCTOR_CANDIDATES_H
#define DOCTOR_CANDIDATES_H

#include "doctor/finding.h"

/* Forget what was harvested: the chart has changed. */
void doctor_candidates_anew(void);
/*
 * The @i-th value of the @row-th row of trials.def, best first, to @out of
 * @size bytes. False: there is none, or the row has no question as things
 * stand.
 */
bool doctor_candidate(const struct doctor_chart *chart, size_t row, size_t i,
		      char *out, size_t size);
/* The first value of the first row with this change. False: there is none. */
bool doctor_first_candidate(const struct doctor_chart *chart,
			    enum doctor_change change, char *out, size_t size);
/* The @i-th path that the site itself names for its WebSocket, or false. */
bool doctor_told_path(const struct doctor_chart *chart, size_t i, char *out,
		      size_t size);
/* Whether the site itself, or the refuser, named the trial's value: a path or
 * a subprotocol. */
bool doctor_is_told(const struct doctor_chart *chart,
		    const struct doctor_trial *t);

#endif
