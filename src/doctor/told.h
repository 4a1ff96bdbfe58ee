/* SPDX-License-Identifier: MIT */
/* What servers tell in a message after the 101, and whether it refuses. */
#ifndef DOCTOR_TOLD_H
#define DOCTOR_TOLD_H

#include "doctor/probe.h"

/* Whether a first message is of its own account an error, not a greeting. */
bool doctor_is_error_message(const char *text);
/* Whether the connection stayed open, and nothing came of it but an error. */
bool doctor_tells_error(const struct doctor_probe *p);
/*
 * The status of HTTP (400 to 599) that @text spells: "code":503, status 404,
 * HTTP 429; 0 where it spells none.
 */
int doctor_spelled_status(struct bytes text);
/* The sentence in @json: its "message", "reason" or the like; else empty. */
struct bytes doctor_told_sentence(struct bytes json);
/* ', told "the first message"', shortened; "" where there was none. */
char *doctor_told_text(const struct doctor_probe *p, char *out, size_t size);

#endif
