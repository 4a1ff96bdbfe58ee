/* SPDX-License-Identifier: MIT */
/*
 * What a client shows of itself beside the lists that are looked up: the names
 * of its certificate, and the subprotocols that it offers. Pure.
 */
#ifndef GATE_CLIENT_NAMES_H
#define GATE_CLIENT_NAMES_H

#include "gate/credential.h"
#include "gate/policy.h"

struct ses_tls_info;

/*
 * Whether a verified certificate is the one of an entry of
 * allow.certificates. @tls NULL, or without a certificate: no.
 */
bool gate_certificate_has(const struct gate_rule *rule,
			  const struct ses_tls_info *tls);
/*
 * Whether the list admits a certificate, and the entry that decided: the first
 * that excludes, else the first that admits; NULL: no entry did.
 */
bool gate_certificate_admitted(const struct gate_rules *rules,
			       const struct ses_tls_info *tls,
			       const struct gate_rule **ret_rule);

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
/* The one that the gateway itself answers with; empty: none. */
struct bytes gate_chosen_subprotocol(const struct gate_route *route,
				     const struct gate_asked *asked, bool all);

#endif
