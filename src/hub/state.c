/* SPDX-License-Identifier: MIT */
#include "hub/state.h"

#include <stdlib.h>

static struct hub_value *of_link(struct ses_list *link)
{
	return ses_container_of(link, struct hub_value, link);
}

static struct hub_value *of_entry(struct hub_entry *entry)
{
	return entry ? ses_container_of(entry, struct hub_value, entry) : NULL;
}

void hub_state_init(struct hub_state *s, const uint8_t seed[SES_HASH_SEED])
{
	*s = (struct hub_state){.floor = 0};
	hub_map_init(&s->map, seed);
	ses_list_init(&s->order);
	ses_list_init(&s->gone);
}

static void forget(struct hub_state *s, struct hub_value *v,
		   void (*drop)(struct hub_message *m))
{
	s->bytes -= hub_message_weight(v->message);
	if (v->message->gone && v->message->seq > s->floor)
		s->floor = v->message->seq;
	hub_map_remove(&s->map, &v->entry);
	ses_list_remove(&v->link);
	ses_list_remove(&v->gone);
	drop(v->message);
	free(v);
}

static struct hub_value *oldest_gone(struct hub_state *s)
{
	struct ses_list *link = ses_list_first(&s->gone);

	return link ? ses_container_of(link, struct hub_value, gone) : NULL;
}

static void grow(struct hub_growth *g, const struct hub_value *old, size_t more)
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
			grow(before, old, more);
		if (fits || !gone)
			return fits;
		if (gone == old)
			old = NULL;
		forget(s, gone, drop);
	}
}

static void place(struct hub_state *s, struct hub_value *v,
		  struct hub_message *m)
{
	v->message = m;
	v->entry.name = hub_message_key(m);
	ses_list_remove(&v->link);
	ses_list_append(&s->order, &v->link);
	ses_list_remove(&v->gone);
	if (m->gone)
		ses_list_append(&s->gone, &v->gone);
	s->bytes += hub_message_weight(m);
}

bool hub_state_put(struct hub_state *s, struct hub_message *m,
		   struct hub_message **ret_old)
{
	struct hub_value *v =
		of_entry(hub_map_find(&s->map, hub_message_key(m)));

	if (v) {
		*ret_old = v->message;
		s->bytes -= hub_message_weight(v->message);
		place(s, v, m);
		return true;
	}
	v = calloc(1, sizeof(*v));
	if (!v)
		return false;
	v->entry.name = hub_message_key(m);
	if (!hub_map_add(&s->map, &v->entry)) {
		free(v);
		return false;
	}
	ses_list_init(&v->link);
	ses_list_init(&v->gone);
	place(s, v, m);
	*ret_old = NULL;
	return true;
}

/* Most readers are close behind, so the walk begins at the newest. */
struct hub_value *hub_state_after(const struct hub_state *s, uint64_t seq)
{
	struct ses_list *link = s->order.prev;
	struct hub_value *found = NULL;

	for (; link != &s->order; link = link->prev) {
		if (of_link(link)->message->seq <= seq)
			break;
		found = of_link(link);
	}
	return found;
}

struct hub_value *hub_state_next(const struct hub_state *s,
				 const struct hub_value *v)
{
	return v->link.next == &s->order ? NULL : of_link(v->link.next);
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
	struct ses_list *last = s->order.prev;

	return last == &s->order ? NULL : of_link(last)->message;
}

void hub_state_clear(struct hub_state *s, void (*drop)(struct hub_message *m))
{
	struct ses_list *link;

	while ((link = ses_list_first(&s->order)))
		forget(s, of_link(link), drop);
	hub_map_fini(&s->map);
}
