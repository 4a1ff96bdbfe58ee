/* SPDX-License-Identifier: MIT */
/*
 * The hub: channels whose members are spread over several threads, each with a
 * loop and a seat of its own. What one member publishes reaches all others.
 *
 * One order for all: a message is numbered and put into the inbox of every seat
 * with members under one lock, and a seat brings what is in its inbox in the
 * order in which it came. Its frame is built once, outside of the lock, and
 * shared.
 *
 * Memory: messages on their way take their frame and 40 B + 24 B for each
 * worker, and HUB_FULL_BYTES at most of all channels together; publishers are
 * held back from HUB_HIGH_BYTES on. What waits for one slow reader is its
 * connection's own queue.
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include <sesame/loop.h>
#include <sesame/protocol.h>

#include "hub/channel.h"

#define HUB_HIGH_BYTES ((size_t)16 * 1024 * 1024)
#define HUB_FULL_BYTES ((size_t)64 * 1024 * 1024)

struct hub;
struct hub_seat;

/* What a seat's thread is told. */
struct hub_events {
	/*
	 * A message for @member: a whole frame, lent for the call, of @len
	 * bytes of payload. No member may leave in here.
	 */
	void (*deliver)(struct hub_member *member, struct bytes frame,
			size_t len);
	/* @member was held back and may go on. */
	void (*go_on)(struct hub_member *member);
};

/* A hub of @n_seats seats. NULL: no memory. */
struct hub *hub_new(unsigned n_seats, const struct hub_events *events);
/* All members have left and all threads of seats have ended. NULL is fine. */
void hub_free(struct hub *hub);
/* Seat @i, served by @loop from now on, before its thread begins. */
struct hub_seat *hub_take_seat(struct hub *hub, unsigned i,
			       struct sesame_loop *loop);
/* As hub_table_space(); for any thread. It lives as long as the hub. */
struct hub_space *hub_find_space(struct hub *hub, const char *name);

/* ---- For the thread of @seat alone ---- */

/* As hub_table_join(). */
enum hub_verdict hub_join(struct hub_seat *seat, struct hub_space *space,
			  struct bytes name, struct hub_bounds bounds,
			  struct hub_member *member);
void hub_leave(struct hub_seat *seat, struct hub_member *member);

/* What became of a message. */
struct hub_receipt {
	uint64_t id;	/* in its channel; 0: nobody is there */
	size_t members; /* in the channel, the sender too */
	bool hold_back; /* the sender had better wait: hub_hold() */
};

/*
 * Publish to the channel that @sender is in. HUB_OK, HUB_BUSY (it is not
 * published) or HUB_NO_MEMORY.
 */
enum hub_verdict hub_publish(struct hub_seat *seat, struct hub_member *sender,
			     enum sesame_kind kind, struct bytes payload,
			     struct hub_receipt *ret_receipt);
/* The same to a channel by its name, for who is in none. */
enum hub_verdict hub_publish_to(struct hub_seat *seat, struct hub_space *space,
				struct bytes name, enum sesame_kind kind,
				struct bytes payload,
				struct hub_receipt *ret_receipt);
/* Have go_on() called for @member once less is on its way. */
void hub_hold(struct hub_seat *seat, struct hub_member *member);

#endif
