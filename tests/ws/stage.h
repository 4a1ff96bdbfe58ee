/* SPDX-License-Identifier: MIT */
/*
 * What the plays in this folder share: a seat writes down what its connection
 * tells, and a raw peer is a socket whose bytes the test itself writes.
 */
#ifndef TESTS_WS_STAGE_H
#define TESTS_WS_STAGE_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ws/conn.h"

enum told { TOLD_OPEN, TOLD_MESSAGE, TOLD_PONG, TOLD_DRAIN, TOLD_CLOSE, N_TOLD };

struct seat {
	struct sesame_loop *loop;
	struct sesame_conn *conn;
	int told[N_TOLD];
	char order[64]; /* "omc": the callbacks in their order */
	enum sesame_kind kind;
	uint8_t *last; /* the last message */
	size_t last_len;
	size_t total; /* bytes of all messages */
	/* copied from on_close */
	struct sesame_end end;
	char text[512], reason[128], head[4096], body[16384];
	/* done inside of a callback */
	enum told act_in;
	void (*act)(struct seat *seat);
	bool echo;
};

/* A stream that nobody owns yet, over the socket @fd. */
static inline struct ses_stream *new_stream(struct sesame_loop *loop, int fd)
{
	static const struct ses_stream_limits limits = {.queue = 1 << 20,
							.queue_high = 1 << 20};

	return ses_stream_new(loop, fd, NULL, NULL, &limits);
}

static inline void seat_note(struct seat *s, enum told what,
					      struct sesame_conn *conn)
{
	size_t n = strlen(s->order);

	s->conn = conn;
	s->told[what]++;
	if (n < sizeof(s->order) - 1)
		s->order[n] = "ompdc"[what];
	if (s->act && s->act_in == what)
		s->act(s);
}

static inline void seat_open(struct sesame_conn *conn, void *user)
{
	seat_note(user, TOLD_OPEN, conn);
}

static inline void seat_message(struct sesame_conn *conn, void *user,
			 enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct seat *s = user;

	s->kind = kind;
	s->last = realloc(s->last, len + 1);
	memcpy(s->last, data, len);
	s->last[len] = 0;
	s->last_len = len;
	s->total += len;
	if (s->echo)
		sesame_conn_send(conn, kind, data, len);
	seat_note(s, TOLD_MESSAGE, conn);
}

static inline void seat_pong(struct sesame_conn *conn, void *user, const uint8_t *data,
		      size_t len)
{
	seat_note(user, TOLD_PONG, conn);
}

static inline void seat_drain(struct sesame_conn *conn, void *user)
{
	seat_note(user, TOLD_DRAIN, conn);
}

static inline void copy_text(char *to, size_t size, const char *from, size_t len)
{
	snprintf(to, size, "%.*s", (int)len, from ? from : "");
}

static inline void seat_close(struct sesame_conn *conn, void *user,
		       const struct sesame_end *end)
{
	struct seat *s = user;

	s->end = *end;
	copy_text(s->text, sizeof(s->text), end->text, strlen(end->text));
	copy_text(s->reason, sizeof(s->reason), end->reason, end->reason_len);
	copy_text(s->head, sizeof(s->head), end->head, end->head_len);
	copy_text(s->body, sizeof(s->body), end->body, end->body_len);
	seat_note(s, TOLD_CLOSE, conn);
	s->conn = NULL;
}

__attribute__((unused)) static const struct sesame_handlers seat_handlers = {
	.on_open = seat_open,
	.on_message = seat_message,
	.on_pong = seat_pong,
	.on_drain = seat_drain,
	.on_close = seat_close,
};

static inline uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Turn @loop until @condition, for half a minute at most. */
#define TURN_UNTIL(loop, condition)                                            \
	do {                                                                   \
		uint64_t give_up_ms_ = clock_ms() + 30000;                     \
		while (!(condition)) {                                         \
			if (clock_ms() > give_up_ms_)                          \
				fail_msg("never came true: %s", #condition);   \
			sesame_loop_turn(loop, 2);                             \
		}                                                              \
	} while (0)

/* Turn until nothing happens any more (two empty turns). */
static inline void turn_a_while(struct sesame_loop *loop,
						 unsigned ms)
{
	uint64_t until = clock_ms() + ms;

	do {
		sesame_loop_turn(loop, 1);
	} while (clock_ms() < until);
}

/* ---- raw peers ---- */

static inline void make_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
						     SOCK_CLOEXEC, 0, fds), 0);
}

/* All of @data, turning @loop while the socket is full. */
static inline void raw_send(struct sesame_loop *loop, int fd,
					     const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return; /* the other side has closed */
		sesame_loop_turn(loop, 1);
	}
}

/* What is there now; -1 at the end or after a reset. */
static inline ssize_t raw_read(int fd, void *to, size_t size)
{
	ssize_t n = recv(fd, to, size, 0);

	if (n > 0)
		return n;
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

struct heard {
	uint8_t data[1 << 16];
	size_t len;
	bool ended;
};

/* Read what comes until @enough bytes or the end. */
static inline void raw_hear(struct sesame_loop *loop, int fd,
					     struct heard *h, size_t enough)
{
	uint64_t give_up = clock_ms() + 10000;

	while (h->len < enough && !h->ended) {
		ssize_t n = raw_read(fd, h->data + h->len,
				     sizeof(h->data) - 1 - h->len);

		if (n < 0)
			h->ended = true;
		else
			h->len += (size_t)n;
		if (n == 0)
			sesame_loop_turn(loop, 1);
		if (clock_ms() > give_up)
			fail_msg("only %zu of %zu bytes came", h->len, enough);
	}
	h->data[h->len] = 0;
}

/* A client's frame with the mask 0, which leaves the payload readable. */
static inline size_t masked_frame(uint8_t *out, uint8_t first,
						   const void *payload,
						   size_t len)
{
	size_t head = 2;

	out[0] = first;
	out[1] = (uint8_t)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		out[2] = (uint8_t)(len >> 8);
		out[3] = (uint8_t)len;
		head = 4;
	}
	memset(out + head, 0, 4);
	if (len)
		memcpy(out + head + 4, payload, len);
	return head + 4 + len;
}

#endif
