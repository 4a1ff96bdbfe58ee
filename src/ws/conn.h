/* SPDX-License-Identifier: MIT */
/*
 * A connection: a session over a stream, with its limits and times. The public
 * face is <sesame/conn.h>; here is how a client, a server or the gateway makes
 * one after the opening handshake.
 */
#ifndef WS_CONN_H
#define WS_CONN_H

#include <sesame/conn.h>

#include "base/list.h"
#include "net/addr.h"
#include "net/stream.h"
#include "net/timer.h"
#include "wire/session.h"
#include "wire/upgrade.h"
#include "ws/kind.h"

struct ses_conn_setup {
	enum sesame_role role;
	struct sesame_deflate deflate;
	struct bytes subprotocol; /* copied */
	struct sesame_limits limits;
	const struct sesame_handlers *handlers; /* borrowed */
	void *user;
	/* The peer's address when it is known; NULL: the socket is asked. */
	const struct ses_addr *peer;
	/* conn->link is in this list until the connection is gone; or NULL. */
	struct ses_list *list;
	/*
	 * Called when the connection is gone, after on_close; may be NULL. As
	 * the handlers and the context, of all connections of a kind.
	 */
	void (*on_gone)(struct sesame_conn *conn, void *context);
	void *context;
	/* NULL, or as say_fault() of a session's terms. */
	void (*say_fault)(struct sesame_conn *conn, enum ses_fault fault,
			  char out[SES_REASON_SIZE]);
};

/*
 * A connection over @stream (taken, also on failure) whose handshake is done.
 * @early are the bytes that came after it; they are handled, and on_open is
 * called, before this returns. *ret_conn may be gone by then: NULL. Returns 0
 * or SESAME_ENOMEM.
 */
int ses_conn_begin(struct ses_stream *stream,
		   const struct ses_conn_setup *setup, uint8_t *early,
		   size_t early_len, struct sesame_conn **ret_conn);

/* The built-in values for zeros in @limits. */
void ses_limits_default(struct sesame_limits *limits);

/*
 * Queue whole frames as ses_session_frame() made them; servers only. Returns as
 * sesame_conn_send(). For what many connections get.
 */
int ses_conn_send_frame(struct sesame_conn *conn, struct bytes frames);
/*
 * The same for all that this one gets in this turn: what the system takes at
 * once is not copied, nor is it in memory for each of the many.
 */
int ses_conn_send_frame_now(struct sesame_conn *conn, struct bytes frames);

/*
 * As sesame_conn_abort(), but on_close and on_gone are called before this
 * returns, unless one of the connection's callbacks is being handled.
 */
void ses_conn_abort_now(struct sesame_conn *conn);

/* ---- For a client, whose connection exists before its handshake ---- */

/* What goes on before there is a connection; embedded in the client's. */
struct ses_opening {
	/* The owner gave up: free everything. The rest is done by the caller. */
	void (*cancel)(struct ses_opening *opening);
};

/* A connection that @opening works on. NULL when out of memory. */
struct sesame_conn *ses_conn_new(struct sesame_loop *loop,
				 const struct ses_conn_setup *setup,
				 struct ses_opening *opening);
/*
 * The handshake is done; as ses_conn_begin(), with the setup now complete. The
 * opening is forgotten and @conn may be gone. SESAME_ENOMEM: the stream is
 * closed, @conn is still opening.
 */
int ses_conn_open(struct sesame_conn *conn, struct ses_stream *stream,
		  const struct ses_conn_setup *setup, uint8_t *early,
		  size_t early_len);
/*
 * Call on_handshake. False: the owner gave up in there, and the connection,
 * the opening too, is gone.
 */
bool ses_conn_tell_handshake(struct sesame_conn *conn, bool sent,
			     struct bytes head);
/* It came to nothing: call on_close with @end and free. */
void ses_conn_fail(struct sesame_conn *conn, const struct sesame_end *end);

/* ---- The connection itself; for src/ws alone ---- */

enum ses_conn_state {
	SES_CONN_OPENING, /* no stream yet; conn->opening is at work */
	SES_CONN_OPEN,
	SES_CONN_CLOSING, /* our close frame is on its way */
	SES_CONN_PARTING, /* a client whose server is to close the stream */
	SES_CONN_DONE,	  /* on_close is due as soon as nobody is in the way */
};

/* What ended it: see the sentences in conn_end.c. */
enum ses_conn_cause {
	SES_CAUSE_NONE,
	SES_CAUSE_ERROR, /* what the error's name says */
	SES_CAUSE_FAULT, /* the peer's, which the session knows */
	SES_CAUSE_UNANSWERED,
	SES_CAUSE_CUT,
	SES_CAUSE_CUT_CLOSING,
	SES_CAUSE_RESET,
	SES_CAUSE_UNREAD,
	SES_CAUSE_SILENT,
	SES_CAUSE_NO_CLOSE,
	SES_CAUSE_ABORTED,
	SES_CAUSE_GIVEN_UP,
};

/* What most connections have nothing of, most of the time. */
struct ses_conn_extra {
	struct ses_opening *opening; /* while OPENING */
	struct ses_aside *aside; /* a pong that waits for the queue to drain */
	char *peer_text;	 /* made when asked for */
	char *end_reason;
	uint8_t end_reason_len;
};

/* There may be very many, most of them idle: keep it small. */
struct sesame_conn {
	struct sesame_session session;
	struct ses_stream *stream;
	struct ses_conn_kind *kind;
	void *user;
	struct ses_timer timer; /* the only one; always running */
	struct ses_list link;	/* in setup's list, if there was one */
	union {
		struct {
			in_addr_t ip;
			in_port_t port;
		} v4;			/* where peer_is_v4 */
		struct ses_addr *other; /* NULL: not known */
	} peer;
	struct ses_conn_extra *extra; /* NULL: nothing of all that */
	uint32_t pinged_ms;	      /* as the stream's last_read_ms */
	/* how it ends */
	uint16_t end_code;
	int8_t end_error;
	uint8_t end_cause;
	uint8_t state;
	uint8_t busy; /* callbacks and sessions on the stack */
	bool end_clean : 1;
	bool end_by_peer : 1;
	bool closed_here : 1;
	bool sending : 1;   /* data for which the queue's limit holds */
	bool told_full : 1; /* a send returned SESAME_EAGAIN */
	bool paused : 1;
	bool pinged : 1; /* into this silence, at pinged_ms */
	bool wrote : 1;	 /* into the room that the stream gave */
	bool wrote_aside : 1;
	bool polite : 1; /* the stream is to be sent to its end */
	bool peer_is_v4 : 1;
};

#endif
