/* SPDX-License-Identifier: MIT */
/*
 * The messages that a channel holds: their numbers have no holes, so the place
 * of each is known by its number. It counts bytes; what goes is the owner's to
 * decide. Pure.
 */
#ifndef HUB_RING_H
#define HUB_RING_H

#include "hub/message.h"

struct hub_ring {
	struct hub_message **slot; /* NULL while nothing was ever in it */
	size_t capacity;	   /* a power of two, or 0 */
	size_t head, n;
	size_t bytes;
};

/* Take @m, whose number follows that of the last. False: no memory. */
bool hub_ring_push(struct hub_ring *r, struct hub_message *m);
/* The oldest one, which is the caller's again. NULL: it is empty. */
struct hub_message *hub_ring_pop(struct hub_ring *r);
/* The oldest; NULL: it is empty. */
static inline struct hub_message *hub_ring_first(const struct hub_ring *r)
{
	return r->n ? r->slot[r->head] : NULL;
}
/* The newest, likewise. */
static inline struct hub_message *hub_ring_last(const struct hub_ring *r)
{
	return r->n ? r->slot[(r->head + r->n - 1) & (r->capacity - 1)] : NULL;
}
/* The one with number @seq, or NULL. */
struct hub_message *hub_ring_at(const struct hub_ring *r, uint64_t seq);
/* It is empty. */
void hub_ring_fini(struct hub_ring *r);

#endif
