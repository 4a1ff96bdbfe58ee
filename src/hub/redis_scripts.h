/* SPDX-License-Identifier: MIT */
/*
 * What Redis does in one step, in the Lua of hub/redis/. Which keys it has there,
 * and what becomes of one that somebody else wrote, is told in docs/backplane.md.
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
