/* SPDX-License-Identifier: MIT */
/*
 * permessage-deflate's two halves (RFC 7692 section 7.2): zlib, bounded while
 * it inflates, and libdeflate, where it is there, for what it does faster. The
 * only place that knows them.
 */
#ifndef WIRE_DEFLATE_H
#define WIRE_DEFLATE_H

#include "base/buf.h"
#include "wire/fault.h"

/* MemorySanitizer does not see a library write. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define SES_IS_WRITTEN(to, n) __msan_unpoison(to, n)
#endif
#endif
#ifndef SES_IS_WRITTEN
#define SES_IS_WRITTEN(to, n) ((void)(to))
#endif

struct ses_inflate;
struct ses_deflate;

/*
 * Take messages apart. @window_bits 8..15 of the peer's compressor. NULL when
 * out of memory. Without @takeover zlib's memory is held only inside a message.
 */
struct ses_inflate *ses_inflate_new(unsigned window_bits, bool takeover);
void ses_inflate_free(struct ses_inflate *z);
/*
 * Inflate the next part of a message to the end of @out, whose limit bounds
 * the message during inflation. @last: the message's last part. Returns 0,
 * SESAME_ELIMIT, SESAME_ENOMEM, or SESAME_EPROTO for data that is not deflate.
 * After an error @z can only be freed.
 */
int ses_inflate_feed(struct ses_inflate *z, struct bytes in, bool last,
		     struct ses_buf *out);

/*
 * Inflate a whole body, gzip or deflate (RFC 9110 section 8.4.1: the latter in
 * zlib's wrapping, or bare as some send it), to the end of @out; what is there
 * of one that was cut is good. Returns 0, SESAME_ELIMIT (@out is as full as it
 * gets), SESAME_ENOMEM, or SESAME_EPROTO.
 */
int ses_inflate_body(struct bytes in, struct ses_buf *out);

/*
 * Whether messages can be compressed for a peer with this window. zlib has no
 * window of 8 bits: it would use 9 and may refer further back than a peer that
 * was promised 8 remembers. Then messages go uncompressed, which is lawful.
 */
static inline bool ses_deflate_can(unsigned window_bits)
{
	return window_bits >= 9 && window_bits <= 15;
}

/* @window_bits 9..15. NULL when out of memory. */
struct ses_deflate *ses_deflate_new(unsigned window_bits, bool takeover);
void ses_deflate_free(struct ses_deflate *z);
/*
 * Compress a whole message to the end of @out, its tail removed. Returns 0,
 * SESAME_ELIMIT or SESAME_ENOMEM; after an error call ses_deflate_forget().
 */
int ses_deflate_message(struct ses_deflate *z, struct bytes in,
			struct ses_buf *out);
/*
 * The peer will not see what was compressed last: later messages must not
 * refer to it, nor to anything before.
 */
void ses_deflate_forget(struct ses_deflate *z);

/*
 * Compress a whole message that refers to no other to the end of @out, its tail
 * removed, by what the thread keeps for that. Returns 0, SESAME_ELIMIT: it gets
 * no shorter; SESAME_ENOMEM, or SESAME_EAGAIN: ses_deflate_message() may do it
 * (this one knows neither small windows nor long messages, and nothing at all
 * in a build without libdeflate).
 */
int ses_deflate_once(unsigned window_bits, struct bytes in, struct ses_buf *out);
/* Free what this thread keeps: before it ends, for one. */
void ses_deflate_forget_spares(void);

#endif
