/* SPDX-License-Identifier: MIT */
/* What a backplane brings: whole channels, and who is in them elsewhere. */
#include <stdlib.h>

#include "hub/hub_inner.h"

void hub_answer_waiting(struct hub_channel *c, enum hub_verdict verdict)
{
	struct hub_receipt none = {.seq = 0};
	struct hub_ticket *t;

	while ((t = c->waiting)) {
		c->waiting = t->next;
		hub_answer(t, verdict, &none);
	}
}

void hub_give_up(struct hub_channel *c)
{
	hub_answer_waiting(c, HUB_UNAVAILABLE);
}

void hub_refuse_channel(struct hub *hub, struct hub_channel *c)
{
	c->refused = true;
	hub_answer_waiting(c, HUB_CHANNELS_FULL);
	hub_have_looked(hub, c);
}

/* Nobody here has done anything: one of those who are to be told sees to it. */
static void stir(struct hub *hub, const struct hub_channel *c)
{
	unsigned i = 0;

	while (i < hub->n_seats && !c->crowd[i].n)
		i++;
	if (i == hub->n_seats || atomic_exchange(&hub->stirred, true))
		return;
	pthread_mutex_lock(&hub->seat[i].lock);
	hub_wake(&hub->seat[i]);
	pthread_mutex_unlock(&hub->seat[i].lock);
}

void hub_have_looked(struct hub *hub, struct hub_channel *c)
{
	struct hub_message *m;

	c->unlooked = false;
	if (!c->n_members)
		return;
	m = hub_message_news(bytes_of(NULL, 0), hub->n_seats);
	if (!m) {
		/* Some wait for nothing else: it is one of the chores. */
		c->unlooked = true;
		if (ses_list_empty(&c->news))
			ses_list_append(&hub->news, &c->news);
		stir(hub, c);
		return;
	}
	m->sort = HUB_LOOK;
	hub_hand_out(hub, c, m);
	hub_drop_message(m);
}

void hub_bring_epoch(struct hub *hub, struct hub_channel *c,
		     const struct hub_epoch *epoch, uint64_t last_id)
{
	hub_table_renew(&hub->table, c, epoch, last_id);
	hub_answer_waiting(c, HUB_OK);
	hub_have_looked(hub, c);
}

/* ---- A channel as a whole ---- */

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t era_of(const struct hub_channel *c,
		       const struct hub_epoch *epoch)
{
	const struct hub_ended *e;

	if (c->ready && hub_epoch_equal(&c->epoch, epoch))
		return c->era;
	e = hub_past_find(c->past, epoch);
	return e ? e->era : 0;
}

static void note_ended(struct hub_past *past, const struct hub_epoch *epoch,
		       uint64_t last, uint32_t era)
{
	if (past->n < HUB_ENDED_MAX && !hub_past_find(past, epoch))
		past->ended[past->n++] = (struct hub_ended){*epoch, last, era};
}

/* Up to which number @epoch and @s, whose past is @past, are the same. */
static uint64_t last_of(const struct hub_epoch *epoch,
			const struct hub_standing *s,
			const struct hub_past *past)
{
	const struct hub_ended *e = hub_past_find(past, epoch);

	if (hub_epoch_equal(epoch, &s->epoch))
		return s->last_id;
	return e ? e->last : 0;
}

/* The same of what is here: where @s knows nothing of its epoch both may have
 * gone on from one that both know. */
static uint64_t last_in_common(const struct hub_channel *c,
			       const struct hub_standing *s,
			       const struct hub_past *past)
{
	uint64_t last = last_of(&c->epoch, s, past);

	for (size_t i = 0; c->past && i < c->past->n; i++) {
		const struct hub_ended *own = &c->past->ended[i];
		uint64_t both = lesser(own->last, last_of(&own->epoch, s, past));

		last = both > last ? both : last;
	}
	return last;
}

/* What members were in, and the backplane has forgotten. */
static void note_own_past(struct hub_past *past, const struct hub_channel *c,
			  const struct hub_standing *s)
{
	uint64_t last = c->ready ? last_in_common(c, s, past) : 0;

	if (!last)
		return;
	if (!hub_epoch_equal(&c->epoch, &s->epoch))
		note_ended(past, &c->epoch, last, c->era);
	for (size_t i = 0; c->past && i < c->past->n; i++) {
		const struct hub_ended *own = &c->past->ended[i];

		if (!hub_epoch_equal(&own->epoch, &s->epoch))
			note_ended(past, &own->epoch, lesser(own->last, last),
				   own->era);
	}
}

/* Without memory for it who was there before gets more than it lacks. */
static void note_past(struct hub_channel *c, const struct hub_standing *s)
{
	struct hub_past *past = calloc(1, sizeof(*past));
	uint64_t last = UINT64_MAX;

	for (size_t i = 0; past && i < s->n_past && i < HUB_PAST_MAX; i++) {
		last = lesser(s->past[i].last, last);
		note_ended(past, &s->past[i].epoch, last,
			   era_of(c, &s->past[i].epoch));
	}
	if (past)
		note_own_past(past, c, s);
	if (past && !past->n) {
		free(past);
		past = NULL;
	}
	free(c->past);
	c->past = past;
}

/* Whether what is there goes on where what is here ends. */
static bool follows(const struct hub_channel *c, const struct hub_standing *s)
{
	if (!c->ready || s->whole || !hub_epoch_equal(&c->epoch, &s->epoch) ||
	    s->last_id < c->last_id)
		return false;
	if (c->states || s->last_id == c->last_id)
		return true;
	return s->n && s->message[0]->seq == c->last_id + 1;
}

static void go_on(struct hub *hub, struct hub_channel *c,
		  const struct hub_standing *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct hub_message *m = s->message[i];

		if (m->seq > c->last_id)
			hub_bring_message(hub, c, m);
	}
}

/* The next that is in order, or NULL: who wrote some need not be who wrote the
 * others, or the last number. */
static struct hub_message *next_of(const struct hub_standing *s, size_t *i,
				   uint64_t *last)
{
	while (*i < s->n) {
		struct hub_message *m = s->message[(*i)++];

		if (m->seq <= *last || m->seq > s->last_id)
			continue;
		*last = m->seq;
		return m;
	}
	return NULL;
}

/* The first of those that were told meanwhile, up to the last without a hole. */
static uint64_t first_told(const struct hub_standing *s)
{
	uint64_t first = s->last_id + 1;

	for (size_t i = s->n; s->told && i && first > s->told; i--, first--)
		if (s->message[i - 1]->seq + 1 != first)
			break;
	return first;
}

/* But for what was told meanwhile, which is brought once members have looked. */
static void hold_all(struct hub *hub, struct hub_channel *c,
		     const struct hub_standing *s)
{
	uint64_t first = first_told(s), last = 0;
	struct hub_message *m;
	size_t i = 0;

	hub_table_renew(&hub->table, c, &s->epoch, first - 1);
	while ((m = next_of(s, &i, &last)) && m->seq < first)
		hub_table_hold(&hub->table, c, m, m->time_ms);
	c->last_id = first - 1;
}

static void begin_anew(struct hub *hub, struct hub_channel *c,
		       struct hub_standing *s)
{
	if (s->state && c->state)
		hub_table_replace(&hub->table, c, &s->epoch, s->last_id,
				  &s->state);
	else
		hold_all(hub, c, s);
	if (c->state && c->state->floor < s->floor)
		c->state->floor = s->floor;
}

static void note_epoch(const struct hub_standing *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->message[i]->epoch = s->epoch;
}

/* False: no memory. */
static bool fill(struct hub_state *state, const struct hub_standing *s)
{
	struct hub_message *m, *old;
	uint64_t last = 0;
	size_t i = 0;

	while ((m = next_of(s, &i, &last))) {
		if (!hub_state_put(state, m, &old))
			return false;
		hub_message_ref(m);
		if (old)
			hub_drop_message(old);
	}
	return true;
}

void hub_prepare(struct hub *hub, struct hub_standing *s)
{
	s->state = malloc(sizeof(*s->state));
	if (!s->state)
		return;
	hub_state_init(s->state, hub->table.seed);
	if (fill(s->state, s))
		note_epoch(s);
	else
		hub_forget_prepared(s);
}

void hub_forget_prepared(struct hub_standing *s)
{
	if (s->state)
		hub_state_clear(s->state, hub_drop_message);
	free(s->state);
	s->state = NULL;
}

void hub_bring_standing(struct hub *hub, struct hub_channel *c,
			struct hub_standing *s)
{
	bool was_ready = c->ready, looks = s->look;

	if (!s->state)
		note_epoch(s);
	note_past(c, s);
	if (follows(c, s)) {
		go_on(hub, c, s);
	} else {
		begin_anew(hub, c, s);
		looks = true;
	}
	hub_answer_waiting(c, HUB_OK);
	if (looks || !was_ready)
		hub_have_looked(hub, c);
	go_on(hub, c, s);
}

/* ---- People ---- */

void hub_bring_person(struct hub *hub, struct hub_channel *c, struct bytes who,
		      bool comes)
{
	struct hub_person *person;

	if (!c->roster)
		return;
	if (comes) {
		hub_roster_enter(c->roster, who);
	} else {
		person = hub_roster_find(c->roster, who);
		if (person && person->n)
			hub_roster_leave(c->roster, person);
	}
	hub_note_news(hub, c);
	stir(hub, c);
}
