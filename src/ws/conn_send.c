/* SPDX-License-Identifier: MIT */
/*
 * What a connection sends: what its session wrote, and what its owner wants
 * sent, by the shortest way that is open: into the cork, from where it lies, or
 * through the session.
 */
#include "ws/conn_inner.h"

#include <stdlib.h>

/* From here on copying costs more than it saves. */
#define AT_ONCE_BYTES 65536

/*
 * Shorter frames that many connections get wait for others, to leave with them
 * at the end of the turn; longer ones would lie there once for each of the many.
 */
#define LATER_BYTES 4096

/* No message that is compressed or masked makes a shorter frame. */
#define LEAST_FRAME 3

/* ---- what the session wrote ---- */

/* A control frame that the session wrote while the queue was long. */
struct ses_aside {
	size_t len;
	uint8_t frame[SES_FRAME_HEAD_MAX + SES_CONTROL_MAX];
};

/*
 * What the session wrote while the queue was over its high mark. A peer that
 * pings without reading would fill the queue with pongs, so the newest one
 * waits here alone (RFC 6455 5.5.3 allows it); a close frame goes out.
 */
static void commit_aside(struct sesame_conn *conn)
{
	struct ses_aside *aside = conn->extra ? conn->extra->aside : NULL;

	conn->wrote_aside = false;
	if (!aside || (aside->frame[0] & 0xf) == SES_OP_PONG)
		return;
	if (conn->stream)
		ses_stream_send(conn->stream,
				bytes_of(aside->frame, aside->len));
	free(aside);
	conn->extra->aside = NULL;
	ses_conn_tidy_extra(conn);
}

void ses_conn_commit(struct sesame_conn *conn)
{
	if (conn->wrote && conn->stream)
		ses_stream_commit(conn->stream);
	conn->wrote = false;
	if (conn->wrote_aside)
		commit_aside(conn);
}

uint8_t *ses_conn_room_aside(struct sesame_conn *conn, size_t len)
{
	struct ses_conn_extra *x = ses_conn_need_extra(conn);

	if (x && !x->aside)
		x->aside = malloc(sizeof(*x->aside));
	if (!x || !x->aside || len > sizeof(x->aside->frame))
		return NULL;
	x->aside->len = len;
	conn->wrote_aside = true;
	return x->aside->frame;
}

void ses_conn_send_late_pong(struct sesame_conn *conn)
{
	struct ses_aside *pong = conn->extra ? conn->extra->aside : NULL;

	if (!pong)
		return;
	conn->extra->aside = NULL;
	ses_conn_tidy_extra(conn);
	if (conn->state == SES_CONN_OPEN)
		ses_stream_send(conn->stream, bytes_of(pong->frame, pong->len));
	free(pong);
}

/* ---- what the owner sends ---- */

/* After something was sent: how full is the queue now? */
static int fullness(struct sesame_conn *conn)
{
	if (!conn->stream->over_high)
		return 0;
	conn->told_full = true;
	return SESAME_EAGAIN;
}

/* It had no place; on_drain says when all that took its place has left. */
static int note_full(struct sesame_conn *conn)
{
	conn->told_full = true;
	if (ses_stream_queued(conn->stream) > 0)
		conn->stream->over_high = true;
	return SESAME_ELIMIT;
}

static int after_send(struct sesame_conn *conn, int error)
{
	ses_conn_commit_pending(conn);
	conn->sending = false;
	error = ses_conn_error_of_output(conn, error);
	if (error == SESAME_ELIMIT)
		return note_full(conn);
	return error ? error : fullness(conn);
}

/*
 * A message that need not be masked or compressed goes straight to the stream,
 * a large one from where it lies. Returns what sesame_conn_send() is to
 * return, or 1: it has to go through the session.
 */
static int send_as_it_is(struct sesame_conn *conn, enum sesame_kind kind,
			 struct bytes payload)
{
	uint8_t head[SES_FRAME_HEAD_MAX];
	int n = ses_session_head(&conn->session, kind, payload, head);

	if (n <= 0)
		return n ? n : 1;
	if (payload.len > SIZE_MAX - (size_t)n ||
	    !ses_conn_has_room(conn, payload.len + (size_t)n))
		return note_full(conn);
	n = ses_stream_send_framed(conn->stream, bytes_of(head, (size_t)n),
				   payload);
	return n == 0 || n == SESAME_EAGAIN ? fullness(conn) : n;
}

/* Short runs are copied by two vectors that may overlap. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len < 16 || len > 32) {
		if (len > 0) /* from may be NULL */
			memcpy(to, from, len);
		return;
	}
	memcpy(to, from, 16);
	memcpy(to + len - 16, from + len - 16, 16);
}

/*
 * Most messages are short answers to what was just read, and nothing waits
 * before them: header and payload go where they will leave from. True: done.
 */
static bool send_at_once(struct sesame_conn *conn, enum sesame_kind kind,
			 struct bytes payload)
{
	uint8_t *to;
	int head;

	if (payload.len > AT_ONCE_BYTES)
		return false;
	to = ses_stream_cork(conn->stream, SES_FRAME_HEAD_MAX + payload.len);
	if (!to)
		return false;
	head = ses_session_head(&conn->session, kind, payload, to);
	if (head <= 0)
		return false;
	copy(to + head, payload.data, payload.len);
	ses_stream_corked(conn->stream, (size_t)head + payload.len);
	return true;
}

int sesame_conn_send(struct sesame_conn *conn, enum sesame_kind kind,
		     const void *data, size_t len)
{
	int r;

	if (conn->state != SES_CONN_OPEN)
		return SESAME_ECLOSED;
	if (send_at_once(conn, kind, bytes_of(data, len)))
		return 0;
	r = send_as_it_is(conn, kind, bytes_of(data, len));
	if (r <= 0)
		return r;
	/* compress for nothing, or for who knows how long? */
	if (!ses_conn_has_room(conn, LEAST_FRAME) ||
	    len > conn->kind->stream.queue - SES_CONTROL_ROOM)
		return note_full(conn);
	conn->sending = true;
	return after_send(conn,
			  sesame_session_send(&conn->session, kind, data, len));
}

int sesame_conn_ping(struct sesame_conn *conn, const void *data, size_t len)
{
	if (conn->state != SES_CONN_OPEN)
		return SESAME_ECLOSED;
	conn->sending = true;
	return after_send(conn, sesame_session_ping(&conn->session, data, len));
}

static int send_frames(struct sesame_conn *conn, struct bytes frames,
		       int (*send)(struct ses_stream *s, struct bytes data))
{
	int r;

	if (conn->state != SES_CONN_OPEN)
		return SESAME_ECLOSED;
	if (!ses_conn_has_room(conn, frames.len))
		return note_full(conn);
	r = send(conn->stream, frames);
	return r == 0 || r == SESAME_EAGAIN ? fullness(conn) : r;
}

int ses_conn_send_frame(struct sesame_conn *conn, struct bytes frames)
{
	return send_frames(conn, frames,
			   frames.len < LATER_BYTES ? ses_stream_send
						    : ses_stream_send_now);
}

int ses_conn_send_frame_now(struct sesame_conn *conn, struct bytes frames)
{
	return send_frames(conn, frames, ses_stream_send_now);
}
