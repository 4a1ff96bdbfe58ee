/* SPDX-License-Identifier: MIT */
/*
 * Lifetimes by a model: a server, some clients, and a schedule that is drawn
 * from a seed. Whatever may be called is called, at any time and from inside of
 * every callback; a model of a few lines says for each connection what it may
 * be told and what its calls return. Time is a number here, so that time-outs
 * fall where the schedule has them; what is sent is freed at once.
 *
 * SESAME_LIFETIMES=N runs N schedules instead of a few hundred, and
 * SESAME_LIFETIMES=seed:N that one.
 */
#include "rig.h"

#include "../net/certificates.h"
#include "../net/open_files.h"
#include "test.h"

#include <sesame/client.h>
#include <sesame/server.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SCHEDULES    200
#define STEPS	     400
#define MOST_PAIRS   24
#define MOST_INSIDE  3 /* calls from callbacks from calls ... */
#define LAST_TURNS   4000
#define TAG	     8 /* bytes before a message's filling */
#define MOST_FILLING 70000

enum state { NONE, OPENING, OPEN, CLOSING, ABORTED, GONE };

/* The model of one side of a connection. */
struct side {
	enum state state;
	struct sesame_conn *conn;
	bool full;	      /* a drain is due */
	unsigned sent, heard; /* messages, by their numbers */
};

struct pair {
	struct side side[2]; /* of the client, of the server */
};

static struct world {
	uint64_t random;
	struct sesame_loop *loop;
	struct sesame_server *server;
	struct pair pair[MOST_PAIRS];
	unsigned n, inside;
	bool closing; /* the server was told to close */
	bool freeing; /* sesame_server_free() is on the stack */
	bool in_call; /* of a connection: it must not be told its end */
	bool over;    /* no new deeds in callbacks */
	const char *cert_file, *ca_file;
	char url[64];
} w;

/* Print what is wrong, and leave. */
#define MUST(condition, ...)                                \
	do {                                                \
		if (!(condition)) {                         \
			rig_note(__VA_ARGS__);              \
			rig_note(": not %s\n", #condition); \
			_exit(1);                           \
		}                                           \
	} while (0)

/* xorshift64* */
static unsigned draw(unsigned n)
{
	w.random ^= w.random >> 12;
	w.random ^= w.random << 25;
	w.random ^= w.random >> 27;
	return (unsigned)((w.random * 0x2545f4914f6cdd1d) >> 33) % n;
}

static unsigned number_of(const struct side *s)
{
	return (unsigned)(((const char *)s - (const char *)w.pair) /
			  (ptrdiff_t)sizeof(struct pair));
}

static void do_something(struct side *own);

/* ---- what is told ---- */

static void maybe_act(struct side *s)
{
	if (w.over || w.inside >= MOST_INSIDE || draw(3))
		return;
	w.inside++;
	do_something(draw(4) ? s : NULL);
	w.inside--;
}

static void on_open(struct sesame_conn *conn, void *user)
{
	struct side *s = user;
	bool is_server = s == &w.pair[number_of(s)].side[1];

	MUST(s->state == (is_server ? NONE : OPENING), "on_open");
	s->conn = conn;
	s->state = OPEN;
	maybe_act(s);
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct side *s = user;
	unsigned tag[2];

	MUST(s->state == OPEN || s->state == CLOSING, "on_message");
	MUST(s->conn == conn, "on_message of another connection");
	if (len != 1) { /* else it was a broadcast */
		MUST(len >= TAG, "a message of %zu bytes", len);
		memcpy(tag, data, TAG);
		MUST(tag[0] == number_of(s), "a message for %u", tag[0]);
		MUST(tag[1] == s->heard++, "message %u", tag[1]);
		for (size_t i = TAG; i < len; i++)
			MUST(data[i] == (uint8_t)tag[0], "filling");
	}
	memset(data, 'x', len); /* it may be changed */
	maybe_act(s);
}

static void on_pong(struct sesame_conn *conn, void *user, const uint8_t *data,
		    size_t len)
{
	struct side *s = user;

	MUST(s->state == OPEN || s->state == CLOSING, "on_pong");
	maybe_act(s);
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	struct side *s = user;

	MUST(s->state == OPEN, "on_drain");
	MUST(s->full, "on_drain when nothing was full");
	s->full = false;
	maybe_act(s);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct side *s = user;

	MUST(s->state != NONE && s->state != GONE, "on_close");
	MUST(!w.in_call || w.freeing, "on_close inside of a call");
	MUST(end->text && end->reason, "on_close without texts");
	MUST(!end->error || *end->text, "an error without a word");
	MUST(end->clean == (end->error == 0), "clean");
	s->state = GONE;
	/* what is called now is too late, and harmless */
	MUST(sesame_conn_send(conn, SESAME_TEXT, "x", 1) == SESAME_ECLOSED,
	     "send in on_close");
	MUST(sesame_conn_close(conn, 1000, NULL) == SESAME_ECLOSED,
	     "close in on_close");
	sesame_conn_abort(conn);
	sesame_conn_pause(conn);
	sesame_conn_resume(conn);
	s->conn = NULL;
	if (!w.over && !w.freeing && w.inside < MOST_INSIDE && !draw(3)) {
		w.inside++;
		do_something(NULL);
		w.inside--;
	}
}

static const struct sesame_handlers handlers = {
	.on_open = on_open,
	.on_message = on_message,
	.on_pong = on_pong,
	.on_drain = on_drain,
	.on_close = on_close,
};

/* ---- what is done ---- */

static struct sesame_limits limits(void)
{
	return (struct sesame_limits){
		.message_bytes = MOST_FILLING + TAG,
		.queue_bytes = 200000,
		.queue_high_bytes = 20000,
		.handshake_ms = 300,
		.ping_ms = 100,
		.idle_ms = 400,
		.close_ms = 50,
	};
}

static void begin_call(const struct side *s)
{
	MUST(s->conn, "no connection");
	w.in_call = true;
}

/* It has ended, and its owner is about to be told: what is closed stays so. */
static void note_closed(struct side *s, int r)
{
	if (r == SESAME_ECLOSED && s->state == OPEN)
		s->state = CLOSING;
}

static void check_sent(struct side *s, int r, const char *what)
{
	w.in_call = false;
	if (s->state != OPEN) {
		MUST(r == SESAME_ECLOSED, "%s in state %d: %d", what, s->state,
		     r);
		return;
	}
	MUST(r == 0 || r == SESAME_EAGAIN || r == SESAME_ELIMIT ||
		     r == SESAME_ECLOSED || r == SESAME_ENOMEM,
	     "%s: %d", what, r);
	s->full |= r == SESAME_EAGAIN || r == SESAME_ELIMIT;
	note_closed(s, r);
}

void *__real_malloc(size_t n);

static void do_send(struct side *s)
{
	unsigned tag[2] = {number_of(s), s->sent};
	size_t len = TAG + draw(draw(4) ? 200 : MOST_FILLING);
	char *data = __real_malloc(len); /* the player's own does not fail */
	int r;

	MUST(data, "memory");
	memset(data, (int)tag[0], len);
	memcpy(data, tag, TAG);
	begin_call(s);
	r = sesame_conn_send(s->conn, SESAME_BINARY, data, len);
	memset(data, 'z', len);
	free(data);
	check_sent(s, r, "send");
	if (r == 0 || r == SESAME_EAGAIN)
		s->sent++;
}

static void do_send_nonsense(struct side *s)
{
	int r;

	begin_call(s);
	r = sesame_conn_send(s->conn, SESAME_TEXT, "\xff", 1);
	w.in_call = false;
	MUST(r == SESAME_ECLOSED || (s->state == OPEN && r == SESAME_EINVAL),
	     "text that is none in state %d: %d", s->state, r);
	note_closed(s, r);
}

static void do_ping(struct side *s)
{
	char data[100] = {0};

	begin_call(s);
	check_sent(s, sesame_conn_ping(s->conn, data, draw(100)), "ping");
}

static void do_close(struct side *s)
{
	static const uint16_t codes[] = {0, 1000, 1001, 1011, 3000, 4999};
	uint16_t code = codes[draw(ARRAY_LEN(codes))];
	int r;

	begin_call(s);
	r = sesame_conn_close(s->conn, code,
			      code && draw(2) ? "so it is" : NULL);
	w.in_call = false;
	if (s->state == OPENING) {
		MUST(r == 0, "close while opening: %d", r);
		s->state = ABORTED;
	} else if (s->state == OPEN) {
		MUST(r == 0 || r == SESAME_ELIMIT || r == SESAME_ECLOSED,
		     "close: %d", r);
		if (r != SESAME_ELIMIT)
			s->state = CLOSING;
	} else {
		MUST(r == SESAME_ECLOSED, "close in state %d: %d", s->state, r);
	}
}

static void do_close_wrongly(struct side *s)
{
	int r;

	if (s->state == OPENING)
		return;
	begin_call(s);
	r = sesame_conn_close(s->conn, 1006, NULL);
	w.in_call = false;
	MUST(r == SESAME_ECLOSED || (s->state == OPEN && r == SESAME_EINVAL),
	     "close with 1006 in state %d: %d", s->state, r);
	note_closed(s, r);
}

static void do_abort(struct side *s)
{
	begin_call(s);
	sesame_conn_abort(s->conn);
	w.in_call = false;
	s->state = ABORTED;
}

static void do_pause(struct side *s)
{
	begin_call(s);
	sesame_conn_pause(s->conn);
	w.in_call = false;
}

static void do_resume(struct side *s)
{
	begin_call(s);
	sesame_conn_resume(s->conn);
	w.in_call = false;
}

static void do_ask(struct side *s)
{
	begin_call(s);
	MUST(sesame_conn_loop(s->conn) == w.loop, "loop");
	MUST(sesame_conn_user(s->conn) == s, "user");
	MUST(sesame_conn_subprotocol(s->conn), "subprotocol");
	MUST(sesame_conn_peer(s->conn), "peer");
	sesame_conn_queued(s->conn);
	w.in_call = false;
}

static void do_connect(void)
{
	struct sesame_client_options options = {
		.limits = limits(),
		.ca_file = w.ca_file,
		.no_deflate = draw(2),
	};
	char url[96], text[256];
	struct side *s;
	int r;

	if (w.n == MOST_PAIRS)
		return;
	s = &w.pair[w.n].side[0];
	snprintf(url, sizeof(url), "%s/%u", w.url, w.n++);
	w.in_call = true;
	r = sesame_connect(w.loop, url, &options, &handlers, s, &s->conn, text,
			   sizeof(text));
	w.in_call = false;
	if (r == 0)
		s->state = OPENING;
	else
		MUST(r == SESAME_ENOMEM || r == SESAME_ETLS, "connect: %s",
		     text);
}

/* It is for all that are open, and changes nobody's count. */
static void do_broadcast(void)
{
	bool in_call = w.in_call;

	w.in_call = true;
	sesame_server_broadcast(w.server, SESAME_TEXT, "b", 1, NULL, NULL);
	w.in_call = in_call;
	for (unsigned i = 0; i < w.n; i++) /* it tells nobody who is full */
		w.pair[i].side[1].full = true;
}

static void do_close_server(void)
{
	w.closing = true;
	w.in_call = true;
	MUST(sesame_server_close(w.server, 1001) == 0, "close of the server");
	w.in_call = false;
	for (unsigned i = 0; i < w.n; i++)
		if (w.pair[i].side[1].state == OPEN)
			w.pair[i].side[1].state = CLOSING;
}

static void (*const deeds[])(struct side *s) = {
	do_send,	  do_send,	    do_send,  do_send,	do_ping,
	do_send_nonsense, do_close_wrongly, do_close, do_abort, do_pause,
	do_resume,	  do_resume,	    do_ask,
};

/* Anything, to @own or to whoever else is there. */
static void do_something(struct side *own)
{
	unsigned what = draw(100);

	if (what < 5 && !w.closing)
		do_connect();
	else if (what < 7 && !w.closing)
		do_broadcast();
	else if (what == 7 && !w.closing && !draw(10))
		do_close_server();
	if (!own && w.n)
		own = &w.pair[draw(w.n)].side[draw(2)];
	if (own && own->conn && own->state != GONE)
		deeds[draw(ARRAY_LEN(deeds))](own);
}

static void on_request(struct sesame_server *server, void *user,
		       const struct sesame_request *request,
		       struct sesame_answer *answer)
{
	unsigned i = (unsigned)atoi(request->target + 1);

	answer->user = &w.pair[i].side[1];
	if (!draw(8))
		answer->status = 403;
	if (!w.over && !draw(4))
		do_something(NULL);
}

/* ---- a schedule ---- */

static void turn(unsigned ms)
{
	rig_clock_ms += ms;
	MUST(sesame_loop_turn(w.loop, 0) == 0, "turn");
}

static bool open_world(void)
{
	struct sesame_server_options options = {
		.deflate = draw(2),
		.limits = limits(),
		.on_request = on_request,
		.cert_file = w.cert_file,
		.max_connections = draw(2) ? 6 : 0,
	};
	char text[256];

	w.loop = sesame_loop_new();
	if (!w.loop || sesame_server_new(w.loop, &options, &handlers, &w.server,
					 text, sizeof(text)) < 0)
		return false;
	snprintf(w.url, sizeof(w.url), "%s://127.0.0.1:%u",
		 w.cert_file ? "wss" : "ws", sesame_server_port(w.server));
	return true;
}

static bool clients_left(void)
{
	for (unsigned i = 0; i < w.n; i++)
		if (w.pair[i].side[0].conn)
			return true;
	return false;
}

static void close_world(void)
{
	w.over = true;
	if (draw(2)) {
		do_close_server();
		for (int i = 0; i < 200; i++)
			turn(draw(5));
	}
	w.freeing = true;
	sesame_server_free(w.server);
	w.freeing = false;
	for (unsigned i = 0; i < w.n; i++) {
		MUST(!w.pair[i].side[1].conn, "a connection without server");
		if (!w.pair[i].side[0].conn)
			continue;
		if (draw(2))
			do_abort(&w.pair[i].side[0]);
		else /* who does not read hears of no end */
			do_resume(&w.pair[i].side[0]);
	}
	for (int i = 0; clients_left() && i < LAST_TURNS; i++)
		turn(10);
	MUST(!clients_left(), "an end that is never told");
	sesame_loop_free(w.loop);
}

static int play(void *arg)
{
	uint64_t seed = *(uint64_t *)arg;

	w.random = (seed + 1) * 0x9e3779b97f4a7c15;
	rig_clock_ms = 1000000;
	if (seed % 4) /* TLS for one of four */
		w.cert_file = w.ca_file = NULL;
	if (!open_world()) {
		sesame_loop_free(w.loop);
		return 2;
	}
	for (unsigned i = 0; i < STEPS; i++) {
		do_something(NULL);
		if (draw(2))
			turn(draw(4) ? draw(4) : draw(150));
	}
	close_world();
	return 0;
}

/* In every second schedule one call of ours goes wrong as well. */
static void run(uint64_t seed)
{
	rig_run((enum rig_kind)(seed / 2 % N_RIG),
		seed % 2 ? (long)(seed * 7919 % 500) : -1, play, &seed);
	if (WIFEXITED(rig->status) && WEXITSTATUS(rig->status) != 0 &&
	    !(WEXITSTATUS(rig->status) == 2 && rig->struck))
		rig_fail("SESAME_LIFETIMES=seed:%llu: %s",
			 (unsigned long long)seed, rig->notes);
	rig_check_end();
}

TEST("in any schedule every end is told once, and nothing is told or freed "
     "that should not be")
{
	const char *wish = getenv("SESAME_LIFETIMES");
	uint64_t n = SCHEDULES, first = 0;
	char file[64], ca_file[64];
	struct certificate ca = certificate_new("Test CA", NULL, NULL, -1, 30);
	struct certificate leaf =
		certificate_new("leaf", "IP:127.0.0.1", &ca, -1, 30);

	snprintf(file, sizeof(file), "/tmp/ses-lifetimes-%d.pem", getpid());
	snprintf(ca_file, sizeof(ca_file), "/tmp/ses-lifetimes-%d-ca.pem",
		 getpid());
	certificate_write(&leaf, file);
	certificate_write(&ca, ca_file);
	w.cert_file = file;
	w.ca_file = ca_file;
	if (wish && strncmp(wish, "seed:", 5) == 0) {
		first = strtoull(wish + 5, NULL, 10);
		n = 1;
	} else if (wish) {
		n = strtoull(wish, NULL, 10);
	}
	for (uint64_t seed = first; seed < first + n; seed++)
		run(seed);
	unlink(file);
	unlink(ca_file);
	certificate_free(&ca);
	certificate_free(&leaf);
}
