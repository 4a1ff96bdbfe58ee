/* SPDX-License-Identifier: MIT */
/* Names to addresses: without asking anybody where possible, else by thread. */
#ifndef NET_NAMES_H
#define NET_NAMES_H

#include "net/addr.h"
#include "net/loop.h"

#define SES_NAMES_MOST 8 /* addresses of one name; a dial tries them all */

struct ses_names {
	struct ses_addr address[SES_NAMES_MOST]; /* IPv6 and IPv4 in turns */
	size_t n;
	int gai_error; /* 0 or EAI_... of getaddrinfo(3) */
	int sys_errno; /* for EAI_SYSTEM */
	/* With EAI_ADDRFAMILY: one that the name has, of the other family. */
	struct ses_addr other;
};

/*
 * The addresses of numbers and of localhost (RFC 6761 6.3: always loopback,
 * of both families), if they are of @family (4, 6 or 0: any). False when
 * somebody has to be asked; true with n = 0 when only the other family fits.
 */
bool ses_names_known(struct bytes host, uint16_t port, int family,
		     struct ses_names *ret);
/* Whether @host is an address and no name. */
bool ses_names_is_address(struct bytes host);
/*
 * Ask the system's resolver; @done is called in the loop's thread with what it
 * said, borrowed for the call. NULL when out of memory or threads.
 */
struct ses_call *ses_names_ask(struct sesame_loop *loop, struct bytes host,
			       uint16_t port, int family,
			       void (*done)(const struct ses_names *names,
					    void *user),
			       void *user);
/* A phrase for names->gai_error: "no such name". */
const char *ses_names_error(const struct ses_names *names);

#endif
