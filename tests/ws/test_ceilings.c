/* SPDX-License-Identifier: MIT */
/*
 * What a hundred clients may take of a server's memory, in bytes of the heap:
 * the lines of docs/limits.md, each filled to its brim. bench/ceilings.py does
 * the same with a thousand of them and a whole program.
 */
#include "stage.h"

#include <sesame/server.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "wire/deflate.h"
#include "ws/intake.h"

#define N	      100
#define N_DEAF	      10 /* that are sent to until the system holds no more */
#define MESSAGE_BYTES ((size_t)64 * 1024)
#define HIGH_BYTES    ((size_t)32 * 1024)

/* The lines of docs/limits.md. */
#define VISITOR_BYTES	 ((size_t)4 * 1024)
#define CONNECTION_BYTES ((size_t)512)
#define BLOCK_BYTES	 ((size_t)4 * 1024)
#define INFLATE_BYTES	 ((size_t)48 * 1024)
#define DEFLATE_BYTES	 ((size_t)272 * 1024)
#define PART_BYTES	 ((size_t)16 * 1024)

struct stage {
	struct sesame_loop *loop;
	struct sesame_server *server;
	size_t before; /* of the heap, when nobody was there */
	int client[N], n;
	int n_messages;
	bool echo;
};

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct stage *st = user;

	st->n_messages++;
	if (st->echo && sesame_conn_send(conn, kind, data, len) != 0)
		sesame_conn_pause(conn);
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	sesame_conn_resume(conn);
}

static const struct sesame_handlers handlers = {.on_message = on_message,
						.on_drain = on_drain};

static int dial(struct stage *st)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port =
					 htons(sesame_server_port(st->server)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Turn until the heap is still. */
static void calm_down(struct stage *st)
{
	size_t was;

	do {
		was = test_heap();
		turn_a_while(st->loop, 30);
	} while (test_heap() != was);
}

static void come_in(struct stage *st, int n)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

	st->n = n;
	for (int i = 0; i < n; i++) {
		st->client[i] = dial(st);
		raw_send(st->loop, st->client[i], request, strlen(request));
	}
	TURN_UNTIL(st->loop, sesame_server_connections(st->server) == (size_t)n);
}

static void all_leave(struct stage *st)
{
	for (int i = 0; i < st->n; i++)
		close(st->client[i]);
	st->n = 0;
	TURN_UNTIL(st->loop, sesame_server_connections(st->server) == 0);
	calm_down(st);
}

static void set(struct stage *st)
{
	struct sesame_server_options options = {
		.deflate = true,
		.deflate_takeover = true,
		.user = st,
		.limits = {.message_bytes = MESSAGE_BYTES,
			   .queue_high_bytes = HIGH_BYTES},
	};
	char text[256];

	memset(st, 0, sizeof(*st));
	st->loop = sesame_loop_new();
	assert_int_equal(sesame_server_new(st->loop, &options, &handlers,
					   &st->server, text, sizeof(text)),
			 0);
	come_in(st, 1); /* what the first one brings stays */
	all_leave(st);
	st->before = test_heap();
}

static void strike(struct stage *st)
{
	all_leave(st);
	sesame_server_free(st->server);
	turn_a_while(st->loop, 5);
	sesame_loop_free(st->loop);
}

/* Each sends @data; the server has read as far as it will. */
static void all_send(struct stage *st, const void *data, size_t len)
{
	for (int i = 0; i < st->n; i++)
		raw_send(st->loop, st->client[i], data, len);
	calm_down(st);
}

static void assert_each_below(const struct stage *st, size_t limit)
{
	size_t now = test_heap(),
	       grown = now > st->before ? now - st->before : 0;
	size_t n = (size_t)st->n;

	print_message("%zu bytes each, %zu at most\n", grown / n, limit);
	assert_true(grown <= n * limit);
}

/* The beginning of a frame that announces @len bytes, and @has of them. */
static uint8_t *make_frame(uint8_t first, size_t len, size_t has,
			   size_t *ret_len)
{
	uint8_t *frame = calloc(1, 14 + has);

	frame[0] = first;
	frame[1] = 0xff;
	for (int i = 0; i < 8; i++)
		frame[2 + i] = (uint8_t)(len >> (56 - 8 * i));
	memset(frame + 14, 'a', has);
	*ret_len = 14 + has;
	return frame;
}

TEST("an idle connection takes less than half a kilobyte")
{
	struct stage st;

	set(&st);
	come_in(&st, N);
	assert_each_below(&st, CONNECTION_BYTES);
	strike(&st);
}

TEST("a head that does not end takes no more than the longest head")
{
	struct stage st;
	char head[SES_INTAKE_BYTES - 100];

	set(&st);
	memset(head, 'a', sizeof(head));
	memcpy(head, "GET / HTTP/1.1\r\nA: ", 19);
	head[6000] = head[12000] = '\r'; /* no line is too long */
	memcpy(head + 6000, "\r\nB: ", 5);
	memcpy(head + 12000, "\r\nC: ", 5);
	for (st.n = 0; st.n < N; st.n++)
		st.client[st.n] = dial(&st);
	all_send(&st, head, sizeof(head));
	assert_each_below(&st, VISITOR_BYTES + SES_INTAKE_BYTES);
	strike(&st);
}

TEST("a frame that announces the most takes what has come of it")
{
	struct stage st;
	size_t len;
	uint8_t *frame = make_frame(0x82, MESSAGE_BYTES, 1000, &len);

	set(&st);
	come_in(&st, N);
	all_send(&st, frame, len);
	assert_each_below(&st, CONNECTION_BYTES + 2 * 1000);
	free(frame);
	strike(&st);
}

TEST("the longest message, all but its last byte, takes no more than its "
     "length")
{
	struct stage st;
	size_t len;
	uint8_t *frame =
		make_frame(0x82, MESSAGE_BYTES, MESSAGE_BYTES - 1, &len);

	set(&st);
	come_in(&st, N);
	all_send(&st, frame, len);
	assert_each_below(&st, CONNECTION_BYTES + MESSAGE_BYTES + BLOCK_BYTES);
	assert_int_equal(st.n_messages, 0);
	free(frame);
	strike(&st);
}

TEST("fragments of one byte take twice what came of them at most")
{
	struct stage st;
	uint8_t frames[7 * 3000] = {0};

	set(&st);
	come_in(&st, N);
	for (size_t i = 0; i < 3000; i++) {
		frames[7 * i] = i ? 0x00 : 0x02;
		frames[7 * i + 1] = 0x81;
	}
	all_send(&st, frames, sizeof(frames));
	assert_each_below(&st, CONNECTION_BYTES + 2 * 3000);
	strike(&st);
}

TEST("compression takes its windows, and a bomb no more than a message")
{
	struct ses_deflate *z = ses_deflate_new(15, true);
	uint8_t *zeros = calloc(1, MESSAGE_BYTES), frame[1024];
	struct ses_buf bomb;
	struct stage st;
	size_t len;

	ses_buf_init(&bomb, 1000);
	ses_deflate_message(z, bytes_of(zeros, MESSAGE_BYTES), &bomb);
	ses_deflate_free(z);
	set(&st);
	st.echo = true;
	come_in(&st, N);
	len = masked_frame(frame, 0xc2, bomb.data, ses_buf_len(&bomb));
	for (int i = 0; i < 3; i++)
		all_send(&st, frame, len);
	TURN_UNTIL(st.loop, st.n_messages == 3 * N);
	all_send(&st, frame, len - 1); /* and one that is not whole */
	assert_each_below(&st, CONNECTION_BYTES + INFLATE_BYTES + DEFLATE_BYTES +
				       PART_BYTES + MESSAGE_BYTES + BLOCK_BYTES);
	ses_buf_fini(&bomb);
	free(zeros);
	strike(&st);
}

/* Each sends the same again and again, @most bytes or until no more is taken. */
static void pour(struct stage *st, const uint8_t *frames, size_t len,
		 size_t most)
{
	size_t sent[N_DEAF] = {0};
	uint64_t last = clock_ms();

	while (clock_ms() < last + 300) {
		for (int i = 0; i < st->n; i++) {
			size_t at = sent[i] % len;
			ssize_t n = sent[i] < most
					    ? send(st->client[i], frames + at,
						   len - at, MSG_NOSIGNAL)
					    : 0;

			if (n <= 0)
				continue;
			sent[i] += (size_t)n;
			last = clock_ms();
		}
		sesame_loop_turn(st->loop, 0);
	}
	for (int i = 0; i < st->n; i++)
		assert_true(sent[i] > most / 4);
	calm_down(st);
}

TEST("who reads nothing of the echo holds its queue and one turn of reading")
{
	uint8_t body[60000] = {0}, *frames = malloc(10 * (sizeof(body) + 8));
	struct stage st;
	size_t len = 0;

	set(&st);
	st.echo = true;
	come_in(&st, N_DEAF);
	for (int i = 0; i < 10; i++)
		len += masked_frame(frames + len, 0x82, body, sizeof(body));
	pour(&st, frames, len, (size_t)8 << 20);
	assert_each_below(&st, CONNECTION_BYTES + HIGH_BYTES + SES_RECV_BYTES +
				       2 * MESSAGE_BYTES + BLOCK_BYTES);
	free(frames);
	strike(&st);
}

TEST("who pings and never reads holds its queue's high mark and one pong")
{
	uint8_t body[125] = {0}, *frames = malloc(500 * 131);
	struct stage st;
	size_t len = 0;

	set(&st);
	come_in(&st, N_DEAF);
	for (int i = 0; i < 500; i++)
		len += masked_frame(frames + len, 0x89, body, sizeof(body));
	pour(&st, frames, len, (size_t)8 << 20);
	/* the queue's memory doubles as it grows */
	assert_each_below(&st, CONNECTION_BYTES + 2 * HIGH_BYTES + BLOCK_BYTES);
	free(frames);
	strike(&st);
}

TEST("when all have gone the heap is what it was")
{
	struct stage st;
	size_t len;
	uint8_t *frame = make_frame(0x82, MESSAGE_BYTES, 50000, &len);

	set(&st);
	come_in(&st, N);
	all_send(&st, frame, len);
	assert_true(!test_heap() || test_heap() > st.before + (size_t)N * 50000);
	all_leave(&st);
	assert_true(test_heap() <= st.before + 4096);
	free(frame);
	strike(&st);
}
