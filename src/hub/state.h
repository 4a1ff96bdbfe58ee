/* SPDX-License-Identifier: MIT */
/*
 * The state of a channel: for each key its newest message, in the order of
 * their numbers. A reader remembers one number, up to which it was served, and
 * walks from there; how far it is behind costs nothing. Pure.
 *
 * In their order values stand in an array with a place for each number: where
 * one is found by halves, and a walk reads what lies side by side. Who changes
 * goes to its end; when half of the places are left they are closed up.
 *
 * A message that takes its key away stays for a while, so that readers who
 * are behind learn of it. Once one is forgotten, who is behind it cannot know
 * which keys are gone: see floor.
 */
#ifndef HUB_STATE_H
#define HUB_STATE_H

#include "base/list.h"
#include "hub/map.h"
#include "hub/message.h"

#define HUB_GONE_MS 600000 /* how long a deletion is kept */

struct hub_value {
	struct hub_entry entry; /* its name is in the message */
	struct ses_list gone;	/* among the deletions, or alone */
	struct hub_message *message;
};

struct hub_place {
	uint64_t seq : 63, gone : 1; /* of its message */
	struct hub_value *value;     /* NULL: it was left */
};

struct hub_state {
	struct hub_map map;
	/* The oldest number first; the first and the last are not left. */
	struct hub_place *place;
	size_t first, end, room;
	struct ses_list gone; /* deletions, likewise */
	size_t bytes;
	/* Deletions up to this number may have been forgotten. */
	uint64_t floor;
};

void hub_state_init(struct hub_state *s, const uint8_t seed[SES_HASH_SEED]);
/* What messages add that come before another one, of the same batch. */
struct hub_growth {
	uint64_t keys, bytes;
};

/* Whether @m has room where @keys and @bytes are the bounds; may forget
 * deletions for it. */
bool hub_state_fits(struct hub_state *s, const struct hub_message *m,
		    uint64_t keys, uint64_t bytes, struct hub_growth *before,
		    void (*drop)(struct hub_message *m));
/*
 * Take @m, with a number above all others. *ret_old is what it takes the place
 * of, the caller's again, or NULL. False: no memory; nothing changed.
 */
bool hub_state_put(struct hub_state *s, struct hub_message *m,
		   struct hub_message **ret_old);
/*
 * Where a walk behind the number @seq begins, and its next message, borrowed,
 * with @deletions or without; NULL: that was the last. Nothing may change
 * meanwhile.
 */
size_t hub_state_after(const struct hub_state *s, uint64_t seq);
struct hub_message *hub_state_step(const struct hub_state *s, size_t *at,
				   bool deletions);
/* Forget deletions from before @time_ms; @drop takes their messages. */
void hub_state_age(struct hub_state *s, int64_t time_ms,
		   void (*drop)(struct hub_message *m));
/* The newest, or NULL. */
const struct hub_message *hub_state_newest(const struct hub_state *s);
/* Forget all. */
void hub_state_clear(struct hub_state *s, void (*drop)(struct hub_message *m));

#endif
