/* SPDX-License-Identifier: MIT */
/*
 * Clients of a cluster, in one process: members that read, and come back with
 * their last id at any node; some of them publish; programs publish by POST.
 * What they say and hear goes into one book (cluster/ledger.h). What befalls
 * them is said on standard input (crowd.c).
 */
#ifndef CLUSTER_CROWD_H
#define CLUSTER_CROWD_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <sesame/sesame.h>

#include "cluster/ledger.h"

#define CROWD_WINDOW 64 /* messages of a member that wait for an answer */
#define CROWD_NODES  16

struct crowd_node {
	char host[64];
	int port;
	struct sockaddr_in addr;
};

struct crowd {
	/* How it is. */
	struct crowd_node nodes[CROWD_NODES];
	unsigned n_nodes, n_channels, n_readers, n_publishers, n_posters;
	unsigned rate;	    /* messages a second, of all members */
	unsigned post_rate; /* POSTs a second, of all posters */
	unsigned seed;
	const char *token;

	/* What members and posters share. */
	pthread_mutex_t lock;
	struct ledger *ledger;
	atomic_bool ending; /* nothing new is said */
	atomic_uint n_posting;
	struct crowd_figures {
		uint64_t opened, refused, broken, resumed, errors, retries;
		uint64_t slowest_ms; /* from a message to its ack */
	} figures;

	struct sesame_loop *loop;
	struct crowd_member *members;
	unsigned n_members;
	struct crowd_poster *posters;
};

/* "/deep/c3": every fourth channel holds little. */
void crowd_path(unsigned channel, char path[32]);
bool crowd_holds_all(unsigned channel);
/* The payload of what stands at @place. */
int crowd_payload(char *out, size_t size, unsigned channel, uint32_t place);
/* A small generator: 0..@n - 1. */
uint32_t crowd_random(uint64_t *state, uint32_t n);

/* ---- members.c ---- */

void crowd_members_start(struct crowd *crowd);
/* How many were ever welcomed, are there now, wait for answers. */
unsigned crowd_members_joined(const struct crowd *crowd);
unsigned crowd_members_open(const struct crowd *crowd);
unsigned crowd_members_waiting(const struct crowd *crowd);
/* Let members speak: @ms have gone by. */
void crowd_members_speak(struct crowd *crowd, uint64_t ms);
/* Those at @node (or < 0: @percent of all) leave, for @ms at least. */
void crowd_members_leave(struct crowd *crowd, int node, unsigned percent,
			 uint64_t ms);
/* Some do not read for a while. */
void crowd_members_slow(struct crowd *crowd, unsigned percent, uint64_t ms);
/* How many have not heard the last of their channel. */
unsigned crowd_members_behind(const struct crowd *crowd,
			      const uint32_t *last_places, bool complains);
void crowd_members_stop(struct crowd *crowd);

/* ---- posters.c ---- */

void crowd_posters_start(struct crowd *crowd);
void crowd_posters_join(struct crowd *crowd);
/* Post one message until it is accepted; its place. By any thread. */
uint32_t crowd_post_last(struct crowd *crowd, unsigned channel);

#endif
