/* SPDX-License-Identifier: MIT */
/*
 * A request that is decided where nobody stands at the door: by `check`, and
 * where a change of the rules is tried. Credentials are judged by the keys and
 * hashes that the policy has read; what only a running gateway knows (counts of
 * limits) or somebody else (the authority) is taken for good, and said to be.
 */
#ifndef GATE_TRIAL_H
#define GATE_TRIAL_H

#include "gate/admit.h"
#include "gate/credential.h"

/* What was taken for good, bits. */
enum gate_assumed {
	GATE_ASSUMED_CREDENTIALS = 1,
	GATE_ASSUMED_CERTIFICATE = 2,
	GATE_ASSUMED_LIMITS = 4,
	GATE_ASSUMED_AUTHORITY = 8,
};

#define GATE_ASSUMED_TEXT 128

/* "credentials, counts of limits", into @out; "" for nothing. */
const char *gate_assumed_text(unsigned assumed, char out[GATE_ASSUMED_TEXT]);

/* Which credentials are judged. */
enum gate_judged {
	GATE_JUDGES_NONE,    /* the request is known without them */
	GATE_JUDGES_BROUGHT, /* where there are any */
	GATE_JUDGES_ALL,     /* none is none */
};

struct gate_trial {
	enum gate_judged judges;
	int64_t now_s; /* for tokens that expire */
	/* what came of it; the decision borrows from the rest */
	unsigned assumed;
	struct gate_credential credential;
	char rule[512];
};

/*
 * Decide. A password is checked at once, which takes as long as its hash
 * wants. @trial is to be emptied by gate_trial_fini(), and *ret_decision is not
 * used after that.
 */
void gate_try(const struct gate_policy *policy,
	      const struct gate_request *request, struct gate_trial *trial,
	      struct gate_decision *ret_decision);
void gate_trial_fini(struct gate_trial *trial);

#endif
