/* SPDX-License-Identifier: MIT */
#include "hub/receipts.h"

#include <stdlib.h>

#define FIRST_ROOM 8
#define TALLIES	   ((size_t)2 * HUB_RECEIPTS_MAX) /* a power of two */

static struct hub_noted *at(const struct hub_receipts *r, size_t i)
{
	return &r->noted[(r->head + i) % r->capacity];
}

static bool is_old(const struct hub_noted *n, int64_t now_ms)
{
	return n->time_ms + HUB_RECEIPT_MS <= now_ms;
}

const struct hub_noted *hub_receipts_find(const struct hub_receipts *r,
					  uint64_t key, int64_t now_ms)
{
	for (size_t i = r->n; i > 0; i--) {
		const struct hub_noted *n = at(r, i - 1);

		if (is_old(n, now_ms))
			return NULL;
		if (n->key[0] == key)
			return n;
	}
	return NULL;
}

static bool grow(struct hub_receipts *r)
{
	size_t room = r->capacity ? r->capacity * 2 : FIRST_ROOM;
	struct hub_noted *larger = malloc(room * sizeof(*larger));

	if (!larger)
		return false;
	for (size_t i = 0; i < r->n; i++)
		larger[i] = *at(r, i);
	free(r->noted);
	r->noted = larger;
	r->capacity = room;
	r->head = 0;
	return true;
}

/* ---- Who has to make room ---- */

/* How many are of each, by open addressing; n 0: of nobody. */
struct tally {
	uint32_t who, n;
};

static uint32_t *count_of(struct tally tally[TALLIES], uint32_t who)
{
	size_t i = who % TALLIES;

	while (tally[i].n && tally[i].who != who)
		i = (i + 1) % TALLIES;
	tally[i].who = who;
	return &tally[i].n;
}

/* The place of the oldest of whoever has most. */
static size_t next_to_go(const struct hub_receipts *r)
{
	struct tally tally[TALLIES] = {{0, 0}};
	uint32_t most = 0;
	size_t i;

	for (i = 0; i < r->n; i++) {
		uint32_t n = ++*count_of(tally, at(r, i)->who);

		most = n > most ? n : most;
	}
	for (i = 0; *count_of(tally, at(r, i)->who) < most; i++)
		;
	return i;
}

static void make_room(struct hub_receipts *r)
{
	for (size_t i = next_to_go(r); i > 0; i--)
		*at(r, i) = *at(r, i - 1);
	r->head = (r->head + 1) % r->capacity;
	r->n--;
}

bool hub_receipts_add(struct hub_receipts *r, const struct hub_noted *noted)
{
	if (r->n == HUB_RECEIPTS_MAX)
		make_room(r);
	if (r->n == r->capacity && !grow(r))
		return false;
	*at(r, r->n++) = *noted;
	return true;
}

bool hub_receipts_matter(const struct hub_receipts *r, int64_t now_ms)
{
	return r->n && !is_old(at(r, r->n - 1), now_ms);
}

size_t hub_receipts_weight(const struct hub_receipts *r)
{
	return r->capacity * sizeof(*r->noted);
}

void hub_receipts_fini(struct hub_receipts *r)
{
	free(r->noted);
	*r = (struct hub_receipts){0};
}
