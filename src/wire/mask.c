/* SPDX-License-Identifier: MIT */
/*
 * XOR with a repeating four-byte key (RFC 6455 section 5.3). Every byte that a
 * client sends passes here, so it works in vectors. What does not fill one is
 * done by a last vector that overlaps the one before it, read before that one
 * is written because source and destination may be the same memory.
 */
#include "wire/mask.h"

#include <string.h>

#define VECTOR 16
typedef uint64_t vector __attribute__((vector_size(VECTOR)));
/* The same, at any address. */
typedef uint64_t vector_in_memory
	__attribute__((vector_size(VECTOR), aligned(1), may_alias));

static inline uint64_t load8(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, 8);
	return word;
}

static inline uint32_t load4(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, 4);
	return word;
}

/* The key as it stands @n bytes further on. */
static inline uint64_t key_after(uint64_t key, size_t n)
{
	unsigned bits = 8 * (n % 4);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return key >> bits | key << (-bits & 63);
#else
	return key << bits | key >> (-bits & 63);
#endif
}

static inline void mask_up_to_7(uint8_t *dst, const uint8_t *src, size_t n,
				uint64_t key)
{
	if (n >= 4) {
		uint32_t a = load4(src) ^ (uint32_t)key;
		uint32_t b = load4(src + n - 4) ^ (uint32_t)key_after(key, n);

		memcpy(dst, &a, 4);
		memcpy(dst + n - 4, &b, 4);
	} else {
		uint8_t keys[8];

		memcpy(keys, &key, 8);
		for (size_t i = 0; i < n; i++)
			dst[i] = src[i] ^ keys[i];
	}
}

static inline void mask_8_to_32(uint8_t *dst, const uint8_t *src, size_t n,
				uint64_t key)
{
	size_t half = n >= 16 ? 8 : 0;
	uint64_t a = load8(src) ^ key;
	uint64_t b = load8(src + half) ^ key;
	uint64_t c = load8(src + n - 8 - half) ^ key_after(key, n);
	uint64_t d = load8(src + n - 8) ^ key_after(key, n);

	memcpy(dst, &a, 8);
	memcpy(dst + half, &b, 8);
	memcpy(dst + n - 8 - half, &c, 8);
	memcpy(dst + n - 8, &d, 8);
}

static inline void mask_vector(uint8_t *dst, const uint8_t *src, vector keys)
{
	*(vector_in_memory *)dst = *(const vector_in_memory *)src ^ keys;
}

static void mask_over_32(uint8_t *dst, const uint8_t *src, size_t n,
			 uint64_t key)
{
	uint64_t turned = key_after(key, n);
	vector keys = {key, key};
	vector last = {turned, turned};
	size_t i = 0;

	last ^= *(const vector_in_memory *)(src + n - VECTOR);
	for (; n - i > 4 * VECTOR; i += 4 * VECTOR)
		for (size_t at = i; at < i + 4 * VECTOR; at += VECTOR)
			mask_vector(dst + at, src + at, keys);
	for (; n - i > VECTOR; i += VECTOR)
		mask_vector(dst + i, src + i, keys);
	*(vector_in_memory *)(dst + n - VECTOR) = last;
}

unsigned ses_mask(uint8_t *dst, const uint8_t *src, size_t n,
		  const uint8_t key[4], unsigned at)
{
	uint64_t word = load4(key);

	word = key_after(word | word << 32, at);
	if (n > 32)
		mask_over_32(dst, src, n, word);
	else if (n >= 8)
		mask_8_to_32(dst, src, n, word);
	else
		mask_up_to_7(dst, src, n, word);
	return (at + n) % 4;
}
