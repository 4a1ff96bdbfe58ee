/* SPDX-License-Identifier: MIT */
/*
 * One frame header (RFC 6455 section 5.2). The hard part is the length: it
 * comes in three encodings of which only the shortest is lawful, and its top
 * bit must be refused before anybody calculates with it.
 */
#include "wire/frame.h"

#include <sesame/error.h>

#define FIN		SES_FRAME_FIN
#define RSV1		0x40
#define RSV2		0x20
#define RSV3		0x10
#define OPCODE		0x0f
#define MASKED		SES_FRAME_MASKED
#define LENGTH		0x7f
#define LENGTH_IN_TWO	126 /* the length follows in two bytes */
#define LENGTH_IN_EIGHT 127

static bool is_control(uint8_t opcode)
{
	return opcode & 8;
}

static bool is_defined(uint8_t opcode)
{
	return opcode <= SES_OP_BINARY ||
	       (opcode >= SES_OP_CLOSE && opcode <= SES_OP_PONG);
}

/* What the first bytes (one at least) get wrong already. */
static enum ses_fault check_start(struct bytes in)
{
	uint8_t opcode = in.data[0] & OPCODE;

	if (!is_defined(opcode))
		return SES_FAULT_OPCODE;
	if (is_control(opcode) && !(in.data[0] & FIN))
		return SES_FAULT_CONTROL_FRAGMENTED;
	if (in.len < 2)
		return SES_FAULT_NONE;
	if (is_control(opcode) && (in.data[1] & LENGTH) > SES_CONTROL_MAX)
		return SES_FAULT_CONTROL_TOO_LONG;
	if ((in.data[1] & LENGTH) == LENGTH_IN_EIGHT && in.len > 2 &&
	    in.data[2] & 0x80)
		return SES_FAULT_LENGTH_TOP_BIT;
	return SES_FAULT_NONE;
}

static uint64_t read_big_endian(const uint8_t *at, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | at[i];
	return value;
}

/* Bytes of extended length that the second byte of a header announces. */
static size_t length_bytes(uint8_t second)
{
	uint8_t length = second & LENGTH;

	return length == LENGTH_IN_TWO ? 2 : length == LENGTH_IN_EIGHT ? 8 : 0;
}

/* The payload's length; false when it is not in its shortest encoding. */
static bool read_length(const uint8_t *in, size_t n, uint64_t *ret_len)
{
	*ret_len = n ? read_big_endian(in + 2, n) : in[1] & LENGTH;
	return n == 0 || *ret_len >= (n == 2 ? LENGTH_IN_TWO : 0x10000);
}

int ses_frame_decode(struct bytes in, struct ses_frame *ret_frame,
		     enum ses_fault *ret_fault)
{
	enum ses_fault fault = in.len ? check_start(in) : SES_FAULT_NONE;
	size_t extended, head_len;
	uint64_t len;
	bool masked;

	if (fault) {
		*ret_fault = fault;
		return SESAME_EPROTO;
	}
	if (in.len < 2)
		return 0;
	extended = length_bytes(in.data[1]);
	if (in.len < 2 + extended)
		return 0;
	if (!read_length(in.data, extended, &len)) {
		*ret_fault = SES_FAULT_LENGTH_NOT_MINIMAL;
		return SESAME_EPROTO;
	}
	masked = in.data[1] & MASKED;
	head_len = 2 + extended + (masked ? 4 : 0);
	if (in.len < head_len)
		return 0;
	*ret_frame = (struct ses_frame){
		.fin = in.data[0] & FIN,
		.rsv1 = in.data[0] & RSV1,
		.rsv2 = in.data[0] & RSV2,
		.rsv3 = in.data[0] & RSV3,
		.masked = masked,
		.opcode = in.data[0] & OPCODE,
		.payload_len = len,
	};
	if (masked)
		memcpy(ret_frame->mask, in.data + head_len - 4, 4);
	return (int)head_len;
}

/* Write the length after the first byte; returns how many bytes it took. */
static size_t write_length(uint64_t len, uint8_t *out)
{
	size_t n = len < LENGTH_IN_TWO ? 0 : len < 0x10000 ? 2 : 8;

	if (n == 0) {
		out[0] = (uint8_t)len;
		return 1;
	}
	if (n == 2) {
		out[0] = LENGTH_IN_TWO;
		out[1] = (uint8_t)(len >> 8);
		out[2] = (uint8_t)len;
		return 3;
	}
	out[0] = LENGTH_IN_EIGHT;
	for (size_t i = 0; i < n; i++)
		out[1 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
	return 1 + n;
}

size_t ses_frame_encode(const struct ses_frame *frame,
			uint8_t out[SES_FRAME_HEAD_MAX])
{
	size_t n = 1 + write_length(frame->payload_len, out + 1);

	out[0] = (frame->fin ? FIN : 0) | (frame->rsv1 ? RSV1 : 0) |
		 (frame->rsv2 ? RSV2 : 0) | (frame->rsv3 ? RSV3 : 0) |
		 (frame->opcode & OPCODE);
	if (!frame->masked)
		return n;
	out[1] |= MASKED;
	memcpy(out + n, frame->mask, 4);
	return n + 4;
}
