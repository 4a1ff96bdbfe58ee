/* SPDX-License-Identifier: MIT */
/* Masking and unmasking, the same operation (RFC 6455 section 5.3). */
#ifndef WIRE_MASK_H
#define WIRE_MASK_H

#include <stddef.h>
#include <stdint.h>

/*
 * @dst[i] = @src[i] ^ @key[(@at + i) % 4] for @n bytes; @dst may be @src but
 * must not overlap it otherwise. Returns the place in the key after them, 0..3.
 */
unsigned ses_mask(uint8_t *dst, const uint8_t *src, size_t n,
		  const uint8_t key[4], unsigned at);

#endif
