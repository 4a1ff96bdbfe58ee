/* SPDX-License-Identifier: MIT */
/* Streams over socket pairs: order, back-pressure, and owners who close. */
#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/open_files.h"
#include "test.h"

/* The owner of the stream under test, and what it saw. */
struct owner {
	struct ses_buf got;
	unsigned drains, ends;
	int error;
	bool echo, refills;
	/* close, by one of the ways, when one of the events comes */
	void (*close)(struct ses_stream *s);
	enum { NEVER, ON_BYTES, ON_DRAIN, ON_END, ON_ROOM, ON_FILLED } when;
	uint8_t *room;
	size_t room_len, filled;
};

static struct sesame_loop *loop;
static struct owner owner;
static struct ses_stream_limits limits;
static struct ses_stream *stream;
static int peer = -1;

static bool closes(struct ses_stream *s, int event)
{
	if (owner.when != (unsigned)event)
		return false;
	owner.close(s);
	return true;
}

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct owner *o = s->owner;

	assert_int_equal(o->ends, 0);
	assert_int_equal(ses_buf_append(&o->got, bytes_of(data, len)), 0);
	if (o->echo)
		ses_stream_send(s, bytes_of(data, len));
	closes(s, ON_BYTES);
}

static void on_drain(struct ses_stream *s)
{
	owner.drains++;
	if (owner.refills)
		ses_stream_send(s, BYTES("more"));
	closes(s, ON_DRAIN);
}

static void on_end(struct ses_stream *s, int error)
{
	assert_int_equal(owner.ends, 0);
	owner.ends++;
	owner.error = error;
	closes(s, ON_END);
}

static uint8_t *on_room(struct ses_stream *s, size_t *ret_len)
{
	if (closes(s, ON_ROOM))
		return NULL;
	*ret_len = owner.room_len - owner.filled;
	return owner.room ? owner.room + owner.filled : NULL;
}

static void on_filled(struct ses_stream *s, size_t n)
{
	owner.filled += n;
	closes(s, ON_FILLED);
}

static const struct ses_stream_events events = {
	.on_bytes = on_bytes,
	.on_drain = on_drain,
	.on_end = on_end,
	.on_room = on_room,
	.on_filled = on_filled,
};

static void set_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static void begin(size_t limit, size_t high)
{
	int fds[2];

	owner = (struct owner){0};
	ses_buf_init(&owner.got, 64 << 20);
	loop = sesame_loop_new();
	assert_non_null(loop);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	set_nonblocking(fds[0]);
	set_nonblocking(fds[1]);
	limits = (struct ses_stream_limits){.queue = limit, .queue_high = high};
	stream = ses_stream_new(loop, fds[0], &events, &owner, &limits);
	assert_non_null(stream);
	peer = fds[1];
}

static void finish(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
	sesame_loop_free(loop);
	ses_buf_fini(&owner.got);
}

static void turn(unsigned times)
{
	while (times-- > 0)
		assert_int_equal(sesame_loop_turn(loop, 0), 0);
}

/* Read all that the peer can read now; counts it. */
static size_t drain_peer(void)
{
	static uint8_t sink[1 << 16];
	size_t sum = 0;
	ssize_t n;

	while ((n = recv(peer, sink, sizeof(sink), 0)) > 0)
		sum += (size_t)n;
	return sum;
}

static void say(const char *text)
{
	assert_int_equal(send(peer, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
}

static void assert_peer_reads(const char *text)
{
	char got[256];
	ssize_t n = recv(peer, got, sizeof(got), 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

TEST("what the peer says comes, and what is sent from the event arrives")
{
	begin(1 << 20, 1 << 19);
	owner.echo = true;
	say("open");
	turn(1);
	assert_int_equal(ses_buf_len(&owner.got), 4);
	assert_peer_reads("open");
	say("sesame");
	turn(1);
	assert_peer_reads("sesame");
	assert_int_equal(ses_stream_queued(stream), 0);
	assert_null(stream->extra);
	ses_stream_close(stream);
	finish();
}

TEST("many sends of one turn outside of events leave in order, and together")
{
	begin(1 << 20, 1 << 19);
	for (const char *p = "abcdefgh"; *p; p++)
		assert_int_equal(ses_stream_send(stream, bytes_of(p, 1)), 0);
	assert_int_equal(ses_stream_queued(stream), 8);
	errno = 0;
	assert_int_equal(drain_peer(), 0);
	turn(1);
	assert_peer_reads("abcdefgh");
	assert_int_equal(ses_stream_queued(stream), 0);
	ses_stream_close(stream);
	finish();
}

static uint8_t *pattern(size_t len)
{
	uint8_t *p = malloc(len);

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
	return p;
}

TEST("any sizes, over the cork and back, arrive whole and in order")
{
	static const size_t sizes[] = {1,      70000, 200000, 3,      262144,
				       262145, 5,     131072, 131071, 1 << 20};
	size_t total = 0, got = 0;
	uint8_t *all, *read_back, *in;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		total += sizes[i];
	all = pattern(total);
	read_back = malloc(total);
	for (int inside = 0; inside < 2; inside++) {
		begin(8 << 20, 4 << 20);
		loop->in_turn = inside; /* as from within an event of its own */
		loop->cork_owner = inside ? stream : NULL;
		in = all;
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			assert_int_equal(
				ses_stream_send(stream, bytes_of(in, sizes[i])),
				0);
			in += sizes[i];
		}
		/* give the cork back as the end of the event does */
		if (inside) {
			ses_stream_ready(&stream->io, SES_WRITABLE);
			loop->in_turn = false;
		}
		got = 0;
		while (got < total) {
			ssize_t n = recv(peer, read_back + got, total - got, 0);

			if (n > 0)
				got += (size_t)n;
			turn(1);
		}
		assert_memory_equal(all, read_back, total);
		assert_int_equal(ses_stream_queued(stream), 0);
		ses_stream_close(stream);
		finish();
	}
	free(all);
	free(read_back);
}

TEST("a peer that does not read: EAGAIN, then the limit; drained when it reads")
{
	uint8_t *block = pattern(10000);
	size_t sent = 0, got = 0;
	int r;

	begin(400000, 100000);
	do {
		r = ses_stream_send(stream, bytes_of(block, 10000));
		sent += r == SESAME_ELIMIT ? 0 : 10000;
		turn(1);
	} while (r == 0);
	assert_int_equal(r, SESAME_EAGAIN);
	while (r != SESAME_ELIMIT) {
		r = ses_stream_send(stream, bytes_of(block, 10000));
		sent += r == SESAME_ELIMIT ? 0 : 10000;
		assert_true(ses_stream_queued(stream) <= 400000);
	}
	assert_null(ses_stream_room(stream, 10000));
	assert_int_equal(owner.drains, 0);
	while (got < sent) {
		got += drain_peer();
		turn(2);
	}
	assert_int_equal(got, sent);
	assert_int_equal(owner.drains, 1);
	assert_null(stream->extra);
	assert_int_equal(stream->io.want, SES_READABLE);
	assert_int_equal(ses_stream_send(stream, BYTES("x")), 0);
	turn(3);
	assert_int_equal(owner.drains, 1);
	ses_stream_close(stream);
	finish();
	free(block);
}

TEST("one message over the limit is refused and nothing of it is sent")
{
	uint8_t *block = pattern(300000);

	begin(200000, 100000);
	assert_int_equal(ses_stream_send(stream, bytes_of(block, 300000)),
			 SESAME_ELIMIT);
	assert_int_equal(ses_stream_send(stream, BYTES("fits")), 0);
	turn(1);
	assert_peer_reads("fits");
	ses_stream_close(stream);
	finish();
	free(block);
}

TEST("a header and its payload leave in order, or neither does")
{
	uint8_t *block = pattern(300000), *read_back = malloc(300014);
	size_t got = 0;
	ssize_t n;

	begin(400000, 1000);
	assert_int_equal(ses_stream_send(stream, BYTES("mine")), 0);
	assert_int_equal(ses_stream_send_framed(stream, BYTES("0123456789"),
						bytes_of(block, 399991)),
			 SESAME_ELIMIT);
	assert_int_equal(ses_stream_send_framed(stream, BYTES("0123456789"),
						bytes_of(block, SIZE_MAX)),
			 SESAME_ELIMIT);
	assert_int_equal(ses_stream_send_framed(stream, BYTES("0123456789"),
						bytes_of(block, 300000)),
			 SESAME_EAGAIN);
	while (got < 300014) {
		n = recv(peer, read_back + got, 300014 - got, 0);
		got += n > 0 ? (size_t)n : 0;
		turn(1);
	}
	assert_memory_equal(read_back, "mine0123456789", 14);
	assert_memory_equal(read_back + 14, block, 300000);
	assert_int_equal(drain_peer(), 0);
	ses_stream_close(stream);
	finish();
	free(read_back);
	free(block);
}

TEST("a paused stream reads nothing, not even the end, until it is resumed")
{
	begin(1000, 1000);
	ses_stream_pause(stream);
	say("later");
	close(peer);
	peer = -1;
	turn(3);
	assert_int_equal(ses_buf_len(&owner.got), 0);
	assert_int_equal(owner.ends, 0);
	ses_stream_resume(stream);
	turn(2);
	assert_int_equal(ses_buf_len(&owner.got), 5);
	assert_int_equal(owner.ends, 1);
	assert_int_equal(owner.error, 0);
	turn(3);
	assert_int_equal(owner.ends, 1);
	ses_stream_close(stream);
	finish();
}

TEST("half a close: after the peer's end its answer still goes out")
{
	begin(1000, 1000);
	say("last");
	shutdown(peer, SHUT_WR);
	turn(2);
	assert_int_equal(owner.ends, 1);
	assert_int_equal(ses_stream_send(stream, BYTES("answer")), 0);
	ses_stream_shutdown(stream);
	assert_int_equal(ses_stream_send(stream, BYTES("x")), SESAME_ECLOSED);
	turn(1);
	assert_peer_reads("answer");
	assert_int_equal(recv(peer, &(char){0}, 1, 0), 0);
	ses_stream_close(stream);
	finish();
}

TEST("shutdown waits for the queue")
{
	uint8_t *block = pattern(1 << 20);
	size_t got = 0;

	begin(2 << 20, 2 << 20);
	assert_int_equal(ses_stream_send(stream, bytes_of(block, 1 << 20)), 0);
	ses_stream_shutdown(stream);
	for (int i = 0; i < 1000 && got < 1 << 20; i++) {
		got += drain_peer();
		turn(1);
	}
	assert_int_equal(got, 1 << 20);
	turn(1);
	assert_int_equal(recv(peer, &(char){0}, 1, 0), 0);
	ses_stream_close(stream);
	finish();
	free(block);
}

TEST("a peer that left after its last words is heard before the failure")
{
	begin(1 << 20, 1 << 20);
	say("403 Forbidden");
	close(peer);
	peer = -1;
	assert_int_equal(ses_stream_send(stream, BYTES("into the void")), 0);
	ses_streams_flush(loop);
	assert_int_equal(stream->error, SESAME_ERESET);
	assert_int_equal(ses_stream_send(stream, BYTES("x")), SESAME_ECLOSED);
	turn(4);
	assert_int_equal(ses_buf_len(&owner.got), 13);
	assert_int_equal(owner.ends, 1);
	assert_int_equal(owner.error, SESAME_ERESET);
	ses_stream_close(stream);
	finish();
}

TEST("bytes put back come first, to whoever owns the stream then")
{
	begin(1000, 1000);
	say("world");
	ses_stream_unread(stream, BYTES("lo "));
	ses_stream_unread(stream, BYTES("hel"));
	turn(3);
	assert_int_equal(ses_buf_len(&owner.got), 11);
	assert_memory_equal(owner.got.data, "hello world", 11);
	ses_stream_close(stream);
	finish();
}

TEST("bytes put back wait for a paused stream to be resumed")
{
	begin(1000, 1000);
	ses_stream_pause(stream);
	ses_stream_unread(stream, BYTES("later"));
	turn(3);
	assert_int_equal(ses_buf_len(&owner.got), 0);
	ses_stream_resume(stream);
	turn(2);
	assert_int_equal(ses_buf_len(&owner.got), 5);
	ses_stream_close(stream);
	finish();
}

TEST("output made outside of a turn rings the loop's descriptor")
{
	struct pollfd p = {.events = POLLIN};

	begin(1000, 1000);
	p.fd = sesame_loop_fd(loop);
	assert_int_equal(poll(&p, 1, 0), 0);
	ses_stream_send(stream, BYTES("out"));
	assert_int_equal(poll(&p, 1, 0), 1);
	turn(1);
	assert_peer_reads("out");
	turn(1);
	assert_int_equal(poll(&p, 1, 0), 0);
	ses_stream_close(stream);
	finish();
}

static void send_much(void *user)
{
	assert_int_equal(ses_stream_send(stream, BYTES("123456")),
			 SESAME_EAGAIN);
}

TEST("work that a turn leaves to the next one rings, too")
{
	struct pollfd p = {.events = POLLIN};

	begin(1000, 5);
	owner.refills = true;
	p.fd = sesame_loop_fd(loop);
	sesame_timer_start(loop, 0, send_much, NULL);
	for (int i = 0; i < 3 && !owner.drains; i++)
		turn(1); /* a back end may tell a turn later what has left */
	assert_int_equal(owner.drains, 1);
	assert_peer_reads("123456");
	assert_int_equal(poll(&p, 1, 0), 1);
	turn(1);
	assert_peer_reads("more");
	assert_int_equal(poll(&p, 1, 0), 0);
	ses_stream_close(stream);
	finish();
}

TEST("bytes are received straight into the room that the owner offers")
{
	uint8_t room[6];

	begin(1000, 1000);
	owner.room = room;
	owner.room_len = sizeof(room);
	say("sesame opens");
	turn(3);
	assert_int_equal(owner.filled, 6);
	assert_memory_equal(room, "sesame", 6);
	assert_memory_equal(owner.got.data, " opens", 6);
	ses_stream_close(stream);
	finish();
}

static void linger_now(struct ses_stream *s)
{
	ses_stream_linger(s, 1000);
}

static void part_now(struct ses_stream *s)
{
	ses_stream_part(s, 1000);
}

TEST("an owner may close in any event, by any of the ways")
{
	static void (*const ways[])(struct ses_stream *) = {
		ses_stream_close, ses_stream_reset, linger_now, part_now};
	uint8_t *block = pattern(600000);

	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		for (int when = ON_BYTES; when <= ON_FILLED; when++) {
			uint8_t room[4];

			begin(1 << 20, 1000);
			owner.close = ways[way];
			owner.when = (unsigned)when;
			owner.echo = true;
			if (when == ON_FILLED) {
				owner.room = room;
				owner.room_len = sizeof(room);
			}
			ses_stream_send(stream, bytes_of(block, 600000));
			say("some bytes");
			shutdown(peer, SHUT_WR);
			for (int i = 0; i < 20; i++) {
				drain_peer();
				turn(1);
			}
			close(peer);
			peer = -1;
			turn(3);
			assert_int_equal(loop->n_watched, 0);
			finish();
		}
	}
	free(block);
}

TEST("a lingering stream sends its rest, hears the peer out and goes")
{
	begin(1000, 1000);
	ses_stream_send(stream, BYTES("farewell"));
	ses_stream_linger(stream, 60000);
	turn(1);
	assert_peer_reads("farewell");
	assert_int_equal(recv(peer, &(char){0}, 1, 0), 0);
	say("wait, one more thing");
	turn(2);
	assert_int_equal(loop->n_watched, 1);
	close(peer);
	peer = -1;
	turn(2);
	assert_int_equal(loop->n_watched, 0);
	assert_int_equal(loop->timers.n, 0);
	assert_int_equal(owner.ends, 0);
	finish();
}

TEST("a stream that parts in its event is closed at once, and its words arrive")
{
	begin(1000, 1000);
	owner.echo = true;
	owner.close = part_now;
	owner.when = ON_BYTES;
	say("let me in");
	turn(2);
	assert_int_equal(loop->n_watched, 0);
	assert_int_equal(loop->n_lingering, 0);
	assert_peer_reads("let me in");
	assert_int_equal(recv(peer, &(char){0}, 1, 0), 0);
	finish();
}

TEST("a stream that parts with words unsent, or in no event, lingers")
{
	uint8_t *block = pattern(600000);
	size_t got = 0;

	begin(1 << 20, 1 << 20);
	owner.close = part_now;
	owner.when = ON_BYTES;
	ses_stream_send(stream, bytes_of(block, 600000));
	say("let me in");
	for (int i = 0; i < 40 && got < 600000; i++) {
		turn(1);
		assert_int_equal(loop->n_watched, 1);
		got += drain_peer();
	}
	assert_int_equal(got, 600000);
	finish();

	begin(1000, 1000);
	ses_stream_send(stream, BYTES("farewell"));
	ses_stream_part(stream, 60000);
	turn(1);
	assert_peer_reads("farewell");
	say("wait, one more thing");
	turn(2);
	assert_int_equal(loop->n_watched, 1);
	finish();
	free(block);
}

TEST("a lingering stream ends by its time, by too many bytes, or by the loop")
{
	uint8_t *block = pattern(50000);

	begin(1000, 1000);
	ses_stream_linger(stream, 0);
	turn(2);
	assert_int_equal(loop->n_watched, 0);
	finish();

	begin(1000, 1000);
	ses_stream_linger(stream, 60000);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send(peer, block, 50000, MSG_NOSIGNAL), 50000);
		turn(2);
	}
	assert_int_equal(loop->n_watched, 0);
	finish();

	begin(1000, 1000);
	ses_stream_linger(stream, 60000);
	turn(1);
	finish();
	free(block);
}

static struct ses_stream *other;

static void close_other(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_stream *o = s == stream ? other : stream;

	owner.filled++;
	ses_stream_close(o);
}

TEST("a stream closed by another's event has no event in the same turn")
{
	static const struct ses_stream_events closers = {.on_bytes =
								 close_other};
	int fds[2];

	begin(1000, 1000);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	set_nonblocking(fds[0]);
	other = ses_stream_new(loop, fds[0], &closers, &owner, &limits);
	ses_stream_take(stream, &closers, &owner);
	say("now");
	assert_int_equal(send(fds[1], "now", 3, 0), 3);
	turn(1);
	assert_int_equal(owner.filled, 1);
	assert_int_equal(loop->n_watched, 1);
	/* whichever it was, the other one is left */
	if (recv(peer, &(char){0}, 1, 0) == 0)
		ses_stream_close(other);
	else
		ses_stream_close(stream);
	close(fds[1]);
	finish();
}

static void answer_other(struct ses_stream *s, uint8_t *data, size_t len)
{
	ses_stream_send(s, BYTES("me"));
	ses_stream_send(other, BYTES("you"));
}

TEST("output for others leaves at the end of the same turn")
{
	static const struct ses_stream_events answer = {.on_bytes =
								answer_other};
	char got[8];
	int fds[2];

	begin(1000, 1000);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	set_nonblocking(fds[0]);
	other = ses_stream_new(loop, fds[0], &events, &owner, &limits);
	ses_stream_take(stream, &answer, NULL);
	say("go");
	turn(1);
	assert_peer_reads("me");
	assert_int_equal(recv(fds[1], got, sizeof(got), MSG_DONTWAIT), 3);
	assert_memory_equal(got, "you", 3);
	ses_stream_close(stream);
	ses_stream_close(other);
	close(fds[1]);
	finish();
}

TEST("nothing is left open")
{
	size_t before = open_files();

	for (int i = 0; i < 3; i++) {
		begin(1000, 1000);
		ses_stream_close(stream);
		finish();
	}
	assert_int_equal(open_files(), before);
}
