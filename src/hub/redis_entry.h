/* SPDX-License-Identifier: MIT */
/*
 * What is written to Redis and read from it. Anybody may have written there, so
 * that all of it is looked at as if a stranger had sent it. Pure.
 *
 * An entry is "EPOCH SEQ TIME NODE COUNTER PLACE SENDER KIND GONE FROM KEY\n" and
 * then the sender's name, the key of a state and the payload: FROM and KEY are
 * their lengths, KIND is t or b, SENDER a member of NODE, COUNTER what NODE counts
 * its commands that publish by, and PLACE which one of that command it is, from
 * 0. The first three are Redis's to add.
 */
#ifndef HUB_REDIS_ENTRY_H
#define HUB_REDIS_ENTRY_H

#include "hub/message.h"

#define REDIS_SEQ_MAX	 ((uint64_t)1 << 52)
#define REDIS_TAIL_SIZE	 128 /* of what comes before the texts of an entry */
#define REDIS_PAST_MAX	 8
#define REDIS_PERSON_MAX 200 /* bytes of "NODE WHO" */

struct redis_entry {
	struct hub_epoch epoch;
	uint64_t seq;
	int64_t time_ms;
	struct bytes node;
	uint64_t counter, place;
	struct hub_content content;
};

/* Whether @word is what nodes have as ids. */
bool redis_is_node(struct bytes word);
/* False: it is none. What it holds is borrowed from @text. */
bool redis_entry_read(struct bytes text, struct redis_entry *ret);
/* The part from NODE to the line's end, of @m; its length. */
size_t redis_entry_write(const char *node, uint64_t counter, uint64_t place,
			 const struct hub_message *m,
			 char out[REDIS_TAIL_SIZE]);

/* Where an epoch ended: up to that number it was kept. */
struct redis_past {
	struct hub_epoch epoch;
	uint64_t last;
};

/* What a channel holds, as a node asked for it. */
struct redis_holding {
	uint64_t number; /* by which it knows what it had asked */
	struct hub_epoch epoch;
	uint64_t seq, from, floor;
	uint64_t more; /* it has to ask again behind this one; 0: that was all */
	struct bytes tag;
	struct redis_past past[REDIS_PAST_MAX]; /* the newest first */
	size_t n_past;
	struct bytes entries; /* for redis_next() */
};

bool redis_holding_read(struct bytes text, struct redis_holding *ret);

/* Who is in a channel. */
struct redis_people {
	uint64_t number;
	uint64_t more; /* where to go on; 0: that was all */
	struct bytes tag;
	struct bytes entries; /* for redis_next(): "NODE WHO" */
};

bool redis_people_read(struct bytes text, struct redis_people *ret);
/* Cut the next of @entries off. False: that was all, or the rest is none. */
bool redis_next(struct bytes *entries, struct bytes *ret);
/* "NODE WHO", told of somebody who comes or goes. */
bool redis_person_read(struct bytes text, struct bytes *ret_node,
		       struct bytes *ret_who);

#endif
