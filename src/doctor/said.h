/* SPDX-License-Identifier: MIT */
/* Names and sentences that a refusal holds for whoever reads it. */
#ifndef DOCTOR_SAID_H
#define DOCTOR_SAID_H

#include "doctor/finding.h"

/*
 * What follows the first @phrase in @text, case ignored; empty where it is not
 * there. It lies in @text.
 */
struct bytes doctor_after(struct bytes text, const char *phrase);
/*
 * What the refusal @p says of the credential in a sentence (RFC 6750 section 3:
 * error_description). *ret is borrowed from @p.
 */
bool doctor_said_of_credential(const struct doctor_probe *p, struct bytes *ret);
/* The parameter that the refusal @p names. *ret is borrowed from @p. */
bool doctor_said_parameter(const struct doctor_probe *p, struct bytes *ret);
/*
 * Where @text names the address that somebody comes from ("access from
 * 192.0.2.1", "address ::1 is not allowed"), or -1. What was called, connected
 * to or sent as a Host is another's.
 */
ptrdiff_t doctor_said_address(struct bytes text);
/*
 * Where @text misses what tells one thing from another ("deviceId is required",
 * "missing run ID", "no slug given"), or -1. An id that is unknown is not missed.
 */
ptrdiff_t doctor_said_missing(struct bytes text);

#endif
