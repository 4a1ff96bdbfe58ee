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
	uint8_t server_max_window_bits; /* 8..15 */
	uint8_t client_max_window_bits; /* 8..15 */
};

/*
 * What a session tells. Everything borrowed is valid for the call only. Each
 * may be NULL, except @output for a session that sends. From inside a callback
 * every function of the session may be called, but not sesame_session_free().
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
	 * did.
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
 * output() had no room, SESAME_EINVAL for text that is not UTF-8.
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
 * for a code or reason that may not be sent, SESAME_ELIMIT when output() had no
 * room.
 */
SESAME_API int sesame_session_close(struct sesame_session *session,
				    uint16_t code, const char *reason,
				    size_t reason_len);

/* Whether close() was called: both sides may drop the transport now. */
SESAME_API bool sesame_session_is_over(const struct sesame_session *session);

/* ---- Opening handshake (RFC 6455 section 4), as bytes ---- */

/*
 * Write the request for @url into @out. @key is 16 unpredictable bytes;
 * @origin and @protocols (comma-separated) may be NULL.
 * Returns its length, SESAME_EURL, SESAME_EINVAL (a CR, LF or NUL somewhere),
 * or SESAME_ELIMIT when @size is too small.
 */
SESAME_API int sesame_handshake_request(const char *url,
					const uint8_t key[16],
					const char *origin,
					const char *protocols, char *out,
					size_t size);
/*
 * Look for the whole answer at the start of @data. Returns its length (what
 * follows are frames), 0 when more is needed, SESAME_EREFUSED for a status
 * other than 101 (*ret_status says which), SESAME_EPROTO for an answer that
 * is no valid acceptance of @key. @ret_status may be NULL.
 */
SESAME_API int sesame_handshake_check(const void *data, size_t len,
				      const uint8_t key[16], int *ret_status);
/*
 * The server's side: read a request at the start of @data and write the answer
 * (101, or a refusal after which the transport is to be closed) into @out.
 * Returns the request's length when it was accepted, 0 when more is needed
 * (nothing was written), SESAME_EPROTO when it was refused, SESAME_ELIMIT when
 * @size is too small. *ret_written counts the bytes in @out.
 */
SESAME_API int sesame_handshake_answer(const void *data, size_t len, char *out,
				       size_t size, size_t *ret_written);

#ifdef __cplusplus
}
#endif

#endif
