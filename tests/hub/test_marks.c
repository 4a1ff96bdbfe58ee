/* SPDX-License-Identifier: MIT */
/* What a channel holds, and what a member that is behind gets of it. */
#include "hub/channel.h"

#include <stdio.h>

#include "test.h"

static const uint8_t test_seed[SES_HASH_SEED] = "not so very secr";

struct world {
	struct hub_table table;
	struct hub_space *space;
	struct hub_member member, other;
	struct hub_channel *channel;
};

static void begin(struct world *w, bool states)
{
	*w = (struct world){0};
	assert_true(hub_table_init(&w->table, 1, test_seed));
	w->space = hub_table_space(&w->table, "/chat/*");
	w->space->rules = (struct hub_rules){
		.channels = 3,
		.members = 10,
		.states = states,
		.history = 10,
		.history_bytes = 100000,
		.history_ms = 1000,
		.keys = 3,
		.queue = 2000,
		.kept = 1000000,
	};
	assert_int_equal(
		hub_table_join(&w->table, w->space, BYTES("a"), 0, &w->member),
		HUB_OK);
	w->channel = w->member.channel;
	hub_table_renew(&w->table, w->channel, &(struct hub_epoch){"aaaaaaaa"},
			0);
	hub_member_begin_afresh(&w->member);
}

static void end(struct world *w)
{
	hub_table_leave(&w->table, &w->other, 1 << 30);
	hub_table_leave(&w->table, &w->member, 1 << 30);
	hub_table_sweep(&w->table, 1000, 1 << 30);
	assert_int_equal(w->table.n, 0);
	assert_int_equal(w->space->kept, 0);
	hub_table_fini(&w->table);
}

static void drop(struct hub_message *m)
{
	if (hub_message_unref(m))
		hub_message_free(m);
}

static enum hub_verdict put(struct world *w, struct hub_channel *c,
			    const char *key, const char *payload,
			    int64_t time_ms)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of_str(payload),
		.key = bytes_of_str(key),
		.gone = key && !payload[0],
	};
	struct hub_message *m = hub_message_new(&content, 1);
	enum hub_verdict verdict = hub_table_fits(&w->table, c, &m, 1);

	m->seq = c->last_id + 1;
	m->time_ms = time_ms;
	m->epoch = c->epoch;
	if (verdict == HUB_OK)
		hub_table_hold(&w->table, c, m, time_ms);
	drop(m);
	return verdict;
}

static void put_many(struct world *w, int n, int64_t time_ms)
{
	for (int i = 0; i < n; i++)
		put(w, w->channel, NULL, "hello", time_ms);
}

/* Everything that it gets until it keeps up, as text: "4-6? 7 8 9". */
static const char *catch_up(struct hub_member *member, size_t room)
{
	static char text[1000];
	struct hub_message *m[100];
	size_t at = 0, n;

	text[0] = '\0';
	while (member->behind) {
		struct hub_gap gap = hub_member_gap(member);

		if (gap.is) {
			at += (size_t)sprintf(text + at, "(%d-%d) ",
					      (int)gap.from, (int)gap.to);
			member->served = gap.served;
			member->era = member->channel->era;
			member->lost = false;
			member->whole = member->channel->states;
		}
		n = hub_member_next(member, m, room, 1000000);
		for (size_t i = 0; i < n; i++) {
			struct bytes key = hub_message_key(m[i]);

			at += (size_t)sprintf(
				text + at, "%.*s%s%d ", BYTES_ARG(key),
				m[i]->gone ? "-" : "", (int)m[i]->seq);
			member->served = m[i]->seq;
			drop(m[i]);
		}
		if (n)
			continue;
		member->served = member->channel->last_id;
		member->whole = false;
		hub_member_catch_up(member);
	}
	return text;
}

#define SINCE(w, id, text)                                            \
	do {                                                          \
		hub_member_begin_at(&(w)->member, bytes_of_str(id));  \
		assert_string_equal(catch_up(&(w)->member, 3), text); \
	} while (0)

TEST("whoever comes back gets what is behind its id, or is told of a gap")
{
	struct world w;

	begin(&w, false);
	SINCE(&w, "aaaaaaaa-0", "");
	put_many(&w, 15, 1);
	SINCE(&w, "aaaaaaaa-15", "");
	SINCE(&w, "aaaaaaaa-12", "13 14 15 ");
	SINCE(&w, "aaaaaaaa-5", "6 7 8 9 10 11 12 13 14 15 ");
	SINCE(&w, "aaaaaaaa-4", "(5-5) 6 7 8 9 10 11 12 13 14 15 ");
	SINCE(&w, "aaaaaaaa-0", "(1-5) 6 7 8 9 10 11 12 13 14 15 ");
	SINCE(&w, "aaaaaaaa-16", "(0-0) ");
	SINCE(&w, "aaaaaaaa-9223372036854775808", "(0-0) ");
	SINCE(&w, "aaaaaaaa-999999999999999999999", "(0-0) ");
	SINCE(&w, "aaaaaaaa-99999999999999999999x",
	      "(0-5) 6 7 8 9 10 11 12 13 14 15 ");
	SINCE(&w, "aaaaaaaa-099999999999999999999",
	      "(0-5) 6 7 8 9 10 11 12 13 14 15 ");
	SINCE(&w, "bbbbbbbb-12", "(0-5) 6 7 8 9 10 11 12 13 14 15 ");
	SINCE(&w, "", "(0-5) 6 7 8 9 10 11 12 13 14 15 ");
	end(&w);
}

TEST("messages are held by number, by bytes and by age")
{
	struct world w;

	begin(&w, false);
	put_many(&w, 5, 1);
	put_many(&w, 5, 500);
	hub_table_trim(&w.table, w.channel, 1200);
	SINCE(&w, "aaaaaaaa-0", "(1-5) 6 7 8 9 10 ");
	w.space->rules.history_bytes =
		hub_message_weight(hub_ring_first(&w.channel->ring)) * 2;
	hub_table_trim(&w.table, w.channel, 1200);
	SINCE(&w, "aaaaaaaa-7", "(8-8) 9 10 ");
	w.space->rules.history = 0;
	hub_table_trim(&w.table, w.channel, 1200);
	SINCE(&w, "aaaaaaaa-7", "(8-10) ");
	end(&w);
}

TEST("for those who are behind up to hub.queue is held more")
{
	struct world w;

	begin(&w, false);
	w.space->rules.history = 0;
	put_many(&w, 3, 1);
	assert_int_equal(w.channel->ring.n, 0);
	hub_member_fall_behind(&w.member);
	put_many(&w, 3, 1);
	assert_int_equal(w.channel->ring.n, 3);
	put_many(&w, 100, 1);
	assert_in_range(w.channel->ring.bytes, 1000, 2400);
	w.member.served = 104;
	assert_string_equal(catch_up(&w.member, 1), "105 106 ");
	hub_table_trim(&w.table, w.channel, 1);
	assert_int_equal(w.channel->ring.n, 0);
	end(&w);
}

TEST("a state has the newest of each key, in the order of their numbers")
{
	struct world w;
	const char *all;

	begin(&w, true);
	put(&w, w.channel, "a", "1", 1);
	put(&w, w.channel, "b", "2", 1);
	put(&w, w.channel, "a", "3", 1);
	SINCE(&w, "aaaaaaaa-0", "b2 a3 ");
	SINCE(&w, "aaaaaaaa-2", "a3 ");
	put(&w, w.channel, "b", "", 1);
	SINCE(&w, "aaaaaaaa-2", "a3 b-4 ");
	hub_member_begin_afresh(&w.member);
	all = catch_up(&w.member, 1);
	assert_string_equal(all, "a3 "); /* what is gone is nothing to it */
	SINCE(&w, "bbbbbbbb-2", "(0-0) a3 ");
	assert_int_equal(put(&w, w.channel, "c", "5", 1), HUB_OK);
	/* There is room for three keys: a deletion goes for the fourth. */
	assert_int_equal(put(&w, w.channel, "d", "6", 1), HUB_OK);
	SINCE(&w, "aaaaaaaa-2", "(0-0) a3 c5 d6 ");
	SINCE(&w, "aaaaaaaa-4", "c5 d6 ");
	assert_int_equal(put(&w, w.channel, "e", "7", 1), HUB_STATE_FULL);
	assert_int_equal(put(&w, w.channel, "d", "8", 1), HUB_OK);
	SINCE(&w, "aaaaaaaa-5", "d7 ");
	end(&w);
}

TEST("a deletion is forgotten after a while, and who is behind it gets all")
{
	struct world w;

	begin(&w, true);
	put(&w, w.channel, "a", "1", 1);
	put(&w, w.channel, "b", "2", 1);
	put(&w, w.channel, "a", "", 1);
	SINCE(&w, "aaaaaaaa-2", "a-3 ");
	hub_table_trim(&w.table, w.channel, HUB_GONE_MS + 2);
	SINCE(&w, "aaaaaaaa-2", "(0-0) b2 ");
	SINCE(&w, "aaaaaaaa-3", "");
	assert_int_equal(w.channel->state->map.n, 1);
	end(&w);
}

TEST("another epoch is a gap that nobody knows, for who was in it too")
{
	struct world w;

	begin(&w, false);
	put_many(&w, 5, 1);
	w.member.served = 5;
	hub_table_renew(&w.table, w.channel, &(struct hub_epoch){"bbbbbbbb"}, 7);
	hub_member_fall_behind(&w.member);
	put_many(&w, 2, 1);
	assert_string_equal(catch_up(&w.member, 3), "(0-7) 8 9 ");
	end(&w);
}

TEST("channels that hold something outlive their members, and make room")
{
	struct world w;
	struct hub_channel *c;

	begin(&w, false);
	put_many(&w, 5, 1);
	assert_int_equal(hub_table_use(&w.table, w.space, BYTES("b"), &c),
			 HUB_OK);
	put(&w, c, NULL, "x", 1);
	hub_table_done(&w.table, c, 1);
	assert_ptr_equal(hub_table_find(&w.table, w.space, BYTES("b")), c);
	assert_int_equal(hub_table_use(&w.table, w.space, BYTES("c"), &c),
			 HUB_OK);
	hub_table_done(&w.table, c, 1);
	assert_null(hub_table_find(&w.table, w.space, BYTES("c")));
	assert_int_equal(hub_table_use(&w.table, w.space, BYTES("c"), &c),
			 HUB_OK);
	put(&w, c, NULL, "x", 1);
	hub_table_done(&w.table, c, 1);
	/* Three there are; the oldest without members goes. */
	assert_int_equal(
		hub_table_join(&w.table, w.space, BYTES("d"), 0, &w.other),
		HUB_OK);
	assert_int_equal(w.table.n_evicted, 1);
	assert_null(hub_table_find(&w.table, w.space, BYTES("b")));
	assert_non_null(hub_table_find(&w.table, w.space, BYTES("c")));
	hub_table_sweep(&w.table, 1000, 2000);
	assert_null(hub_table_find(&w.table, w.space, BYTES("c")));
	assert_int_equal(w.table.n, 2);
	end(&w);
}

TEST("what comes to a channel that nobody is in takes room from others")
{
	struct hub_channel *c[2];
	struct world w;

	begin(&w, false);
	w.space->rules.history = 100;
	w.space->rules.kept = 3000;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hub_table_use(&w.table, w.space,
					       bytes_of_str(i ? "c" : "b"),
					       &c[i]),
				 HUB_OK);
		put(&w, c[i], NULL, "x", 1);
		hub_table_done(&w.table, c[i], 1);
	}
	for (int i = 0; i < 100; i++)
		put(&w, c[0], NULL, "of another node", 1);
	assert_ptr_equal(hub_table_find(&w.table, w.space, BYTES("b")), c[0]);
	assert_null(hub_table_find(&w.table, w.space, BYTES("c")));
	assert_int_equal(c[0]->last_id, 101);
	assert_in_range(w.space->kept, 1000, 3000);
	end(&w);
}

TEST("all channels of a space hold no more than they may")
{
	struct world w;
	char name[16];

	begin(&w, false);
	w.space->rules.channels = 1000;
	w.space->rules.kept = 20000;
	for (int i = 0; i < 500; i++) {
		struct hub_channel *c;

		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(hub_table_use(&w.table, w.space,
					       bytes_of_str(name), &c),
				 HUB_OK);
		for (int k = 0; k < 5; k++)
			put(&w, c, NULL, "some text", 1);
		hub_table_done(&w.table, c, 1);
		assert_in_range(w.space->kept, 0, 20000);
	}
	assert_true(w.table.n_evicted > 450);
	w.space->rules.history = 1000;
	put_many(&w, 1000, 1);
	assert_in_range(w.space->kept, 15000, 20000);
	assert_int_equal(w.table.n, 1);
	end(&w);
}

TEST("a bucket lets through as many as its rate, and tells how long to wait")
{
	struct hub_bucket b = {0};
	struct hub_rate rate = {10, 1000};
	uint64_t wait = 0;

	for (int i = 0; i < 10; i++)
		assert_true(hub_bucket_take(&b, rate, 1, 5000, &wait));
	assert_false(hub_bucket_take(&b, rate, 1, 5000, &wait));
	assert_int_equal(wait, 100);
	assert_false(hub_bucket_take(&b, rate, 1, 4000, &wait));
	assert_true(hub_bucket_take(&b, rate, 1, 5100, &wait));
	assert_false(hub_bucket_take(&b, rate, 1, 5150, &wait));
	assert_false(hub_bucket_take(&b, rate, 11, 9000, &wait));
	assert_true(hub_bucket_take(&b, rate, 10, 9000, &wait));
	assert_true(hub_bucket_take(&b, (struct hub_rate){0, 0}, 99, 0, NULL));
}

TEST("a key of a POST is found until it is too old, or others came")
{
	struct hub_receipts r = {0};
	struct hub_noted n = {{1, 2}, 3, 4, 5, 1000};

	assert_null(hub_receipts_find(&r, 1, 1000));
	assert_true(hub_receipts_add(&r, &n));
	assert_int_equal(hub_receipts_find(&r, 1, 1000)->seq, 3);
	assert_null(hub_receipts_find(&r, 2, 1000));
	assert_null(hub_receipts_find(&r, 1, 1000 + HUB_RECEIPT_MS));
	for (uint64_t i = 2; i < 2 + HUB_RECEIPTS_MAX; i++) {
		n.key[0] = i;
		assert_true(hub_receipts_add(&r, &n));
	}
	assert_null(hub_receipts_find(&r, 1, 1000));
	assert_non_null(hub_receipts_find(&r, 2, 1000));
	assert_int_equal(r.n, HUB_RECEIPTS_MAX);
	hub_receipts_fini(&r);
}

static void publish(struct hub_receipts *r, uint32_t who, uint64_t from,
		    uint64_t n)
{
	for (uint64_t key = from; key < from + n; key++) {
		struct hub_noted noted = {{key, 0}, key, 1, who, 1000};

		assert_true(hub_receipts_add(r, &noted));
	}
}

static uint64_t known(const struct hub_receipts *r, uint64_t from, uint64_t n)
{
	uint64_t many = 0;

	for (uint64_t key = from; key < from + n; key++) {
		const struct hub_noted *noted = hub_receipts_find(r, key, 1000);

		assert_true(!noted || noted->seq == key);
		many += noted != NULL;
	}
	return many;
}

TEST("who publishes under very many keys pushes out its own and nobody else's")
{
	struct hub_receipts r = {0};

	publish(&r, 1, 1000000, 5);
	publish(&r, 2, 2000000, 5000);
	publish(&r, 1, 1000005, 5);
	publish(&r, 2, 2005000, 5000);
	assert_int_equal(known(&r, 1000000, 10), 10);
	assert_int_equal(known(&r, 2009000, 1000), 1000);
	/* Two who do share what there is. */
	publish(&r, 3, 3000000, 5000);
	assert_int_equal(known(&r, 1000000, 10), 10);
	assert_in_range(known(&r, 2000000, 10000), 506, 508);
	assert_in_range(known(&r, 3000000, 5000), 506, 508);
	assert_int_equal(known(&r, 3004500, 500), 500);
	assert_int_equal(r.n, HUB_RECEIPTS_MAX);
	hub_receipts_fini(&r);
}
