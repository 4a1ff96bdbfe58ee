/* SPDX-License-Identifier: MIT */
/* Open addressing, at most half full; a text is compared only when 32 bits of
 * its hash agree, so a miss hardly ever touches the texts. */
#include "gate/table.h"

#include <stdlib.h>

#include <sesame/error.h>

int gate_table_init(struct gate_table *t, size_t n,
		    const uint8_t seed[SES_HASH_SEED])
{
	size_t room = 4;

	*t = (struct gate_table){0};
	ses_hash_init(&t->begin, seed);
	ses_buf_init(&t->texts, UINT32_MAX / 2);
	if (n == 0)
		return 0;
	while (room / 2 < n)
		room *= 2;
	t->slot = malloc(room * sizeof(*t->slot));
	if (!t->slot)
		return SESAME_ENOMEM;
	t->mask = (uint32_t)(room - 1);
	for (size_t i = 0; i < room; i++)
		t->slot[i].value = GATE_NONE;
	return 0;
}

void gate_table_fini(struct gate_table *t)
{
	free(t->slot);
	t->slot = NULL;
	ses_buf_fini(&t->texts);
}

static bool is_text(const struct gate_table *t, const struct gate_slot *slot,
		    struct bytes text)
{
	return slot->len == text.len &&
	       memcmp(ses_buf_bytes(&t->texts).data + slot->at, text.data,
		      text.len) == 0;
}

/* The slot that has @text, or the free one where it belongs. */
static struct gate_slot *place_of(const struct gate_table *t, struct bytes text,
				  uint64_t hash)
{
	uint32_t i = (uint32_t)(hash >> 32) & t->mask;

	while (t->slot[i].value != GATE_NONE &&
	       (t->slot[i].hash != (uint32_t)hash ||
		!is_text(t, &t->slot[i], text)))
		i = (i + 1) & t->mask;
	return &t->slot[i];
}

static uint64_t hash_of(const struct gate_table *t, struct bytes text)
{
	struct ses_hash h = t->begin;

	ses_hash_bytes(&h, text);
	return ses_hash_end(&h);
}

int gate_table_add(struct gate_table *t, struct bytes text, uint32_t value)
{
	uint64_t hash = hash_of(t, text);
	struct gate_slot *slot;

	if (text.len > GATE_MAX_KEY)
		return SESAME_ELIMIT;
	slot = place_of(t, text, hash);
	if (slot->value != GATE_NONE)
		return 0;
	*slot = (struct gate_slot){(uint32_t)hash,
				   (uint32_t)ses_buf_len(&t->texts),
				   (uint32_t)text.len, GATE_NONE};
	if (ses_buf_append(&t->texts, text) < 0)
		return SESAME_ENOMEM;
	slot->value = value;
	if (text.len > t->longest)
		t->longest = text.len;
	return 0;
}

uint32_t gate_table_find(const struct gate_table *t, struct bytes text)
{
	if (!t->slot || text.len > t->longest)
		return GATE_NONE;
	return place_of(t, text, hash_of(t, text))->value;
}

uint32_t gate_table_find_hashed(const struct gate_table *t, struct bytes text,
				uint64_t hash)
{
	if (!t->slot || text.len > t->longest)
		return GATE_NONE;
	return place_of(t, text, hash)->value;
}
