/* SPDX-License-Identifier: MIT */
/*
 * What is counted. Each worker counts for itself, in numbers that it alone
 * changes, and whoever is asked adds them up: counting costs no lock and no
 * cache line of another worker's. Names of routes and listeners come from the
 * configuration and causes from the vocabulary, never from a client.
 */
#ifndef GATE_METRICS_H
#define GATE_METRICS_H

#include <stdatomic.h>

#include "gate/door.h"
#include "why/cause.h"

/* Who ended a connection. */
enum gate_by { GATE_END_CLIENT, GATE_END_GATEWAY, GATE_END_SERVER, GATE_N_BY };

/* Close codes as they are counted: 1000 to 1015, 3xxx, 4xxx, and none known. */
enum {
	GATE_CODE_3XXX = 16,
	GATE_CODE_4XXX,
	GATE_CODE_UNKNOWN,
	GATE_N_CODES
};

/* From the client, and to it. */
enum gate_direction { GATE_IN, GATE_OUT };

/* What one worker counts of one route, or of one listener. */
struct gate_counts {
	atomic_ullong opened, live;
	atomic_ullong bytes[2], messages[2]; /* by gate_direction */
	atomic_ullong dropped; /* messages that slow readers lost */
	atomic_ullong refused[WHY_N_CAUSES], observed[WHY_N_CAUSES];
	atomic_ullong closed[GATE_N_BY][GATE_N_CODES];
	atomic_ullong duration_ms; /* of those that are closed */
};

/* A route or a listener, for as long as the program runs. */
struct gate_tally {
	char *name; /* a path, an URL; "" for requests without a route */
	_Atomic(struct gate_counts *) *of_worker; /* NULL until it counts */
	bool present; /* in the present configuration; of the house */
};

#define GATE_MAX_TALLIES 10000 /* routes; more are counted as no route */

struct gate_metrics;

struct gate_metrics *gate_metrics_new(unsigned n_workers);
void gate_metrics_free(struct gate_metrics *metrics);
/*
 * Give the routes and doors of @doors their tallies, before anybody else has
 * them. Out of memory they share one. For the thread of the house.
 */
void gate_metrics_adopt(struct gate_metrics *metrics, struct gate_doors *doors);
/* For requests that found no route. */
struct gate_tally *gate_metrics_no_route(struct gate_metrics *metrics);
/* A worker's numbers, made at their first use. NULL: no memory, do not count. */
struct gate_counts *gate_tally_counts(struct gate_tally *tally, unsigned worker);

/* Count: only the worker whose number it is. */
static inline void gate_count(atomic_ullong *number, uint64_t more)
{
	atomic_store_explicit(
		number,
		atomic_load_explicit(number, memory_order_relaxed) + more,
		memory_order_relaxed);
}

/* What a close code is counted as. 0: none is known. */
unsigned gate_code_class(unsigned code);
/* "1000", "4xxx", "unknown". */
const char *gate_code_name(unsigned class);
const char *gate_by_name(enum gate_by by);

/* The sum of all workers, in @ret_sum. */
void gate_tally_sum(const struct gate_metrics *metrics,
		    const struct gate_tally *tally, struct gate_counts *ret_sum);
/* Each in turn: routes with the one for no route first, and listeners. */
const struct gate_tally *gate_metrics_route(const struct gate_metrics *metrics,
					    size_t i);
const struct gate_tally *gate_metrics_listener(const struct gate_metrics *metrics,
					       size_t i);

#endif
