/* SPDX-License-Identifier: MIT */
/*
 * What Redis does in one step, in its Lua. The keys of a channel all have its
 * name in braces: h (head: epoch, number, life), m (messages, a stream) or s
 * (state, a hash), o and g (the order of a state's keys, and those deleted),
 * c (what a node had done, up to its last), i (Idempotency-Keys), p (people).
 */
#ifndef HUB_REDIS_SCRIPTS_H
#define HUB_REDIS_SCRIPTS_H

enum redis_script {
	REDIS_PUBLISH, /* number, keep and tell messages */
	REDIS_SYNC,    /* send one node what a channel holds */
	REDIS_PEOPLE,  /* send one node who is in it */
	REDIS_N_SCRIPTS
};

/* The parts of one; NULL ends them. */
#define REDIS_SCRIPT_PARTS 3
extern const char *const redis_script[REDIS_N_SCRIPTS][REDIS_SCRIPT_PARTS];

#endif
