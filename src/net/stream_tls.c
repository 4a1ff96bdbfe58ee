/* SPDX-License-Identifier: MIT */
/*
 * A stream that talks TLS. Records that come are opened into the loop's buffer
 * or the owner's memory, and those that calls to TLS make are sent; what the
 * system does not take of these waits apart from the plain text behind it.
 */
#include "net/stream_inner.h"

/* Records that wait; more than alerts and key updates is an attack. */
#define MOST_UNSENT (SES_CIPHER_BYTES + 64 * 1024)

static struct ses_tls_wire open_wire(struct ses_stream *s, struct bytes in)
{
	return (struct ses_tls_wire){
		.in = in, .out = s->loop->cipher, .out_size = SES_CIPHER_BYTES};
}

/* Send the records that a call to TLS made. */
static void ship(struct ses_stream *s, struct ses_tls_wire *wire)
{
	struct bytes records = bytes_of(wire->out, wire->out_len);
	struct ses_buf *unsent = &ses_stream_tls(s)->unsent;
	size_t n = 0;

	wire->out_len = 0;
	if (records.len == 0 || s->error)
		return;
	if (ses_buf_len(unsent) == 0)
		n = ses_stream_push(s, records);
	if (s->error || n == records.len)
		return;
	if (ses_buf_append(unsent, bytes_from(records, n)) < 0)
		ses_stream_break_off(s, SESAME_ENOMEM);
}

/* ---- sending ---- */

size_t ses_stream_seal(struct ses_stream *s, struct bytes from)
{
	struct ses_tls *tls = ses_stream_tls(s);
	size_t taken = 0;

	while (tls->up && taken < from.len && !s->error &&
	       ses_stream_unsent_records(s) == 0) {
		struct ses_tls_wire wire = open_wire(s, bytes_of(NULL, 0));
		ssize_t n = ses_tls_write(tls, &wire, bytes_from(from, taken));

		ship(s, &wire);
		if (n < 0) {
			ses_stream_break_off(s, SESAME_ETLS);
			return 0;
		}
		if (n == 0)
			break;
		taken += (size_t)n;
	}
	return taken;
}

void ses_stream_flush_records(struct ses_stream *s)
{
	struct ses_buf *unsent;

	if (ses_stream_unsent_records(s) == 0)
		return;
	unsent = &ses_stream_tls(s)->unsent;
	ses_buf_consume(unsent, ses_stream_push(s, ses_buf_bytes(unsent)));
	if (ses_buf_len(unsent) == 0)
		ses_buf_release(unsent);
}

/* ---- receiving ---- */

static void tls_failed(struct ses_stream *s)
{
	ses_stream_break_off(s, SESAME_ETLS);
	ses_stream_tell_end(s, SESAME_ETLS);
}

/* One piece of plain text to its reader. False: no more to be had now. */
static bool open_into_room(struct ses_stream *s, struct ses_tls_wire *wire,
			   ssize_t *ret_n)
{
	size_t len;
	uint8_t *room = ses_stream_ask_room(s, &len);

	if (!room || s->closed)
		return false;
	*ret_n = ses_tls_read(ses_stream_tls(s), wire, room, len);
	ship(s, wire);
	if (*ret_n <= 0)
		return false;
	s->events->on_filled(s, (size_t)*ret_n);
	return true;
}

/* All the plain text there is, as far as the loop's buffer takes it. */
static ssize_t open_records(struct ses_stream *s, struct ses_tls_wire *wire,
			    size_t *ret_len)
{
	uint8_t *to = s->loop->recv_buffer;
	size_t len = 0;
	ssize_t n;

	do {
		n = ses_tls_read(ses_stream_tls(s), wire, to + len,
				 SES_RECV_BYTES - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < SES_RECV_BYTES);
	ship(s, wire);
	*ret_len = len;
	return n;
}

static void keep_for_later(struct ses_stream *s, struct bytes records)
{
	struct ses_tls *tls = ses_stream_tls(s);

	tls->early = ses_early_new(records);
	if (tls->early)
		ses_stream_make_dirty(s);
	else
		ses_stream_break_off(s, SESAME_ENOMEM);
}

/* Its owner wants no more now, or wants something else before. */
static bool is_held(const struct ses_stream *s)
{
	return s->paused || s->extra->early;
}

static void receive_records(struct ses_stream *s, struct ses_tls_wire *wire)
{
	ssize_t n = 1;
	size_t len;

	while (!s->closed && !is_held(s) && !s->eof) {
		if (open_into_room(s, wire, &n))
			continue;
		if (s->closed)
			return;
		len = 0;
		if (n > 0)
			n = open_records(s, wire, &len);
		ses_stream_tell_bytes(s, s->loop->recv_buffer, len);
		if (s->closed)
			return;
		if (n == 0)
			break;
		if (n == SESAME_ECLOSED && !is_held(s))
			ses_stream_tell_end(s, s->error);
		else if (n < 0 && n != SESAME_ECLOSED)
			tls_failed(s);
	}
	/* Held in the middle: the rest, also what TLS holds, is for later. */
	if (!s->closed && !s->eof && is_held(s) && n != 0)
		keep_for_later(s, wire->in);
}

static bool shake_hands(struct ses_stream *s, struct ses_tls_wire *wire)
{
	struct ses_tls *tls = ses_stream_tls(s);
	int done = ses_tls_handshake(tls, wire);

	tls->begun = true;
	ship(s, wire);
	if (done < 0)
		tls_failed(s);
	if (done <= 0)
		return false;
	tls->up = true;
	ses_stream_flush_queue(s);
	if (s->events->on_tls)
		s->events->on_tls(s);
	return !s->closed;
}

void ses_stream_receive_tls(struct ses_stream *s, struct bytes in)
{
	struct ses_tls_wire wire = open_wire(s, in);

	if (ses_stream_tls(s)->up || shake_hands(s, &wire))
		receive_records(s, &wire);
}

/* Then the records that were kept back. */
void ses_stream_receive_kept(struct ses_stream *s)
{
	struct ses_buf *early = ses_stream_tls(s)->early;

	ses_stream_tls(s)->early = NULL;
	ses_stream_receive_tls(s, ses_buf_bytes(early));
	ses_early_free(early);
}

/* ---- beginning and end ---- */

int ses_stream_start_tls(struct ses_stream *s, struct ses_tls_context *ctx,
			 const char *name, struct bytes early)
{
	struct ses_stream_extra *x = ses_stream_need_extra(s);

	if (!x)
		return SESAME_ENOMEM;
	x->tls = ses_tls_new(ctx, name);
	if (!x->tls)
		return SESAME_ENOMEM;
	ses_buf_init(&x->tls->unsent, MOST_UNSENT);
	ses_stream_make_dirty(s);
	if (early.len == 0)
		return 0;
	x->tls->early = ses_early_new(early);
	return x->tls->early ? 0 : SESAME_ENOMEM;
}

bool ses_stream_say_close(struct ses_stream *s)
{
	struct ses_tls *tls = ses_stream_tls(s);
	struct ses_tls_wire wire;

	if (!tls->up || tls->said_close || s->error)
		return true;
	wire = open_wire(s, bytes_of(NULL, 0));
	ses_tls_close(tls, &wire);
	ship(s, &wire);
	return ses_stream_unsent_records(s) == 0 && !s->io.sending;
}

const struct ses_tls_info *ses_stream_tls_info(const struct ses_stream *s)
{
	return ses_stream_tls(s) ? ses_stream_tls(s)->info : NULL;
}

void ses_stream_forget_tls_info(struct ses_stream *s)
{
	if (ses_stream_tls(s))
		ses_tls_forget(ses_stream_tls(s));
}
