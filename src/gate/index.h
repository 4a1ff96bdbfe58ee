/* SPDX-License-Identifier: MIT */
/*
 * The lists of a policy, compiled: a decision costs the same with ten rules as
 * with a hundred thousand. Which rule decides is fixed by what the lists say
 * and not by how they are looked up: of addresses the most specific network;
 * of all other lists the first entry that excludes, or else the first that
 * admits; of routes the first whose path fits. Pure.
 */
#ifndef GATE_INDEX_H
#define GATE_INDEX_H

#include "gate/admit.h"
#include "gate/neighbours.h"
#include "gate/table.h"

struct gate_index;

/*
 * Compile @policy, whose rules must not change afterwards; @seed is the
 * process's secret. NULL: no memory.
 */
struct gate_index *gate_index_new(const struct gate_policy *policy,
				  const uint8_t seed[SES_HASH_SEED]);
void gate_index_free(struct gate_index *index);

/* The route of @path, which has no ambiguity, or NULL. */
const struct gate_route *gate_index_route(const struct gate_policy *policy,
					  struct bytes path);
/* The entry of a list of @route that decides, or NULL: none matches. */
const struct gate_rule *gate_index_rule(const struct gate_policy *policy,
					const struct gate_route *route,
					enum gate_list list,
					const struct gate_request *request);
/* Whether all entries of a list exclude, so that no match is an admission. */
bool gate_index_only_excludes(const struct gate_policy *policy,
			      const struct gate_route *route,
			      enum gate_list list);

/* The paths of all routes; for gate_nearest(). */
const struct gate_neighbours *gate_index_paths(const struct gate_policy *policy);
/* The entries of a list that admit, but for addresses. */
const struct gate_neighbours *
gate_index_neighbours(const struct gate_policy *policy,
		      const struct gate_route *route, enum gate_list list);
/* The entry that admits and is nearest to an address, or NULL. */
const struct gate_rule *
gate_index_nearest_network(const struct gate_policy *policy,
			   const struct gate_route *route,
			   const struct gate_address *address);

/* What a list looks at in a request; data NULL: it was not sent. */
struct bytes gate_list_value(const struct gate_request *request,
			     enum gate_list list);
/* Whether one entry matches, as the index must find. */
bool gate_rule_has(const struct gate_rule *rule, enum gate_list list,
		   const struct gate_request *request);

#endif
