/* SPDX-License-Identifier: MIT */
/* Publishing: what comes in is checked, numbered, held and handed out. */
#include <stdlib.h>

#include "hub/hub_inner.h"
#include "net/clock.h"

void hub_drop_message(struct hub_message *m)
{
	if (hub_message_unref(m))
		hub_message_free(m);
}

/* ---- On the way ---- */

/* Who was held back is looked after once half of the room is free again. */
void hub_tell_waiting(struct hub *hub)
{
	if (!atomic_load(&hub->n_waiting) ||
	    atomic_load(&hub->on_way) > HUB_HIGH_BYTES / 2)
		return;
	for (unsigned i = 0; i < hub->n_seats; i++) {
		pthread_mutex_lock(&hub->seat[i].lock);
		hub_wake(&hub->seat[i]);
		pthread_mutex_unlock(&hub->seat[i].lock);
	}
}

void hub_hand_out(struct hub *hub, struct hub_channel *channel,
		  struct hub_message *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < hub->n_seats; i++)
		n += channel->crowd[i].n > 0;
	if (!n)
		return;
	m->channel = channel;
	m->era = channel->era;
	m->on_way = true;
	hub_channel_use(channel);
	hub_message_ref(m);
	atomic_store(&m->n_bringing, n);
	atomic_fetch_add(&hub->on_way, hub_message_weight(m));
	for (unsigned i = 0; i < hub->n_seats; i++) {
		struct hub_seat *seat = &hub->seat[i];
		struct hub_delivery *d = &m->delivery[i];

		if (!channel->crowd[i].n)
			continue;
		*d = (struct hub_delivery){NULL, m};
		pthread_mutex_lock(&seat->lock);
		*seat->end = d;
		seat->end = &d->next;
		hub_wake(seat);
		pthread_mutex_unlock(&seat->lock);
	}
}

void hub_was_brought(struct hub *hub, struct hub_message *m)
{
	size_t weight = hub_message_weight(m);

	if (atomic_fetch_sub(&m->n_bringing, 1) > 1)
		return;
	pthread_mutex_lock(&hub->lock);
	m->on_way = false;
	hub_table_done(&hub->table, m->channel, ses_clock_wall_ms());
	pthread_mutex_unlock(&hub->lock);
	hub_drop_message(m);
	atomic_fetch_sub(&hub->on_way, weight);
	hub_tell_waiting(hub);
}

/* ---- For a backplane ---- */

void hub_bring_message(struct hub *hub, struct hub_channel *c,
		       struct hub_message *m)
{
	hub_hand_out(hub, c, m);
	hub_table_hold(&hub->table, c, m, m->time_ms);
}

enum hub_verdict hub_check_post(struct hub *hub, const struct hub_post *post)
{
	struct hub_channel *c = post->channel;
	enum hub_verdict verdict =
		hub_table_fits(&hub->table, c, post->message, post->n);

	return verdict == HUB_OK ? hub_check_rate(post) : verdict;
}

enum hub_verdict hub_check_rate(const struct hub_post *post)
{
	struct hub_channel *c = post->channel;

	if (!hub_bucket_take(&c->bucket, c->space->rules.rate, post->n,
			     post->now_ms, &post->receipt->wait_ms))
		return HUB_TOO_OFTEN;
	return HUB_OK;
}

/* ---- Publishing ---- */

static bool has_room(struct hub *hub, size_t len)
{
	return len <= HUB_FULL_BYTES &&
	       atomic_load(&hub->on_way) <= HUB_FULL_BYTES - len;
}

/*
 * After a reload a route may be of another kind than a channel that was there
 * before and goes on as it is.
 */
static bool suits(const struct hub_channel *c, const struct hub_post *post)
{
	for (size_t i = 0; i < post->n; i++) {
		struct hub_message *m = post->message[i];

		if (c->states && !m->key_len)
			return false;
		if (!c->states)
			m->key_len = m->gone = 0;
	}
	return true;
}

/* Under the hub's lock. */
static enum hub_verdict publish(struct hub_seat *seat, struct hub_post *post)
{
	struct hub *hub = seat->hub;
	struct hub_channel *c = post->channel;
	struct hub_receipt *receipt = post->receipt;
	enum hub_verdict verdict;

	if (!(c->ready || hub->backplane->ops->shared) || !suits(c, post))
		return HUB_UNAVAILABLE;
	post->now_ms = seat->loop->now_ms;
	post->time_ms = ses_clock_wall_ms();
	receipt->epoch = c->epoch;
	receipt->members = c->n_members;
	if (post->ticket)
		*post->ticket = (struct hub_ticket){
			.seat = seat,
			.done = post->ticket->done,
			.receipt = *receipt,
		};
	verdict = hub->backplane->ops->publish(hub->backplane, post);
	receipt->hold_back = atomic_load(&hub->on_way) > HUB_HIGH_BYTES;
	return verdict;
}

bool hub_answers_later(const struct hub_seat *seat)
{
	return seat->hub->backplane->ops->shared;
}

enum hub_verdict hub_publish(struct hub_seat *seat, struct hub_member *sender,
			     const struct hub_content *content,
			     struct hub_ticket *ticket,
			     struct hub_receipt *ret_receipt)
{
	struct hub *hub = seat->hub;
	struct hub_message *m;
	struct hub_post post = {
		.channel = sender->channel,
		.message = &m,
		.n = 1,
		.ticket = ticket,
		.receipt = ret_receipt,
	};
	enum hub_verdict verdict;

	*ret_receipt = (struct hub_receipt){.seq = 0};
	if (!has_room(hub, content->payload.len))
		return HUB_BUSY;
	m = hub_message_new(content, hub->n_seats);
	if (!m)
		return HUB_NO_MEMORY;
	pthread_mutex_lock(&hub->lock);
	verdict = publish(seat, &post);
	pthread_mutex_unlock(&hub->lock);
	hub_drop_message(m);
	hub_start_chores(seat, HUB_SWEEP_MS);
	return verdict;
}

/* Nobody is there, and nothing is kept: it need not come to be. */
static bool is_for_nobody(const struct hub_space *space,
			  const struct hub_channel *c, struct bytes key)
{
	return !c && !space->rules.history && !space->rules.states && !key.data;
}

static enum hub_verdict publish_to(struct hub_seat *seat,
				   struct hub_space *space, struct bytes name,
				   struct hub_post *post)
{
	struct hub *hub = seat->hub;
	struct hub_channel *c = hub_table_find(&hub->table, space, name);
	enum hub_verdict verdict;

	if (!hub->backplane->ops->shared &&
	    is_for_nobody(space, c, post->key)) {
		post->receipt->n = post->n;
		return HUB_OK;
	}
	verdict = hub_use(hub, space, name, &post->channel);
	if (verdict != HUB_OK)
		return verdict;
	verdict = publish(seat, post);
	hub_table_done(&hub->table, post->channel, ses_clock_wall_ms());
	return verdict;
}

static uint64_t hash_of(struct hub *hub, const struct hub_content *content,
			size_t n)
{
	uint64_t hash = n;

	for (size_t i = 0; i < n; i++)
		hash = hub_table_hash(&hub->table, bytes_of(&hash, sizeof(hash)),
				      content[i].payload);
	return hash;
}

enum hub_verdict hub_publish_to(struct hub_seat *seat, struct hub_space *space,
				struct bytes name,
				const struct hub_content *content, size_t n,
				struct bytes key, struct hub_ticket *ticket,
				struct hub_receipt *ret_receipt)
{
	struct hub *hub = seat->hub;
	struct hub_message **m = calloc(n, sizeof(struct hub_message *));
	struct hub_post post = {
		.message = m,
		.n = n,
		.key = key,
		.ticket = ticket,
		.receipt = ret_receipt,
	};
	enum hub_verdict verdict = m ? HUB_OK : HUB_NO_MEMORY;
	size_t bytes = 0;

	*ret_receipt = (struct hub_receipt){.seq = 0};
	if (key.data) {
		post.hash[0] = hub_table_hash(&hub->table, key, BYTES("key"));
		post.hash[1] = hash_of(hub, content, n);
	}
	for (size_t i = 0; verdict == HUB_OK && i < n; i++) {
		bytes += content[i].payload.len;
		m[i] = hub_message_new(&content[i], hub->n_seats);
		if (!m[i])
			verdict = HUB_NO_MEMORY;
	}
	if (verdict == HUB_OK && !has_room(hub, bytes))
		verdict = HUB_BUSY;
	if (verdict == HUB_OK) {
		pthread_mutex_lock(&hub->lock);
		verdict = publish_to(seat, space, name, &post);
		pthread_mutex_unlock(&hub->lock);
	}
	for (size_t i = 0; m && i < n && m[i]; i++)
		hub_drop_message(m[i]);
	free(m);
	hub_start_chores(seat, HUB_SWEEP_MS);
	return verdict;
}
