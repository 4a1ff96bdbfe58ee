/* SPDX-License-Identifier: MIT */
/* The server, as raw clients see it: handshakes, limits, refusals, the end. */
#include "stage.h"

#include <sesame/server.h>

#include <arpa/inet.h>
#include <netinet/in.h>

struct stage {
	struct sesame_loop *loop;
	struct sesame_server *server;
	struct seat seat; /* of the connection that came last */
	struct sesame_answer answer; /* of on_request */
	char seen[512];		     /* what on_request saw */
	int asked;
	int opened, closed; /* over all connections */
};

static struct stage *stage; /* there is one at a time */

static void on_open(struct sesame_conn *conn, void *user)
{
	stage->opened++;
	seat_open(conn, &stage->seat);
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	seat_message(conn, &stage->seat, kind, data, len);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	stage->closed++;
	seat_close(conn, &stage->seat, end);
}

static const struct sesame_handlers handlers = {
	.on_open = on_open, .on_message = on_message, .on_close = on_close};

static void on_request(struct sesame_server *server, void *user,
		       const struct sesame_request *request,
		       struct sesame_answer *answer)
{
	const char *cookie = sesame_request_header(request, "cookie");
	const char *empty = sesame_request_header(request, "X-Empty");

	stage->asked++;
	assert_int_equal(answer->status, 0);
	assert_null(sesame_request_header(request, "X-Missing"));
	snprintf(stage->seen, sizeof(stage->seen), "%s|%s|%s|%s|%s|%s",
		 request->target, request->host,
		 request->origin ? request->origin : "-", request->protocols,
		 cookie ? cookie : "-", empty ? empty : "-");
	assert_memory_equal(request->peer, "127.0.0.1:", 10);
	*answer = stage->answer;
}

static void set(struct stage *st, const struct sesame_server_options *options)
{
	static const struct sesame_server_options defaults;
	char text[256];

	memset(st, 0, sizeof(*st));
	stage = st;
	st->seat.echo = true;
	st->loop = sesame_loop_new();
	assert_int_equal(sesame_server_new(st->loop, options ? options : &defaults, &handlers,
					   &st->server, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_true(sesame_server_port(st->server) > 0);
}

static void strike(struct stage *st)
{
	sesame_server_free(st->server);
	assert_int_equal(st->opened, st->closed);
	turn_a_while(st->loop, 5);
	free(st->seat.last);
	sesame_loop_free(st->loop);
}

static int dial(struct stage *st)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(sesame_server_port(st->server)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define REST                                                                   \
	"Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY                    \
	"Sec-WebSocket-Version: 13\r\n"
#define GOOD "GET /chat HTTP/1.1\r\nHost: example.org\r\n" REST "\r\n"

/* The status of the answer to @request; the whole answer is in @h. */
static int ask(struct stage *st, const char *request, size_t len, struct heard *h)
{
	int fd = dial(st);
	int status;

	memset(h, 0, sizeof(*h));
	raw_send(st->loop, fd, request, len);
	raw_hear(st->loop, fd, h, 13);
	status = h->len >= 12 ? atoi((char *)h->data + 9) : 0;
	if (status != 101)
		raw_hear(st->loop, fd, h, sizeof(h->data) - 1);
	close(fd);
	return status;
}

/* A connection that is open and has heard its 101. */
static int enter(struct stage *st, const char *request)
{
	struct heard h = {0};
	int fd = dial(st);

	raw_send(st->loop, fd, request, strlen(request));
	while (!strstr((char *)h.data, "\r\n\r\n"))
		raw_hear(st->loop, fd, &h, h.len + 1);
	assert_memory_equal(h.data, "HTTP/1.1 101", 12);
	return fd;
}

TEST("the handshake of RFC 6455 gets the answer of RFC 6455")
{
	struct heard h;
	struct stage st;

	set(&st, NULL);
	assert_int_equal(ask(&st, GOOD, strlen(GOOD), &h), 101);
	assert_non_null(strcasestr((char *)h.data,
				   "\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	TURN_UNTIL(st.loop, st.closed == 1);
	strike(&st);
}

TEST("a handshake cut at any byte, with a message right behind it, is the same")
{
	char bytes[512];
	size_t head = strlen(GOOD), n;
	struct stage st;

	memcpy(bytes, GOOD, head);
	n = head + masked_frame((uint8_t *)bytes + head, 0x81, "hello", 5);
	set(&st, NULL);
	for (size_t cut = 0; cut <= n; cut++) {
		struct heard h = {0};
		int fd = dial(&st);
		char *end;

		raw_send(st.loop, fd, bytes, cut);
		sesame_loop_turn(st.loop, 0);
		sesame_loop_turn(st.loop, 0);
		raw_send(st.loop, fd, bytes + cut, n - cut);
		while (!(end = memmem(h.data, h.len, "\r\n\r\n", 4)) ||
		       h.len < (size_t)(end + 11 - (char *)h.data))
			raw_hear(st.loop, fd, &h, h.len + 1);
		assert_memory_equal(end + 4, "\x81\x05hello", 7);
		close(fd);
	}
	strike(&st);
}

TEST("what is no handshake is refused with the status that says why")
{
	static const struct {
		int status;
		const char *request;
	} rows[] = {
		{426, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{405, "POST / HTTP/1.1\r\nHost: a\r\n" REST "\r\n"},
		{400, "GET / HTTP/1.0\r\nHost: a\r\n" REST "\r\n"},
		{505, "GET / HTTP/3.0\r\nHost: a\r\n" REST "\r\n"},
		{400, "GET / HTTP/1.1\r\n" REST "\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n" REST "\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\n" REST KEY "\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\n" REST "Content-Length: 5\r\n\r\nhello"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\n" REST "X: a\rb\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\n" REST "X : a\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\n" REST
		      "Sec-WebSocket-Extensions: ;;\r\n\r\n"},
		{426, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY
		      "Sec-WebSocket-Version: 8\r\n\r\n"},
		{400, "\x16\x03\x01\x02hello, this is TLS\r\n\r\n"},
		{400, "\r\r\r\n\n\n\n what \r\n\r\n"},
	};
	struct stage st;

	set(&st, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct heard h;

		assert_int_equal(ask(&st, rows[i].request, strlen(rows[i].request), &h),
				 rows[i].status);
		assert_true(h.ended);
		assert_non_null(strcasestr((char *)h.data, "\r\nconnection: close"));
	}
	assert_int_equal(st.opened, 0);
	strike(&st);
}

TEST("a NUL in the head is refused")
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n" REST "\r\n";
	struct heard h;
	struct stage st;

	set(&st, NULL);
	assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 400);
	strike(&st);
}

TEST("what is pipelined behind a refused handshake gets no answer")
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n" REST "\r\n"
				      "GET /secret HTTP/1.1\r\nHost: a\r\n" REST "\r\n" GOOD;
	struct heard h;
	struct stage st;
	char *first;

	set(&st, NULL);
	assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 403);
	first = strstr((char *)h.data, "HTTP/1.1 ");
	assert_non_null(first);
	assert_null(strstr(first + 1, "HTTP/1.1 "));
	assert_true(h.ended);
	assert_int_equal(st.opened, 0);
	strike(&st);
}

TEST("a head of a megabyte is refused without being kept")
{
	size_t len = 1 << 20;
	char *request = malloc(len);
	struct heard h;
	struct stage st;
	int n = sprintf(request, "GET / HTTP/1.1\r\nHost: a\r\nX: ");

	memset(request + n, 'x', len - (size_t)n);
	set(&st, NULL);
	/* 0: the reset that answers a flood may overtake the 431 */
	n = ask(&st, request, len, &h);
	assert_true(n == 431 || n == 0);
	assert_int_equal(ask(&st, request, 20000, &h), 431);
	free(request);
	strike(&st);
}

TEST("without on_request, pages of other origins are refused and programs are not")
{
	static const struct {
		const char *host, *origin;
		int status;
	} rows[] = {
		{"example.org", NULL, 101},
		{"example.org", "http://example.org", 101},
		{"example.org", "https://example.org", 101},
		{"example.org", "https://EXAMPLE.org", 101},
		{"example.org:8080", "http://example.org:8080", 101},
		{"example.org", "http://example.org:80", 101},
		{"example.org:443", "https://example.org", 101},
		{"[::1]:80", "http://[::1]", 101},
		{"example.org:8080", "http://example.org", 403},
		{"example.org", "http://example.org:8080", 403},
		{"example.org", "https://example.org:80", 403},
		{"example.org", "http://evil.example", 403},
		{"example.org", "http://example.org.evil.example", 403},
		{"example.org", "http://evil.example/example.org", 403},
		{"example.org", "null", 403},
		{"example.org", "file://example.org", 403},
		{"example.org", "example.org", 403},
	};
	struct stage st;

	set(&st, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char request[512], origin[128] = "";
		struct heard h;
		int status;

		if (rows[i].origin)
			snprintf(origin, sizeof(origin), "Origin: %s\r\n", rows[i].origin);
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n%s" REST "\r\n",
			 rows[i].host, origin);
		status = ask(&st, request, strlen(request), &h);
		/* an origin that is none may be refused as malformed */
		if (status != rows[i].status && !(rows[i].status == 403 && status == 400))
			fail_msg("Host %s, Origin %s: %d", rows[i].host, rows[i].origin, status);
	}
	strike(&st);
}

TEST("the application sees the request and decides")
{
	struct sesame_server_options options = {.on_request = on_request};
	static const char request[] =
		"GET /a?b=c HTTP/1.1\r\nHost: h:1\r\nOrigin: http://o\r\nCookie:  x=y \r\n"
		"X-Empty:\r\nSec-WebSocket-Protocol: one\r\n"
		"Sec-WebSocket-Protocol: two , three\r\n" REST "\r\n";
	struct heard h;
	struct stage st;

	set(&st, &options);
	assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 101);
	assert_string_equal(st.seen, "/a?b=c|h:1|http://o|one, two , three|x=y|");
	assert_null(strcasestr((char *)h.data, "sec-websocket-protocol"));

	st.answer = (struct sesame_answer){.subprotocol = "three"};
	assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 101);
	assert_non_null(strcasestr((char *)h.data, "\r\nsec-websocket-protocol: three\r\n"));

	st.answer = (struct sesame_answer){.subprotocol = "four"};
	assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 500);

	st.answer = (struct sesame_answer){.status = 401, .body = "Who are you?"};
	assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 401);
	assert_non_null(strstr((char *)h.data, "\r\n\r\nWho are you?\n"));

	st.answer = (struct sesame_answer){.status = 404};
	assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 404);
	assert_non_null(strstr((char *)h.data, "\r\n\r\nNot Found\n"));
	assert_int_equal(st.asked, 5);
	strike(&st);
}

TEST("a status that refuses nobody is not sent for a refusal")
{
	static const int statuses[] = {-1, 1, 99, 100, 200, 204, 302, 399, 600, 999, 1 << 30};
	struct sesame_server_options options = {.on_request = on_request};
	static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n" REST "\r\n";
	struct heard h;
	struct stage st;

	set(&st, &options);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		st.answer = (struct sesame_answer){.status = statuses[i]};
		assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 500);
	}
	strike(&st);
}

TEST("a connection knows its subprotocol and its peer")
{
	struct sesame_server_options options = {.on_request = on_request};
	struct sockaddr_in self;
	socklen_t len = sizeof(self);
	char peer[64];
	struct stage st;
	int fd;

	set(&st, &options);
	st.answer.subprotocol = "b";
	fd = enter(&st, "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Protocol: a, b\r\n" REST "\r\n");
	getsockname(fd, (struct sockaddr *)&self, &len);
	snprintf(peer, sizeof(peer), "127.0.0.1:%u", ntohs(self.sin_port));
	assert_string_equal(sesame_conn_subprotocol(st.seat.conn), "b");
	assert_string_equal(sesame_conn_peer(st.seat.conn), peer);
	assert_int_equal(sesame_server_connections(st.server), 1);
	close(fd);
	TURN_UNTIL(st.loop, sesame_server_connections(st.server) == 0);
	strike(&st);
}

TEST("who takes too long over the head is cut off")
{
	struct sesame_server_options options = {.limits.handshake_ms = 40};
	struct heard h = {0}, silent = {0};
	struct stage st;
	int slow, mute;

	set(&st, &options);
	slow = dial(&st);
	mute = dial(&st);
	raw_send(st.loop, slow, GOOD, 30);
	raw_hear(st.loop, slow, &h, 4000);
	raw_hear(st.loop, mute, &silent, 1);
	assert_memory_equal(h.data, "HTTP/1.1 408", 12);
	assert_true(h.ended && silent.ended);
	assert_int_equal(silent.len, 0);
	close(slow);
	close(mute);
	strike(&st);
}

TEST("over max_connections the answer is 503, and a place that is free is given again")
{
	struct sesame_server_options options = {.max_connections = 2};
	struct heard h;
	struct stage st;
	int a, b;

	set(&st, &options);
	a = enter(&st, GOOD);
	b = dial(&st); /* has not even asked */
	turn_a_while(st.loop, 10);
	assert_int_equal(ask(&st, GOOD, strlen(GOOD), &h), 503);
	close(a);
	TURN_UNTIL(st.loop, sesame_server_connections(st.server) == 0);
	assert_int_equal(ask(&st, GOOD, strlen(GOOD), &h), 101);
	close(b);
	strike(&st);
}

TEST("permessage-deflate is agreed to when the options say so")
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n" REST
				      "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
	for (int on = 0; on < 2; on++) {
		struct sesame_server_options options = {.deflate = on};
		struct heard h;
		struct stage st;

		set(&st, &options);
		assert_int_equal(ask(&st, request, sizeof(request) - 1, &h), 101);
		assert_int_equal(strstr((char *)h.data, "permessage-deflate") != NULL, on);
		strike(&st);
	}
}

static bool not_this(struct sesame_conn *conn, void *user)
{
	return conn != user;
}

TEST("a broadcast reaches all who want it, with one frame")
{
	enum { N = 20 };
	int fds[N];
	struct sesame_conn *skip;
	struct stage st;

	set(&st, NULL);
	for (int i = 0; i < N; i++)
		fds[i] = enter(&st, GOOD);
	TURN_UNTIL(st.loop, st.opened == N);
	skip = st.seat.conn;
	assert_int_equal(sesame_server_broadcast(st.server, SESAME_TEXT, "\xff", 1, NULL, NULL), 0);
	assert_int_equal(sesame_server_broadcast(st.server, SESAME_TEXT, "all", 3, NULL, NULL), N);
	assert_int_equal(sesame_server_broadcast(st.server, SESAME_TEXT, "some", 4, not_this, skip),
			 N - 1);
	for (int i = 0; i < N - 1; i++) {
		struct heard h = {0};

		raw_hear(st.loop, fds[i], &h, 11);
		assert_memory_equal(h.data, "\x81\x03" "all\x81\x04some", 11);
	}
	for (int i = 0; i < N; i++)
		close(fds[i]);
	TURN_UNTIL(st.loop, st.closed == N);
	strike(&st);
}

TEST("a long broadcast is in memory once, and follows what was sent before it")
{
	static uint8_t long_one[32768];
	enum { N = 20 };
	int fds[N];
	struct stage st;
	size_t before;

	set(&st, NULL);
	for (int i = 0; i < N; i++)
		fds[i] = enter(&st, GOOD);
	TURN_UNTIL(st.loop, st.opened == N);
	before = test_heap();
	assert_int_equal(sesame_server_broadcast(st.server, SESAME_BINARY, long_one,
						 sizeof(long_one), NULL, NULL), N);
	/* By io_uring the kernel sends later, from what each has of it. */
	if (!getenv("SESAME_LOOP"))
		assert_true(test_heap() <= before + 2 * sizeof(long_one));
	for (int i = 0; i < N; i++) {
		struct heard h = {0};

		raw_hear(st.loop, fds[i], &h, 4 + sizeof(long_one));
	}
	sesame_server_broadcast(st.server, SESAME_TEXT, "a", 1, NULL, NULL);
	sesame_server_broadcast(st.server, SESAME_BINARY, long_one, 4000, NULL, NULL);
	sesame_server_broadcast(st.server, SESAME_BINARY, long_one, 4096, NULL, NULL);
	for (int i = 0; i < N; i++) {
		struct heard h = {0};

		raw_hear(st.loop, fds[i], &h, 3 + 4 + 4000 + 4 + 4096);
		assert_memory_equal(h.data, "\x81\x01" "a\x82\x7e\x0f\xa0", 7);
		close(fds[i]);
	}
	TURN_UNTIL(st.loop, st.closed == N);
	strike(&st);
}

TEST("a server that closes says why, waits, and listens no more")
{
	struct heard h = {0};
	uint8_t frame[16];
	struct stage st;
	int fd, waiting;

	set(&st, NULL);
	fd = enter(&st, GOOD);
	waiting = dial(&st);
	turn_a_while(st.loop, 10);
	sesame_server_close(st.server, 1001);
	raw_hear(st.loop, fd, &h, 4);
	assert_memory_equal(h.data, "\x88\x02\x03\xe9", 4);
	assert_int_equal(sesame_server_connections(st.server), 1);
	raw_send(st.loop, fd, frame, masked_frame(frame, 0x88, "\x03\xe9", 2));
	TURN_UNTIL(st.loop, sesame_server_connections(st.server) == 0);
	assert_true(st.seat.end.clean);
	memset(&h, 0, sizeof(h));
	raw_hear(st.loop, waiting, &h, 1);
	assert_true(h.ended);
	close(waiting);
	close(fd);
	strike(&st);
}

static void close_meanwhile(struct sesame_server *server, void *user,
			    const struct sesame_request *request,
			    struct sesame_answer *answer)
{
	sesame_server_close(server, 1001);
}

TEST("a server may be closed while it decides")
{
	struct sesame_server_options options = {.on_request = close_meanwhile};
	struct heard h;
	struct stage st;

	set(&st, &options);
	assert_int_equal(ask(&st, GOOD, strlen(GOOD), &h), 503);
	strike(&st);
}

TEST("a server that is freed tells every connection's end before it is gone")
{
	struct stage st;
	int a, b, c;

	set(&st, NULL);
	a = enter(&st, GOOD);
	b = enter(&st, GOOD);
	c = dial(&st);
	turn_a_while(st.loop, 5);
	assert_int_equal(st.opened, 2);
	strike(&st); /* looks at the count of on_close */
	close(a);
	close(b);
	close(c);
}

static void close_at_once(struct seat *s)
{
	sesame_conn_close(s->conn, 1013, "come again");
}

TEST("a connection closed in on_open is counted out again")
{
	struct heard h = {0};
	struct stage st;
	int fd;

	set(&st, NULL);
	st.seat.act_in = TOLD_OPEN;
	st.seat.act = close_at_once;
	fd = enter(&st, GOOD);
	close(fd);
	TURN_UNTIL(st.loop, st.closed == 1);
	assert_int_equal(sesame_server_connections(st.server), 0);
	(void)h;
	strike(&st);
}

TEST("two hundred connections are served at once")
{
	enum { N = 200 };
	int fds[N];
	uint8_t frame[64];
	struct stage st;

	set(&st, NULL);
	for (int i = 0; i < N; i++)
		fds[i] = enter(&st, GOOD);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < N; i++) {
			char text[16];

			snprintf(text, sizeof(text), "%03d %03d", round, i);
			raw_send(st.loop, fds[i], frame, masked_frame(frame, 0x81, text, 7));
		}
		for (int i = 0; i < N; i++) {
			struct heard h = {0};
			char text[16];

			snprintf(text, sizeof(text), "\x81\x07%03d %03d", round, i);
			raw_hear(st.loop, fds[i], &h, 9);
			assert_memory_equal(h.data, text, 9);
		}
	}
	assert_int_equal(sesame_server_connections(st.server), N);
	for (int i = 0; i < N; i++)
		close(fds[i]);
	TURN_UNTIL(st.loop, st.closed == N);
	strike(&st);
}

TEST("what stops a server from listening is told in words")
{
	struct sesame_server_options options = {0};
	struct sesame_server *second;
	char text[256];
	struct stage st;

	set(&st, NULL);
	options.port = sesame_server_port(st.server);
	assert_int_equal(sesame_server_new(st.loop, &options, &handlers, &second, text,
					   sizeof(text)), SESAME_ESYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	assert_non_null(strstr(text, "another program listens there"));
	options.port = 0;
	options.address = "localhost";
	assert_int_equal(sesame_server_new(st.loop, &options, &handlers, &second, text,
					   sizeof(text)), SESAME_EINVAL);
	assert_string_equal(text, "localhost is not an IPv4 or IPv6 address");
	options.address = "192.0.2.1";
	assert_int_equal(sesame_server_new(st.loop, &options, &handlers, &second, text,
					   sizeof(text)), SESAME_ESYSTEM);
	assert_non_null(strstr(text, "does not have that address"));
	options.address = NULL;
	options.cert_file = "/nonexistent/chain.pem";
	assert_int_equal(sesame_server_new(st.loop, &options, &handlers, &second, NULL, 0),
			 SESAME_ETLS);
	assert_int_equal(sesame_server_new(st.loop, &options, &handlers, &second, text,
					   sizeof(text)), SESAME_ETLS);
	assert_non_null(strstr(text, "/nonexistent/chain.pem"));
	strike(&st);
}

static void blame_peer(struct sesame_server *server, void *user,
		       const struct sesame_request *request,
		       struct sesame_answer *answer)
{
	answer->status = 403;
	answer->body = request->peer;
}

TEST("the request's own strings may be the answer")
{
	struct sesame_server_options options = {.on_request = blame_peer};
	struct heard h;
	struct stage st;

	set(&st, &options);
	assert_int_equal(ask(&st, GOOD, strlen(GOOD), &h), 403);
	assert_non_null(strstr((char *)h.data, "\r\n\r\n127.0.0.1:"));
	strike(&st);
}

TEST("options for TLS that would be without effect are refused")
{
	static const struct {
		struct sesame_server_options options;
		const char *text;
	} rows[] = {
		{{.key_file = "key.pem"}, "without cert_file"},
		{{.client_ca_file = "ca.pem"}, "without cert_file"},
		{{.client_cert_required = true}, "without cert_file"},
		{{.cert_file = "cert.pem", .client_cert_required = true}, "without client_ca_file"},
	};
	struct stage st;

	set(&st, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sesame_server *server;
		char text[256];

		assert_int_equal(sesame_server_new(st.loop, &rows[i].options, &handlers, &server,
						   text, sizeof(text)), SESAME_EINVAL);
		assert_non_null(strstr(text, rows[i].text));
	}
	strike(&st);
}

TEST("a broadcast of a kind that is none reaches nobody")
{
	struct stage st;
	int fd;

	set(&st, NULL);
	fd = enter(&st, GOOD);
	assert_int_equal(sesame_server_broadcast(st.server, (enum sesame_kind)8, "", 0, NULL, NULL), 0);
	assert_int_equal(sesame_server_broadcast(st.server, SESAME_TEXT, "x", 1, NULL, NULL), 1);
	close(fd);
	TURN_UNTIL(st.loop, st.closed == 1);
	strike(&st);
}

TEST("a server does not begin to close with a code that may not be sent")
{
	struct heard h;
	struct stage st;
	int fd;

	set(&st, NULL);
	fd = enter(&st, GOOD);
	assert_int_equal(sesame_server_close(st.server, 1005), SESAME_EINVAL);
	assert_int_equal(ask(&st, GOOD, strlen(GOOD), &h), 101);
	assert_int_equal(sesame_server_close(st.server, 1001), 0);
	close(fd);
	TURN_UNTIL(st.loop, sesame_server_connections(st.server) == 0);
	strike(&st);
}

TEST("who was refused and says no more is closed at once; who may say more lingers")
{
	static const struct {
		const char *request;
		bool lingers;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n" REST "\r\n", false},
		{"GET / HTTP/1.1\r\nHost: a\r\n" KEY "\r\n", false},
		{"GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n" REST "\r\nX", true},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" REST "\r\n", true},
		{"POST / HTTP/1.1\r\nHost: a\r\n" REST "\r\n", true},
		{"nonsense\r\n\r\n", true},
	};
	struct stage st;

	set(&st, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct heard h = {0};
		int fd = dial(&st);

		raw_send(st.loop, fd, cases[i].request, strlen(cases[i].request));
		raw_hear(st.loop, fd, &h, sizeof(h.data) - 1);
		assert_true(h.ended);
		assert_memory_equal(h.data, "HTTP/1.1 4", 10);
		assert_int_equal(st.loop->n_lingering, cases[i].lingers);
		close(fd);
		TURN_UNTIL(st.loop, st.loop->n_lingering == 0);
	}
	strike(&st);
}

TEST("over a bound of clients that linger, who is refused is cut off")
{
	struct heard h;
	struct stage st;

	set(&st, NULL);
	assert_int_equal(ask(&st, "nonsense\r\n\r\n", 12, &h), 400);
	TURN_UNTIL(st.loop, st.loop->n_lingering == 0);
	st.loop->n_lingering = 1000;
	assert_int_equal(ask(&st, "nonsense\r\n\r\n", 12, &h), 0);
	assert_int_equal(st.loop->n_lingering, 1000);
	st.loop->n_lingering = 0;
	strike(&st);
}
