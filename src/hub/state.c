/* SPDX-License-Identifier: MIT */
#include "hub/state.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_ROOM 16

static struct hub_value *of_entry(struct hub_entry *entry)
{
	return entry ? ses_container_of(entry, struct hub_value, entry) : NULL;
}

void hub_state_init(struct hub_state *s, const uint8_t seed[SES_HASH_SEED])
{
	*s = (struct hub_state){.floor = 0};
	hub_map_init(&s->map, seed);
	ses_list_init(&s->gone);
}

/* ---- Places ---- */

size_t hub_state_after(const struct hub_state *s, uint64_t seq)
{
	size_t low = s->first, high = s->end;

	/* Most readers are close behind. */
	if (low < high && s->place[high - 1].seq <= seq)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->place[middle].seq > seq)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void leave(struct hub_state *s, const struct hub_value *v)
{
	size_t at = hub_state_after(s, v->message->seq) - 1;

	assert(s->place[at].value == v);
	s->place[at].value = NULL;
	while (s->first < s->end && !s->place[s->first].value)
		s->first++;
	while (s->first < s->end && !s->place[s->end - 1].value)
		s->end--;
	if (s->first == s->end)
		s->first = s->end = 0;
}

static void close_up(struct hub_state *s)
{
	size_t n = 0;

	for (size_t i = s->first; i < s->end; i++)
		if (s->place[i].value)
			s->place[n++] = s->place[i];
	s->first = 0;
	s->end = n;
}

static bool grow(struct hub_state *s)
{
	size_t room = s->room ? s->room * 2 : FIRST_ROOM;
	struct hub_place *larger = realloc(s->place, room * sizeof(*larger));

	if (!larger)
		return false;
	s->place = larger;
	s->room = room;
	return true;
}

/* A place at the end, where @n values have one. False: no memory. */
static bool make_place(struct hub_state *s, size_t n)
{
	if (s->end < s->room)
		return true;
	if (n > s->room / 2 && grow(s))
		return true;
	close_up(s);
	return s->end < s->room || grow(s);
}

/* Which has no place, at the end. There is one. */
static void arrive(struct hub_state *s, struct hub_value *v)
{
	const struct hub_message *m = v->message;

	assert(s->first == s->end || s->place[s->end - 1].seq < m->seq);
	s->place[s->end++] = (struct hub_place){m->seq, m->gone, v};
}

struct hub_message *hub_state_step(const struct hub_state *s, size_t *at,
				   bool deletions)
{
	while (*at < s->end) {
		const struct hub_place *p = &s->place[(*at)++];

		if (p->value && (deletions || !p->gone))
			return p->value->message;
	}
	return NULL;
}

/* ---- Values ---- */

static void forget(struct hub_state *s, struct hub_value *v,
		   void (*drop)(struct hub_message *m))
{
	s->bytes -= hub_message_weight(v->message);
	if (v->message->gone && v->message->seq > s->floor)
		s->floor = v->message->seq;
	hub_map_remove(&s->map, &v->entry);
	leave(s, v);
	ses_list_remove(&v->gone);
	drop(v->message);
	free(v);
}

static struct hub_value *oldest_gone(struct hub_state *s)
{
	struct ses_list *link = ses_list_first(&s->gone);

	return link ? ses_container_of(link, struct hub_value, gone) : NULL;
}

static void add_growth(struct hub_growth *g, const struct hub_value *old,
		       size_t more)
{
	size_t less = 0;

	/* One that was deleted may have been forgotten by then. */
	if (old && !old->message->gone)
		less = hub_message_weight(old->message);
	else
		g->keys++;
	g->bytes += more > less ? more - less : 0;
}

bool hub_state_fits(struct hub_state *s, const struct hub_message *m,
		    uint64_t keys, uint64_t bytes, struct hub_growth *before,
		    void (*drop)(struct hub_message *m))
{
	struct hub_value *old =
		of_entry(hub_map_find(&s->map, hub_message_key(m)));
	size_t more = hub_message_weight(m);

	for (;;) {
		size_t less = old ? hub_message_weight(old->message) : 0;
		struct hub_value *gone = oldest_gone(s);

		bool fits = s->map.n + !old + before->keys <= keys &&
			    s->bytes - less + more + before->bytes <= bytes;

		if (!fits && !gone) /* to delete frees something */
			fits = m->gone && (old || !before->keys);
		if (fits)
			add_growth(before, old, more);
		if (fits || !gone)
			return fits;
		if (gone == old)
			old = NULL;
		forget(s, gone, drop);
	}
}

/* A value without a place gets @m, and one for it. */
static void set(struct hub_state *s, struct hub_value *v, struct hub_message *m)
{
	v->message = m;
	v->entry.name = hub_message_key(m);
	arrive(s, v);
	ses_list_remove(&v->gone);
	if (m->gone)
		ses_list_append(&s->gone, &v->gone);
	s->bytes += hub_message_weight(m);
}

static struct hub_value *add(struct hub_state *s, struct hub_message *m)
{
	struct hub_value *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->entry.name = hub_message_key(m);
	if (!make_place(s, s->map.n) || !hub_map_add(&s->map, &v->entry)) {
		free(v);
		return NULL;
	}
	ses_list_init(&v->gone);
	return v;
}

bool hub_state_put(struct hub_state *s, struct hub_message *m,
		   struct hub_message **ret_old)
{
	struct hub_value *v =
		of_entry(hub_map_find(&s->map, hub_message_key(m)));
	struct hub_message *old = v ? v->message : NULL;

	if (v) {
		s->bytes -= hub_message_weight(old);
		leave(s, v);
		make_place(s, s->map.n - 1); /* at least the one it left */
	} else {
		v = add(s, m);
	}
	if (!v)
		return false;
	set(s, v, m);
	*ret_old = old;
	return true;
}

void hub_state_age(struct hub_state *s, int64_t time_ms,
		   void (*drop)(struct hub_message *m))
{
	struct hub_value *v;

	while ((v = oldest_gone(s)) && v->message->time_ms < time_ms)
		forget(s, v, drop);
}

const struct hub_message *hub_state_newest(const struct hub_state *s)
{
	return s->first == s->end ? NULL : s->place[s->end - 1].value->message;
}

void hub_state_clear(struct hub_state *s, void (*drop)(struct hub_message *m))
{
	while (s->first < s->end)
		forget(s, s->place[s->first].value, drop);
	free(s->place);
	s->place = NULL;
	s->room = 0;
	hub_map_fini(&s->map);
}
