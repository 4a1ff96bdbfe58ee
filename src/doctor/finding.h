/* SPDX-License-Identifier: MIT */
/*
 * Findings: what the probes, taken together, show. Each kind is a row of
 * findings.def; the weights that it has for and against causes are rows of
 * evidence.def. Extraction is pure: it looks at the case and its probes.
 */
#ifndef DOCTOR_FINDING_H
#define DOCTOR_FINDING_H

#include "doctor/probe.h"
#include "why/cause.h"

enum doctor_finding_kind {
#define FINDING(symbol, ...) DOCTOR_F_##symbol,
#include "doctor/findings.def"
#undef FINDING
	DOCTOR_N_FINDINGS
};

struct doctor_finding {
	enum doctor_finding_kind kind;
	int probe;	/* its number; the baseline is 1; 0: none (the URL) */
	int versus;	/* the probe it is compared with, or 0 */
	char text[256]; /* what was seen, printable, redacted, one sentence */
};

#define DOCTOR_MAX_FINDINGS 64
#define DOCTOR_MAX_PROBES   40

/* All that is known of a case while it is examined. */
struct doctor_chart {
	const struct doctor_case *c;
	struct doctor_probe *probe[DOCTOR_MAX_PROBES];
	size_t n_probes;
	struct doctor_finding finding[DOCTOR_MAX_FINDINGS];
	size_t n_findings;
	bool blind; /* fingerprints of stacks are not to be used */
	const char *stopped; /* why probing ended early (429, ...), or NULL */
};

/* Look at everything again: chart->finding[] is made anew from the probes. */
void doctor_find(struct doctor_chart *chart);

#endif
