/* SPDX-License-Identifier: MIT */
/*
 * The limit for channels: what one sends all others at its path get, by one
 * recv() for as much as came and one send() to each of them, on epoll, with
 * nothing in between. It knows of WebSocket what bench/channel_bench needs: the
 * answer to its one key, and that its frames are masked with zeros. No server
 * that receives and sends by the same calls can be much faster.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listening.h"

#define BUFFER_BYTES (64 * 1024)
#define MAX_EVENTS   256
#define MAX_CHANNELS 4096

static const char answer[] =
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	"Connection: Upgrade\r\n"
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct channel {
	char path[128];
	int *members; /* their sockets */
	size_t n, room;
};

struct link {
	int fd;
	struct channel *channel; /* NULL: it has not asked for one yet */
};

static struct channel *channels;
static size_t n_channels;
static int epoll, door;

static void fail(const char *why)
{
	fprintf(stderr, "tcp_fan: %s\n", why);
	exit(1);
}

/* ---- who is where ---- */

static struct channel *find_channel(const char *path)
{
	size_t i = 0;

	while (i < n_channels && strcmp(channels[i].path, path) != 0)
		i++;
	if (i == MAX_CHANNELS)
		fail("too many channels");
	if (i == n_channels)
		snprintf(channels[n_channels++].path, sizeof(channels->path),
			 "%s", path);
	return &channels[i];
}

static void add_member(struct channel *c, int fd)
{
	if (c->n == c->room) {
		c->room = c->room ? c->room * 2 : 8;
		c->members = realloc(c->members, c->room * sizeof(int));
		if (!c->members)
			die("realloc");
	}
	c->members[c->n++] = fd;
}

static void remove_member(struct channel *c, int fd)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->members[i] == fd)
			c->members[i] = c->members[--c->n];
}

static void let_in(void)
{
	struct link *l = calloc(1, sizeof(*l));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};

	if (!l)
		die("calloc");
	l->fd = accept(door, NULL, NULL);
	if (l->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, l->fd, &event) < 0)
		die("accept");
}

static void let_go(struct link *l)
{
	if (l->channel)
		remove_member(l->channel, l->fd);
	close(l->fd);
	free(l);
}

static void join(struct link *l, char *request)
{
	char *path = strchr(request, ' '),
	     *end = path ? strchr(path + 1, ' ') : NULL;

	if (!end)
		fail("no request");
	*end = 0;
	l->channel = find_channel(path + 1);
	add_member(l->channel, l->fd);
	if (send(l->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
		die("send");
}

/* ---- passing on ---- */

/* Frames of a client become those of a server, in place; their length. */
static size_t unmask(uint8_t *data, size_t len)
{
	size_t from = 0, to = 0;

	while (from < len) {
		size_t head = (data[from + 1] & 127) == 126 ? 4 : 2;
		size_t payload = head == 2 ? data[from + 1] & 127u
					   : (size_t)data[from + 2] << 8 |
						     data[from + 3];

		if (from + head + 4 + payload > len)
			fail("a frame in part");
		data[from + 1] &= 127;
		memmove(data + to, data + from, head);
		memmove(data + to + head, data + from + head + 4, payload);
		from += head + 4 + payload;
		to += head + payload;
	}
	return to;
}

static void hear(struct link *l)
{
	static uint8_t data[BUFFER_BYTES + 1];
	ssize_t n = recv(l->fd, data, BUFFER_BYTES, 0);
	size_t len;

	if (n <= 0) {
		let_go(l);
		return;
	}
	data[n] = 0;
	if (!l->channel) {
		join(l, (char *)data);
		return;
	}
	len = unmask(data, (size_t)n);
	for (size_t i = 0; i < l->channel->n; i++) {
		int fd = l->channel->members[i];

		if (fd != l->fd &&
		    send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
			fail("who listens is too slow");
	}
}

int main(void)
{
	struct epoll_event events[MAX_EVENTS];
	struct epoll_event event = {.events = EPOLLIN};

	epoll = epoll_create1(0);
	door = listen_at(0, 0);
	channels = calloc(MAX_CHANNELS, sizeof(*channels));
	if (epoll < 0 || !channels ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, door, &event) < 0)
		die("tcp_fan");
	for (;;) {
		int n = epoll_wait(epoll, events, MAX_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				hear(events[i].data.ptr);
			else
				let_in();
		}
	}
}
