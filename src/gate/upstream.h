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

/* What came of it. All borrowed for the call. */
struct gate_upstream_result {
	/*
	 * 0: accepted; SESAME_EREFUSED: another answer, which is whole in head
	 * and body; SESAME_EPROTO: no valid answer; or why there is none.
	 */
	int error;
	const char *text;	   /* one phrase about an error */
	bool lacked; /* it failed for want of something on this machine */
	bool sent; /* the request went out: perhaps the server acted on it */
	const struct ses_head *head; /* NULL: no answer came */
	struct bytes body;
	struct ses_stream *stream; /* of an accepted handshake; to be taken */
	struct bytes early;	   /* what came behind its 101 */
};

struct gate_upstream;

/* Whom to ask, and how; borrowed for the call. */
struct gate_upstream_setup {
	const struct gate_route *route;
	const struct gate_server *server; /* one of its */
	struct bytes preface; /* a PROXY header for it; may be empty */
};

/*
 * Dial a server and send it @request (taken). @done is called once, never
 * before this returns. @sent is the client's handshake as far as the answer is
 * checked against it: see gate_acceptance_fault(); it is copied. NULL: no
 * memory.
 */
struct gate_upstream *
gate_upstream_start(struct sesame_loop *loop,
		    const struct gate_upstream_setup *setup,
		    struct ses_buf *request, const struct ses_head *sent,
		    void (*done)(void *user,
				 const struct gate_upstream_result *result),
		    void *user);
/* Give up; done is not called. */
void gate_upstream_cancel(struct gate_upstream *upstream);

#endif
