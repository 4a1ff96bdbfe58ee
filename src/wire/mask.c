/* SPDX-License-Identifier: MIT */
/*
 * XOR with a repeating four-byte key (RFC 6455 section 5.3). Every byte that a
 * client sends passes here, so it works in vectors. What does not fill one is
 * done by a last vector that overlaps the one before it, read before that one
 * is written because source and destination may be the same memory.
 */
#include "wire/mask.h"

#include "wire/clones.h"

/* Where the processor has them, vectors of 32 bytes; else they are two of 16. */
#define VECTOR 32
typedef uint64_t vector __attribute__((vector_size(VECTOR)));
/* The same, at any address. */
typedef uint64_t vector_in_memory
	__attribute__((vector_size(VECTOR), aligned(1), may_alias));

static inline uint32_t load4(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, 4);
	return word;
}

static inline void mask_up_to_7(uint8_t *dst, const uint8_t *src, size_t n,
				uint64_t key)
{
	if (n >= 4) {
		uint32_t a = load4(src) ^ (uint32_t)key;
		uint32_t b =
			load4(src + n - 4) ^ (uint32_t)ses_mask_turn(key, n);

		memcpy(dst, &a, 4);
		memcpy(dst + n - 4, &b, 4);
	} else {
		uint8_t keys[8];

		memcpy(keys, &key, 8);
		for (size_t i = 0; i < n; i++)
			dst[i] = src[i] ^ keys[i];
	}
}

#define MASK_VECTOR(dst, src, at, keys)        \
	(*(vector_in_memory *)((dst) + (at)) = \
		 *(const vector_in_memory *)((src) + (at)) ^ (keys))

SES_CLONES static void mask_over_32(uint8_t *dst, const uint8_t *src, size_t n,
				    uint64_t key)
{
	uint64_t turned = ses_mask_turn(key, n);
	vector keys = {key, key, key, key};
	vector last = {turned, turned, turned, turned};
	size_t i = 0;

	last ^= *(const vector_in_memory *)(src + n - VECTOR);
	for (; n - i > 4 * VECTOR; i += 4 * VECTOR) {
		MASK_VECTOR(dst, src, i, keys);
		MASK_VECTOR(dst, src, i + VECTOR, keys);
		MASK_VECTOR(dst, src, i + 2 * VECTOR, keys);
		MASK_VECTOR(dst, src, i + 3 * VECTOR, keys);
	}
	for (; n - i > VECTOR; i += VECTOR)
		MASK_VECTOR(dst, src, i, keys);
	*(vector_in_memory *)(dst + n - VECTOR) = last;
}

unsigned ses_mask(uint8_t *dst, const uint8_t *src, size_t n,
		  const uint8_t key[4], unsigned at)
{
	uint64_t word = load4(key);

	word = ses_mask_turn(word | word << 32, at);
	if (n > 32)
		mask_over_32(dst, src, n, word);
	else if (n >= 8)
		ses_mask_8_to_32(dst, src, n, word);
	else
		mask_up_to_7(dst, src, n, word);
	return (at + n) % 4;
}
