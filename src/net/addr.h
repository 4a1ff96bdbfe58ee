/* SPDX-License-Identifier: MIT */
/* Addresses, IPv4 and IPv6, to and from text; sockets made from them. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"

struct ses_addr {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

#define SES_ADDR_TEXT 64 /* enough for "[...%scope]:65535" and a NUL */

/* Read "127.0.0.1" or "::1" (no name, no brackets). False if it is neither. */
bool ses_addr_parse(struct bytes text, uint16_t port, struct ses_addr *ret);
/* "127.0.0.1:80" or "[::1]:80". Returns @out. */
char *ses_addr_format(const struct ses_addr *a, char out[SES_ADDR_TEXT]);
/* The same without the port and brackets. */
char *ses_addr_format_host(const struct ses_addr *a, char out[SES_ADDR_TEXT]);
int ses_addr_family(const struct ses_addr *a); /* 4 or 6 */
uint16_t ses_addr_port(const struct ses_addr *a);

/* Whether it leads to this very machine, on every machine: 127.0.0.0/8, ::1. */
bool ses_addr_is_loopback(const struct ses_addr *a);
/*
 * Whether this machine has the address @a, so that connections can come from
 * it. True where the system does not say.
 */
bool ses_addr_is_here(const struct ses_addr *a);
/* A listening, non-blocking socket, or SESAME_ESYSTEM with errno. IPv6
 * sockets take IPv6 alone. */
int ses_listen(const struct ses_addr *at, bool reuse_port, int backlog);
/* The address a socket is bound to, or its peer's. 0 or SESAME_ESYSTEM. */
int ses_addr_of_socket(int fd, bool peer, struct ses_addr *ret);

/* Fill @out from the kernel's generator. Never fails: aborts if it cannot. */
void ses_random(void *out, size_t len);
/* Four unpredictable bytes at little cost, drawn from a stock of them. */
uint32_t ses_random32(void);

#endif
