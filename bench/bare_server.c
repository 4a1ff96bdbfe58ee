/* SPDX-License-Identifier: MIT */
/*
 * The limit of handshakes and of broadcasts, on epoll: one accept4(), recv()
 * and send() for each that comes, and one send() for each that is to hear.
 * Nothing is checked, nobody is waited for, and who cannot take a frame at
 * once loses it: no server that does its work can do less.
 *
 *	bare_server            101 for everybody; each frame goes to all others
 *	bare_server --refuse   403 for everybody
 */
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listening.h"
#include "wire/upgrade.h"

#define MOST_LINKS 65536
#define MAX_EVENTS 256
#define HEAD_BYTES 2
#define MASK_BYTES 4
#define SHORTEST   126 /* lengths from here on are told otherwise */

static const char refusal[] = "HTTP/1.1 403 Forbidden\r\n"
			      "Content-Length: 0\r\n"
			      "Connection: close\r\n\r\n";
static const char welcome[] = "HTTP/1.1 101 Switching Protocols\r\n"
			      "Upgrade: websocket\r\n"
			      "Connection: Upgrade\r\n"
			      "Sec-WebSocket-Accept: ";
static const char key_name[] = "\r\nSec-WebSocket-Key: ";

static bool refuses;
static int epoll;
static int open_links[MOST_LINKS]; /* descriptors that are open ... */
static int place[MOST_LINKS];	   /* ... where each stands among them, */
static bool talks[MOST_LINKS];	   /* and whether it was let in */
static int n_open;

static void admit(int listener)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (fd >= MOST_LINKS)
		die("too many connections");
	event.data.fd = fd;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
	talks[fd] = false;
	place[fd] = n_open;
	open_links[n_open++] = fd;
}

static void end(int fd)
{
	int last = open_links[--n_open];

	open_links[place[fd]] = last;
	place[last] = place[fd];
	close(fd);
}

static void say(int fd, const void *data, size_t len)
{
	(void)!send(fd, data, len, MSG_NOSIGNAL);
}

static void let_in(int fd, const char *head, size_t len)
{
	const char *key = memmem(head, len, key_name, sizeof(key_name) - 1);
	char answer[sizeof(welcome) + SES_ACCEPT_LEN + 4];
	size_t n = sizeof(welcome) - 1;

	if (!key || key + sizeof(key_name) - 1 + 24 > head + len) {
		end(fd);
		return;
	}
	memcpy(answer, welcome, n);
	ses_key_accept(bytes_of(key + sizeof(key_name) - 1, 24), answer + n);
	n += SES_ACCEPT_LEN;
	memcpy(answer + n, "\r\n\r\n", 4);
	talks[fd] = true;
	say(fd, answer, n + 4);
}

/* To all others, as a server's frame: without a mask. */
static void pass_on(int from, const uint8_t *frame, size_t len)
{
	uint8_t out[HEAD_BYTES + SHORTEST];
	const uint8_t *mask = frame + HEAD_BYTES, *in = mask + MASK_BYTES;

	out[0] = frame[0];
	out[1] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		out[HEAD_BYTES + i] = in[i] ^ mask[i % MASK_BYTES];
	for (int i = 0; i < n_open; i++)
		if (open_links[i] != from && talks[open_links[i]])
			say(open_links[i], out, HEAD_BYTES + len);
}

/* Frames come whole, as they are short and few. */
static void hear(int fd, const uint8_t *data, size_t len)
{
	while (len >= HEAD_BYTES + MASK_BYTES) {
		size_t n = data[1] & 0x7f;
		size_t all = HEAD_BYTES + MASK_BYTES + n;

		if (n >= SHORTEST || all > len)
			return;
		pass_on(fd, data, n);
		data += all;
		len -= all;
	}
}

static void serve(int fd)
{
	static uint8_t buffer[65536];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	if (n <= 0) {
		end(fd);
	} else if (talks[fd]) {
		hear(fd, buffer, (size_t)n);
	} else if (refuses) {
		say(fd, refusal, sizeof(refusal) - 1);
		end(fd);
	} else {
		let_in(fd, (const char *)buffer, (size_t)n);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[MAX_EVENTS];
	struct epoll_event door = {.events = EPOLLIN};
	int listener;

	refuses = argc == 2 && strcmp(argv[1], "--refuse") == 0;
	epoll = epoll_create1(0);
	listener = listen_at(0, SOCK_NONBLOCK);
	door.data.fd = listener;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &door) < 0)
		die("epoll_ctl");
	for (;;) {
		int n = epoll_wait(epoll, events, MAX_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				admit(listener);
			else
				serve(events[i].data.fd);
		}
	}
}
