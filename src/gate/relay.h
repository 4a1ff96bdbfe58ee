/* SPDX-License-Identifier: MIT */
/*
 * A tunnel: bytes both ways, not looked into unless the owner judges messages.
 * A side that takes no more slows the other down; a side that has said all is
 * told so to the other.
 */
#ifndef GATE_RELAY_H
#define GATE_RELAY_H

#include "gate/frames.h"
#include "net/stream.h"

struct gate_relay;

#define GATE_REASON_MAX 124 /* of a close frame, and its end */

/* How a tunnel is cut. */
struct gate_cut {
	unsigned code; /* for the client */
	char reason[GATE_REASON_MAX];
	char for_server[GATE_REASON_MAX]; /* with 1001; "": no frame */
};

/* What passes, and who ends it; all in the loop's thread. */
struct gate_relay_events {
	/* @side: 0 from the client, 1 from the server. Called for each read. */
	void (*passed)(void *user, int side, size_t len);
	/* Once: @side said all first (-1: both were silent too long), or broke
	 * with @error. */
	void (*ending)(void *user, int side, int error);
	/*
	 * NULL: bytes are not looked into. A frame of a message, or what is no
	 * frame, from @side. True: fill in @ret_cut, the tunnel is cut before
	 * that frame: the client gets a close frame, as soon as no other frame
	 * to it is cut by that, and the server one too. ending() is not called.
	 */
	bool (*judge)(void *user, int side, const struct gate_said *said,
		      struct gate_cut *ret_cut);
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
/*
 * Cut one whose messages are judged, as a judge would. False: it is not such a
 * one, and has no place for a frame.
 */
bool gate_relay_cut(struct gate_relay *relay, const struct gate_cut *cut);

#endif
