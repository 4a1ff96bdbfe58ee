/* SPDX-License-Identifier: MIT */
/* What time it is, of the two clocks that matter. */
#ifndef NET_CLOCK_H
#define NET_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline struct timespec ses_clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now;
}

/* Milliseconds since 1970, as they are written down; the clock may be set. */
static inline int64_t ses_clock_wall_ms(void)
{
	struct timespec now = ses_clock_read(CLOCK_REALTIME);

	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Microseconds of a clock that nobody sets, for how long something takes. */
static inline uint64_t ses_clock_steady_us(void)
{
	struct timespec now = ses_clock_read(CLOCK_MONOTONIC);

	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Milliseconds of the same, as a loop's. */
static inline uint64_t ses_clock_steady_ms(void)
{
	return ses_clock_steady_us() / 1000;
}

#endif
