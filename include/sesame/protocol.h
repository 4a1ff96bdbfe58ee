/* SPDX-License-Identifier: MIT */
/*
 * The WebSocket protocol without I/O (RFC 6455, RFC 7692): bytes in, messages
 * and bytes out. It makes no system call, starts no thread, reads no clock and
 * draws no random number, so it fits into any event loop. For connections that
 * sesame opens itself see <sesame/client.h> and <sesame/server.h>.
 */
#ifndef SESAME_PROTOCOL_H
#define SESAME_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sesame/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sesame_role { SESAME_CLIENT, SESAME_SERVER };

/* The two kinds of message; the numbers are the opcodes of RFC 6455 5.6. */
enum sesame_kind { SESAME_TEXT = 1, SESAME_BINARY = 2 };

/* permessage-deflate as agreed in the handshake (RFC 7692 7.1). */
struct sesame_deflate {
	bool on;
	bool server_no_context_takeover;
	bool client_no_context_takeover;
	uint8_t server_max_window_bits; /* 8..15; anything else: 15 */
	uint8_t client_max_window_bits;
};

/*
 * What a session tells. Everything borrowed is valid for the call only. Each
 * may be NULL, except @output for a session that sends. From inside a callback
 * every function of the session may be called, but neither
 * sesame_session_free() nor sesame_session_feed().
 */
struct sesame_session_events {
	/* A whole message. Text is valid UTF-8. @data may be changed in place. */
	void (*message)(void *user, enum sesame_kind kind, uint8_t *data,
			size_t len);
	/* A ping came (its pong is already on the way) or a pong. <= 125 bytes. */
	void (*ping)(void *user, const uint8_t *data, size_t len);
	void (*pong)(void *user, const uint8_t *data, size_t len);
	/*
	 * The closing handshake is over or the peer broke a rule: nothing more
	 * will be told. @code as in RFC 6455 7.4, 1005 when the peer gave none;
	 * after a fault it is the code that was sent. @clean when both close
	 * frames were seen; @fault is NULL or one sentence about what the peer
	 * did. Neither: the answer to the peer's close frame found no room, or
	 * memory was short (1011).
	 */
	void (*close)(void *user, uint16_t code, const char *reason,
		      size_t reason_len, bool clean, const char *fault);
	/*
	 * Room for exactly @len bytes that are to be sent to the peer, in
	 * order, or NULL to refuse (the send then fails with SESAME_ELIMIT; a
	 * pong is dropped). The session fills it before it returns or asks
	 * again. It must not call the session.
	 */
	uint8_t *(*output)(void *user, size_t len);
	/*
	 * Four unpredictable bytes: the mask of the next frame. Clients only;
	 * one that has none cannot send (SESAME_EINVAL).
	 */
	uint32_t (*mask)(void *user);
};

struct sesame_session_settings {
	enum sesame_role role;
	/* Longest message taken, after inflation. 0: 16 MiB. */
	size_t max_message;
	struct sesame_deflate deflate;
	/* Shortest message that is worth compressing. 0: 64 bytes. */
	size_t deflate_from;
};

struct sesame_session;

/*
 * A session that begins right after the opening handshake. @events is borrowed
 * and must outlive it. Returns NULL when out of memory.
 */
SESAME_API struct sesame_session *
sesame_session_new(const struct sesame_session_settings *settings,
		   const struct sesame_session_events *events, void *user);
/* Free; nothing is told. NULL is fine. */
SESAME_API void sesame_session_free(struct sesame_session *session);

/*
 * Take bytes that came from the peer, cut anywhere. @data is unmasked in place.
 * Returns 0, or SESAME_EPROTO after the peer broke a rule (a close frame with
 * the right code has gone to @output and close() was called), SESAME_ECLOSED
 * when the session was over before, SESAME_ENOMEM (likewise, with code 1011).
 * What follows the peer's close frame is ignored.
 */
SESAME_API int sesame_session_feed(struct sesame_session *session,
				   uint8_t *data, size_t len);

/*
 * Send one message. @data is copied before the call returns. Returns 0,
 * SESAME_ECLOSED after a close frame was sent or received, SESAME_ELIMIT when
 * output() had no room, SESAME_EINVAL for text that is not UTF-8, for a kind
 * that is none and for a session without output(), or a client's without
 * mask(). SESAME_ENOMEM: there was none to compress it with; nothing was sent.
 */
SESAME_API int sesame_session_send(struct sesame_session *session,
				   enum sesame_kind kind, const void *data,
				   size_t len);

/* Send a ping of at most 125 bytes. Returns as sesame_session_send(). */
SESAME_API int sesame_session_ping(struct sesame_session *session,
				   const void *data, size_t len);

/*
 * Start or finish the closing handshake (RFC 6455 7.1.2). @code 1000..1014
 * except 1004..1006, or 3000..4999; 0 sends no code. @reason is UTF-8 of at
 * most 123 bytes. What the peer sends until its own close frame is still told.
 * Returns 0, SESAME_ECLOSED when a close frame was sent already, SESAME_EINVAL
 * for a code or reason that may not be sent and for a session that cannot send
 * at all, SESAME_ELIMIT when output() had no room.
 */
SESAME_API int sesame_session_close(struct sesame_session *session,
				    uint16_t code, const char *reason,
				    size_t reason_len);

/* Whether close() was called: both sides may drop the transport now. */
SESAME_API bool sesame_session_is_over(const struct sesame_session *session);

/* ---- Opening handshake (RFC 6455 section 4), as bytes ---- */

/*
 * Each side has a short way, which agrees to nothing but a subprotocol on the
 * client's side, and one that agrees to all that a session can do:
 *
 *              the short way                 all of it
 *   client  1. sesame_handshake_request()    sesame_handshake_offer()
 *           2. sesame_handshake_check()      sesame_handshake_agree()
 *   server  1.                               sesame_handshake_read()
 *           2. sesame_handshake_answer()     sesame_handshake_reply()
 *
 * A sesame_handshake and a sesame_reply are here what a sesame_request and a
 * sesame_answer are to a server of <sesame/server.h>.
 */

/*
 * Write the request for @url into @out. @key is 16 unpredictable bytes;
 * @origin and @protocols (comma-separated) may be NULL or "".
 * Returns its length, SESAME_EURL, SESAME_EINVAL (a CR, LF or NUL somewhere),
 * SESAME_ENOMEM, or SESAME_ELIMIT when @size is too small.
 */
SESAME_API int sesame_handshake_request(const char *url,
					const uint8_t key[16],
					const char *origin,
					const char *protocols, char *out,
					size_t size);
/*
 * Look for the whole answer at the start of @data; 1xx answers before it are
 * passed over. @protocols as in the request: what was not offered is refused.
 * Returns its length (what follows are frames), 0 when more is needed,
 * SESAME_EREFUSED for a status other than 101 (*ret_status says which),
 * SESAME_EPROTO for an answer that is no valid acceptance of @key. @ret_status
 * may be NULL.
 */
SESAME_API int sesame_handshake_check(const void *data, size_t len,
				      const uint8_t key[16],
				      const char *protocols, int *ret_status);
/*
 * The server's side: read a request at the start of @data and write the answer
 * (101, or a refusal after which the transport is to be closed) into @out.
 * Every page may open a WebSocket to anywhere, and says so in its Origin; who
 * minds looks at it by sesame_handshake_read() first.
 * Returns the request's length when it was accepted, 0 when more is needed
 * (nothing was written), SESAME_EPROTO when it was refused, SESAME_ENOMEM, or
 * SESAME_ELIMIT when @size is too small. *ret_written counts the bytes in @out.
 */
SESAME_API int sesame_handshake_answer(const void *data, size_t len, char *out,
				       size_t size, size_t *ret_written);

/* What a client offers. Strings may be NULL or "": none. */
struct sesame_offer {
	const char *origin;
	const char *protocols; /* subprotocols, comma-separated */
	bool deflate;	       /* permessage-deflate */
};

/* What was agreed to. */
struct sesame_agreement {
	const char *protocol; /* not NUL-terminated; a length of 0: none */
	size_t protocol_len;
	struct sesame_deflate deflate; /* for the session's settings */
};

/* As sesame_handshake_request(), with all of @offer. */
SESAME_API int sesame_handshake_offer(const char *url, const uint8_t key[16],
				      const struct sesame_offer *offer,
				      char *out, size_t size);
/*
 * As sesame_handshake_check(), with what the answer agrees to; the protocol is
 * borrowed from @data. Neither output is touched while more is needed.
 */
SESAME_API int sesame_handshake_agree(const void *data, size_t len,
				      const uint8_t key[16],
				      const struct sesame_offer *offer,
				      int *ret_status,
				      struct sesame_agreement *ret_agreement);

/* A request, to decide by. Borrowed from its bytes, not NUL-terminated. */
struct sesame_handshake {
	const char *target; /* "/chat?room=1", as sent */
	size_t target_len;
	const char *host; /* the Host field */
	size_t host_len;
	const char *origin; /* NULL: none was sent */
	size_t origin_len;
	const char *protocols; /* the first field that offers some; NULL */
	size_t protocols_len;
};

/* The answer to it; zeroed: accept without subprotocol and compression. */
struct sesame_reply {
	int status;	      /* 0 or 101: accept. Else refuse, 400..599 */
	const char *protocol; /* one of those offered, or NULL */
	bool deflate; /* agree to permessage-deflate when it is offered */
	const char *body; /* text of a refusal; NULL: the status phrase */
};

/*
 * Read a request without answering. Returns its length, 0 when more is needed,
 * or SESAME_EPROTO: sesame_handshake_answer() writes the refusal.
 */
SESAME_API int sesame_handshake_read(const void *data, size_t len,
				     struct sesame_handshake *ret_handshake);
/*
 * As sesame_handshake_answer(), with @reply to a request that is acceptable.
 * Returns SESAME_EREFUSED when the reply refuses, and SESAME_EINVAL, with
 * nothing written, for a status or a protocol that may not be the answer. The
 * agreement's protocol is the reply's.
 */
SESAME_API int sesame_handshake_reply(const void *data, size_t len,
				      const struct sesame_reply *reply,
				      char *out, size_t size,
				      size_t *ret_written,
				      struct sesame_agreement *ret_agreement);

#ifdef __cplusplus
}
#endif

#endif
