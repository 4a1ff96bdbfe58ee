/* SPDX-License-Identifier: MIT */
#include "hub/ring.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_SLOTS 8

static struct hub_message **slot_of(const struct hub_ring *r, size_t i)
{
	return &r->slot[(r->head + i) & (r->capacity - 1)];
}

static bool grow(struct hub_ring *r)
{
	struct hub_ring larger = *r;

	larger.capacity = r->capacity ? r->capacity * 2 : FIRST_SLOTS;
	larger.slot = malloc(larger.capacity * sizeof(*larger.slot));
	if (!larger.slot)
		return false;
	larger.head = 0;
	for (size_t i = 0; i < r->n; i++)
		larger.slot[i] = *slot_of(r, i);
	free(r->slot);
	*r = larger;
	return true;
}

bool hub_ring_push(struct hub_ring *r, struct hub_message *m)
{
	assert(!r->n || (*slot_of(r, r->n - 1))->seq + 1 == m->seq);
	if (r->n == r->capacity && !grow(r))
		return false;
	*slot_of(r, r->n++) = m;
	r->bytes += hub_message_weight(m);
	return true;
}

struct hub_message *hub_ring_pop(struct hub_ring *r)
{
	struct hub_message *m = hub_ring_first(r);

	if (!m)
		return NULL;
	r->head = (r->head + 1) & (r->capacity - 1);
	r->n--;
	r->bytes -= hub_message_weight(m);
	return m;
}

struct hub_message *hub_ring_at(const struct hub_ring *r, uint64_t seq)
{
	const struct hub_message *first = hub_ring_first(r);

	if (!first || seq < first->seq || seq - first->seq >= r->n)
		return NULL;
	return *slot_of(r, (size_t)(seq - first->seq));
}

void hub_ring_fini(struct hub_ring *r)
{
	assert(!r->n);
	free(r->slot);
	*r = (struct hub_ring){0};
}
