/* SPDX-License-Identifier: MIT */
/* Peers that mean harm to the others: what they may take, and what not. */
#include "stage.h"

#include "wire/deflate.h"

#define BOMB_BYTES (64 * 1024)
#define N_BOMBS	   150

static int seat(struct seat *s, struct sesame_loop *loop, bool deflate)
{
	struct ses_conn_setup setup = {
		.role = SESAME_SERVER,
		.handlers = &seat_handlers,
		.user = s,
		.deflate = {.on = deflate},
	};
	struct sesame_conn *conn = NULL;
	int fds[2];

	memset(s, 0, sizeof(*s));
	make_pair(fds);
	assert_int_equal(ses_conn_begin(new_stream(loop, fds[0]), &setup, NULL,
					0, &conn),
			 0);
	return fds[1];
}

static void unseat(struct seat *s, struct sesame_loop *loop, int raw)
{
	if (s->conn)
		sesame_conn_abort(s->conn);
	TURN_UNTIL(loop, !s->conn);
	free(s->last);
	close(raw);
}

/* As many messages that inflate to BOMB_BYTES as @n, one after the other. */
static void make_bombs(struct ses_buf *out, int n)
{
	struct ses_deflate *z = ses_deflate_new(15, false);
	uint8_t *zeros = calloc(1, BOMB_BYTES), frame[1024];
	struct ses_buf bomb;

	ses_buf_init(&bomb, 1 << 20);
	ses_buf_init(out, 1 << 20);
	assert_int_equal(
		ses_deflate_message(z, bytes_of(zeros, BOMB_BYTES), &bomb), 0);
	for (int i = 0; i < n; i++) {
		size_t len = masked_frame(frame, 0xc2, bomb.data,
					  ses_buf_len(&bomb));

		assert_int_equal(ses_buf_append(out, bytes_of(frame, len)), 0);
	}
	ses_buf_fini(&bomb);
	ses_deflate_free(z);
	free(zeros);
}

TEST("who sends many bombs at once leaves the others their turn")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct seat hostile, honest;
	int raw = seat(&hostile, loop, true);
	int friend = seat(&honest, loop, true);
	uint8_t frame[16];
	struct ses_buf bombs;

	make_bombs(&bombs, N_BOMBS);
	raw_send(loop, raw, bombs.data, ses_buf_len(&bombs));
	raw_send(loop, friend, frame, masked_frame(frame, 0x81, "hello", 5));
	TURN_UNTIL(loop, honest.told[TOLD_MESSAGE] == 1);
	assert_true(hostile.told[TOLD_MESSAGE] < N_BOMBS / 5);
	TURN_UNTIL(loop, hostile.told[TOLD_MESSAGE] == N_BOMBS);
	assert_int_equal(hostile.total, (size_t)N_BOMBS * BOMB_BYTES);
	assert_int_equal(hostile.last_len, BOMB_BYTES);
	ses_buf_fini(&bombs);
	unseat(&hostile, loop, raw);
	unseat(&honest, loop, friend);
	sesame_loop_free(loop);
}

#define N_HOSTILE 30

static int told_to(const struct seat *seats)
{
	int n = 0;

	for (int i = 0; i < N_HOSTILE; i++)
		n += seats[i].told[TOLD_MESSAGE];
	return n;
}

TEST("however many send bombs, another one waits for one of them at most")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct seat hostile[N_HOSTILE], honest;
	int raw[N_HOSTILE], friend = seat(&honest, loop, false);
	struct ses_buf bombs;
	uint8_t frame[16];
	int before;

	make_bombs(&bombs, N_BOMBS);
	for (int i = 0; i < N_HOSTILE; i++) {
		raw[i] = seat(&hostile[i], loop, true);
		raw_send(loop, raw[i], bombs.data, ses_buf_len(&bombs));
	}
	for (int i = 0; i < 3; i++) /* now it is known who they are */
		sesame_loop_turn(loop, 0);
	before = told_to(hostile);
	assert_true(before < N_HOSTILE * N_BOMBS / 2);
	raw_send(loop, friend, frame, masked_frame(frame, 0x81, "hello", 5));
	TURN_UNTIL(loop, honest.told[TOLD_MESSAGE] == 1);
	assert_true(told_to(hostile) - before <= 2 * 256 * 1024 / BOMB_BYTES);
	TURN_UNTIL(loop, told_to(hostile) == N_HOSTILE * N_BOMBS);
	ses_buf_fini(&bombs);
	for (int i = 0; i < N_HOSTILE; i++)
		unseat(&hostile[i], loop, raw[i]);
	unseat(&honest, loop, friend);
	sesame_loop_free(loop);
}

TEST("bombs that came before the end of TCP are all told before it")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct seat hostile;
	int raw = seat(&hostile, loop, true);
	struct ses_buf bombs;

	make_bombs(&bombs, 20);
	raw_send(loop, raw, bombs.data, ses_buf_len(&bombs));
	shutdown(raw, SHUT_WR);
	TURN_UNTIL(loop, hostile.told[TOLD_CLOSE]);
	assert_int_equal(hostile.told[TOLD_MESSAGE], 20);
	ses_buf_fini(&bombs);
	unseat(&hostile, loop, raw);
	sesame_loop_free(loop);
}

static void pause_there(struct seat *s)
{
	sesame_conn_pause(s->conn);
}

TEST("of many bombs few are told to an owner who wants no more")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct seat hostile;
	int raw = seat(&hostile, loop, true);
	struct ses_buf bombs;

	hostile.act_in = TOLD_MESSAGE;
	hostile.act = pause_there;
	make_bombs(&bombs, N_BOMBS);
	raw_send(loop, raw, bombs.data, ses_buf_len(&bombs));
	turn_a_while(loop, 20);
	assert_in_range(hostile.told[TOLD_MESSAGE], 1, N_BOMBS / 5);
	hostile.act = NULL;
	sesame_conn_resume(hostile.conn);
	TURN_UNTIL(loop, hostile.told[TOLD_MESSAGE] == N_BOMBS);
	ses_buf_fini(&bombs);
	unseat(&hostile, loop, raw);
	sesame_loop_free(loop);
}

TEST("a connection closed in the middle of its bombs tells no more of them")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct seat hostile;
	int raw = seat(&hostile, loop, true);
	struct ses_buf bombs;

	make_bombs(&bombs, N_BOMBS);
	raw_send(loop, raw, bombs.data, ses_buf_len(&bombs));
	TURN_UNTIL(loop, hostile.told[TOLD_MESSAGE] > 0);
	sesame_conn_abort(hostile.conn);
	TURN_UNTIL(loop, hostile.told[TOLD_CLOSE]);
	assert_true(hostile.told[TOLD_MESSAGE] < N_BOMBS);
	ses_buf_fini(&bombs);
	unseat(&hostile, loop, raw);
	sesame_loop_free(loop);
}

TEST("of a million pings to one who is not read one pong is kept")
{
	struct sesame_loop *loop = sesame_loop_new();
	size_t most = 0, n = 10000, len = n * 6;
	uint8_t *pings = malloc(len);
	struct seat hostile;
	int raw = seat(&hostile, loop, false);
	int r;

	for (size_t i = 0; i < n; i++)
		masked_frame(pings + 6 * i, 0x89, NULL, 0);
	do { /* what it is told already it does not read */
		r = sesame_conn_send(hostile.conn, SESAME_BINARY, pings, len);
	} while (r == 0);
	assert_int_equal(r, SESAME_EAGAIN);
	sesame_loop_turn(loop, 0);
	for (int i = 0; i < 100; i++) {
		raw_send(loop, raw, pings, len);
		if (sesame_conn_queued(hostile.conn) > most)
			most = sesame_conn_queued(hostile.conn);
	}
	turn_a_while(loop, 20);
	assert_int_equal(sesame_conn_queued(hostile.conn), most);
	assert_non_null(hostile.conn->extra->aside);
	assert_int_equal(hostile.told[TOLD_CLOSE], 0);
	free(pings);
	unseat(&hostile, loop, raw);
	sesame_loop_free(loop);
}
