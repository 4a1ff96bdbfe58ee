/* SPDX-License-Identifier: MIT */
/*
 * The verdict in words: cause, confidence, who, summary, evidence, proof, fix,
 * alternatives, responder. What report_text.c and report_json.c print; its
 * shape is that of tests/contracts/diagnosis.schema.json.
 */
#ifndef DOCTOR_VERDICT_H
#define DOCTOR_VERDICT_H

#include "doctor/diagnose.h"

#define DOCTOR_MAX_EVIDENCE	12
#define DOCTOR_MAX_FIXES	10
#define DOCTOR_MAX_ALTERNATIVES 4

struct doctor_fix {
	const char *who;
	const char *stack; /* its id, or NULL: for any */
	char what[512];
	char where[192];    /* "" : none */
	char snippet[1024]; /* "" : none */
};

struct doctor_verdict {
	const char *outcome; /* open refused broken unreachable */
	bool is_unknown;     /* no answer was waited for: nothing is known */
	int status;	     /* of the user's own request; 0: none */
	enum why_cause cause;
	double confidence;
	const char *who; /* nobody client proxy server network */
	char summary[512];
	char evidence[DOCTOR_MAX_EVIDENCE][384];
	/* What each added to the cause's log odds; 0: not told. */
	double evidence_weight[DOCTOR_MAX_EVIDENCE];
	size_t n_evidence;
	struct doctor_fix fix[DOCTOR_MAX_FIXES];
	size_t n_fixes;
	struct {
		bool given;
		int probe;
		char changed[512];
		char result[256];
		int repeated;
	} proof;
	struct {
		enum why_cause cause;
		double confidence;
		char tell_apart[640]; /* "" : nothing known */
	} alternative[DOCTOR_MAX_ALTERNATIVES];
	size_t n_alternatives;
	char refused_by[64]; /* "" : unknown */
	char reference[12];  /* of a refusal by sesame; "": none */
	enum why_layer layer;
	char hop[WHY_MAX_HOPS + 2][160];
	size_t n_hops;
};

/*
 * The result of a handshake, and how often the same request had it where
 * servers disagree: "403 Forbidden (3 of 5 times)". Returns @out.
 */
char *doctor_result_often(const struct doctor_chart *chart,
			  const struct doctor_probe *p, char *out, size_t size);

void doctor_pronounce(const struct doctor_chart *chart,
		      const struct doctor_opinion *opinion,
		      struct doctor_verdict *ret_verdict);

#endif
