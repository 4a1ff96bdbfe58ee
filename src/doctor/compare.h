/* SPDX-License-Identifier: MIT */
/*
 * Two requests, one that opens and one that does not: the difference between
 * them is bisected, a handshake each, to the smallest part that matters.
 */
#ifndef DOCTOR_COMPARE_H
#define DOCTOR_COMPARE_H

#include "doctor/differ.h"
#include "doctor/finding.h"

struct doctor_comparison {
	struct doctor_differ differ;
	uint64_t deciding; /* what opens it, and no smaller part; 0: none */
	int probe;	   /* the first to open with that; 0: none */
	bool minimal;	   /* nothing of it can be left out */
	char outcome[512]; /* in words, printable; "": nothing was compared */
};

/* Ask one more handshake for @chart. 0, or -1: out of memory. */
typedef int doctor_ask_fn(struct doctor_chart *chart,
			  const struct doctor_trial *trial);

/*
 * Compare the chart's case with its other request, if there is one, through
 * @ask. 0, or -1: out of memory. doctor_compare_end() in any case.
 */
int doctor_compare(struct doctor_chart *chart, doctor_ask_fn *ask);
void doctor_compare_end(struct doctor_chart *chart);
/* What is to be known of the requests that were copied, the @i-th; NULL: no
 * more. Not redacted. */
const char *doctor_remark(const struct doctor_chart *chart, size_t i);
/* The probe that the comparison came down to, or NULL. */
const struct doctor_probe *doctor_compared(const struct doctor_chart *chart);
/* Perform a trial that takes over parts of the other request. */
int doctor_compare_run(const struct doctor_chart *chart,
		       const struct doctor_case *asked,
		       const struct doctor_trial *trial,
		       struct doctor_probe *ret_probe);

#endif
