/* SPDX-License-Identifier: MIT */
/* Masking against the definition, at every length and place that differs. */
#include "test.h"

#include "wire/mask.h"

#include <stdlib.h>

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

static void fill(uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(i * 7 + 3);
}

static void assert_masked(const uint8_t *dst, size_t n, unsigned at)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(dst[i],
				 (uint8_t)((i * 7 + 3) ^ key[(at + i) % 4]));
}

TEST("masking is the RFC's formula for every length, place and alignment")
{
	uint8_t src[320], dst[320];

	for (size_t n = 0; n < 300; n++)
		for (unsigned at = 0; at < 4; at++)
			for (size_t shift = 0; shift < 17; shift += 4 + at) {
				fill(src + shift, n);
				assert_int_equal(ses_mask(dst + 1, src + shift,
							  n, key, at),
						 (at + n) % 4);
				assert_masked(dst + 1, n, at);
			}
}

TEST("masking in place gives the same and touches nothing outside")
{
	for (size_t n = 0; n < 300; n++)
		for (unsigned at = 0; at < 4; at++) {
			uint8_t before[300], *copy;

			fill(before, n);
			copy = test_guarded(before, n);
			ses_mask(copy, copy, n, key, at);
			assert_masked(copy, n, at);
			test_guard_free(copy, n);
		}
}

TEST("a whole payload is masked as by its parts")
{
	for (size_t n = 0; n < 300; n++) {
		uint8_t before[300] = {0}, *copy;

		fill(before, n);
		copy = test_guarded(before, n);
		ses_mask_whole(copy, n, key);
		assert_masked(copy, n, 0);
		test_guard_free(copy, n);
	}
}

TEST("masking writes nothing before or behind")
{
	for (size_t n = 0; n < 100; n++) {
		uint8_t room[140];

		memset(room, 0xee, sizeof(room));
		fill(room + 20, n);
		ses_mask(room + 20, room + 20, n, key, 0);
		for (size_t i = 0; i < 20; i++) {
			assert_int_equal(room[i], 0xee);
			assert_int_equal(room[20 + n + i], 0xee);
		}
	}
}

TEST("masked in two parts is masked in one, wherever it is cut")
{
	for (size_t n = 1; n < 150; n++)
		for (size_t cut = 0; cut <= n; cut++) {
			uint8_t data[150];
			unsigned at;

			fill(data, n);
			at = ses_mask(data, data, cut, key, 2);
			ses_mask(data + cut, data + cut, n - cut, key, at);
			assert_masked(data, n, 2);
		}
}
