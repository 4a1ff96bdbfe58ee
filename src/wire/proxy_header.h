/* SPDX-License-Identifier: MIT */
/*
 * The line or block that a proxy puts before the bytes of a connection, so
 * that the next program learns who the client is: the PROXY protocol, versions
 * 1 and 2 (HAProxy's doc/proxy-protocol.txt). It is believed as it stands, so
 * it is read from peers only that the operator trusts, and never guessed at: a
 * listener either demands it or does not look for it.
 */
#ifndef WIRE_PROXY_HEADER_H
#define WIRE_PROXY_HEADER_H

#include "base/bytes.h"

/*
 * The longest that is read. Version 2 could announce 64 KiB; the document
 * promises that whatever is sent fits the least segment of TCP, 536 bytes.
 */
#define SES_PROXY_HEADER_MAX   536
#define SES_PROXY_HEADER_WRITE 112 /* the longest that is written */

struct ses_proxy_header {
	int version; /* 1 or 2 */
	/* The proxy speaks for itself, as in its checks of our health. */
	bool local;
	/*
	 * 4 or 6; 0: who the client is is not told (LOCAL, UNKNOWN, UNSPEC,
	 * a Unix socket), the peer's own address counts then and what follows
	 * is zero.
	 */
	int family;
	uint8_t source[16], destination[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t source_port, destination_port;
	/* Version 2 only: the client came by TLS to the proxy. */
	bool tls;
};

/*
 * Read the header that @in begins with; @in is all bytes so far from the
 * connection's first, shown again longer. Returns how many bytes it took, 0
 * when more are needed, or SESAME_EPROTO as soon as it can be no header: then
 * *ret_why is a static sentence.
 */
int ses_proxy_header_read(struct bytes in, struct ses_proxy_header *ret,
			  const char **ret_why);
/*
 * Write @h as its version says into @out. Returns the bytes written, or
 * SESAME_EINVAL for another version or family. Version 1 has no way to tell
 * of TLS, nor of LOCAL: that is written as UNKNOWN.
 */
int ses_proxy_header_write(const struct ses_proxy_header *h,
			   uint8_t out[SES_PROXY_HEADER_WRITE]);

#endif
