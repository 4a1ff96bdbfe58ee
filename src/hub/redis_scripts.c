/* SPDX-License-Identifier: MIT */
#include "hub/redis_scripts.h"

#include "hub/receipts.h"
#include "hub/redis_inner.h"
#include "hub/state.h"

#define TRIMMED_AT_ONCE 128 /* messages that are more than may be kept */

#define DIGITS(n) #n
#define NUMBER(n) DIGITS(n)

#include "hub/redis_lua.h" /* made of hub/redis/ by hub/redis/strings.cmake */

const char *const redis_script[REDIS_N_SCRIPTS][REDIS_SCRIPT_PARTS] = {
	[REDIS_PUBLISH] = {words, route, head, states, receipts, publish},
	[REDIS_SYNC] = {words, route, head, states, sync},
	[REDIS_PEOPLE] = {people},
	[REDIS_VOUCH] = {vouch},
};
