/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request to another server, of whose answer the head alone is read:
 * to an authority (gate/authority.h), to see how a server is (gate/health.h).
 */
#ifndef GATE_ERRAND_H
#define GATE_ERRAND_H

#include "base/buf.h"
#include "net/dial.h"

/* What came of it; borrowed for the call. */
struct gate_errand_answer {
	const struct ses_head *head; /* NULL: there is none */
	const char *text;	     /* why not, a phrase */
	bool ours; /* this machine lacks something, whatever the server does */
};

struct gate_errand;

typedef void (*gate_errand_done)(void *user,
				 const struct gate_errand_answer *answer);

/*
 * Dial as @to says and send @request (taken). All of it may last timeout_ms of
 * @to. @done is called once, never before this returns, and the errand is gone
 * after it. NULL: no memory.
 */
struct gate_errand *gate_errand_start(struct sesame_loop *loop,
				      const struct ses_dial_options *to,
				      struct ses_buf *request,
				      gate_errand_done done, void *user);
/* Give up; done is not called. NULL is fine. */
void gate_errand_cancel(struct gate_errand *errand);

#endif
