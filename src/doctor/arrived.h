/* SPDX-License-Identifier: MIT */
/* The Host that arrived at the application, where its refusal quotes it. */
#ifndef DOCTOR_ARRIVED_H
#define DOCTOR_ARRIVED_H

#include "doctor/finding.h"

struct doctor_arrived {
	char host[262]; /* that the refusal finds fault with */
	char sent[272]; /* that was in the request */
};

/*
 * Whether the refusal @p finds fault with a Host, and it is another than the
 * request had. A usual port more or less is no other one.
 */
bool doctor_arrived_host(const struct doctor_case *c,
			 const struct doctor_probe *p,
			 struct doctor_arrived *ret);

#endif
