/* SPDX-License-Identifier: MIT */
/* What is asked for: who is there, and what a channel holds. */
#include <inttypes.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "hub/envelope.h"
#include "hub/hub_inner.h"
#include "net/clock.h"

/* ---- Who is there ---- */

static int list(struct hub *hub, const struct hub_channel *c, int64_t ref,
		struct bytes after, size_t limit, struct ses_buf *out)
{
	const struct hub_roster *r = c ? c->roster : NULL;
	struct bytes *names = limit ? calloc(limit, sizeof(*names)) : NULL;
	bool more = false;
	size_t n = 0;
	int result;

	if (limit && !names)
		return SESAME_ENOMEM;
	if (r && names)
		n = hub_roster_list(r, after, limit, names, &more);
	result = hub_envelope_members(ref, r ? r->n : 0, names, n, more, out);
	free(names);
	return result;
}

int hub_list(struct hub_seat *seat, struct hub_member *member,
	     const struct hub_demand *d, struct ses_buf *out)
{
	struct bytes after =
		bytes_of(d->after_len ? d->after : NULL, d->after_len);
	int r;

	pthread_mutex_lock(&seat->hub->lock);
	r = list(seat->hub, member->channel, d->ref, after,
		 d->sort == HUB_LIST ? d->limit : 0, out);
	pthread_mutex_unlock(&seat->hub->lock);
	return r;
}

int hub_list_of(struct hub_seat *seat, struct hub_space *space,
		struct bytes name, struct bytes after, size_t limit,
		struct ses_buf *out)
{
	struct hub *hub = seat->hub;
	int r;

	pthread_mutex_lock(&hub->lock);
	r = list(hub, hub_table_find(&hub->table, space, name), -1, after,
		 limit, out);
	pthread_mutex_unlock(&hub->lock);
	return r;
}

/* ---- What a channel holds ---- */

#define MOST_BYTES ((size_t)512 * 1024) /* of messages, in one answer */

/* What was asked for, taken under the lock. */
struct excerpt {
	struct hub_message *message[HUB_LIST_MAX];
	size_t n;
	struct hub_gap gap;
	struct hub_epoch epoch;
	uint64_t last_id;
	bool is, states, more;
};

/* Whether @reader, who got all up to @seq, is to get more. */
static bool is_followed(const struct hub_member *reader, uint64_t seq)
{
	struct hub_member further = *reader;
	struct hub_message *next;

	further.served = seq;
	if (!hub_member_next(&further, &next, 1, 1))
		return false;
	hub_drop_message(next);
	return true;
}

/* A reader is a member that joins nothing. */
static void take(struct hub *hub, struct hub_channel *c, struct bytes since,
		 size_t limit, struct excerpt *e)
{
	struct hub_member reader = {.channel = c, .behind = true};

	c->n_behind++; /* the reader's own, taken back below */
	hub_member_begin_afresh(&reader);
	if (since.data)
		hub_member_begin_at(&reader, since);
	else if (!c->states)
		reader.served = hub_channel_oldest(c) - 1;
	hub_member_fall_behind(&reader);
	e->gap = hub_member_gap(&reader);
	if (e->gap.is) {
		reader.served = e->gap.served;
		reader.whole = c->states;
	}
	e->n = hub_member_next(&reader, e->message, limit, MOST_BYTES);
	hub_member_catch_up(&reader);
	e->is = true;
	e->epoch = c->epoch;
	e->last_id = c->last_id;
	e->states = c->states;
	e->more = e->n && is_followed(&reader, e->message[e->n - 1]->seq);
}

static int put(struct excerpt *e, struct bytes name, struct ses_buf *out)
{
	int r = ses_buf_append_str(out, "{\"channel\":");

	r = r < 0 ? r : hub_json_text(out, name);
	if (!e->is)
		return r < 0 ? r
			     : ses_buf_append_str(out, ",\"id\":null,"
						       "\"messages\":[]}");
	r = r < 0 ? r
		  : ses_buf_printf(out,
				   ",\"kind\":\"%s\",\"id\":\"%s-%" PRIu64
				   "\",\"messages\":[",
				   e->states ? "state" : "messages",
				   e->epoch.text, e->last_id);
	for (size_t i = 0; r >= 0 && i < e->n; i++) {
		r = i ? ses_buf_append_str(out, ",") : 0;
		r = r < 0 ? r : hub_envelope_message(e->message[i], out);
	}
	r = r < 0 ? r : ses_buf_append_str(out, "]");
	if (r >= 0 && e->gap.is) {
		r = ses_buf_append_str(out, ",\"gap\":");
		r = r < 0 ? r
			  : hub_envelope_gap(&e->epoch, e->gap.from, e->gap.to,
					     out);
	}
	if (r >= 0 && e->more)
		r = ses_buf_printf(out, ",\"next\":\"%s-%" PRIu64 "\"",
				   e->epoch.text, e->message[e->n - 1]->seq);
	return r < 0 ? r : ses_buf_append_str(out, "}");
}

int hub_history_of(struct hub_seat *seat, struct hub_space *space,
		   struct bytes name, struct bytes since, size_t limit,
		   struct ses_buf *out)
{
	struct hub *hub = seat->hub;
	struct excerpt *e = calloc(1, sizeof(*e));
	struct hub_channel *c;
	int r;

	if (!e)
		return SESAME_ENOMEM;
	pthread_mutex_lock(&hub->lock);
	c = hub_table_find(&hub->table, space, name);
	if (c && c->ready)
		hub_table_trim(&hub->table, c, ses_clock_wall_ms());
	if (c && c->ready)
		take(hub, c, since, limit, e);
	pthread_mutex_unlock(&hub->lock);
	r = put(e, name, out);
	for (size_t i = 0; i < e->n; i++)
		hub_drop_message(e->message[i]);
	free(e);
	return r;
}
