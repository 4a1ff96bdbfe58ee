/* SPDX-License-Identifier: MIT */
/* The heads that cross the gateway: which of their fields do, and as what. */
#ifndef GATE_FORWARD_H
#define GATE_FORWARD_H

#include "base/buf.h"
#include "gate/hops.h"
#include "gate/places.h"
#include "gate/policy.h"
#include "wire/head.h"

struct gate_forward {
	const struct ses_head *head; /* the client's request */
	const struct gate_route *route;
	const struct gate_server *server; /* of the route */
	const struct gate_hops *hops; /* who the client is */
	struct bytes protocols; /* offered instead of the client's; may be
				   empty; data NULL: as it came */
	const struct gate_from *strip; /* a token to take away; or NULL */
	struct bytes copies; /* more fields, as whole lines */
};

/*
 * Append the request for the server behind: the client's, without hop-by-hop
 * fields and forwarding fields of its own making, and with ours. 0 or an error.
 */
int gate_forward_write(const struct gate_forward *forward, struct ses_buf *out);

/*
 * Write to @out, printable and cut when too long, what @server is asked for
 * when a client asks for @target: "ws://127.0.0.1:3000/app/chat", without a
 * query, which may hold secrets. Returns @out.
 */
char *gate_forward_place(const struct gate_server *server, struct bytes target,
			 char *out, size_t size);

/*
 * Whether @answer accepts the handshake with @key: NULL, or what is wrong with
 * it as a static sentence.
 */
const char *gate_acceptance_fault(const struct ses_head *request,
				  const struct ses_head *answer,
				  struct bytes key);
/*
 * Append the 101 that the client gets: the answer's fields, our hop's own.
 * @fallback: the subprotocol when the answer has none; may be empty.
 */
int gate_acceptance_write(const struct ses_head *answer, struct bytes fallback,
			  struct ses_buf *out);
/* Append the refusal of the server behind, with our reference and framing. */
int gate_relayed_refusal_write(const struct ses_head *answer, struct bytes body,
			       const char *reference, struct ses_buf *out);

#endif
