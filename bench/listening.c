/* SPDX-License-Identifier: MIT */
#include "listening.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

void die(const char *what)
{
	perror(what);
	exit(1);
}

int listen_at(unsigned short port, int flags)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0), one = 1;
	socklen_t len = sizeof(at);

	if (fd < 0)
		die("socket");
	/* connections have this from their listener */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 4096) < 0)
		die("listen");
	getsockname(fd, (struct sockaddr *)&at, &len);
	printf("listening at tcp://127.0.0.1:%u\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}
