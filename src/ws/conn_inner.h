/* SPDX-License-Identifier: MIT */
/* What ws/conn.c, which leads, conn_end.c and conn_send.c share. */
#ifndef WS_CONN_INNER_H
#define WS_CONN_INNER_H

#include "ws/conn.h"

static inline struct sesame_loop *ses_conn_loop(const struct sesame_conn *conn)
{
	return conn->kind->loop;
}

/* ---- conn.c ---- */

/* The turn's time, or outside of turns the time of now. */
uint64_t ses_conn_now_ms(const struct sesame_conn *conn);
/* Have the one timer fire at @at_ms. */
void ses_conn_wake_at(struct sesame_conn *conn, uint64_t at_ms);

/* ---- conn_send.c ---- */

void ses_conn_commit(struct sesame_conn *conn);
/* What was written into the room that the session asked for goes out. */
static inline void ses_conn_commit_pending(struct sesame_conn *conn)
{
	if (conn->wrote || conn->wrote_aside)
		ses_conn_commit(conn);
}

/*
 * Room for a control frame while the queue is long: see commit_aside(). NULL:
 * no memory.
 */
uint8_t *ses_conn_room_aside(struct sesame_conn *conn, size_t len);
/* The queue is empty: the pong that waited goes out. */
void ses_conn_send_late_pong(struct sesame_conn *conn);

/* Whether @len more bytes of data stay within the queue's limit. */
static inline bool ses_conn_has_room(const struct sesame_conn *conn, size_t len)
{
	size_t queued = ses_stream_queued(conn->stream);
	size_t limit = conn->kind->stream.queue - SES_CONTROL_ROOM;

	return queued <= limit && len <= limit - queued;
}

/* A stream that broke had no room; on_close is on its way. */
static inline int ses_conn_error_of_output(const struct sesame_conn *conn,
					   int error)
{
	return error == SESAME_ELIMIT && conn->stream->error ? SESAME_ECLOSED
							     : error;
}

/* ---- conn_end.c ---- */

/* What most have nothing of. NULL: no memory. */
struct ses_conn_extra *ses_conn_need_extra(struct sesame_conn *conn);
/* Something of it went: the rest too, when it was the last. */
void ses_conn_tidy_extra(struct sesame_conn *conn);

/*
 * From now on on_close is due. What is known about the end by now stays: the
 * first thing that goes wrong is the cause, what follows are its effects.
 */
void ses_conn_set_done(struct sesame_conn *conn, int error,
		       enum ses_conn_cause cause);
/* What the close frames said. */
void ses_conn_keep_end(struct sesame_conn *conn, uint16_t code,
		       const char *reason, size_t reason_len, bool clean);
/* Nobody is in the way any more: do what became due. @conn may be gone. */
void ses_conn_settle(struct sesame_conn *conn);
/* Tell the end, and free. */
void ses_conn_finish(struct sesame_conn *conn);
/* Free what nobody was told of. */
void ses_conn_release(struct sesame_conn *conn);
/* What was at work on a connection that opens is freed. */
void ses_conn_free_opening(struct sesame_conn *conn);

#endif
