/* SPDX-License-Identifier: MIT */
/*
 * What a stream receives: first what was put back, then what TLS had to keep,
 * then what the system has, straight into the owner's memory if he has room.
 */
#include "net/stream_inner.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Ciphertext is received this far into the loop's buffer, so that its plain
 * text can be put at the beginning: at most one record, begun in an earlier
 * turn, comes out before its share of the new bytes went in.
 */
#define CIPHER_LEAD (32 * 1024)

/* ---- what the owner is told ---- */

void ses_stream_tell_end(struct ses_stream *s, int error)
{
	s->eof = true;
	if (s->ended)
		return;
	s->ended = true;
	if (s->events->on_end)
		s->events->on_end(s, error);
}

uint8_t *ses_stream_ask_room(struct ses_stream *s, size_t *ret_len)
{
	uint8_t *room = NULL;

	*ret_len = 0;
	if (s->events->on_room)
		room = s->events->on_room(s, ret_len);
	return *ret_len ? room : NULL;
}

/* ---- what is kept for later ---- */

struct ses_buf *ses_early_new(struct bytes bytes)
{
	struct ses_buf *early = calloc(1, sizeof(*early));

	if (!early)
		return NULL;
	ses_buf_init(early, SIZE_MAX);
	if (ses_buf_append(early, bytes) == 0)
		return early;
	free(early);
	return NULL;
}

void ses_early_free(struct ses_buf *early)
{
	if (early)
		ses_buf_fini(early);
	free(early);
}

/* Bytes that wait to be read go behind those put back now. */
int ses_stream_unread(struct ses_stream *s, struct bytes bytes)
{
	struct ses_stream_extra *x;
	struct ses_buf *early;

	if (bytes.len == 0)
		return 0;
	x = ses_stream_need_extra(s);
	early = x ? ses_early_new(bytes) : NULL;
	if (!early)
		return SESAME_ENOMEM;
	if (x->early && ses_buf_append(early, ses_buf_bytes(x->early)) < 0) {
		ses_early_free(early);
		return SESAME_ENOMEM;
	}
	ses_early_free(x->early);
	x->early = early;
	ses_stream_make_dirty(s);
	return 0;
}

/* What was put back comes first of all. */
static void receive_unread(struct ses_stream *s)
{
	struct ses_buf *early = s->extra->early;

	s->extra->early = NULL;
	ses_stream_tidy_extra(s);
	s->last_read_ms = (uint32_t)s->loop->now_ms; /* it is not silent */
	ses_stream_tell_bytes(s, early->data + early->start, ses_buf_len(early));
	ses_early_free(early);
	if (!s->closed && ses_stream_has_early(s))
		ses_stream_make_dirty(s);
}

/* ---- from the system ---- */

/* As recv(2), but -1 means "nothing now": the end was told otherwise. */
static ssize_t pull(struct ses_stream *s, uint8_t **at, size_t len)
{
	struct ses_tls *tls = ses_stream_tls(s);
	ssize_t n = s->loop->backend->recv(s->loop, &s->io, at, len);

	if (n > 0) {
		s->last_read_ms = (uint32_t)s->loop->now_ms;
		return n;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
		      errno == EINTR || errno == ENOMEM))
		return -1;
	if (tls && !tls->up) {
		ses_tls_cut(tls, n < 0 || s->error == SESAME_ERESET);
		ses_stream_tell_end(s, SESAME_ETLS);
	} else {
		ses_stream_tell_end(s, n < 0 ? SESAME_ERESET : s->error);
	}
	return -1;
}

static size_t receive_at_most(const struct ses_stream *s, size_t room)
{
	size_t most = s->limits->recv_most;

	return most && most < room ? most : room;
}

static void receive_plain(struct ses_stream *s)
{
	size_t len;
	uint8_t *room = ses_stream_ask_room(s, &len);
	uint8_t *at = room ? room : s->loop->recv_buffer;
	ssize_t n;

	if (s->closed)
		return;
	n = pull(s, &at, room ? len : receive_at_most(s, SES_RECV_BYTES));
	if (n <= 0)
		return;
	if (!room) {
		ses_stream_tell_bytes(s, at, (size_t)n);
		return;
	}
	if (at != room)
		memcpy(room, at, (size_t)n);
	s->events->on_filled(s, (size_t)n);
}

void ses_stream_receive(struct ses_stream *s)
{
	uint8_t *at = s->loop->recv_buffer + CIPHER_LEAD;
	size_t most = SES_RECV_BYTES - CIPHER_LEAD;
	ssize_t n;

	if (s->paused || s->eof)
		return;
	if (ses_stream_has_early(s)) {
		if (s->extra->early)
			receive_unread(s);
		else
			ses_stream_receive_kept(s);
		return;
	}
	if (!ses_stream_tls(s)) {
		receive_plain(s);
		return;
	}
	n = pull(s, &at, receive_at_most(s, most));
	if (n > 0)
		ses_stream_receive_tls(s, bytes_of(at, (size_t)n));
}
