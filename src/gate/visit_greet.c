/* SPDX-License-Identifier: MIT */
/* Who comes: the peer, what a PROXY header says of it, and what hops do. */
#include "gate/visit_inner.h"

#include <string.h>

void gate_visit_meet(struct gate_visit *v, const struct ses_addr *peer)
{
	/* "%eth0" of a link-local address is no part of the address */
	if (ses_addr_family(peer) == 4)
		v->peer =
			gate_address_of_v4((const uint8_t *)&peer->v4.sin_addr);
	else
		memcpy(v->peer.bytes, &peer->v6.sin6_addr,
		       sizeof(v->peer.bytes));
}

static bool is_trusted(const struct gate_visit *v)
{
	for (size_t i = 0; i < v->policy->n_trusted; i++)
		if (gate_network_has(&v->policy->trusted[i], &v->peer))
			return true;
	return false;
}

/* Nobody is answered who cannot be told from an attacker. */
static enum gate_outcome turn_away(struct gate_visit *v, enum why_cause cause,
				   const char *note)
{
	struct gate_refusal why = {.cause = cause, .note = note};

	return gate_visit_refuse(v, &why);
}

/* What came so far and what has come now are read as one. */
static struct bytes gather(struct gate_visit *v)
{
	struct ses_buf *greeting = &v->asking->greeting;
	size_t room = SES_PROXY_HEADER_MAX;

	if (!ses_buf_len(greeting) && v->len >= room)
		return bytes_of(v->data, v->len);
	if (ses_buf_append(greeting, bytes_of(v->data, v->len)) < 0)
		return bytes_of(NULL, 0);
	return ses_buf_bytes(greeting);
}

enum gate_outcome gate_visit_introduce(struct gate_visit *v)
{
	const char *wrong = NULL;
	struct bytes in;
	int used;

	if (v->introduced || !v->entrance->proxy_protocol)
		return GATE_GO_ON;
	if (!is_trusted(v))
		return turn_away(v, WHY_ACCESS_IP,
				 "this listener is for trusted_proxies, and "
				 "the peer is none of them");
	in = gather(v);
	used = ses_proxy_header_read(in, &v->asking->proxy, &wrong);
	if (used < 0 || !in.data)
		return turn_away(v, WHY_CLIENT_BAD_HANDSHAKE,
				 wrong ? wrong : "out of memory");
	if (used == 0)
		return GATE_WAIT;
	v->introduced = true;
	gate_visit_recognize(v);
	v->data = (uint8_t *)in.data + used;
	v->len = in.len - (size_t)used;
	/* A header alone is a balancer's look at us, and no visitor's word. */
	v->heard = v->len > 0;
	return v->len ? GATE_GO_ON : GATE_WAIT;
}

void gate_visit_recognize(struct gate_visit *v)
{
	struct gate_hops_input input = {
		.peer = v->peer,
		.tls = ses_stream_tls_info(v->stream) != NULL,
		.proxy = v->introduced ? &v->asking->proxy : NULL,
		.head = v->asking->head,
		.trusted = v->policy->trusted,
		.n_trusted = v->policy->n_trusted,
		.field = (enum gate_hops_field)v->policy->trusted_field,
	};

	gate_hops_read(&input, &v->asking->hops);
}
