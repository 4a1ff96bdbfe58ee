/* SPDX-License-Identifier: MIT */
/*
 * The limit to measure against: bytes are received and sent back, on epoll,
 * with one large buffer and nothing in between. No WebSocket server that
 * receives and sends by the same calls can be faster.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (512 * 1024)
#define MAX_EVENTS   256

static char buffer[BUFFER_BYTES];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_anywhere(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	socklen_t len = sizeof(at);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
	    listen(fd, 4096) < 0)
		die("tcp_echo");
	getsockname(fd, (struct sockaddr *)&at, &len);
	printf("listening at tcp://127.0.0.1:%u\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

/* The peer reads what it sends for, so waiting for it here ends. */
static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			struct timeval moment = {0, 100};

			select(0, NULL, NULL, NULL, &moment);
			continue;
		}
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static void serve(int fd)
{
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || send_all(fd, buffer, (size_t)n) < 0)
		close(fd);
}

int main(void)
{
	struct epoll_event events[MAX_EVENTS], event = {.events = EPOLLIN};
	int listener = listen_anywhere(), epoll = epoll_create1(0);

	event.data.fd = listener;
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(epoll, events, MAX_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd != listener) {
				serve(events[i].data.fd);
				continue;
			}
			event.data.fd =
				accept4(listener, NULL, NULL, SOCK_NONBLOCK);
			if (event.data.fd >= 0)
				epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd,
					  &event);
		}
	}
}
