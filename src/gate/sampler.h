/* SPDX-License-Identifier: MIT */
/*
 * What of a flood is written down. The first ten of every kind in a minute
 * always are, so that what is rare is never drowned by what is frequent; all
 * else shares a bucket of a thousand that fills by five a second. Whatever
 * comes, it is thus a bounded number of rows a minute. Pure.
 */
#ifndef GATE_SAMPLER_H
#define GATE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define GATE_SAMPLER_KINDS 1024
#define GATE_SAMPLER_FIRST 10	/* of a kind in a minute */
#define GATE_SAMPLER_BURST 1000 /* of all kinds, besides */
#define GATE_SAMPLER_RATE  5	/* and a second */

struct gate_sampler {
	struct {
		uint64_t kind, since_ms;
		unsigned n;
	} kind[GATE_SAMPLER_KINDS];
	uint64_t tokens; /* in thousandths */
	uint64_t filled_ms, latest_ms;
};

void gate_sampler_init(struct gate_sampler *s, uint64_t now_ms);
/*
 * Whether one of @kind is taken at @now_ms. @spare: there is room for more
 * than the first of each kind.
 */
bool gate_sampler_takes(struct gate_sampler *s, uint64_t kind, uint64_t now_ms,
			bool spare);

/* A number for a kind, of its parts: begin with 0 and mix them in. */
uint64_t gate_kind_mix(uint64_t kind, struct bytes part);

#endif
