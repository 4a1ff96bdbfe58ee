/* SPDX-License-Identifier: MIT */
/* Frame headers: what is lawful, what is not, and at which byte that shows. */
#include "test.h"

#include "wire/frame.h"

#include <sesame/error.h>

/* Decode a guarded copy, so that a byte read too far is a crash. */
static int decode(struct bytes in, struct ses_frame *ret_frame,
		  enum ses_fault *ret_fault)
{
	uint8_t *copy = test_guarded(in.data, in.len);
	int n = ses_frame_decode(bytes_of(copy, in.len), ret_frame, ret_fault);

	test_guard_free(copy, in.len);
	return n;
}

static const struct {
	uint64_t len;
	size_t head; /* without a mask */
} lengths[] = {
	{0, 2},
	{1, 2},
	{125, 2},
	{126, 4},
	{127, 4},
	{65535, 4},
	{65536, 10},
	{(uint64_t)1 << 32, 10},
	{INT64_MAX - 1, 10},
	{INT64_MAX, 10},
};

TEST("a header decodes to what was encoded, for every length, mask and bit")
{
	static const uint8_t opcodes[] = {0, 1, 2, 8, 9, 10};

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		for (unsigned bits = 0; bits < 32; bits++)
			for (size_t k = 0; k < ARRAY_LEN(opcodes); k++) {
				struct ses_frame
					in =
						{
							.fin = bits & 1,
							.rsv1 = bits & 2,
							.rsv2 = bits & 4,
							.rsv3 = bits & 8,
							.masked = bits & 16,
							.opcode = opcodes[k],
							.payload_len =
								lengths[i].len,
						},
					out;
				uint8_t head[SES_FRAME_HEAD_MAX];
				enum ses_fault fault;
				size_t n;

				if ((in.opcode & 8) &&
				    (!in.fin || in.payload_len > 125))
					continue;
				if (in.masked)
					memcpy(in.mask, "\1\2\3\4", 4);
				n = ses_frame_encode(&in, head);
				assert_int_equal(n, lengths[i].head +
							    in.masked * 4);
				assert_int_equal(
					n, ses_frame_head_len(in.payload_len,
							      in.masked));
				assert_int_equal(
					decode(bytes_of(head, n), &out, &fault),
					n);
				assert_int_equal(in.fin, out.fin);
				assert_int_equal(in.rsv1, out.rsv1);
				assert_int_equal(in.rsv2, out.rsv2);
				assert_int_equal(in.rsv3, out.rsv3);
				assert_int_equal(in.masked, out.masked);
				assert_int_equal(in.opcode, out.opcode);
				assert_true(in.payload_len == out.payload_len);
				assert_memory_equal(in.mask, out.mask, 4);
			}
}

TEST("a header cut at any byte asks for more and is read no further")
{
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct ses_frame in = {.fin = true,
				       .opcode = SES_OP_BINARY,
				       .masked = true,
				       .payload_len = lengths[i].len},
				 out;
		uint8_t head[SES_FRAME_HEAD_MAX];
		size_t n = ses_frame_encode(&in, head);
		enum ses_fault fault;

		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(
				decode(bytes_of(head, cut), &out, &fault), 0);
	}
}

#define BAD(bytes, fault, at)                       \
	{                                           \
		BYTES(bytes), SES_FAULT_##fault, at \
	}
/* Headers that break a rule, and the number of bytes after which that shows. */
static const struct {
	struct bytes head;
	enum ses_fault fault;
	size_t at;
} bad[] = {
	BAD("\x83\x00", OPCODE, 1),
	BAD("\x87\x00", OPCODE, 1),
	BAD("\x8b\x00", OPCODE, 1),
	BAD("\x8f\x00", OPCODE, 1),
	BAD("\x08\x00", CONTROL_FRAGMENTED, 1),
	BAD("\x09\x00", CONTROL_FRAGMENTED, 1),
	BAD("\x0a\x80", CONTROL_FRAGMENTED, 1),
	BAD("\x89\x7e\x00\x7e", CONTROL_TOO_LONG, 2),
	BAD("\x88\xfe\x00\x7e", CONTROL_TOO_LONG, 2),
	BAD("\x8a\x7f\x00\x00\x00\x00\x00\x01\x00\x00", CONTROL_TOO_LONG, 2),
	BAD("\x82\x7e\x00\x00", LENGTH_NOT_MINIMAL, 4),
	BAD("\x82\x7e\x00\x7d", LENGTH_NOT_MINIMAL, 4),
	BAD("\x82\xfe\x00\x7d\x01\x02\x03\x04", LENGTH_NOT_MINIMAL, 4),
	BAD("\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x00", LENGTH_NOT_MINIMAL, 10),
	BAD("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", LENGTH_NOT_MINIMAL, 10),
	BAD("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", LENGTH_TOP_BIT, 3),
	BAD("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", LENGTH_TOP_BIT, 3),
	BAD("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xfc", LENGTH_TOP_BIT, 3),
	BAD("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x01", LENGTH_TOP_BIT, 3),
	BAD("\x81\x7f\xc0\x00\x00\x00\x00\x00\x00\x01", LENGTH_TOP_BIT, 3),
};

TEST("a broken rule is told at the first byte that shows it")
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (size_t n = 0; n <= bad[i].head.len; n++) {
			enum ses_fault fault = SES_FAULT_NONE;
			struct ses_frame frame;
			int result = decode(bytes_first(bad[i].head, n), &frame,
					    &fault);

			assert_int_equal(result,
					 n < bad[i].at ? 0 : SESAME_EPROTO);
			assert_int_equal(fault, n < bad[i].at ? SES_FAULT_NONE
							      : bad[i].fault);
		}
	}
}

TEST("a 64-bit length with its top bit set never passes the tenth byte")
{
	for (unsigned high = 0x80; high <= 0xff; high++) {
		uint8_t head[10] = {0x82, 0xff, (uint8_t)high};
		enum ses_fault fault;
		struct ses_frame frame;

		assert_int_equal(decode(bytes_of(head, 10), &frame, &fault),
				 SESAME_EPROTO);
		assert_int_equal(fault, SES_FAULT_LENGTH_TOP_BIT);
	}
}

TEST("the longest length that is lawful, 2^63-1, decodes")
{
	enum ses_fault fault;
	struct ses_frame frame;

	assert_int_equal(
		decode(BYTES("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
		       &frame, &fault),
		10);
	assert_true(frame.payload_len == INT64_MAX);
}

TEST("every fault has a row with a section and a sentence that fits a frame")
{
	for (int i = 1; i < SES_N_FAULTS; i++) {
		const struct ses_fault_row *row =
			ses_fault_row((enum ses_fault)i);

		assert_true(row->id[0] && row->section[0]);
		assert_in_range(strlen(row->sentence), 1, 123);
	}
	assert_string_equal(ses_fault_row(SES_FAULT_UTF8)->id, "UTF8");
	assert_int_equal(ses_fault_row(SES_FAULT_UTF8)->close_code, 1007);
	assert_string_equal(ses_fault_row((enum ses_fault)9999)->id, "NONE");
}
