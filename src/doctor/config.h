/* SPDX-License-Identifier: MIT */
/*
 * What the configurations that were given (--config) say about the user's own
 * request: read by src/lint, told as findings, one kind for each cause.
 */
#ifndef DOCTOR_CONFIG_H
#define DOCTOR_CONFIG_H

#include "doctor/finding.h"
#include "doctor/verdict.h"
#include "lint/lint.h"

struct doctor_config {
	struct lint_report report[DOCTOR_MAX_CONFIGS];
	size_t n;
};

/*
 * Read all files of the case. 0 and *ret (NULL: none were given), or 2 after
 * what is wrong was told on standard error.
 */
int doctor_config_read(const struct doctor_case *c,
		       struct doctor_config **ret);
void doctor_config_free(struct doctor_config *config);
/* The finding that stands for configurations with this cause, or NONE. */
enum doctor_finding_kind doctor_config_kind(enum why_cause cause);
/* The mistakes that lead to the verdict's cause, as its first fixes. */
void doctor_config_prescribe(const struct doctor_chart *chart,
			     struct doctor_verdict *verdict);

#endif
