/* SPDX-License-Identifier: MIT */
/*
 * Messages that refer to no other, by libdeflate, whose compressor a thread
 * keeps for all its connections. It makes whole streams only: their last block
 * is marked final and ends somewhere in the last byte, padded with zeros. A
 * message of RFC 7692 goes on instead and ends in the three bits of an empty
 * stored block (7.2.1), and many receivers have seen nothing else. So the mark
 * is taken away, and the three bits have to go right behind the block; where
 * that is, its codes say.
 */
#include "wire/deflate.h"

#include <sesame/error.h>

#ifdef SESAME_LIBDEFLATE

#include <libdeflate.h>

#include "wire/deflate_block.h"

/* Its fastest; others take longer than zlib did for a few bytes less. */
#define LEVEL 1
/* What is longer makes several blocks. */
#define MOST_BYTES ((size_t)1 << 15)

static _Thread_local struct libdeflate_compressor *compressor;

static bool can_do_once(unsigned window_bits, size_t len)
{
	/* it knows no window but the largest; a short message needs none */
	return len <= MOST_BYTES && len <= (size_t)1 << window_bits;
}

/* Make a stream of one block a message that goes on: its new length, or 0. */
static size_t open_end(uint8_t *data, size_t len)
{
	size_t end = ses_deflate_block_end(bytes_of(data, len));

	if (!end)
		return 0;
	data[0] &= (uint8_t)~SES_BLOCK_FINAL;
	if (8 * len - end < SES_BLOCK_HEAD_BITS)
		data[len++] = 0;
	return len;
}

int ses_deflate_once(unsigned window_bits, struct bytes in, struct ses_buf *out)
{
	uint8_t *room;
	size_t n;

	if (!can_do_once(window_bits, in.len))
		return SESAME_EAGAIN;
	if (!compressor)
		compressor = libdeflate_alloc_compressor(LEVEL);
	room = compressor ? ses_buf_room(out, in.len + 1) : NULL;
	if (!room)
		return SESAME_ENOMEM;
	n = libdeflate_deflate_compress(compressor, in.data, in.len, room,
					in.len);
	if (n == 0)
		return SESAME_ELIMIT;
	SES_IS_WRITTEN(room, n);
	n = open_end(room, n);
	if (n == 0)
		return SESAME_EAGAIN;
	ses_buf_commit(out, n);
	return 0;
}

void ses_deflate_forget_spares(void)
{
	libdeflate_free_compressor(compressor);
	compressor = NULL;
}

#else

int ses_deflate_once(unsigned window_bits, struct bytes in, struct ses_buf *out)
{
	return SESAME_EAGAIN;
}

void ses_deflate_forget_spares(void)
{
}

#endif
