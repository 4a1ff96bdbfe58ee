/* SPDX-License-Identifier: MIT */
/*
 * The seats and what goes between them. Two locks, taken in this order: the
 * hub's, for the table of channels, and a seat's, for its inbox. A seat's loop
 * is woken once for all that lies in its inbox.
 */
#include "hub/hub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "net/addr.h"
#include "net/loop.h"
#include "wire/session.h"

struct message;

/* A message in one inbox. */
struct delivery {
	struct delivery *next;
	struct message *message;
};

struct message {
	struct hub_channel *channel;
	uint64_t id, sender;
	size_t payload_len;
	struct ses_buf frame;
	atomic_uint n_users;
	struct delivery delivery[]; /* one for each seat */
};

struct hub_seat {
	struct hub *hub;
	unsigned number;
	struct sesame_loop *loop;
	struct ses_list held; /* publishers who wait; the thread's own */
	pthread_mutex_t lock;
	/* under the lock: */
	struct delivery *first, **end;
	bool woken;	       /* its loop will look */
	struct ses_post knock; /* in its loop, while it is woken */
};

struct hub {
	const struct hub_events *events;
	pthread_mutex_t lock;
	struct hub_table table; /* under the lock, but for lists of members */
	atomic_size_t on_way;	/* bytes of frames */
	atomic_uint n_waiting;	/* seats where somebody is held back */
	unsigned n_seats;
	struct hub_seat seat[];
};

static void look(void *arg);

/* Under the seat's lock. */
static void wake(struct hub_seat *seat)
{
	if (!seat->woken)
		ses_loop_post_own(seat->loop, &seat->knock, look, seat);
	seat->woken = true;
}

/* ---- Messages ---- */

static size_t weight_of(const struct message *m)
{
	return ses_buf_len(&m->frame) + sizeof(*m);
}

static struct message *make_message(struct hub *hub, enum sesame_kind kind,
				    struct bytes payload, uint64_t sender)
{
	struct message *m =
		calloc(1, sizeof(*m) + hub->n_seats * sizeof(m->delivery[0]));

	if (!m)
		return NULL;
	ses_buf_init(&m->frame, payload.len + SES_FRAME_HEAD_MAX);
	if (ses_session_frame(&m->frame, kind, payload) < 0) {
		free(m);
		return NULL;
	}
	m->sender = sender;
	m->payload_len = payload.len;
	atomic_init(&m->n_users, 1);
	return m;
}

/* Who was held back is looked after once half of the room is free again. */
static void tell_waiting(struct hub *hub)
{
	if (!atomic_load(&hub->n_waiting) ||
	    atomic_load(&hub->on_way) > HUB_HIGH_BYTES / 2)
		return;
	for (unsigned i = 0; i < hub->n_seats; i++) {
		pthread_mutex_lock(&hub->seat[i].lock);
		wake(&hub->seat[i]);
		pthread_mutex_unlock(&hub->seat[i].lock);
	}
}

static void unref_message(struct hub *hub, struct message *m)
{
	if (atomic_fetch_sub(&m->n_users, 1) > 1)
		return;
	if (m->channel) {
		pthread_mutex_lock(&hub->lock);
		hub_table_done(&hub->table, m->channel);
		pthread_mutex_unlock(&hub->lock);
		atomic_fetch_sub(&hub->on_way, weight_of(m));
		tell_waiting(hub);
	}
	ses_buf_fini(&m->frame);
	free(m);
}

/* ---- A seat looks into its inbox ---- */

static struct delivery *empty_inbox(struct hub_seat *seat)
{
	struct delivery *first;

	pthread_mutex_lock(&seat->lock);
	first = seat->first;
	seat->first = NULL;
	seat->end = &seat->first;
	seat->woken = false;
	pthread_mutex_unlock(&seat->lock);
	return first;
}

static void bring(struct hub_seat *seat, const struct message *m)
{
	struct ses_list *members = &m->channel->crowd[seat->number].members;
	struct ses_list *link, *next;

	for (link = members->next; link != members; link = next) {
		struct hub_member *member =
			ses_container_of(link, struct hub_member, link);

		next = link->next;
		if (hub_gets(member, m->id, m->sender))
			seat->hub->events->deliver(member,
						   ses_buf_bytes(&m->frame),
						   m->payload_len);
	}
}

/* They may be held back again at once. */
static void let_go_on(struct hub_seat *seat)
{
	struct ses_list now, *link;

	if (ses_list_empty(&seat->held) ||
	    atomic_load(&seat->hub->on_way) > HUB_HIGH_BYTES / 2)
		return;
	ses_list_init(&now);
	while ((link = ses_list_first(&seat->held))) {
		ses_list_remove(link);
		ses_list_append(&now, link);
		ses_container_of(link, struct hub_member, held)->is_held = false;
	}
	atomic_fetch_sub(&seat->hub->n_waiting, 1);
	while ((link = ses_list_first(&now))) {
		ses_list_remove(link);
		seat->hub->events->go_on(
			ses_container_of(link, struct hub_member, held));
	}
}

static void look(void *arg)
{
	struct hub_seat *seat = arg;
	struct delivery *d = empty_inbox(seat), *next;

	for (; d; d = next) {
		next = d->next;
		bring(seat, d->message);
		unref_message(seat->hub, d->message);
	}
	let_go_on(seat);
}

/* ---- Publishing ---- */

/* Under the hub's lock: this is the order. */
static void hand_out(struct hub *hub, struct hub_channel *channel,
		     struct message *m, struct hub_receipt *receipt)
{
	m->channel = channel;
	m->id = hub_table_number(channel);
	atomic_fetch_add(&hub->on_way, weight_of(m));
	for (unsigned i = 0; i < hub->n_seats; i++) {
		struct hub_seat *seat = &hub->seat[i];
		struct delivery *d = &m->delivery[i];

		if (!channel->crowd[i].n)
			continue;
		atomic_fetch_add(&m->n_users, 1);
		*d = (struct delivery){NULL, m};
		pthread_mutex_lock(&seat->lock);
		*seat->end = d;
		seat->end = &d->next;
		wake(seat);
		pthread_mutex_unlock(&seat->lock);
	}
	receipt->id = m->id;
	receipt->members = channel->n_members;
}

static bool has_room(struct hub *hub, size_t len)
{
	return len <= HUB_FULL_BYTES &&
	       atomic_load(&hub->on_way) <= HUB_FULL_BYTES - len;
}

enum hub_verdict hub_publish(struct hub_seat *seat, struct hub_member *sender,
			     enum sesame_kind kind, struct bytes payload,
			     struct hub_receipt *ret_receipt)
{
	struct hub *hub = seat->hub;
	struct message *m;

	if (!has_room(hub, payload.len))
		return HUB_BUSY;
	m = make_message(hub, kind, payload, sender->id);
	if (!m)
		return HUB_NO_MEMORY;
	pthread_mutex_lock(&hub->lock);
	hand_out(hub, sender->channel, m, ret_receipt);
	pthread_mutex_unlock(&hub->lock);
	unref_message(hub, m);
	ret_receipt->hold_back = atomic_load(&hub->on_way) > HUB_HIGH_BYTES;
	return HUB_OK;
}

enum hub_verdict hub_publish_to(struct hub_seat *seat, struct hub_space *space,
				struct bytes name, enum sesame_kind kind,
				struct bytes payload,
				struct hub_receipt *ret_receipt)
{
	struct hub *hub = seat->hub;
	struct hub_channel *channel;
	struct message *m;

	if (!has_room(hub, payload.len))
		return HUB_BUSY;
	m = make_message(hub, kind, payload, 0);
	if (!m)
		return HUB_NO_MEMORY;
	*ret_receipt = (struct hub_receipt){0};
	pthread_mutex_lock(&hub->lock);
	channel = hub_table_find(&hub->table, space, name);
	if (channel && channel->n_members)
		hand_out(hub, channel, m, ret_receipt);
	pthread_mutex_unlock(&hub->lock);
	unref_message(hub, m);
	return HUB_OK;
}

void hub_hold(struct hub_seat *seat, struct hub_member *member)
{
	if (member->is_held)
		return;
	if (ses_list_empty(&seat->held))
		atomic_fetch_add(&seat->hub->n_waiting, 1);
	member->is_held = true;
	ses_list_append(&seat->held, &member->held);
	/* The last message may have gone before anybody was seen waiting. */
	tell_waiting(seat->hub);
}

/* ---- Coming and going ---- */

enum hub_verdict hub_join(struct hub_seat *seat, struct hub_space *space,
			  struct bytes name, struct hub_bounds bounds,
			  struct hub_member *member)
{
	struct hub *hub = seat->hub;
	enum hub_verdict verdict;

	pthread_mutex_lock(&hub->lock);
	verdict = hub_table_join(&hub->table, space, name, bounds, seat->number,
				 member);
	pthread_mutex_unlock(&hub->lock);
	return verdict;
}

void hub_leave(struct hub_seat *seat, struct hub_member *member)
{
	if (!member->channel)
		return;
	ses_list_remove(&member->held);
	if (member->is_held && ses_list_empty(&seat->held))
		atomic_fetch_sub(&seat->hub->n_waiting, 1);
	member->is_held = false;
	pthread_mutex_lock(&seat->hub->lock);
	hub_table_leave(&seat->hub->table, member);
	pthread_mutex_unlock(&seat->hub->lock);
}

struct hub_space *hub_find_space(struct hub *hub, const char *name)
{
	struct hub_space *space;

	pthread_mutex_lock(&hub->lock);
	space = hub_table_space(&hub->table, name);
	pthread_mutex_unlock(&hub->lock);
	return space;
}

/* ---- The whole ---- */

struct hub *hub_new(unsigned n_seats, const struct hub_events *events)
{
	struct hub *hub =
		calloc(1, sizeof(*hub) + n_seats * sizeof(hub->seat[0]));
	uint8_t seed[SES_HASH_SEED];

	if (!hub)
		return NULL;
	ses_random(seed, sizeof(seed));
	if (!hub_table_init(&hub->table, n_seats, seed)) {
		free(hub);
		return NULL;
	}
	hub->events = events;
	hub->n_seats = n_seats;
	pthread_mutex_init(&hub->lock, NULL);
	for (unsigned i = 0; i < n_seats; i++) {
		struct hub_seat *seat = &hub->seat[i];

		seat->hub = hub;
		seat->number = i;
		seat->end = &seat->first;
		ses_list_init(&seat->held);
		pthread_mutex_init(&seat->lock, NULL);
	}
	return hub;
}

struct hub_seat *hub_take_seat(struct hub *hub, unsigned i,
			       struct sesame_loop *loop)
{
	hub->seat[i].loop = loop;
	return &hub->seat[i];
}

void hub_free(struct hub *hub)
{
	if (!hub)
		return;
	for (unsigned i = 0; i < hub->n_seats; i++) {
		struct delivery *d = empty_inbox(&hub->seat[i]), *next;

		for (; d; d = next) {
			next = d->next;
			/* No loop is there any more to be woken. */
			hub->seat[i].woken = true;
			unref_message(hub, d->message);
		}
		pthread_mutex_destroy(&hub->seat[i].lock);
	}
	hub_table_fini(&hub->table);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}
