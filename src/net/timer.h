/* SPDX-License-Identifier: MIT */
/*
 * Timers as a binary heap. Time is an argument, in milliseconds. A timer that
 * is to be moved often (idle time) is better left alone: when it fires, its
 * owner looks at the last activity and starts it again for the rest.
 */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every connection has one, so it is packed: 34 years, and 16 million timers. */
struct ses_timer {
	uint64_t at_ms : 40;
	uint64_t index : 24; /* place in the heap + 1; 0: not running */
	void (*fire)(struct ses_timer *timer);
};
#define SES_TIMER_LAST_MS (((uint64_t)1 << 40) - 1)
#define SES_MOST_TIMERS	  (((size_t)1 << 24) - 1)

struct ses_timers {
	struct ses_timer **heap;
	size_t n, capacity;
	/* Optional: a timer was started that is due before all others. */
	void (*earlier)(struct ses_timers *t);
};

/*
 * Start or move @timer (zeroed before its first use); one for later than
 * SES_TIMER_LAST_MS is for then. 0 or SESAME_ENOMEM.
 */
int ses_timers_start(struct ses_timers *t, struct ses_timer *timer,
		     uint64_t at_ms);
void ses_timers_stop(struct ses_timers *t, struct ses_timer *timer);
static inline bool ses_timer_running(const struct ses_timer *timer)
{
	return timer->index != 0;
}
/* Fire all that are due at @now_ms; each may start and stop others. */
void ses_timers_fire(struct ses_timers *t, uint64_t now_ms);
/* Milliseconds until the next is due, 0 if overdue, -1 if there is none. */
int ses_timers_wait_ms(const struct ses_timers *t, uint64_t now_ms);
void ses_timers_fini(struct ses_timers *t);

#endif
