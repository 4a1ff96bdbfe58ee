/* SPDX-License-Identifier: MIT */
/*
 * Answers that are lost on their way from Redis: whoever published is told of
 * the place that the message has, and each is published once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/redis.h"
#include "net/loop.h"
#include "redis_relay.h"
#include "test.h"

#define POSTS 16

static const struct hub_rules rules_of[] = {
	/* Less than is published. */
	{.channels = 9,
	 .members = 9,
	 .queue = 1 << 20,
	 .kept = 1 << 20,
	 .history = 4,
	 .history_bytes = 1 << 20,
	 .history_ms = 60000},
	{.channels = 9, .members = 9, .queue = 1 << 20, .kept = 1 << 20},
	{.channels = 9,
	 .members = 9,
	 .queue = 1 << 20,
	 .kept = 1 << 20,
	 .states = true,
	 .keys = 9,
	 .history_bytes = 1 << 20,
	 .history_ms = 60000},
};

enum sort { SHORT, NONE, STATES };

struct said {
	struct hub_ticket ticket;
	struct hub_receipt receipt;
	bool over;
};

struct play {
	struct redis_server server;
	struct redis_relay relay;
	struct hub_backplane *backplane;
	struct hub *hub;
	struct hub_space *space[3];
	struct hub_seat *seat;
	struct sesame_loop *loop;
	struct said said[POSTS];
	unsigned n_said;
};

static enum hub_taken deliver(struct hub_member *member,
			      const struct hub_parcel *parcel)
{
	return HUB_TAKEN;
}

static void ignore(struct hub_member *member)
{
}

static void begin(struct play *p, bool keeps, bool waits)
{
	static const struct hub_events events = {
		.deliver = deliver,
		.go_on = ignore,
		.ready = ignore,
	};
	static const char *const names[] = {"short", "none", "states"};
	struct hub_redis_options options = {.url = p->relay.url};
	char text[200];

	p->n_said = 0;
	redis_server_start(&p->server, keeps);
	redis_relay_start(&p->relay, &p->server, waits);
	p->backplane = hub_redis_new(&options, text, sizeof(text));
	assert_non_null(p->backplane);
	p->hub = hub_new(1, &events, p->backplane);
	assert_non_null(p->hub);
	p->loop = sesame_loop_new();
	p->seat = hub_take_seat(p->hub, 0, p->loop);
	for (int i = 0; i < 3; i++)
		p->space[i] = hub_find_space(p->hub, names[i], &rules_of[i]);
}

static void end(struct play *p)
{
	hub_stop(p->hub);
	hub_free(p->hub);
	sesame_loop_free(p->loop);
	redis_relay_stop(&p->relay);
	redis_server_stop(&p->server);
}

static void on_done(struct hub_ticket *ticket)
{
	ses_container_of(ticket, struct said, ticket)->over = true;
}

/* One message for each letter of @keys; a state's has that for its key.
 * @once: an Idempotency-Key, or NULL. */
static struct said *post_once(struct play *p, enum sort sort,
			      const char *channel, const char *keys,
			      const char *once)
{
	struct said *said = &p->said[p->n_said++];
	struct hub_content content[8];
	size_t n = strlen(keys);
	char text[8][16];
	enum hub_verdict verdict;

	for (size_t i = 0; i < n; i++) {
		if (once)
			snprintf(text[i], sizeof(text[i]), "%s", once);
		else
			snprintf(text[i], sizeof(text[i]), "%u.%zu", p->n_said,
				 i);
		content[i] = (struct hub_content){
			.kind = SESAME_TEXT,
			.payload = bytes_of_str(text[i]),
			.key = bytes_of(sort == STATES ? keys + i : NULL,
					sort == STATES),
		};
	}
	*said = (struct said){.ticket = {.done = on_done}};
	verdict = hub_publish_to(p->seat, p->space[sort], bytes_of_str(channel),
				 content, n,
				 bytes_of(once, once ? strlen(once) : 0),
				 &said->ticket, &said->receipt);
	assert_int_equal(verdict, HUB_LATER);
	return said;
}

static struct said *post(struct play *p, enum sort sort, const char *channel,
			 const char *keys)
{
	return post_once(p, sort, channel, keys, NULL);
}

static void wait_a_moment(struct play *p)
{
	sesame_loop_turn(p->loop, 5);
}

/* Until Redis has given this number in a channel. */
static void wait_for_seq(struct play *p, const char *tag, unsigned seq)
{
	char command[100], answer[100], expected[20];

	snprintf(command, sizeof(command), "HGET \"sesame:{%s}:h\" seq", tag);
	snprintf(expected, sizeof(expected), "\r\n%u\r\n", seq);
	for (int i = 0; i < 1000; i++, wait_a_moment(p)) {
		redis_server_ask(&p->server, command, answer, sizeof(answer));
		if (strstr(answer, expected))
			return;
	}
	fail_msg("%s never came to %u", tag, seq);
}

static void wait_for_answers(struct play *p)
{
	for (unsigned i = 0; i < p->n_said; i++)
		for (int n = 0; !p->said[i].over; n++, wait_a_moment(p))
			if (n == 2000)
				fail_msg("%u was never answered", i);
}

static void wait_until(struct play *p, bool up)
{
	struct hub_redis_figures f = {.up = !up};

	for (int i = 0; f.up != up; i++, wait_a_moment(p)) {
		hub_redis_count(p->backplane, &f);
		assert_true(i < 2000);
	}
}

/* What a channel holds here, as JSON. */
static void read_history(struct play *p, enum sort sort, const char *channel,
			 char *out, size_t size)
{
	struct ses_buf json;
	struct bytes text;

	ses_buf_init(&json, 65536);
	assert_int_equal(hub_history_of(p->seat, p->space[sort],
					bytes_of_str(channel),
					bytes_of(NULL, 0), 100, &json),
			 0);
	text = ses_buf_bytes(&json);
	snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
	ses_buf_fini(&json);
}

/* Until it is known here that @channel holds up to @seq. */
static void wait_for_history(struct play *p, enum sort sort,
			     const char *channel, unsigned seq)
{
	char text[4096], expected[20];

	snprintf(expected, sizeof(expected), "-%u\",\"messages\"", seq);
	for (int i = 0; i < 1000; i++, wait_a_moment(p)) {
		read_history(p, sort, channel, text, sizeof(text));
		if (strstr(text, expected))
			return;
	}
	fail_msg("%s never came to %u: %s", channel, seq, text);
}

static void assert_at(const struct said *said, uint64_t seq)
{
	assert_int_equal(said->ticket.verdict, HUB_OK);
	assert_int_equal(said->ticket.receipt.seq, seq);
}

static void lose_answers(struct play *p, bool loses)
{
	atomic_store(&p->relay.loses_answers, loses);
	atomic_store(&p->relay.loses_told, loses);
}

#define NEEDS_REDIS()                \
	if (!redis_server_is_here()) \
	skip()

TEST("what some posts became is known though all answers were lost")
{
	struct said *first, *second, *third, *other, *later, *held, *fresh;
	char text[4096];
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, true);
	/* These three go together, for nothing is answered yet. */
	first = post(&p, SHORT, "a", "xx");
	second = post(&p, SHORT, "a", "x");
	third = post(&p, SHORT, "a", "xxx");
	other = post(&p, SHORT, "b", "xx");
	lose_answers(&p, true);
	atomic_store(&p.relay.waits, false);
	wait_for_seq(&p, "short a", 6);
	wait_for_seq(&p, "short b", 2);
	/* By now history has no more of the first ones. */
	later = post(&p, SHORT, "a", "xx");
	wait_for_seq(&p, "short a", 8);
	/* And these never arrive. */
	atomic_store(&p.relay.loses_orders, true);
	held = post(&p, SHORT, "a", "xx");
	fresh = post(&p, SHORT, "c", "x");
	while (!atomic_load(&p.relay.lost))
		wait_a_moment(&p);
	redis_relay_cut(&p.relay);
	atomic_store(&p.relay.loses_orders, false);
	lose_answers(&p, false);
	wait_for_answers(&p);
	assert_at(first, 1);
	assert_at(second, 3);
	assert_at(third, 4);
	assert_at(other, 1);
	assert_at(later, 7);
	assert_at(held, 9);
	assert_at(fresh, 1);
	wait_for_history(&p, SHORT, "a", 10);
	read_history(&p, SHORT, "a", text, sizeof(text));
	assert_non_null(strstr(text, "\"data\":\"5.0\""));
	assert_non_null(strstr(text, "\"data\":\"6.1\""));
	assert_null(strstr(text, "\"data\":\"3.2\""));
	wait_for_seq(&p, "short c", 1);
	redis_server_tell(&p.server, "XLEN \"sesame:{short a}:m\"", ":4\r\n");
	redis_server_tell(&p.server, "PTTL \"sesame:{short a}:m\"", ":5");
	end(&p);
}

TEST("a message whose first neighbours are gone by now is known by its place")
{
	struct said *first, *second;
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, true);
	first = post(&p, SHORT, "a", "xx");
	second = post(&p, SHORT, "a", "xxxx");
	lose_answers(&p, true);
	atomic_store(&p.relay.waits, false);
	wait_for_seq(&p, "short a", 6);
	/* It hears what the channel holds, and no answer. */
	atomic_store(&p.relay.loses_told, false);
	redis_relay_cut(&p.relay);
	wait_until(&p, false);
	wait_for_history(&p, SHORT, "a", 6);
	atomic_store(&p.relay.loses_answers, false);
	redis_relay_cut(&p.relay);
	wait_for_answers(&p);
	assert_at(first, 1);
	assert_at(second, 3);
	end(&p);
}

TEST("what became of states and of what nobody keeps is known as well")
{
	struct said *twice, *again, *none, *more;
	char text[4096];
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, false);
	wait_until(&p, true);
	lose_answers(&p, true);
	twice = post(&p, STATES, "s", "kjk");
	wait_for_seq(&p, "states s", 3);
	again = post(&p, STATES, "s", "j");
	none = post(&p, NONE, "n", "xx");
	wait_for_seq(&p, "states s", 4);
	wait_for_seq(&p, "none n", 2);
	more = post(&p, NONE, "n", "x");
	wait_for_seq(&p, "none n", 3);
	redis_relay_cut(&p.relay);
	lose_answers(&p, false);
	wait_for_answers(&p);
	assert_at(twice, 1);
	assert_at(again, 4);
	assert_at(none, 1);
	assert_at(more, 3);
	wait_for_history(&p, STATES, "s", 4);
	read_history(&p, STATES, "s", text, sizeof(text));
	assert_non_null(strstr(text, "\"data\":\"1.2\""));
	assert_non_null(strstr(text, "\"data\":\"2.0\""));
	end(&p);
}

/* One post is performed and its answer is lost, and one never arrives. */
static void lose_both(struct play *p, struct said **ret_done,
		      struct said **ret_lost)
{
	wait_until(p, true);
	lose_answers(p, true);
	*ret_done = post(p, SHORT, "a", "xx");
	wait_for_seq(p, "short a", 2);
	atomic_store(&p->relay.loses_orders, true);
	*ret_lost = post(p, SHORT, "b", "x");
	while (!atomic_load(&p->relay.lost))
		wait_a_moment(p);
}

/* The server comes back, and so does the way to it. */
static void come_back(struct play *p)
{
	redis_server_kill(&p->server);
	redis_relay_cut(&p->relay);
	atomic_store(&p->relay.loses_orders, false);
	lose_answers(p, false);
	redis_server_again(&p->server);
	wait_for_answers(p);
}

TEST("what a broken connection still brings is not published a second time")
{
	struct said *first, *held, *next;
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, false);
	wait_until(&p, true);
	first = post(&p, SHORT, "a", "x");
	wait_for_answers(&p);
	atomic_store(&p.relay.holds_orders, true);
	held = post(&p, SHORT, "a", "xx");
	while (!atomic_load(&p.relay.held))
		wait_a_moment(&p);
	redis_relay_cut(&p.relay);
	wait_for_answers(&p);
	redis_relay_let_go(&p.relay);
	next = post(&p, SHORT, "a", "x");
	wait_for_answers(&p);
	assert_at(first, 1);
	assert_at(held, 2);
	assert_at(next, 4);
	end(&p);
}

TEST("a server that has forgotten all is asked, and publishes nothing again")
{
	struct said *done, *lost;
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, false);
	lose_both(&p, &done, &lost);
	come_back(&p);
	assert_int_equal(done->ticket.verdict, HUB_UNKNOWN);
	assert_int_equal(lost->ticket.verdict, HUB_UNKNOWN);
	redis_server_tell(&p.server, "EXISTS \"sesame:{short a}:m\"", ":0");
	redis_server_tell(&p.server, "EXISTS \"sesame:{short b}:m\"", ":0");
	end(&p);
}

TEST("a server that was restarted knows what it has kept, in another epoch")
{
	struct said *done, *lost, *next;
	struct play p;

	NEEDS_REDIS();
	begin(&p, true, false);
	lose_both(&p, &done, &lost);
	come_back(&p);
	assert_at(done, 1);
	assert_int_equal(lost->ticket.verdict, HUB_UNKNOWN);
	redis_server_tell(&p.server, "XLEN \"sesame:{short a}:m\"", ":2");
	redis_server_tell(&p.server, "EXISTS \"sesame:{short b}:m\"", ":0");
	next = post(&p, SHORT, "a", "x");
	wait_for_answers(&p);
	assert_at(next, 3);
	assert_string_not_equal(next->ticket.receipt.epoch.text,
				done->ticket.receipt.epoch.text);
	end(&p);
}

TEST("a refusal says nothing of what was sent before")
{
	struct said *done, *lost, *fresh;
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, false);
	lose_both(&p, &done, &lost);
	redis_server_tell(&p.server, "ACL SETUSER default -evalsha", "+OK");
	atomic_store(&p.relay.waits, true);
	redis_relay_cut(&p.relay);
	atomic_store(&p.relay.loses_orders, false);
	lose_answers(&p, false);
	atomic_store(&p.relay.waits, false);
	wait_for_answers(&p);
	assert_int_equal(done->ticket.verdict, HUB_UNKNOWN);
	assert_int_equal(lost->ticket.verdict, HUB_UNKNOWN);
	wait_until(&p, true);
	fresh = post(&p, SHORT, "c", "x");
	wait_for_answers(&p);
	assert_int_equal(fresh->ticket.verdict, HUB_UNAVAILABLE);
	end(&p);
}

TEST("each Idempotency-Key is its own, however many wait together")
{
	struct said *one, *two, *again;
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, true);
	one = post_once(&p, SHORT, "a", "x", "one");
	two = post_once(&p, SHORT, "a", "xx", "two");
	atomic_store(&p.relay.waits, false);
	wait_for_answers(&p);
	again = post_once(&p, SHORT, "a", "xx", "two");
	wait_for_answers(&p);
	assert_at(one, 1);
	assert_at(two, 2);
	assert_at(again, 2);
	assert_true(again->ticket.receipt.repeated);
	assert_int_equal(again->ticket.receipt.n, 2);
	assert_false(two->ticket.receipt.repeated);
	wait_for_seq(&p, "short a", 3);
	end(&p);
}

TEST("what was given up after five seconds is not published later")
{
	struct said *late, *next;
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, false);
	wait_until(&p, true);
	post(&p, SHORT, "a", "x");
	wait_for_answers(&p);
	atomic_store(&p.relay.waits, true);
	late = post(&p, SHORT, "a", "x");
	wait_for_answers(&p);
	assert_int_equal(late->ticket.verdict, HUB_UNKNOWN);
	/* Now it arrives. */
	atomic_store(&p.relay.waits, false);
	wait_until(&p, true);
	next = post(&p, SHORT, "a", "x");
	wait_for_answers(&p);
	assert_at(next, 2);
	end(&p);
}

TEST("what a server forgot that followed another one is not published again")
{
	struct redis_server other;
	struct said *kept, *lost;
	struct play p;

	NEEDS_REDIS();
	begin(&p, false, false);
	wait_until(&p, true);
	kept = post(&p, SHORT, "a", "x");
	wait_for_answers(&p);
	redis_server_start(&other, false);
	redis_server_take_over(&other, &p.server);
	lose_answers(&p, true);
	lost = post(&p, SHORT, "a", "x");
	wait_for_seq(&p, "short a", 2);
	redis_server_take_over(&p.server, &other);
	redis_relay_cut(&p.relay);
	lose_answers(&p, false);
	wait_for_answers(&p);
	assert_at(kept, 1);
	assert_int_equal(lost->ticket.verdict, HUB_UNKNOWN);
	wait_for_seq(&p, "short a", 1);
	redis_server_stop(&other);
	end(&p);
}
