/* SPDX-License-Identifier: MIT */
/* Without memory for more buckets it only gets slower. */
#include "hub/map.h"

#include <stdlib.h>

#define FIRST_BUCKETS 8

void hub_map_init(struct hub_map *m, const uint8_t seed[SES_HASH_SEED])
{
	*m = (struct hub_map){.seed = seed};
}

void hub_map_fini(struct hub_map *m)
{
	free(m->bucket);
	m->bucket = NULL;
	m->n_buckets = m->n = 0;
}

static uint64_t hash_of(const struct hub_map *m, struct bytes name)
{
	struct ses_hash h;

	ses_hash_init(&h, m->seed);
	ses_hash_bytes(&h, name);
	return ses_hash_end(&h);
}

static struct hub_entry **place_of(const struct hub_map *m, uint64_t hash)
{
	return &m->bucket[hash & (m->n_buckets - 1)];
}

struct hub_entry *hub_map_find(const struct hub_map *m, struct bytes name)
{
	uint64_t hash = hash_of(m, name);
	struct hub_entry *e;

	if (!m->bucket)
		return NULL;
	e = *place_of(m, hash);
	while (e && (e->hash != hash || !bytes_equal(e->name, name)))
		e = e->next;
	return e;
}

static bool grow(struct hub_map *m)
{
	struct hub_map old = *m;
	size_t n = old.n_buckets ? old.n_buckets * 2 : FIRST_BUCKETS;

	m->bucket = calloc(n, sizeof(struct hub_entry *));
	if (!m->bucket) {
		*m = old;
		return old.bucket != NULL;
	}
	m->n_buckets = n;
	for (size_t i = 0; i < old.n_buckets; i++) {
		struct hub_entry *e, *next;

		for (e = old.bucket[i]; e; e = next) {
			struct hub_entry **to = place_of(m, e->hash);

			next = e->next;
			e->next = *to;
			*to = e;
		}
	}
	free(old.bucket);
	return true;
}

bool hub_map_add(struct hub_map *m, struct hub_entry *entry)
{
	struct hub_entry **place;

	if (m->n >= m->n_buckets && !grow(m))
		return false;
	entry->hash = hash_of(m, entry->name);
	place = place_of(m, entry->hash);
	entry->next = *place;
	*place = entry;
	m->n++;
	return true;
}

void hub_map_remove(struct hub_map *m, struct hub_entry *entry)
{
	struct hub_entry **place = place_of(m, entry->hash);

	while (*place != entry)
		place = &(*place)->next;
	*place = entry->next;
	m->n--;
}
