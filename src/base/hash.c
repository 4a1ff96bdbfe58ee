/* SPDX-License-Identifier: MIT */
/* SipHash with one round for a word and three at the end. */
#include "base/hash.h"

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void round_once(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static uint64_t read_word(const uint8_t *p)
{
	uint64_t word = 0;

	for (int i = 7; i >= 0; i--)
		word = word << 8 | p[i];
	return word;
}

void ses_hash_init(struct ses_hash *h, const uint8_t seed[SES_HASH_SEED])
{
	uint64_t a = read_word(seed), b = read_word(seed + 8);

	*h = (struct ses_hash){
		.v = {a ^ 0x736f6d6570736575, b ^ 0x646f72616e646f6d,
		      a ^ 0x6c7967656e657261, b ^ 0x7465646279746573}};
}

/* The tail is a whole word: mix it in. */
void ses_hash_word(struct ses_hash *h)
{
	h->v[3] ^= h->tail;
	round_once(h->v);
	h->v[0] ^= h->tail;
	h->tail = 0;
}

void ses_hash_bytes(struct ses_hash *h, struct bytes in)
{
	for (size_t i = 0; i < in.len; i++)
		ses_hash_byte(h, in.data[i]);
}

uint64_t ses_hash_end(const struct ses_hash *h)
{
	struct ses_hash end = *h;

	end.tail |= h->len << 56;
	ses_hash_word(&end);
	end.v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		round_once(end.v);
	return end.v[0] ^ end.v[1] ^ end.v[2] ^ end.v[3];
}
