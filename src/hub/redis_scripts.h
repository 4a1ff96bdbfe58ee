/* SPDX-License-Identifier: MIT */
/*
 * What Redis does in one step, in its Lua. The keys of a channel all have its
 * name in braces: h (head: epoch, number, life), m (messages, a stream) or s
 * (state, a hash), o and g (the order of a state's keys, and those deleted),
 * c (what nodes had done, up to their last), i and j (Idempotency-Keys, and
 * their order), p (people). Those of a route have its name in braces: a (when
 * each of its channels was last used), b (the bytes that they hold). What is
 * given up are keys of another channel, so all are on one server, not in slots.
 */
#ifndef HUB_REDIS_SCRIPTS_H
#define HUB_REDIS_SCRIPTS_H

enum redis_script {
	REDIS_PUBLISH, /* number, keep and tell messages */
	REDIS_SYNC,    /* send one node what a channel holds */
	REDIS_PEOPLE,  /* send one node who is in it */
	REDIS_VOUCH,   /* somebody is in channels: they are not given up */
	REDIS_N_SCRIPTS
};

/* The parts of one; NULL ends them. */
#define REDIS_SCRIPT_PARTS 6
extern const char *const redis_script[REDIS_N_SCRIPTS][REDIS_SCRIPT_PARTS];

#endif
