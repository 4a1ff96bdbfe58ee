/* SPDX-License-Identifier: MIT */
/*
 * What a channel holds, as the parts of an answer tell it: it is gathered, each
 * message looked at as if a stranger had sent it, and brought to the hub as a
 * whole.
 */
#include <stdlib.h>

#include "hub/redis_inner.h"

#define SPARE ((size_t)1024 * 1024) /* what is around payloads */

/* ---- Messages ---- */

struct hub_message *redis_message_of(struct redis *r,
				     const struct redis_entry *e)
{
	struct hub_content content = e->content;
	struct hub_message *m;

	/* Members are numbered by each node for itself. */
	if (!bytes_equal_str(e->node, r->node))
		content.sender = 0;
	m = hub_message_new(&content, r->base.hub->n_seats);
	if (!m)
		return NULL;
	m->epoch = e->epoch;
	m->seq = e->seq;
	m->time_ms = e->time_ms;
	return m;
}

static bool keep(struct redis_channel *c, struct hub_message *m)
{
	size_t room = c->room ? c->room * 2 : 64;
	struct hub_message **larger = c->got;

	if (c->n_got == c->room) {
		larger = realloc(c->got, room * sizeof(*larger));
		if (!larger)
			return false;
		c->got = larger;
		c->room = room;
	}
	c->got[c->n_got++] = m;
	c->got_bytes += hub_message_weight(m);
	return true;
}

/*
 * More than it may hold is not kept, whatever comes: the oldest go. States, all
 * of which matter, weigh some times what they are counted as at Redis; what is
 * more than that no gateway wrote.
 */
static void bound(struct redis_channel *c)
{
	uint64_t most = c->bounds.most_bytes * (c->states ? 8 : 2) + SPARE;
	size_t n = 0;

	while (n + 1 < c->n_got && c->got_bytes > most) {
		c->got_bytes -= hub_message_weight(c->got[n]);
		hub_drop_message(c->got[n++]);
	}
	if (!n)
		return; /* nothing may have come, then there is no array */
	memmove(c->got, c->got + n, (c->n_got - n) * sizeof(*c->got));
	c->n_got -= n;
}

static bool is_next(const struct redis_channel *c, const struct redis_entry *e,
		    uint64_t last)
{
	return e->seq <= last &&
	       (!c->n_got || e->seq > c->got[c->n_got - 1]->seq) &&
	       (!c->states || e->content.key.data);
}

/* False: no memory. */
static bool read_entries(struct redis_channel *c, const struct redis_holding *h)
{
	struct bytes rest = h->entries, text;
	struct hub_message *m;
	struct redis_entry e;

	while (redis_next(&rest, &text)) {
		if (!redis_entry_read(text, &e) || !is_next(c, &e, h->seq)) {
			redis_malformed(c->redis, "an entry", c->entry.name);
			continue;
		}
		redis_post_seen(c->redis, c->entry.name, &e);
		m = redis_message_of(c->redis, &e);
		if (!m)
			return false;
		if (!keep(c, m)) {
			hub_drop_message(m);
			return false;
		}
	}
	if (rest.len)
		redis_malformed(c->redis, "the end of entries", c->entry.name);
	bound(c);
	return true;
}

/* ---- The whole ---- */

/* False: no memory, or what it goes on from is no longer there. */
static bool note_standing(struct redis_channel *c, const struct redis_holding *h)
{
	struct hub_standing *s = c->standing;

	if (s && (!hub_epoch_equal(&s->epoch, &h->epoch) || h->from != c->looked))
		return false;
	if (!s) {
		s = c->standing = calloc(1, sizeof(*s));
		if (!s)
			return false;
		s->epoch = h->epoch;
		s->whole = !h->from;
		c->from = h->from;
		s->n_past = h->n_past;
		for (size_t i = 0; i < h->n_past; i++)
			s->past[i] = (struct hub_past_epoch){h->past[i].epoch,
							     h->past[i].last};
	}
	s->floor = h->floor;
	s->last_id = h->seq;
	return true;
}

/* ---- What was told before it could be brought ---- */

struct early {
	struct ses_list link;
	size_t len;
	char text[];
};

static struct early *first_early(struct redis_channel *c)
{
	struct ses_list *link = ses_list_first(&c->early);

	return link ? ses_container_of(link, struct early, link) : NULL;
}

static size_t size_of(size_t len)
{
	return sizeof(struct early) + len;
}

static void drop_early(struct redis_channel *c, struct early *e)
{
	c->redis->early_bytes -= size_of(e->len);
	ses_list_remove(&e->link);
	free(e);
}

void redis_early_forget(struct redis_channel *c)
{
	struct early *e;

	while ((e = first_early(c)))
		drop_early(c, e);
}

void redis_early_keep(struct redis_channel *c, struct bytes text)
{
	struct redis *r = c->redis;
	size_t size = size_of(text.len);
	struct early *e;

	while (r->early_bytes + size > REDIS_EARLY_BYTES && (e = first_early(c)))
		drop_early(c, e);
	e = r->early_bytes + size > REDIS_EARLY_BYTES ? NULL : malloc(size);
	if (!e) { /* what is left would not run up to the newest */
		redis_early_forget(c);
		return;
	}
	e->len = text.len;
	memcpy(e->text, text.data, text.len);
	ses_list_init(&e->link);
	ses_list_append(&c->early, &e->link);
	r->early_bytes += size;
}

/* What the answer holds, on the way into one order with what came early. */
struct held {
	struct hub_message **message;
	size_t n, at;
};

static void keep_or_drop(struct redis_channel *c, struct hub_message *m)
{
	if (m && !keep(c, m))
		hub_drop_message(m);
}

/* Whether the answer itself has it. */
static bool go_up_to(struct redis_channel *c, struct held *h, uint64_t seq)
{
	while (h->at < h->n && h->message[h->at]->seq < seq)
		keep_or_drop(c, h->message[h->at++]);
	return h->at < h->n && h->message[h->at]->seq == seq;
}

static void take_early(struct redis_channel *c, struct held *h,
		       struct bytes text)
{
	struct hub_standing *s = c->standing;
	struct redis_entry e;

	if (!redis_entry_read(text, &e) ||
	    !hub_epoch_equal(&e.epoch, &s->epoch) || e.seq <= c->from ||
	    go_up_to(c, h, e.seq) || !is_next(c, &e, s->last_id))
		return;
	redis_post_seen(c->redis, c->entry.name, &e);
	keep_or_drop(c, redis_message_of(c->redis, &e));
	if (!s->told)
		s->told = e.seq;
}

static void take_all_early(struct redis_channel *c)
{
	struct held h = {c->got, c->n_got, 0};
	struct early *e;

	if (ses_list_empty(&c->early))
		return;
	c->got = NULL;
	c->n_got = c->room = c->got_bytes = 0;
	while ((e = first_early(c))) {
		take_early(c, &h, bytes_of(e->text, e->len));
		drop_early(c, e);
	}
	go_up_to(c, &h, UINT64_MAX);
	free(h.message);
}

/* ---- All of it ---- */

bool redis_answer_take(struct redis_channel *c, const struct redis_holding *h)
{
	return note_standing(c, h) && read_entries(c, h);
}

void redis_answer_bring(struct redis_channel *c)
{
	struct hub *hub = c->redis->base.hub;
	struct hub_standing *s = c->standing;
	struct hub_channel *hc;

	take_all_early(c);
	s->message = c->got;
	s->n = c->n_got;
	s->look = c->look;
	c->look = false;
	if (s->whole && c->states)
		hub_prepare(hub, s);
	hub_lock(hub);
	hc = redis_hub_channel(c);
	if (hc)
		hub_bring_standing(hub, hc, s);
	hub_unlock(hub);
	hub_forget_prepared(s);
}

void redis_answer_forget(struct redis_channel *c)
{
	for (size_t i = 0; i < c->n_got; i++)
		hub_drop_message(c->got[i]);
	free(c->got);
	free(c->standing);
	c->got = NULL;
	c->standing = NULL;
	c->n_got = c->room = c->got_bytes = 0;
}
