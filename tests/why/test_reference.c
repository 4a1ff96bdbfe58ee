/* SPDX-License-Identifier: MIT */
/* References: written, read back, and read as people type them. */
#include "why/reference.h"
#include "test.h"

TEST("a reference reads back as the number it was made from")
{
	uint64_t numbers[] = {
		0,	   1, 31, 32, 0xfffffffffe, 0xffffffffff, 0x123456789a,
		1ull << 39};
	char out[WHY_REFERENCE_SIZE];
	uint64_t back;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		why_reference_write(numbers[i], out);
		assert_int_equal(strlen(out), 9);
		assert_int_equal(out[4], '-');
		assert_null(strpbrk(out, "ILOU"));
		assert_true(why_reference_read(bytes_of_str(out), &back));
		assert_true(back == numbers[i]);
	}
}

TEST("bits above the fortieth are not told")
{
	char a[WHY_REFERENCE_SIZE], b[WHY_REFERENCE_SIZE];

	why_reference_write(5, a);
	why_reference_write(5 | 1ull << 40 | 1ull << 63, b);
	assert_string_equal(a, b);
	assert_string_equal(a, "0000-0005");
}

TEST("a reference is read in every way in which people type it")
{
	static const char *const ways[] = {
		"7K2M-0110", "7k2m-0110", "7K2MO11O",	 " 7K2M-0110\n",
		"7k2m-Oilo", "7K2M-0IL0", "\t7k2m0110 ",
	};
	uint64_t first, number;

	assert_true(why_reference_read(BYTES("7K2M0110"), &first));
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		assert_true(why_reference_read(bytes_of_str(ways[i]), &number));
		assert_true(number == first);
	}
}

TEST("anything else is no reference and leaves the number alone")
{
	static const char *const others[] = {
		"",	      "-",
		"7K2M",	      "7K2M-011",
		"7K2M-01100", "7K2M--110",
		"7K2-M0110",  "7K2M-01U0",
		"7K2M 0110",  "7K2M-01 0",
		"7K2M_0110",  "-7K2M0110",
		"7K2M0110-",  "7K2M-011\xc3",
	};
	uint64_t number = 42;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(
			why_reference_read(bytes_of_str(others[i]), &number));
	assert_false(why_reference_read(bytes_of("7K2M\0"
						 "110",
						 8),
					&number));
	assert_true(number == 42);
}

TEST("reading stops at the end of the bytes that it was given")
{
	uint64_t number;

	for (size_t len = 0; len <= 9; len++) {
		uint8_t *copy = test_guarded("7K2M-Q4XD", len);

		assert_int_equal(why_reference_read(bytes_of(copy, len), &number),
				 len == 9);
		test_guard_free(copy, len);
	}
}
