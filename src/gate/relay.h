/* SPDX-License-Identifier: MIT */
/*
 * A tunnel: bytes both ways, not looked into. A side that takes no more slows
 * the other down; a side that has said all is told so to the other.
 */
#ifndef GATE_RELAY_H
#define GATE_RELAY_H

#include "net/stream.h"

struct gate_relay;

/* What passes, and who ends it; all in the loop's thread. */
struct gate_relay_events {
	/* @side: 0 from the client, 1 from the server. Called for each read. */
	void (*passed)(void *user, int side, size_t len);
	/* Once: @side said all first (-1: both were silent too long), or broke
	 * with @error. */
	void (*ending)(void *user, int side, int error);
	/* Both are closed; never before gate_relay_start() has returned. */
	void (*gone)(void *user);
};

/*
 * Join two streams (taken, also on failure), either of which may be paused.
 * It ends after @idle_ms without a byte. NULL: no memory.
 */
struct gate_relay *gate_relay_start(struct ses_stream *client,
				    struct ses_stream *server, uint64_t idle_ms,
				    const struct gate_relay_events *events,
				    void *user);
/* Close both; no event follows. */
void gate_relay_close(struct gate_relay *relay);
/* The same, but what was received is sent on before. */
void gate_relay_part(struct gate_relay *relay);

#endif
