/* SPDX-License-Identifier: MIT */
/* The seats, and who comes and goes. A seat's loop is woken once for all that
 * lies in its inbox. */
#include <stdio.h>
#include <stdlib.h>

#include "hub/hub_inner.h"
#include "net/addr.h"
#include "net/clock.h"

void hub_lock(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
}

void hub_unlock(struct hub *hub)
{
	pthread_mutex_unlock(&hub->lock);
}

/* ---- A seat looks into its inbox ---- */

static void look(void *arg);

void hub_wake(struct hub_seat *seat)
{
	if (!seat->woken)
		ses_loop_post_own(seat->loop, &seat->knock, look, seat);
	seat->woken = true;
}

struct inbox {
	struct hub_delivery *first;
	struct hub_ticket *tickets;
};

static struct inbox empty_inbox(struct hub_seat *seat)
{
	struct inbox in;

	pthread_mutex_lock(&seat->lock);
	in = (struct inbox){seat->first, seat->tickets};
	seat->first = NULL;
	seat->end = &seat->first;
	seat->tickets = NULL;
	seat->last_ticket = &seat->tickets;
	seat->woken = false;
	pthread_mutex_unlock(&seat->lock);
	return in;
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

static void tell_tickets(struct inbox *in)
{
	while (in->tickets) {
		struct hub_ticket *t = in->tickets;

		in->tickets = t->next;
		t->done(t);
	}
}

static struct hub_delivery *bring_some(struct hub_seat *seat,
				       struct hub_delivery *d)
{
	struct hub_run run;

	d = hub_run_take(&run, d);
	hub_serve(seat, &run);
	hub_run_fini(&run);
	for (size_t i = 0; i < run.n; i++)
		hub_was_brought(seat->hub, run.message[i]);
	return d;
}

static void look(void *arg)
{
	struct hub_seat *seat = arg;
	struct inbox in = empty_inbox(seat);
	struct hub_delivery *d = in.first;

	while (d)
		d = bring_some(seat, d);
	tell_tickets(&in);
	hub_serve_turns(seat);
	let_go_on(seat);
	if (atomic_exchange(&seat->hub->stirred, false))
		hub_start_chores(seat, HUB_NEWS_MS);
	else if (in.first && seat->hub->backplane->ops->shared)
		hub_start_chores(seat, HUB_SWEEP_MS);
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
	hub_tell_waiting(seat->hub);
}

void hub_answer(struct hub_ticket *ticket, enum hub_verdict verdict,
		const struct hub_receipt *receipt)
{
	struct hub_seat *seat = ticket->seat;

	ticket->next = NULL;
	ticket->verdict = verdict;
	ticket->receipt = *receipt;
	pthread_mutex_lock(&seat->lock);
	*seat->last_ticket = ticket;
	seat->last_ticket = &ticket->next;
	hub_wake(seat);
	pthread_mutex_unlock(&seat->lock);
}

/* ---- Channels ---- */

/* False: no memory. Without it the channel would never become ready. */
static bool open_channel(struct hub *hub, struct hub_channel *c)
{
	c->unheard = false;
	if (!c->opened)
		hub->backplane->ops->open(hub->backplane, c);
	c->opened = !c->unheard;
	return c->opened;
}

static void on_ending(void *user, struct hub_channel *c)
{
	struct hub *hub = user;

	if (c->opened)
		hub->backplane->ops->close(hub->backplane, c);
}

enum hub_verdict hub_use(struct hub *hub, struct hub_space *space,
			 struct bytes name, struct hub_channel **ret)
{
	enum hub_verdict verdict = hub_table_use(&hub->table, space, name, ret);

	if (verdict != HUB_OK || open_channel(hub, *ret))
		return verdict;
	hub_table_done(&hub->table, *ret, ses_clock_wall_ms());
	return HUB_NO_MEMORY;
}

struct hub_channel *hub_channel_of(struct hub *hub, const char *space,
				   struct bytes name)
{
	struct hub_space *s = hub->table.spaces;

	while (s && strcmp(s->name, space) != 0)
		s = s->next;
	return s ? hub_table_find(&hub->table, s, name) : NULL;
}

struct hub_epoch hub_new_epoch(struct hub *hub)
{
	return hub_table_epoch(&hub->table);
}

/* ---- Readers who wait for a channel ---- */

enum hub_verdict hub_reach(struct hub_seat *seat, struct hub_space *space,
			   struct bytes name, struct hub_ticket *ticket)
{
	struct hub *hub = seat->hub;
	enum hub_verdict verdict = HUB_OK;
	struct hub_channel *c;

	*ticket = (struct hub_ticket){.seat = seat, .done = ticket->done};
	if (!hub->backplane->ops->shared)
		return HUB_OK;
	pthread_mutex_lock(&hub->lock);
	verdict = hub_use(hub, space, name, &c);
	if (verdict == HUB_OK) {
		ticket->reached = c;
		if (!c->ready) {
			ticket->next = c->waiting;
			c->waiting = ticket;
			verdict = HUB_LATER;
		}
	}
	pthread_mutex_unlock(&hub->lock);
	return verdict;
}

void hub_release(struct hub_ticket *ticket)
{
	struct hub_channel *c = ticket->reached;
	struct hub *hub;

	if (!c)
		return;
	hub = ticket->seat->hub;
	pthread_mutex_lock(&hub->lock);
	hub_table_done(&hub->table, c, ses_clock_wall_ms());
	pthread_mutex_unlock(&hub->lock);
	ticket->reached = NULL;
	if (!hub->stopped) /* its loop is there */
		hub_start_chores(ticket->seat, HUB_SWEEP_MS);
}

/* ---- Coming and going ---- */

static enum hub_verdict enter(struct hub *hub, struct hub_member *member,
			      char you[HUB_WHO_SIZE])
{
	struct hub_channel *c = member->channel;
	struct bytes who;

	if (!you[0])
		snprintf(you, HUB_WHO_SIZE, "anonymous-%.6s%s%llu",
			 hub->backplane->node,
			 hub->backplane->node[0] ? "-" : "",
			 (unsigned long long)member->id);
	member->person = NULL;
	if (!c->roster)
		return HUB_OK;
	who = bytes_of_str(you);
	member->person = hub_roster_enter(c->roster, who);
	if (!member->person)
		return HUB_NO_MEMORY;
	member->person->here++;
	hub->backplane->ops->enter(hub->backplane, c, who);
	hub_note_news(hub, c);
	return HUB_OK;
}

static void exit_list(struct hub *hub, struct hub_member *member)
{
	struct hub_channel *c = member->channel;

	if (!member->person)
		return;
	if (!--member->person->here)
		member->person->listed = 0;
	hub->backplane->ops->leave(hub->backplane, c,
				   member->person->entry.name);
	hub_roster_leave(c->roster, member->person);
	member->person = NULL;
	hub_note_news(hub, c);
}

/* Others are told of the first that comes and the last that leaves. */
static void tell_inhabited(struct hub *hub, struct hub_channel *c, size_t n)
{
	const struct hub_backplane_ops *ops = hub->backplane->ops;

	if (ops->inhabit && c->opened && c->n_members == n)
		ops->inhabit(hub->backplane, c);
}

/* It may be over with its last member. */
static void leave_channel(struct hub *hub, struct hub_member *member)
{
	struct hub_channel *c = member->channel;

	hub_channel_use(c);
	hub_table_leave(&hub->table, member, ses_clock_wall_ms());
	tell_inhabited(hub, c, 0);
	hub_table_done(&hub->table, c, ses_clock_wall_ms());
}

enum hub_verdict hub_join(struct hub_seat *seat, struct hub_space *space,
			  struct bytes name, char you[HUB_WHO_SIZE],
			  struct hub_member *member)
{
	struct hub *hub = seat->hub;
	enum hub_verdict verdict;
	bool news = false;

	pthread_mutex_lock(&hub->lock);
	verdict = hub_table_join(&hub->table, space, name, seat->number, member);
	if (verdict == HUB_OK) {
		member->person = NULL;
		if (!open_channel(hub, member->channel))
			verdict = HUB_NO_MEMORY;
		tell_inhabited(hub, member->channel, 1);
		hub_member_begin_afresh(member);
		if (verdict == HUB_OK)
			verdict = enter(hub, member, you);
		news = member->person != NULL;
		if (verdict != HUB_OK)
			leave_channel(hub, member);
	}
	pthread_mutex_unlock(&hub->lock);
	if (news)
		hub_start_chores(seat, HUB_NEWS_MS);
	return verdict;
}

void hub_leave(struct hub_seat *seat, struct hub_member *member)
{
	struct hub *hub = seat->hub;

	if (!member->channel)
		return;
	ses_list_remove(&member->turn);
	ses_list_remove(&member->held);
	if (member->is_held && ses_list_empty(&seat->held))
		atomic_fetch_sub(&hub->n_waiting, 1);
	member->is_held = false;
	pthread_mutex_lock(&hub->lock);
	exit_list(hub, member);
	leave_channel(hub, member);
	pthread_mutex_unlock(&hub->lock);
	hub_start_chores(seat, HUB_NEWS_MS);
}

struct hub_space *hub_find_space(struct hub *hub, const char *name,
				 const struct hub_rules *rules)
{
	struct hub_space *space;

	pthread_mutex_lock(&hub->lock);
	space = hub_table_space(&hub->table, name);
	if (space)
		space->rules = *rules;
	pthread_mutex_unlock(&hub->lock);
	return space;
}

/* ---- The whole ---- */

static void open_seats(struct hub *hub)
{
	for (unsigned i = 0; i < hub->n_seats; i++) {
		struct hub_seat *seat = &hub->seat[i];

		seat->hub = hub;
		seat->number = i;
		seat->end = &seat->first;
		seat->last_ticket = &seat->tickets;
		ses_list_init(&seat->held);
		ses_list_init(&seat->turns);
		pthread_mutex_init(&seat->lock, NULL);
	}
}

struct hub *hub_new(unsigned n_seats, const struct hub_events *events,
		    struct hub_backplane *backplane)
{
	struct hub *hub =
		calloc(1, sizeof(*hub) + n_seats * sizeof(hub->seat[0]));
	uint8_t seed[SES_HASH_SEED];

	ses_random(seed, sizeof(seed));
	if (!hub || !backplane || !hub_table_init(&hub->table, n_seats, seed)) {
		if (backplane)
			backplane->ops->free(backplane);
		free(hub);
		return NULL;
	}
	hub->events = events;
	hub->backplane = backplane;
	backplane->hub = hub;
	hub->table.ending = on_ending;
	hub->table.user = hub;
	hub->n_seats = n_seats;
	ses_list_init(&hub->news);
	pthread_mutex_init(&hub->lock, NULL);
	open_seats(hub);
	hub->table.linger_ms = backplane->ops->linger_ms;
	if (!backplane->ops->start || backplane->ops->start(backplane))
		return hub;
	hub_free(hub);
	return NULL;
}

struct hub_seat *hub_take_seat(struct hub *hub, unsigned i,
			       struct sesame_loop *loop)
{
	hub->seat[i].loop = loop;
	return &hub->seat[i];
}

static void close_seat(struct hub_seat *seat)
{
	struct inbox in = empty_inbox(seat);
	struct hub_delivery *d = in.first, *next;

	for (; d; d = next) {
		next = d->next;
		/* No loop is there any more to be woken. */
		seat->woken = true;
		hub_was_brought(seat->hub, d->message);
	}
	tell_tickets(&in);
	ses_buf_fini(&seat->scratch);
	pthread_mutex_destroy(&seat->lock);
}

void hub_stop(struct hub *hub)
{
	if (!hub || hub->stopped)
		return;
	hub->stopped = true;
	if (hub->backplane->ops->stop)
		hub->backplane->ops->stop(hub->backplane);
	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; i < hub->table.n_buckets; i++)
		for (struct hub_channel *c = hub->table.bucket[i]; c;
		     c = c->next)
			hub_give_up(c);
	pthread_mutex_unlock(&hub->lock);
}

void hub_free(struct hub *hub)
{
	if (!hub)
		return;
	hub_stop(hub);
	for (unsigned i = 0; i < hub->n_seats; i++)
		close_seat(&hub->seat[i]);
	hub_table_fini(&hub->table);
	hub->backplane->ops->free(hub->backplane);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

void hub_count(struct hub *hub, struct hub_figures *f)
{
	*f = (struct hub_figures){
		.on_way_bytes = atomic_load(&hub->on_way),
		.gaps = atomic_load(&hub->n_gaps),
		.missed = atomic_load(&hub->n_missed),
		.conflated = atomic_load(&hub->n_conflated),
		.closed = atomic_load(&hub->n_closed),
	};
	pthread_mutex_lock(&hub->lock);
	f->channels = hub->table.n;
	f->idle = hub->table.n_idle;
	f->members = hub->table.n_members;
	f->evicted = hub->table.n_evicted;
	for (const struct hub_space *s = hub->table.spaces; s; s = s->next)
		f->kept_bytes += s->kept;
	pthread_mutex_unlock(&hub->lock);
}
