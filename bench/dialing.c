/* SPDX-License-Identifier: MIT */
#include "dialing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "listening.h"

static void come_from(int fd, size_t sources)
{
	static uint32_t n;
	struct sockaddr_in at = {.sin_family = AF_INET};
	int one = 1;

	at.sin_addr.s_addr =
		htonl(INADDR_LOOPBACK + 1 + n++ % (uint32_t)sources);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
}

int dial(int port, size_t sources)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 30};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (sources)
		come_from(fd, sources);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
	return fd;
}

void send_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		at += n;
		len -= (size_t)n;
	}
}

/* The head of the answer, and no byte more. */
static void read_head(int fd, char *to, size_t size)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, to + len, size - 1 - len, MSG_PEEK);
		char *end;

		if (n <= 0)
			die("no answer to a handshake");
		to[len + (size_t)n] = 0;
		end = strstr(to, "\r\n\r\n");
		if (end)
			n = end + 4 - (to + len);
		len += (size_t)recv(fd, to + len, (size_t)n, 0);
		if (end)
			break;
	}
	to[len] = 0;
}

void shake_hands(int fd, const char *path, const char *protocol)
{
	char request[1024], offer[128] = "", answer[2048];

	if (protocol)
		snprintf(offer, sizeof(offer), "Sec-WebSocket-Protocol: %s\r\n",
			 protocol);
	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n%s"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		 path, offer);
	send_all(fd, request, strlen(request));
	read_head(fd, answer, sizeof(answer));
	if (strncmp(answer, "HTTP/1.1 101", 12) != 0) {
		fprintf(stderr, "refused: %.40s\n", answer);
		exit(1);
	}
}
