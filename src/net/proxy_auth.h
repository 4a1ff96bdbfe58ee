/* SPDX-License-Identifier: MIT */
/*
 * How a 407 is answered: which of the schemes that the proxy offers, and with
 * what. Pure; what has to be random comes in.
 */
#ifndef NET_PROXY_AUTH_H
#define NET_PROXY_AUTH_H

#include "net/proxy.h"
#include "wire/challenge.h"
#include "wire/head.h"

enum ses_proxy_scheme {
	SES_PROXY_NO_SCHEME, /* none that could be answered */
	SES_PROXY_DIGEST,    /* user and password; RFC 7616 */
	SES_PROXY_NEGOTIATE, /* a Kerberos ticket; RFC 4559 */
};

/*
 * What to answer the 407 @head with: Digest for a user and a password,
 * Negotiate for a ticket. *ret_challenge borrows from the head. (Basic needs no
 * answer: it is sent unasked.)
 */
enum ses_proxy_scheme ses_proxy_choose(const struct ses_proxy *proxy,
				       const struct ses_head *head,
				       struct ses_challenge *ret_challenge);
/*
 * Append the value of Proxy-Authorization that answers a Digest challenge for
 * CONNECT to @target ("host:port"). @cnonce: random letters or digits. 0,
 * SESAME_EPROXY when the challenge lacks something, or an error of the buffer.
 */
int ses_proxy_write_digest(const struct ses_proxy *proxy,
			   const struct ses_challenge *challenge,
			   const char *target, const char *cnonce,
			   struct ses_buf *out);

#endif
