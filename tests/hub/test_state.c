/* SPDX-License-Identifier: MIT */
/* The values of a state by their numbers: in their order, and none twice,
 * whatever was changed, deleted or forgotten; and what a walk over them costs. */
#include "hub/state.h"

#include <stdio.h>
#include <stdlib.h>

#include "hub/hub_inner.h"
#include "net/clock.h"
#include "test.h"

static const uint8_t seed[SES_HASH_SEED] = "not so very secr";

static void drop(struct hub_message *m)
{
	if (hub_message_unref(m))
		hub_message_free(m);
}

static void put(struct hub_state *s, uint64_t seq, unsigned key, bool gone)
{
	char text[16];
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.key = bytes_of(text, (size_t)sprintf(text, "k%u", key)),
		.payload = gone ? BYTES("") : BYTES("v"),
		.gone = gone,
	};
	struct hub_message *m = hub_message_new(&content, 1), *old;

	assert_non_null(m);
	m->seq = seq;
	m->time_ms = (int64_t)seq;
	assert_true(hub_state_put(s, m, &old));
	if (old)
		drop(old);
}

/* ---- Its order ---- */

#define KEYS 50

/* For each key its newest number, as it has to be; 0: none. */
struct book {
	uint64_t seq[KEYS];
	bool gone[KEYS];
};

static void assert_holds(const struct hub_state *s, const struct book *book,
			 uint64_t after, bool deletions)
{
	size_t at = hub_state_after(s, after), n = 0, wanted = 0;
	struct hub_message *m;
	uint64_t last = after;

	for (unsigned i = 0; i < KEYS; i++)
		wanted += book->seq[i] > after && (deletions || !book->gone[i]);
	while ((m = hub_state_step(s, &at, deletions))) {
		uint64_t key;

		assert_true(bytes_to_u64(bytes_from(hub_message_key(m), 1),
					 KEYS - 1, &key));
		assert_true(m->seq > last);
		assert_int_equal(m->seq, book->seq[key]);
		last = m->seq;
		n++;
	}
	assert_int_equal(n, wanted);
}

TEST("behind each number stand the newest of all keys, whatever was changed")
{
	struct book book = {{0}, {0}};
	struct hub_state s;

	hub_state_init(&s, seed);
	srand(7);
	for (uint64_t seq = 1; seq < 5000; seq++) {
		/* At times of few keys, so that others are left behind. */
		unsigned few = seq / 500 % 2 ? 3 : KEYS;
		unsigned key = (unsigned)rand() % few;

		book.seq[key] = seq;
		book.gone[key] = rand() % 4 == 0;
		put(&s, seq, key, book.gone[key]);
		if (seq % 700 == 0) {
			hub_state_age(&s, (int64_t)seq - 100, drop);
			for (unsigned i = 0; i < KEYS; i++)
				if (book.gone[i] && book.seq[i] < seq - 100)
					book.seq[i] = 0;
		}
		if (seq % 37)
			continue;
		assert_int_equal(hub_state_newest(&s)->seq, seq);
		assert_holds(&s, &book, 0, true);
		assert_holds(&s, &book, seq - seq % 100, false);
		assert_holds(&s, &book, (uint64_t)rand() % seq, true);
		assert_holds(&s, &book, seq, true);
	}
	hub_state_clear(&s, drop);
	hub_state_init(&s, seed);
	assert_null(hub_state_newest(&s));
	assert_int_equal(hub_state_after(&s, 0), 0);
	hub_state_clear(&s, drop);
}

/* ---- What it costs ---- */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Join a state of so many keys, and take them as a slow reader does. */
static double join(unsigned keys)
{
	struct hub_table t;
	struct hub_member member = {0};
	struct hub_space *space;
	struct hub_message *m[64];
	size_t n, all = 0;
	double begin;

	assert_true(hub_table_init(&t, 1, seed));
	space = hub_table_space(&t, "/chat/*");
	space->rules = (struct hub_rules){
		.channels = 1,
		.members = 1,
		.states = true,
		.history_ms = 1000,
		.kept = 1 << 30,
	};
	assert_int_equal(hub_table_join(&t, space, BYTES("a"), 0, &member),
			 HUB_OK);
	hub_table_renew(&t, member.channel, &(struct hub_epoch){"aaaaaaaa"}, 0);
	for (unsigned i = 0; i < keys; i++)
		put(member.channel->state, i + 1, i, false);
	member.channel->last_id = keys;
	hub_member_begin_afresh(&member);
	begin = seconds();
	while ((n = hub_member_next(&member, m, 64, 65536))) {
		member.served = m[n - 1]->seq;
		all += n;
		while (n)
			drop(m[--n]);
	}
	begin = seconds() - begin;
	assert_int_equal(all, keys);
	hub_state_clear(member.channel->state, drop);
	hub_state_init(member.channel->state, seed);
	hub_table_leave(&t, &member, INT64_C(1) << 40);
	hub_table_sweep(&t, 1000, INT64_C(1) << 40);
	hub_table_fini(&t);
	return begin;
}

TEST("ten times as many keys are read in some ten times the time")
{
	double least = 1e9;

	for (int i = 0; i < 5 && least > 40; i++) {
		double few = join(10000), many = join(100000);

		if (few > 0 && many / few < least)
			least = many / few;
		if (getenv("SESAME_TELL"))
			print_message(
				"10,000 keys: %.2f ms, 100,000: %.2f ms\n",
				few * 1e3, many * 1e3);
	}
	/* A hundred times is what a search from one end for each part costs. */
	assert_in_range((unsigned)least, 0, 40);
}

/* ---- What comes from elsewhere ---- */

#define MANY 50000

static enum hub_taken deliver(struct hub_member *member,
			      const struct hub_parcel *parcel)
{
	return HUB_TAKEN;
}

/* Of one the number is out of order. */
static void write_standing(struct hub_standing *s, char letter)
{
	static struct hub_message *m[MANY];
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = BYTES("v"),
	};
	char key[16];

	*s = (struct hub_standing){
		.epoch = {"aaaaaaaa"},
		.last_id = MANY,
		.message = m,
		.n = MANY,
		.whole = true,
	};
	for (unsigned i = 0; i < MANY; i++) {
		content.key =
			bytes_of(key, (size_t)sprintf(key, "%c%u", letter, i));
		m[i] = hub_message_new(&content, 1);
		m[i]->seq = i == 7 ? 3 : i + 1;
		m[i]->time_ms = ses_clock_wall_ms();
	}
}

static void drop_standing(struct hub_standing *s)
{
	hub_forget_prepared(s);
	for (size_t i = 0; i < s->n; i++)
		drop(s->message[i]);
}

/* In how much time, with the lock held. */
static double bring(struct hub *hub, struct hub_channel *c,
		    struct hub_standing *s)
{
	double begin;

	hub_lock(hub);
	begin = seconds();
	hub_bring_standing(hub, c, s);
	begin = seconds() - begin;
	hub_unlock(hub);
	return begin;
}

TEST("a large state that comes as a whole holds nobody up, and is all there")
{
	static const struct hub_events events = {.deliver = deliver};
	const struct hub_rules rules = {
		.channels = 1,
		.members = 1,
		.states = true,
		.keys = MANY,
		.history_bytes = 1 << 30,
		.history_ms = 600000,
		.queue = 1 << 20,
		.kept = 1 << 30,
	};
	struct hub *hub = hub_new(1, &events, hub_memory_new());
	struct sesame_loop *loop = sesame_loop_new();
	struct hub_seat *seat = hub_take_seat(hub, 0, loop);
	struct hub_space *space = hub_find_space(hub, "s", &rules);
	struct hub_member member = {0};
	char you[HUB_WHO_SIZE] = "ann";
	struct hub_figures unprepared, prepared;
	struct hub_standing s;
	double slow, fast;

	assert_int_equal(hub_join(seat, space, BYTES("a"), you, &member),
			 HUB_OK);
	write_standing(&s, 'a');
	slow = bring(hub, member.channel, &s);
	drop_standing(&s);
	hub_count(hub, &unprepared);
	assert_int_equal(member.channel->state->map.n, MANY - 1);
	write_standing(&s, 'b');
	hub_prepare(hub, &s);
	fast = bring(hub, member.channel, &s);
	drop_standing(&s);
	hub_count(hub, &prepared);
	assert_int_equal(member.channel->state->map.n, MANY - 1);
	assert_int_equal(hub_state_newest(member.channel->state)->seq, MANY);
	assert_string_equal(member.channel->epoch.text, "aaaaaaaa");
	assert_int_equal(prepared.kept_bytes, unprepared.kept_bytes);
	if (getenv("SESAME_TELL"))
		print_message("%u keys: %.3f ms with the lock held, %.3f ms "
			      "once they are prepared\n",
			      MANY, slow * 1e3, fast * 1e3);
	assert_true(fast * 20 < slow);
	hub_leave(seat, &member);
	hub_stop(hub);
	sesame_loop_free(loop);
	hub_free(hub);
}
