/* SPDX-License-Identifier: MIT */
/*
 * From a text to a number: a table that is filled once, when a configuration
 * has been read, and then only asked. Keyed by a seed, so that a client
 * cannot choose texts that meet in one place. Pure.
 */
#ifndef GATE_TABLE_H
#define GATE_TABLE_H

#include "base/buf.h"
#include "base/hash.h"

#define GATE_NONE    UINT32_MAX /* no such text, no such entry */
#define GATE_MAX_KEY 1280	/* bytes of a text; longer ones do not fit in */

struct gate_slot {
	uint32_t hash;	/* its lower half; the upper chose the place */
	uint32_t at;	/* where the text stands in the table's texts */
	uint32_t len;
	uint32_t value; /* GATE_NONE: nothing is here */
};

struct gate_table {
	struct gate_slot *slot; /* NULL: the table is empty */
	uint32_t mask;
	struct ses_buf texts;
	size_t longest;
	struct ses_hash begin; /* the seed, mixed in */
};

/* A table for up to @n texts. 0 or SESAME_ENOMEM. */
int gate_table_init(struct gate_table *t, size_t n,
		    const uint8_t seed[SES_HASH_SEED]);
void gate_table_fini(struct gate_table *t);
/*
 * Put @text in, unless it is there: the first one counts. 0, SESAME_ELIMIT
 * when it is too long, or SESAME_ENOMEM.
 */
int gate_table_add(struct gate_table *t, struct bytes text, uint32_t value);
/* The number of @text, or GATE_NONE. */
uint32_t gate_table_find(const struct gate_table *t, struct bytes text);
/* The same when the hash, begun by t->begin, is known already. */
uint32_t gate_table_find_hashed(const struct gate_table *t, struct bytes text,
				uint64_t hash);

#endif
