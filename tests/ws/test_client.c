/* SPDX-License-Identifier: MIT */
/*
 * The client against a listening socket whose answers the test writes itself,
 * and against our own server, plain and with TLS.
 */
#include "stage.h"

#include "../net/certificates.h"

#include <sesame/client.h>
#include <sesame/server.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "wire/upgrade.h"

struct stage {
	struct sesame_loop *loop;
	struct seat seat;
	int listener, raw;
	char url[128];
	char request[8192];
	size_t request_len;
	char sent[8192], came[4096]; /* by on_handshake */
	void (*in_handshake)(struct sesame_conn *conn);
	uint16_t port;
};

static struct stage *stage;

static void on_handshake(struct sesame_conn *conn, void *user, bool sent,
			 const char *head, size_t len)
{
	if (sent)
		copy_text(stage->sent, sizeof(stage->sent), head, len);
	else
		copy_text(stage->came, sizeof(stage->came), head, len);
	if (stage->in_handshake)
		stage->in_handshake(conn);
}

static struct sesame_handlers handlers;

static void set(struct stage *st)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	memset(st, 0, sizeof(*st));
	stage = st;
	handlers = seat_handlers;
	handlers.on_handshake = on_handshake;
	st->raw = -1;
	st->loop = sesame_loop_new();
	st->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(st->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(st->listener, 8), 0);
	getsockname(st->listener, (struct sockaddr *)&at, &len);
	st->port = ntohs(at.sin_port);
	snprintf(st->url, sizeof(st->url), "ws://127.0.0.1:%u/chat?room=1", st->port);
}

static void strike(struct stage *st)
{
	if (st->seat.conn && !st->seat.told[TOLD_CLOSE])
		sesame_conn_abort(st->seat.conn);
	TURN_UNTIL(st->loop, !st->seat.conn);
	turn_a_while(st->loop, 5);
	if (st->raw >= 0)
		close(st->raw);
	close(st->listener);
	free(st->seat.last);
	sesame_loop_free(st->loop);
}

/* Connect; nothing may be told before this has returned. */
static void start(struct stage *st, const struct sesame_client_options *options)
{
	char text[256];

	assert_int_equal(sesame_connect(st->loop, st->url, options, &handlers, &st->seat,
					&st->seat.conn, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_string_equal(st->seat.order, "");
}

/* Be the server until the whole request is there. */
static void hear_request(struct stage *st)
{
	TURN_UNTIL(st->loop, (st->raw = accept4(st->listener, NULL, NULL,
						SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
	while (!strstr(st->request, "\r\n\r\n")) {
		ssize_t n = raw_read(st->raw, st->request + st->request_len,
				     sizeof(st->request) - 1 - st->request_len);

		assert_true(n >= 0);
		st->request_len += (size_t)n;
		sesame_loop_turn(st->loop, 1);
	}
}

static void meet(struct stage *st, const struct sesame_client_options *options)
{
	set(st);
	start(st, options);
	hear_request(st);
}

static void answer(struct stage *st, const char *text)
{
	raw_send(st->loop, st->raw, text, strlen(text));
}

static void end_answer(struct stage *st)
{
	close(st->raw);
	st->raw = -1;
}

/* The 101 for the request that came, with @more fields; its length. */
static size_t write_101(struct stage *st, char *out, size_t size, const char *more)
{
	const char *key = strstr(st->request, "Sec-WebSocket-Key: ");
	char accept[SES_ACCEPT_LEN];

	assert_non_null(key);
	ses_key_accept(bytes_of(key + 19, SES_KEY_LEN), accept);
	return (size_t)snprintf(out, size,
				"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				"Connection: Upgrade\r\nSec-WebSocket-Accept: %.28s\r\n%s\r\n",
				accept, more);
}

TEST("the request is a handshake for the URL, and the answer opens")
{
	char text[512];
	struct stage st;

	meet(&st, NULL);
	assert_memory_equal(st.request, "GET /chat?room=1 HTTP/1.1\r\n", 27);
	snprintf(text, sizeof(text), "\r\nHost: 127.0.0.1:%u\r\n", st.port);
	assert_non_null(strstr(st.request, text));
	assert_non_null(strstr(st.request, "\r\nSec-WebSocket-Version: 13\r\n"));
	assert_non_null(strstr(st.request, "\r\nUser-Agent: sesame/"));
	assert_non_null(strstr(st.request, "permessage-deflate"));
	assert_null(strcasestr(st.request, "\r\nOrigin:"));
	write_101(&st, text, sizeof(text), "");
	answer(&st, text);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_OPEN]);
	snprintf(text, sizeof(text), "127.0.0.1:%u", st.port);
	assert_string_equal(sesame_conn_peer(st.seat.conn), text);
	assert_string_equal(sesame_conn_subprotocol(st.seat.conn), "");
	strike(&st);
}

TEST("an answer cut at any byte, with messages behind it, opens all the same")
{
	static const char frames[] = "\x81\x02hi\x82\x03you";
	struct stage st;

	for (size_t cut = 0;; cut++) {
		char text[512];
		size_t n;

		meet(&st, NULL);
		n = write_101(&st, text, sizeof(text), "");
		memcpy(text + n, frames, sizeof(frames) - 1);
		n += sizeof(frames) - 1;
		raw_send(st.loop, st.raw, text, cut);
		sesame_loop_turn(st.loop, 0);
		sesame_loop_turn(st.loop, 0);
		raw_send(st.loop, st.raw, text + cut, n - cut);
		TURN_UNTIL(st.loop, st.seat.told[TOLD_MESSAGE] == 2);
		assert_string_equal(st.seat.order, "omm");
		assert_string_equal((char *)st.seat.last, "you");
		strike(&st);
		if (cut == n)
			break;
	}
}

TEST("what the caller asks for stands in the request, once")
{
	static const struct sesame_header headers[] = {
		{"Cookie", "a=b"}, {"Host", "other.example"}, {"X-One", "1"}};
	struct sesame_client_options options = {
		.origin = "https://app.example",
		.protocols = "chat, feed",
		.user_agent = "curl/8",
		.basic_auth = "Aladdin:open sesame",
		.headers = headers,
		.n_headers = ARRAY_LEN(headers),
		.no_deflate = true,
	};
	static const char *const lines[] = {
		"\r\nOrigin: https://app.example\r\n",
		"\r\nSec-WebSocket-Protocol: chat, feed\r\n",
		"\r\nUser-Agent: curl/8\r\n",
		"\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
		"\r\nCookie: a=b\r\n",
		"\r\nHost: other.example\r\n",
		"\r\nX-One: 1\r\n",
	};
	char text[512];
	struct stage st;

	meet(&st, &options);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *at = strstr(st.request, lines[i]);

		assert_non_null(at);
		assert_null(strstr(at + 1, lines[i]));
	}
	assert_null(strstr(st.request, "127.0.0.1"));
	assert_null(strstr(st.request, "permessage-deflate"));
	write_101(&st, text, sizeof(text), "Sec-WebSocket-Protocol: feed\r\n");
	answer(&st, text);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_OPEN]);
	assert_string_equal(sesame_conn_subprotocol(st.seat.conn), "feed");
	strike(&st);
}

TEST("credentials in the URL are sent, decoded, and never told")
{
	struct stage st;

	set(&st);
	snprintf(st.url, sizeof(st.url), "ws://Aladdin:open%%20sesame@127.0.0.1:%u/", st.port);
	start(&st, NULL);
	hear_request(&st);
	assert_non_null(strstr(st.request,
			       "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
	answer(&st, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_null(strstr(st.seat.text, "open"));
	strike(&st);
}

TEST("a refusal is told with its status, its head and its body's beginning")
{
	static const struct {
		const char *answer, *body;
		bool closes;
	} rows[] = {
		{"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\ngo away", "go away", false},
		{"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\ngo", "go", true},
		{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "", false},
		{"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nto the end", "to the end", true},
		{"HTTP/1.0 403 Forbidden\r\n\r\nold", "old", true},
		{"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
		 "2\r\nno\r\n0\r\n\r\n", false},
		{"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 "0\r\n\r\n", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t began = clock_ms();
		struct stage st;
		char text[300];

		meet(&st, NULL);
		answer(&st, rows[i].answer);
		if (rows[i].closes)
			end_answer(&st);
		TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
		assert_true(clock_ms() - began < 900); /* nothing to wait for */
		assert_int_equal(st.seat.end.error, SESAME_EREFUSED);
		assert_int_equal(st.seat.end.status, 403);
		assert_int_equal(st.seat.end.code, 1006);
		assert_false(st.seat.end.clean);
		assert_string_equal(st.seat.body, rows[i].body);
		assert_memory_equal(st.seat.head, rows[i].answer, 22);
		assert_int_equal(st.seat.end.head_len + st.seat.end.body_len,
				 strlen(rows[i].answer));
		snprintf(text, sizeof(text), "%s: the handshake was refused with 403 Forbidden",
			 st.url);
		assert_string_equal(st.seat.text, text);
		assert_string_equal(st.seat.order, "c");
		strike(&st);
	}
}

TEST("a refusal whose body never ends is told after a second")
{
	uint64_t began = clock_ms();
	struct stage st;

	meet(&st, NULL);
	answer(&st, "HTTP/1.1 503 Service Unavailable\r\n\r\nand so on");
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_true(clock_ms() - began >= 900 && clock_ms() - began < 3000);
	assert_string_equal(st.seat.body, "and so on");
	strike(&st);
}

TEST("of a long body eight kilobytes are kept, and nobody waits for the rest")
{
	struct stage st;
	char *body = malloc(100000);

	memset(body, 'x', 100000);
	meet(&st, NULL);
	answer(&st, "HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n");
	raw_send(st.loop, st.raw, body, 100000);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_int_equal(st.seat.end.status, 500);
	assert_int_equal(st.seat.end.body_len, 8192);
	free(body);
	strike(&st);
}

TEST("what is no valid acceptance is told by the rule that it breaks")
{
	static const struct {
		const char *answer, *text;
		int status, error;
	} rows[] = {
		{"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP", 0, SESAME_EPROTO},
		{"HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		 "Sec-WebSocket-Accept", 101, SESAME_EPROTO},
		{"HTTP/1.1 101 Ok\r\nConnection: Upgrade\r\n\r\n", "Upgrade", 101, SESAME_EPROTO},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 OK", 200, SESAME_EREFUSED},
		{"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n", "field name", 0, SESAME_EPROTO},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stage st;

		meet(&st, NULL);
		answer(&st, rows[i].answer);
		TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
		assert_int_equal(st.seat.end.error, rows[i].error);
		assert_int_equal(st.seat.end.status, rows[i].status);
		if (!strstr(st.seat.text, rows[i].text))
			fail_msg("%s: %s", rows[i].text, st.seat.text);
		assert_memory_equal(st.seat.head, rows[i].answer, 12);
		strike(&st);
	}
}

TEST("a subprotocol or extension that was not offered is no acceptance")
{
	static const char *const more[] = {"Sec-WebSocket-Protocol: other\r\n",
					   "Sec-WebSocket-Extensions: mux\r\n"};

	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		char text[512];
		struct stage st;

		meet(&st, NULL);
		write_101(&st, text, sizeof(text), more[i]);
		answer(&st, text);
		TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
		assert_int_equal(st.seat.end.error, SESAME_EPROTO);
		assert_non_null(strstr(st.seat.text, "not offered"));
		strike(&st);
	}
}

TEST("an answer that ends too soon, or never comes, is told as that")
{
	struct sesame_client_options hasty = {.limits.handshake_ms = 80};
	static const struct {
		const char *answer;
		bool closes;
		const char *text;
		int error;
	} rows[] = {
		{"", true, "closed without an answer", SESAME_ERESET},
		{"HTTP/1.1 101 Swi", true, "in the middle of the answer", SESAME_ERESET},
		{"", false, "no answer to the handshake came in time", SESAME_ETIMEOUT},
		{"HTTP/1.1 101 Swi", false, "did not come to its end", SESAME_ETIMEOUT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stage st;

		meet(&st, &hasty);
		answer(&st, rows[i].answer);
		if (rows[i].closes)
			end_answer(&st);
		TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
		if (!strstr(st.seat.text, rows[i].text))
			fail_msg("%s: %s", rows[i].text, st.seat.text);
		assert_int_equal(st.seat.end.error, rows[i].error);
		assert_string_equal(st.seat.head, rows[i].answer);
		strike(&st);
	}
}

TEST("a head of endless size is given up")
{
	char *text = malloc(40000);
	struct stage st;

	memset(text, 'x', 40000);
	memcpy(text, "HTTP/1.1 200 OK\r\nX: ", 20);
	meet(&st, NULL);
	raw_send(st.loop, st.raw, text, 40000);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_int_equal(st.seat.end.error, SESAME_EPROTO);
	assert_non_null(strstr(st.seat.text, "longer than the limit"));
	free(text);
	strike(&st);
}

TEST("who refuses the connection is named")
{
	char text[256];
	struct stage st;

	set(&st);
	close(st.listener);
	start(&st, NULL);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	snprintf(text, sizeof(text),
		 "%s: connection refused by 127.0.0.1:%u (nothing listens there)", st.url, st.port);
	assert_string_equal(st.seat.text, text);
	assert_int_equal(st.seat.end.error, SESAME_ECONNECT);
	assert_int_equal(st.seat.end.status, 0);
	st.listener = -1;
	strike(&st);
}

TEST("wrong arguments are refused with a sentence, and nothing is told")
{
	static const struct {
		const char *url;
		struct sesame_header header;
		const char *origin, *protocols;
		int error;
		const char *text;
	} rows[] = {
		{"wws://example.org/", {0}, NULL, NULL, SESAME_EURL, "Did you mean wss://example.org/"},
		{"", {0}, NULL, NULL, SESAME_EURL, ""},
		{"http://example.org/", {0}, NULL, NULL, SESAME_EURL, "ws"},
		{"ws://a", {"X", "1\r\nY: 2"}, NULL, NULL, SESAME_EINVAL, "may not stand there"},
		{"ws://a", {"X\r\n", "1"}, NULL, NULL, SESAME_EINVAL, "may not stand there"},
		{"ws://a", {"", "1"}, NULL, NULL, SESAME_EINVAL, "may not stand there"},
		{"ws://a", {"Upgrade", "h2c"}, NULL, NULL, SESAME_EINVAL, "belongs to the handshake"},
		{"ws://a", {"sec-websocket-key", "x"}, NULL, NULL, SESAME_EINVAL, "belongs to the handshake"},
		{"ws://a", {"Content-Length", "5"}, NULL, NULL, SESAME_EINVAL, "belongs to the handshake"},
		{"ws://a", {0}, "http://x\r\nX: y", NULL, SESAME_EINVAL, "may not stand there"},
		{"ws://a", {0}, NULL, "a\nb", SESAME_EINVAL, "may not stand there"},
	};
	struct stage st;

	set(&st);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sesame_client_options options = {
			.headers = &rows[i].header,
			.n_headers = rows[i].header.name ? 1 : 0,
			.origin = rows[i].origin,
			.protocols = rows[i].protocols,
		};
		struct sesame_conn *conn;
		char text[256];
		int r = sesame_connect(st.loop, rows[i].url, &options, &handlers, &st.seat, &conn,
				       text, sizeof(text));

		if (r != rows[i].error || !strstr(text, rows[i].text))
			fail_msg("row %zu: %d, %s", i, r, text);
		assert_int_equal(sesame_connect(st.loop, rows[i].url, &options, &handlers, &st.seat,
						&conn, NULL, 0), rows[i].error);
	}
	assert_string_equal(st.seat.order, "");
	strike(&st);
}

TEST("a connection can be given up at every moment of its opening")
{
	/* how far it came: 0 just begun, 1 connected, 2 asked, 3 half answered */
	for (int moment = 0; moment < 4; moment++) {
		for (int abort = 0; abort < 2; abort++) {
			struct stage st;

			set(&st);
			start(&st, NULL);
			if (moment >= 1)
				turn_a_while(st.loop, 3);
			if (moment >= 2)
				hear_request(&st);
			if (moment >= 3) {
				answer(&st, "HTTP/1.1 403 No\r\n\r\nbody");
				turn_a_while(st.loop, 3);
			}
			assert_int_equal(sesame_conn_send(st.seat.conn, SESAME_TEXT, "x", 1),
					 SESAME_ECLOSED);
			if (abort)
				sesame_conn_abort(st.seat.conn);
			else
				assert_int_equal(sesame_conn_close(st.seat.conn, 1000, NULL), 0);
			assert_string_equal(st.seat.order, "");
			TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
			assert_int_equal(st.seat.end.error, SESAME_ECLOSED);
			strike(&st);
			assert_string_equal(st.seat.order, "c");
		}
	}
}

TEST("the handshake's heads are told to who wants them")
{
	char text[512];
	struct stage st;

	meet(&st, NULL);
	assert_string_equal(st.sent, st.request);
	write_101(&st, text, sizeof(text), "X: 1\r\n");
	answer(&st, text);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_OPEN]);
	assert_string_equal(st.came, text);
	strike(&st);
}

static void close_it(struct sesame_conn *conn)
{
	sesame_conn_close(conn, 1000, NULL);
}

static void abort_if_open(struct sesame_conn *conn)
{
	if (*stage->came)
		sesame_conn_abort(conn);
}

TEST("a connection may be given up while its heads are told")
{
	char text[512];
	struct stage st;

	set(&st);
	st.in_handshake = close_it;
	start(&st, NULL);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_int_equal(st.seat.end.error, SESAME_ECLOSED);
	strike(&st);

	set(&st);
	st.in_handshake = abort_if_open;
	start(&st, NULL);
	hear_request(&st);
	write_101(&st, text, sizeof(text), "");
	answer(&st, text);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_string_equal(st.seat.order, "c");
	strike(&st);
}

/* ---- with our own server ---- */

static void echo(struct sesame_conn *conn, void *user, enum sesame_kind kind,
		 uint8_t *data, size_t len)
{
	sesame_conn_send(conn, kind, data, len);
}

static const struct sesame_handlers echo_handlers = {.on_message = echo};

static void talk_to(struct stage *st, struct sesame_server_options *server_options,
		    const struct sesame_client_options *options, const char *scheme)
{
	size_t len = 300000;
	char *data = malloc(len), text[256];
	struct sesame_server *server;

	for (size_t i = 0; i < len; i++)
		data[i] = (char)('a' + (i * i >> 7) % 26);
	assert_int_equal(sesame_server_new(st->loop, server_options, &echo_handlers, &server, text,
					   sizeof(text)), 0);
	snprintf(st->url, sizeof(st->url), "%s://127.0.0.1:%u/", scheme, sesame_server_port(server));
	start(st, options);
	TURN_UNTIL(st->loop, *st->seat.order);
	if (!st->seat.told[TOLD_CLOSE]) {
		sesame_conn_send(st->seat.conn, SESAME_TEXT, data, len);
		sesame_conn_send(st->seat.conn, SESAME_BINARY, "\0", 1);
		TURN_UNTIL(st->loop, st->seat.told[TOLD_MESSAGE] == 2);
		assert_int_equal(st->seat.total, len + 1);
		sesame_conn_send(st->seat.conn, SESAME_TEXT, data, len);
		TURN_UNTIL(st->loop, st->seat.told[TOLD_MESSAGE] == 3);
		assert_memory_equal(st->seat.last, data, len);
		sesame_conn_close(st->seat.conn, 1000, "done");
		TURN_UNTIL(st->loop, st->seat.told[TOLD_CLOSE]);
		assert_true(st->seat.end.clean);
	}
	sesame_server_free(server);
	free(data);
}

TEST("client and server talk, with compression and without")
{
	for (int deflate = 0; deflate < 2; deflate++) {
		struct sesame_server_options options = {.deflate = deflate};
		struct stage st;

		set(&st);
		talk_to(&st, &options, NULL, "ws");
		assert_int_equal(strstr(st.came, "permessage-deflate") != NULL, deflate);
		strike(&st);
	}
}

struct papers {
	struct certificate ca, leaf, client;
	char ca_file[64], leaf_file[64], client_file[64];
};

static void issue(struct papers *p, const char *names)
{
	snprintf(p->ca_file, sizeof(p->ca_file), "/tmp/ses-ws-%d-ca.pem", getpid());
	snprintf(p->leaf_file, sizeof(p->leaf_file), "/tmp/ses-ws-%d-leaf.pem", getpid());
	snprintf(p->client_file, sizeof(p->client_file), "/tmp/ses-ws-%d-client.pem", getpid());
	p->ca = certificate_new("Test CA", NULL, NULL, -1, 30);
	p->leaf = certificate_new("leaf", names, &p->ca, -1, 30);
	p->client = certificate_new("client", "DNS:client.example", &p->ca, -1, 30);
	certificate_write(&p->ca, p->ca_file);
	certificate_write(&p->leaf, p->leaf_file);
	certificate_write(&p->client, p->client_file);
}

static void withdraw(struct papers *p)
{
	unlink(p->ca_file);
	unlink(p->leaf_file);
	unlink(p->client_file);
	certificate_free(&p->ca);
	certificate_free(&p->leaf);
	certificate_free(&p->client);
}

TEST("the same over TLS, for who trusts the certificate's issuer")
{
	struct papers p;
	struct stage st;

	issue(&p, "IP:127.0.0.1");
	for (int deflate = 0; deflate < 2; deflate++) {
		struct sesame_server_options options = {
			.cert_file = p.leaf_file, .key_file = p.leaf_file, .deflate = deflate};
		struct sesame_client_options trusting = {.ca_file = p.ca_file};

		set(&st);
		talk_to(&st, &options, &trusting, "wss");
		assert_string_equal(st.seat.order, "ommmc");
		strike(&st);
	}
	withdraw(&p);
}

TEST("a certificate that is not trusted, or of another name, does not open")
{
	static const struct {
		const char *names;
		bool with_ca;
		const char *text;
	} rows[] = {
		{"IP:127.0.0.1", false, "certificate"},
		{"DNS:example.org", true, "mismatch"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sesame_server_options options = {0};
		struct sesame_client_options client = {0};
		struct papers p;
		struct stage st;

		issue(&p, rows[i].names);
		options.cert_file = options.key_file = p.leaf_file;
		if (rows[i].with_ca)
			client.ca_file = p.ca_file;
		set(&st);
		talk_to(&st, &options, &client, "wss");
		assert_string_equal(st.seat.order, "c");
		assert_int_equal(st.seat.end.error, SESAME_ETLS);
		if (!strstr(st.seat.text, rows[i].text))
			fail_msg("%s", st.seat.text);
		strike(&st);

		client.insecure = true;
		set(&st);
		talk_to(&st, &options, &client, "wss");
		assert_string_equal(st.seat.order, "ommmc");
		strike(&st);
		withdraw(&p);
	}
}

TEST("a server that wants a client certificate opens for who has one")
{
	struct papers p;

	issue(&p, "IP:127.0.0.1");
	for (int with = 0; with < 2; with++) {
		struct sesame_server_options options = {
			.cert_file = p.leaf_file,
			.client_ca_file = p.ca_file,
			.client_cert_required = true,
		};
		struct sesame_client_options client = {
			.ca_file = p.ca_file,
			.cert_file = with ? p.client_file : NULL,
		};
		struct stage st;

		set(&st);
		talk_to(&st, &options, &client, "wss");
		assert_string_equal(st.seat.order, with ? "ommmc" : "c");
		if (!with)
			assert_int_equal(st.seat.end.error, SESAME_ETLS);
		strike(&st);
	}
	withdraw(&p);
}

TEST("TLS files that cannot be read are told at once")
{
	struct sesame_client_options options = {.ca_file = "/nonexistent/ca.pem"};
	struct sesame_conn *conn;
	char text[256];
	struct stage st;

	set(&st);
	assert_int_equal(sesame_connect(st.loop, "wss://a", &options, &handlers, &st.seat, &conn, text,
					sizeof(text)), SESAME_ETLS);
	assert_non_null(strstr(text, "/nonexistent/ca.pem"));
	strike(&st);
}

TEST("a URL that is too long for a sentence is told as far as it goes")
{
	struct stage st;

	set(&st);
	snprintf(st.url, sizeof(st.url), "ws://127.0.0.1:%u/", st.port);
	close(st.listener);
	st.listener = -1;
	{
		char url[2000], text[256];

		snprintf(url, sizeof(url), "%s%01000d", st.url, 0);
		assert_int_equal(sesame_connect(st.loop, url, NULL, &handlers, &st.seat,
						&st.seat.conn, text, sizeof(text)), 0);
	}
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_memory_equal(st.seat.text, st.url, strlen(st.url));
	assert_non_null(strstr(st.seat.text, "...: connection refused"));
	strike(&st);
}

TEST("answers that only announce the answer are passed over, in any two parts")
{
	static const char early[] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
				    "HTTP/1.1 100 Continue\r\n\r\n";
	struct stage st;

	for (size_t cut = 0;; cut++) {
		char text[512];
		size_t n;

		meet(&st, NULL);
		memcpy(text, early, sizeof(early) - 1);
		n = sizeof(early) - 1;
		n += write_101(&st, text + n, sizeof(text) - n, "");
		memcpy(text + n, "\x81\x02hi", 4);
		n += 4;
		raw_send(st.loop, st.raw, text, cut);
		sesame_loop_turn(st.loop, 0);
		sesame_loop_turn(st.loop, 0);
		raw_send(st.loop, st.raw, text + cut, n - cut);
		TURN_UNTIL(st.loop, st.seat.told[TOLD_MESSAGE]);
		assert_string_equal(st.seat.order, "om");
		strike(&st);
		if (cut == n)
			break;
	}
}

TEST("eight of them are, and a ninth refuses")
{
	char text[512];
	struct stage st;

	meet(&st, NULL);
	for (int i = 0; i < 8; i++)
		answer(&st, "HTTP/1.1 102 Processing\r\n\r\n");
	raw_send(st.loop, st.raw, text,
		 write_101(&st, text, sizeof(text), ""));
	TURN_UNTIL(st.loop, st.seat.told[TOLD_OPEN]);
	strike(&st);
	meet(&st, NULL);
	for (int i = 0; i < 9; i++)
		answer(&st, "HTTP/1.1 102 Processing\r\n\r\n");
	end_answer(&st);
	TURN_UNTIL(st.loop, st.seat.told[TOLD_CLOSE]);
	assert_int_equal(st.seat.end.error, SESAME_EREFUSED);
	assert_int_equal(st.seat.end.status, 102);
	strike(&st);
}

TEST("a user without a password has a colon, and no user no credentials")
{
	static const struct {
		const char *userinfo, *field;
	} rows[] = {
		{"ann", "\r\nAuthorization: Basic YW5uOg==\r\n"},
		{"ann:", "\r\nAuthorization: Basic YW5uOg==\r\n"},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stage st;

		set(&st);
		snprintf(st.url, sizeof(st.url), "ws://%s@127.0.0.1:%u/", rows[i].userinfo, st.port);
		start(&st, NULL);
		hear_request(&st);
		if (rows[i].field)
			assert_non_null(strstr(st.request, rows[i].field));
		else
			assert_null(strcasestr(st.request, "\r\nauthorization"));
		strike(&st);
	}
}

TEST("an empty origin and an empty list of subprotocols are none")
{
	struct sesame_client_options options = {.origin = "", .protocols = ""};
	struct stage st;

	meet(&st, &options);
	assert_null(strcasestr(st.request, "\r\norigin"));
	assert_null(strcasestr(st.request, "\r\nsec-websocket-protocol"));
	strike(&st);
}

TEST("a key without a certificate is refused, whatever the scheme")
{
	struct sesame_client_options options = {.key_file = "key.pem"};
	struct sesame_conn *conn;
	char text[256];
	struct stage st;

	set(&st);
	assert_int_equal(sesame_connect(st.loop, st.url, &options, &handlers, &st.seat, &conn, text,
					sizeof(text)), SESAME_EINVAL);
	assert_non_null(strstr(text, "without cert_file"));
	strike(&st);
}

TEST("a proxy that is none is refused before anything is asked")
{
	static const struct {
		const char *proxy, *text;
	} rows[] = {{"ftp://x", "a proxy is http://"}, {"http://", "no valid host"},
		    {"http://a:99999", "port is not valid"}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sesame_client_options options = {.proxy = rows[i].proxy};
		struct sesame_conn *conn;
		char text[256];
		struct stage st;

		set(&st);
		assert_int_equal(sesame_connect(st.loop, st.url, &options, &handlers, &st.seat,
						&conn, text, sizeof(text)), SESAME_EINVAL);
		assert_non_null(strstr(text, rows[i].text));
		strike(&st);
	}
}

TEST("another place is connected to, and the URL's is asked for")
{
	struct sesame_client_options options = {.connect_host = "127.0.0.1"};
	struct stage st;

	set(&st);
	options.connect_port = st.port;
	strcpy(st.url, "ws://far.example/chat");
	start(&st, &options);
	hear_request(&st);
	assert_memory_equal(st.request, "GET /chat ", 10);
	assert_non_null(strstr(st.request, "\r\nHost: far.example\r\n"));
	strike(&st);
}

TEST("a server with a certificate takes no page that came over http for its own")
{
	static const struct {
		const char *scheme;
		int status;
	} rows[] = {{"https", 0}, {"http", 403}};
	struct papers p;

	issue(&p, "IP:127.0.0.1");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sesame_server_options options = {.cert_file = p.leaf_file};
		char origin[64], text[256];
		struct sesame_client_options client = {.ca_file = p.ca_file, .origin = origin};
		struct sesame_server *server;
		struct stage st;

		set(&st);
		assert_int_equal(sesame_server_new(st.loop, &options, &echo_handlers, &server, text,
						   sizeof(text)), 0);
		snprintf(st.url, sizeof(st.url), "wss://127.0.0.1:%u/", sesame_server_port(server));
		snprintf(origin, sizeof(origin), "%s://127.0.0.1:%u", rows[i].scheme,
			 sesame_server_port(server));
		start(&st, &client);
		TURN_UNTIL(st.loop, *st.seat.order);
		assert_int_equal(st.seat.end.status, rows[i].status);
		sesame_server_free(server);
		strike(&st);
	}
	withdraw(&p);
}
