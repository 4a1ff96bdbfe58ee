/* SPDX-License-Identifier: MIT */
/*
 * Asking another server whether to let somebody in: an HTTP request without a
 * body, of whose answer the head alone is read.
 */
#ifndef GATE_AUTHORITY_H
#define GATE_AUTHORITY_H

#include "gate/hops.h"
#include "gate/policy.h"

struct sesame_loop;

/* What is asked; borrowed for the call. */
struct gate_authority_question {
	const struct gate_authority *authority;
	const struct ses_head *head; /* the client's request */
	const struct gate_hops *hops;
};

/* What came of it; borrowed for the call. */
struct gate_authority_answer {
	const struct ses_head *head; /* NULL: there is none */
	const char *text;	     /* why not, a phrase */
};

struct gate_authority_call;

/*
 * Ask. @done is called once, never before this returns, and the call is gone
 * after it. NULL: no memory.
 */
struct gate_authority_call *
gate_authority_ask(struct sesame_loop *loop,
		   const struct gate_authority_question *question,
		   void (*done)(void *user,
				const struct gate_authority_answer *answer),
		   void *user);
/* Give up; done is not called. NULL is fine. */
void gate_authority_cancel(struct gate_authority_call *call);

#endif
