/* SPDX-License-Identifier: MIT */
/*
 * One WebSocket connection, of a client or of a server. All calls are made in
 * the thread of its loop. After the close callback, and not before, everything
 * handed to the connection is yours again and the pointer is dead.
 */
#ifndef SESAME_CONN_H
#define SESAME_CONN_H

#include <sesame/loop.h>
#include <sesame/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sesame_conn;

/* Why and how a connection ended. Borrowed for the close callback. */
struct sesame_end {
	/* 0 after a clean close, else what happened (SESAME_EREFUSED, ...). */
	int error;
	/*
	 * What the peer's close frame says, whoever closed first (RFC 6455
	 * 7.4): code 1005 when it gives none, 1006 when none came. A peer
	 * that answers sends back the code it got, mostly without a reason.
	 */
	uint16_t code;
	const char *reason; /* not NUL-terminated; UTF-8 */
	size_t reason_len;
	bool clean;   /* both close frames were seen */
	bool by_peer; /* the peer closed first */
	/* One sentence about what went wrong; "" when nothing did. */
	const char *text;
	/*
	 * For a client whose handshake was answered by something other than a
	 * valid 101: the status, the whole head and the body's beginning as
	 * they came. Else 0 and NULL.
	 */
	int status;
	const char *head;
	size_t head_len;
	const char *body;
	size_t body_len;
};

/*
 * What a close code stands for: "going away" for 1001; "" for codes without a
 * registered meaning. Static.
 */
SESAME_API const char *sesame_close_name(uint16_t code);

/* What a connection tells. Each may be NULL. */
struct sesame_handlers {
	/* The handshake is done; messages may be sent. */
	void (*on_open)(struct sesame_conn *conn, void *user);
	/*
	 * A whole message; text is valid UTF-8 and not NUL-terminated. @data is
	 * borrowed for the call and may be changed in place.
	 */
	void (*on_message)(struct sesame_conn *conn, void *user,
			   enum sesame_kind kind, uint8_t *data, size_t len);
	/* A pong came (the answer to sesame_conn_ping(), or unasked). */
	void (*on_pong)(struct sesame_conn *conn, void *user,
			const uint8_t *data, size_t len);
	/* After a send had returned SESAME_EAGAIN or ELIMIT: the queue is empty. */
	void (*on_drain)(struct sesame_conn *conn, void *user);
	/* The last call: the connection is gone, or never came to be. */
	void (*on_close)(struct sesame_conn *conn, void *user,
			 const struct sesame_end *end);
	/*
	 * Clients only, for those who show or log it: the head of the request
	 * as it was @sent, then that of a 101 as it came. (A refusal's head is
	 * told by on_close.)
	 */
	void (*on_handshake)(struct sesame_conn *conn, void *user, bool sent,
			     const char *head, size_t len);
};

/*
 * Limits and times. 0 stands for the default; all are bounded by default.
 * UINT32_MAX milliseconds (seven weeks) is as good as never. A message longer
 * than queue_bytes can never be sent.
 */
struct sesame_limits {
	size_t message_bytes;	  /* longest message taken; 16 MiB */
	size_t queue_bytes; /* unsent bytes held; message_bytes + 1 MiB */
	/* over this, send says EAGAIN; 1 MiB, at most half of queue_bytes */
	size_t queue_high_bytes;
	uint32_t handshake_ms;	  /* until the handshake is done; 10 s */
	uint32_t ping_ms;	  /* ping after this much silence; 30 s */
	uint32_t idle_ms;	  /* close after this much silence; 75 s */
	uint32_t close_ms;	  /* wait for the peer's close frame; 5 s */
};

/*
 * Queue one message. It is copied. Frames of one loop turn leave together.
 *
 * Returns 0; SESAME_EAGAIN: it is queued, but the queue is over
 * queue_high_bytes: wait for on_drain. SESAME_ELIMIT: there is no room for it
 * in the queue, nothing was queued; on_drain follows unless the queue is empty,
 * for then there never will be room. SESAME_ECLOSED. SESAME_EINVAL: text that
 * is not UTF-8, or a kind that is none. SESAME_ENOMEM: there was none to
 * compress it with, nothing was queued.
 */
SESAME_API int sesame_conn_send(struct sesame_conn *conn,
				enum sesame_kind kind, const void *data,
				size_t len);
/*
 * Queue a ping of at most 125 bytes (longer: SESAME_EINVAL). Returns as
 * sesame_conn_send().
 */
SESAME_API int sesame_conn_ping(struct sesame_conn *conn, const void *data,
				size_t len);
/*
 * Begin the closing handshake; what is queued is sent before, as far as the
 * peer takes it within close_ms. @code as in sesame_session_close(); @reason may
 * be NULL. on_close follows, at the latest after close_ms. Returns 0,
 * SESAME_ECLOSED, SESAME_EINVAL, or SESAME_ELIMIT when memory was too short for
 * the close frame: the connection is open still, and may be aborted.
 */
SESAME_API int sesame_conn_close(struct sesame_conn *conn, uint16_t code,
				 const char *reason);
/*
 * Drop the connection at once; what is queued is lost and what has come is not
 * looked at. on_close follows in this turn of the loop, or in the next one,
 * never before this returns.
 */
SESAME_API void sesame_conn_abort(struct sesame_conn *conn);

/* Bytes accepted for sending that the system has not taken yet. */
SESAME_API size_t sesame_conn_queued(const struct sesame_conn *conn);
/*
 * Stop or resume reading, to slow the peer down. Messages that were received
 * already may still be told. While it is stopped silence is not counted, and
 * closing resumes it, because the peer's close frame has to be read.
 */
SESAME_API void sesame_conn_pause(struct sesame_conn *conn);
SESAME_API void sesame_conn_resume(struct sesame_conn *conn);

/* A pointer of the owner's. */
SESAME_API void *sesame_conn_user(const struct sesame_conn *conn);
SESAME_API void sesame_conn_set_user(struct sesame_conn *conn, void *user);
SESAME_API struct sesame_loop *sesame_conn_loop(const struct sesame_conn *conn);
/* The agreed subprotocol, "" for none. Valid as long as the connection. */
SESAME_API const char *sesame_conn_subprotocol(const struct sesame_conn *conn);
/*
 * The address at the other end of the TCP connection as text, which is a proxy's
 * for who came through one: "127.0.0.1:54321" or "[::1]:54321". Likewise.
 */
SESAME_API const char *sesame_conn_peer(const struct sesame_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
