/* SPDX-License-Identifier: MIT */
/*
 * What a node reads from Redis, where anybody may have written: messages, what
 * a channel holds, who is in it; and the address of the server. What is taken
 * lies within the text and keeps the bounds of what a gateway writes; a message
 * that is written again as a gateway does it is read as it was; the address
 * that is shown leads to the same server, without its password.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/channel.h"
#include "hub/hub.h"
#include "hub/redis.h"
#include "hub/redis_entry.h"
#include "hub/redis_url.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct bytes part, struct bytes all)
{
	return !part.len || (part.data >= all.data &&
			     part.data + part.len <= all.data + all.len);
}

static bool same_content(const struct hub_content *a,
			 const struct hub_content *b)
{
	return a->kind == b->kind && a->gone == b->gone &&
	       a->sender == b->sender && bytes_equal(a->from, b->from) &&
	       bytes_equal(a->key, b->key) &&
	       bytes_equal(a->payload, b->payload);
}

/* ---- Messages ---- */

static void write_again(const struct redis_entry *e)
{
	char node[HUB_REDIS_NODE_LEN + 1] = "", tail[REDIS_TAIL_SIZE];
	struct hub_message *m = hub_message_new(&e->content, 1);
	struct redis_entry back;
	struct ses_buf text;

	assert(m);
	memcpy(node, e->node.data, HUB_REDIS_NODE_LEN);
	ses_buf_init(&text, SIZE_MAX);
	assert(redis_entry_write(node, e->counter, e->place, m, tail) <
	       sizeof(tail));
	ses_buf_printf(&text, "%s %" PRIu64 " %" PRId64 " %s", e->epoch.text,
		       e->seq, e->time_ms, tail);
	ses_buf_append(&text, hub_message_from(m));
	ses_buf_append(&text, hub_message_key(m));
	ses_buf_append(&text, hub_message_payload(m));
	assert(redis_entry_read(ses_buf_bytes(&text), &back));
	assert(hub_epoch_equal(&back.epoch, &e->epoch) && back.seq == e->seq &&
	       back.time_ms == e->time_ms && back.counter == e->counter &&
	       back.place == e->place && bytes_equal(back.node, e->node) &&
	       same_content(&back.content, &e->content));
	ses_buf_fini(&text);
	hub_message_free(m);
}

static void try_entry(struct bytes in)
{
	struct redis_entry e;
	const struct hub_content *c = &e.content;

	if (!redis_entry_read(in, &e))
		return;
	assert(e.seq && e.seq <= REDIS_SEQ_MAX && e.time_ms >= 0);
	assert(redis_is_node(e.node) && lies_in(e.node, in));
	assert(lies_in(c->from, in) && lies_in(c->key, in) &&
	       lies_in(c->payload, in));
	assert(c->from.len < HUB_WHO_SIZE && ses_utf8_valid(c->from));
	assert(c->key.len <= UINT16_MAX && ses_utf8_valid(c->key));
	assert(c->kind == SESAME_BINARY || ses_utf8_valid(c->payload));
	assert(!c->gone || c->key.len);
	write_again(&e);
}

/* ---- Answers ---- */

/* Each of @entries, which are no more than they were. */
static void try_entries(struct bytes entries, void (*try_one)(struct bytes in))
{
	struct bytes all = entries, one;

	while (redis_next(&entries, &one)) {
		assert(lies_in(one, all) && one.len < all.len);
		assert(entries.len < all.len && lies_in(entries, all));
		try_one(one);
	}
}

static void try_holding(struct bytes in)
{
	struct redis_holding h;

	if (!redis_holding_read(in, &h))
		return;
	assert(lies_in(h.tag, in) && lies_in(h.entries, in));
	assert(h.seq <= REDIS_SEQ_MAX && h.from <= REDIS_SEQ_MAX &&
	       h.floor <= REDIS_SEQ_MAX && h.more <= REDIS_SEQ_MAX);
	assert(h.n_past <= REDIS_PAST_MAX && h.n_past <= HUB_PAST_MAX);
	for (size_t i = 0; i < h.n_past; i++)
		assert(strlen(h.past[i].epoch.text) == HUB_EPOCH_LEN);
	try_entries(h.entries, try_entry);
}

static void try_person(struct bytes in)
{
	struct bytes node, who;

	if (!redis_person_read(in, &node, &who))
		return;
	assert(redis_is_node(node) && lies_in(node, in) && lies_in(who, in));
	assert(who.len && who.len < HUB_WHO_SIZE && ses_utf8_valid(who));
}

static void try_people(struct bytes in)
{
	struct redis_people p;

	if (!redis_people_read(in, &p))
		return;
	assert(lies_in(p.tag, in) && lies_in(p.entries, in));
	try_entries(p.entries, try_person);
}

/* ---- The address ---- */

static void try_url(struct bytes in)
{
	char shown[HUB_REDIS_ADDRESS_SIZE];
	struct redis_url url, again;

	hub_redis_url_show(in, shown);
	assert(!strpbrk(shown, "@% \r\n"));
	if (redis_url_read(in, &url)) {
		assert(hub_redis_url_wrong(in));
		return;
	}
	assert(url.port && url.host[0] && url.prefix[0]);
	assert(!redis_url_read(bytes_of_str(shown), &again));
	assert(!strcmp(again.host, url.host) && again.port == url.port &&
	       again.tls == url.tls && again.v6 == url.v6 &&
	       again.db == url.db && !again.user[0] && !again.password[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	try_entry(in);
	try_holding(in);
	try_person(in);
	try_people(in);
	try_url(in);
	return 0;
}
