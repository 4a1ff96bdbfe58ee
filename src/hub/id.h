/* SPDX-License-Identifier: MIT */
/*
 * Ids of messages: "EPOCH-SEQ" (docs/sesame.v1.md). An epoch is one life of a
 * channel; within it numbers have no holes, so what is missing between two of
 * them is known exactly. Pure: randomness comes in as an argument.
 */
#ifndef HUB_ID_H
#define HUB_ID_H

#include "base/bytes.h"

#define HUB_EPOCH_LEN 8
#define HUB_ID_SIZE   (HUB_EPOCH_LEN + 1 + 20 + 1) /* with its NUL */

struct hub_epoch {
	char text[HUB_EPOCH_LEN + 1];
};

struct hub_id {
	struct hub_epoch epoch;
	uint64_t seq;
};

/* The epoch that 40 random bits make. */
struct hub_epoch hub_epoch_of(uint64_t random);
static inline bool hub_epoch_equal(const struct hub_epoch *a,
				   const struct hub_epoch *b)
{
	return memcmp(a->text, b->text, HUB_EPOCH_LEN) == 0;
}

/* "k3m7t2ax-1207" to @out; its length. */
size_t hub_id_write(const struct hub_epoch *epoch, uint64_t seq,
		    char out[HUB_ID_SIZE]);
/* False: @text is no id as hub_id_write() writes them. */
bool hub_id_read(struct bytes text, struct hub_id *ret_id);

#endif
