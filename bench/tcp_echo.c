/* SPDX-License-Identifier: MIT */
/*
 * The limits to measure against: bytes are received and sent back, or passed on
 * to another server and back, on epoll, with one large buffer and nothing in
 * between. No server that receives and sends by the same calls can be faster.
 * Who cannot take bytes at once keeps the buffer, and the others get another.
 *
 *	tcp_echo [--relay PORT]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listening.h"

#define BUFFER_BYTES (512 * 1024)
#define MAX_EVENTS   256

struct buffer {
	struct buffer *next;
	char data[BUFFER_BYTES];
};

struct link {
	int fd;
	struct link *to;     /* the other side of a relay, or itself */
	struct buffer *owed; /* what @to did not take yet, or NULL */
	size_t begin, end;   /* of it */
	bool gone;
	struct link *next; /* of those that are gone */
};

static struct buffer *spare;
static struct link *all_gone;
static unsigned short relay_port;
static int epoll;

/* ---- buffers ---- */

static struct buffer *take_buffer(void)
{
	struct buffer *b = spare;

	if (b)
		spare = b->next;
	else
		b = malloc(sizeof(*b));
	if (!b)
		die("malloc");
	return b;
}

static void give_buffer(struct buffer *b)
{
	b->next = spare;
	spare = b;
}

/* ---- connections ---- */

static void watch(struct link *l, int how, unsigned events)
{
	struct epoll_event event = {.events = events, .data.ptr = l};

	if (epoll_ctl(epoll, how, l->fd, &event) < 0)
		die("epoll_ctl");
}

static void watch_what_matters(struct link *l)
{
	watch(l, EPOLL_CTL_MOD,
	      (l->owed ? 0 : EPOLLIN) | (l->to->owed ? EPOLLOUT : 0));
}

static void end_one(struct link *l)
{
	if (l->gone)
		return;
	close(l->fd);
	if (l->owed)
		give_buffer(l->owed);
	l->gone = true;
	l->next = all_gone;
	all_gone = l;
}

static void end(struct link *l)
{
	end_one(l->to);
	end_one(l);
}

/* Events of the same turn may still name them until here. */
static void free_gone(void)
{
	while (all_gone) {
		struct link *l = all_gone;

		all_gone = l->next;
		free(l);
	}
}

static struct link *begin(int fd)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		die("calloc");
	l->fd = fd;
	l->to = l;
	watch(l, EPOLL_CTL_ADD, EPOLLIN);
	return l;
}

static int dial(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(relay_port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void admit(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	struct link *l, *other;

	if (fd < 0)
		return;
	l = begin(fd);
	if (!relay_port)
		return;
	other = begin(dial());
	l->to = other;
	other->to = l;
}

/* ---- bytes ---- */

/* Returns what is left, or less than nothing. */
static ssize_t send_some(int fd, const char *data, size_t len)
{
	ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN ? (ssize_t)len : -1;
	return (ssize_t)len - n;
}

/* There is room in @l->to for what it is owed. */
static void pay(struct link *l)
{
	ssize_t left = send_some(l->to->fd, l->owed->data + l->begin,
				 l->end - l->begin);

	if (left < 0) {
		end(l);
		return;
	}
	l->begin = l->end - (size_t)left;
	if (left)
		return;
	give_buffer(l->owed);
	l->owed = NULL;
	watch_what_matters(l);
	if (l->to != l)
		watch_what_matters(l->to);
}

static void owe(struct link *l, struct buffer *b, size_t begin_at, size_t end_at)
{
	l->owed = b;
	l->begin = begin_at;
	l->end = end_at;
	watch_what_matters(l);
	if (l->to != l)
		watch_what_matters(l->to);
}

static void serve(struct link *l)
{
	struct buffer *b = take_buffer();
	ssize_t n = recv(l->fd, b->data, sizeof(b->data), 0), left;

	if (n < 0 && errno == EAGAIN) {
		give_buffer(b);
		return;
	}
	left = n > 0 ? send_some(l->to->fd, b->data, (size_t)n) : -1;
	if (left > 0) {
		owe(l, b, (size_t)(n - left), (size_t)n);
		return;
	}
	give_buffer(b);
	if (left < 0)
		end(l);
}

static void be_ready(struct link *l, unsigned events)
{
	if (!l->gone && l->to->owed && (events & ~(unsigned)EPOLLIN))
		pay(l->to);
	else if (!l->gone && !l->owed)
		serve(l);
}

int main(int argc, char **argv)
{
	struct epoll_event events[MAX_EVENTS];
	int listener;
	struct link *door;

	if (argc == 3 && strcmp(argv[1], "--relay") == 0)
		relay_port = (unsigned short)atoi(argv[2]);
	epoll = epoll_create1(0);
	listener = listen_at(0, SOCK_NONBLOCK);
	door = begin(listener);
	for (;;) {
		int n = epoll_wait(epoll, events, MAX_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct link *l = events[i].data.ptr;

			if (l == door)
				admit(listener);
			else
				be_ready(l, events[i].events);
		}
		free_gone();
	}
}
