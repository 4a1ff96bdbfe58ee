/* SPDX-License-Identifier: MIT */
/*
 * What a stream sends: into the cork or the queue, through TLS where there is,
 * and to the system. What that does not take waits, in its order.
 */
#include "net/stream_inner.h"

#include <errno.h>

/* Output of others than the stream at work leaves early beyond this. */
#define EAGER_BYTES (256 * 1024)

/* ---- to the system ---- */

/* What is sent last leaves with the FIN behind it, as one packet. */
static bool has_more(const struct ses_stream *s)
{
	return s->more || (s->shutting && !ses_stream_tls(s));
}

size_t ses_stream_push(struct ses_stream *s, struct bytes from)
{
	ssize_t n;

	if (s->blocked || s->error || s->io.sending || from.len == 0)
		return 0;
	do {
		n = s->loop->backend->send(s->loop, &s->io, from.data, from.len,
					   has_more(s));
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
	    errno != ENOBUFS && errno != ENOMEM) {
		ses_stream_break_off(s, SESAME_ERESET);
		return 0;
	}
	if (n < 0)
		n = 0;
	s->blocked = (size_t)n < from.len;
	if (n > 0 && s->paused) /* what it takes is all that tells it lives */
		s->last_read_ms = (uint32_t)s->loop->now_ms;
	return (size_t)n;
}

/* How many bytes of @from went on their way. */
static size_t send_some(struct ses_stream *s, struct bytes from)
{
	return ses_stream_tls(s) ? ses_stream_seal(s, from)
				 : ses_stream_push(s, from);
}

static int queue(struct ses_stream *s, struct bytes data)
{
	if (data.len == 0)
		return 0;
	return ses_stream_need_extra(s) ? ses_buf_append(&s->extra->out, data)
					: SESAME_ENOMEM;
}

void ses_stream_flush_queue(struct ses_stream *s)
{
	size_t n;

	if (!s->extra)
		return;
	ses_stream_flush_records(s);
	ses_stream_tidy_extra(s);
	if (ses_stream_waiting(s) == 0)
		return;
	n = send_some(s, ses_buf_bytes(&s->extra->out));
	if (s->error)
		return;
	ses_buf_consume(&s->extra->out, n);
	ses_stream_tidy_extra(s);
}

void ses_stream_flush_cork(struct ses_stream *s)
{
	struct bytes corked = bytes_of(s->loop->cork, s->loop->cork_len);
	size_t n = 0;

	s->loop->cork_len = 0;
	if (corked.len == 0)
		return;
	if (ses_stream_waiting(s) == 0)
		n = send_some(s, corked);
	if (s->error || n == corked.len)
		return;
	/* fits: the cork was counted when its room was given */
	if (queue(s, bytes_from(corked, n)) < 0)
		ses_stream_break_off(s, SESAME_ENOMEM);
}

/* What did not leave goes before what came behind it. */
static int put_before(struct ses_buf *b, struct bytes first)
{
	struct ses_buf all;

	ses_buf_init(&all, SIZE_MAX);
	if (ses_buf_append(&all, first) < 0 ||
	    ses_buf_append(&all, ses_buf_bytes(b)) < 0) {
		ses_buf_fini(&all);
		return SESAME_ENOMEM;
	}
	all.limit = b->limit;
	ses_buf_fini(b);
	*b = all;
	return 0;
}

void ses_stream_sent(struct ses_io *io, struct bytes unsent, int error)
{
	struct ses_stream *s = ses_container_of(io, struct ses_stream, io);

	if (error) {
		ses_stream_break_off(s, SESAME_ERESET);
		return;
	}
	if (s->error)
		return;
	if (unsent.len > 0) {
		s->blocked = true;
		if (!ses_stream_need_extra(s) ||
		    put_before(ses_stream_tls(s) ? &ses_stream_tls(s)->unsent
						 : &s->extra->out,
			       unsent) < 0)
			ses_stream_break_off(s, SESAME_ENOMEM);
		else
			ses_stream_update_want(s);
		return;
	}
	if (s->shutting || s->over_high || ses_stream_waiting(s) > 0 ||
	    ses_stream_unsent_records(s) > 0)
		ses_stream_make_dirty(s);
}

/* ---- from the owner ---- */

static size_t corked(const struct ses_stream *s)
{
	return ses_stream_owns_cork(s) ? s->loop->cork_len : 0;
}

static bool is_over(const struct ses_stream *s)
{
	return s->closed || s->error || s->shutting;
}

static size_t space(const struct ses_stream *s)
{
	size_t held = ses_stream_waiting(s) + corked(s);

	return held < s->limits->queue ? s->limits->queue - held : 0;
}

/* The cork serves its owner as long as nothing older waits in the queue. */
static bool fits_cork(const struct ses_stream *s, size_t len)
{
	return ses_stream_owns_cork(s) && ses_stream_waiting(s) == 0 &&
	       len <= SES_CORK_BYTES - s->loop->cork_len && len <= space(s);
}

static void flush_early(struct ses_stream *s)
{
	if (ses_stream_owns_cork(s))
		ses_stream_flush_cork(s);
	else if (!s->blocked)
		ses_stream_flush_queue(s);
}

static uint8_t *cork_room(struct ses_stream *s)
{
	s->loop->room_in_cork = true;
	return s->loop->cork + s->loop->cork_len;
}

static uint8_t *make_room(struct ses_stream *s, size_t len)
{
	s->loop->room_in_cork = false;
	if (ses_stream_owns_cork(s) || len > space(s) ||
	    ses_stream_waiting(s) >= EAGER_BYTES)
		flush_early(s);
	if (s->error)
		return NULL;
	if (fits_cork(s, len))
		return cork_room(s);
	if (!ses_stream_need_extra(s))
		return NULL;
	return ses_buf_room(&s->extra->out, len); /* NULL over the limit */
}

static inline uint8_t *give_room(struct ses_stream *s, size_t len)
{
	if (is_over(s))
		return NULL;
	return fits_cork(s, len) ? cork_room(s) : make_room(s, len);
}

uint8_t *ses_stream_room(struct ses_stream *s, size_t len)
{
	s->loop->room_len = len;
	return give_room(s, len);
}

static void note_queued(struct ses_stream *s)
{
	if (ses_stream_queued(s) > s->limits->queue_high)
		s->over_high = true;
}

static inline void commit(struct ses_stream *s, size_t len)
{
	if (s->loop->room_in_cork) {
		s->loop->cork_len += len;
	} else {
		ses_buf_commit(&s->extra->out, len);
		if (!s->blocked)
			ses_stream_make_dirty(s);
	}
	note_queued(s);
}

void ses_stream_commit(struct ses_stream *s)
{
	commit(s, s->loop->room_len);
}

static int send_small(struct ses_stream *s, struct bytes head, struct bytes data)
{
	uint8_t *to = give_room(s, head.len + data.len);

	if (!to)
		return s->error ? SESAME_ECLOSED : SESAME_ELIMIT;
	if (head.len)
		memcpy(to, head.data, head.len);
	if (data.len)
		memcpy(to + head.len, data.data, data.len);
	commit(s, head.len + data.len);
	return 0;
}

static void flush_before(struct ses_stream *s)
{
	s->more = true;
	flush_early(s);
	s->more = false;
}

/* Large ones go from the caller's memory; only what does not leave is copied. */
static int send_large(struct ses_stream *s, struct bytes head, struct bytes data)
{
	size_t n = 0;
	int error;

	if (data.len > SIZE_MAX - head.len || head.len + data.len > space(s))
		flush_early(s);
	if (s->error)
		return SESAME_ECLOSED;
	if (data.len > space(s) || head.len > space(s) - data.len)
		return SESAME_ELIMIT;
	/* behind what is queued already */
	error = head.len ? send_small(s, head, BYTES("")) : 0;
	if (error)
		return error;
	flush_before(s);
	if (!s->error && ses_stream_waiting(s) == 0)
		n = send_some(s, data);
	if (s->error)
		return SESAME_ECLOSED;
	if (queue(s, bytes_from(data, n)) < 0) {
		if (n > 0 || head.len > 0)
			ses_stream_break_off(s, SESAME_ENOMEM);
		return SESAME_ELIMIT;
	}
	if (!s->in_event && ses_stream_queued(s) > 0)
		ses_stream_make_dirty(s);
	note_queued(s);
	return 0;
}

int ses_stream_send_framed(struct ses_stream *s, struct bytes head,
			   struct bytes data)
{
	int error;

	if (is_over(s))
		return SESAME_ECLOSED;
	if (data.len >= SES_DIRECT_BYTES)
		error = send_large(s, head, data);
	else
		error = send_small(s, head, data);
	if (error)
		return error;
	return s->over_high && ses_stream_queued(s) > s->limits->queue_high
		       ? SESAME_EAGAIN
		       : 0;
}

int ses_stream_send(struct ses_stream *s, struct bytes data)
{
	if (data.len == 0)
		return is_over(s) ? SESAME_ECLOSED : 0;
	return ses_stream_send_framed(s, BYTES(""), data);
}

int ses_stream_send_now(struct ses_stream *s, struct bytes data)
{
	size_t n;

	if (is_over(s) || ses_stream_owns_cork(s) || ses_stream_waiting(s) > 0 ||
	    ses_stream_unsent_records(s) > 0 || data.len > space(s))
		return ses_stream_send(s, data);
	n = send_some(s, data);
	if (s->error)
		return 0;
	if (!s->in_event && (n < data.len || ses_stream_unsent_records(s) > 0))
		ses_stream_make_dirty(s); /* which has it watched for room */
	return ses_stream_send(s, bytes_from(data, n));
}
