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

/* What a member has that says something, or is refused something. */
struct gate_dealings {
	struct hub_bucket said;		/* for hub.rates.member */
	struct hub_bucket told, faults; /* of what it was refused */
	const char *told_text;		/* what the last reference is for */
	char reference[WHY_REFERENCE_SIZE]; /* the last one; "": none yet */
	struct ses_list awaited;	    /* gate/awaited.h */
	size_t n_awaited, awaited_bytes;
};

/* What a member has until it has begun. */
struct gate_prelude {
	char *you;
	char *since; /* NULL: none was given */
};

/* Most of them listen: keep it small. */
struct gate_member {
	struct hub_member member;
	struct gate_visit *visit;
	struct gate_dealings *dealings; /* NULL: none so far */
	struct gate_prelude *prelude;	/* NULL: it has begun */
	bool may_publish : 1;
	bool later : 1;	 /* its first message says where it begins */
	bool unread : 1; /* it is not heard until it reads its answers */
};

/* Its dealings, made when there are none. NULL: no memory. */
struct gate_dealings *gate_member_deal(struct gate_member *member);
/* A copy of what may be an id, or the beginning of what is none. */
char *gate_copy_id(struct bytes id);
/* It begins now, or as soon as its channel is ready. */
void gate_member_begin(struct gate_member *member);
/* Whether so much of it waits for an answer that it is not heard for now. */
bool gate_member_awaits_much(const struct gate_member *member);
/* Hear it again, unless there is something else to wait for. */
void gate_member_go_on(struct gate_member *member);

#endif
