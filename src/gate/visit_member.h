/* SPDX-License-Identifier: MIT */
/* Visits that are members of a channel, for those who serve them. */
#ifndef GATE_VISIT_MEMBER_H
#define GATE_VISIT_MEMBER_H

#include "gate/policy.h"
#include "hub/hub.h"
#include "why/reference.h"

struct gate_visit;

/* What the hub tells those of its members that are visits. */
extern const struct hub_events gate_hub_events;

/* The rules of a route's channels. */
struct hub_rules gate_hub_rules(const struct gate_hub_settings *settings);

struct gate_member {
	struct hub_member member;
	struct gate_visit *visit;
	bool may_publish;
	bool later; /* its first message says where it begins */
	struct hub_bucket told, faults; /* of what it was refused */
	char reference[WHY_REFERENCE_SIZE]; /* the last one; "": none yet */
	/* Until it has begun: */
	char *you;
	char *since; /* NULL: none was given */
};

/* A copy of what may be an id, or the beginning of what is none. */
char *gate_copy_id(struct bytes id);
/* It begins now, or as soon as its channel is ready. */
void gate_member_begin(struct gate_member *member);

#endif
