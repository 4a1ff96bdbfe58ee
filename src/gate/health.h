/* SPDX-License-Identifier: MIT */
/*
 * Active checks: each server of a route with `health` is asked for a page from
 * time to time, and one that fails several times in a row gets no new
 * connections until it succeeds again. The checks live in the house's loop, so
 * that their number does not grow with that of the workers; what comes of them
 * is in the pools (gate/pool.h).
 */
#ifndef GATE_HEALTH_H
#define GATE_HEALTH_H

#include "gate/policy.h"

struct sesame_loop;
struct gate_health;

/*
 * Begin to check the servers of @policy (a reference is taken). What is known
 * of those that @before (or NULL) has too is kept. NULL: no memory.
 */
struct gate_health *gate_health_new(struct sesame_loop *loop,
				    struct gate_policy *policy,
				    const struct gate_policy *before);
/* Check no more. NULL is fine. */
void gate_health_free(struct gate_health *health);

#endif
