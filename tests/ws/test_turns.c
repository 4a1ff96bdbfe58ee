/* SPDX-License-Identifier: MIT */
/*
 * How often the system is asked. What is answered in a turn leaves a connection
 * together, however much it is, and that is most of what makes an echo cheap.
 */
#include "stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <sesame/server.h>

#define ROUNDS 8

/* The loop's own back end, and how often it received something and sent. */
static const struct ses_backend *below;
static struct ses_backend counting;
static unsigned n_received, n_sent;

static ssize_t count_recv(struct sesame_loop *loop, struct ses_io *io,
			  uint8_t **at, size_t len)
{
	ssize_t n = below->recv(loop, io, at, len);

	n_received += n > 0;
	return n;
}

static ssize_t count_send(struct sesame_loop *loop, struct ses_io *io,
			  const void *from, size_t len, bool more)
{
	n_sent++;
	return below->send(loop, io, from, len, more);
}

static void count_calls(struct sesame_loop *loop)
{
	below = loop->backend;
	counting = *below;
	counting.recv = count_recv;
	counting.send = count_send;
	loop->backend = &counting;
}

static void echo(struct sesame_conn *conn, void *user, enum sesame_kind kind,
		 uint8_t *data, size_t len)
{
	sesame_conn_send(conn, kind, data, len);
}

static int dial(struct sesame_server *server)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(sesame_server_port(server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int room = 1 << 20;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void shake(struct sesame_loop *loop, int fd)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	struct heard h = {0};

	raw_send(loop, fd, request, sizeof(request) - 1);
	while (!strstr((char *)h.data, "\r\n\r\n"))
		raw_hear(loop, fd, &h, h.len + 1);
	assert_memory_equal(h.data, "HTTP/1.1 101", 12);
}

/* Read @len bytes, turning the loop meanwhile. */
static void hear_all(struct sesame_loop *loop, int fd, size_t len)
{
	static uint8_t heard[1 << 16];

	while (len > 0) {
		ssize_t n = raw_read(fd, heard, sizeof(heard));

		assert_true(n >= 0 && (size_t)n <= len);
		len -= (size_t)n;
		if (n == 0)
			sesame_loop_turn(loop, 1);
	}
}

/*
 * @depth messages of @size bytes at once and their answers, some rounds of it;
 * counted after the first half, in which a back end learns how much comes.
 */
static void talk(struct sesame_loop *loop, int fd, size_t size, unsigned depth)
{
	uint8_t *payload = calloc(1, size), *frames = malloc((size + 14) * depth);
	size_t len = 0;

	for (unsigned i = 0; i < depth; i++)
		len += masked_frame(frames + len, 0x82, payload, size);
	for (int i = 0; i < ROUNDS; i++) {
		if (i == ROUNDS / 2)
			n_sent = n_received = 0;
		raw_send(loop, fd, frames, len);
		hear_all(loop, fd, len - 4 * (size_t)depth);
	}
	free(payload);
	free(frames);
}

static void check_echo(size_t size, unsigned depth)
{
	static const struct sesame_handlers handlers = {.on_message = echo};
	static const struct sesame_server_options options;
	struct sesame_loop *loop = sesame_loop_new();
	struct sesame_server *server;
	int fd;

	assert_int_equal(sesame_server_new(loop, &options, &handlers, &server,
					   NULL, 0),
			 0);
	fd = dial(server);
	shake(loop, fd);
	count_calls(loop);
	talk(loop, fd, size, depth);
	assert_in_range(n_sent, 1, n_received);
	/* (By io_uring what comes first is received in blocks of the system's.) */
	if (strcmp(below->name, "epoll") == 0)
		assert_in_range(n_received, 1, ROUNDS);
	close(fd);
	sesame_server_free(server);
	turn_a_while(loop, 5);
	sesame_loop_free(loop);
}

TEST("what came together is answered by one send: 20 messages of 1 KiB")
{
	check_echo(1024, 20);
}

TEST("what came together is answered by one send: 4 messages of 16 KiB")
{
	check_echo(16384, 4);
}
