/* SPDX-License-Identifier: MIT */
/*
 * The watcher of a run. It sleeps most of the time: what it does must not show
 * in what is measured.
 */
#include "load/run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "load/crowd.h"
#include "load/meter.h"

#define GLANCE_NS 100000000 /* between two looks at an opening */
#define START_NS  20000000  /* for all threads to hear of the beginning */
/* Descriptors besides the connections': loops, timers, files. */
#define MORE_DESCRIPTORS 64

struct run {
	const struct load_plan *plan;
	const struct load_watcher *watcher;
	struct load_stage stage;
	struct load_crowd *crowds;
	pthread_t *threads;
	unsigned n_crowds, n_threads;
	struct load_result *result;
	char *text;
	size_t text_size;
};

static int fail(struct run *run, int error, const char *text)
{
	snprintf(run->text, run->text_size, "%s", text);
	return error;
}

static bool is_interrupted(const struct run *run)
{
	return run->watcher->interrupted && *run->watcher->interrupted;
}

/* ---- what stands in all crowds ---- */

#define SUM(run, member)                                                        \
	({                                                                      \
		uint64_t sum_ = 0;                                              \
		for (unsigned i_ = 0; i_ < (run)->n_crowds; i_++)               \
			sum_ += atomic_load_explicit(&(run)->crowds[i_].member, \
						     memory_order_relaxed);     \
		sum_;                                                           \
	})

static void tell(const struct run *run, bool measuring, double seconds,
		 double per_second)
{
	struct load_progress progress = {
		.opened = (unsigned)SUM(run, n_opened),
		.failed = (unsigned)SUM(run, n_failed),
		.measuring = measuring,
		.seconds = seconds,
		.per_second = per_second,
	};

	if (run->watcher->tell)
		run->watcher->tell(&progress, run->watcher->user);
}

/* Before anything is asked of the server: is it there? */
static int read_first_meter(struct run *run)
{
	int pid;

	if (load_meter_read(run->plan, &run->result->before, &pid) == 0)
		return 0;
	snprintf(run->text, run->text_size,
		 "process %d cannot be looked at: it is not there, or belongs "
		 "to somebody else",
		 pid);
	return SESAME_ESYSTEM;
}

/* A server that ends takes its own figures with it, and no others. */
static void read_meter(struct run *run, struct load_reading *ret)
{
	int pid;

	if (load_meter_read(run->plan, ret, &pid) < 0)
		run->result->ended_pid = pid;
}

/* ---- the stages ---- */

static bool needs_opening(const struct load_plan *plan)
{
	return plan->mode != LOAD_HANDSHAKES;
}

static int open_all(struct run *run)
{
	uint64_t began = load_now(), at = began;
	unsigned wanted = needs_opening(run->plan) ? run->plan->connections : 0;

	while (SUM(run, n_opened) + SUM(run, n_failed) < wanted &&
	       !is_interrupted(run)) {
		load_sleep_until(at += GLANCE_NS / 10);
		if ((at - began) % GLANCE_NS == 0)
			tell(run, false, (double)(at - began) / 1e9, 0);
	}
	run->result->opened = (unsigned)SUM(run, n_opened);
	run->result->opening_seconds = (double)(load_now() - began) / 1e9;
	if (wanted && run->result->opened == 0 && !is_interrupted(run))
		return SESAME_EREFUSED;
	read_meter(run, &run->result->open);
	return 0;
}

static void set_times(struct run *run)
{
	struct load_stage *stage = &run->stage;

	stage->start_ns = load_now() + START_NS;
	stage->begin_ns = stage->start_ns + (uint64_t)(run->plan->warm_up * 1e9);
	stage->end_ns = stage->begin_ns + (uint64_t)(run->plan->seconds * 1e9);
	atomic_store(&stage->phase, LOAD_RUNNING);
}

/* Whether there is anybody left to measure. */
static bool is_deserted(const struct run *run)
{
	return needs_opening(run->plan) && SUM(run, n_open) == 0;
}

static void warm_up(struct run *run)
{
	uint64_t at = load_now(), begin = run->stage.begin_ns;

	while (at < begin && !is_interrupted(run) && !is_deserted(run)) {
		at = at + GLANCE_NS < begin ? at + GLANCE_NS : begin;
		load_sleep_until(at);
		tell(run, false, run->result->opening_seconds, 0);
	}
}

static void take_sample(struct run *run, double at, double per_second)
{
	struct load_result *r = run->result;

	if (r->n_samples < LOAD_SAMPLES)
		r->samples[r->n_samples++] =
			(struct load_sample){at, per_second};
	tell(run, true, at, per_second);
}

static void watch(struct run *run)
{
	uint64_t begin = run->stage.begin_ns, end = run->stage.end_ns;
	uint64_t step = (end - begin) / 100, at = load_now(), next;
	uint64_t had = SUM(run, n_received), has;

	step = step > GLANCE_NS ? step : GLANCE_NS;
	while (at < end && !is_interrupted(run) && !is_deserted(run)) {
		next = at + step < end ? at + step : end;
		load_sleep_until(next);
		next = load_now();
		has = SUM(run, n_received);
		take_sample(run, (double)(next - begin) / 1e9,
			    (double)(has - had) * 1e9 / (double)(next - at));
		had = has;
		at = next;
	}
}

static void measure(struct run *run)
{
	struct load_result *r = run->result;
	uint64_t own, counted, begin, now;

	set_times(run);
	warm_up(run);
	read_meter(run, &r->begin);
	own = load_own_cpu();
	counted = SUM(run, n_received);
	watch(run);
	read_meter(run, &r->end);
	r->metered = SUM(run, n_received) - counted;
	r->own_cpu_ns = load_own_cpu() - own;
	begin = run->stage.begin_ns;
	now = load_now();
	now = now < run->stage.end_ns ? now : run->stage.end_ns;
	r->seconds = now > begin ? (double)(now - begin) / 1e9 : 0;
	r->interrupted = is_interrupted(run);
}

/* ---- threads ---- */

static void *run_crowd(void *crowd)
{
	load_crowd_run(crowd);
	return NULL;
}

static int begin_crowds(struct run *run)
{
	unsigned n = run->plan->threads, first = 0;

	run->crowds = calloc(n, sizeof(*run->crowds));
	run->threads = calloc(n, sizeof(*run->threads));
	if (!run->crowds || !run->threads)
		return fail(run, SESAME_ENOMEM, "out of memory");
	for (unsigned i = 0; i < n; i++) {
		unsigned share = run->plan->connections / n +
				 (i < run->plan->connections % n);

		if (load_crowd_init(&run->crowds[i], &run->stage, i, first,
				    share) < 0)
			return fail(run, SESAME_ENOMEM,
				    "memory or descriptors are short");
		run->n_crowds++;
		first += share;
	}
	for (; run->n_threads < n; run->n_threads++)
		if (pthread_create(&run->threads[run->n_threads], NULL,
				   run_crowd, &run->crowds[run->n_threads]))
			return fail(run, SESAME_ESYSTEM,
				    "no thread can be started");
	return 0;
}

static void end_crowds(struct run *run)
{
	atomic_store(&run->stage.phase, LOAD_LEAVING);
	for (unsigned i = 0; i < run->n_threads; i++)
		pthread_join(run->threads[i], NULL);
	for (unsigned i = 0; i < run->n_crowds; i++) {
		load_tally_add(&run->result->tally, &run->crowds[i].tally);
		load_crowd_fini(&run->crowds[i]);
	}
	free(run->crowds);
	free(run->threads);
}

static int make_room_for_descriptors(struct run *run)
{
	rlim_t wanted = run->plan->connections + MORE_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return 0;
	limit.rlim_cur = wanted;
	if (wanted <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	snprintf(run->text, run->text_size,
		 "%u connections need %llu descriptors, and this process may "
		 "have %llu: `ulimit -n` raises that",
		 run->plan->connections, (unsigned long long)wanted,
		 (unsigned long long)limit.rlim_max);
	return SESAME_ESYSTEM;
}

static int play(struct run *run)
{
	int error = read_first_meter(run);

	if (!error)
		error = begin_crowds(run);
	if (!error)
		error = open_all(run);
	if (!error)
		measure(run);
	end_crowds(run);
	if (error == SESAME_EREFUSED)
		fail(run, error, run->result->tally.text);
	return error;
}

int load_run(const struct load_plan *plan, const struct load_watcher *watcher,
	     struct load_result *ret, char *text, size_t size)
{
	struct run run = {.plan = plan,
			  .watcher = watcher,
			  .stage = {.plan = plan},
			  .result = ret,
			  .text = text,
			  .text_size = size};
	int error = make_room_for_descriptors(&run);

	memset(ret, 0, sizeof(*ret));
	if (error)
		return error;
	if (load_payload_init(&run.stage.payload, &plan->sizes, plan->kind) < 0)
		return fail(&run, SESAME_ENOMEM, "out of memory");
	error = play(&run);
	load_payload_fini(&run.stage.payload);
	return error;
}
