/* SPDX-License-Identifier: MIT */
/*
 * The channels that are open here. Each is asked for once what it is told
 * arrives here: the answer comes on the same way as what it is told, so that all
 * before it is in it, and nothing behind it. From then on each message has the
 * number that follows; where one is left out, the channel is asked for again.
 */
#include <stdlib.h>

#include "hub/redis_inner.h"

/* What is open does not expire at Redis. */
#define LOOK_MS	       (20 * 60 * 1000)
#define SILENT_LOOK_MS (4 * 60 * 1000) /* where nothing was ever said */
/* How long Redis does not give up a channel that somebody is in, or was. */
#define VOUCH_MS	30000
#define VOUCH_AGAIN_MS	10000
#define VOUCH_NO_MORE_MS 2000 /* for the others to say who is in it */
#define VOUCHED_AT_ONCE 256
#define LOOKED_AT_ONCE	1024 /* channels, whether they are gone */
/* Redis cuts off whom it has to tell some times as much: 32 MiB, by default. */
#define AWAITED_BYTES ((size_t)8 * 1024 * 1024)
#define PROMPT_MS     1000 /* an answer that comes within that is no burden */
#define CALM_MS	      60000

static struct redis_channel *of_due(struct ses_list *link)
{
	return ses_container_of(link, struct redis_channel, due);
}

static struct redis_channel *of_all(struct ses_list *link)
{
	return ses_container_of(link, struct redis_channel, link);
}

static struct bytes tag_of(const struct redis_channel *c)
{
	return c->entry.name;
}

/* What Redis has is said once a second at most. */
static bool may_say(struct redis *r)
{
	if (r->malformed_ms && r->loop->now_ms < r->malformed_ms + 1000)
		return false;
	r->malformed_ms = r->loop->now_ms;
	return true;
}

void redis_malformed(struct redis *r, const char *what, struct bytes where)
{
	char words[100];

	redis_add(r, malformed, 1);
	if (!may_say(r))
		return;
	bytes_printable(where, words, sizeof(words));
	redis_say(r,
		  "the backplane %s has something that no gateway wrote, "
		  "which is skipped: %s of %s",
		  r->address, what, words);
}

static void say_it_followed(struct redis *r)
{
	if (may_say(r))
		redis_say(r,
			  "the backplane %s followed another server and took "
			  "what that one had: channels go on from there, in a "
			  "new epoch",
			  r->address);
}

/* A number that a script counted. */
static uint64_t count_of(const struct redis_reply *reply)
{
	return reply->sort == REDIS_NUMBER && reply->number > 0
		       ? (uint64_t)reply->number
		       : 0;
}

void redis_told_beside(struct redis *r, const struct redis_reply *reply,
		       struct bytes where)
{
	const struct redis_reply *told;
	char what[64];

	if (!reply || reply->sort != REDIS_LIST || !reply->n)
		return;
	told = reply->part[reply->n - 1];
	if (told->sort != REDIS_LIST || told->n < 2)
		return;
	redis_add(r, ended, count_of(told->part[0]));
	redis_add(r, trimmed, count_of(told->part[1]));
	for (size_t i = 2; i < told->n; i++) {
		bytes_printable(told->part[i]->text, what, sizeof(what));
		if (strcmp(what, "followed") == 0)
			say_it_followed(r);
		else
			redis_malformed(r, what, where);
	}
}

void redis_told_there(void *arg, const struct redis_reply *reply)
{
	if (reply && reply->sort == REDIS_LIST && reply->n)
		redis_told_beside(arg, reply, reply->part[0]->text);
}

/* The beginning of all tags of its route. */
static struct bytes route_of(const struct redis_channel *c)
{
	return bytes_first(tag_of(c), tag_of(c).len - c->name.len);
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void end_asking(struct redis_channel *c)
{
	if (c->syncing)
		c->redis->n_syncing--;
	c->syncing = false;
	redis_answer_forget(c);
}

/* ---- Channels ---- */

struct redis_channel *redis_channel_find(struct redis *r, struct bytes tag)
{
	struct hub_entry *entry = hub_map_find(&r->channels, tag);

	return entry ? ses_container_of(entry, struct redis_channel, entry)
		     : NULL;
}

struct hub_channel *redis_hub_channel(const struct redis_channel *c)
{
	struct hub_channel *hc =
		c->closed ? NULL
			  : hub_table_find(&c->redis->base.hub->table, c->space,
					   c->name);

	return hc && hc->serial == c->serial ? hc : NULL;
}

void redis_channel_settle(struct redis_channel *c)
{
	if (!c->closed || c->n_tuning || c->n_asked)
		return;
	end_asking(c);
	redis_early_forget(c);
	redis_people_rest(c);
	ses_list_remove(&c->link);
	ses_list_remove(&c->due);
	hub_map_remove(&c->redis->channels, &c->entry);
	hub_map_fini(&c->people);
	free(c);
}

static void make_due(struct redis_channel *c)
{
	struct redis *r = c->redis;

	if (!c->closed && ses_list_empty(&c->due))
		ses_list_append(c->tuned ? &r->due : &r->untuned, &c->due);
}

static struct redis_channel *new_channel(struct redis *r, struct bytes tag)
{
	struct redis_channel *c = calloc(1, sizeof(*c) + tag.len);

	if (!c)
		return NULL;
	memcpy(c->tag, tag.data, tag.len);
	c->entry.name = bytes_of(c->tag, tag.len);
	if (!hub_map_add(&r->channels, &c->entry)) {
		free(c);
		return NULL;
	}
	c->redis = r;
	ses_list_init(&c->due);
	ses_list_init(&c->early);
	ses_list_init(&c->turn);
	ses_list_init(&c->link);
	ses_list_append(&r->all, &c->link);
	hub_map_init(&c->people, r->seed);
	ses_list_init(&c->persons);
	return c;
}

bool redis_sync_open(struct redis *r, const struct redis_order *o)
{
	struct redis_channel *c = redis_channel_find(r, o->tag);

	if (!c)
		c = new_channel(r, o->tag);
	if (!c)
		return false;
	c->serial = o->serial;
	c->space = o->space;
	c->name = bytes_from(tag_of(c), strlen(o->space->name) + 1);
	c->states = o->states;
	c->presence = o->presence;
	c->bounds = o->bounds;
	c->inhabited = o->inhabited;
	c->vouched = c->said_in = false;
	c->closed = c->leaving = c->tuned = c->again = c->look = false;
	c->brought = false;
	redis_early_forget(c);
	c->told_again = 0;
	c->people_round++; /* 0: one who is not written */
	c->opened_ms = r->loop->now_ms;
	ses_list_remove(&c->due);
	make_due(c);
	return true;
}

/* Whether it is told here what happens in @c. False: it cannot be sent. */
static bool tune(struct redis_channel *c, bool on)
{
	struct redis_link *l = &c->redis->told;

	redis_link_begin(l, 2);
	redis_link_str(l, on ? "SUBSCRIBE" : "UNSUBSCRIBE");
	redis_topic(c->redis, l, "c", tag_of(c));
	if (!redis_link_end(l, NULL, NULL))
		return false;
	c->n_tuning++;
	c->redis->n_tuning++;
	return true;
}

void redis_channel_close(struct redis_channel *c)
{
	struct redis *r = c->redis;

	redis_people_rest(c);
	redis_people_forget(r, c);
	ses_list_remove(&c->due);
	end_asking(c);
	redis_early_forget(c);
	c->closed = true;
	c->tuned = c->leaving = false;
	if (r->up)
		tune(c, false);
	redis_channel_settle(c);
}

void redis_sync_close(struct redis *r, const struct redis_order *o)
{
	struct redis_channel *c = redis_channel_find(r, o->tag);

	if (!c || c->closed || c->serial != o->serial)
		return;
	/* Who left while Redis was away, or without a word for lack of memory,
	 * has to be taken out there: by the next look at its list. */
	c->leaving = c->written && (!r->up || o->untold);
	if (!c->leaving)
		redis_channel_close(c);
}

void redis_sync_refresh(struct redis *r, const struct redis_order *o)
{
	struct redis_channel *c = redis_channel_find(r, o->tag);

	if (!c || c->closed || c->serial != o->serial)
		return;
	c->look = true;
	c->again = c->syncing;
	make_due(c);
}

void redis_sync_tuned(struct redis *r, struct bytes tag, bool on)
{
	struct redis_channel *c = redis_channel_find(r, tag);

	if (!c || !c->n_tuning)
		return;
	c->n_tuning--;
	r->n_tuning--;
	if (!c->n_tuning && !c->closed) {
		c->tuned = on;
		ses_list_remove(&c->due);
		if (on && c->presence)
			redis_people_sync(c);
		make_due(c);
		redis_people_some(r);
	}
	redis_channel_settle(c);
	redis_sync_some(r);
}

/* ---- Who is in them ---- */

static void note_vouched(struct redis_channel *c, bool vouched)
{
	c->vouched = vouched;
	c->vouched_ms = c->redis->loop->now_ms;
}

/* Channels of one route that Redis is told the same of. */
struct vouching {
	struct redis *redis;
	struct redis_channel *channel[VOUCHED_AT_ONCE];
	size_t n;
};

static void tell_vouching(struct vouching *v)
{
	const struct redis_channel *first = v->channel[0];
	struct redis *r = v->redis;
	struct redis_link *l = &r->command;
	size_t n = v->n;

	v->n = 0;
	if (!n)
		return;
	redis_script_begin(r, REDIS_VOUCH, 2, 3 + n);
	redis_key(r, bytes_of_str(first->space->name), "a");
	redis_key(r, bytes_of_str(first->space->name), "b");
	redis_link_u64(l, first->inhabited ? VOUCH_MS : VOUCH_NO_MORE_MS);
	redis_link_u64(l, greater(first->bounds.age_ms, REDIS_KEPT_MS));
	if (first->inhabited)
		redis_link_str(l, "");
	else
		redis_topic(r, l, "c", route_of(first));
	for (size_t i = 0; i < n; i++)
		redis_link_word(l, v->channel[i]->name);
	if (!redis_link_end(l, redis_told_there, r))
		return; /* with the next chores */
	for (size_t i = 0; i < n; i++)
		note_vouched(v->channel[i], first->inhabited);
}

static void vouch(struct vouching *v, struct redis_channel *c)
{
	const struct redis_channel *first = v->channel[0];

	if (v->n == VOUCHED_AT_ONCE ||
	    (v->n && (first->space != c->space ||
		      first->inhabited != c->inhabited)))
		tell_vouching(v);
	v->channel[v->n++] = c;
}

static void vouch_at_once(struct redis_channel *c)
{
	struct vouching v = {.redis = c->redis};

	if (!c->redis->up || !c->tuned)
		return; /* what it is asked for by then says so */
	vouch(&v, c);
	tell_vouching(&v);
}

void redis_sync_inhabit(struct redis *r, const struct redis_order *o)
{
	struct redis_channel *c = redis_channel_find(r, o->tag);

	if (!c || c->closed || c->serial != o->serial)
		return;
	c->inhabited = o->inhabited;
	if (c->inhabited != c->vouched)
		vouch_at_once(c);
}

/* Whether Redis is to be told who is in @c. */
static bool is_to_be_vouched(const struct redis_channel *c)
{
	if (!c->tuned || c->closed || c->inhabited != c->vouched)
		return c->tuned && !c->closed;
	return c->inhabited &&
	       c->redis->loop->now_ms >= c->vouched_ms + VOUCH_AGAIN_MS;
}

/* ---- Asking ---- */

/* Members of one that was there stay: there may be room again. */
static void be_refused(struct redis_channel *c)
{
	struct hub *hub = c->redis->base.hub;
	struct hub_channel *hc;

	end_asking(c);
	c->retry = true;
	hub_lock(hub);
	hc = redis_hub_channel(c);
	if (hc && !hc->ready)
		hub_refuse_channel(hub, hc);
	hub_unlock(hub);
}

static bool is_first_word(const struct redis_reply *reply, const char *word)
{
	return reply && reply->sort == REDIS_LIST && reply->n &&
	       redis_reply_is(reply->part[0], word);
}

/* It was performed or not; what it has to say comes the other way. */
static void on_asked(void *arg, const struct redis_reply *reply)
{
	struct redis_channel *c = arg;
	struct redis *r = c->redis;

	c->n_asked--;
	if (reply)
		r->command_heard_ms = r->loop->now_ms;
	if (reply && reply->sort == REDIS_ERROR) {
		if (bytes_starts(reply->text, BYTES("NOSCRIPT"))) {
			redis_channel_settle(c);
			redis_lose(r, "it has forgotten its scripts");
			return;
		}
		redis_refused(r, "to tell what a channel holds", reply);
		end_asking(c);
		c->retry = true; /* with the next chores */
	}
	redis_told_beside(r, reply, tag_of(c));
	if (is_first_word(reply, "channels"))
		be_refused(c);
	redis_channel_settle(c);
}

struct from {
	struct hub_epoch epoch;
	uint64_t seq, floor;
};

/* Under the hub's lock. */
static struct hub_id known_of(const struct hub_channel *hc)
{
	if (!hc || !hc->ready)
		return (struct hub_id){.seq = 0};
	return (struct hub_id){hc->epoch, hc->last_id};
}

struct hub_id redis_known(struct redis *r, struct bytes tag)
{
	const struct redis_channel *c = redis_channel_find(r, tag);
	struct hub *hub = r->base.hub;
	struct hub_id known;

	hub_lock(hub);
	known = known_of(c ? redis_hub_channel(c) : NULL);
	hub_unlock(hub);
	return known;
}

/* Up to where it is known here. */
static struct from known(const struct redis_channel *c)
{
	struct from from = {.seq = 0};
	const struct hub_channel *hc;
	struct hub *hub = c->redis->base.hub;
	struct hub_id id;

	if (c->standing) {
		from.epoch = c->standing->epoch;
		from.seq = c->looked;
		from.floor = c->standing->floor;
		return from;
	}
	hub_lock(hub);
	hc = redis_hub_channel(c);
	id = known_of(hc);
	from.epoch = id.epoch;
	from.seq = id.seq;
	if (hc && hc->ready && hc->state)
		from.floor = hc->state->floor;
	hub_unlock(hub);
	return from;
}

static void write_args(struct redis_channel *c, const struct from *from)
{
	struct redis *r = c->redis;
	struct redis_link *l = &r->command;

	redis_script_args(r, &c->bounds, c->states, c->name.len);
	redis_topic(r, l, "node", bytes_of_str(r->node));
	redis_link_u64(l, c->number);
	redis_link_word(l, tag_of(c));
	redis_link_str(l, from->epoch.text);
	redis_link_u64(l, from->seq);
	redis_link_u64(l, REDIS_SYNC_BYTES);
	redis_link_u64(l, from->floor);
	redis_link_u64(l, c->bounds.most);
	redis_link_u64(l, c->inhabited ? VOUCH_MS : 0);
	redis_link_u64(l, c->standing ? 0 : c->told_again);
	redis_topic(r, l, "c", tag_of(c));
}

static bool ask(struct redis_channel *c)
{
	struct redis *r = c->redis;
	struct from from = known(c);

	c->number = ++r->number;
	c->asked_ms = r->loop->now_ms;
	redis_script_begin(r, REDIS_SYNC, 4, 18);
	redis_script_keys(r, tag_of(c), c->states);
	write_args(c, &from);
	if (!redis_link_end(&r->command, on_asked, c))
		return false;
	c->n_asked++;
	if (c->inhabited)
		note_vouched(c, true);
	return true;
}

static void begin_asking(struct redis_channel *c)
{
	struct redis *r = c->redis;

	c->syncing = true;
	r->n_syncing++;
	c->looked_ms = r->loop->now_ms;
	redis_add(r, synced, 1);
	if (!ask(c)) {
		end_asking(c);
		c->retry = true;
	}
}

static void tune_some(struct redis *r)
{
	struct ses_list *link;

	while (r->up && r->n_tuning < REDIS_TUNINGS &&
	       (link = ses_list_first(&r->untuned))) {
		struct redis_channel *c = of_due(link);

		ses_list_remove(link);
		if (!c->n_tuning && !tune(c, true))
			c->retry = true;
	}
}

static void ask_for_some(struct redis *r)
{
	struct ses_list *link;

	while (r->up && r->n_syncing < r->most_syncing &&
	       (link = ses_list_first(&r->due))) {
		struct redis_channel *c = of_due(link);

		ses_list_remove(link);
		if (!c->syncing && !c->n_tuning) /* else it goes on by itself */
			begin_asking(c);
	}
}

void redis_sync_some(struct redis *r)
{
	tune_some(r);
	ask_for_some(r);
}

/* ---- How many are asked for at once ---- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void begin_slowly(struct redis *r)
{
	if (!r->top_syncing)
		r->top_syncing = REDIS_SYNCS;
	r->most_syncing = least(REDIS_FIRST_SYNCS, r->top_syncing);
}

/* It broke off: it may be that so many answers were too much for Redis. */
static void ask_for_fewer(struct redis *r)
{
	if (r->n_syncing && r->n_syncing >= r->most_syncing)
		r->top_syncing = r->n_syncing > 1 ? r->n_syncing / 2 : 1;
}

/* @c was told @len bytes. */
static void adapt(struct redis *r, const struct redis_channel *c, size_t len)
{
	size_t fit = AWAITED_BYTES / (len + 1);

	if (len > REDIS_SYNC_BYTES) {
		r->most_syncing = least(r->most_syncing, fit ? fit : 1);
		return;
	}
	if (r->loop->now_ms > c->asked_ms + PROMPT_MS)
		return;
	if (r->most_syncing < r->top_syncing)
		r->most_syncing++;
	else if (r->top_syncing < REDIS_SYNCS && ++r->n_prompt % 16 == 0)
		r->top_syncing++;
}

/* ---- The answer ---- */

static void try_again(struct redis_channel *c)
{
	end_asking(c);
	c->retry = true;
}

void redis_sync_answered(struct redis *r, struct bytes text)
{
	struct redis_channel *c;
	struct redis_holding h;

	if (!redis_holding_read(text, &h)) {
		redis_malformed(r, "an answer", BYTES("what is held"));
		return;
	}
	c = redis_channel_find(r, h.tag);
	if (!c || !c->syncing || c->number != h.number)
		return; /* of somebody who was here before */
	adapt(r, c, text.len);
	c->said_in |= h.seq > 0;
	if (!redis_answer_take(c, &h)) {
		try_again(c);
		return;
	}
	if (h.more > h.from) {
		c->looked = h.more;
		if (!ask(c))
			try_again(c);
		return;
	}
	redis_answer_bring(c);
	c->told_again = 0;
	c->brought = true;
	end_asking(c);
	if (c->again)
		make_due(c);
	c->again = false;
	redis_sync_some(r);
}

/* ---- What is told ---- */

/* False: it is not what follows, so all is to be asked for again. */
static bool bring(struct redis_channel *c, struct hub_message *m)
{
	struct hub *hub = c->redis->base.hub;
	struct hub_channel *hc;
	bool fine = true;

	hub_lock(hub);
	hc = redis_hub_channel(c);
	if (hc && (!hc->ready || !hub_epoch_equal(&hc->epoch, &m->epoch) ||
		   m->seq != hc->last_id + 1 || (hc->states && !m->key_len)))
		fine = false;
	else if (hc)
		hub_bring_message(hub, hc, m);
	if (!fine && hub_epoch_equal(&hc->epoch, &m->epoch) &&
	    m->seq <= hc->last_id && (!c->told_again || m->seq < c->told_again))
		c->told_again = m->seq;
	hub_unlock(hub);
	return fine;
}

/* The answer that comes has it, if the channel still holds it by then. */
static void await_answer(struct redis_channel *c, struct bytes text)
{
	if (c->brought && !c->states)
		redis_early_keep(c, text);
}

static void told_entry(struct redis *r, struct redis_channel *c,
		       struct bytes text)
{
	struct hub_message *m;
	struct redis_entry e;
	bool fine;

	if (!redis_entry_read(text, &e)) {
		redis_malformed(r, "a message", tag_of(c));
		return;
	}
	redis_add(r, received, 1);
	c->said_in = true;
	if (!c->tuned)
		return;
	if (c->syncing) {
		await_answer(c, text);
		return;
	}
	m = redis_message_of(r, &e);
	fine = m && bring(c, m);
	if (m)
		hub_drop_message(m);
	redis_post_seen(r, tag_of(c), &e);
	if (fine)
		return;
	await_answer(c, text);
	make_due(c);
	redis_sync_some(r);
}

void redis_sync_told(struct redis *r, struct bytes tag, struct bytes text)
{
	struct redis_channel *c = redis_channel_find(r, tag);
	struct bytes rest = bytes_from(text, 1);

	if (!c || c->closed)
		return;
	switch (text.len ? text.data[0] : 0) {
	case 'm':
		told_entry(r, c, rest);
		break;
	case 'v':
		c->vouched = false; /* it is said with the next chores */
		break;
	case 'e':
		make_due(c);
		redis_sync_some(r);
		break;
	case '+':
	case '-':
		redis_people_told(r, c, rest, text.data[0] == '+');
		break;
	default:
		redis_malformed(r, "what is told", tag);
	}
}

/* ---- The server comes and goes ---- */

void redis_sync_resume(struct redis *r)
{
	begin_slowly(r);
	for (struct ses_list *l = r->all.next; l != &r->all; l = l->next)
		make_due(of_all(l));
	redis_sync_some(r);
}

void redis_sync_lose(struct redis *r)
{
	struct ses_list *link = r->all.next, *next;

	ask_for_fewer(r);
	r->n_tuning = 0;
	for (; link != &r->all; link = next) {
		struct redis_channel *c = of_all(link);

		next = link->next;
		end_asking(c);
		redis_early_forget(c);
		redis_people_rest(c);
		ses_list_remove(&c->due);
		c->tuned = c->retry = c->vouched = false;
		c->n_tuning = 0;
		redis_channel_settle(c);
	}
}

/* ---- What ended, or was entered, without a word ---- */

bool redis_channel_is_gone(const struct redis_channel *c)
{
	struct hub *hub = c->redis->base.hub;
	bool gone;

	hub_lock(hub);
	gone = !redis_hub_channel(c);
	hub_unlock(hub);
	return gone;
}

static bool take_unsaid(struct redis *r)
{
	bool unsaid;

	pthread_mutex_lock(&r->lock);
	unsaid = r->unsaid;
	r->unsaid = false;
	pthread_mutex_unlock(&r->lock);
	return unsaid;
}

/* Redis is told with the next chores. */
static void note_inhabited(struct redis_channel *c)
{
	struct hub *hub = c->redis->base.hub;
	const struct hub_channel *hc;

	hub_lock(hub);
	hc = redis_hub_channel(c);
	c->inhabited = hc && hc->n_members > 0;
	hub_unlock(hub);
}

/* Some of all, which are in no order. Who is written at Redis is taken out
 * there first: by the next look at the channel's list. */
static void look_for_unsaid(struct redis *r)
{
	struct ses_list *link;

	if (take_unsaid(r))
		r->n_unlooked = r->channels.n;
	for (int i = 0; i < LOOKED_AT_ONCE && r->n_unlooked; i++) {
		struct redis_channel *c;

		r->n_unlooked--;
		link = ses_list_first(&r->all);
		if (!link)
			return;
		c = of_all(link);
		ses_list_remove(link);
		ses_list_append(&r->all, link);
		note_inhabited(c);
		if (!c->closed && !c->written && redis_channel_is_gone(c))
			redis_channel_close(c);
	}
}

/* ---- What is due ---- */

static bool is_late(const struct redis *r, uint64_t since_ms)
{
	return r->loop->now_ms > since_ms + HUB_REDIS_WAIT_MS;
}

/* Redis is there, but what @c holds does not come, or cannot be read. */
static bool is_overdue(const struct redis *r, const struct redis_channel *c)
{
	return !c->brought && is_late(r, c->opened_ms) && is_late(r, r->up_ms);
}

/* Who waits for what does not become ready is told. */
static void give_up(struct redis *r, bool all)
{
	struct hub_channel *hc;

	hub_lock(r->base.hub);
	for (struct ses_list *l = r->all.next; l != &r->all; l = l->next) {
		if (!all && !is_overdue(r, of_all(l)))
			continue;
		hc = redis_hub_channel(of_all(l));
		if (hc && !hc->ready)
			hub_give_up(hc);
	}
	hub_unlock(r->base.hub);
}

/* What is due for @c. Whether it is overdue. */
static bool keep(struct redis *r, struct redis_channel *c)
{
	/* Nobody may hold a place among those asked for that others need. */
	if (c->syncing && !r->paused && is_late(r, c->asked_ms))
		try_again(c);
	if (c->retry ||
	    (c->tuned && r->loop->now_ms >
				 c->looked_ms + (c->said_in ? LOOK_MS
							    : SILENT_LOOK_MS)))
		make_due(c);
	c->retry = false;
	return is_overdue(r, c);
}

void redis_sync_keep(struct redis *r)
{
	uint64_t now = r->loop->now_ms;
	struct vouching v = {.redis = r};
	bool overdue = false;

	look_for_unsaid(r);
	if (now < r->kept_ms + REDIS_BEAT_MS)
		return;
	r->kept_ms = now;
	if (!r->up) {
		if (is_late(r, r->down_ms))
			give_up(r, true);
		return;
	}
	for (struct ses_list *l = r->all.next; l != &r->all; l = l->next) {
		overdue |= keep(r, of_all(l));
		if (is_to_be_vouched(of_all(l)))
			vouch(&v, of_all(l));
	}
	tell_vouching(&v);
	if (overdue)
		give_up(r, false);
	if (!r->n_syncing && now > r->up_ms + CALM_MS)
		r->top_syncing = REDIS_SYNCS;
	redis_sync_some(r);
}

void redis_sync_end(struct redis *r)
{
	struct ses_list *link;

	give_up(r, true);
	while ((link = ses_list_first(&r->all))) {
		struct redis_channel *c = of_all(link);

		redis_people_forget(r, c);
		c->closed = true;
		c->n_tuning = c->n_asked = 0;
		redis_channel_settle(c);
	}
	hub_map_fini(&r->channels);
}
