/* SPDX-License-Identifier: MIT */
/*
 * The subprotocols that a client offers: which of them a route allows, what the
 * server behind is offered, and what the gateway itself answers with. Pure.
 */
#ifndef GATE_SUBPROTOCOLS_H
#define GATE_SUBPROTOCOLS_H

#include "gate/credential.h"
#include "gate/policy.h"

/* The entry of allow.subprotocols that admits @asked, or NULL. */
const struct gate_rule *gate_subprotocol_rule(const struct gate_route *route,
					      const struct gate_asked *asked);
/* The first subprotocol offered that is no token; data NULL: there is none. */
struct bytes gate_first_offer(const struct gate_route *route,
			      const struct gate_asked *asked);
/*
 * Append what the server behind is offered, "a, b": what is allowed (@all:
 * whatever it is) and is no token. *ret_fallback is as gate_offers_write()
 * has it. 0 or an error of the buffer.
 */
int gate_subprotocols_write(const struct gate_route *route,
			    const struct gate_asked *asked, bool all,
			    struct ses_buf *out, struct bytes *ret_fallback);
/* Whether @name is offered, and allowed (@all: whatever is). */
bool gate_offers_subprotocol(const struct gate_route *route,
			     const struct gate_asked *asked, struct bytes name,
			     bool all);
/* The one that the gateway itself answers with; empty: none. */
struct bytes gate_chosen_subprotocol(const struct gate_route *route,
				     const struct gate_asked *asked, bool all);
/* The same where no offer is spoken: what goes with a token among the offers;
 * empty: there is none. */
struct bytes gate_marker_subprotocol(const struct gate_route *route,
				     const struct gate_asked *asked);

#endif
