/* SPDX-License-Identifier: MIT */
/*
 * permessage-deflate by zlib (RFC 7692 section 7.2). Hard are the bound, which
 * must hold while inflating and not after, the four bytes at the end of every
 * message that are not sent, and memory: a window is up to 32 KiB and a
 * compressor 256 KiB, so both are taken when first used and, where no context
 * is taken over, given back after each message.
 */
#include "wire/deflate.h"

#include <sesame/error.h>

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

/* What every sync flush ends in, and senders leave out (7.2.1). */
static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

/* Room asked for at least, so that zlib is not called for every few bytes. */
#define LEAST_ROOM 256
/* Most text gets no longer than so many times the bytes that are there. */
#define USUAL_RATIO 4
/* A long message that compresses well needs less than the worst case says. */
#define MOST_RESERVED ((size_t)256 * 1024)

struct ses_inflate {
	z_stream zlib;
	uint8_t window_bits;
	bool takeover;
	bool open;  /* zlib holds memory */
	bool begun; /* the present message had a byte */
	bool ended; /* the last block was marked final and nothing came since */
};

struct ses_deflate {
	z_stream zlib;
	uint8_t window_bits;
	uint8_t open_bits; /* the window zlib was opened with, 0: not open */
	bool takeover;
};

/* zlib counts in unsigned int; what is longer is done in parts. */
static uInt clamp(size_t n)
{
	return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

/* ---- inflating ---- */

struct ses_inflate *ses_inflate_new(unsigned window_bits, bool takeover)
{
	struct ses_inflate *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	/* A larger window never hurts, and some send 9 having promised 8. */
	z->window_bits = (uint8_t)(window_bits < 9 ? 9 : window_bits);
	z->takeover = takeover;
	return z;
}

static void close_inflate(struct ses_inflate *z)
{
	if (z->open)
		inflateEnd(&z->zlib);
	z->open = false;
}

void ses_inflate_free(struct ses_inflate *z)
{
	if (!z)
		return;
	close_inflate(z);
	free(z);
}

static int open_inflate(struct ses_inflate *z)
{
	if (z->open)
		return 0;
	z->zlib = (z_stream){0};
	if (inflateInit2(&z->zlib, -z->window_bits) != Z_OK)
		return SESAME_ENOMEM;
	z->open = true;
	return 0;
}

/*
 * Point zlib at room behind @out. At the limit that is one byte of @scratch:
 * if it gets written, the message is too long. False when memory is short.
 */
static bool aim(struct ses_inflate *z, struct ses_buf *out, uint8_t *scratch)
{
	size_t left = out->limit - ses_buf_len(out);
	size_t n = LEAST_ROOM + USUAL_RATIO * (size_t)z->zlib.avail_in;
	uint8_t *room;

	n = n < left ? n : left;
	room = left ? ses_buf_room(out, n) : scratch;
	if (!room)
		return false;
	if (left) {
		/* the memory is there, so use all of it that the limit allows */
		n = out->capacity - out->end;
		n = n < left ? n : left;
	} else {
		n = 1;
	}
	z->zlib.next_out = room;
	z->zlib.avail_out = clamp(n);
	return true;
}

/* One call of zlib: to the end of input or room, or of a final block. */
static int inflate_some(struct ses_inflate *z, struct ses_buf *out)
{
	uint8_t scratch;
	size_t wrote;
	int result;

	if (!aim(z, out, &scratch))
		return SESAME_ENOMEM;
	wrote = z->zlib.avail_out;
	result = inflate(&z->zlib, Z_SYNC_FLUSH);
	wrote -= z->zlib.avail_out;
	SES_IS_WRITTEN(z->zlib.next_out - wrote, wrote);
	if (wrote && ses_buf_len(out) == out->limit)
		return SESAME_ELIMIT;
	ses_buf_commit(out, wrote);
	switch (result) {
	case Z_STREAM_END: /* a block marked final (7.2.3.4): the window stays */
		z->ended = true;
		return inflateResetKeep(&z->zlib) == Z_OK ? 0 : SESAME_ENOMEM;
	case Z_OK:
	case Z_BUF_ERROR: /* no progress was possible: input is used up */
		z->ended = false;
		return 0;
	case Z_MEM_ERROR:
		return SESAME_ENOMEM;
	default: /* Z_DATA_ERROR, Z_NEED_DICT */
		return SESAME_EPROTO;
	}
}

static int inflate_all(struct ses_inflate *z, struct bytes in,
		       struct ses_buf *out)
{
	while (in.len) {
		uInt part = clamp(in.len);
		int error;

		z->zlib.next_in = (Bytef *)(uintptr_t)in.data;
		z->zlib.avail_in = part;
		do { /* a full room may hide output that zlib still holds */
			error = inflate_some(z, out);
			if (error)
				return error;
		} while (z->zlib.avail_in ||
			 (z->zlib.avail_out == 0 && !z->ended));
		in = bytes_from(in, part);
	}
	return 0;
}

/* Whether zlib stands right behind a block, on a byte's edge. */
static bool is_between_blocks(const struct ses_inflate *z)
{
	return (z->zlib.data_type & 128) && (z->zlib.data_type & 31) == 0;
}

/*
 * The message is over: add the tail that its sender left out. A message of no
 * bytes, or one whose last block was marked final, needs none.
 */
static int inflate_tail(struct ses_inflate *z, struct ses_buf *out)
{
	bool wants_tail = z->begun && !z->ended;
	int error = 0;

	if (wants_tail)
		error = inflate_all(z, bytes_of(tail, sizeof(tail)), out);
	if (!error && wants_tail && !is_between_blocks(z))
		error = SESAME_EPROTO; /* the tail landed inside a block */
	z->begun = z->ended = false;
	if (!z->takeover)
		close_inflate(z);
	return error;
}

int ses_inflate_feed(struct ses_inflate *z, struct bytes in, bool last,
		     struct ses_buf *out)
{
	int error = 0;

	if (in.len) {
		z->begun = true;
		error = open_inflate(z);
	}
	if (!error)
		error = inflate_all(z, in, out);
	if (!error && last)
		error = inflate_tail(z, out);
	return error;
}

/* ---- whole bodies ---- */

/* As far as @in or the room goes. @bits as inflateInit2() takes them. */
static int inflate_whole(struct bytes in, int bits, struct ses_buf *out)
{
	size_t size = out->limit - ses_buf_len(out);
	uint8_t *room = size ? ses_buf_room(out, size) : NULL;
	z_stream z = {.next_in = (Bytef *)in.data, .avail_in = clamp(in.len)};
	size_t wrote;
	int result;

	if (!room || inflateInit2(&z, bits) != Z_OK)
		return room ? SESAME_ENOMEM : SESAME_ELIMIT;
	z.next_out = room;
	z.avail_out = clamp(size);
	wrote = z.avail_out;
	result = inflate(&z, Z_SYNC_FLUSH);
	wrote -= z.avail_out;
	SES_IS_WRITTEN(room, wrote);
	inflateEnd(&z);
	ses_buf_commit(out, wrote);
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return wrote ? 0 : SESAME_EPROTO;
	return wrote == size && result != Z_STREAM_END ? SESAME_ELIMIT : 0;
}

int ses_inflate_body(struct bytes in, struct ses_buf *out)
{
	int r;

	if (in.len == 0)
		return 0;
	r = inflate_whole(in, 15 + 32, out); /* told apart by their headers */
	return r == SESAME_EPROTO ? inflate_whole(in, -15, out) : r;
}

/* ---- deflating ---- */

struct ses_deflate *ses_deflate_new(unsigned window_bits, bool takeover)
{
	struct ses_deflate *z = calloc(1, sizeof(*z));

	assert(ses_deflate_can(window_bits));
	if (!z)
		return NULL;
	z->window_bits = (uint8_t)window_bits;
	z->takeover = takeover;
	return z;
}

static void close_deflate(struct ses_deflate *z)
{
	if (z->open_bits)
		deflateEnd(&z->zlib);
	z->open_bits = 0;
}

void ses_deflate_free(struct ses_deflate *z)
{
	if (!z)
		return;
	close_deflate(z);
	free(z);
}

void ses_deflate_forget(struct ses_deflate *z)
{
	close_deflate(z);
}

/*
 * The window for a message of @len bytes. One that starts afresh needs no more
 * than its own length: a small one then costs a few KiB and no time to clear.
 */
static uint8_t window_for(const struct ses_deflate *z, size_t len)
{
	uint8_t bits = 9;

	if (z->takeover)
		return z->window_bits;
	/* zlib reaches back 262 bytes less than its window */
	while (bits < z->window_bits && ((size_t)1 << bits) - 262 < len)
		bits++;
	return bits;
}

static int open_deflate(struct ses_deflate *z, size_t len)
{
	uint8_t bits = window_for(z, len);

	if (z->open_bits)
		return 0;
	z->zlib = (z_stream){0};
	/* a hash table in proportion to the window: 15 bits are level 8 */
	if (deflateInit2(&z->zlib, Z_BEST_SPEED, Z_DEFLATED, -bits, bits - 7,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return SESAME_ENOMEM;
	z->open_bits = bits;
	return 0;
}

/* All the room that may be needed, at once, instead of doubling up to it. */
static void reserve(struct ses_deflate *z, size_t len, struct ses_buf *out)
{
	size_t most = deflateBound(&z->zlib, clamp(len)) + LEAST_ROOM;

	/* if it is not to be had, deflate_part() tries with less */
	ses_buf_room(out, most < MOST_RESERVED ? most : MOST_RESERVED);
}

/* Compress what zlib was pointed at; @flush ends the message. */
static int deflate_part(struct ses_deflate *z, int flush, struct ses_buf *out)
{
	do {
		size_t left = out->limit - ses_buf_len(out);
		uint8_t *room = ses_buf_room(out, LEAST_ROOM);
		size_t n;

		if (!room)
			return left < LEAST_ROOM ? SESAME_ELIMIT : SESAME_ENOMEM;
		n = out->capacity - out->end;
		n = n < left ? n : left;
		z->zlib.next_out = room;
		z->zlib.avail_out = clamp(n);
		deflate(&z->zlib, flush);
		SES_IS_WRITTEN(room, clamp(n) - z->zlib.avail_out);
		ses_buf_commit(out, clamp(n) - z->zlib.avail_out);
	} while (z->zlib.avail_out == 0);
	return 0;
}

static int deflate_all(struct ses_deflate *z, struct bytes in,
		       struct ses_buf *out)
{
	int error = 0;

	while (in.len && !error) {
		uInt part = clamp(in.len);

		z->zlib.next_in = (Bytef *)(uintptr_t)in.data;
		z->zlib.avail_in = part;
		in = bytes_from(in, part);
		error = deflate_part(z, in.len ? Z_NO_FLUSH : Z_SYNC_FLUSH, out);
	}
	return error;
}

int ses_deflate_message(struct ses_deflate *z, struct bytes in,
			struct ses_buf *out)
{
	int error;

	/* zlib flushes nothing when it was given nothing (7.2.3.6). */
	if (in.len == 0)
		return ses_buf_append(out, BYTES("\0"));
	error = open_deflate(z, in.len);
	if (!error) {
		reserve(z, in.len, out);
		error = deflate_all(z, in, out);
	}
	if (error)
		return error;
	out->end -= sizeof(tail);
	if (!z->takeover)
		close_deflate(z);
	return 0;
}
