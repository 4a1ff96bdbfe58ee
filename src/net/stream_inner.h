/* SPDX-License-Identifier: MIT */
/*
 * What net/stream.c, which leads, stream_send.c, stream_receive.c and
 * stream_tls.c share.
 */
#ifndef NET_STREAM_INNER_H
#define NET_STREAM_INNER_H

#include "net/stream.h"

/* ---- stream.c ---- */

/* What most have nothing of. NULL: no memory. */
struct ses_stream_extra *ses_stream_need_extra(struct ses_stream *s);
/* Something of it may have gone: it goes too, when that was the last. */
void ses_stream_tidy_extra(struct ses_stream *s);
/* It is to be looked at once more before the turn is over, or in the next. */
void ses_stream_make_dirty(struct ses_stream *s);
/* Nothing more can be sent; the owner learns when what came was read. */
void ses_stream_break_off(struct ses_stream *s, int error);
/* Wait for what is to be waited for now. */
void ses_stream_update_want(struct ses_stream *s);

static inline struct ses_tls *ses_stream_tls(const struct ses_stream *s)
{
	return s->extra ? s->extra->tls : NULL;
}

static inline bool ses_stream_owns_cork(const struct ses_stream *s)
{
	return s->loop->cork_owner == s;
}

/* ---- stream_send.c: out or cork -> (TLS -> unsent) -> system ---- */

/* How many bytes of @from the system took. */
size_t ses_stream_push(struct ses_stream *s, struct bytes from);
/* Send what waits, as far as it goes. */
void ses_stream_flush_queue(struct ses_stream *s);
/* Send the cork's content; what does not leave is queued. */
void ses_stream_flush_cork(struct ses_stream *s);

/* ---- stream_receive.c ---- */

/* Receive once, and tell. */
void ses_stream_receive(struct ses_stream *s);
/* The last event, told once. */
void ses_stream_tell_end(struct ses_stream *s, int error);
/* Where the owner wants the next bytes; NULL: in the loop's buffer. */
uint8_t *ses_stream_ask_room(struct ses_stream *s, size_t *ret_len);

static inline void ses_stream_tell_bytes(struct ses_stream *s, uint8_t *data,
					 size_t len)
{
	if (len > 0 && !s->closed && s->events->on_bytes)
		s->events->on_bytes(s, data, len);
}

/* Bytes that are kept for later, on the heap. NULL: no memory. */
struct ses_buf *ses_early_new(struct bytes bytes);
void ses_early_free(struct ses_buf *early);

static inline bool ses_stream_has_early(const struct ses_stream *s)
{
	const struct ses_stream_extra *x = s->extra;

	return x && (x->early || (x->tls && x->tls->early));
}

/* ---- stream_tls.c ---- */

/* Records came; or none, for a client that speaks first. */
void ses_stream_receive_tls(struct ses_stream *s, struct bytes in);
/* The same with those that were kept back. */
void ses_stream_receive_kept(struct ses_stream *s);
/* How many bytes of plain text went into records that are on their way. */
size_t ses_stream_seal(struct ses_stream *s, struct bytes from);
/* Send the records that wait, as far as it goes. */
void ses_stream_flush_records(struct ses_stream *s);
/* Say that nothing follows. True: that is said, and on its way. */
bool ses_stream_say_close(struct ses_stream *s);

/* Bytes of records that wait. */
static inline size_t ses_stream_unsent_records(const struct ses_stream *s)
{
	struct ses_tls *tls = ses_stream_tls(s);

	return tls ? ses_buf_len(&tls->unsent) : 0;
}

#endif
