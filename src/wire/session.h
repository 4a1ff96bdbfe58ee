/* SPDX-License-Identifier: MIT */
/*
 * The session behind <sesame/protocol.h>, with its struct in the open so that
 * a connection can hold it without a second allocation, and with the ways to
 * take and send large messages without copying.
 */
#ifndef WIRE_SESSION_H
#define WIRE_SESSION_H

#include <sesame/protocol.h>

#include "base/buf.h"
#include "wire/fault.h"
#include "wire/frame.h"
#include "wire/utf8.h"

struct ses_inflate;
struct ses_deflate;

/* The same for all sessions of a kind. */
#define SES_REASON_SIZE 124 /* of a close frame, with a NUL */

struct ses_session_terms {
	const struct sesame_session_events *events;
	size_t max_message;
	uint32_t deflate_from;
	uint8_t role;
	/*
	 * NULL, or: writes what the peer is told of its fault, instead of the
	 * fault's own sentence. It must not call the session.
	 */
	void (*say_fault)(void *user, enum ses_fault fault,
			  char out[SES_REASON_SIZE]);
};

/* What a session is in the middle of: most are between messages. */
struct ses_session_work {
	struct ses_buf message;	     /* of a message that came in part */
	struct ses_inflate *inflate; /* NULL until a compressed message came */
	struct ses_deflate *deflate; /* NULL until one was sent */
	uint64_t payload_left;	     /* bytes of the present frame to come */
	uint32_t inflated;	     /* bytes, since it was last fed */
	struct ses_utf8 utf8;
	uint8_t mask[4];
	uint8_t mask_at;		  /* 0..3: which mask byte is next */
	uint8_t head[SES_FRAME_HEAD_MAX]; /* a frame header, in part */
	uint8_t head_len;
	uint8_t control_len; /* bytes of a control frame gathered so far */
	uint8_t opcode;	     /* of the present frame */
	bool fin;	     /* likewise */
	bool compressed;     /* the present message */
};

/* There are as many as there are connections: keep it small. */
struct sesame_session {
	const struct ses_session_terms *terms;
	void *user;
	/*
	 * NULL between messages, until one was compressed. There is one while
	 * kind is not 0 and in all states but the first.
	 */
	struct ses_session_work *work;
	uint8_t state;	      /* index of the state's function */
	uint8_t kind;	      /* of the present message, 0 between messages */
	uint8_t fault;	      /* enum ses_fault that ended it */
	uint8_t in_bits : 4;  /* the peer's compressor's window */
	uint8_t out_bits : 4; /* ours */
	bool in_takeover : 1;
	bool out_takeover : 1;
	bool deflate_on : 1;
	bool close_sent : 1;
	bool close_received : 1;
	bool over : 1;
};

/* What @settings stand for, for any number of sessions. */
struct ses_session_terms
ses_session_terms_of(const struct sesame_session_settings *settings,
		     const struct sesame_session_events *events);
/*
 * As sesame_session_new()/free(), in the caller's memory. @terms are borrowed
 * for as long as it lives.
 */
void ses_session_init(struct sesame_session *s,
		      const struct ses_session_terms *terms,
		      const struct sesame_deflate *deflate, void *user);
void ses_session_fini(struct sesame_session *s);

/* How many bytes were inflated since it was last fed. */
static inline uint32_t ses_session_inflated(const struct sesame_session *s)
{
	return s->work ? s->work->inflated : 0;
}

/*
 * As sesame_session_feed(), but it stops when the input made so much work that
 * other connections should have their turn: the bytes behind *ret_used are
 * to be fed later. After an error, or at the end, all count as used.
 */
int ses_session_feed_some(struct sesame_session *s, uint8_t *data, size_t len,
			  size_t *ret_used);

/*
 * Where the next bytes of a large message may be received to directly: NULL
 * when sesame_session_feed() is the way, else room for *ret_len bytes inside
 * the message buffer. Then ses_session_filled() says how many came; it returns
 * as sesame_session_feed() does.
 */
uint8_t *ses_session_room(struct sesame_session *s, size_t *ret_len);
int ses_session_filled(struct sesame_session *s, size_t n);

/*
 * For a message whose payload the caller sends himself from where it lies:
 * check it as sesame_session_send() does and write its frame's header. Returns
 * the header's length, 0 when the payload cannot go as it is because it must be
 * masked or compressed, or an error of sesame_session_send().
 */
int ses_session_head(const struct sesame_session *s, enum sesame_kind kind,
		     struct bytes payload, uint8_t out[SES_FRAME_HEAD_MAX]);

/*
 * The bytes of a whole frame for a message that goes to many peers: server
 * role, no compression. Appends to @out; 0 or an error of ses_buf_append().
 */
int ses_session_frame(struct ses_buf *out, enum sesame_kind kind,
		      struct bytes payload);

#endif
