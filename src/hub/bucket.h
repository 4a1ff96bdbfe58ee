/* SPDX-License-Identifier: MIT */
/*
 * How often something may be done: a bucket that fills over a period and is
 * full at first. Zeroed it is new. Pure.
 */
#ifndef HUB_BUCKET_H
#define HUB_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* @most in a period of 1 ms to a day; most 0: as often as one likes. */
struct hub_rate {
	uint64_t most; /* up to 2^32 - 1 */
	uint64_t period_ms;
};

struct hub_bucket {
	uint64_t credit, at_ms; /* credit in parts of one: period_ms of them */
	uint64_t period_ms;	/* that these are parts of; 0: it is new */
};

/* Take @n. False: there are fewer; *ret_wait_ms (or NULL) says for how long. */
static inline bool hub_bucket_take(struct hub_bucket *b, struct hub_rate rate,
				   uint64_t n, uint64_t now_ms,
				   uint64_t *ret_wait_ms)
{
	uint64_t full = rate.most * rate.period_ms, need = n * rate.period_ms;
	uint64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
	bool afresh = b->period_ms != rate.period_ms;

	if (!rate.most)
		return true;
	if (afresh || passed >= rate.period_ms ||
	    b->credit + passed * rate.most > full)
		b->credit = full;
	else
		b->credit += passed * rate.most;
	b->at_ms = passed || afresh ? now_ms : b->at_ms;
	b->period_ms = rate.period_ms;
	if (b->credit >= need) {
		b->credit -= need;
		return true;
	}
	if (ret_wait_ms)
		*ret_wait_ms = (need - b->credit + rate.most - 1) / rate.most;
	return false;
}

#endif
