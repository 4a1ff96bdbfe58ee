/* SPDX-License-Identifier: MIT */
/* UTF-8 by vectors, where the processor has them (AVX2). Pure. */
#ifndef WIRE_UTF8_VECTOR_H
#define WIRE_UTF8_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Shorter text is not worth it. */
#define SES_UTF8_VECTOR_MIN 64

/*
 * How many bytes from @at on, where a character begins, are whole and valid
 * characters for sure. Those behind are for who looks at each byte: a rest
 * shorter than a block, or what is wrong. 0 without such a processor.
 */
size_t ses_utf8_pass_blocks(const uint8_t *at, size_t n);

#endif
