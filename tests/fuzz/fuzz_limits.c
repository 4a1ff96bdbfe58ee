/* SPDX-License-Identifier: MIT */
/*
 * Comings, goings, failures and time in any order, beside a plain count for
 * each address. The table has room for all, so nothing may be forgotten.
 */
#include <assert.h>
#include <stdlib.h>

#include "gate/limits.h"

#define PEOPLE 8
#define MAX_IN 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gate_limit limits[] = {
	{GATE_LIMIT_RATE, GATE_BY_ADDRESS, 3, 1000, "/a", "3/second", 1},
	{GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS, 2, 0, "/a", "2", 2},
	{GATE_LIMIT_FAILURES, GATE_BY_ADDRESS, 2, 60000, "/a", "2/minute", 3},
	{GATE_LIMIT_CONNECTIONS, GATE_BY_ROUTE, 5, 0, "/a", "5", 4},
};

#define N_LIMITS (sizeof(limits) / sizeof(limits[0]))

/* Credit of a bucket as it would be with a count for each millisecond. */
struct bucket {
	uint64_t credit, at_ms;
};

static uint64_t credit_of(struct bucket *b, const struct gate_limit *limit,
			  uint64_t now_ms)
{
	uint64_t full = limit->most * limit->period_ms;

	b->credit += (now_ms - b->at_ms) * limit->most;
	if (b->credit > full)
		b->credit = full;
	b->at_ms = now_ms;
	return b->credit;
}

static struct model {
	struct bucket rate[PEOPLE], failures[PEOPLE];
	unsigned live[PEOPLE], all;
} model;

static struct {
	struct gate_limit_holds holds;
	unsigned who;
} in[MAX_IN];
static size_t n_in;

/* The limit that is in the way, or NULL. */
static const struct gate_limit *expected(unsigned who, uint64_t now_ms)
{
	if (credit_of(&model.rate[who], &limits[0], now_ms) < limits[0].period_ms)
		return &limits[0];
	if (model.live[who] == limits[1].most)
		return &limits[1];
	if (credit_of(&model.failures[who], &limits[2], now_ms) <
	    limits[2].period_ms)
		return &limits[2];
	return model.all == limits[3].most ? &limits[3] : NULL;
}

static void come(struct gate_limiter *l, unsigned person,
		 const struct gate_limit_who *who, uint64_t now_ms)
{
	const struct gate_limit *want = expected(person, now_ms);
	struct gate_limit_holds holds = {.n = 0};
	struct gate_limit_hit hit = {.limit = NULL};
	enum gate_limit_answer answer = gate_limiter_pass(
		l, limits, N_LIMITS, GATE_BY_ADDRESS | GATE_BY_ROUTE, who,
		now_ms, &holds, &hit);

	assert(answer == (want ? GATE_LIMIT_HIT : GATE_LIMIT_PASSED));
	assert(hit.limit == want);
	if (want) {
		assert(holds.n == 0 && hit.wait_ms <= 60000);
		return;
	}
	assert(holds.n == 2);
	model.rate[person].credit -= limits[0].period_ms;
	model.live[person]++;
	model.all++;
	in[n_in].holds = holds;
	in[n_in++].who = person;
}

static void go(struct gate_limiter *l, unsigned which)
{
	if (n_in == 0)
		return;
	which %= (unsigned)n_in;
	gate_limiter_leave(l, &in[which].holds);
	model.live[in[which].who]--;
	model.all--;
	in[which] = in[--n_in];
}

static void fail(struct gate_limiter *l, unsigned person,
		 const struct gate_limit_who *who, uint64_t now_ms)
{
	struct bucket *b = &model.failures[person];
	struct gate_limit_hit hit = {.limit = NULL};
	bool room = credit_of(b, &limits[2], now_ms) >= limits[2].period_ms;

	assert((gate_limiter_fail(l, limits, N_LIMITS, who, now_ms, &hit) ==
		GATE_LIMIT_PASSED) == room);
	assert(room || hit.limit == &limits[2]);
	/* every other one proves good after all */
	if (room && now_ms % 2)
		gate_limiter_forgive(l, limits, N_LIMITS, who);
	else if (room)
		b->credit -= limits[2].period_ms;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gate_limiter *l =
		gate_limiter_new(1024, (const uint8_t *)"0123456789abcdef");
	uint64_t now_ms = 0;
	size_t keys, live;

	assert(l);
	memset(&model, 0, sizeof(model));
	for (int i = 0; i < PEOPLE; i++) {
		model.rate[i].credit = limits[0].most * limits[0].period_ms;
		model.failures[i].credit = limits[2].most * limits[2].period_ms;
	}
	n_in = 0;
	for (size_t i = 0; i < size; i++) {
		unsigned person = data[i] % PEOPLE, what = data[i] / PEOPLE;
		struct gate_address address = {{[10] = 0xff, [11] = 0xff}};
		struct gate_limit_who who = {&address, {NULL, 0}};

		address.bytes[15] = (uint8_t)person;
		if (what < 12)
			come(l, person, &who, now_ms);
		else if (what < 18)
			go(l, data[i]);
		else if (what < 22)
			fail(l, person, &who, now_ms);
		else
			now_ms += (uint64_t)(what - 21) * (what - 21) *
				  (person + 1) * 17;
	}
	while (n_in)
		go(l, 0);
	gate_limiter_count(l, &keys, &live);
	assert(live == 0 && keys <= 1024);
	gate_limiter_free(l);
	return 0;
}
