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

/* What @member has of the present epoch. */
static uint64_t known_of(const struct hub_member *member)
{
	const struct hub_channel *c = member->channel;

	if (member->era == c->era)
		return member->served;
	for (size_t i = 0; c->past && member->era && i < c->past->n; i++) {
		const struct hub_ended *e = &c->past->ended[i];

		if (e->era == member->era)
			return member->served < e->last ? member->served
							: e->last;
	}
	return 0;
}

const struct hub_ended *hub_past_find(const struct hub_past *past,
				      const struct hub_epoch *epoch)
{
	for (size_t i = 0; past && i < past->n; i++)
		if (hub_epoch_equal(&past->ended[i].epoch, epoch))
			return &past->ended[i];
	return NULL;
}

/* A number that is longer than any that was given out is one still to come. */
static bool read_since(struct bytes since, struct hub_id *ret_id)
{
	struct bytes number = bytes_from(since, HUB_EPOCH_LEN + 1);

	if (hub_id_read(since, ret_id))
		return true;
	if (!number.len || number.data[0] == '0')
		return false;
	for (size_t i = 0; i < number.len; i++)
		if (number.data[i] < '0' || number.data[i] > '9')
			return false;
	if (!hub_id_read(bytes_first(since, HUB_EPOCH_LEN + 2), ret_id))
		return false;
	ret_id->seq = INT64_MAX;
	return true;
}

bool hub_channel_lacks(const struct hub_channel *c, struct bytes since)
{
	struct hub_id id;

	if (!read_since(since, &id))
		return false;
	return hub_epoch_equal(&id.epoch, &c->epoch)
		       ? id.seq > c->last_id
		       : !hub_past_find(c->past, &id.epoch);
}

void hub_member_begin_at(struct hub_member *member, struct bytes since)
{
	const struct hub_channel *c = member->channel;
	const struct hub_ended *past;
	struct hub_id id;

	member->era = c->era;
	member->lost = member->whole = member->resumed = false;
	if (!read_since(since, &id)) {
		member->lost = true;
		member->served = 0;
	} else if (!hub_epoch_equal(&id.epoch, &c->epoch)) {
		past = hub_past_find(c->past, &id.epoch);
		member->lost = true;
		member->served = !past		       ? 0
				 : id.seq < past->last ? id.seq
						       : past->last;
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
	struct hub_gap gap = {.served = known_of(member)};

	if (c->states)
		return gap_of_states(member);
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
	size_t at = hub_state_after(s, member->served);
	size_t n = 0, sum = 0;
	struct hub_message *m;

	while (n < room && sum < bytes &&
	       (m = hub_state_step(s, &at, !member->whole))) {
		hub_message_ref(m);
		sum += hub_message_weight(m);
		out[n++] = m;
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
