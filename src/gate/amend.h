/* SPDX-License-Identifier: MIT */
/*
 * The smallest change of a policy that would let a request in, found by trying
 * it: each look that refuses is given what it misses, and the request is
 * decided again, until it is let in or a look refuses that no list can change.
 */
#ifndef GATE_AMEND_H
#define GATE_AMEND_H

#include "base/buf.h"
#include "gate/admit.h"
#include "gate/trial.h"

enum gate_amendment_kind {
	GATE_ADD_ENTRY,	   /* to the list that is there */
	GATE_REMOVE_ENTRY, /* that excludes it */
	GATE_ADD_LIST,	   /* in place of the default */
};

struct gate_amendment {
	enum gate_amendment_kind kind;
	const char *list; /* "origins"; static */
	const char *route; /* its path, borrowed from the policy */
	unsigned line;	   /* of the list, the entry, or the route */
	char entry[320];   /* of a list: all its entries */
};

#define GATE_MAX_AMENDMENTS 6

struct gate_amendments {
	struct gate_amendment amendment[GATE_MAX_AMENDMENTS];
	size_t n;
	/* With all of them: whether it is let in, and what decides. */
	struct gate_decision then;
	struct gate_trial trial; /* which `then` borrows from */
	bool assumed; /* credentials and such were taken for good */
};

/*
 * Find them. @policy is changed by that: it must be the caller's own, and
 * nobody else's. What is found borrows from it and from @request.
 */
void gate_amend(struct gate_policy *policy, const struct gate_request *request,
		struct gate_amendments *ret);
/* "at FILE:6 add ...", in lines that end in a newline; see gate_story_advise. */
int gate_amendment_tell(const struct gate_amendment *a, const char *file,
			struct ses_buf *out);

#endif
