/* SPDX-License-Identifier: MIT */
/* Percent-encoding, and what only looks like it. */
#include "test.h"

#include "base/percent.h"

TEST("%XX is a byte, and everything else is itself")
{
	static const struct {
		struct bytes in, out;
	} rows[] = {
		{BYTES(""), BYTES("")},
		{BYTES("plain"), BYTES("plain")},
		{BYTES("a%20b"), BYTES("a b")},
		{BYTES("%3a%3A"), BYTES("::")},
		{BYTES("%00"), BYTES("\0")},
		{BYTES("%ff"), BYTES("\xff")},
		{BYTES("%"), BYTES("%")},
		{BYTES("%2"), BYTES("%2")},
		{BYTES("%2g%zz"), BYTES("%2g%zz")},
		{BYTES("%%20"), BYTES("% ")},
		{BYTES("%2520"), BYTES("%20")},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *in = test_guarded(rows[i].in.data, rows[i].in.len), out[16];
		size_t n = ses_percent_decode(bytes_of(in, rows[i].in.len), out);

		assert_int_equal(n, rows[i].out.len);
		assert_memory_equal(out, rows[i].out.data, n);
		test_guard_free(in, rows[i].in.len);
	}
}

TEST("there are twenty-two hexadecimal digits")
{
	int n = 0;

	for (int c = 0; c < 256; c++)
		n += ses_hex_digit((uint8_t)c) >= 0;
	assert_int_equal(n, 22);
	assert_int_equal(ses_hex_digit('0'), 0);
	assert_int_equal(ses_hex_digit('a'), 10);
	assert_int_equal(ses_hex_digit('F'), 15);
}
