/* SPDX-License-Identifier: MIT */
#include "gate/texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"

void gate_texts_init(struct gate_texts *t, const uint8_t seed[SES_HASH_SEED])
{
	memcpy(t->seed, seed, SES_HASH_SEED);
	hub_map_init(&t->map, t->seed);
}

void gate_texts_fini(struct gate_texts *t)
{
	hub_map_fini(&t->map);
}

static struct gate_text *add(struct gate_texts *t, struct bytes bytes)
{
	struct gate_text *text = malloc(sizeof(*text) + bytes.len);

	if (!text)
		return NULL;
	*text = (struct gate_text){.n_users = 1};
	if (bytes.len)
		memcpy(text->bytes, bytes.data, bytes.len);
	text->entry.name = bytes_of(text->bytes, bytes.len);
	if (hub_map_add(&t->map, &text->entry))
		return text;
	free(text);
	return NULL;
}

struct gate_text *gate_texts_take(struct gate_texts *t, struct bytes bytes)
{
	struct hub_entry *entry = hub_map_find(&t->map, bytes);
	struct gate_text *text;

	if (!entry)
		return add(t, bytes);
	text = ses_container_of(entry, struct gate_text, entry);
	text->n_users++;
	return text;
}

void gate_texts_give(struct gate_texts *t, struct gate_text *text)
{
	if (!text || --text->n_users)
		return;
	hub_map_remove(&t->map, &text->entry);
	free(text);
}
