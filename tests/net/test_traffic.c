/* SPDX-License-Identifier: MIT */
/*
 * Two streams, plain and TLS, that talk at random: sizes from one byte to more
 * than the cork, inside and outside of events, with pauses, offered rooms,
 * small socket buffers and a narrow queue. Every byte is checked for its place.
 */
#include "net/stream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/certificates.h"

#define GOAL (4u << 20)

struct talker {
	struct ses_stream *stream;
	struct talker *other;
	uint64_t sent, received;
	uint8_t room[70000];
	bool up, offers_room, waits, ended;
};

static struct sesame_loop *loop;
static struct talker talkers[2];
static uint32_t seed;
static uint8_t pattern[1 << 20]; /* repeats every 251 bytes */

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void check(struct talker *t, const uint8_t *data, size_t len)
{
	const uint8_t *expected = pattern + t->received % 251;

	assert_memory_equal(data, expected, len);
	t->received += len;
	assert_true(t->received <= t->other->sent);
}

/* For a while large ones, then small ones alone: each is received its own way. */
static size_t draw_size(void)
{
	static const uint32_t bounds[] = {2, 130, 20000, 70000, 300000};
	static unsigned n;

	return 1 + draw(bounds[n++ / 300 % 2 ? draw(2) : draw(5)]);
}

static void talk(struct talker *t)
{
	size_t len = draw_size();
	int r;

	if (t->sent >= GOAL || t->waits || !t->up)
		return;
	if (draw(2)) {
		uint8_t *room = ses_stream_room(t->stream, len);

		if (!room)
			return;
		memcpy(room, pattern + t->sent % 251, len);
		ses_stream_commit(t->stream);
		t->sent += len;
		return;
	}
	r = ses_stream_send(t->stream, bytes_of(pattern + t->sent % 251, len));
	assert_true(r == 0 || r == SESAME_EAGAIN || r == SESAME_ELIMIT);
	if (r != SESAME_ELIMIT)
		t->sent += len;
	t->waits = r == SESAME_EAGAIN;
}

static void do_something(struct talker *t)
{
	switch (draw(5)) {
	case 0:
		ses_stream_pause(t->stream);
		break;
	case 1:
		t->offers_room = !t->offers_room;
		break;
	default:
		talk(t);
		talk(t->other);
	}
}

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct talker *t = s->owner;

	assert_false(s->paused);
	check(t, data, len);
	memset(data, 0, len); /* it may be changed in place */
	do_something(t);
}

static uint8_t *on_room(struct ses_stream *s, size_t *ret_len)
{
	struct talker *t = s->owner;

	*ret_len = 1 + draw(sizeof(t->room) - 1);
	return t->offers_room ? t->room : NULL;
}

static void on_filled(struct ses_stream *s, size_t n)
{
	struct talker *t = s->owner;

	assert_false(s->paused);
	check(t, t->room, n);
	do_something(t);
}

static void on_drain(struct ses_stream *s)
{
	struct talker *t = s->owner;

	t->waits = false;
	talk(t);
}

static void on_tls(struct ses_stream *s)
{
	((struct talker *)s->owner)->up = true;
}

static void on_end(struct ses_stream *s, int error)
{
	struct talker *t = s->owner;

	assert_int_equal(error, 0);
	assert_false(t->ended);
	t->ended = true;
}

static const struct ses_stream_events events = {
	.on_bytes = on_bytes,
	.on_room = on_room,
	.on_filled = on_filled,
	.on_drain = on_drain,
	.on_tls = on_tls,
	.on_end = on_end,
};

static void begin(struct talker *t, struct talker *other, int fd)
{
	static const struct ses_stream_limits limits = {.queue = 700000,
							.queue_high = 150000};
	int small = 20000;

	*t = (struct talker){.other = other};
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	t->stream = ses_stream_new(loop, fd, &events, t, &limits);
	assert_non_null(t->stream);
}

static char cert_path[] = "/tmp/sesame-talk-XXXXXX";

static void start_tls(void)
{
	struct certificate c =
		certificate_new("talker", "DNS:talker", NULL, -1, 2);
	struct ses_tls_context *server, *client;
	char text[200];

	close(mkstemp(cert_path));
	certificate_write(&c, cert_path);
	certificate_free(&c);
	server = ses_tls_server_new(
		&(struct ses_tls_server_options){.cert_file = cert_path}, text,
		sizeof(text));
	client = ses_tls_client_new(
		&(struct ses_tls_client_options){.ca_file = cert_path}, text,
		sizeof(text));
	unlink(cert_path);
	memcpy(cert_path + sizeof(cert_path) - 7, "XXXXXX", 6);
	ses_stream_start_tls(talkers[0].stream, client, "talker",
			     bytes_of(NULL, 0));
	ses_stream_start_tls(talkers[1].stream, server, NULL, bytes_of(NULL, 0));
	ses_tls_context_unref(server);
	ses_tls_context_unref(client);
}

static bool all_said(void)
{
	return talkers[0].sent >= GOAL && talkers[1].sent >= GOAL &&
	       talkers[0].received == talkers[1].sent &&
	       talkers[1].received == talkers[0].sent;
}

static void run(uint32_t with_seed, bool tls)
{
	int fds[2];

	seed = with_seed;
	loop = sesame_loop_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	begin(&talkers[0], &talkers[1], fds[0]);
	begin(&talkers[1], &talkers[0], fds[1]);
	if (tls)
		start_tls();
	else
		talkers[0].up = talkers[1].up = true;
	for (int i = 0; i < 200000 && !all_said(); i++) {
		struct talker *t = &talkers[draw(2)];

		if (draw(3) == 0)
			ses_stream_resume(t->stream);
		else
			talk(t);
		assert_int_equal(sesame_loop_turn(loop, 0), 0);
	}
	assert_true(all_said());
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ses_stream_queued(talkers[i].stream), 0);
		ses_stream_resume(talkers[i].stream);
		ses_stream_shutdown(talkers[i].stream);
	}
	for (int i = 0; i < 5; i++)
		sesame_loop_turn(loop, 0);
	for (int i = 0; i < 2; i++) {
		assert_true(talkers[i].ended);
		ses_stream_close(talkers[i].stream);
	}
	sesame_loop_free(loop);
}

TEST("random talk arrives byte for byte, plain and through TLS")
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i % 251);
	for (uint32_t s = 1; s <= 4; s++) {
		run(s, false);
		run(s, true);
	}
}
