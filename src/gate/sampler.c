/* SPDX-License-Identifier: MIT */
/*
 * Kinds are found by their number in a table of fixed size. When more kinds
 * come in a minute than it has places, those without one share the bucket.
 */
#include "gate/sampler.h"

#include <string.h>

#define PROBES	  8
#define MINUTE_MS 60000
#define FULL	  (GATE_SAMPLER_BURST * UINT64_C(1000))

void gate_sampler_init(struct gate_sampler *s, uint64_t now_ms)
{
	memset(s, 0, sizeof(*s));
	s->tokens = FULL;
	s->filled_ms = s->latest_ms = now_ms;
}

static bool is_among_the_first(struct gate_sampler *s, uint64_t kind,
			       uint64_t now_ms)
{
	for (unsigned i = 0; i < PROBES; i++) {
		size_t at = (size_t)((kind + i) % GATE_SAMPLER_KINDS);
		bool over = s->kind[at].n == 0 ||
			    now_ms - s->kind[at].since_ms >= MINUTE_MS;

		if (s->kind[at].kind != kind && !over)
			continue;
		if (over) {
			s->kind[at].kind = kind;
			s->kind[at].since_ms = now_ms;
			s->kind[at].n = 0;
		}
		if (s->kind[at].n == GATE_SAMPLER_FIRST)
			return false;
		s->kind[at].n++;
		return true;
	}
	return false;
}

static bool takes_from_bucket(struct gate_sampler *s, uint64_t now_ms)
{
	uint64_t passed = now_ms - s->filled_ms;

	s->filled_ms = now_ms;
	if (passed >= FULL / GATE_SAMPLER_RATE)
		s->tokens = FULL;
	else
		s->tokens += passed * GATE_SAMPLER_RATE;
	if (s->tokens > FULL)
		s->tokens = FULL;
	if (s->tokens < 1000)
		return false;
	s->tokens -= 1000;
	return true;
}

bool gate_sampler_takes(struct gate_sampler *s, uint64_t kind, uint64_t now_ms,
			bool spare)
{
	/* Workers' clocks may differ by a moment. */
	if (now_ms < s->latest_ms)
		now_ms = s->latest_ms;
	s->latest_ms = now_ms;
	return is_among_the_first(s, kind, now_ms) ||
	       (spare && takes_from_bucket(s, now_ms));
}

uint64_t gate_kind_mix(uint64_t kind, struct bytes part)
{
	/* FNV-1a, with the length, so that parts do not run together. */
	kind ^= UINT64_C(0xcbf29ce484222325) + part.len;
	for (size_t i = 0; i < part.len; i++)
		kind = (kind ^ part.data[i]) * UINT64_C(0x100000001b3);
	kind ^= kind >> 29;
	return kind * UINT64_C(0x9e3779b97f4a7c15) | 1;
}
