/* SPDX-License-Identifier: MIT */
/*
 * A table of channels by keyed hash, since strangers choose the names. A
 * channel lives as long as somebody is in it, a message of it is on its way, or
 * it holds something that is not too old.
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
	ses_list_init(&space->idle);
	strcpy(space->name, name);
	t->spaces = space;
	return space;
}

static uint64_t hash_of(const struct hub_table *t,
			const struct hub_space *space, struct bytes name)
{
	return hub_table_hash(t, bytes_of_str(space->name), name);
}

uint64_t hub_table_hash(const struct hub_table *t, struct bytes a,
			struct bytes b)
{
	struct ses_hash h;

	ses_hash_init(&h, t->seed);
	ses_hash_bytes(&h, a);
	ses_hash_byte(&h, 0);
	ses_hash_bytes(&h, b);
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

struct hub_epoch hub_table_epoch(struct hub_table *t)
{
	uint64_t number = ++t->n_epochs;

	return hub_epoch_of(hub_table_hash(t, bytes_of(&number, sizeof(number)),
					   BYTES("epoch")));
}

/* What is only for some channels. */
static bool equip(struct hub_table *t, struct hub_channel *c)
{
	const struct hub_rules *rules = &c->space->rules;

	c->states = rules->states;
	if (c->states && !(c->state = malloc(sizeof(*c->state))))
		return false;
	if (c->state)
		hub_state_init(c->state, t->seed);
	if (rules->presence && !(c->roster = malloc(sizeof(*c->roster))))
		return false;
	if (c->roster)
		hub_roster_init(c->roster, t->seed);
	return true;
}

static struct hub_channel *make(struct hub_table *t, struct hub_space *space,
				struct bytes name)
{
	size_t crowds = t->n_seats * sizeof(struct hub_crowd);
	struct hub_channel *c = calloc(1, sizeof(*c) + crowds + name.len);

	if (!c)
		return NULL;
	c->space = space;
	c->name = (char *)(c->crowd + t->n_seats);
	c->name_len = name.len;
	if (name.len)
		memcpy(c->crowd + t->n_seats, name.data, name.len);
	for (unsigned i = 0; i < t->n_seats; i++)
		ses_list_init(&c->crowd[i].members);
	ses_list_init(&c->idle);
	ses_list_init(&c->news);
	if (equip(t, c))
		return c;
	free(c->state);
	free(c);
	return NULL;
}

static struct hub_channel *add(struct hub_table *t, uint64_t hash,
			       struct hub_space *space, struct bytes name)
{
	struct hub_channel *c = make(t, space, name);
	struct hub_channel **place;

	if (!c)
		return NULL;
	if (t->n >= t->n_buckets)
		grow(t);
	place = place_of(t, hash);
	c->next = *place;
	c->hash = hash;
	*place = c;
	t->n++;
	space->n_channels++;
	return c;
}

/* ---- What a channel holds ---- */

static void drop(struct hub_message *m)
{
	if (hub_message_unref(m))
		hub_message_free(m);
}

static size_t weight_of(const struct hub_channel *c)
{
	return c->ring.bytes + (c->state ? c->state->bytes : 0) +
	       hub_receipts_weight(&c->receipts);
}

/* What @c holds has changed since it weighed @before. */
static void weigh(struct hub_channel *c, size_t before)
{
	c->space->kept += weight_of(c) - before;
}

static void forget_all(struct hub_channel *c)
{
	size_t before = weight_of(c);
	struct hub_message *m;

	while ((m = hub_ring_pop(&c->ring)))
		drop(m);
	hub_ring_fini(&c->ring);
	if (c->state)
		hub_state_clear(c->state, drop);
	hub_receipts_fini(&c->receipts);
	weigh(c, before);
}

/* It is no longer among those that nobody is in. */
static void wake(struct hub_table *t, struct hub_channel *c)
{
	if (ses_list_empty(&c->idle))
		return;
	ses_list_remove(&c->idle);
	t->n_idle--;
}

/* Nobody is in it, and nothing of it is on its way. */
static void end(struct hub_table *t, struct hub_channel *c)
{
	struct hub_channel **place = place_of(t, c->hash);

	if (t->ending)
		t->ending(t->user, c);
	forget_all(c);
	while (*place != c)
		place = &(*place)->next;
	*place = c->next;
	wake(t, c);
	ses_list_remove(&c->news);
	c->space->n_channels--;
	t->n--;
	if (c->roster)
		hub_roster_fini(c->roster);
	free(c->roster);
	free(c->state);
	free(c->past);
	free(c);
}

/* The oldest that nobody is in, but for @spared. False: there is none. */
static bool evict(struct hub_table *t, struct hub_space *space,
		  const struct hub_channel *spared)
{
	struct ses_list *link = space->idle.next;

	if (spared && link == &spared->idle)
		link = link->next;
	if (link == &space->idle)
		return false;
	end(t, ses_container_of(link, struct hub_channel, idle));
	t->n_evicted++;
	return true;
}

void hub_table_renew(struct hub_table *t, struct hub_channel *c,
		     const struct hub_epoch *epoch, uint64_t last_id)
{
	forget_all(c);
	if (c->state)
		hub_state_init(c->state, t->seed);
	/* Numbers that went back are no longer those that members know. */
	if (!hub_epoch_equal(&c->epoch, epoch) || last_id < c->last_id)
		c->era++;
	c->epoch = *epoch;
	c->last_id = last_id;
	c->ready = true;
	c->refused = false;
}

void hub_table_replace(struct hub_table *t, struct hub_channel *c,
		       const struct hub_epoch *epoch, uint64_t last_id,
		       struct hub_state **state)
{
	struct hub_state *old = c->state;
	size_t before = weight_of(c);

	c->state = NULL;
	weigh(c, before);
	hub_table_renew(t, c, epoch, last_id);
	before = weight_of(c);
	c->state = *state;
	weigh(c, before);
	*state = old;
}

/* Whether the oldest message is more than is to be kept. */
static bool is_too_much(const struct hub_channel *c, int64_t now_ms)
{
	const struct hub_rules *rules = &c->space->rules;
	const struct hub_message *m = hub_ring_first(&c->ring);

	return c->ring.n > rules->history ||
	       c->ring.bytes > rules->history_bytes ||
	       m->time_ms + (int64_t)rules->history_ms <= now_ms;
}

/* For those who are behind, and those who may be any moment. */
static bool is_wanted(const struct hub_channel *c)
{
	const struct hub_rules *rules = &c->space->rules;

	return hub_ring_first(&c->ring)->on_way ||
	       (c->n_behind && c->ring.bytes <= rules->queue &&
		c->space->kept <= rules->kept);
}

void hub_table_trim(struct hub_table *t, struct hub_channel *c, int64_t now_ms)
{
	size_t before = weight_of(c);

	while (c->ring.n && is_too_much(c, now_ms) && !is_wanted(c))
		drop(hub_ring_pop(&c->ring));
	if (c->state)
		hub_state_age(c->state, now_ms - HUB_GONE_MS, drop);
	weigh(c, before);
	(void)t;
}

/*
 * Room for @more bytes in all: channels nobody is in go first, but for @c, in
 * which nobody need be either.
 */
static bool make_room(struct hub_table *t, struct hub_channel *c, size_t more)
{
	struct hub_space *space = c->space;

	while (space->kept + more > space->rules.kept && evict(t, space, c))
		;
	return space->kept + more <= space->rules.kept;
}

static bool fits_behind(struct hub_table *t, struct hub_channel *c,
			const struct hub_message *m, struct hub_growth *growth)
{
	const struct hub_rules *rules = &c->space->rules;
	size_t more = growth->bytes + hub_message_weight(m);
	size_t before = weight_of(c);
	bool fits = hub_state_fits(c->state, m, rules->keys,
				   rules->history_bytes, growth, drop);

	weigh(c, before);
	return fits && (m->gone || make_room(t, c, more));
}

static bool is_replaced(struct hub_message *const *m, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (bytes_equal(hub_message_key(m[0]), hub_message_key(m[i])))
			return true;
	return false;
}

enum hub_verdict hub_table_fits(struct hub_table *t, struct hub_channel *c,
				struct hub_message *const *m, size_t n)
{
	struct hub_growth growth = {0};

	for (size_t i = 0; c->state && i < n; i++)
		if (!is_replaced(m + i, n - i) &&
		    !fits_behind(t, c, m[i], &growth))
			return HUB_STATE_FULL;
	return HUB_OK;
}

static void hold_value(struct hub_channel *c, struct hub_message *m)
{
	struct hub_message *old;

	hub_message_ref(m);
	if (!hub_state_put(c->state, m, &old))
		old = m;
	if (old)
		drop(old);
}

static void hold_message(struct hub_channel *c, struct hub_message *m)
{
	struct hub_message *old;

	/* No hole may be in it. */
	while (c->ring.n && hub_ring_last(&c->ring)->seq + 1 != m->seq)
		drop(hub_ring_pop(&c->ring));
	hub_message_ref(m);
	if (hub_ring_push(&c->ring, m))
		return;
	drop(m);
	while ((old = hub_ring_pop(&c->ring)))
		drop(old);
}

/* Its own oldest go when there is no room in all. */
static void give_way(struct hub_channel *c, size_t more)
{
	const struct hub_space *space = c->space;
	size_t before = weight_of(c);

	while (c->ring.n && !hub_ring_first(&c->ring)->on_way &&
	       space->kept + weight_of(c) - before + more > space->rules.kept)
		drop(hub_ring_pop(&c->ring));
	weigh(c, before);
}

void hub_table_hold(struct hub_table *t, struct hub_channel *c,
		    struct hub_message *m, int64_t now_ms)
{
	size_t before;

	if (!c->state && !make_room(t, c, hub_message_weight(m)))
		give_way(c, hub_message_weight(m));
	before = weight_of(c);
	c->last_id = m->seq;
	if (c->state)
		hold_value(c, m);
	else
		hold_message(c, m);
	weigh(c, before);
	hub_table_trim(t, c, now_ms);
}

uint64_t hub_channel_oldest(const struct hub_channel *c)
{
	const struct hub_message *m = hub_ring_first(&c->ring);

	return m ? m->seq : c->last_id + 1;
}

bool hub_table_note(struct hub_table *t, struct hub_channel *c,
		    const struct hub_noted *noted)
{
	size_t before = weight_of(c);
	bool done = hub_receipts_add(&c->receipts, noted);

	weigh(c, before);
	(void)t;
	return done;
}

/* Whether it is worth keeping when nobody is in it. */
static bool holds_something(const struct hub_table *t,
			    const struct hub_channel *c, int64_t now_ms)
{
	const struct hub_message *m =
		c->state ? hub_state_newest(c->state) : NULL;
	int64_t age = (int64_t)c->space->rules.history_ms;

	if (t->linger_ms)
		return !c->refused && c->idle_ms + t->linger_ms > now_ms;
	return c->ring.n || (m && m->time_ms + age > now_ms) ||
	       hub_receipts_matter(&c->receipts, now_ms);
}

void hub_table_done(struct hub_table *t, struct hub_channel *c, int64_t now_ms)
{
	/* What was on its way could not be let go of when it was held. */
	if (!c->state && !make_room(t, c, 0))
		give_way(c, 0);
	hub_table_trim(t, c, now_ms);
	if (--c->n_uses > 0)
		return;
	c->idle_ms = now_ms;
	if (!holds_something(t, c, now_ms)) {
		end(t, c);
		return;
	}
	ses_list_append(&c->space->idle, &c->idle);
	t->n_idle++;
}

bool hub_table_sweep(struct hub_table *t, size_t n, int64_t now_ms)
{
	bool something = false;

	for (size_t i = 0; i < n && i < t->n_buckets; i++) {
		struct hub_channel *c, *next;

		t->swept = (t->swept + 1) & (t->n_buckets - 1);
		for (c = t->bucket[t->swept]; c; c = next) {
			next = c->next;
			hub_table_trim(t, c, now_ms);
			if (!c->n_uses && !holds_something(t, c, now_ms))
				end(t, c);
		}
	}
	for (struct hub_space *s = t->spaces; s; s = s->next)
		something = something || s->kept || !ses_list_empty(&s->idle);
	return something;
}

void hub_table_fini(struct hub_table *t)
{
	struct hub_space *space;

	while ((space = t->spaces)) {
		while (evict(t, space, NULL))
			;
		t->spaces = space->next;
		free(space);
	}
	assert(t->n == 0);
	free(t->bucket);
	t->bucket = NULL;
}

/* ---- Members ---- */

enum hub_verdict hub_table_use(struct hub_table *t, struct hub_space *space,
			       struct bytes name, struct hub_channel **ret)
{
	uint64_t hash = hash_of(t, space, name);
	struct hub_channel *c = find(t, hash, space, name);

	if (!c && space->n_channels >= space->rules.channels &&
	    !evict(t, space, NULL))
		return HUB_CHANNELS_FULL;
	if (!c)
		c = add(t, hash, space, name);
	if (!c)
		return HUB_NO_MEMORY;
	wake(t, c);
	c->n_uses++;
	*ret = c;
	return HUB_OK;
}

enum hub_verdict hub_table_join(struct hub_table *t, struct hub_space *space,
				struct bytes name, unsigned seat,
				struct hub_member *member)
{
	struct hub_channel *c = hub_table_find(t, space, name);
	enum hub_verdict verdict;

	if (c && c->n_members >= space->rules.members)
		return HUB_MEMBERS_FULL;
	verdict = hub_table_use(t, space, name, &c);
	if (verdict != HUB_OK)
		return verdict;
	member->channel = c;
	member->seat = (uint16_t)seat;
	member->id = ++t->last_member;
	c->n_members++;
	t->n_members++;
	c->crowd[seat].n++;
	ses_list_init(&member->link);
	ses_list_init(&member->held);
	ses_list_init(&member->turn);
	member->is_held = member->behind = member->begun = false;
	member->dismissed = member->lost = member->unseen = false;
	member->asked = 0;
	hub_member_begin_afresh(member);
	ses_list_append(&c->crowd[seat].members, &member->link);
	return HUB_OK;
}

void hub_table_leave(struct hub_table *t, struct hub_member *member,
		     int64_t now_ms)
{
	struct hub_channel *c = member->channel;

	if (!c)
		return;
	hub_member_catch_up(member);
	member->channel = NULL;
	ses_list_remove(&member->link);
	c->crowd[member->seat].n--;
	c->n_members--;
	t->n_members--;
	hub_table_done(t, c, now_ms);
}
