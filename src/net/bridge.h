/* SPDX-License-Identifier: MIT */
/*
 * A stream as a descriptor. Streams encrypt what goes to a socket; to have TLS
 * within TLS (wss through a proxy of https://) the outer stream is given a
 * socket of its own, and the inner one is opened over that.
 */
#ifndef NET_BRIDGE_H
#define NET_BRIDGE_H

#include "net/stream.h"

/*
 * Take @outer over and pass everything between it and the descriptor that is
 * returned, until either end closes. @early: bytes that came already. Returns
 * the descriptor (non-blocking; the caller's), or SESAME_ENOMEM or
 * SESAME_ESYSTEM, when @outer is still the caller's.
 */
int ses_bridge_open(struct ses_stream *outer, struct bytes early);

/* For the loop alone: close what bridges are left. */
void ses_bridges_abandon(struct sesame_loop *loop);

#endif
