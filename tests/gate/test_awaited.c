/* SPDX-License-Identifier: MIT */
/* What is published where the backplane takes its time, or forgets to answer. */
#include "gate/awaited.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/config.h"
#include "gate/gate.h"
#include "gate/metrics.h"
#include "gate/visit_member.h"
#include "hub/backplane.h"
#include "test.h"

/* ---- A backplane that answers when it is told to ---- */

#define MOST_POSTS 4096

struct late {
	struct hub_backplane base;
	pthread_mutex_t lock;
	struct {
		struct hub_ticket *ticket;
		struct hub_message *message;
	} post[MOST_POSTS];
	size_t n;
	bool is_away; /* channels do not become ready */
};

static void on_open(struct hub_backplane *b, struct hub_channel *c)
{
	struct hub_epoch epoch = hub_new_epoch(b->hub);

	if (!ses_container_of(b, struct late, base)->is_away)
		hub_bring_epoch(b->hub, c, &epoch, 0);
}

static void on_close(struct hub_backplane *b, struct hub_channel *c)
{
}

static enum hub_verdict on_publish(struct hub_backplane *b,
				   struct hub_post *post)
{
	struct late *late = ses_container_of(b, struct late, base);

	assert_non_null(post->ticket);
	pthread_mutex_lock(&late->lock);
	assert_true(late->n < MOST_POSTS);
	hub_message_ref(post->message[0]);
	late->post[late->n].ticket = post->ticket;
	late->post[late->n++].message = post->message[0];
	pthread_mutex_unlock(&late->lock);
	return HUB_LATER;
}

static void on_person(struct hub_backplane *b, struct hub_channel *c,
		      struct bytes who)
{
}

static size_t n_late(struct late *late)
{
	size_t n;

	pthread_mutex_lock(&late->lock);
	n = late->n;
	pthread_mutex_unlock(&late->lock);
	return n;
}

static void drop(struct hub_message *m)
{
	if (hub_message_unref(m))
		hub_message_free(m);
}

/* Number it, and let all members have it. */
static uint64_t bring(struct hub *hub, struct hub_message *m)
{
	struct hub_channel *c;
	uint64_t seq = 0;

	hub_lock(hub);
	c = hub_channel_of(hub, "/chat/*", BYTES("lobby"));
	if (c) {
		m->epoch = c->epoch;
		m->seq = seq = c->last_id + 1;
		m->time_ms = 1;
		hub_bring_message(hub, c, m);
	}
	hub_unlock(hub);
	return seq;
}

/* Answer the first @n. */
static void answer(struct late *late, size_t n, enum hub_verdict verdict)
{
	for (size_t i = 0; i < n; i++) {
		struct hub_ticket *ticket;
		struct hub_message *m;
		struct hub_receipt receipt;

		pthread_mutex_lock(&late->lock);
		if (!late->n) {
			pthread_mutex_unlock(&late->lock);
			return;
		}
		ticket = late->post[0].ticket;
		m = late->post[0].message;
		memmove(late->post, late->post + 1,
			--late->n * sizeof(late->post[0]));
		pthread_mutex_unlock(&late->lock);
		receipt = ticket->receipt;
		if (verdict == HUB_OK)
			receipt.seq = bring(late->base.hub, m);
		receipt.n = 1;
		hub_answer(ticket, verdict, &receipt);
		drop(m);
	}
}

static void on_stop(struct hub_backplane *b)
{
	answer(ses_container_of(b, struct late, base), MOST_POSTS,
	       HUB_UNAVAILABLE);
}

static void on_free(struct hub_backplane *b)
{
	struct late *late = ses_container_of(b, struct late, base);

	assert_int_equal(late->n, 0);
	pthread_mutex_destroy(&late->lock);
	free(late);
}

static struct late *late_new(void)
{
	static const struct hub_backplane_ops ops = {
		.name = "late",
		.shared = true,
		.open = on_open,
		.close = on_close,
		.publish = on_publish,
		.enter = on_person,
		.leave = on_person,
		.stop = on_stop,
		.free = on_free,
	};
	struct late *late = calloc(1, sizeof(*late));

	late->base.ops = &ops;
	pthread_mutex_init(&late->lock, NULL);
	return late;
}

/* ---- A gate over it, in a thread of its own ---- */

#define TOKEN "let-me-publish"

static const char yaml[] = "listen: [{address: '127.0.0.1:0'}]\n"
			   "routes:\n"
			   "  - path: /chat/*\n"
			   "    to: hub\n"
			   "    hub:\n"
			   "      history: {messages: 10}\n"
			   "      publish: {hashes_file: awaited.hashes}\n"
			   "journal: {file: none}\n";

struct stage {
	struct sesame_loop *loop;
	struct late *late;
	struct hub *hub;
	struct gate *gate;
	struct gate_doors *doors;
	struct gate_policy *policy;
	struct gate_metrics *metrics;
	struct ses_addr at;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct stage *s = arg;

	sesame_loop_run(s->loop);
	gate_free(s->gate);
	ses_buf_forget_spares();
	return NULL;
}

static struct gate_policy *make_policy(void)
{
	struct gate_policy *policy;
	struct ses_buf errors;
	FILE *f;

	assert_int_equal(chdir(BINARY_DIR), 0);
	f = fopen("awaited.hashes", "w");
	/* sha256 of TOKEN */
	fprintf(f, "backend:"
		   "544d801af38d0d971bfcce1e71d843a90c008a3a037cc9a0d9a89f21472"
		   "a9c34\n");
	fclose(f);
	ses_buf_init(&errors, 4096);
	policy = gate_config_parse(
		"awaited.yaml", bytes_of(yaml, sizeof(yaml) - 1), true, &errors);
	if (!policy)
		fail_msg("%.*s", (int)ses_buf_len(&errors),
			 ses_buf_bytes(&errors).data);
	ses_buf_fini(&errors);
	return policy;
}

static struct stage *stage_open(void)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct hub_rules rules;
	char text[512];

	s->loop = sesame_loop_new();
	s->late = late_new();
	s->hub = hub_new(1, &gate_hub_events, &s->late->base);
	s->policy = make_policy();
	rules = gate_hub_rules(&s->policy->route[0].hub);
	s->policy->route[0].hub.space =
		hub_find_space(s->hub, s->policy->route[0].path, &rules);
	s->doors = gate_doors_open(s->policy, 1, NULL, text, sizeof(text));
	assert_non_null(s->doors);
	s->metrics = gate_metrics_new(1);
	gate_metrics_adopt(s->metrics, s->doors);
	s->gate = gate_new(s->loop, 0, NULL);
	s->gate->seat = hub_take_seat(s->hub, 0, s->loop);
	s->gate->no_route = gate_metrics_no_route(s->metrics);
	assert_int_equal(gate_serve(s->gate, s->doors), 0);
	s->at = ses_container_of(s->gate->entrances.next, struct gate_entrance,
				 link)
			->listener.at;
	pthread_create(&s->thread, NULL, work, s);
	return s;
}

static void stage_close(struct stage *s)
{
	sesame_loop_stop(s->loop);
	pthread_join(s->thread, NULL);
	hub_stop(s->hub);
	sesame_loop_free(s->loop);
	hub_free(s->hub);
	gate_metrics_free(s->metrics);
	gate_doors_unref(s->doors);
	gate_policy_unref(s->policy);
	free(s);
}

static void wait_for_late(struct stage *s, size_t n)
{
	for (int ms = 0; n_late(s->late) < n; ms++) {
		assert_true(ms < 20000);
		usleep(1000);
	}
	assert_int_equal(n_late(s->late), n);
}

/* ---- Who comes ---- */

static int dial(struct stage *s)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, &s->at.any, s->at.len), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
}

/* A text message, of 125 bytes at most, masked with zeros. */
static size_t put_frame(uint8_t *to, const char *text)
{
	size_t len = strlen(text);

	assert_true(len <= 125);
	to[0] = 0x81;
	to[1] = 0x80 | (uint8_t)len;
	memset(to + 2, 0, 4);
	memcpy(to + 6, text, len);
	return 6 + len;
}

static void publish(int fd, const char *text)
{
	uint8_t frame[131];
	size_t len = put_frame(frame, text);

	assert_int_equal(send(fd, frame, len, MSG_NOSIGNAL), len);
}

/* Read until @text is in it, or the end. */
static bool hear(int fd, const char *text)
{
	char got[8192];
	size_t n = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t r;

		assert_int_equal(poll(&p, 1, 20000), 1);
		r = recv(fd, got + n, sizeof(got) - n, 0);
		if (r <= 0)
			return false;
		n += (size_t)r;
		if (memmem(got, n, text, strlen(text)))
			return true;
	}
}

static bool is_silent(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 0;
}

static int join(struct stage *s, bool envelopes)
{
	int fd = dial(s);

	say(fd, "GET /chat/lobby HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
	say(fd,
	    envelopes ? "Sec-WebSocket-Protocol: sesame.v1\r\n\r\n" : "\r\n");
	assert_true(hear(fd, envelopes ? "\"you\"" : "\r\n\r\n"));
	return fd;
}

static int post(struct stage *s, const char *body)
{
	char text[512];
	int fd = dial(s);

	snprintf(text, sizeof(text),
		 "POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: "
		 "Bearer " TOKEN "\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(body), body);
	say(fd, text);
	return fd;
}

/* ---- The tests ---- */

TEST("a message is acknowledged once the backplane has numbered it")
{
	struct stage *s = stage_open();
	int a = join(s, true), b = join(s, true);

	publish(a, "{\"publish\": \"one\", \"ref\": 7}");
	wait_for_late(s, 1);
	assert_true(is_silent(a, 50));
	assert_true(is_silent(b, 0));
	answer(s->late, 1, HUB_OK);
	assert_true(hear(a, "{\"type\":\"ack\""));
	assert_true(hear(b, "\"data\":\"one\""));
	close(a);
	close(b);
	stage_close(s);
}

TEST("what is refused later is told with a reference, and the member stays")
{
	struct stage *s = stage_open();
	int fd = join(s, true);

	publish(fd, "{\"publish\": \"one\", \"ref\": 7}");
	wait_for_late(s, 1);
	answer(s->late, 1, HUB_UNAVAILABLE);
	assert_true(hear(fd, "\"code\":\"unavailable\""));
	publish(fd, "{\"publish\": \"two\", \"ref\": 8}");
	wait_for_late(s, 1);
	answer(s->late, 1, HUB_OK);
	assert_true(hear(fd, "\"ref\":8"));
	close(fd);
	stage_close(s);
}

TEST("a plain client that is refused later is closed with the reason")
{
	struct stage *s = stage_open();
	int fd = join(s, false);

	publish(fd, "one");
	wait_for_late(s, 1);
	answer(s->late, 1, HUB_UNAVAILABLE);
	assert_true(hear(fd, "the channel is not available"));
	close(fd);
	stage_close(s);
}

TEST("a post is answered once the backplane has answered")
{
	struct stage *s = stage_open();
	int fd = post(s, "one");

	wait_for_late(s, 1);
	assert_true(is_silent(fd, 50));
	answer(s->late, 1, HUB_OK);
	assert_true(hear(fd, "HTTP/1.1 202"));
	close(fd);
	fd = post(s, "two");
	wait_for_late(s, 1);
	answer(s->late, 1, HUB_UNAVAILABLE);
	assert_true(hear(fd, "HTTP/1.1 503"));
	close(fd);
	stage_close(s);
}

static struct hub_channel *lobby_of(struct stage *s)
{
	return hub_channel_of(s->hub, "/chat/*", BYTES("lobby"));
}

static bool is_there(struct stage *s)
{
	bool is;

	hub_lock(s->hub);
	is = lobby_of(s) != NULL;
	hub_unlock(s->hub);
	return is;
}

static int read_lobby(struct stage *s)
{
	int fd = dial(s);

	say(fd, "GET /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: "
		"Bearer " TOKEN "\r\n\r\n");
	while (!is_there(s))
		usleep(1000);
	return fd;
}

TEST("a channel that is read is fetched first")
{
	struct stage *s = stage_open();
	struct hub_epoch epoch;
	int fd, gone;

	s->late->is_away = true;
	fd = read_lobby(s);
	gone = read_lobby(s);
	close(gone);
	assert_true(is_silent(fd, 50));
	hub_lock(s->hub);
	epoch = hub_new_epoch(s->hub);
	hub_bring_epoch(s->hub, lobby_of(s), &epoch, 41);
	hub_unlock(s->hub);
	assert_true(hear(fd, "-41\""));
	close(fd);
	/* it was held for them alone, and held nothing */
	for (int ms = 0; is_there(s); ms++) {
		assert_true(ms < 20000);
		usleep(1000);
	}
	fd = read_lobby(s);
	hub_lock(s->hub);
	hub_give_up(lobby_of(s));
	hub_unlock(s->hub);
	assert_true(hear(fd, "HTTP/1.1 503"));
	close(fd);
	fd = read_lobby(s);
	stage_close(s);
	close(fd);
}

static void leave(void *arg)
{
	gate_leave(arg);
}

TEST("a post that gets no answer is told that nobody knows")
{
	struct stage *s = stage_open();
	int fd = post(s, "one");

	wait_for_late(s, 1);
	ses_loop_post(s->loop, leave, s->gate);
	assert_true(hear(fd, "HTTP/1.1 503"));
	close(fd);
	stage_close(s);
}

TEST("one who waits for many answers is not heard until some are there")
{
	static uint8_t many[256 * 16];
	struct stage *s = stage_open();
	int fd = join(s, false);
	size_t len = 0;

	for (int i = 0; i < 256; i++)
		len += put_frame(many + len, "x");
	assert_int_equal(send(fd, many, len, MSG_NOSIGNAL), len);
	wait_for_late(s, 256);
	publish(fd, "more");
	usleep(100000);
	assert_int_equal(n_late(s->late), 256);
	answer(s->late, 100, HUB_OK);
	usleep(50000);
	assert_int_equal(n_late(s->late), 156);
	answer(s->late, 50, HUB_OK);
	wait_for_late(s, 107);
	close(fd);
	stage_close(s);
}

struct racer {
	struct stage *stage;
	atomic_bool over;
};

static void *answer_always(void *arg)
{
	struct racer *r = arg;

	for (unsigned i = 0; !atomic_load(&r->over); i++) {
		answer(r->stage->late, 3, i % 2 ? HUB_OK : HUB_UNAVAILABLE);
		usleep(i % 5 * 50);
	}
	return NULL;
}

TEST("who leaves while an answer is on its way is told nothing, and no harm "
     "done")
{
	struct racer r = {.stage = stage_open()};
	pthread_t thread;

	pthread_create(&thread, NULL, answer_always, &r);
	for (int i = 0; i < 300; i++) {
		int fd = i % 3 ? join(r.stage, i % 3 == 1) : post(r.stage, "x");

		for (int k = 0; i % 3 && k < 5; k++)
			publish(fd, i % 3 == 1 ? "{\"publish\": \"x\"}" : "x");
		usleep((useconds_t)(i % 7 * 100));
		close(fd);
	}
	atomic_store(&r.over, true);
	pthread_join(thread, NULL);
	/* what has no answer yet gets one when all ends */
	stage_close(r.stage);
}

/* What the next post is told when the backplane answers @verdict. */
static void assert_told(struct stage *s, enum hub_verdict verdict,
			const char *words)
{
	int fd = post(s, "one");

	wait_for_late(s, 1);
	answer(s->late, 1, verdict);
	if (!hear(fd, words))
		fail_msg("verdict %d is not told as: %s", (int)verdict, words);
	close(fd);
}

TEST("each thing that a backplane answers is told to a post in its own words")
{
	static const struct {
		enum hub_verdict verdict;
		const char *words;
	} rows[] = {
		{HUB_OK, "HTTP/1.1 202"},
		{HUB_CHANNELS_FULL, "no room for a further channel"},
		{HUB_STATE_FULL, "no room for a further key"},
		{HUB_BUSY, "Too many messages are on their way"},
		{HUB_TOO_OFTEN, "Too many messages in this channel"},
		{HUB_OTHER_BODY, "was used for another body"},
		{HUB_UNAVAILABLE, "The channel is not available"},
		{HUB_STORE_FULL, "The store of the channels is full"},
		{HUB_UNKNOWN, "Nobody knows whether this was published"},
		{HUB_NO_MEMORY, "The gateway has no room for this now"},
	};
	struct stage *s = stage_open();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_told(s, rows[i].verdict, rows[i].words);
	stage_close(s);
}

/* What who reads is told when the channel is not had, for @verdict. */
static void assert_read(struct stage *s, enum hub_verdict verdict,
			const char *words)
{
	static const struct hub_receipt none = {.seq = 0};
	int fd = read_lobby(s);
	struct hub_channel *c;
	struct hub_ticket *t;

	hub_lock(s->hub);
	c = lobby_of(s);
	t = c->waiting;
	c->waiting = t->next;
	hub_answer(t, verdict, &none);
	hub_unlock(s->hub);
	if (!hear(fd, words))
		fail_msg("verdict %d is not told as: %s", (int)verdict, words);
	close(fd);
	while (is_there(s))
		usleep(1000);
}

TEST("who finds no channel to read is told whether it is room, memory or the "
     "backplane that lacks")
{
	struct stage *s = stage_open();

	s->late->is_away = true;
	assert_read(s, HUB_CHANNELS_FULL, "no room for a further channel");
	assert_read(s, HUB_NO_MEMORY, "The gateway has no room for this now");
	assert_read(s, HUB_UNAVAILABLE, "The channel is not available");
	stage_close(s);
}
