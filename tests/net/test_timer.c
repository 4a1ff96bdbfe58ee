/* SPDX-License-Identifier: MIT */
/* The heap of timers, with time passed in. */
#include "net/timer.h"

#include <stdlib.h>

#include "test.h"

#define N 200

struct counted {
	struct ses_timer timer;
	unsigned fired;
	uint64_t at;
};

static struct counted many[N];
static uint64_t last_at;
static struct ses_timers heap;

static void count(struct ses_timer *t)
{
	struct counted *c = (struct counted *)t;

	assert_true(c->at >= last_at);
	assert_false(ses_timer_running(t));
	last_at = c->at;
	c->fired++;
}

static void start(struct counted *c, uint64_t at)
{
	c->timer.fire = count;
	c->at = at;
	assert_int_equal(ses_timers_start(&heap, &c->timer, at), 0);
}

static void reset(void)
{
	memset(many, 0, sizeof(many));
	last_at = 0;
	ses_timers_fini(&heap);
}

TEST("timers fire in the order of their times, whatever order they came in")
{
	reset();
	for (size_t i = 0; i < N; i++)
		start(&many[i], (i * 7919) % 1009);
	ses_timers_fire(&heap, 500);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(many[i].fired, many[i].at <= 500);
	ses_timers_fire(&heap, 2000);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(many[i].fired, 1);
	assert_int_equal(heap.n, 0);
	reset();
}

TEST("a stopped timer does not fire, and its stopping disturbs no other")
{
	reset();
	for (size_t i = 0; i < N; i++)
		start(&many[i], (i * 104729) % 997);
	for (size_t i = 0; i < N; i += 3) {
		ses_timers_stop(&heap, &many[i].timer);
		ses_timers_stop(&heap, &many[i].timer);
	}
	ses_timers_fire(&heap, 2000);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(many[i].fired, i % 3 != 0);
	reset();
}

TEST("a timer started again moves, earlier and later")
{
	reset();
	for (size_t i = 0; i < N; i++)
		start(&many[i], 1000 + i);
	start(&many[N - 1], 10);
	start(&many[0], 5000);
	assert_int_equal(heap.n, N);
	assert_int_equal(ses_timers_wait_ms(&heap, 4), 6);
	ses_timers_fire(&heap, 10);
	assert_int_equal(many[N - 1].fired, 1);
	ses_timers_fire(&heap, 4999);
	assert_int_equal(many[0].fired, 0);
	assert_int_equal(heap.n, 1);
	ses_timers_fire(&heap, 5000);
	assert_int_equal(many[0].fired, 1);
	reset();
}

TEST("the wait is -1 without timers, 0 when overdue and never wraps")
{
	static const struct {
		uint64_t at, now;
		int wait;
	} rows[] = {{10, 0, 10},
		    {10, 10, 0},
		    {10, 11, 0},
		    {SES_TIMER_LAST_MS + 6, 0, INT32_MAX},
		    {UINT64_MAX, 0, INT32_MAX},
		    {UINT64_MAX, UINT64_MAX, 0}};

	reset();
	assert_int_equal(ses_timers_wait_ms(&heap, 0), -1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start(&many[0], rows[i].at);
		assert_int_equal(ses_timers_wait_ms(&heap, rows[i].now),
				 rows[i].wait);
	}
	reset();
}

static void again(struct ses_timer *t)
{
	struct counted *c = (struct counted *)t;

	c->fired++;
	ses_timers_start(&heap, t, 0);
}

TEST("a timer that starts itself again for now lets the turn go on")
{
	reset();
	start(&many[0], 0);
	many[0].timer.fire = again;
	ses_timers_fire(&heap, 5);
	assert_int_equal(many[0].fired, 1);
	ses_timers_stop(&heap, &many[0].timer);
	reset();
}

static void stop_all(struct ses_timer *t)
{
	((struct counted *)t)->fired++;
	for (size_t i = 0; i < N; i++)
		ses_timers_stop(&heap, &many[i].timer);
}

TEST("a timer may stop others that are due in the same turn")
{
	reset();
	for (size_t i = 0; i < N; i++)
		start(&many[i], 7);
	many[0].at = 0;
	ses_timers_start(&heap, &many[0].timer, 0);
	many[0].timer.fire = stop_all;
	ses_timers_fire(&heap, 7);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(many[i].fired, i == 0);
	reset();
}
