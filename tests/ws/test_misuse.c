/* SPDX-License-Identifier: MIT */
/*
 * What an application may do to itself: every function of <sesame/conn.h>,
 * <sesame/server.h>, <sesame/client.h> and <sesame/loop.h> is called from
 * inside of every callback, with words that make sense and with words that make
 * none. Whatever comes of it, each connection's end is told once and last, and
 * nothing stays behind. Freeing is left out where the headers forbid it.
 */
#include "ws/conn.h"

#include <sesame/client.h>
#include <sesame/server.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/open_files.h"
#include "test.h"

#define MOST_TURNS 400
#define FILLING	   40000
#define HUGE(n)	   (SIZE_MAX - (n))

enum place {
	IN_REQUEST,
	IN_HANDSHAKE,
	IN_OPEN,
	IN_MESSAGE,
	IN_PONG,
	IN_DRAIN,
	IN_CLOSE,
	IN_WANTS,
	IN_TIMER,
	IN_WATCH,
	N_PLACES,
};

static const char *const places[] = {
	"on_request", "on_handshake", "on_open", "on_message", "on_pong",
	"on_drain",   "on_close",     "wants",	 "a timer",    "a watch",
};

struct side {
	struct sesame_conn *conn;
	unsigned opened, closed;
	bool is_server;
};

static struct play {
	struct sesame_loop *loop;
	struct sesame_server *server;
	struct side near, far, more;
	struct sesame_watch *watch;
	struct sesame_timer *timer;
	int pipe[2];
	enum place place;
	bool at_server; /* which side's callbacks count */
	bool acted;
	void (*act)(struct side *own);
} p;

static char filling[FILLING];

static void come_to(enum place place, struct side *own, bool at_server)
{
	if (p.acted || place != p.place || at_server != p.at_server)
		return;
	p.acted = true;
	p.act(own);
}

/* ---- what is told ---- */

static void on_open(struct sesame_conn *conn, void *user)
{
	struct side *s = user;

	s->conn = conn;
	assert_int_equal(s->opened++, 0);
	assert_int_equal(s->closed, 0);
	sesame_conn_ping(conn, "p", 1);
	sesame_conn_send(conn, SESAME_TEXT, "hello", 5);
	come_to(IN_OPEN, s, s->is_server);
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct side *s = user;

	assert_int_equal(s->closed, 0);
	for (int i = 0; len == 5 && i < 4; i++) /* over the high mark */
		sesame_conn_send(conn, SESAME_BINARY, filling, FILLING);
	come_to(IN_MESSAGE, s, s->is_server);
}

static void on_pong(struct sesame_conn *conn, void *user, const uint8_t *data,
		    size_t len)
{
	struct side *s = user;

	assert_int_equal(s->closed, 0);
	come_to(IN_PONG, s, s->is_server);
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	struct side *s = user;

	assert_int_equal(s->closed, 0);
	come_to(IN_DRAIN, s, s->is_server);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct side *s = user;

	assert_int_equal(s->closed++, 0);
	assert_non_null(end->text);
	assert_non_null(end->reason);
	s->conn = conn;
	come_to(IN_CLOSE, s, s->is_server);
	s->conn = NULL;
}

static void on_handshake(struct sesame_conn *conn, void *user, bool sent,
			 const char *head, size_t len)
{
	struct side *s = user;

	s->conn = conn;
	come_to(IN_HANDSHAKE, s, false);
}

static const struct sesame_handlers handlers = {
	on_open, on_message, on_pong, on_drain, on_close, on_handshake,
};

static void on_request(struct sesame_server *server, void *user,
		       const struct sesame_request *request,
		       struct sesame_answer *answer)
{
	answer->user = strcmp(request->target, "/far") == 0 ? &p.far : NULL;
	if (!answer->user)
		answer->status = 404;
	assert_null(sesame_request_header(request, "nothing"));
	assert_null(sesame_request_header(request, ""));
	come_to(IN_REQUEST, NULL, true);
}

static bool wants(struct sesame_conn *conn, void *user)
{
	come_to(IN_WANTS, user, true);
	return true;
}

static void on_timer(void *user)
{
	p.timer = NULL;
	come_to(IN_TIMER, &p.near, true);
}

static void on_watch(void *user)
{
	char c;

	assert_int_equal(read(p.pipe[0], &c, 1), 1);
	come_to(IN_WATCH, &p.near, true);
}

/* ---- what is done ---- */

static struct sesame_conn *conn_of(struct side *s)
{
	if (s && s->conn)
		return s->conn;
	return p.near.conn ? p.near.conn : p.far.conn;
}

#define OF_CONN(name, call)                              \
	static void name(struct side *own)               \
	{                                                \
		struct sesame_conn *conn = conn_of(own); \
                                                         \
		if (conn)                                \
			call;                            \
	}

#define NO_GOOD(call) assert_true((call) < 0)

static void send_much(struct sesame_conn *conn)
{
	for (int i = 0; i < 100; i++)
		sesame_conn_send(conn, SESAME_BINARY, filling, FILLING);
}

/* A byte that is there, and as many more as no memory has. */
static void send_what_cannot_be(struct sesame_conn *conn)
{
	for (size_t i = 0; i < 20; i++)
		NO_GOOD(sesame_conn_ping(conn, "x", HUGE(i)));
	NO_GOOD(sesame_conn_ping(conn, filling, 126));
	NO_GOOD(sesame_conn_send(conn, 0, "x", 1));
	NO_GOOD(sesame_conn_send(conn, 3, "x", 1));
	NO_GOOD(sesame_conn_send(conn, 8, "x", 1));
	NO_GOOD(sesame_conn_send(conn, (enum sesame_kind)0x81, "x", 1));
	NO_GOOD(sesame_conn_send(conn, (enum sesame_kind) - 1, "x", 1));
	NO_GOOD(sesame_conn_send(conn, SESAME_TEXT, "\xc0\x80", 2));
}

static void send_too_much(struct sesame_conn *conn)
{
	size_t lens[] = {HUGE(0),      HUGE(1),	     HUGE(9),
			 HUGE(10),     HUGE(14),     HUGE(4096),
			 SIZE_MAX / 2, SIZE_MAX / 4, (size_t)1 << 40};

	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		NO_GOOD(sesame_conn_send(conn, SESAME_BINARY, "x", lens[i]));
	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		assert_int_equal(sesame_server_broadcast(p.server,
							 SESAME_BINARY, "x",
							 lens[i], NULL, NULL),
				 0);
}

static void close_wrongly(struct sesame_conn *conn)
{
	static const uint16_t codes[] = {1,    999,  1004, 1005, 1006,
					 1015, 2999, 5000, 65535};
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		NO_GOOD(sesame_conn_close(conn, codes[i], NULL));
	NO_GOOD(sesame_conn_close(conn, 0, "a reason without a code"));
	NO_GOOD(sesame_conn_close(conn, 1000, text));
	text[124] = 0;
	NO_GOOD(sesame_conn_close(conn, 1000, text));
	NO_GOOD(sesame_conn_close(conn, 1000, "\xff"));
}

/* While it opens any close is a giving up. */
static void close_wrongly_once_open(struct side *own)
{
	struct sesame_conn *conn = conn_of(own);

	if (!conn || conn->state == SES_CONN_OPENING)
		return;
	close_wrongly(conn);
}

static void close_twice(struct sesame_conn *conn)
{
	sesame_conn_close(conn, 1000, NULL);
	sesame_conn_close(conn, 1001, "again");
	sesame_conn_abort(conn);
	sesame_conn_close(conn, 1001, "again");
	sesame_conn_abort(conn);
}

static void ask(struct sesame_conn *conn)
{
	assert_ptr_equal(sesame_conn_loop(conn), p.loop);
	assert_non_null(sesame_conn_subprotocol(conn));
	assert_non_null(sesame_conn_peer(conn));
	assert_true(sesame_conn_queued(conn) < 100 * 1000 * 1000);
	sesame_conn_set_user(conn, sesame_conn_user(conn));
}

static void pause_and_resume(struct sesame_conn *conn)
{
	sesame_conn_resume(conn);
	sesame_conn_pause(conn);
	sesame_conn_pause(conn);
	sesame_conn_resume(conn);
	sesame_conn_resume(conn);
}

static void pause_and_abort(struct sesame_conn *conn)
{
	sesame_conn_pause(conn);
	sesame_conn_abort(conn);
	sesame_conn_resume(conn);
	sesame_conn_pause(conn);
}

OF_CONN(send_empty, {
	sesame_conn_send(conn, SESAME_TEXT, NULL, 0);
	sesame_conn_send(conn, SESAME_BINARY, NULL, 0);
})
OF_CONN(send_nothing_possible, send_what_cannot_be(conn))
OF_CONN(send_huge, send_too_much(conn))
OF_CONN(send_and_send, send_much(conn))
OF_CONN(ping_empty, sesame_conn_ping(conn, NULL, 0))
OF_CONN(close_it, sesame_conn_close(conn, 1000, "bye"))
OF_CONN(close_without_code, sesame_conn_close(conn, 0, NULL))
OF_CONN(close_and_again, close_twice(conn))
OF_CONN(abort_it, sesame_conn_abort(conn))
OF_CONN(ask_it, ask(conn))
OF_CONN(pause_it, pause_and_resume(conn))
OF_CONN(pause_and_leave, pause_and_abort(conn))

static void abort_all(struct side *own)
{
	if (p.near.conn)
		sesame_conn_abort(p.near.conn);
	if (p.far.conn)
		sesame_conn_abort(p.far.conn);
}

static void turn_inside(struct side *own)
{
	assert_int_equal(sesame_loop_turn(p.loop, 0), SESAME_EINVAL);
	assert_int_equal(sesame_loop_turn(p.loop, -1), SESAME_EINVAL);
	assert_int_equal(sesame_loop_run(p.loop), SESAME_EINVAL);
	sesame_loop_now_ms(p.loop);
	assert_true(sesame_loop_fd(p.loop) >= 0);
	sesame_loop_stop(p.loop);
}

static void never(void *user)
{
	fail_msg("a timer that was stopped has fired");
}

static void time_and_watch(struct side *own)
{
	struct sesame_timer *t[3];
	struct sesame_watch *w;
	int fds[2];

	t[0] = sesame_timer_start(p.loop, 0, never, NULL);
	t[1] = sesame_timer_start(p.loop, UINT64_MAX, never, NULL);
	t[2] = sesame_timer_start(p.loop, UINT64_MAX - 1, never, NULL);
	for (int i = 0; i < 3; i++)
		sesame_timer_stop(t[i]);
	sesame_timer_stop(NULL);
	sesame_timer_stop(p.timer);
	p.timer = NULL;

	assert_int_equal(pipe(fds), 0);
	w = sesame_watch_start(p.loop, fds[0], never, NULL);
	assert_non_null(w);
	assert_null(sesame_watch_start(p.loop, fds[0], never, NULL));
	assert_int_equal(write(fds[1], "x", 1), 1);
	sesame_watch_stop(w);
	close(fds[0]);
	close(fds[1]);
	sesame_watch_stop(NULL);
	assert_null(sesame_watch_start(p.loop, -1, never, NULL));
	assert_null(sesame_watch_start(p.loop, 1 << 30, never, NULL));
	sesame_watch_stop(p.watch);
	p.watch = NULL;
}

static void connect_wrongly(struct side *own)
{
	static const char *const urls[] = {"",	       "ws:",	    "http://a/",
					   "ws://",    "ws://a:0x", "\xff",
					   "ws://a b/"};
	struct sesame_conn *conn = NULL;
	char text[1];

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		NO_GOOD(sesame_connect(p.loop, urls[i], NULL, &handlers, NULL,
				       &conn, NULL, 0));
		NO_GOOD(sesame_connect(p.loop, urls[i], NULL, &handlers, NULL,
				       &conn, text, 1));
		NO_GOOD(sesame_connect(p.loop, urls[i], NULL, &handlers, NULL,
				       &conn, text, 0));
	}
	assert_null(conn);
}

/* One that is refused, and given up at once. */
static void connect_more(struct side *own)
{
	char url[64];

	if (p.more.conn || p.more.closed)
		return;
	snprintf(url, sizeof(url), "ws://127.0.0.1:%u/more",
		 sesame_server_port(p.server));
	assert_int_equal(sesame_connect(p.loop, url, NULL, &handlers, &p.more,
					&p.more.conn, NULL, 0),
			 0);
	sesame_conn_send(p.more.conn, SESAME_TEXT, "too soon", 8);
	sesame_conn_abort(p.more.conn);
}

static void another_server(struct side *own)
{
	struct sesame_server_options options = {.address = "127.0.0.1"};
	struct sesame_server *server;

	assert_int_equal(sesame_server_new(p.loop, &options, &handlers, &server,
					   NULL, 0),
			 0);
	NO_GOOD(sesame_server_close(server, 1005));
	sesame_server_broadcast(server, SESAME_TEXT, "x", 1, NULL, NULL);
	sesame_server_close(server, 1001);
	sesame_server_close(server, 0);
	sesame_server_free(server);
	sesame_server_free(NULL);
	options.address = "no address";
	NO_GOOD(sesame_server_new(p.loop, &options, &handlers, &server, NULL, 0));
}

static bool abort_each(struct sesame_conn *conn, void *user)
{
	sesame_conn_abort(conn);
	return true;
}

static bool close_server(struct sesame_conn *conn, void *user)
{
	sesame_server_close(p.server, 1001);
	return true;
}

static bool again(struct sesame_conn *conn, void *user)
{
	sesame_server_broadcast(p.server, SESAME_BINARY, filling, FILLING, NULL,
				NULL);
	return true;
}

static void broadcast(struct side *own)
{
	assert_true(sesame_server_connections(p.server) <= 1);
	sesame_server_broadcast(p.server, SESAME_TEXT, NULL, 0, NULL, NULL);
	sesame_server_broadcast(p.server, SESAME_TEXT, "b", 1, again, NULL);
}

static void broadcast_and_abort(struct side *own)
{
	sesame_server_broadcast(p.server, SESAME_TEXT, "b", 1, abort_each, NULL);
	sesame_server_broadcast(p.server, SESAME_TEXT, "b", 1, NULL, NULL);
}

static void broadcast_and_close(struct side *own)
{
	sesame_server_broadcast(p.server, SESAME_TEXT, "b", 1, close_server,
				NULL);
	sesame_server_broadcast(p.server, SESAME_TEXT, "b", 1, NULL, NULL);
}

static void close_the_server(struct side *own)
{
	NO_GOOD(sesame_server_close(p.server, 1006));
	sesame_server_close(p.server, 1001);
	sesame_server_close(p.server, 1001);
}

static void free_the_server(struct side *own)
{
	if (p.place != IN_TIMER && p.place != IN_WATCH &&
	    !(p.place == IN_HANDSHAKE || (own && !own->is_server)))
		return;
	sesame_server_free(p.server);
	p.server = NULL;
}

static void (*const acts[])(struct side *own) = {
	send_empty,
	send_nothing_possible,
	send_huge,
	send_and_send,
	ping_empty,
	close_it,
	close_wrongly_once_open,
	close_without_code,
	close_and_again,
	abort_it,
	abort_all,
	ask_it,
	pause_it,
	pause_and_leave,
	turn_inside,
	time_and_watch,
	connect_wrongly,
	connect_more,
	another_server,
	broadcast,
	broadcast_and_abort,
	broadcast_and_close,
	close_the_server,
	free_the_server,
};

/* ---- the play ---- */

static void open_stage(bool deflate)
{
	struct sesame_server_options options = {
		.on_request = on_request,
		.deflate = deflate,
		.limits = {.queue_bytes = 1000000, .queue_high_bytes = 60000}};
	struct sesame_client_options from = {
		.no_deflate = !deflate,
		.limits = {.queue_bytes = 1000000, .queue_high_bytes = 60000}};
	char url[64];

	p.loop = sesame_loop_new();
	assert_int_equal(pipe(p.pipe), 0);
	assert_int_equal(sesame_server_new(p.loop, &options, &handlers,
					   &p.server, NULL, 0),
			 0);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%u/far",
		 sesame_server_port(p.server));
	assert_int_equal(sesame_connect(p.loop, url, &from, &handlers, &p.near,
					&p.near.conn, NULL, 0),
			 0);
	p.watch = sesame_watch_start(p.loop, p.pipe[0], on_watch, NULL);
}

static void turn_on(bool (*enough)(void))
{
	for (int i = 0; i < MOST_TURNS && !enough(); i++)
		sesame_loop_turn(p.loop, 1);
}

static bool has_acted(void)
{
	return p.acted || p.near.closed;
}

static bool is_open(void)
{
	return (p.near.opened && p.far.opened) || has_acted();
}

static bool all_gone(void)
{
	return p.near.closed && p.far.closed == p.far.opened && !p.more.conn;
}

static void close_stage(void)
{
	if (p.near.conn && !p.near.closed)
		sesame_conn_close(p.near.conn, 1000, NULL);
	turn_on(has_acted); /* in on_close */
	if (p.server)
		sesame_server_close(p.server, 1001);
	turn_on(all_gone);
	sesame_watch_stop(p.watch);
	sesame_timer_stop(p.timer);
	sesame_server_free(p.server);
	p.server = NULL;
	assert_true(all_gone());
	for (int i = 0; i < 3; i++)
		sesame_loop_turn(p.loop, 0);
	sesame_loop_free(p.loop);
	close(p.pipe[0]);
	close(p.pipe[1]);
}

static void perform(enum place place, bool at_server, size_t act, bool deflate)
{
	size_t before = open_files();

	p = (struct play){.place = place,
			  .at_server = at_server,
			  .act = acts[act],
			  .far.is_server = true};
	open_stage(deflate);
	turn_on(is_open);
	p.timer = sesame_timer_start(p.loop, 0, on_timer, NULL);
	assert_int_equal(write(p.pipe[1], "x", 1), 1);
	if (p.server)
		sesame_server_broadcast(p.server, SESAME_TEXT, "all", 3, wants,
					&p.far);
	if (place != IN_CLOSE)
		turn_on(has_acted);
	close_stage();
	if (!p.acted)
		fail_msg("never was in %s, side %d", places[place], at_server);
	if (open_files() != before)
		fail_msg("descriptors left by act %zu in %s", act,
			 places[place]);
}

static void perform_all(bool deflate)
{
	for (size_t i = 0; i < sizeof(filling);
	     i++) /* and no zip makes it less */
		filling[i] = (char)((i * 2654435761u) >> 13 ^ i >> 3);
	for (enum place place = 0; place < N_PLACES; place++)
		for (size_t act = 0; act < ARRAY_LEN(acts); act++) {
			if (place != IN_HANDSHAKE)
				perform(place, true, act, deflate);
			if (place >= IN_HANDSHAKE && place <= IN_CLOSE)
				perform(place, false, act, deflate);
		}
}

TEST("every function may be called inside of every callback, with any words")
{
	perform_all(false);
}

TEST("and so it is where messages are compressed")
{
	perform_all(true);
}
