/* SPDX-License-Identifier: MIT */
/*
 * Whether a request may enter: a function of the policy and the request, and
 * of nothing else. `serve` asks it for every handshake, `check` for the one on
 * its command line; so both give the same answer, with the same trace.
 */
#ifndef GATE_ADMIT_H
#define GATE_ADMIT_H

#include "gate/policy.h"
#include "why/cause.h"

/* What is known of a request; all borrowed. data NULL: the field is missing. */
struct gate_request {
	struct bytes target; /* as it came: "/chat?room=1" */
	struct bytes host;
	struct bytes origin;
	struct bytes user_agent;
	struct gate_address address;
	struct bytes address_text;
};

/* One look at one list. */
struct gate_trace {
	const char *check;  /* "path", "host", "address", "origin", ... */
	bool passed;
	const char *rule;   /* the entry or default that decided */
	unsigned line;	    /* where it stands; 0: it is built in */
	struct bytes value; /* what was compared; data NULL: missing */
};

#define GATE_MAX_TRACE (GATE_N_LISTS + 1)

struct gate_decision {
	bool admitted;
	enum why_cause cause; /* WHY_OK when admitted */
	int status;	      /* to answer with; 101 when admitted */
	const struct gate_route *route; /* NULL: none was found */
	struct gate_trace trace[GATE_MAX_TRACE];
	size_t n_trace; /* the last one decided */
	enum gate_list list;  /* that refused; GATE_N_LISTS: the path did */
};

/*
 * Decide. Looks at path, host, address, origin, user agent, in this order
 * (cheap before dear), and stops at the first that refuses. The decision
 * borrows from both arguments.
 */
void gate_admit(const struct gate_policy *policy,
		const struct gate_request *request,
		struct gate_decision *ret_decision);

/* Whether @target begins with a path, as all requests that are admitted do. */
bool gate_is_path(struct bytes target);
/* The path of a target: without its query. */
struct bytes gate_path_of(struct bytes target);

#endif
