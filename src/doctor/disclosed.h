/* SPDX-License-Identifier: MIT */
/*
 * What a sesame gateway tells of its own refusals: always a reference, and the
 * cause where `refusal.disclose` lets it. In the body (text or problem JSON),
 * in a field, or in the close frame of `refusal.close`. Pure.
 */
#ifndef DOCTOR_DISCLOSED_H
#define DOCTOR_DISCLOSED_H

#include "doctor/probe.h"

/* The reference that the answer of @p gives. False: none. */
bool doctor_reference(const struct doctor_probe *p, uint64_t *ret_number);
/* The cause (enum why_cause) that the answer of @p names beside its reference,
 * or -1. */
int doctor_disclosed(const struct doctor_probe *p);
/*
 * Whether @p was accepted for the sake of the close frame alone, which refuses:
 * a code of such with a reference. It came no further than a 403 does.
 */
bool doctor_is_closed_as_refused(const struct doctor_probe *p);

#endif
