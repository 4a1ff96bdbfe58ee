/* SPDX-License-Identifier: MIT */
/* Connections over socket pairs: with each other, and with raw peers. */
#include "stage.h"

#include "wire/close.h"

static const struct sesame_limits quick = {
	.ping_ms = 30, .idle_ms = 90, .close_ms = 60};

/* Nothing but the close timer can end it. */
static const struct sesame_limits quick_to_close = {
	.ping_ms = 3600000, .idle_ms = 3600000, .close_ms = 60};

/* One end of a pair as a connection. */
static void seat_at(struct seat *s, struct sesame_loop *loop, int fd,
		    enum sesame_role role, const struct sesame_limits *limits,
		    const char *early)
{
	struct ses_conn_setup setup = {
		.role = role,
		.handlers = &seat_handlers,
		.user = s,
		.subprotocol = BYTES("chat"),
	};
	struct ses_stream *stream = new_stream(loop, fd);
	uint8_t bytes[256];
	size_t len = early ? strlen(early) : 0;
	struct sesame_conn *conn = NULL;

	assert_non_null(stream);
	memcpy(bytes, early ? early : "", len);
	s->loop = loop;
	if (limits)
		setup.limits = *limits;
	assert_int_equal(ses_conn_begin(stream, &setup, bytes, len, &conn), 0);
	assert_ptr_equal(conn, s->conn);
}

/* A stage: a loop, and a raw peer for one connection or two connections. */
struct stage {
	struct sesame_loop *loop;
	struct seat server, client;
	int raw;
};

static void set(struct stage *st)
{
	memset(st, 0, sizeof(*st));
	st->loop = sesame_loop_new();
	assert_non_null(st->loop);
	st->raw = -1;
}

static void set_pair(struct stage *st, const struct sesame_limits *limits)
{
	int fds[2];

	set(st);
	make_pair(fds);
	seat_at(&st->server, st->loop, fds[0], SESAME_SERVER, limits, NULL);
	seat_at(&st->client, st->loop, fds[1], SESAME_CLIENT, limits, NULL);
}

static void set_raw(struct stage *st, enum sesame_role role,
		    const struct sesame_limits *limits)
{
	int fds[2];

	set(st);
	make_pair(fds);
	st->raw = fds[1];
	seat_at(role == SESAME_SERVER ? &st->server : &st->client, st->loop,
		fds[0], role, limits, NULL);
}

static void strike(struct stage *st)
{
	struct seat *seats[] = {&st->server, &st->client};

	for (int i = 0; i < 2; i++) {
		if (seats[i]->conn && !seats[i]->told[TOLD_CLOSE])
			sesame_conn_abort(seats[i]->conn);
		TURN_UNTIL(st->loop, !seats[i]->conn);
		free(seats[i]->last);
	}
	if (st->raw >= 0)
		close(st->raw);
	turn_a_while(st->loop, 5);
	sesame_loop_free(st->loop);
}

TEST("a message goes each way, and its kind with it")
{
	struct stage st;

	set_pair(&st, NULL);
	st.server.echo = true;
	assert_int_equal(sesame_conn_send(st.client.conn, SESAME_TEXT, "h\xc3\xa4", 3), 0);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 1);
	assert_string_equal((char *)st.client.last, "h\xc3\xa4");
	assert_int_equal(st.client.kind, SESAME_TEXT);
	assert_int_equal(sesame_conn_send(st.client.conn, SESAME_BINARY, "\0\1", 2), 0);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 2);
	assert_int_equal(st.client.kind, SESAME_BINARY);
	assert_int_equal(st.client.last_len, 2);
	assert_string_equal(st.client.order, "omm");
	assert_string_equal(sesame_conn_subprotocol(st.client.conn), "chat");
	assert_ptr_equal(sesame_conn_loop(st.client.conn), st.loop);
	strike(&st);
}

TEST("a connection at rest is small and holds no buffers")
{
	struct stage st;

	set_pair(&st, NULL);
	st.server.echo = true;
	sesame_conn_send(st.client.conn, SESAME_TEXT, "x", 1);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 1);
	print_message("a connection: %zu bytes, its stream: %zu bytes\n",
		      sizeof(struct sesame_conn), sizeof(struct ses_stream));
	assert_true(sizeof(struct sesame_conn) <= 120 &&
		    sizeof(struct ses_stream) <= 72);
	assert_null(st.server.conn->session.work);
	assert_null(st.server.conn->stream->extra);
	assert_null(st.server.conn->extra);
	strike(&st);
}

TEST("bytes that came with the handshake are told after on_open")
{
	struct stage st;
	int fds[2];

	set(&st);
	make_pair(fds);
	st.raw = fds[1];
	seat_at(&st.client, st.loop, fds[0], SESAME_CLIENT, NULL,
		"\x81\x02hi\x81\x05hello");
	assert_string_equal(st.client.order, "omm");
	assert_string_equal((char *)st.client.last, "hello");
	strike(&st);
}

TEST("both sides learn how a clean close came about")
{
	for (int by_server = 0; by_server < 2; by_server++) {
		struct stage st;
		struct seat *first, *second;

		set_pair(&st, NULL);
		first = by_server ? &st.server : &st.client;
		second = by_server ? &st.client : &st.server;
		assert_int_equal(sesame_conn_close(first->conn, 4001, "enough"), 0);
		TURN_UNTIL(st.loop, first->told[TOLD_CLOSE] && second->told[TOLD_CLOSE]);
		assert_int_equal(first->end.code, 4001);
		assert_int_equal(second->end.code, 4001);
		assert_string_equal(second->reason, "enough");
		assert_true(first->end.clean && second->end.clean);
		assert_int_equal(first->end.error, 0);
		assert_int_equal(second->end.error, 0);
		assert_false(first->end.by_peer);
		assert_true(second->end.by_peer);
		assert_string_equal(first->text, "");
		strike(&st);
	}
}

TEST("a message queued before close arrives before the close frame")
{
	struct stage st;

	set_pair(&st, NULL);
	sesame_conn_send(st.server.conn, SESAME_TEXT, "last words", 10);
	sesame_conn_close(st.server.conn, 1000, NULL);
	assert_int_equal(sesame_conn_send(st.server.conn, SESAME_TEXT, "x", 1), SESAME_ECLOSED);
	assert_int_equal(sesame_conn_ping(st.server.conn, "x", 1), SESAME_ECLOSED);
	assert_int_equal(sesame_conn_close(st.server.conn, 1000, NULL), SESAME_ECLOSED);
	TURN_UNTIL(st.loop, st.client.told[TOLD_CLOSE]);
	assert_string_equal(st.client.order, "omc");
	strike(&st);
}

TEST("a close without a code is told as 1005")
{
	struct stage st;

	set_pair(&st, NULL);
	sesame_conn_close(st.client.conn, 0, NULL);
	TURN_UNTIL(st.loop, st.client.told[TOLD_CLOSE] && st.server.told[TOLD_CLOSE]);
	assert_int_equal(st.server.end.code, 1005);
	assert_int_equal(st.client.end.code, 1005);
	strike(&st);
}

TEST("a close that may not be sent is refused and changes nothing")
{
	static const struct {
		uint16_t code;
		const char *reason;
	} bad[] = {{1005, NULL}, {1006, NULL}, {999, NULL}, {5000, NULL},
		   {1000, "\xff"}, {0, "reason without a code"}};
	struct stage st;

	set_pair(&st, NULL);
	st.server.echo = true;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(sesame_conn_close(st.client.conn, bad[i].code, bad[i].reason),
				 SESAME_EINVAL);
	assert_int_equal(sesame_conn_send(st.client.conn, SESAME_TEXT, "\xff", 1), SESAME_EINVAL);
	assert_int_equal(sesame_conn_send(st.client.conn, SESAME_TEXT, "on", 2), 0);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 1);
	strike(&st);
}

TEST("a server ends TCP as soon as both close frames were seen")
{
	uint8_t frame[32];
	struct heard h = {0};
	struct stage st;

	set_raw(&st, SESAME_SERVER, NULL);
	raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x88, "\x03\xe8" "bye", 5));
	raw_hear(st.loop, st.raw, &h, 100);
	assert_true(h.ended);
	assert_int_equal(h.len, 4);
	assert_memory_equal(h.data, "\x88\x02\x03\xe8", 4);
	assert_int_equal(st.server.end.code, 1000);
	assert_string_equal(st.server.reason, "bye");
	assert_true(st.server.end.clean && st.server.end.by_peer);
	strike(&st);
}

TEST("a client leaves ending TCP to the server, but not for ever")
{
	struct heard h = {0};
	struct stage st;
	uint64_t began;

	set_raw(&st, SESAME_CLIENT, &quick);
	raw_send(st.loop, st.raw, "\x88\x02\x03\xe8", 4);
	raw_hear(st.loop, st.raw, &h, 8);
	began = clock_ms();
	assert_int_equal(h.len, 8);
	assert_false(h.ended);
	assert_int_equal(st.client.told[TOLD_CLOSE], 0);
	TURN_UNTIL(st.loop, st.client.told[TOLD_CLOSE]);
	assert_true(clock_ms() - began >= 40);
	assert_true(st.client.end.clean);
	assert_int_equal(st.client.end.error, 0);
	strike(&st);
}

TEST("a peer that never answers the close frame is left after close_ms")
{
	for (int role = SESAME_CLIENT; role <= SESAME_SERVER; role++) {
		uint64_t began = clock_ms();
		struct stage st;
		struct seat *seat;

		set_raw(&st, role, &quick_to_close);
		seat = role == SESAME_SERVER ? &st.server : &st.client;
		sesame_conn_close(seat->conn, 1000, NULL);
		TURN_UNTIL(st.loop, seat->told[TOLD_CLOSE]);
		assert_true(clock_ms() - began >= 50);
		assert_int_equal(seat->end.error, SESAME_ETIMEOUT);
		assert_int_equal(seat->end.code, 1006);
		assert_false(seat->end.clean);
		assert_non_null(strstr(seat->text, "close frame"));
		strike(&st);
	}
}

TEST("a peer that answers the close frame and never ends TCP is left after "
     "close_ms")
{
	uint8_t frame[32];
	struct heard h = {0};
	struct stage st;
	uint64_t began = clock_ms();

	set_raw(&st, SESAME_SERVER, &quick_to_close);
	sesame_conn_close(st.server.conn, 1000, NULL);
	raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x88, "\x03\xe8", 2));
	raw_hear(st.loop, st.raw, &h, 100);
	assert_true(h.ended && st.server.end.clean);
	assert_int_equal(st.loop->n_lingering, 1);
	TURN_UNTIL(st.loop, st.loop->n_lingering == 0);
	assert_true(clock_ms() - began >= 50);
	strike(&st);
}

TEST("a peer that chatters on instead of answering the close frame is left too")
{
	struct stage st;
	uint8_t frame[32];
	size_t n = masked_frame(frame, 0x81, "blah", 4);

	set_raw(&st, SESAME_SERVER, &quick_to_close);
	sesame_conn_close(st.server.conn, 1000, NULL);
	TURN_UNTIL(st.loop, (send(st.raw, frame, n, MSG_NOSIGNAL), st.server.told[TOLD_CLOSE]));
	assert_int_equal(st.server.end.error, SESAME_ETIMEOUT);
	strike(&st);
}

TEST("an end of TCP without a close frame is 1006 and told as such")
{
	struct stage st;

	set_raw(&st, SESAME_SERVER, NULL);
	close(st.raw);
	st.raw = -1;
	TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE]);
	assert_int_equal(st.server.end.error, SESAME_ERESET);
	assert_int_equal(st.server.end.code, 1006);
	assert_true(st.server.end.by_peer);
	assert_false(st.server.end.clean);
	assert_string_equal(st.server.text,
			    "the peer closed the connection without a close frame");
	strike(&st);
}

TEST("a broken rule is answered with its close code and told with its sentence")
{
	static const struct {
		const char *bytes;
		size_t len;
		int code, error;
	} rows[] = {
		{"\x81\x02hi", 4, 1002, SESAME_EPROTO},	       /* not masked */
		{"\xf1\x80\0\0\0\0", 6, 1002, SESAME_EPROTO},  /* reserved bits */
		{"\x81\x81\0\0\0\0\xff", 7, 1007, SESAME_EPROTO}, /* UTF-8 */
		{"\x82\xfe\x10\0\0\0\0\0", 8, 1009, SESAME_ELIMIT},
		{"\x88\x82\0\0\0\0\x03\xed", 8, 1002, SESAME_EPROTO}, /* 1005 */
	};
	struct sesame_limits limits = {.message_bytes = 1000};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct heard h = {0};
		struct stage st;

		set_raw(&st, SESAME_SERVER, &limits);
		raw_send(st.loop, st.raw, rows[i].bytes, rows[i].len);
		raw_hear(st.loop, st.raw, &h, 200);
		assert_true(h.ended);
		assert_int_equal(h.data[0], 0x88);
		assert_int_equal(h.data[2] << 8 | h.data[3], rows[i].code);
		assert_int_equal(st.server.end.code, rows[i].code);
		assert_int_equal(st.server.end.error, rows[i].error);
		assert_false(st.server.end.clean);
		assert_true(strlen(st.server.text) > 10);
		strike(&st);
	}
}

/* ---- time ---- */

TEST("silence is broken by one ping and ends the connection when it lasts")
{
	struct heard h = {0};
	struct stage st;
	uint64_t began = clock_ms();

	set_raw(&st, SESAME_SERVER, &quick);
	raw_hear(st.loop, st.raw, &h, 100);
	assert_true(h.ended);
	assert_int_equal(h.len, 2);
	assert_memory_equal(h.data, "\x89\x00", 2);
	assert_true(clock_ms() - began >= 80);
	assert_int_equal(st.server.end.error, SESAME_ETIMEOUT);
	assert_int_equal(st.server.end.code, 1006);
	assert_non_null(strstr(st.server.text, "nothing came"));
	strike(&st);
}

/* Both ends live in this thread, which a busy machine may hold up. */
static const struct sesame_limits patient = {.ping_ms = 100, .idle_ms = 700};

TEST("who answers pings stays, however silent")
{
	struct stage st;

	set_pair(&st, &patient);
	turn_a_while(st.loop, 1000);
	assert_int_equal(st.server.told[TOLD_CLOSE], 0);
	assert_int_equal(st.client.told[TOLD_CLOSE], 0);
	assert_true(st.client.told[TOLD_PONG] + st.server.told[TOLD_PONG] >= 3);
	strike(&st);
}

TEST("silence of one's own doing does not count")
{
	struct stage st;

	set_raw(&st, SESAME_SERVER, &patient);
	sesame_conn_pause(st.server.conn);
	turn_a_while(st.loop, 1000);
	assert_int_equal(st.server.told[TOLD_CLOSE], 0);
	sesame_conn_resume(st.server.conn);
	turn_a_while(st.loop, 50);
	assert_int_equal(st.server.told[TOLD_CLOSE], 0);
	TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE]);
	strike(&st);
}

TEST("who is waited for to read has as long as one who is silent")
{
	static uint8_t much[1 << 20];

	for (int reads = 0; reads < 2; reads++) {
		static uint8_t bytes[1 << 14];
		struct stage st;

		set_raw(&st, SESAME_SERVER, &patient);
		for (int i = 0; i < 8; i++)
			sesame_conn_send(st.server.conn, SESAME_BINARY, much,
					 sizeof(much));
		assert_true(sesame_conn_queued(st.server.conn) > 0);
		sesame_conn_pause(st.server.conn);
		for (int i = 0; i < 40; i++) {
			turn_a_while(st.loop, 30);
			if (reads)
				for (int k = 0; k < 12; k++) /* never all */
					raw_read(st.raw, bytes, sizeof(bytes));
		}
		if (reads) {
			assert_int_equal(st.server.told[TOLD_CLOSE], 0);
		} else {
			assert_int_equal(st.server.told[TOLD_CLOSE], 1);
			assert_int_equal(st.server.end.error, SESAME_ETIMEOUT);
		}
		strike(&st);
	}
}

/* ---- back-pressure ---- */

static const struct sesame_limits narrow = {.queue_bytes = 1 << 20,
					    .queue_high_bytes = 1 << 18};

static size_t read_all(struct stage *st, uint8_t *last, size_t n_last)
{
	static uint8_t bytes[1 << 16];
	size_t total = 0, quiet = 0;

	while (quiet < 20) {
		ssize_t n = raw_read(st->raw, bytes, sizeof(bytes));

		if (n < 0)
			break;
		quiet = n ? 0 : quiet + 1;
		total += (size_t)n;
		if (last && (size_t)n >= n_last)
			memcpy(last, bytes + n - n_last, n_last);
		sesame_loop_turn(st->loop, 1);
	}
	return total;
}

TEST("a queue tells when it is long, when it is full, and when it is short again")
{
	static uint8_t block[10000];
	struct stage st;
	size_t taken = 0;
	int r = 0;

	set_raw(&st, SESAME_SERVER, &narrow);
	while ((r = sesame_conn_send(st.server.conn, SESAME_BINARY, block, sizeof(block))) == 0) {
		taken++;
		sesame_loop_turn(st.loop, 0);
	}
	assert_int_equal(r, SESAME_EAGAIN);
	taken++;
	while ((r = sesame_conn_send(st.server.conn, SESAME_BINARY, block, sizeof(block))) ==
	       SESAME_EAGAIN)
		taken++;
	assert_int_equal(r, SESAME_ELIMIT);
	assert_true(sesame_conn_queued(st.server.conn) <= narrow.queue_bytes);
	assert_true(sesame_conn_queued(st.server.conn) > narrow.queue_bytes - 2 * sizeof(block));
	assert_int_equal(st.server.told[TOLD_DRAIN], 0);
	assert_int_equal(read_all(&st, NULL, 0), taken * (sizeof(block) + 4));
	assert_int_equal(st.server.told[TOLD_DRAIN], 1);
	assert_int_equal(sesame_conn_queued(st.server.conn), 0);
	assert_int_equal(sesame_conn_send(st.server.conn, SESAME_BINARY, block, 1), 0);
	strike(&st);
}

/* Send until the queue is over its high mark. */
static void fill_queue(struct stage *st, bool to_the_brim)
{
	static uint8_t block[10000];
	int r;

	do {
		r = sesame_conn_send(st->server.conn, SESAME_BINARY, block, sizeof(block));
		sesame_loop_turn(st->loop, 0);
	} while (r == 0 || (to_the_brim && r == SESAME_EAGAIN));
	if (!to_the_brim)
		return;
	do { /* where a block has no room, a byte may have */
		r = sesame_conn_send(st->server.conn, SESAME_BINARY, block, 1);
	} while (r != SESAME_ELIMIT);
}

TEST("a peer that pings without reading makes no queue grow and gets the newest pong")
{
	struct stage st;
	uint8_t frame[64], last[6];
	size_t before;

	set_raw(&st, SESAME_SERVER, &narrow);
	fill_queue(&st, false);
	before = sesame_conn_queued(st.server.conn);
	for (int i = 0; i < 20000; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%04d", i % 10000);
		raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x89, text, 4));
	}
	turn_a_while(st.loop, 20);
	assert_true(sesame_conn_queued(st.server.conn) <= before + 200);
	read_all(&st, last, sizeof(last));
	assert_memory_equal(last, "\x8a\x04" "9999", 6);
	strike(&st);
}

TEST("a close frame finds room in a full queue")
{
	struct stage st;
	uint8_t last[4];

	set_raw(&st, SESAME_SERVER, &narrow);
	fill_queue(&st, true);
	assert_int_equal(sesame_conn_close(st.server.conn, 1000, NULL), 0);
	read_all(&st, last, sizeof(last));
	assert_memory_equal(last, "\x88\x02\x03\xe8", 4);
	strike(&st);
}

TEST("so does the answer to a close frame, also after many pings")
{
	struct stage st;
	uint8_t frame[64], last[4];

	set_raw(&st, SESAME_SERVER, &narrow);
	fill_queue(&st, true);
	for (int i = 0; i < 100; i++)
		raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x89, "ping", 4));
	raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x88, "\x03\xe8", 2));
	TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE]);
	assert_true(st.server.end.clean);
	read_all(&st, last, sizeof(last));
	assert_memory_equal(last, "\x88\x02\x03\xe8", 4);
	strike(&st);
}

TEST("a message over the queue's limit is refused and the next one goes")
{
	static uint8_t huge[(1 << 20) + 1];
	struct stage st;

	set_pair(&st, &narrow);
	assert_int_equal(sesame_conn_send(st.client.conn, SESAME_BINARY, huge, sizeof(huge)),
			 SESAME_ELIMIT);
	assert_int_equal(sesame_conn_send(st.client.conn, SESAME_TEXT, "x", 1), 0);
	TURN_UNTIL(st.loop, st.server.told[TOLD_MESSAGE] == 1);
	strike(&st);
}

TEST("who sends to a peer that is gone is told that it is closed, not full")
{
	static uint8_t block[300000];
	struct stage st;
	int r = 0;

	set_raw(&st, SESAME_SERVER, NULL);
	sesame_conn_pause(st.server.conn); /* so that only sending finds out */
	close(st.raw);
	st.raw = -1;
	for (int i = 0; i < 3 && st.server.conn; i++) {
		r = sesame_conn_send(st.server.conn, SESAME_BINARY, block, sizeof(block));
		assert_true(r != SESAME_ELIMIT);
		assert_true(ses_conn_send_frame(st.server.conn, BYTES("\x81\x01x")) != SESAME_ELIMIT);
	}
	TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE]);
	assert_int_equal(st.server.end.error, SESAME_ERESET);
	strike(&st);
}

TEST("a frame built once is sent as it is")
{
	struct stage st;

	set_pair(&st, NULL);
	assert_int_equal(ses_conn_send_frame(st.server.conn, BYTES("\x81\x03" "all")), 0);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 1);
	assert_string_equal((char *)st.client.last, "all");
	sesame_conn_close(st.server.conn, 1000, NULL);
	assert_int_equal(ses_conn_send_frame_now(st.server.conn, BYTES("\x81\x01x")), SESAME_ECLOSED);
	assert_int_equal(ses_conn_send_frame(st.server.conn, BYTES("\x81\x01x")), SESAME_ECLOSED);
	strike(&st);
}

TEST("frames that are sent now wait for nothing, and for what is before them")
{
	struct stage st;

	set_pair(&st, NULL);
	assert_int_equal(ses_conn_send_frame_now(st.server.conn,
						 BYTES("\x81\x03" "one\x81\x03" "two")), 0);
	assert_int_equal(sesame_conn_queued(st.server.conn), 0);
	assert_int_equal(ses_conn_send_frame(st.server.conn, BYTES("\x81\x05" "three")), 0);
	assert_int_equal(ses_conn_send_frame_now(st.server.conn, BYTES("\x81\x04" "four")), 0);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 4);
	assert_string_equal((char *)st.client.last, "four");
	strike(&st);
}

/* ---- lifetimes ---- */

static void do_close(struct seat *s)
{
	sesame_conn_close(s->conn, 1000, "from inside");
	assert_int_equal(sesame_conn_send(s->conn, SESAME_TEXT, "x", 1), SESAME_ECLOSED);
}

static void do_abort(struct seat *s)
{
	sesame_conn_abort(s->conn);
	assert_true(sesame_session_is_over(&s->conn->session));
	sesame_conn_abort(s->conn);
	assert_int_equal(sesame_conn_send(s->conn, SESAME_TEXT, "x", 1), SESAME_ECLOSED);
	assert_int_equal(sesame_conn_close(s->conn, 1000, NULL), SESAME_ECLOSED);
}

static void do_abort_now(struct seat *s)
{
	ses_conn_abort_now(s->conn);
	sesame_conn_pause(s->conn);
	sesame_conn_resume(s->conn);
}

static void do_close_and_abort(struct seat *s)
{
	sesame_conn_close(s->conn, 1000, NULL);
	sesame_conn_abort(s->conn);
}

/* Everything that a connection tells, one after the other. */
static void let_all_happen(struct stage *st)
{
	uint8_t bytes[64];
	size_t n = masked_frame(bytes, 0x8a, "pong", 4);

	fill_queue(st, false);
	n += masked_frame(bytes + n, 0x81, "one", 3);
	n += masked_frame(bytes + n, 0x81, "two", 3);
	raw_send(st->loop, st->raw, bytes, n);
	read_all(st, NULL, 0);
	n = masked_frame(bytes, 0x88, "\x03\xe8", 2);
	raw_send(st->loop, st->raw, bytes, n);
	TURN_UNTIL(st->loop, st->server.told[TOLD_CLOSE]);
}

TEST("closing and aborting are safe inside of every callback")
{
	static void (*const acts[])(struct seat *) = {
		do_close, do_abort, do_abort_now, do_close_and_abort};

	for (int in = TOLD_OPEN; in < N_TOLD; in++) {
		for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
			struct stage st;
			int fds[2];

			set(&st);
			make_pair(fds);
			st.raw = fds[1];
			st.server.act_in = in;
			st.server.act = acts[i];
			seat_at(&st.server, st.loop, fds[0], SESAME_SERVER, &narrow, NULL);
			if (st.server.conn && in != TOLD_OPEN)
				let_all_happen(&st);
			else if (st.server.conn)
				sesame_conn_abort(st.server.conn);
			TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE] == 1);
			assert_int_equal(st.server.told[TOLD_CLOSE], 1);
			strike(&st);
			assert_int_equal(st.server.told[TOLD_CLOSE], 1);
		}
	}
}

TEST("after abort nothing is told but the end, and it is told later")
{
	struct stage st;
	uint8_t frame[64];

	set_raw(&st, SESAME_SERVER, NULL);
	raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x81, "x", 1));
	sesame_conn_abort(st.server.conn);
	assert_int_equal(st.server.told[TOLD_CLOSE], 0);
	TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE]);
	assert_string_equal(st.server.order, "oc");
	assert_int_equal(st.server.end.error, SESAME_ECLOSED);
	strike(&st);
}

TEST("aborted inside of a message, the messages behind it are not told")
{
	struct stage st;
	uint8_t bytes[64];
	size_t n = masked_frame(bytes, 0x81, "one", 3);

	set_raw(&st, SESAME_SERVER, NULL);
	n += masked_frame(bytes + n, 0x81, "two", 3);
	st.server.act_in = TOLD_MESSAGE;
	st.server.act = do_abort;
	raw_send(st.loop, st.raw, bytes, n);
	TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE]);
	assert_string_equal(st.server.order, "omc");
	strike(&st);
}

static void send_to_other(struct seat *s)
{
	struct seat *other = sesame_conn_user(s->conn);

	assert_ptr_equal(other, s);
	sesame_conn_send(s->conn, SESAME_TEXT, "in between", 10);
	sesame_conn_ping(s->conn, "p", 1);
}

TEST("sending inside of callbacks keeps the frames whole")
{
	struct stage st;

	set_pair(&st, NULL);
	st.server.echo = true;
	st.server.act_in = TOLD_MESSAGE;
	st.server.act = send_to_other;
	for (int i = 0; i < 50; i++)
		sesame_conn_send(st.client.conn, SESAME_TEXT, "x", 1);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 100);
	assert_int_equal(st.client.told[TOLD_CLOSE], 0);
	strike(&st);
}

TEST("a large message is the same on the other side")
{
	size_t len = (size_t)9 << 20;
	uint8_t *data = malloc(len);
	struct stage st;

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	set_pair(&st, NULL);
	st.server.echo = true;
	assert_int_equal(sesame_conn_send(st.client.conn, SESAME_BINARY, data, len), SESAME_EAGAIN);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 1);
	assert_int_equal(st.client.last_len, len);
	assert_memory_equal(st.client.last, data, len);
	free(data);
	strike(&st);
}

TEST("limits that are zero become the defaults, others stay")
{
	struct sesame_limits l = {.ping_ms = 7};

	ses_limits_default(&l);
	assert_int_equal(l.ping_ms, 7);
	assert_int_equal(l.idle_ms, 75000);
	assert_int_equal(l.handshake_ms, 10000);
	assert_int_equal(l.close_ms, 5000);
	assert_int_equal(l.message_bytes, (size_t)16 << 20);
	assert_int_equal(l.queue_bytes, (size_t)17 << 20);
	assert_int_equal(l.queue_high_bytes, 1 << 20);
}

TEST("what may come may be sent back, and the high mark lies below the end")
{
	struct sesame_limits wide = {.message_bytes = (size_t)64 << 20};
	struct sesame_limits endless = {.message_bytes = SIZE_MAX};
	struct sesame_limits small = {.queue_bytes = 1000};

	ses_limits_default(&wide);
	ses_limits_default(&endless);
	ses_limits_default(&small);
	assert_int_equal(wide.queue_bytes, (size_t)65 << 20);
	assert_int_equal(endless.queue_bytes, SIZE_MAX);
	assert_int_equal(small.queue_bytes, 1000);
	assert_int_equal(small.queue_high_bytes, 500);
}

TEST("the longest message that is taken can be echoed")
{
	size_t len = (size_t)16 << 20;
	uint8_t *data = calloc(len, 1);
	struct stage st;

	set_pair(&st, NULL);
	st.server.echo = true;
	assert_true(sesame_conn_send(st.client.conn, SESAME_BINARY, data, len) != SESAME_ELIMIT);
	TURN_UNTIL(st.loop, st.client.told[TOLD_MESSAGE] == 1);
	assert_int_equal(st.client.last_len, len);
	free(data);
	strike(&st);
}

TEST("a peer that closes and is gone before the answer was the one who closed")
{
	static uint8_t block[300000];
	uint8_t frame[32];
	struct stage st;

	set_raw(&st, SESAME_SERVER, NULL);
	raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x88, "\x03\xe8", 2));
	close(st.raw);
	st.raw = -1;
	sesame_conn_send(st.server.conn, SESAME_BINARY, block, sizeof(block));
	TURN_UNTIL(st.loop, st.server.told[TOLD_CLOSE]);
	assert_int_equal(st.server.end.error, SESAME_ERESET);
	assert_int_equal(st.server.end.code, 1000);
	assert_true(st.server.end.by_peer);
	assert_false(st.server.end.clean);
	assert_non_null(strstr(st.server.text, "could be answered"));
	strike(&st);
}

TEST("a message that had no room is called for when the queue has drained")
{
	static const struct sesame_limits limits = {.queue_bytes = 1 << 20};
	static uint8_t half[400000], rest[(1 << 20) - 1000];
	struct stage st;

	set_raw(&st, SESAME_SERVER, &limits);
	assert_int_equal(sesame_conn_send(st.server.conn, SESAME_BINARY, half, sizeof(half)), 0);
	assert_true(sesame_conn_queued(st.server.conn) > 2000);
	assert_int_equal(sesame_conn_send(st.server.conn, SESAME_BINARY, rest, sizeof(rest)),
			 SESAME_ELIMIT);
	read_all(&st, NULL, 0);
	assert_int_equal(st.server.told[TOLD_DRAIN], 1);
	assert_true(sesame_conn_send(st.server.conn, SESAME_BINARY, rest, sizeof(rest)) !=
		    SESAME_ELIMIT);
	strike(&st);
}

TEST("a ping of ours leaves a pong that waits where it is")
{
	struct sesame_limits limits = narrow;
	uint8_t frame[64], last[6];
	struct stage st;

	limits.ping_ms = 30;
	set_raw(&st, SESAME_SERVER, &limits);
	fill_queue(&st, false);
	raw_send(st.loop, st.raw, frame, masked_frame(frame, 0x89, "wait", 4));
	TURN_UNTIL(st.loop, st.server.conn->extra);
	turn_a_while(st.loop, 80);
	assert_true(st.server.conn->pinged_ms > 0);
	read_all(&st, last, sizeof(last));
	assert_memory_equal(last, "\x8a\x04wait", 6);
	strike(&st);
}

TEST("a client that waited for the end of TCP does not wait again")
{
	struct heard h = {0};
	struct stage st;

	set_raw(&st, SESAME_CLIENT, &quick);
	raw_send(st.loop, st.raw, "\x88\x02\x03\xe8", 4);
	raw_hear(st.loop, st.raw, &h, 8);
	TURN_UNTIL(st.loop, st.client.told[TOLD_CLOSE]);
	assert_true(ses_list_empty(&st.loop->lingering));
	strike(&st);
}

TEST("for a full queue nothing is compressed")
{
	static uint8_t zeros[1000];
	struct stage st;

	set_raw(&st, SESAME_SERVER, &narrow);
	fill_queue(&st, true);
	st.server.conn->session.deflate_on = true;
	assert_int_equal(sesame_conn_send(st.server.conn, SESAME_BINARY, zeros, sizeof(zeros)),
			 SESAME_ELIMIT);
	assert_null(st.server.conn->session.work);
	read_all(&st, NULL, 0);
	assert_true(sesame_conn_send(st.server.conn, SESAME_BINARY, zeros, sizeof(zeros)) == 0);
	assert_non_null(st.server.conn->session.work->deflate);
	strike(&st);
}
