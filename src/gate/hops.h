/* SPDX-License-Identifier: MIT */
/*
 * Who the client is, when there are proxies between. Each hop tells of the one
 * before it, and what a hop tells is believed only if the hop itself is one
 * that the operator trusts: so the list is read from its right end, which the
 * nearest hop wrote, up to the first hop that is not trusted. What stands left
 * of that may be anybody's invention and is not read at all.
 *
 * Only one field counts, the one that the operator names. A proxy writes the
 * one that it knows and passes the other on as the client made it up; a
 * gateway that read both would let the client choose which one is believed.
 * The default is X-Forwarded-For, because that is what proxies write unless
 * they are told otherwise. Pure.
 */
#ifndef GATE_HOPS_H
#define GATE_HOPS_H

#include "gate/match.h"
#include "wire/head.h"
#include "wire/proxy_header.h"

#define GATE_MAX_HOPS 64

enum gate_hops_field {
	GATE_HOPS_X_FORWARDED, /* X-Forwarded-For and X-Forwarded-Proto */
	GATE_HOPS_FORWARDED,   /* RFC 7239 */
};

/* What is known when a request has come; all borrowed for the call. */
struct gate_hops_input {
	struct gate_address peer; /* who connected */
	bool tls;		  /* by TLS, to us */
	const struct ses_proxy_header *proxy; /* NULL: there was none */
	const struct ses_head *head;	      /* NULL: there is none yet */
	/* Whom the operator trusts. */
	const struct gate_network *trusted;
	size_t n_trusted;
	enum gate_hops_field field;
};

/* By what a hop is known. */
enum gate_hop_from { GATE_HOP_PEER, GATE_HOP_PROXY, GATE_HOP_FIELD };

struct gate_hop {
	struct gate_address address;
	enum gate_hop_from from;
};

/* Why no further hop was taken. */
enum gate_hops_end {
	GATE_HOPS_ALL,	     /* nothing more was told */
	GATE_HOPS_UNTRUSTED, /* more was told by whom nobody trusts */
	GATE_HOPS_HIDDEN,    /* "unknown", or a name that hides the address */
	GATE_HOPS_MALFORMED, /* what stands there is no address */
	GATE_HOPS_TOO_MANY,
};

struct gate_hops {
	struct gate_address client; /* the address of the last hop */
	char client_text[GATE_ADDRESS_TEXT];
	/*
	 * The client came by TLS, as far as trusted hops tell: false when the
	 * client is farther than the peer and nobody told.
	 */
	bool tls;
	struct gate_hop hop[GATE_MAX_HOPS + 2]; /* the peer first */
	size_t n;
	enum gate_hops_end end;
	enum gate_hops_field field;
	struct bytes stopped_at; /* the entry; borrowed from the head, or none */
};

void gate_hops_read(const struct gate_hops_input *input,
		    struct gate_hops *ret_hops);
/*
 * One line for people, from the nearest hop on: "10.0.0.1 (connected),
 * 203.0.113.9 (X-Forwarded-For)", with what was left out and why. Cut to
 * @size, printable whatever was sent. Returns @out.
 */
char *gate_hops_format(const struct gate_hops *hops, char *out, size_t size);

#endif
