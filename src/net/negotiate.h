/* SPDX-License-Identifier: MIT */
/*
 * Negotiate with a Kerberos ticket (RFC 4559), by GSSAPI where the build found
 * one. A ticket may have to be fetched from afar, so a thread does it.
 */
#ifndef NET_NEGOTIATE_H
#define NET_NEGOTIATE_H

#include "net/loop.h"

/*
 * Make the token for the service HTTP at @host. @done is called once: with the
 * token in base64, or with NULL and a phrase that says why there is none; both
 * are lent for the call. Never before this returns. NULL: no memory.
 */
struct ses_call *ses_negotiate(struct sesame_loop *loop, const char *host,
			       void (*done)(const char *token,
					    const char *text, void *user),
			       void *user);

#endif
