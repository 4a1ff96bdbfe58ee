/* SPDX-License-Identifier: MIT */
/* Frame headers, to and from bytes (RFC 6455 section 5.2). */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "base/bytes.h"
#include "wire/fault.h"

#define SES_FRAME_HEAD_MAX 14
#define SES_FRAME_FIN	   0x80 /* in the first byte */
#define SES_FRAME_MASKED   0x80 /* in the second, over the length ... */
#define SES_FRAME_SHORT	   125	/* ... which stands there itself up to this */
#define SES_CONTROL_MAX	   125

enum ses_opcode {
	SES_OP_CONTINUATION = 0x0,
	SES_OP_TEXT = 0x1,
	SES_OP_BINARY = 0x2,
	SES_OP_CLOSE = 0x8,
	SES_OP_PING = 0x9,
	SES_OP_PONG = 0xa,
};

struct ses_frame {
	bool fin;
	bool rsv1, rsv2, rsv3;
	bool masked;
	uint8_t opcode;
	uint8_t mask[4];
	uint64_t payload_len;
};

/*
 * Decode one frame header. @in is borrowed for the call. What a single header
 * can get wrong in itself is told here (opcode, length encoding, control
 * frames); what depends on role, extensions or earlier frames is not.
 *
 * Returns the header's length in bytes (2..14), 0 when more input is needed,
 * or SESAME_EPROTO (*ret_fault says which rule, as early as it is visible: the
 * top bit of a 64-bit length on the tenth byte at the latest).
 */
int ses_frame_decode(struct bytes in, struct ses_frame *ret_frame,
		     enum ses_fault *ret_fault);
/* Encode a header into @out; returns its length, 2..14. */
size_t ses_frame_encode(const struct ses_frame *frame,
			uint8_t out[SES_FRAME_HEAD_MAX]);
/* The length that ses_frame_encode() will return. */
static inline size_t ses_frame_head_len(uint64_t payload_len, bool masked)
{
	size_t extended = payload_len < 126 ? 0 : payload_len < 0x10000 ? 2 : 8;

	return 2 + extended + (masked ? 4 : 0);
}

#endif
