/* SPDX-License-Identifier: MIT */
/*
 * What is the same for all connections of a kind: those of one server, say, that
 * agreed to the same subprotocol. It stands once in a loop, counted, and each
 * connection points to it, because there may be very many of them.
 */
#ifndef WS_KIND_H
#define WS_KIND_H

#include <sesame/conn.h>

#include "base/list.h"
#include "net/stream.h"
#include "wire/session.h"

/* Room over the queue's limit for control frames: those must always fit. */
#define SES_CONTROL_ROOM 1024

struct ses_conn_setup;

struct ses_conn_kind {
	struct ses_list link; /* in the loop's kinds, the latest first */
	size_t refs;
	struct sesame_loop *loop;
	const struct sesame_handlers *handlers;
	void (*on_gone)(struct sesame_conn *conn, void *context);
	void *context;
	void (*say_fault)(struct sesame_conn *conn, enum ses_fault fault,
			  char out[SES_REASON_SIZE]);
	struct ses_session_terms session;
	struct ses_stream_limits stream; /* with SES_CONTROL_ROOM */
	uint32_t ping_ms, idle_ms, close_ms;
	char subprotocol[]; /* "": none */
};

/*
 * The kind that @setup describes, whose sessions tell @events: one that is there
 * or a new one. NULL when out of memory. To be given back by _unref().
 */
struct ses_conn_kind *
ses_conn_kind_of(struct sesame_loop *loop, const struct ses_conn_setup *setup,
		 const struct sesame_session_events *events);
/* NULL is fine. */
void ses_conn_kind_unref(struct ses_conn_kind *kind);

#endif
