/* SPDX-License-Identifier: MIT */
/*
 * Texts that very many visits have in common, as what their browsers call
 * themselves: each is kept once for a worker, as long as a visit has it.
 */
#ifndef GATE_TEXTS_H
#define GATE_TEXTS_H

#include "hub/map.h"

struct gate_text {
	struct hub_entry entry; /* its name is the text */
	size_t n_users;
	char bytes[];
};

struct gate_texts {
	struct hub_map map;
	uint8_t seed[SES_HASH_SEED];
};

void gate_texts_init(struct gate_texts *t, const uint8_t seed[SES_HASH_SEED]);
/* All texts were given back. */
void gate_texts_fini(struct gate_texts *t);
/* The text @bytes, with a user more. NULL: no memory. */
struct gate_text *gate_texts_take(struct gate_texts *t, struct bytes bytes);
/* A user less; the last one takes it along. NULL is fine. */
void gate_texts_give(struct gate_texts *t, struct gate_text *text);

#endif
