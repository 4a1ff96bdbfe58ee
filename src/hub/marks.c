/* SPDX-License-Identifier: MIT */
/*
 * The mark of a member: up to which message it was served. All ways to come
 * back, and to fall behind and catch up, are a mark that is not at the newest
 * (docs/delivery.md).
 */
#include "hub/channel.h"

void hub_member_fall_behind(struct hub_member *member)
{
	if (!member->behind)
		member->channel->n_behind++;
	member->behind = true;
}

void hub_member_catch_up(struct hub_member *member)
{
	if (member->behind)
		member->channel->n_behind--;
	member->behind = false;
}

/* Whether there is anything behind its mark. */
static void settle(struct hub_member *member)
{
	const struct hub_channel *c = member->channel;

	if (member->lost || member->whole || member->served < c->last_id)
		hub_member_fall_behind(member);
	else
		hub_member_catch_up(member);
}

void hub_member_begin_afresh(struct hub_member *member)
{
	const struct hub_channel *c = member->channel;

	member->era = c->era;
	member->lost = member->resumed = false;
	member->served = c->states ? 0 : c->last_id;
	member->whole = c->states;
	settle(member);
}

void hub_member_begin_at(struct hub_member *member, struct bytes since)
{
	const struct hub_channel *c = member->channel;
	struct hub_id id;

	member->era = c->era;
	member->lost = member->whole = member->resumed = false;
	if (!hub_id_read(since, &id) || !hub_epoch_equal(&id.epoch, &c->epoch)) {
		member->lost = true;
		member->served = 0;
	} else if (id.seq > c->last_id) {
		member->lost = true;
		member->served = c->last_id;
	} else {
		member->resumed = true;
		member->served = id.seq;
	}
	settle(member);
}

static struct hub_gap gap_of_states(const struct hub_member *member)
{
	const struct hub_channel *c = member->channel;
	bool is = member->lost || member->era != c->era ||
		  (member->served < c->state->floor && !member->whole);

	return (struct hub_gap){.is = is, .served = is ? 0 : member->served};
}

struct hub_gap hub_member_gap(const struct hub_member *member)
{
	const struct hub_channel *c = member->channel;
	uint64_t oldest = hub_channel_oldest(c);
	struct hub_gap gap = {.served = member->served};

	if (c->states)
		return gap_of_states(member);
	if (member->era != c->era)
		gap.served = 0;
	gap.is = member->lost || member->era != c->era ||
		 gap.served + 1 < oldest;
	if (gap.served + 1 < oldest) {
		gap.from = gap.served + 1;
		gap.to = oldest - 1;
		gap.served = oldest - 1;
	}
	if (member->lost || member->era != c->era)
		gap.from = 0;
	return gap;
}

static size_t next_values(const struct hub_member *member,
			  struct hub_message **out, size_t room, size_t bytes)
{
	const struct hub_state *s = member->channel->state;
	struct hub_value *v = hub_state_after(s, member->served);
	size_t n = 0, sum = 0;

	for (; v && n < room && sum < bytes; v = hub_state_next(s, v)) {
		if (v->message->gone && member->whole)
			continue;
		hub_message_ref(v->message);
		sum += hub_message_weight(v->message);
		out[n++] = v->message;
	}
	return n;
}

size_t hub_member_next(const struct hub_member *member,
		       struct hub_message **out, size_t room, size_t bytes)
{
	const struct hub_channel *c = member->channel;
	size_t n = 0, sum = 0;

	if (c->states)
		return next_values(member, out, room, bytes);
	while (n < room && sum < bytes) {
		struct hub_message *m =
			hub_ring_at(&c->ring, member->served + 1 + n);

		if (!m)
			break;
		hub_message_ref(m);
		sum += hub_message_weight(m);
		out[n++] = m;
	}
	return n;
}
