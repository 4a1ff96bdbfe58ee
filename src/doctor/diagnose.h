/* SPDX-License-Identifier: MIT */
/*
 * Judgement: from findings to a probability for each cause. Naive Bayes with
 * the priors of priors.def (by symptom) and the weights of evidence.def (log
 * likelihood ratios), all rows in tables with their source. Pure.
 */
#ifndef DOCTOR_DIAGNOSE_H
#define DOCTOR_DIAGNOSE_H

#include "doctor/finding.h"

struct doctor_opinion {
	double p[WHY_N_CAUSES]; /* sums to 1 */
	enum why_cause best;
	/* For each finding, what it added to the best cause's log odds. */
	double weight[DOCTOR_MAX_FINDINGS];
};

void doctor_diagnose(const struct doctor_chart *chart,
		     struct doctor_opinion *ret_opinion);

#endif
