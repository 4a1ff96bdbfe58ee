/* SPDX-License-Identifier: MIT */
/*
 * The hub: channels whose members are spread over several threads, each with a
 * loop and a seat of its own. What one member publishes reaches all others.
 *
 * One order for all: a message is numbered, held and put into the inbox of
 * every seat with members under one lock, and a seat brings what is in its
 * inbox in the order in which it came. Its frames are built once and shared. A
 * member that cannot take it is served from what the channel holds, once it
 * can: see docs/delivery.md. Who numbers is a backplane (hub/backplane.h).
 *
 * Memory: messages on their way take their frames and 200 B + 16 B for each
 * worker, and HUB_FULL_BYTES at most of all channels together; publishers are
 * held back from HUB_HIGH_BYTES on. What a channel holds is bounded by its
 * rules. What waits for one slow reader is its connection's own queue.
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include <sesame/loop.h>
#include <sesame/protocol.h>

#include "hub/channel.h"
#include "hub/demand.h"

#define HUB_HIGH_BYTES ((size_t)16 * 1024 * 1024)
#define HUB_FULL_BYTES ((size_t)64 * 1024 * 1024)
#define HUB_WHO_SIZE   160 /* of a name, with its NUL */

struct hub;
struct hub_seat;
struct hub_backplane;

/* What became of a frame. */
enum hub_taken {
	HUB_TAKEN,
	HUB_TAKEN_LAST, /* and no more, until hub_drained() */
	HUB_NOT_TAKEN,	/* nor anything until hub_drained() */
	HUB_GONE,	/* it is leaving */
};

/* Whole frames for one member, all or none; lent for the call. */
struct hub_parcel {
	struct bytes frames;
	size_t n;	      /* messages; 0: it is something else */
	size_t payload_bytes; /* of these */
	bool more;	      /* others follow at once */
};

/* What a seat's thread is told. No member may leave in here. */
struct hub_events {
	enum hub_taken (*deliver)(struct hub_member *member,
				  const struct hub_parcel *parcel);
	/* @member was held back and may go on. */
	void (*go_on)(struct hub_member *member);
	/* Its channel is ready: hub_begin() again. */
	void (*ready)(struct hub_member *member);
	/* It was left out of so many messages, or got newer ones instead. */
	void (*missed)(struct hub_member *member, uint64_t n, bool conflated);
	/* It is to be closed, for it is too slow. */
	void (*too_slow)(struct hub_member *member);
	/* It is to be closed: its channel is one too many, with other nodes. */
	void (*refused)(struct hub_member *member);
	/* It is to be closed: there was no memory for what it has to get. */
	void (*no_memory)(struct hub_member *member);
};

/* A hub of @n_seats seats over @backplane (taken). NULL: no memory. */
struct hub *hub_new(unsigned n_seats, const struct hub_events *events,
		    struct hub_backplane *backplane);
/*
 * All threads of seats have ended, and their loops are still there: the
 * backplane brings nothing more. Whoever waits for an answer gets
 * HUB_UNAVAILABLE, in hub_free(). NULL is fine.
 */
void hub_stop(struct hub *hub);
/* All members have left and all threads of seats have ended. NULL is fine. */
void hub_free(struct hub *hub);
/* Seat @i, served by @loop from now on, before its thread begins. */
struct hub_seat *hub_take_seat(struct hub *hub, unsigned i,
			       struct sesame_loop *loop);
/*
 * The space called @name, made when there is none, by @rules from now on; for
 * any thread. It lives as long as the hub. NULL: no memory.
 */
struct hub_space *hub_find_space(struct hub *hub, const char *name,
				 const struct hub_rules *rules);

/* What there is; for any thread. */
struct hub_figures {
	uint64_t channels, idle, members, kept_bytes, on_way_bytes;
	uint64_t evicted, gaps, missed, conflated, closed;
};

void hub_count(struct hub *hub, struct hub_figures *ret_figures);

/* ---- For the thread of @seat alone ---- */

/*
 * @member joins the channel @name; its flags (echo, envelopes, sees) are set.
 * @you: its name, or "" for who has none, which is given one. It gets nothing
 * before hub_begin().
 */
enum hub_verdict hub_join(struct hub_seat *seat, struct hub_space *space,
			  struct bytes name, char you[HUB_WHO_SIZE],
			  struct hub_member *member);
/*
 * Welcome it, and send what it missed: behind @since (data NULL: what came since
 * it joined). False: events->ready() says when to call again.
 */
bool hub_begin(struct hub_seat *seat, struct hub_member *member,
	       const char *you, struct bytes since);
/* It can take more. */
void hub_drained(struct hub_seat *seat, struct hub_member *member);
void hub_leave(struct hub_seat *seat, struct hub_member *member);

/* What became of a message, or of several. */
struct hub_receipt {
	struct hub_epoch epoch; /* "": there is no such channel */
	uint64_t seq;		/* of the first one; 0: nobody is there */
	size_t n;
	size_t members;	  /* in the channel, the sender too */
	uint64_t wait_ms; /* for HUB_TOO_OFTEN */
	bool repeated;	  /* by its Idempotency-Key */
	bool hold_back;	  /* the sender had better wait: hub_hold() */
};

/*
 * Who waits for an answer: the caller's, who keeps it until done() is called in
 * the thread of its seat.
 */
struct hub_ticket {
	struct hub_ticket *next;
	struct hub_seat *seat;
	struct hub_channel *reached; /* by hub_reach(), until hub_release() */
	void (*done)(struct hub_ticket *ticket);
	enum hub_verdict verdict;
	struct hub_receipt receipt;
};

/* Whether HUB_LATER is an answer of this hub. */
bool hub_answers_later(const struct hub_seat *seat);
/*
 * Publish to the channel that @sender is in. HUB_OK or why not; HUB_LATER:
 * @ticket->done() follows. In a state channel the content has its key.
 */
enum hub_verdict hub_publish(struct hub_seat *seat, struct hub_member *sender,
			     const struct hub_content *content,
			     struct hub_ticket *ticket,
			     struct hub_receipt *ret_receipt);
/*
 * The same to a channel by its name, for who is in none: @n at once, one after
 * the other. @key: an Idempotency-Key; data NULL: none.
 */
enum hub_verdict hub_publish_to(struct hub_seat *seat, struct hub_space *space,
				struct bytes name,
				const struct hub_content *content, size_t n,
				struct bytes key, struct hub_ticket *ticket,
				struct hub_receipt *ret_receipt);
/* Have go_on() called for @member once less is on its way. */
void hub_hold(struct hub_seat *seat, struct hub_member *member);

/*
 * For who is in none and wants to read: have the channel @name here, as all
 * nodes have it, until hub_release(). HUB_OK; HUB_LATER: @ticket->done() follows,
 * with HUB_OK, HUB_UNAVAILABLE or, where all nodes together have too many,
 * HUB_CHANNELS_FULL; or why not. Where the process is alone that is HUB_OK at
 * once, and makes no channel.
 */
enum hub_verdict hub_reach(struct hub_seat *seat, struct hub_space *space,
			   struct bytes name, struct hub_ticket *ticket);
/* Nothing if nothing was reached. */
void hub_release(struct hub_ticket *ticket);

/* ---- Reading; the answers are JSON, appended to @out ---- */

/* Answer HUB_LIST or HUB_COUNT of @member. 0 or an error of the buffer. */
int hub_list(struct hub_seat *seat, struct hub_member *member,
	     const struct hub_demand *demand, struct ses_buf *out);
/* The same of a channel by its name. */
int hub_list_of(struct hub_seat *seat, struct hub_space *space,
		struct bytes name, struct bytes after, size_t limit,
		struct ses_buf *out);
/*
 * What the channel @name holds behind @since (data NULL: all), at most @limit
 * messages.
 */
int hub_history_of(struct hub_seat *seat, struct hub_space *space,
		   struct bytes name, struct bytes since, size_t limit,
		   struct ses_buf *out);

#endif
