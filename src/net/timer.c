/* SPDX-License-Identifier: MIT */
/*
 * Timers as a binary heap of pointers; each timer knows its place, so moving
 * and stopping cost the logarithm of their number. It reads no clock.
 */
#include "net/timer.h"

#include <sesame/error.h>

#include <limits.h>
#include <stdlib.h>

static void place(struct ses_timers *t, struct ses_timer *timer, size_t at)
{
	t->heap[at] = timer;
	timer->index = (at + 1) & SES_MOST_TIMERS;
}

static void sift_up(struct ses_timers *t, struct ses_timer *timer, size_t at)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (t->heap[parent]->at_ms <= timer->at_ms)
			break;
		place(t, t->heap[parent], at);
		at = parent;
	}
	place(t, timer, at);
}

static void sift_down(struct ses_timers *t, struct ses_timer *timer, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= t->n)
			break;
		if (child + 1 < t->n &&
		    t->heap[child + 1]->at_ms < t->heap[child]->at_ms)
			child++;
		if (timer->at_ms <= t->heap[child]->at_ms)
			break;
		place(t, t->heap[child], at);
		at = child;
	}
	place(t, timer, at);
}

static void settle(struct ses_timers *t, struct ses_timer *timer, size_t at)
{
	if (at > 0 && t->heap[(at - 1) / 2]->at_ms > timer->at_ms)
		sift_up(t, timer, at);
	else
		sift_down(t, timer, at);
}

static bool make_room(struct ses_timers *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : 16;
	struct ses_timer **heap;

	if (t->n < t->capacity)
		return true;
	if (t->n == SES_MOST_TIMERS)
		return false;
	heap = reallocarray(t->heap, capacity, sizeof(*heap));
	if (!heap)
		return false;
	t->heap = heap;
	t->capacity = capacity;
	return true;
}

int ses_timers_start(struct ses_timers *t, struct ses_timer *timer,
		     uint64_t at_ms)
{
	bool running = ses_timer_running(timer);

	if (!running && !make_room(t))
		return SESAME_ENOMEM;
	timer->at_ms = at_ms < SES_TIMER_LAST_MS ? at_ms : SES_TIMER_LAST_MS;
	if (running)
		settle(t, timer, timer->index - 1);
	else
		sift_up(t, timer, t->n++);
	if (t->earlier && t->heap[0] == timer)
		t->earlier(t);
	return 0;
}

void ses_timers_stop(struct ses_timers *t, struct ses_timer *timer)
{
	struct ses_timer *last;
	size_t at;

	if (!ses_timer_running(timer))
		return;
	at = timer->index - 1;
	timer->index = 0;
	last = t->heap[--t->n];
	if (last != timer)
		settle(t, last, at);
}

void ses_timers_fire(struct ses_timers *t, uint64_t now_ms)
{
	/* one that starts itself again for now must not keep us here */
	size_t most = t->n;

	while (most-- > 0 && t->n > 0 && t->heap[0]->at_ms <= now_ms) {
		struct ses_timer *timer = t->heap[0];

		ses_timers_stop(t, timer);
		timer->fire(timer);
	}
}

int ses_timers_wait_ms(const struct ses_timers *t, uint64_t now_ms)
{
	uint64_t wait;

	if (t->n == 0)
		return -1;
	if (t->heap[0]->at_ms <= now_ms)
		return 0;
	wait = t->heap[0]->at_ms - now_ms;
	return wait < INT_MAX ? (int)wait : INT_MAX;
}

void ses_timers_fini(struct ses_timers *t)
{
	free(t->heap);
	*t = (struct ses_timers){0};
}
