/* SPDX-License-Identifier: MIT */
/*
 * Which of many networks an address is in: the one with the longest prefix.
 * Compiled once into intervals that do not overlap, so a question is one
 * binary search, however many networks there are and however they are nested.
 * Pure.
 */
#ifndef GATE_NETWORKS_H
#define GATE_NETWORKS_H

#include "gate/policy.h"
#include "gate/table.h"

struct gate_key128 {
	uint64_t high, low;
};

/* An interval of IPv4: where it begins, and the number of its network. */
struct gate_interval {
	uint32_t begin, value;
};

struct gate_networks {
	/*
	 * Where intervals begin, in their order, the first at 0. IPv4 is kept
	 * apart, because nearly all questions are of it: there the upper half
	 * of the address leads to the few intervals to search, when there are
	 * many.
	 */
	struct gate_interval *four;
	size_t n_four;
	uint32_t *upper; /* for each the interval that it begins in; or NULL */
	struct gate_key128 *six;
	uint32_t *six_value;
	size_t n_six;
	/* The networks that do not exclude, by their base. */
	uint32_t *admitting;
	size_t n_admitting;
};

/*
 * Compile the networks of an addresses list. Of the same network twice the
 * first counts. 0 or SESAME_ENOMEM.
 */
int gate_networks_init(struct gate_networks *n, const struct gate_rules *rules);
void gate_networks_fini(struct gate_networks *n);
/* The number of the rule with the longest prefix, or GATE_NONE. */
uint32_t gate_networks_find(const struct gate_networks *n,
			    const struct gate_address *address);
/* The rule that admits and begins most like @address, or GATE_NONE. */
uint32_t gate_networks_nearest(const struct gate_networks *n,
			       const struct gate_rules *rules,
			       const struct gate_address *address);

/* Two entries for one network, of which one admits and one excludes. */
struct gate_contradiction {
	const struct gate_rule *first, *second; /* as they stand in the list */
};

/* The first @max of them, by the line of the second. Returns how many. */
size_t gate_networks_contradictions(const struct gate_rules *rules,
				    struct gate_contradiction *ret, size_t max);

#endif
