/* SPDX-License-Identifier: MIT */
/* Blocks of deflate (RFC 1951 section 3.2), as far as their ends go. */
#ifndef WIRE_DEFLATE_BLOCK_H
#define WIRE_DEFLATE_BLOCK_H

#include "base/bytes.h"

/* The first bit of a block: it is the last one. */
#define SES_BLOCK_FINAL 1
/* That mark and the two bits of the block's type. */
#define SES_BLOCK_HEAD_BITS 3

/*
 * Where a stream's data ends: behind how many bits, counted from the beginning
 * of @stream, whose last byte is filled up with zeros. 0: that cannot be told,
 * because it is not one block of codes of its own that is marked final, or one
 * whose end has a code of zeros alone. @stream has to be lawful; for others the
 * answer means nothing.
 */
size_t ses_deflate_block_end(struct bytes stream);

#endif
