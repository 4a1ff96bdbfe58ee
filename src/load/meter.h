/* SPDX-License-Identifier: MIT */
/* Clocks and the system's accounts of processes (proc(5)). */
#ifndef LOAD_METER_H
#define LOAD_METER_H

#include <stdint.h>
#include <time.h>

#include "load/plan.h"

/* Nanoseconds of a monotonic clock. */
static inline uint64_t load_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void load_sleep_until(uint64_t at_ns);

/*
 * Read the accounts of the plan's processes, all of their threads together. 0,
 * or SESAME_ESYSTEM when one of them is not there or may not be looked at;
 * *ret_pid is the one.
 */
int load_meter_read(const struct load_plan *plan, struct load_reading *ret,
		    int *ret_pid);
/* CPU of this process so far. */
uint64_t load_own_cpu(void);

#endif
