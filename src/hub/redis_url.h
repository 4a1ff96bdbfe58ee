/* SPDX-License-Identifier: MIT */
/* The address of a backplane: redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], or
 * rediss:// over TLS, and ?prefix= of its keys. Pure. */
#ifndef HUB_REDIS_URL_H
#define HUB_REDIS_URL_H

#include "base/bytes.h"

struct redis_url {
	bool tls;
	bool v6; /* the host is an IPv6 address */
	char host[256];
	uint16_t port;
	unsigned db;
	char user[128], password[512]; /* "": none */
	char prefix[64];
};

/* What is wrong with @text, or NULL with *ret_url. */
const char *redis_url_read(struct bytes text, struct redis_url *ret_url);

#endif
