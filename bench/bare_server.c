/* SPDX-License-Identifier: MIT */
/*
 * The limit of bare.h by epoll: one accept4(), recv() and send() for each that
 * comes, and one send() for each that is to hear.
 *
 *	bare_server            101 for everybody; each frame goes to all others
 *	bare_server --refuse   403 for everybody
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"
#include "listening.h"

#define MAX_EVENTS 256

static int epoll;

static void wait_for(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

void bare_say(int fd, const void *data, size_t len)
{
	(void)!send(fd, data, len, MSG_NOSIGNAL);
}

void bare_close(int fd)
{
	close(fd);
}

static void admit(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	bare_join(fd);
	wait_for(fd);
}

static void serve(int fd)
{
	static uint8_t buffer[65536];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	bare_hear(fd, buffer, n > 0 ? (size_t)n : 0);
}

int main(int argc, char **argv)
{
	struct epoll_event events[MAX_EVENTS];
	int listener;

	bare_read_options(argc, argv);
	epoll = epoll_create1(0);
	listener = listen_at(0, SOCK_NONBLOCK);
	wait_for(listener);
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
