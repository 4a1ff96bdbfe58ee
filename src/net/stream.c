/* SPDX-License-Identifier: MIT */
/*
 * The life of a stream. Two things are hard. Owners may do anything from
 * within an event, close included, so after every event "closed" is looked at
 * before anything else. And a send that fails must not hide what the peer said
 * before it went away: the failure is kept until all that came was read.
 */
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Output of others than the stream at work leaves early beyond this. */
#define EAGER_BYTES (256 * 1024)
/* Records that wait; more than alerts and key updates is an attack. */
#define MOST_UNSENT (SES_CIPHER_BYTES + 64 * 1024)
/*
 * Ciphertext is received this far into the loop's buffer, so that its plain
 * text can be put at the beginning: at most one record, begun in an earlier
 * turn, comes out before its share of the new bytes went in.
 */
#define CIPHER_LEAD (32 * 1024)

struct ses_stream *ses_stream_new(struct sesame_loop *loop, int fd,
				  const struct ses_stream_events *events,
				  void *owner,
				  const struct ses_stream_limits *limits)
{
	struct ses_stream *s = calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return NULL;
	}
	if (!loop->in_turn)
		ses_loop_update(loop);
	s->io = (struct ses_io){.fd = fd, .bytes = true};
	s->loop = loop;
	s->events = events;
	s->owner = owner;
	s->limits = limits;
	s->last_read_ms = (uint32_t)loop->now_ms;
	ses_list_init(&s->link);
	if (ses_io_watch(loop, &s->io, SES_READABLE) < 0) {
		close(fd);
		free(s);
		return NULL;
	}
	return s;
}

void ses_stream_take(struct ses_stream *s,
		     const struct ses_stream_events *events, void *owner)
{
	s->events = events;
	s->owner = owner;
}

void ses_stream_limit(struct ses_stream *s,
		      const struct ses_stream_limits *limits)
{
	s->limits = limits;
	if (s->extra)
		s->extra->out.limit = limits->queue;
}

/* ---- what most have nothing of ---- */

/* NULL: no memory. */
static struct ses_stream_extra *need_extra(struct ses_stream *s)
{
	if (s->extra)
		return s->extra;
	s->extra = calloc(1, sizeof(*s->extra));
	if (s->extra)
		ses_buf_init(&s->extra->out, s->limits->queue);
	return s->extra;
}

/* Something of it may have gone: it goes too, when that was the last. */
static void tidy_extra(struct ses_stream *s)
{
	struct ses_stream_extra *x = s->extra;

	if (!x || ses_buf_len(&x->out) > 0)
		return;
	ses_buf_release(&x->out);
	if (x->early || x->tls)
		return;
	s->extra = NULL;
	free(x);
}

static struct ses_tls *tls_of(const struct ses_stream *s)
{
	return s->extra ? s->extra->tls : NULL;
}

static int queue(struct ses_stream *s, struct bytes data)
{
	if (data.len == 0)
		return 0;
	return need_extra(s) ? ses_buf_append(&s->extra->out, data)
			     : SESAME_ENOMEM;
}

/* ---- what is to be done later ---- */

static void make_dirty(struct ses_stream *s)
{
	if (s->closed || !ses_list_empty(&s->link))
		return;
	ses_list_append(s->heavy ? &s->loop->waiting : &s->loop->dirty,
			&s->link);
	ses_loop_nudge(s->loop);
}

static bool owns_cork(const struct ses_stream *s)
{
	return s->loop->cork_owner == s;
}

static size_t corked(const struct ses_stream *s)
{
	return owns_cork(s) ? s->loop->cork_len : 0;
}

static size_t unsent_records(const struct ses_stream *s)
{
	struct ses_tls *tls = tls_of(s);

	return tls ? ses_buf_len(&tls->unsent) : 0;
}

/* Nothing more can be sent; the owner learns when what came was read. */
static void break_off(struct ses_stream *s, int error)
{
	if (!s->error)
		s->error = (int8_t)error;
	if (s->extra)
		ses_buf_release(&s->extra->out);
	if (tls_of(s))
		ses_buf_release(&tls_of(s)->unsent);
	tidy_extra(s);
	if (owns_cork(s))
		s->loop->cork_len = 0;
	make_dirty(s);
}

/* It waits for its turn, and more of it is not to be taken before. */
static bool is_put_off(const struct ses_stream *s)
{
	return s->heavy && !ses_list_empty(&s->link);
}

static void update_want(struct ses_stream *s)
{
	bool unsent = ses_stream_waiting(s) || unsent_records(s);
	unsigned want = 0;

	if (!s->paused && !s->eof && !is_put_off(s))
		want |= SES_READABLE;
	if (s->blocked && unsent)
		want |= SES_WRITABLE;
	if (ses_io_watch(s->loop, &s->io, want) < 0 && !s->error)
		break_off(s, SESAME_ESYSTEM);
}

/* ---- sending: out or cork -> (TLS -> unsent) -> system ---- */

/* What is sent last leaves with the FIN behind it, as one packet. */
static bool has_more(const struct ses_stream *s)
{
	return s->more || (s->shutting && !tls_of(s));
}

/* How many bytes of @from the system took. */
static size_t push(struct ses_stream *s, struct bytes from)
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
		break_off(s, SESAME_ERESET);
		return 0;
	}
	if (n < 0)
		n = 0;
	s->blocked = (size_t)n < from.len;
	if (n > 0 && s->paused) /* what it takes is all that tells it lives */
		s->last_read_ms = (uint32_t)s->loop->now_ms;
	return (size_t)n;
}

static struct ses_tls_wire open_wire(struct ses_stream *s, struct bytes in)
{
	return (struct ses_tls_wire){
		.in = in, .out = s->loop->cipher, .out_size = SES_CIPHER_BYTES};
}

/* Send the records that a call to TLS made. */
static void ship(struct ses_stream *s, struct ses_tls_wire *wire)
{
	struct bytes records = bytes_of(wire->out, wire->out_len);
	struct ses_buf *unsent = &tls_of(s)->unsent;
	size_t n = 0;

	wire->out_len = 0;
	if (records.len == 0 || s->error)
		return;
	if (ses_buf_len(unsent) == 0)
		n = push(s, records);
	if (s->error || n == records.len)
		return;
	if (ses_buf_append(unsent, bytes_from(records, n)) < 0)
		break_off(s, SESAME_ENOMEM);
}

static size_t seal(struct ses_stream *s, struct bytes from)
{
	struct ses_tls *tls = tls_of(s);
	size_t taken = 0;

	while (tls->up && taken < from.len && !s->error &&
	       unsent_records(s) == 0) {
		struct ses_tls_wire wire = open_wire(s, bytes_of(NULL, 0));
		ssize_t n = ses_tls_write(tls, &wire, bytes_from(from, taken));

		ship(s, &wire);
		if (n < 0) {
			break_off(s, SESAME_ETLS);
			return 0;
		}
		if (n == 0)
			break;
		taken += (size_t)n;
	}
	return taken;
}

/* How many bytes of @from went on their way. */
static size_t send_some(struct ses_stream *s, struct bytes from)
{
	return tls_of(s) ? seal(s, from) : push(s, from);
}

static void flush_records(struct ses_stream *s)
{
	struct ses_buf *unsent;

	if (unsent_records(s) == 0)
		return;
	unsent = &tls_of(s)->unsent;
	ses_buf_consume(unsent, push(s, ses_buf_bytes(unsent)));
	if (ses_buf_len(unsent) == 0)
		ses_buf_release(unsent);
}

static void flush_queue(struct ses_stream *s)
{
	size_t n;

	if (!s->extra)
		return;
	flush_records(s);
	tidy_extra(s);
	if (ses_stream_waiting(s) == 0)
		return;
	n = send_some(s, ses_buf_bytes(&s->extra->out));
	if (s->error)
		return;
	ses_buf_consume(&s->extra->out, n);
	tidy_extra(s);
}

/* Send the cork's content; what does not leave is queued. */
static void flush_cork(struct ses_stream *s)
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
		break_off(s, SESAME_ENOMEM);
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
	return owns_cork(s) && ses_stream_waiting(s) == 0 &&
	       len <= SES_CORK_BYTES - s->loop->cork_len && len <= space(s);
}

static void flush_early(struct ses_stream *s)
{
	if (owns_cork(s))
		flush_cork(s);
	else if (!s->blocked)
		flush_queue(s);
}

static uint8_t *cork_room(struct ses_stream *s)
{
	s->loop->room_in_cork = true;
	return s->loop->cork + s->loop->cork_len;
}

static uint8_t *make_room(struct ses_stream *s, size_t len)
{
	s->loop->room_in_cork = false;
	if (owns_cork(s) || len > space(s) ||
	    ses_stream_waiting(s) >= EAGER_BYTES)
		flush_early(s);
	if (s->error)
		return NULL;
	if (fits_cork(s, len))
		return cork_room(s);
	if (!need_extra(s))
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
			make_dirty(s);
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
			break_off(s, SESAME_ENOMEM);
		return SESAME_ELIMIT;
	}
	if (!s->in_event && ses_stream_queued(s) > 0)
		make_dirty(s);
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

	if (is_over(s) || owns_cork(s) || ses_stream_waiting(s) > 0 ||
	    unsent_records(s) > 0 || data.len > space(s))
		return ses_stream_send(s, data);
	n = send_some(s, data);
	if (s->error || n == data.len)
		return 0;
	if (!s->in_event)
		make_dirty(s); /* which has it watched for room */
	return ses_stream_send(s, bytes_from(data, n));
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
		break_off(s, SESAME_ERESET);
		return;
	}
	if (s->error)
		return;
	if (unsent.len > 0) {
		s->blocked = true;
		if (!need_extra(s) ||
		    put_before(tls_of(s) ? &tls_of(s)->unsent : &s->extra->out,
			       unsent) < 0)
			break_off(s, SESAME_ENOMEM);
		else
			update_want(s);
		return;
	}
	if (s->shutting || s->over_high || ses_stream_waiting(s) > 0 ||
	    unsent_records(s) > 0)
		make_dirty(s);
}

/* ---- receiving ---- */

static void tell_end(struct ses_stream *s, int error)
{
	s->eof = true;
	if (s->ended)
		return;
	s->ended = true;
	if (s->events->on_end)
		s->events->on_end(s, error);
}

static void tell_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	if (len > 0 && !s->closed && s->events->on_bytes)
		s->events->on_bytes(s, data, len);
}

static uint8_t *ask_room(struct ses_stream *s, size_t *ret_len)
{
	uint8_t *room = NULL;

	*ret_len = 0;
	if (s->events->on_room)
		room = s->events->on_room(s, ret_len);
	return *ret_len ? room : NULL;
}

/* As recv(2), but -1 means "nothing now": the end was told otherwise. */
static ssize_t pull(struct ses_stream *s, uint8_t **at, size_t len)
{
	struct ses_tls *tls = tls_of(s);
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
		tell_end(s, SESAME_ETLS);
	} else {
		tell_end(s, n < 0 ? SESAME_ERESET : s->error);
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
	uint8_t *room = ask_room(s, &len);
	uint8_t *at = room ? room : s->loop->recv_buffer;
	ssize_t n;

	if (s->closed)
		return;
	n = pull(s, &at, room ? len : receive_at_most(s, SES_RECV_BYTES));
	if (n <= 0)
		return;
	if (!room) {
		tell_bytes(s, at, (size_t)n);
		return;
	}
	if (at != room)
		memcpy(room, at, (size_t)n);
	s->events->on_filled(s, (size_t)n);
}

static struct ses_buf *new_early(struct bytes bytes)
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

static void free_early(struct ses_buf *early)
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
	x = need_extra(s);
	early = x ? new_early(bytes) : NULL;
	if (!early)
		return SESAME_ENOMEM;
	if (x->early && ses_buf_append(early, ses_buf_bytes(x->early)) < 0) {
		free_early(early);
		return SESAME_ENOMEM;
	}
	free_early(x->early);
	x->early = early;
	make_dirty(s);
	return 0;
}

static void tls_failed(struct ses_stream *s)
{
	break_off(s, SESAME_ETLS);
	tell_end(s, SESAME_ETLS);
}

/* One piece of plain text to its reader. False: no more to be had now. */
static bool open_into_room(struct ses_stream *s, struct ses_tls_wire *wire,
			   ssize_t *ret_n)
{
	size_t len;
	uint8_t *room = ask_room(s, &len);

	if (!room || s->closed)
		return false;
	*ret_n = ses_tls_read(tls_of(s), wire, room, len);
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
		n = ses_tls_read(tls_of(s), wire, to + len,
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
	struct ses_tls *tls = tls_of(s);

	tls->early = new_early(records);
	if (tls->early)
		make_dirty(s);
	else
		break_off(s, SESAME_ENOMEM);
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
		tell_bytes(s, s->loop->recv_buffer, len);
		if (s->closed)
			return;
		if (n == 0)
			break;
		if (n == SESAME_ECLOSED && !is_held(s))
			tell_end(s, s->error);
		else if (n < 0 && n != SESAME_ECLOSED)
			tls_failed(s);
	}
	/* Held in the middle: the rest, also what TLS holds, is for later. */
	if (!s->closed && !s->eof && is_held(s) && n != 0)
		keep_for_later(s, wire->in);
}

static bool shake_hands(struct ses_stream *s, struct ses_tls_wire *wire)
{
	struct ses_tls *tls = tls_of(s);
	int done = ses_tls_handshake(tls, wire);

	tls->begun = true;
	ship(s, wire);
	if (done < 0)
		tls_failed(s);
	if (done <= 0)
		return false;
	tls->up = true;
	flush_queue(s);
	if (s->events->on_tls)
		s->events->on_tls(s);
	return !s->closed;
}

static void receive_tls(struct ses_stream *s, struct bytes in)
{
	struct ses_tls_wire wire = open_wire(s, in);

	if (tls_of(s)->up || shake_hands(s, &wire))
		receive_records(s, &wire);
}

static bool has_early(const struct ses_stream *s)
{
	const struct ses_stream_extra *x = s->extra;

	return x && (x->early || (x->tls && x->tls->early));
}

/* What was put back comes first of all. */
static void receive_unread(struct ses_stream *s)
{
	struct ses_buf *early = s->extra->early;

	s->extra->early = NULL;
	tidy_extra(s);
	s->last_read_ms = (uint32_t)s->loop->now_ms; /* it is not silent */
	tell_bytes(s, early->data + early->start, ses_buf_len(early));
	free_early(early);
	if (!s->closed && has_early(s))
		make_dirty(s);
}

/* Then the records that were kept back. */
static void receive_early_records(struct ses_stream *s)
{
	struct ses_buf *early = tls_of(s)->early;

	tls_of(s)->early = NULL;
	receive_tls(s, ses_buf_bytes(early));
	free_early(early);
}

static void receive(struct ses_stream *s)
{
	uint8_t *at = s->loop->recv_buffer + CIPHER_LEAD;
	size_t most = SES_RECV_BYTES - CIPHER_LEAD;
	ssize_t n;

	if (s->paused || s->eof)
		return;
	if (has_early(s)) {
		if (s->extra->early)
			receive_unread(s);
		else
			receive_early_records(s);
		return;
	}
	if (!tls_of(s)) {
		receive_plain(s);
		return;
	}
	n = pull(s, &at, receive_at_most(s, most));
	if (n > 0)
		receive_tls(s, bytes_of(at, (size_t)n));
}

/* ---- events and what follows them ---- */

static void send_fin(struct ses_stream *s)
{
	struct ses_tls *tls = tls_of(s);

	if (tls && tls->up && !tls->said_close && !s->error) {
		struct ses_tls_wire wire = open_wire(s, bytes_of(NULL, 0));

		ses_tls_close(tls, &wire);
		ship(s, &wire);
		if (unsent_records(s) > 0 || s->io.sending)
			return;
	}
	s->shut = true;
	shutdown(s->io.fd, SHUT_WR);
}

/* The queue was flushed as far as it goes: who has to know? False when nobody
 * has any more, since that was the stream's end. */
static bool after_event(struct ses_stream *s)
{
	bool empty = ses_stream_waiting(s) == 0 && unsent_records(s) == 0 &&
		     !s->io.sending;

	if (empty && s->shutting && !s->shut)
		send_fin(s);
	if (s->error && (s->error != SESAME_ERESET || s->paused || s->eof))
		tell_end(s, s->error);
	if (s->lingers && !s->closed && s->ended && (s->shut || s->error)) {
		s->in_event = false;
		ses_stream_close(s);
		return false;
	}
	if (empty && s->over_high && !s->closed && !s->error && !s->shutting) {
		s->over_high = false;
		if (s->events->on_drain)
			s->events->on_drain(s);
	}
	return true;
}

static void handle(struct ses_stream *s, unsigned ready)
{
	struct sesame_loop *loop = s->loop;

	s->in_event = true;
	loop->cork_owner = s;
	if (ready & SES_WRITABLE)
		s->blocked = false;
	if (!s->blocked)
		flush_queue(s);
	if (tls_of(s) && !tls_of(s)->begun && !has_early(s))
		receive_tls(s, bytes_of(NULL, 0)); /* a client speaks first */
	if ((ready & SES_READABLE) && !s->closed)
		receive(s);
	if (!s->closed)
		flush_cork(s);
	loop->cork_len = 0;
	loop->cork_owner = NULL;
	if (!s->closed && !after_event(s))
		return;
	s->in_event = false;
	if (!s->closed)
		update_want(s);
}

void ses_stream_ready(struct ses_io *io, unsigned ready)
{
	struct ses_stream *s = ses_container_of(io, struct ses_stream, io);

	if (s->heavy && (ready & SES_READABLE)) {
		make_dirty(s); /* which is to wait, as it is heavy */
		update_want(s);
		ready &= ~(unsigned)SES_READABLE;
	}
	if (ready)
		handle(s, ready);
}

/* Those that become dirty meanwhile are for the next turn. */
void ses_streams_flush(struct sesame_loop *loop)
{
	struct ses_list batch, *link;

	if (ses_list_empty(&loop->dirty))
		return;
	batch = loop->dirty;
	batch.next->prev = batch.prev->next = &batch;
	ses_list_init(&loop->dirty);
	while ((link = ses_list_first(&batch))) {
		struct ses_stream *s =
			ses_container_of(link, struct ses_stream, link);

		ses_list_remove(link);
		if (s->heavy && has_early(s))
			make_dirty(s);
		else
			handle(s, has_early(s) ? SES_READABLE : 0);
	}
}

/*
 * One in a turn, so that whoever asks for little waits for one who asks for
 * much at most, however many these are.
 */
void ses_streams_serve_waiting(struct sesame_loop *loop)
{
	struct ses_list *link = ses_list_first(&loop->waiting);
	struct ses_stream *s;

	if (!link)
		return;
	s = ses_container_of(link, struct ses_stream, link);
	ses_list_remove(link);
	s->heavy = false;
	handle(s, SES_READABLE);
}

int ses_stream_start_tls(struct ses_stream *s, struct ses_tls_context *ctx,
			 const char *name, struct bytes early)
{
	struct ses_stream_extra *x = need_extra(s);

	if (!x)
		return SESAME_ENOMEM;
	x->tls = ses_tls_new(ctx, name);
	if (!x->tls)
		return SESAME_ENOMEM;
	ses_buf_init(&x->tls->unsent, MOST_UNSENT);
	make_dirty(s);
	if (early.len == 0)
		return 0;
	x->tls->early = new_early(early);
	return x->tls->early ? 0 : SESAME_ENOMEM;
}

const struct ses_tls_info *ses_stream_tls_info(const struct ses_stream *s)
{
	return tls_of(s) ? tls_of(s)->info : NULL;
}

void ses_stream_forget_tls_info(struct ses_stream *s)
{
	if (tls_of(s))
		ses_tls_forget(tls_of(s));
}

void ses_stream_pause(struct ses_stream *s)
{
	s->paused = true;
	if (!s->in_event && !s->closed)
		update_want(s);
}

void ses_stream_resume(struct ses_stream *s)
{
	s->paused = false;
	if (has_early(s))
		make_dirty(s);
	if (!s->in_event && !s->closed)
		update_want(s);
}

/* ---- the end ---- */

void ses_stream_shutdown(struct ses_stream *s)
{
	s->shutting = true;
	make_dirty(s);
}

static void free_extra(struct ses_stream_extra *x)
{
	if (!x)
		return;
	if (x->tls)
		free_early(x->tls->early);
	ses_tls_free(x->tls);
	ses_buf_fini(&x->out);
	free_early(x->early);
	free(x);
}

static void free_stream(struct ses_stream *s)
{
	free_extra(s->extra);
	free(s);
}

void ses_stream_close(struct ses_stream *s)
{
	if (!s || s->closed)
		return;
	s->closed = true;
	if (s->lingers)
		ses_stream_end_linger(s);
	ses_list_remove(&s->link);
	ses_io_forget(s->loop, &s->io);
	close(s->io.fd);
	if (owns_cork(s))
		s->loop->cork_len = 0;
	if (s->loop->in_turn)
		ses_list_append(&s->loop->zombies, &s->link);
	else
		free_stream(s);
}

void ses_streams_reap(struct sesame_loop *loop)
{
	struct ses_list *link;

	while ((link = ses_list_first(&loop->zombies))) {
		ses_list_remove(link);
		free_stream(ses_container_of(link, struct ses_stream, link));
	}
}

size_t ses_stream_unconfirmed(const struct ses_stream *s)
{
	int n = 0;

	return ioctl(s->io.fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

void ses_stream_reset(struct ses_stream *s)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(s->io.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	ses_stream_close(s);
}
