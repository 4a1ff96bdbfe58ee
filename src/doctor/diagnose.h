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
	/* How likely the proof is one of luck; taken off already (luck.h). */
	double luck;
	/* For each finding, what it added to the best cause's log odds. */
	double weight[DOCTOR_MAX_FINDINGS];
};

void doctor_diagnose(const struct doctor_chart *chart,
		     struct doctor_opinion *ret_opinion);

/* Whether a finding is a symptom: how the user's own request ended. */
bool doctor_is_symptom(enum doctor_finding_kind kind);
/* Whether it is one of the forward proxy's, or of TLS on the way. */
bool doctor_is_proxy_symptom(enum doctor_finding_kind kind);
bool doctor_is_tls_symptom(enum doctor_finding_kind kind);
/* Whether an answer or a configuration says it by itself, without a comparison. */
bool doctor_is_told_by_itself(enum doctor_finding_kind kind);
/* Whether priors.def has a row for this symptom. */
bool doctor_has_prior(enum doctor_finding_kind symptom);
/* Why a finding weighs anything (evidence.def), or what the prior of a symptom
 * rests on (priors.def); NULL: it is told, and not weighed. */
const char *doctor_weighs(enum doctor_finding_kind kind);
/* What evidence.def gives a finding for a cause: log odds, 0 where nothing. */
double doctor_weight(enum doctor_finding_kind kind, enum why_cause cause);

#endif
