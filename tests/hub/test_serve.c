/* SPDX-License-Identifier: MIT */
/*
 * Members that take little at a time, in several threads: each gets every
 * message once and in order, or is told of a gap. And a backplane that answers
 * late, for what the hub may not take for granted.
 */
#include "stage.h"
#include "story.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/loop.h"

#define N_SEATS	   3
#define N_MEMBERS  6 /* at each seat */
#define N_MESSAGES 1500

struct reader {
	struct hub_member member;
	struct crew *crew;
	unsigned room, most; /* messages it takes at a time */
	uint64_t next;	     /* the number that has to come */
	uint64_t n_got, n_missed;
	bool wrong;
	char last[300]; /* the latest envelope */
};

struct crew {
	struct hub_seat *seat;
	struct sesame_loop *loop;
	pthread_t thread;
	unsigned published;
	struct reader reader[N_MEMBERS];
	struct sesame_timer *stay;
};

static atomic_uint n_done, n_together;

static void drain(void *arg)
{
	struct reader *r = arg;

	r->room = r->most;
	if (r->member.channel)
		hub_drained(r->crew->seat, &r->member);
}

static void look_at(struct reader *r, const char *text)
{
	const char *id = strstr(text, "\"id\":\""),
		   *to = strstr(text, "\"to\"");
	unsigned long long n = 0;

	if (strstr(text, "\"type\":\"message\"")) {
		sscanf(strchr(id, '-'), "-%llu", &n);
		r->wrong |= n != r->next;
		r->next = n + 1;
		r->n_got++;
	} else if (strstr(text, "\"type\":\"gap\"") && strchr(to, '-')) {
		sscanf(strchr(to, '-'), "-%llu", &n);
		r->n_missed += n + 1 - r->next;
		r->next = n + 1;
	}
}

static enum hub_taken deliver(struct hub_member *member,
			      const struct hub_parcel *p)
{
	struct reader *r = ses_container_of(member, struct reader, member);
	struct bytes left = p->frames;
	size_t n = p->n ? p->n : 1;

	if (r->room < n)
		return HUB_NOT_TAKEN;
	atomic_fetch_add(&n_together, n > 1);
	for (size_t i = 0; i < n; i++) {
		left = story_take_frame(left, r->last, sizeof(r->last));
		look_at(r, r->last);
	}
	assert_int_equal(left.len, 0);
	r->room -= (unsigned)n;
	if (r->room)
		return HUB_TAKEN;
	assert_int_equal(ses_loop_post(r->crew->loop, drain, r), 0);
	return HUB_TAKEN_LAST;
}

static void missed(struct hub_member *member, uint64_t n, bool conflated)
{
}

static void go_on(struct hub_member *member)
{
}

static void ready(struct hub_member *member)
{
	struct reader *r = ses_container_of(member, struct reader, member);

	assert_true(hub_begin(r->crew->seat, member, "x", bytes_of(NULL, 0)));
}

static const struct hub_events events = {
	.deliver = deliver,
	.go_on = go_on,
	.ready = ready,
	.missed = missed,
};

static struct hub_rules rules = {
	.channels = 100,
	.members = 100,
	.queue = 64 << 20,
	.kept = 256 << 20,
};

static void join(struct crew *c, struct hub_space *space, struct reader *r,
		 unsigned most)
{
	char you[HUB_WHO_SIZE] = "";

	r->crew = c;
	r->room = r->most = most;
	r->next = 1;
	r->member.echo = r->member.envelopes = true;
	assert_int_equal(
		hub_join(c->seat, space, BYTES("lobby"), you, &r->member),
		HUB_OK);
}

static void publish(void *arg)
{
	struct crew *c = arg;
	struct hub_receipt receipt;
	enum hub_verdict verdict;

	for (int i = 0; i < 10; i++, c->published++) {
		struct hub_member *from = &c->reader[0].member;
		struct hub_content content = {
			.kind = SESAME_TEXT,
			.payload = BYTES("hello"),
			.sender = from->id,
		};

		verdict = hub_publish(c->seat, from, &content, NULL, &receipt);
		assert_true(verdict == HUB_OK || verdict == HUB_LATER);
	}
	if (c->published < N_MESSAGES)
		assert_int_equal(ses_loop_post(c->loop, publish, c), 0);
	else
		atomic_fetch_add(&n_done, 1);
}

/* When all were published and all have caught up. */
static void finish(void *arg)
{
	struct crew *c = arg;
	bool behind = atomic_load(&n_done) < N_SEATS;

	for (size_t i = 0; i < N_MEMBERS && !behind; i++)
		behind = c->reader[i].next <= N_SEATS * N_MESSAGES;
	if (behind) {
		assert_int_equal(ses_loop_post(c->loop, finish, c), 0);
		return;
	}
	for (size_t i = 0; i < N_MEMBERS; i++)
		hub_leave(c->seat, &c->reader[i].member);
	sesame_timer_stop(c->stay);
	sesame_loop_stop(c->loop);
}

static void too_late(void *arg)
{
	fail_msg("the test takes too long");
}

static pthread_barrier_t all_begun;

static void *work(void *arg)
{
	struct crew *c = arg;

	for (size_t i = 0; i < N_MEMBERS; i++) {
		struct hub_member *m = &c->reader[i].member;

		while (!m->begun &&
		       !hub_begin(c->seat, m, "x", bytes_of(NULL, 0)))
			sesame_loop_turn(c->loop, 5);
	}
	pthread_barrier_wait(&all_begun);
	ses_loop_post(c->loop, publish, c);
	ses_loop_post(c->loop, finish, c);
	sesame_loop_run(c->loop);
	return NULL;
}

static void play(uint64_t queue, struct crew *crew)
{
	struct hub *hub = hub_new(N_SEATS, &events, stage_backplane());
	struct hub_space *space;

	pthread_barrier_init(&all_begun, NULL, N_SEATS);
	atomic_store(&n_done, 0);
	rules.queue = queue;
	space = hub_find_space(hub, "/chat", &rules);
	for (unsigned i = 0; i < N_SEATS; i++) {
		crew[i] = (struct crew){.loop = sesame_loop_new()};
		crew[i].seat = hub_take_seat(hub, i, crew[i].loop);
		for (unsigned k = 0; k < N_MEMBERS; k++)
			join(&crew[i], space, &crew[i].reader[k], 1 + k * k * 9);
	}
	for (unsigned i = 0; i < N_SEATS; i++) {
		struct crew *c = &crew[i];

		c->stay = sesame_timer_start(c->loop, 90000, too_late, c);
		pthread_create(&c->thread, NULL, work, c);
	}
	for (unsigned i = 0; i < N_SEATS; i++)
		pthread_join(crew[i].thread, NULL);
	hub_stop(hub);
	for (unsigned i = 0; i < N_SEATS; i++)
		sesame_loop_free(crew[i].loop);
	hub_free(hub);
	pthread_barrier_destroy(&all_begun);
}

TEST("who takes little at a time gets each message once, and in order")
{
	static struct crew crew[N_SEATS];

	play(64 << 20, crew);
	for (unsigned i = 0; i < N_SEATS; i++) {
		for (unsigned k = 0; k < N_MEMBERS; k++) {
			assert_false(crew[i].reader[k].wrong);
			assert_int_equal(crew[i].reader[k].n_got,
					 N_SEATS * N_MESSAGES);
			assert_int_equal(crew[i].reader[k].n_missed, 0);
		}
	}
	assert_true(atomic_load(&n_together) > 0);
}

TEST("where little waits, what is missing is told, and nothing else is")
{
	static struct crew crew[N_SEATS];

	play(4096, crew);
	for (unsigned i = 0; i < N_SEATS; i++) {
		for (unsigned k = 0; k < N_MEMBERS; k++) {
			const struct reader *r = &crew[i].reader[k];

			assert_false(r->wrong);
			assert_int_equal(r->n_got + r->n_missed,
					 N_SEATS * N_MESSAGES);
		}
	}
}

/* ---- A backplane that answers late ---- */

struct late {
	struct hub_backplane b;
	struct hub_channel *opened;
	struct hub_channel *channel;
	struct hub_message *message;
	struct hub_ticket *ticket;
	unsigned n_closed;
};

static struct late *late_of(struct hub_backplane *b)
{
	return ses_container_of(b, struct late, b);
}

static void open_late(struct hub_backplane *b, struct hub_channel *c)
{
	late_of(b)->opened = c;
}

static void close_late(struct hub_backplane *b, struct hub_channel *c)
{
	late_of(b)->n_closed++;
}

static enum hub_verdict publish_late(struct hub_backplane *b,
				     struct hub_post *post)
{
	struct late *l = late_of(b);

	l->channel = post->channel;
	l->message = post->message[0];
	l->ticket = post->ticket;
	hub_message_ref(l->message);
	return HUB_LATER;
}

static void come_or_go(struct hub_backplane *b, struct hub_channel *c,
		       struct bytes who)
{
}

static void free_late(struct hub_backplane *b)
{
}

static const struct hub_backplane_ops late_ops = {
	.name = "late",
	.open = open_late,
	.close = close_late,
	.publish = publish_late,
	.enter = come_or_go,
	.leave = come_or_go,
	.free = free_late,
};

static unsigned n_answers;

static void on_answer(struct hub_ticket *ticket)
{
	assert_int_equal(ticket->verdict, HUB_OK);
	n_answers += (unsigned)ticket->receipt.seq;
}

static void number(struct hub *hub, struct late *l)
{
	struct hub_receipt receipt = {.seq = l->channel->last_id + 1, .n = 1};

	hub_lock(hub);
	l->message->seq = receipt.seq;
	l->message->epoch = l->channel->epoch;
	l->message->time_ms = 1;
	hub_bring_message(hub, l->channel, l->message);
	hub_unlock(hub);
	hub_answer(l->ticket, HUB_OK, &receipt);
	if (hub_message_unref(l->message))
		hub_message_free(l->message);
}

static void bring_epoch(struct hub *hub, struct hub_channel *c,
			const char *epoch, uint64_t last_id)
{
	struct hub_epoch e = {""};

	memcpy(e.text, epoch, HUB_EPOCH_LEN);
	hub_lock(hub);
	hub_bring_epoch(hub, c, &e, last_id);
	hub_unlock(hub);
}

TEST("a channel, its order and its losses may be known late")
{
	struct late late = {.b = {.ops = &late_ops}};
	struct hub *hub = hub_new(1, &events, &late.b);
	struct crew crew = {.loop = sesame_loop_new()};
	struct reader *r = &crew.reader[0];
	struct hub_ticket ticket = {.done = on_answer};
	struct hub_receipt receipt;
	struct hub_content content = {
		.kind = SESAME_TEXT, .payload = BYTES("hello"), .sender = 1};

	crew.seat = hub_take_seat(hub, 0, crew.loop);
	join(&crew, hub_find_space(hub, "/chat", &rules), r, 100);
	assert_false(hub_begin(crew.seat, &r->member, "x", bytes_of(NULL, 0)));
	assert_int_equal(
		hub_publish(crew.seat, &r->member, &content, &ticket, &receipt),
		HUB_UNAVAILABLE);
	bring_epoch(hub, late.opened, "aaaaaaaa", 41);
	sesame_loop_turn(crew.loop, 0);
	assert_non_null(strstr(r->last, "\"id\":\"aaaaaaaa-41\""));
	r->next = 42;

	assert_int_equal(
		hub_publish(crew.seat, &r->member, &content, &ticket, &receipt),
		HUB_LATER);
	sesame_loop_turn(crew.loop, 0);
	assert_int_equal(n_answers + r->n_got, 0);
	number(hub, &late);
	for (int i = 0; i < 3; i++)
		sesame_loop_turn(crew.loop, 0);
	assert_int_equal(n_answers, 42);
	assert_int_equal(r->n_got, 1);

	/* Ten were lost on the way here, and then everything was. */
	bring_epoch(hub, late.opened, "aaaaaaaa", 52);
	for (int i = 0; i < 3; i++)
		sesame_loop_turn(crew.loop, 0);
	assert_non_null(strstr(r->last, "\"missing\":10}"));
	bring_epoch(hub, late.opened, "bbbbbbbb", 3);
	for (int i = 0; i < 3; i++)
		sesame_loop_turn(crew.loop, 0);
	assert_non_null(strstr(r->last, "\"missing\":null}"));
	assert_false(r->wrong);
	hub_leave(crew.seat, &r->member);
	assert_int_equal(late.n_closed, 1);
	sesame_loop_free(crew.loop);
	hub_free(hub);
}

/* ---- Turns ---- */

TEST("who catches up has its turn, as all others have")
{
	static uint8_t ones[65536];
	struct hub *hub = hub_new(1, &events, hub_memory_new());
	struct crew crew = {.loop = sesame_loop_new()};
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of(ones, sizeof(ones)),
	};
	struct hub_rules keeps = rules;
	struct hub_receipt receipt;
	struct hub_space *space;
	char since[HUB_ID_SIZE];
	size_t least;

	memset(ones, 1, sizeof(ones));
	keeps.history = 60;
	keeps.history_ms = 60000;
	keeps.history_bytes = 60 << 20;
	crew.seat = hub_take_seat(hub, 0, crew.loop);
	space = hub_find_space(hub, "/chat", &keeps);
	for (int i = 0; i < 60; i++)
		assert_int_equal(hub_publish_to(crew.seat, space, BYTES("lobby"),
						&content, 1, bytes_of(NULL, 0),
						NULL, &receipt),
				 HUB_OK);
	hub_id_write(&receipt.epoch, 0, since);
	for (int i = 0; i < 3; i++) {
		struct reader *r = &crew.reader[i];

		join(&crew, space, r, 1000);
		assert_true(hub_begin(crew.seat, &r->member, "x",
				      bytes_of_str(since)));
		assert_true(r->n_got <= 2);
	}
	for (int i = 0; i < 6; i++) {
		size_t before = 0, after = 0;

		for (int k = 0; k < 3; k++)
			before += crew.reader[k].n_got;
		sesame_loop_turn(crew.loop, 0);
		for (int k = 0; k < 3; k++)
			after += crew.reader[k].n_got;
		assert_in_range(after - before, 0, 2);
	}
	least = crew.reader[2].n_got;
	assert_true(least >= 1 && least + 2 >= crew.reader[0].n_got);
	for (int i = 0; i < 400 && crew.reader[2].n_got < 60; i++)
		sesame_loop_turn(crew.loop, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(crew.reader[i].n_got, 60);
		assert_false(crew.reader[i].wrong);
		hub_leave(crew.seat, &crew.reader[i].member);
	}
	sesame_loop_free(crew.loop);
	hub_free(hub);
}
