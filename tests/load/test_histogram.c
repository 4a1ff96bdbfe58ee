/* SPDX-License-Identifier: MIT */
#include "load/histogram.h"
#include "test.h"

#include <stdlib.h>

static struct load_histogram *new_one(void)
{
	return calloc(1, sizeof(struct load_histogram));
}

TEST("of an empty one all is zero")
{
	struct load_histogram *h = new_one();

	assert_int_equal(load_quantile(h, 0.5), 0);
	assert_true(load_mean(h) == 0);
	free(h);
}

TEST("quantiles are at most 1.6 % too long and never too short")
{
	static const uint64_t times[] = {0,	1,	 63,	  64,
					 65,	127,	 128,	  1000,
					 99999, 1234567, 7654321, 987654321,
					 (uint64_t)3600 * 1000000000};

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct load_histogram *h = new_one();
		uint64_t t = times[i], q;

		load_note(h, t);
		load_note(h, 2 * t + 100); /* not the most of all */
		q = load_quantile(h, 0.5);
		assert_true(q >= t);
		assert_true((double)(q - t) <= (double)t * 0.016);
		assert_int_equal(load_quantile(h, 1), h->most);
		free(h);
	}
}

TEST("of a thousand durations the quantiles are those of their order")
{
	struct load_histogram *h = new_one();

	for (uint64_t i = 1000; i > 0; i--)
		load_note(h, i * 1000);
	assert_in_range(load_quantile(h, 0.5), 500000, 508000);
	assert_in_range(load_quantile(h, 0.9), 900000, 914400);
	assert_in_range(load_quantile(h, 0.999), 999000, 1000000);
	assert_int_equal(load_quantile(h, 1), 1000000);
	assert_int_equal(h->least, 1000);
	assert_true(load_mean(h) == 500500);
	free(h);
}

TEST("two of them together are one of all")
{
	struct load_histogram *a = new_one(), *b = new_one(), *all = new_one();

	for (uint64_t i = 1; i < 500; i++) {
		load_note(i % 3 ? a : b, i * i);
		load_note(all, i * i);
	}
	load_histogram_add(a, b);
	assert_memory_equal(a, all, sizeof(*a));
	free(a);
	free(b);
	free(all);
}

TEST("what lasts longer than an hour and a quarter counts as that")
{
	struct load_histogram *h = new_one();

	load_note(h, UINT64_MAX);
	assert_int_equal(load_quantile(h, 1), ((uint64_t)1 << 42) - 1);
	free(h);
}
