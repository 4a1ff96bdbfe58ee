/* SPDX-License-Identifier: MIT */
/* The backplane that is none: one process, which forgets all when it ends. */
#include <stdlib.h>

#include "hub/hub_inner.h"

static void open_channel(struct hub_backplane *b, struct hub_channel *c)
{
	struct hub_epoch epoch = hub_new_epoch(b->hub);

	hub_bring_epoch(b->hub, c, &epoch, 0);
}

static void close_channel(struct hub_backplane *b, struct hub_channel *c)
{
}

/* False: it was not published before. */
static bool repeat(const struct hub_post *post, enum hub_verdict *ret_verdict)
{
	const struct hub_noted *noted =
		post->key.data ? hub_receipts_find(&post->channel->receipts,
						   post->hash[0], post->time_ms)
			       : NULL;

	if (!noted)
		return false;
	*ret_verdict = HUB_OTHER_BODY;
	if (noted->key[1] != post->hash[1])
		return true;
	*ret_verdict = HUB_OK;
	post->receipt->repeated = true;
	post->receipt->seq = noted->seq;
	post->receipt->n = noted->n;
	return true;
}

static uint32_t publisher_of(const struct hub_backplane *b,
			     const struct hub_post *post)
{
	return (uint32_t)hub_table_hash(&b->hub->table,
					hub_message_from(post->message[0]),
					BYTES("publisher"));
}

static enum hub_verdict publish(struct hub_backplane *b, struct hub_post *post)
{
	struct hub_channel *c = post->channel;
	struct hub_noted noted = {
		.key = {post->hash[0], post->hash[1]},
		.seq = c->last_id + 1,
		.n = (uint32_t)post->n,
		.time_ms = post->time_ms,
	};
	enum hub_verdict verdict;

	if (repeat(post, &verdict))
		return verdict;
	verdict = hub_check_post(b->hub, post);
	if (verdict != HUB_OK)
		return verdict;
	if (post->key.data) {
		noted.who = publisher_of(b, post);
		if (!hub_table_note(&b->hub->table, c, &noted))
			return HUB_NO_MEMORY;
	}
	post->receipt->seq = noted.seq;
	post->receipt->n = post->n;
	for (size_t i = 0; i < post->n; i++) {
		struct hub_message *m = post->message[i];

		m->epoch = c->epoch;
		m->seq = c->last_id + 1;
		m->time_ms = post->time_ms;
		hub_bring_message(b->hub, c, m);
	}
	return HUB_OK;
}

static void come_or_go(struct hub_backplane *b, struct hub_channel *c,
		       struct bytes who)
{
	/* The hub's own list is all there is. */
}

static void free_memory(struct hub_backplane *b)
{
	free(b);
}

struct hub_backplane *hub_memory_new(void)
{
	static const struct hub_backplane_ops ops = {
		.name = "memory",
		.open = open_channel,
		.close = close_channel,
		.publish = publish,
		.enter = come_or_go,
		.leave = come_or_go,
		.free = free_memory,
	};
	struct hub_backplane *b = calloc(1, sizeof(*b));

	if (b)
		b->ops = &ops;
	return b;
}
