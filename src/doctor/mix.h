/* SPDX-License-Identifier: MIT */
/*
 * Requests that have some parts of the one and some of the other. No credential
 * gets into a request for a place that its owner was not for. Pure.
 */
#ifndef DOCTOR_MIX_H
#define DOCTOR_MIX_H

#include "doctor/differ.h"

/* A request of both; what is not borrowed from them. */
struct doctor_mix {
	struct doctor_case c;
	bool withheld; /* credentials that do not belong there */
	char url[9000], query[8192], cookie[32768], protocols[4096];
};

/*
 * @d->mine with the differences in @bits applied. 0, or SESAME_ELIMIT.
 * doctor_case_close() is not for what comes out: it owns nothing.
 */
int doctor_differ_mix(const struct doctor_differ *d, uint64_t bits,
		      struct doctor_mix *ret);

#endif
