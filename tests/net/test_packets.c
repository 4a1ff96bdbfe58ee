/* SPDX-License-Identifier: MIT */
/* What leaves together: counted at the other end of a real connection. */
#include "net/stream.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/tcp.h>
#include <unistd.h>

#include "net/addr.h"
#include "test.h"

static void say_no(struct ses_stream *s)
{
	assert_int_equal(ses_stream_send(s, BYTES("403, and no more")), 0);
}

static void refuse(struct ses_stream *s, uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	say_no(s);
	ses_stream_linger(s, 60000);
}

static void refuse_and_part(struct ses_stream *s, uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	say_no(s);
	ses_stream_part(s, 60000);
}

/* Both ends of a connection over the loopback interface. */
static void connect_pair(int fds[2])
{
	struct ses_addr at;
	int listener;

	assert_true(ses_addr_parse(BYTES("127.0.0.1"), 0, &at));
	listener = ses_listen(&at, false, 1);
	assert_true(listener >= 0);
	assert_int_equal(ses_addr_of_socket(listener, false, &at), 0);
	fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fds[1], &at.any, at.len), 0);
	fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fds[0] >= 0);
	close(listener);
}

static unsigned packets_to(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_segs_in;
}

/* How many packets it takes to say no and to end. */
static unsigned packets_of(const struct ses_stream_events *events)
{
	static const struct ses_stream_limits limits = {1000, 1000, 0};
	struct sesame_loop *loop = sesame_loop_new();
	unsigned before, packets;
	char got[40];
	int fds[2];

	connect_pair(fds);
	assert_non_null(ses_stream_new(loop, fds[0], events, NULL, &limits));
	assert_int_equal(send(fds[1], "let me in", 9, 0), 9);
	before = packets_to(fds[1]);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sesame_loop_turn(loop, 0), 0);
	assert_int_equal(recv(fds[1], got, sizeof(got), 0), 16);
	assert_int_equal(recv(fds[1], got, sizeof(got), 0), 0);
	packets = packets_to(fds[1]) - before;
	close(fds[1]);
	sesame_loop_free(loop);
	return packets;
}

TEST("a last word and the end that follows it are one packet")
{
	static const struct ses_stream_events ways[] = {
		{.on_bytes = refuse}, {.on_bytes = refuse_and_part}};

	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		unsigned least = UINT_MAX;

		/* On a busy machine what was sent may be confirmed by one of
		 * its own. */
		for (int i = 0; i < 10 && least > 1; i++) {
			unsigned n = packets_of(&ways[way]);

			least = n < least ? n : least;
		}
		assert_int_equal(least, 1);
	}
}
