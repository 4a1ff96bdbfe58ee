/* SPDX-License-Identifier: MIT */
/*
 * A list of secrets, kept as their SHA-256 alone. Looking one up takes the
 * same time whether it is there or not, and wherever it is. Pure.
 */
#ifndef GATE_DIGESTS_H
#define GATE_DIGESTS_H

#include "wire/digest.h"

/* Looking up takes time in proportion: 14 us were measured at this many. */
#define GATE_MAX_DIGESTS 10000

struct gate_digests {
	uint8_t (*list)[SES_SHA256_LEN];
	size_t n, room;
};

/* Add one at the end; false: no memory, or GATE_MAX_DIGESTS are there. */
bool gate_digests_add(struct gate_digests *d,
		      const uint8_t digest[SES_SHA256_LEN]);
/* Where @digest is, or d->n. */
size_t gate_digests_find(const struct gate_digests *d,
			 const uint8_t digest[SES_SHA256_LEN]);
void gate_digests_fini(struct gate_digests *d);

#endif
