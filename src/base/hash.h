/* SPDX-License-Identifier: MIT */
/*
 * A keyed hash (SipHash-1-3, by Aumasson and Bernstein) for tables whose keys
 * strangers choose: without the seed nobody can find keys that meet in one
 * place. Bytes are given one by one, so the hashes of all beginnings of a text
 * cost one walk over it. It is no signature: for those see wire/digest.h.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

#define SES_HASH_SEED 16

struct ses_hash {
	uint64_t v[4];
	uint64_t tail; /* up to seven bytes that fill no word yet */
	uint64_t len;
};

void ses_hash_init(struct ses_hash *h, const uint8_t seed[SES_HASH_SEED]);
void ses_hash_word(struct ses_hash *h);

static inline void ses_hash_byte(struct ses_hash *h, uint8_t c)
{
	h->tail |= (uint64_t)c << (h->len % 8 * 8);
	if (++h->len % 8 == 0)
		ses_hash_word(h);
}

void ses_hash_bytes(struct ses_hash *h, struct bytes in);
/* The hash of all bytes so far; @h can take more after it. */
uint64_t ses_hash_end(const struct ses_hash *h);

#endif
