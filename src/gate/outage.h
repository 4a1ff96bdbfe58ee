/* SPDX-License-Identifier: MIT */
/*
 * Somebody is refused because the backplane does not take part: which it is,
 * where it stands in the configuration, and what is wrong with it.
 */
#ifndef GATE_OUTAGE_H
#define GATE_OUTAGE_H

#include "gate/story.h"

/* The note of a refusal for which it has no memory left. */
#define GATE_OUTAGE_FULL "Redis is full: it has reached its maxmemory"

struct gate_cluster;

struct gate_outage {
	char address[256]; /* without a password; "": there is no backplane */
	char trouble[200];
	unsigned line; /* of `backplane`; 0: it is not in the file any more */
	bool full;     /* it answers, and has no memory left */
};

/* How it is at @now_ms, of the clock of all loops. */
void gate_outage_see(const struct gate_cluster *cluster,
		     const struct gate_policy *policy, uint64_t now_ms,
		     struct gate_outage *ret_outage);
/* It is what said no. */
void gate_outage_put(const struct gate_outage *outage, struct gate_story *story);
/* What the operator can do. 0 or an error of the buffer. */
int gate_outage_advise(const struct gate_story *story, struct ses_buf *out);

#endif
