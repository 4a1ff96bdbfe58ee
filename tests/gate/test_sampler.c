/* SPDX-License-Identifier: MIT */
/* What of a flood is written down, by a clock that the test holds. */
#include "gate/sampler.h"

#include "test.h"

static struct gate_sampler s;

static unsigned taken(uint64_t kind, unsigned n, uint64_t now_ms, bool spare)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++)
		count += gate_sampler_takes(&s, kind, now_ms, spare);
	return count;
}

TEST("the first of every kind are taken however large the flood is")
{
	gate_sampler_init(&s, 0);
	assert_int_equal(taken(7, 100000, 0, true),
			 GATE_SAMPLER_FIRST + GATE_SAMPLER_BURST);
	for (uint64_t kind = 1000; kind < 1050; kind++)
		assert_int_equal(taken(kind, 100, 0, true), GATE_SAMPLER_FIRST);
	/* Each minute anew, and of the rest so many a second. */
	assert_int_equal(taken(7, 100000, 60000, true),
			 GATE_SAMPLER_FIRST + 60 * GATE_SAMPLER_RATE);
}

TEST("without room to spare the first of a kind are taken and no others")
{
	gate_sampler_init(&s, 0);
	assert_int_equal(taken(7, 100, 0, false), GATE_SAMPLER_FIRST);
	assert_int_equal(taken(8, 5, 0, false), 5);
}

TEST("however many kinds there are, what is taken in a minute has a bound")
{
	unsigned count = 0;

	gate_sampler_init(&s, 0);
	for (uint64_t kind = 1; kind < 100000; kind++)
		count += taken(kind * 7919, 20, 0, true);
	assert_true(count <= GATE_SAMPLER_KINDS * GATE_SAMPLER_FIRST +
				     GATE_SAMPLER_BURST);
}

TEST("clocks of two workers that differ by a moment make no burst")
{
	gate_sampler_init(&s, 1000000);
	taken(7, 100000, 1000000, true);
	assert_int_equal(taken(7, 1000, 999999, true), 0);
	assert_int_equal(taken(7, 1000, 1000000, true), 0);
}

TEST("parts of a kind do not run together")
{
	uint64_t a = gate_kind_mix(gate_kind_mix(0, BYTES("ab")), BYTES("c"));
	uint64_t b = gate_kind_mix(gate_kind_mix(0, BYTES("a")), BYTES("bc"));

	assert_int_not_equal(a, b);
}
