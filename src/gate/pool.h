/* SPDX-License-Identifier: MIT */
/*
 * The servers behind one route: which one is to be asked next, and what is
 * known of how they are. Workers share it; every function is for any thread.
 */
#ifndef GATE_POOL_H
#define GATE_POOL_H

#include "gate/policy.h"

struct ses_tls_context;

/* Of one route, a bit of *tried each; settings.def lets no more. */
#define GATE_MAX_SERVERS 64

/*
 * For the servers of @route, which must stay where it is. With @open_files the
 * files of upstream_tls are opened. NULL: @text says what is wrong.
 */
struct gate_pool *gate_pool_new(const struct gate_route *route, bool open_files,
				char *text, size_t text_size);
void gate_pool_free(struct gate_pool *pool);

/*
 * The server to ask, as an index, or -1 when all were tried; bit i of *tried
 * is set for it. One that failed of late is asked only when no other is left;
 * one that fails its checks only when all do, because then the checks are
 * more likely wrong than all servers.
 */
int gate_pool_choose(struct gate_pool *pool, const struct gate_address *client,
		     uint64_t now_ms, uint64_t *tried);
/* A connection with server @i began, or ended. */
void gate_pool_took(struct gate_pool *pool, size_t i);
void gate_pool_left(struct gate_pool *pool, size_t i);
/* It answered, or it could not be reached. */
void gate_pool_worked(struct gate_pool *pool, size_t i);
void gate_pool_failed(struct gate_pool *pool, size_t i, uint64_t now_ms);

/* How server @i is. */
struct gate_server_state {
	bool down;	     /* left alone, for a failure or failed checks */
	uint64_t live;	     /* connections */
	uint64_t n_failures; /* in all */
};

struct gate_server_state gate_pool_state(struct gate_pool *pool, size_t i,
					 uint64_t now_ms);
/* ---- Checks (gate/health.h); save the first for the house's thread alone ---- */

/* Whether server @i gets no new connections, for it fails its checks. */
void gate_pool_condemn(struct gate_pool *pool, size_t i, bool failing);
bool gate_pool_all_fail(struct gate_pool *pool);

/* What the checks of a server have found. */
struct gate_check {
	bool failing;
	unsigned in_a_row; /* failed ones */
	uint64_t n_good, n_failed;
	char said[160]; /* "answered 200"; a phrase; "": nothing yet */
};

/* The check of server @i, to be written by who checks; lives as the pool. */
struct gate_check *gate_pool_check(struct gate_pool *pool, size_t i);
/*
 * Know of the servers that @old has too what is known there; @checks: what
 * theirs have found as well.
 */
void gate_pool_remember(struct gate_pool *pool, struct gate_pool *old,
			bool checks);

/* For servers of wss:; NULL: there are none. */
struct ses_tls_context *gate_pool_tls(const struct gate_pool *pool);

#endif
