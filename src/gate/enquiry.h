/* SPDX-License-Identifier: MIT */
/*
 * What others have left at the backplane is asked for, by a loop that never
 * waits: the answer comes when it comes, as a call in that loop. Whoever asks
 * bounds his own patience.
 */
#ifndef GATE_ENQUIRY_H
#define GATE_ENQUIRY_H

#include "base/bytes.h"
#include "base/list.h"

struct hub_backplane;
struct sesame_loop;

#define GATE_ENQUIRIES 16 /* at a time */
/* Of all that is told in answer to one; what is over it is left out. */
#define GATE_ENQUIRY_BYTES ((size_t)2 * 1024 * 1024)

/* A note that somebody left, who need not be a gateway: nothing is believed. */
struct gate_note {
	struct gate_note *next;
	struct bytes name, text;
};

struct gate_enquiry;

/* @said is borrowed for the call; NULL: nobody has said anything. */
typedef void (*gate_enquiry_done)(void *user, const struct gate_note *said);

/* Those of a loop. */
struct gate_enquiries {
	struct hub_backplane *redis; /* outlives the last gate_enquire() */
	struct sesame_loop *loop;
	struct ses_list all;
	size_t n;
};

void gate_enquiries_init(struct gate_enquiries *all, struct sesame_loop *loop,
			 struct hub_backplane *redis);
/* The backplane has ended: nobody is told anything more. */
void gate_enquiries_fini(struct gate_enquiries *all);

/*
 * Ask for the note called @name, as hub_redis_read() has it. @done is called
 * once in the loop, never before this returns. NULL: too much is asked just
 * now, or no memory.
 */
struct gate_enquiry *gate_enquire(struct gate_enquiries *all, const char *name,
				  gate_enquiry_done done, void *user);
/* Whoever asked has left: @done is not called. NULL is fine. */
void gate_enquiry_forget(struct gate_enquiry *enquiry);

#endif
