/* SPDX-License-Identifier: MIT */
/* What belongs to whom: messages to their connection, memory to its owner. */
#include "stage.h"

#include <sesame/client.h>
#include <sesame/server.h>

#define CROWD  24
#define ROUNDS 60

/* An echo that closes every seventh connection in the middle. */
static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	static unsigned n;

	sesame_conn_send(conn, kind, data, len);
	memset(data, '?', len);
	if (++n % 7 == 0)
		sesame_conn_close(conn, 1000, NULL);
}

static const struct sesame_handlers echo = {.on_message = on_message};

static struct sesame_server *serve(struct sesame_loop *loop, bool deflate,
				   const struct sesame_handlers *handlers,
				   void *user, char url[64])
{
	struct sesame_server_options options = {.deflate = deflate,
						.user = user};
	struct sesame_server *server;

	assert_int_equal(
		sesame_server_new(loop, &options, handlers, &server, NULL, 0),
		0);
	snprintf(url, 64, "ws://127.0.0.1:%u/", sesame_server_port(server));
	return server;
}

static void open_seat(struct seat *s, struct sesame_loop *loop, const char *url)
{
	free(s->last);
	*s = (struct seat){.loop = loop};
	assert_int_equal(sesame_connect(loop, url, NULL, &seat_handlers, s,
					&s->conn, NULL, 0),
			 0);
}

/* Sent from memory that is gone right after. */
static void send_fleeting(struct seat *s, uint8_t byte, size_t len)
{
	uint8_t *data = malloc(len);

	memset(data, byte, len);
	sesame_conn_send(s->conn, SESAME_BINARY, data, len);
	memset(data, '!', len);
	free(data);
}

static void check_seat(struct seat *s, uint8_t byte)
{
	for (size_t i = 0; i < s->last_len; i++)
		assert_int_equal(s->last[i], byte);
}

static void talk(struct sesame_loop *loop, const char *url)
{
	static struct seat crowd[CROWD];

	memset(crowd, 0, sizeof(crowd));
	for (unsigned i = 0; i < CROWD; i++)
		open_seat(&crowd[i], loop, url);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < CROWD; i++) {
			struct seat *s = &crowd[i];

			check_seat(s, (uint8_t)i);
			if (s->told[TOLD_CLOSE])
				open_seat(s, loop, url);
			else if (s->told[TOLD_OPEN])
				send_fleeting(s, (uint8_t)i,
					      1 + round * i * 37 % 70000);
		}
		sesame_loop_turn(loop, 1);
	}
	for (unsigned i = 0; i < CROWD; i++)
		if (!crowd[i].told[TOLD_CLOSE])
			sesame_conn_abort(crowd[i].conn);
	for (unsigned i = 0; i < CROWD; i++) {
		TURN_UNTIL(loop, crowd[i].told[TOLD_CLOSE]);
		check_seat(&crowd[i], (uint8_t)i);
		free(crowd[i].last);
	}
}

TEST("what is sent on one connection never arrives on another, while others "
     "close and are opened")
{
	for (int deflate = 0; deflate < 2; deflate++) {
		struct sesame_loop *loop = sesame_loop_new();
		char url[64];
		struct sesame_server *server =
			serve(loop, deflate, &echo, NULL, url);

		talk(loop, url);
		sesame_server_free(server);
		sesame_loop_free(loop);
	}
}

/* Nothing makes it shorter; each length has its own. */
static void make_noise(uint8_t *data, size_t len)
{
	uint32_t x = (uint32_t)len;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		data[i] = (uint8_t)(x >> 24);
	}
}

static void check_noise(struct seat *s)
{
	uint8_t *data = malloc(s->last_len);

	make_noise(data, s->last_len);
	assert_memory_equal(s->last, data, s->last_len);
	free(data);
}

/* More than the system takes, from memory that is gone right after. */
static void send_fleeting_noise(struct seat *s, size_t len)
{
	uint8_t *data = malloc(len);

	make_noise(data, len);
	assert_true(sesame_conn_send(s->conn, SESAME_BINARY, data, len) !=
		    SESAME_ELIMIT);
	memset(data, '!', len);
	free(data);
	assert_true(sesame_conn_queued(s->conn) > len / 2);
}

/* From @from to @to, of which nobody reads meanwhile. */
static void send_many_fleeting(struct sesame_loop *loop, struct seat *from,
			       struct seat *to)
{
	static const int small = 4096;

	to->act_in = TOLD_MESSAGE;
	to->act = check_noise;
	setsockopt(from->conn->stream->io.fd, SOL_SOCKET, SO_SNDBUF, &small,
		   sizeof(small));
	for (unsigned i = 0; i < 6; i++)
		send_fleeting_noise(from, 500000 + i);
	TURN_UNTIL(loop, to->told[TOLD_MESSAGE] == 6);
}

TEST("a message may be freed as soon as it was sent, compressed or not, also "
     "while the queue is long")
{
	for (int deflate = 0; deflate < 2; deflate++) {
		struct sesame_loop *loop = sesame_loop_new();
		struct seat server_seat = {0}, seat = {0};
		char url[64];
		struct sesame_server *server =
			serve(loop, deflate, &seat_handlers, &server_seat, url);

		open_seat(&seat, loop, url);
		TURN_UNTIL(loop, seat.told[TOLD_OPEN]);
		send_many_fleeting(loop, &seat, &server_seat);
		send_many_fleeting(loop, &server_seat, &seat);
		sesame_conn_abort(seat.conn);
		TURN_UNTIL(loop, seat.told[TOLD_CLOSE] &&
					 server_seat.told[TOLD_CLOSE]);
		free(seat.last);
		free(server_seat.last);
		sesame_server_free(server);
		sesame_loop_free(loop);
	}
}
