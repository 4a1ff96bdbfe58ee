/* SPDX-License-Identifier: MIT */
/*
 * Which experiment next: the one that tells most about the causes that are
 * still possible. Candidate values are harvested from what was seen. Pure.
 */
#ifndef DOCTOR_PLAN_H
#define DOCTOR_PLAN_H

#include "doctor/diagnose.h"

/*
 * The next trial, or false when enough is known, nothing is left to try, or
 * the budget is spent. The first is always NOTHING: the user's own request.
 */
bool doctor_plan(const struct doctor_chart *chart,
		 const struct doctor_opinion *opinion,
		 struct doctor_trial *ret_next);

#endif
