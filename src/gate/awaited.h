/* SPDX-License-Identifier: MIT */
/*
 * An answer of a channel that comes later: a backplane may take a while to
 * number what is published. Who published it may have left by then, so what is
 * needed for the answer belongs to neither of them: it goes when the answer
 * comes, and who leaves before is told nothing.
 */
#ifndef GATE_AWAITED_H
#define GATE_AWAITED_H

#include "base/list.h"
#include "hub/hub.h"

struct gate;
struct gate_visit;

struct gate_awaited {
	struct hub_ticket ticket;
	struct ses_list link;	  /* in the list of who waits */
	struct gate_visit *visit; /* NULL: it has left */
	/* The answer is here; it is freed after the call. */
	void (*on_answer)(struct gate_visit *visit,
			  const struct gate_awaited *awaited);
	int64_t ref;	   /* of a client's message; -1: none */
	size_t bytes;	   /* of what was published */
	uint64_t since_ms; /* when that was */
};

/*
 * A ticket to publish with, which stays the worker's unless it is taken below.
 * NULL: no memory.
 */
struct hub_ticket *gate_awaited_offer(struct gate *gate);
/* The answer comes later: @visit waits, in @list. */
struct gate_awaited *gate_awaited_take(struct gate_visit *visit,
				       struct ses_list *list);
/* Whoever waits in @list has left. */
void gate_awaited_forget(struct ses_list *list);

#endif
