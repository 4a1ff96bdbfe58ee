/* SPDX-License-Identifier: MIT */
/*
 * What a text reads as, once it is decoded, and decoded again: what a server
 * quotes was percent-encoded for a redirect of a redirect, escaped for JSON
 * within JSON, for HTML around that. Bytes keep their places, so that what is
 * found in a reading can be hidden in the text.
 */
#ifndef DOCTOR_READING_H
#define DOCTOR_READING_H

#include "base/bytes.h"

#define DOCTOR_MAX_DECODINGS 4
#define DOCTOR_CODE_POINT    0x80000000u /* in a unit: no byte, a character */

struct doctor_unit {
	uint32_t what; /* a byte, or a code point above 127 so marked */
	uint32_t end;  /* where in the text the next one begins */
};

struct doctor_reading {
	struct bytes text; /* borrowed */
	size_t n_levels;   /* how often it can be decoded, and then no more */
	/* at [level][i]: what begins at byte i, decoded level + 1 times */
	struct doctor_unit *level[DOCTOR_MAX_DECODINGS];
};

/* Read @text, which is borrowed. 0 or SESAME_ENOMEM; _close() in any case. */
int doctor_reading_open(struct bytes text, struct doctor_reading *ret);
void doctor_reading_close(struct doctor_reading *r);
/* What begins at byte @at (< text.len), decoded @times times (<= n_levels). */
struct doctor_unit doctor_reading_at(const struct doctor_reading *r,
				     size_t times, size_t at);

#endif
