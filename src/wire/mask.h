/* SPDX-License-Identifier: MIT */
/* Masking and unmasking, the same operation (RFC 6455 section 5.3). */
#ifndef WIRE_MASK_H
#define WIRE_MASK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * @dst[i] = @src[i] ^ @key[(@at + i) % 4] for @n bytes; @dst may be @src but
 * must not overlap it otherwise. Returns the place in the key after them, 0..3.
 */
unsigned ses_mask(uint8_t *dst, const uint8_t *src, size_t n,
		  const uint8_t key[4], unsigned at);

/* The key, twice, as it stands @n bytes further on. */
static inline uint64_t ses_mask_turn(uint64_t key, size_t n)
{
	unsigned bits = 8 * (n % 4);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return key >> bits | key << (-bits & 63);
#else
	return key << bits | key >> (-bits & 63);
#endif
}

/*
 * 8 to 32 bytes: two words from the front and two that end at the end, all read
 * before one is written, because they may overlap.
 */
static inline void ses_mask_8_to_32(uint8_t *dst, const uint8_t *src, size_t n,
				    uint64_t key)
{
	size_t half = n >= 16 ? 8 : 0;
	uint64_t turned = ses_mask_turn(key, n), a, b, c, d;

	memcpy(&a, src, 8);
	memcpy(&b, src + half, 8);
	memcpy(&c, src + n - 8 - half, 8);
	memcpy(&d, src + n - 8, 8);
	a ^= key;
	b ^= key;
	c ^= turned;
	d ^= turned;
	memcpy(dst, &a, 8);
	memcpy(dst + half, &b, 8);
	memcpy(dst + n - 8 - half, &c, 8);
	memcpy(dst + n - 8, &d, 8);
}

/* A whole payload where it lies. Short ones, which are most, are done here. */
static inline void ses_mask_whole(uint8_t *data, size_t n, const uint8_t key[4])
{
	uint32_t word;

	if (n < 8 || n > 32) {
		ses_mask(data, data, n, key, 0);
		return;
	}
	memcpy(&word, key, 4);
	ses_mask_8_to_32(data, data, n, word | (uint64_t)word << 32);
}

#endif
