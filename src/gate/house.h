/* SPDX-License-Identifier: MIT */
/*
 * The gatehouse: the workers, each a thread with a loop of its own and a gate
 * (gate/gate.h), and what they share. All functions are for the one thread
 * that opened it.
 *
 * Workers share this and nothing else:
 * - the policy, which nobody changes, with its counts of who is there and its
 *   pools of servers behind (atomic);
 * - the table of limits (locks, by shard) and the channels (two locks, and an
 *   inbox for each worker);
 * - the journal and the access log, which a thread of each writes (a lock);
 * - what is counted, and the latest refusals of each worker (atomic, a lock),
 *   which the house reads.
 * Orders, as a new policy is one, come through a worker's loop.
 */
#ifndef GATE_HOUSE_H
#define GATE_HOUSE_H

#include "gate/access_log.h"
#include "gate/door.h"
#include "gate/journal.h"
#include "gate/metrics.h"
#include "net/loop.h"

struct gate_house;

struct gate_house_setup {
	struct sesame_loop *loop; /* the caller's own */
	struct gate_doors *doors; /* opened for gate_house_workers() */
	/* Borrowed; NULL: there is none. */
	struct gate_journal *journal;
	struct gate_access_log *log;
	/* Called in the loop when all have left after gate_house_leave(). */
	void (*on_empty)(void *user);
	void *user;
};

/* How many workers @policy asks for. */
unsigned gate_house_workers(const struct gate_policy *policy);
/* Let workers serve. NULL: @text says why not. */
struct gate_house *gate_house_open(const struct gate_house_setup *setup,
				   char *text, size_t text_size);
/*
 * Serve by @policy from now on. False: @text says why not, and nothing has
 * changed. The number of workers stays as it was.
 */
bool gate_house_reload(struct gate_house *house, struct gate_policy *policy,
		       char *text, size_t text_size);
/* The doors that are open now. */
const struct gate_doors *gate_house_doors(const struct gate_house *house);
/* Connections that are open now. */
size_t gate_house_visits(const struct gate_house *house);
/* Whether all doors are open and new connections are welcome. */
bool gate_house_is_ready(const struct gate_house *house);
/*
 * Whether every worker has answered since the last call, and ask again. The
 * first call says true.
 */
bool gate_house_is_awake(struct gate_house *house);
/* What is counted. */
const struct gate_metrics *gate_house_metrics(const struct gate_house *house);
/* The channels of all workers. */
struct hub_figures;
void gate_house_channels(const struct gate_house *house,
			 struct hub_figures *ret_figures);
/* Those that it shares them with. */
struct gate_cluster;
struct gate_cluster *gate_house_cluster(const struct gate_house *house);
/* Connections that could not be taken for want of descriptors or room. */
uint64_t gate_house_shortages(const struct gate_house *house);
/* The latest refusals of all workers, newest first. How many. */
size_t gate_house_recent(struct gate_house *house, struct gate_story *to,
			 size_t room);
/* Close the doors and ask everybody to leave. */
void gate_house_leave(struct gate_house *house);
/* Throw out who is still there, and end the workers. NULL is fine. */
void gate_house_free(struct gate_house *house);

#endif
