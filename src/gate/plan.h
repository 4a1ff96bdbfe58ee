/* SPDX-License-Identifier: MIT */
/* What another policy would mean for those who are connected. */
#ifndef GATE_PLAN_H
#define GATE_PLAN_H

#include <jansson.h>

#include "gate/house.h"

/*
 * A document: for each route of the policy in force how many connections would
 * be kept and cut by @next, and the sums of both. NULL: no memory.
 */
json_t *gate_plan(const struct gate_house *house,
		  const struct gate_policy *next, uint64_t now_ms);
/*
 * The names of the settings that @next has otherwise than @start, the policy of
 * the start, and that are read only then. NULL: no memory.
 */
json_t *gate_plan_restart(const struct gate_policy *start,
			  const struct gate_policy *next);

#endif
