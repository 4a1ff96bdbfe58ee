/* SPDX-License-Identifier: MIT */
/*
 * What a refused value was perhaps meant to be. Dearer than the decision, so
 * it is looked for only when somebody is to be told.
 */
#ifndef GATE_NEAREST_H
#define GATE_NEAREST_H

#include "gate/admit.h"

/*
 * The entry of the list, or the path among the routes, that is near what
 * @decision (made by @policy) refused; borrowed from the policy. NULL: there
 * is none, or an entry excluded the value. *ret_compared is how many texts
 * were compared at length, GATE_MAX_COMPARED at most.
 */
#define GATE_MAX_COMPARED 16
const char *gate_nearest(const struct gate_policy *policy,
			 const struct gate_decision *decision,
			 unsigned *ret_compared);

#endif
