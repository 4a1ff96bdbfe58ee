/* SPDX-License-Identifier: MIT */
/*
 * Between a node and its redis-server: what goes wrong with their connections,
 * at a moment that the test chooses.
 */
#ifndef TESTS_REDIS_RELAY_H
#define TESTS_REDIS_RELAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "redis_server.h"

struct redis_relay {
	const struct redis_server *server;
	int port, listener;
	char url[64];
	pthread_t thread;
	/* What it does; to be changed at any time. */
	atomic_bool waits;	  /* nothing is read from anybody */
	atomic_bool loses_orders; /* commands do not arrive */
	/* They are on their way, over connections that are cut, too, until
	 * they are let go on. */
	atomic_bool holds_orders;
	/* Nothing comes back: from the first script on, and on the connection
	 * of what is told from the first channel on. */
	atomic_bool loses_answers, loses_told;
	/* The server's clock, told by so many seconds early. */
	atomic_int late_by;
	atomic_bool cut, goes, ends; /* by the functions below */
	atomic_size_t lost, held; /* bytes of commands */
};

/* It waits at first if it is said to. */
void redis_relay_start(struct redis_relay *r, const struct redis_server *server,
		       bool waits);
/* All connections break; what was lost does not come any more. What is held by
 * then stays so, and what comes over new ones is not. */
void redis_relay_cut(struct redis_relay *r);
/* What is held arrives. */
void redis_relay_let_go(struct redis_relay *r);
void redis_relay_stop(struct redis_relay *r);

#endif
