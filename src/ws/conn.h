/* SPDX-License-Identifier: MIT */
/*
 * A connection: a session over a stream, with its limits and times. The public
 * face is <sesame/conn.h>; here is how a client, a server or the gateway makes
 * one after the opening handshake.
 */
#ifndef WS_CONN_H
#define WS_CONN_H

#include <sesame/conn.h>

#include "net/stream.h"
#include "wire/upgrade.h"

struct ses_conn_setup {
	enum sesame_role role;
	struct sesame_deflate deflate;
	struct bytes subprotocol; /* copied */
	struct sesame_limits limits;
	const struct sesame_handlers *handlers; /* borrowed */
	void *user;
	/* Called when the connection is gone, after on_close; may be NULL. */
	void (*on_gone)(struct sesame_conn *conn, void *context);
	void *context;
};

/*
 * A connection over @stream (taken, also on failure) whose handshake is done.
 * @early are the bytes that came after it; they are handled, and on_open is
 * called, before this returns. *ret_conn may be gone by then: NULL. Returns 0
 * or SESAME_ENOMEM.
 */
int ses_conn_begin(struct ses_stream *stream, const struct ses_conn_setup *setup,
		   uint8_t *early, size_t early_len,
		   struct sesame_conn **ret_conn);

/* The built-in values for zeros in @limits. */
void ses_limits_default(struct sesame_limits *limits);

#endif
