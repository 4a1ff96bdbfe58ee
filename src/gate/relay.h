/* SPDX-License-Identifier: MIT */
/*
 * A tunnel: bytes both ways, not looked into. A side that takes no more slows
 * the other down; a side that has said all is told so to the other.
 */
#ifndef GATE_RELAY_H
#define GATE_RELAY_H

#include "net/stream.h"

struct gate_relay;

/*
 * Join two streams (taken, also on failure), either of which may be paused.
 * It ends after @idle_ms without a byte. @gone is called once when both are
 * closed, never before this returns. NULL: no memory.
 */
struct gate_relay *gate_relay_start(struct ses_stream *client,
				    struct ses_stream *server, uint64_t idle_ms,
				    void (*gone)(void *user), void *user);
/* Close both; gone is not called. */
void gate_relay_close(struct gate_relay *relay);

#endif
