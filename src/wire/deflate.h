/* SPDX-License-Identifier: MIT */
/*
 * permessage-deflate's two halves (RFC 7692 section 7.2): zlib, bounded while
 * it inflates, and the only place that knows zlib.
 */
#ifndef WIRE_DEFLATE_H
#define WIRE_DEFLATE_H

#include "base/buf.h"
#include "wire/fault.h"

struct ses_inflate;
struct ses_deflate;

/* @window_bits 8..15 of the peer's compressor. NULL when out of memory. */
struct ses_inflate *ses_inflate_new(unsigned window_bits, bool takeover);
void ses_inflate_free(struct ses_inflate *z);
/*
 * Inflate the next part of a message to the end of @out, whose limit bounds
 * the message during inflation. @last: the message's last part. Returns 0,
 * SESAME_ELIMIT, SESAME_ENOMEM, or SESAME_EPROTO for data that is not deflate.
 */
int ses_inflate_feed(struct ses_inflate *z, struct bytes in, bool last,
		     struct ses_buf *out);

/* @window_bits 8..15 (8 is taken as 9 for zlib's sake where that is lawful). */
struct ses_deflate *ses_deflate_new(unsigned window_bits, bool takeover);
void ses_deflate_free(struct ses_deflate *z);
/* Compress a whole message to the end of @out, its tail removed. 0 or error. */
int ses_deflate_message(struct ses_deflate *z, struct bytes in,
			struct ses_buf *out);

#endif
