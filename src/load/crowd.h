/* SPDX-License-Identifier: MIT */
/*
 * One thread's connections: they open, a few at a time, wait for the word to
 * begin, talk as the plan says (struct load_traffic: one file each), and leave.
 * They use the library as anybody would, by its public headers alone.
 */
#ifndef LOAD_CROWD_H
#define LOAD_CROWD_H

#include <stdatomic.h>

#include "load/plan.h"

enum load_phase { LOAD_OPENING, LOAD_RUNNING, LOAD_LEAVING };

/* What the threads and whoever watches them share. */
struct load_stage {
	const struct load_plan *plan;
	struct load_payload payload;
	atomic_int phase;
	/* Set before the phase becomes LOAD_RUNNING; monotonic nanoseconds. */
	uint64_t start_ns;	   /* of the traffic */
	uint64_t begin_ns, end_ns; /* what is measured */
};

struct load_crowd;

struct load_client {
	struct load_crowd *crowd;
	struct sesame_conn *conn; /* NULL: not there */
	uint64_t seed;
	uint64_t sent, received; /* messages so far */
	uint64_t *sent_at;	 /* a ring of plan->in_flight times, or NULL */
	uint64_t began_ns;	 /* to open */
	bool open;
};

/* How connections talk. Each may be NULL but open. */
struct load_traffic {
	/* All are open: begin. */
	void (*start)(struct load_crowd *crowd);
	/* A message came. */
	void (*message)(struct load_client *client, struct bytes data,
			bool binary);
	/* What was queued has left. */
	void (*drain)(struct load_client *client);
	/* It opened, in the phase of running too. */
	void (*open)(struct load_client *client);
	/* It is gone; true: that was to be expected. */
	bool (*gone)(struct load_client *client, const struct sesame_end *end);
	/* The time of plan->rate's next one has come. */
	void (*due)(struct load_crowd *crowd);
	/* The time is up: count what is still owed. */
	void (*stop)(struct load_crowd *crowd);
};

struct load_crowd {
	struct load_stage *stage;
	const struct load_plan *plan;
	const struct load_traffic *traffic;
	struct sesame_loop *loop;
	unsigned number; /* of all crowds */
	struct load_client *clients;
	unsigned n_clients, n_begun, n_opening;
	bool started;
	/* A schedule: plan->rate's share of this crowd. */
	double interval_ns; /* 0: none */
	uint64_t slot;	    /* the next one of the schedule */
	int timer_fd;	    /* -1: none */
	struct sesame_watch *timer;
	struct sesame_timer *poll, *limit;
	void *state; /* of the traffic; freed with free() */
	/* When what is being dealt with came, and from whom. */
	uint64_t came_ns;
	const struct load_client *came_from; /* NULL: look at the clock */
	struct load_tally tally;
	/* For who watches: connections that have opened, failed, are there. */
	atomic_uint n_opened, n_failed, n_open;
	atomic_uint_fast64_t n_received; /* messages, or handshakes */
};

/*
 * A crowd of @n clients, the first of which is the @first of all. 0 or
 * SESAME_ENOMEM, SESAME_ESYSTEM; then nothing is left of it.
 */
int load_crowd_init(struct load_crowd *crowd, struct load_stage *stage,
		    unsigned number, unsigned first, unsigned n);
/* Open, wait for the word, talk, leave. The body of a thread. */
void load_crowd_run(struct load_crowd *crowd);
void load_crowd_fini(struct load_crowd *crowd);

/* ---- For traffic ---- */

/* Open the connection of @client (again). */
void load_client_open(struct load_client *client);
/* When the @slot of the schedule is due. */
uint64_t load_due_ns(const struct load_crowd *crowd, uint64_t slot);
/* Let ->due be called when crowd->slot is due. */
void load_await_slot(struct load_crowd *crowd);
/* When what @client is told came: all of one turn came together. */
uint64_t load_came(const struct load_client *client);
/* One more came, @latency_ns after it was sent or was due to be. */
void load_count(struct load_crowd *crowd, uint64_t now_ns, uint64_t latency_ns,
		size_t bytes);
/* Note what went wrong; the first is what is told. */
__attribute__((format(printf, 2, 3))) void
load_complain(struct load_crowd *crowd, const char *format, ...);

extern const struct load_traffic load_echo, load_schedule, load_broadcast,
	load_handshakes, load_idle;

#endif
