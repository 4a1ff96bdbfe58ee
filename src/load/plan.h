/* SPDX-License-Identifier: MIT */
/*
 * What a load is to be, as it was asked for, and what came of it. A plan is
 * made once, checked, and then read by all threads.
 */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include <sesame/client.h>

#include "load/compression.h"
#include "load/histogram.h"
#include "load/payload.h"

#define LOAD_SOURCES 1024
#define LOAD_PIDS    64
#define LOAD_SAMPLES 200
#define LOAD_CROWDS  64 /* threads at most */

enum load_mode {
	LOAD_ECHO,	 /* what is sent has to come back */
	LOAD_BROADCAST,	 /* what one sends has to come to all others */
	LOAD_HANDSHAKES, /* open and leave, again and again */
	LOAD_IDLE,	 /* open, and hold */
};

struct load_plan {
	const char *url;
	enum load_mode mode;
	struct sesame_client_options options; /* of every connection */
	const char *sources[LOAD_SOURCES];    /* taken in turn; may be none */
	unsigned n_sources;
	unsigned connections;
	unsigned in_flight; /* messages of one connection at most */
	unsigned threads;
	double rate; /* messages, or handshakes, each second; 0: as they go */
	double seconds, warm_up;
	struct load_sizes sizes;
	enum load_kind kind;
	int expect;	     /* the status that handshakes are to get; 0: 101 */
	int pids[LOAD_PIDS]; /* of the server */
	unsigned n_pids;
};

/*
 * Check what one option alone cannot know. 0, or SESAME_EINVAL with a sentence
 * in @text.
 */
int load_plan_check(const struct load_plan *plan, char *text, size_t size);

/* What was counted, by one thread or by all. */
struct load_tally {
	struct load_histogram latency;
	uint64_t sent;	   /* in all, handshakes too */
	uint64_t received; /* in the time that was measured */
	uint64_t bytes;	   /* of their payload */
	uint64_t wrong;	   /* came back as something else */
	uint64_t missing;  /* of a broadcast, passed over */
	uint64_t late;	   /* due, and not answered at the end */
	uint64_t failed;   /* connections that did not open */
	uint64_t lost;	   /* connections that ended before their time */
	struct load_compression compression; /* where it was offered */
	char text[512];	   /* the first thing that went wrong */
};

void load_tally_add(struct load_tally *t, const struct load_tally *from);

/* CPU and memory of processes, as the system counts them. */
struct load_reading {
	uint64_t cpu_ns;
	uint64_t memory_bytes; /* their own, resident */
};

struct load_sample {
	double at; /* seconds since the measuring began */
	double per_second;
};

struct load_result {
	struct load_tally tally;
	unsigned opened;
	double opening_seconds, seconds;
	struct load_reading before, open, begin, end; /* of the server */
	int ended_pid;	     /* of the server, that was not there to the end; 0 */
	uint64_t metered;    /* messages between begin and end */
	uint64_t own_cpu_ns; /* of the measured time */
	struct load_sample samples[LOAD_SAMPLES];
	unsigned n_samples;
	bool interrupted;
};

#endif
