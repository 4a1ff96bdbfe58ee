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

#endif
