/* SPDX-License-Identifier: MIT */
/*
 * What was published under an Idempotency-Key, so that it is published once
 * however often it is sent. Keys are kept as their keyed hashes, the newest
 * HUB_RECEIPTS_MAX of a channel for HUB_RECEIPT_MS. Who publishes much pushes
 * out its own: where there is no room the oldest goes of whoever has most. Pure.
 */
#ifndef HUB_RECEIPTS_H
#define HUB_RECEIPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HUB_RECEIPTS_MAX 1024
#define HUB_RECEIPT_MS	 600000

struct hub_noted {
	uint64_t key[2]; /* hash of the key, and of what was published */
	uint64_t seq;	 /* the first number */
	uint32_t n;	 /* how many messages */
	uint32_t who;	 /* published it: a hash of its name */
	int64_t time_ms;
};

struct hub_receipts {
	struct hub_noted *noted; /* NULL while there never was one */
	size_t capacity, head, n;
};

/* The one with key[0] that is not too old at @now_ms, or NULL. */
const struct hub_noted *hub_receipts_find(const struct hub_receipts *r,
					  uint64_t key, int64_t now_ms);
/* One goes when there is no room, see above. False: no memory. */
bool hub_receipts_add(struct hub_receipts *r, const struct hub_noted *noted);
/* Whether one is left that is not too old. */
bool hub_receipts_matter(const struct hub_receipts *r, int64_t now_ms);
size_t hub_receipts_weight(const struct hub_receipts *r);
void hub_receipts_fini(struct hub_receipts *r);

#endif
