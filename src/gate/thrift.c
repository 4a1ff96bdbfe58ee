/* SPDX-License-Identifier: MIT */
/*
 * How much nobody uses is known only roughly: what is resident, without what
 * the allocator has handed out, has stacks and buffers in it, and tables that
 * are handed out and not touched. So only its growth counts. Looking and giving
 * back take the allocator's locks for as long as the walk through its free
 * blocks is, hence they are done when threads hardly want any.
 */
#include "gate/thrift.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "net/loop.h"

#define LOOK_MS	     2000
#define CALM_MS	     40 /* of processor time, between two looks */
#define MUCH_BYTES   ((int64_t)4 * 1024 * 1024)
#define TAIL_BYTES   (2 * 1024 * 1024) /* of each heap */
#define MAPPED_BYTES (1024 * 1024) /* that a block of its own has, and more */

struct gate_thrift {
	struct sesame_loop *loop;
	struct ses_timer timer;
	uint64_t cpu_ms; /* that was used at the last look */
	int64_t floor_bytes;
};

bool gate_thrift_is_due(int64_t idle_bytes, int64_t *floor_bytes)
{
	if (idle_bytes < *floor_bytes)
		*floor_bytes = idle_bytes;
	return idle_bytes - *floor_bytes >= MUCH_BYTES;
}

static uint64_t used_cpu_ms(void)
{
	struct timespec used = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* Its own: what it has of files can be read again. 0: it is not known. */
static int64_t resident_bytes(void)
{
	long all = 0, resident = 0, of_files = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	int n = file ? fscanf(file, "%ld %ld %ld", &all, &resident, &of_files)
		     : 0;

	if (file)
		fclose(file);
	return n == 3 ? (int64_t)(resident - of_files) * sysconf(_SC_PAGESIZE)
		      : 0;
}

#ifdef __GLIBC__
/*
 * malloc_trim() does not reach what is free at the end of a thread's heap; that
 * goes back when the block before it is freed, from a size on which glibc moves
 * up to 64 MiB by itself. Who sets it in the environment knows better.
 */
static void hold_little(void)
{
	if (getenv("MALLOC_TRIM_THRESHOLD_") || getenv("GLIBC_TUNABLES"))
		return;
	mallopt(M_TRIM_THRESHOLD, TAIL_BYTES);
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
}

static int64_t handed_out_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return (int64_t)(info.uordblks + info.hblkhd);
}

static void look(struct gate_thrift *t)
{
	int64_t resident = resident_bytes();

	if (!resident ||
	    !gate_thrift_is_due(resident - handed_out_bytes(), &t->floor_bytes))
		return;
	malloc_trim(0);
	t->floor_bytes = resident_bytes() - handed_out_bytes();
}
#else
static void hold_little(void)
{
}

static void look(struct gate_thrift *t)
{
	(void)t; /* another allocator has ways of its own */
	(void)resident_bytes;
}
#endif

static int look_later(struct gate_thrift *t)
{
	return ses_timers_start(&t->loop->timers, &t->timer,
				t->loop->now_ms + LOOK_MS);
}

static void look_again(struct ses_timer *timer)
{
	struct gate_thrift *t =
		ses_container_of(timer, struct gate_thrift, timer);
	uint64_t cpu_ms = used_cpu_ms();

	if (cpu_ms - t->cpu_ms < CALM_MS)
		look(t);
	t->cpu_ms = used_cpu_ms();
	look_later(t);
}

struct gate_thrift *gate_thrift_new(struct sesame_loop *loop)
{
	struct gate_thrift *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->loop = loop;
	t->cpu_ms = used_cpu_ms();
	t->floor_bytes = INT64_MAX;
	hold_little();
	look(t); /* nothing is idle yet */
	t->timer.fire = look_again;
	if (look_later(t) == 0)
		return t;
	free(t);
	return NULL;
}

void gate_thrift_free(struct gate_thrift *t)
{
	if (!t)
		return;
	ses_timers_stop(&t->loop->timers, &t->timer);
	free(t);
}
