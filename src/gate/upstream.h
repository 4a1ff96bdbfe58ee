/* SPDX-License-Identifier: MIT */
/*
 * The handshake with a server behind the gateway: what it is sent, and whether
 * what it answers is a valid acceptance. Only then is there a tunnel; whatever
 * else it says, the client's next bytes never reach it.
 */
#ifndef GATE_UPSTREAM_H
#define GATE_UPSTREAM_H

#include "base/buf.h"
#include "gate/policy.h"
#include "net/stream.h"
#include "wire/upgrade.h"

struct gate_forward {
	const struct ses_head *head; /* the client's request */
	const struct gate_route *route;
	const char *address; /* the client's */
	bool tls;	     /* the client came by wss: */
};

/*
 * Append the request for the server behind: the client's, without hop-by-hop
 * fields and forwarding fields of its own making, and with ours. 0 or an error.
 */
int gate_forward_write(const struct gate_forward *forward, struct ses_buf *out);

/*
 * Whether @answer accepts the handshake with @key: NULL, or what is wrong with
 * it as a static sentence.
 */
const char *gate_acceptance_fault(const struct ses_head *request,
				  const struct ses_head *answer,
				  struct bytes key);
/* Append the 101 that the client gets: the answer's fields, our hop's own. */
int gate_acceptance_write(const struct ses_head *answer, struct ses_buf *out);
/* Append the refusal of the server behind, with our reference and framing. */
int gate_relayed_refusal_write(const struct ses_head *answer, struct bytes body,
			       const char *reference, struct ses_buf *out);
/*
 * Undo chunked coding (RFC 9112 7.1). Returns 1 when the last chunk is there,
 * 0 when more is needed, SESAME_EPROTO, or SESAME_ELIMIT when @out is full.
 */
int gate_unchunk(struct bytes in, struct ses_buf *out);

/* What came of it. All borrowed for the call. */
struct gate_upstream_result {
	/*
	 * 0: accepted; SESAME_EREFUSED: another answer, which is whole in head
	 * and body; SESAME_EPROTO: no valid answer; or why there is none.
	 */
	int error;
	const char *text;	   /* one phrase about an error */
	const struct ses_head *head; /* NULL: no answer came */
	struct bytes body;
	struct ses_stream *stream; /* of an accepted handshake; to be taken */
	struct bytes early;	   /* what came behind its 101 */
};

struct gate_upstream;

/*
 * Dial the route's server and send it @request (taken). @done is called once,
 * never before this returns. @sent is the client's handshake as far as the
 * answer is checked against it: see gate_acceptance_fault(); it is copied.
 * NULL: no memory.
 */
struct gate_upstream *
gate_upstream_start(struct sesame_loop *loop, const struct gate_route *route,
		    struct ses_buf *request, const struct ses_head *sent,
		    void (*done)(void *user,
				 const struct gate_upstream_result *result),
		    void *user);
/* Give up; done is not called. */
void gate_upstream_cancel(struct gate_upstream *upstream);

#endif
