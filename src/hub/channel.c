/* SPDX-License-Identifier: MIT */
/*
 * A table of channels by keyed hash, since strangers choose the names. A
 * channel lives as long as somebody is in it or a message of it is on its way.
 */
#include "hub/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/utf8.h"

#define FIRST_BUCKETS 64

static bool has_control(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		uint8_t next = i + 1 < name.len ? name.data[i + 1] : 0xff;

		/* U+0080 to U+009F are control characters too */
		if (c < ' ' || c == 0x7f || (c == 0xc2 && next < 0xa0))
			return true;
	}
	return false;
}

const char *hub_name_wrong(struct bytes name)
{
	if (!name.len)
		return "The path names no channel";
	if (name.len > HUB_NAME_MAX)
		return "The name of the channel is longer than 128 bytes";
	if (!ses_utf8_valid(name))
		return "The name of the channel is not UTF-8";
	if (has_control(name))
		return "The name of the channel has control characters";
	return NULL;
}

/* ---- The table ---- */

bool hub_table_init(struct hub_table *t, unsigned n_seats,
		    const uint8_t seed[SES_HASH_SEED])
{
	*t = (struct hub_table){.n_seats = n_seats};
	memcpy(t->seed, seed, SES_HASH_SEED);
	t->bucket = calloc(FIRST_BUCKETS, sizeof(*t->bucket));
	t->n_buckets = t->bucket ? FIRST_BUCKETS : 0;
	return t->bucket != NULL;
}

void hub_table_fini(struct hub_table *t)
{
	struct hub_space *space;

	assert(t->n == 0);
	while ((space = t->spaces)) {
		t->spaces = space->next;
		free(space);
	}
	free(t->bucket);
	t->bucket = NULL;
}

struct hub_space *hub_table_space(struct hub_table *t, const char *name)
{
	struct hub_space *space;

	for (space = t->spaces; space; space = space->next)
		if (strcmp(space->name, name) == 0)
			return space;
	space = malloc(sizeof(*space) + strlen(name) + 1);
	if (!space)
		return NULL;
	*space = (struct hub_space){.next = t->spaces};
	strcpy(space->name, name);
	t->spaces = space;
	return space;
}

static uint64_t hash_of(const struct hub_table *t,
			const struct hub_space *space, struct bytes name)
{
	struct ses_hash h;

	ses_hash_init(&h, t->seed);
	ses_hash_bytes(&h, bytes_of_str(space->name));
	ses_hash_byte(&h, 0);
	ses_hash_bytes(&h, name);
	return ses_hash_end(&h);
}

static struct hub_channel **place_of(const struct hub_table *t, uint64_t hash)
{
	return &t->bucket[hash & (t->n_buckets - 1)];
}

static struct hub_channel *find(const struct hub_table *t, uint64_t hash,
				const struct hub_space *space, struct bytes name)
{
	struct hub_channel *c = *place_of(t, hash);

	while (c && (c->hash != hash || c->space != space ||
		     !bytes_equal(bytes_of(c->name, c->name_len), name)))
		c = c->next;
	return c;
}

struct hub_channel *hub_table_find(const struct hub_table *t,
				   const struct hub_space *space,
				   struct bytes name)
{
	return find(t, hash_of(t, space, name), space, name);
}

/* Twice as many buckets; without memory for them it only gets slower. */
static void grow(struct hub_table *t)
{
	struct hub_channel **old = t->bucket;
	size_t n_old = t->n_buckets;
	struct hub_channel **new = calloc(n_old * 2, sizeof(*new));

	if (!new)
		return;
	t->bucket = new;
	t->n_buckets = n_old * 2;
	for (size_t i = 0; i < n_old; i++) {
		struct hub_channel *c, *next;

		for (c = old[i]; c; c = next) {
			struct hub_channel **to = place_of(t, c->hash);

			next = c->next;
			c->next = *to;
			*to = c;
		}
	}
	free(old);
}

static struct hub_channel *add(struct hub_table *t, uint64_t hash,
			       struct hub_space *space, struct bytes name)
{
	size_t crowds = t->n_seats * sizeof(struct hub_crowd);
	struct hub_channel *c = calloc(1, sizeof(*c) + crowds + name.len);
	struct hub_channel **place;

	if (!c)
		return NULL;
	if (t->n >= t->n_buckets)
		grow(t);
	place = place_of(t, hash);
	c->next = *place;
	c->space = space;
	c->hash = hash;
	c->name = (char *)(c->crowd + t->n_seats);
	c->name_len = name.len;
	if (name.len)
		memcpy(c->crowd + t->n_seats, name.data, name.len);
	for (unsigned i = 0; i < t->n_seats; i++)
		ses_list_init(&c->crowd[i].members);
	*place = c;
	t->n++;
	space->n_channels++;
	return c;
}

/* Forget @channel when nobody has a use for it. */
static void end_use(struct hub_table *t, struct hub_channel *channel)
{
	struct hub_channel **place = place_of(t, channel->hash);

	if (--channel->n_uses > 0)
		return;
	while (*place != channel)
		place = &(*place)->next;
	*place = channel->next;
	channel->space->n_channels--;
	t->n--;
	free(channel);
}

/* ---- Members ---- */

enum hub_verdict hub_table_join(struct hub_table *t, struct hub_space *space,
				struct bytes name, struct hub_bounds bounds,
				unsigned seat, struct hub_member *member)
{
	uint64_t hash = hash_of(t, space, name);
	struct hub_channel *c = find(t, hash, space, name);

	if (c && c->n_members >= bounds.members)
		return HUB_MEMBERS_FULL;
	if (!c && space->n_channels >= bounds.channels)
		return HUB_CHANNELS_FULL;
	if (!c)
		c = add(t, hash, space, name);
	if (!c)
		return HUB_NO_MEMORY;
	member->channel = c;
	member->seat = seat;
	member->id = ++t->last_member;
	member->since = c->last_id;
	c->n_members++;
	c->n_uses++;
	c->crowd[seat].n++;
	ses_list_init(&member->link);
	ses_list_init(&member->held);
	member->is_held = false;
	ses_list_append(&c->crowd[seat].members, &member->link);
	return HUB_OK;
}

void hub_table_leave(struct hub_table *t, struct hub_member *member)
{
	struct hub_channel *c = member->channel;

	if (!c)
		return;
	member->channel = NULL;
	ses_list_remove(&member->link);
	c->crowd[member->seat].n--;
	c->n_members--;
	end_use(t, c);
}

/* ---- Messages ---- */

uint64_t hub_table_number(struct hub_channel *channel)
{
	channel->n_uses++;
	return ++channel->last_id;
}

void hub_table_done(struct hub_table *t, struct hub_channel *channel)
{
	end_use(t, channel);
}

bool hub_gets(const struct hub_member *member, uint64_t id, uint64_t sender)
{
	return id > member->since && (member->echo || member->id != sender);
}
