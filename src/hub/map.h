/* SPDX-License-Identifier: MIT */
/*
 * A table by names that strangers choose: keyed hash, chains, twice as many
 * buckets when it is full. Entries are embedded in what they belong to, and the
 * name is the owner's. Pure.
 */
#ifndef HUB_MAP_H
#define HUB_MAP_H

#include "base/hash.h"

struct hub_entry {
	struct hub_entry *next; /* with nearly the same hash */
	uint64_t hash;
	struct bytes name;
};

struct hub_map {
	struct hub_entry **bucket; /* NULL while nothing was ever in it */
	size_t n_buckets, n;
	const uint8_t *seed;
};

void hub_map_init(struct hub_map *m, const uint8_t seed[SES_HASH_SEED]);
/* All entries have been taken out, or are forgotten by their owner. */
void hub_map_fini(struct hub_map *m);
struct hub_entry *hub_map_find(const struct hub_map *m, struct bytes name);
/* Add @entry, whose name is set and not in it. False: no memory. */
bool hub_map_add(struct hub_map *m, struct hub_entry *entry);
void hub_map_remove(struct hub_map *m, struct hub_entry *entry);

#endif
