/* SPDX-License-Identifier: MIT */
/*
 * Which of many texts are like a given one at either end. A typo leaves both
 * ends mostly as they were, so in the order of the texts, and in that of the
 * texts read backwards, what was meant stands near to what was written; and
 * looking there costs the same for a hundred thousand texts as for a thousand.
 * Pure.
 */
#ifndef GATE_NEIGHBOURS_H
#define GATE_NEIGHBOURS_H

#include "base/bytes.h"

#define GATE_NEAR_BYTES	    63	/* what is compared of a text */
#define GATE_MAX_NEIGHBOURS 256 /* that one question finds */

struct gate_neighbours {
	const char **text; /* the texts themselves are borrowed */
	size_t n;
	/* Their numbers in both orders; NULL when all are neighbours. */
	uint32_t *by_head, *by_tail;
};

/* An empty one for @room texts. 0 or SESAME_ENOMEM. */
int gate_neighbours_init(struct gate_neighbours *n, size_t room);
/* Add one of the texts that there is room for. */
void gate_neighbours_add(struct gate_neighbours *n, const char *text);
/* All are there: sort them. 0 or SESAME_ENOMEM. */
int gate_neighbours_sort(struct gate_neighbours *n);
void gate_neighbours_fini(struct gate_neighbours *n);
/*
 * Call @found with every text that may be near to @value, at most
 * GATE_MAX_NEIGHBOURS times; one of a long list can come twice.
 */
void gate_neighbours_find(const struct gate_neighbours *n, struct bytes value,
			  void (*found)(void *to, const char *text), void *to);

#endif
