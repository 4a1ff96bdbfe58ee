/* SPDX-License-Identifier: MIT */
/* Telling the operator of a refusal: a line in the log, a row in the journal. */
#ifndef GATE_NOTICE_H
#define GATE_NOTICE_H

#include "gate/gate.h"
#include "gate/hops.h"

/* A refusal and what is known of who met it; all borrowed for the call. */
struct gate_notice {
	const char *reference;
	enum why_cause cause;
	int status;			  /* 0: no answer could be sent */
	const char *note;		  /* for the operator; may be NULL */
	const char *takes; /* instead of what was sent; NULL: not about that */
	bool observed;			  /* it was let in all the same */
	const struct gate_policy *policy; /* that it was judged by */
	const struct gate_decision *decision; /* NULL: none was made */
	const struct gate_request *request;
	const struct gate_route *route;		  /* NULL: none was found */
	const struct gate_hops *hops;		  /* who it was */
	const struct ses_head *head;		  /* NULL: it is not whole */
	const struct gate_credential *credential; /* NULL: none was looked at */
	const struct gate_outage *outage; /* NULL: it is none of the backplane's */
	const char *listener;
};

/* Tell it, as far as log and journal have room; what they have not is counted. */
void gate_notice_tell(struct gate *gate, const struct gate_notice *notice);

/* A connection that is cut for what was sent on it; all borrowed. */
struct gate_ending {
	const char *reference;
	enum why_cause cause;
	int code;	  /* it is closed with */
	const char *note; /* what was sent */
	const char *takes; /* instead of that; NULL: it is not about that */
	const char *rule; /* "messages: 50/second"; "": no rule, a fault */
	const struct gate_compared *compared; /* with that rule */
	const struct gate_outage *outage; /* NULL: it is not the backplane's */
	unsigned line; /* of that rule; 0: it is gone since */
	const struct gate_policy *policy;
	const struct gate_route *route;
	const struct gate_server *server; /* NULL: none */
	const char *listener;
	const char *client, *target; /* printable, from its handshake */
	const char *host, *origin, *user_agent; /* the same; "": not sent */
};

void gate_notice_ended(struct gate *gate, const struct gate_ending *ending);

/*
 * The same for a handshake that the rules let in: the journal keeps one of each
 * kind, with a count. Only policy, decision, request, route, hops, head and
 * listener are looked at.
 */
void gate_notice_admitted(struct gate *gate, const struct gate_notice *notice);

#endif
