/* SPDX-License-Identifier: MIT */
/*
 * The life of a stream. Two things are hard. Owners may do anything from
 * within an event, close included, so after every event "closed" is looked at
 * before anything else. And a send that fails must not hide what the peer said
 * before it went away: the failure is kept until all that came was read.
 *
 * What it sends and receives is in stream_send.c and stream_receive.c, and what
 * lies between these and the system, when it talks TLS, in stream_tls.c.
 */
#include "net/stream_inner.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct ses_stream *ses_stream_new(struct sesame_loop *loop, int fd,
				  const struct ses_stream_events *events,
				  void *owner,
				  const struct ses_stream_limits *limits)
{
	struct ses_stream *s = malloc(sizeof(*s));

	if (!s) {
		close(fd);
		return NULL;
	}
	if (!loop->in_turn)
		ses_loop_update(loop);
	*s = (struct ses_stream){
		.io = {.fd = fd, .bytes = true},
		.loop = loop,
		.events = events,
		.owner = owner,
		.limits = limits,
		.last_read_ms = (uint32_t)loop->now_ms,
	};
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

struct ses_stream_extra *ses_stream_need_extra(struct ses_stream *s)
{
	if (s->extra)
		return s->extra;
	s->extra = calloc(1, sizeof(*s->extra));
	if (s->extra)
		ses_buf_init(&s->extra->out, s->limits->queue);
	return s->extra;
}

void ses_stream_tidy_extra(struct ses_stream *s)
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

/* ---- what is to be done later ---- */

void ses_stream_make_dirty(struct ses_stream *s)
{
	if (s->closed || !ses_list_empty(&s->link))
		return;
	ses_list_append(s->heavy ? &s->loop->waiting : &s->loop->dirty,
			&s->link);
	ses_loop_nudge(s->loop);
}

void ses_stream_break_off(struct ses_stream *s, int error)
{
	if (!s->error)
		s->error = (int8_t)error;
	if (s->extra)
		ses_buf_release(&s->extra->out);
	if (ses_stream_tls(s))
		ses_buf_release(&ses_stream_tls(s)->unsent);
	ses_stream_tidy_extra(s);
	if (ses_stream_owns_cork(s))
		s->loop->cork_len = 0;
	ses_stream_make_dirty(s);
}

/* It waits for its turn, and more of it is not to be taken before. */
static bool is_put_off(const struct ses_stream *s)
{
	return s->heavy && !ses_list_empty(&s->link);
}

void ses_stream_update_want(struct ses_stream *s)
{
	bool unsent = ses_stream_waiting(s) || ses_stream_unsent_records(s);
	unsigned want = 0;

	if (!s->paused && !s->eof && !is_put_off(s))
		want |= SES_READABLE;
	if (s->blocked && unsent)
		want |= SES_WRITABLE;
	if (ses_io_watch(s->loop, &s->io, want) < 0 && !s->error)
		ses_stream_break_off(s, SESAME_ESYSTEM);
}

/* ---- events and what follows them ---- */

static void send_fin(struct ses_stream *s)
{
	if (ses_stream_tls(s) && !ses_stream_say_close(s))
		return;
	s->shut = true;
	shutdown(s->io.fd, SHUT_WR);
}

/* The queue was flushed as far as it goes: who has to know? False when nobody
 * has any more, since that was the stream's end. */
static bool after_event(struct ses_stream *s)
{
	bool empty = ses_stream_waiting(s) == 0 &&
		     ses_stream_unsent_records(s) == 0 && !s->io.sending;

	if (empty && s->shutting && !s->shut)
		send_fin(s);
	if (s->error && (s->error != SESAME_ERESET || s->paused || s->eof))
		ses_stream_tell_end(s, s->error);
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
		ses_stream_flush_queue(s);
	if (ses_stream_tls(s) && !ses_stream_tls(s)->begun &&
	    !ses_stream_has_early(s))
		ses_stream_receive_tls(
			s, bytes_of(NULL, 0)); /* a client speaks first */
	if ((ready & SES_READABLE) && !s->closed)
		ses_stream_receive(s);
	if (!s->closed)
		ses_stream_flush_cork(s);
	loop->cork_len = 0;
	loop->cork_owner = NULL;
	if (!s->closed && !after_event(s))
		return;
	s->in_event = false;
	if (!s->closed)
		ses_stream_update_want(s);
}

void ses_stream_ready(struct ses_io *io, unsigned ready)
{
	struct ses_stream *s = ses_container_of(io, struct ses_stream, io);

	if (s->heavy && (ready & SES_READABLE)) {
		ses_stream_make_dirty(s); /* which is to wait, as it is heavy */
		ses_stream_update_want(s);
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
		if (s->heavy && ses_stream_has_early(s))
			ses_stream_make_dirty(s);
		else
			handle(s, ses_stream_has_early(s) ? SES_READABLE : 0);
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

void ses_stream_pause(struct ses_stream *s)
{
	s->paused = true;
	if (!s->in_event && !s->closed)
		ses_stream_update_want(s);
}

void ses_stream_resume(struct ses_stream *s)
{
	s->paused = false;
	if (ses_stream_has_early(s))
		ses_stream_make_dirty(s);
	if (!s->in_event && !s->closed)
		ses_stream_update_want(s);
}

/* ---- the end ---- */

void ses_stream_shutdown(struct ses_stream *s)
{
	s->shutting = true;
	ses_stream_make_dirty(s);
}

static void free_extra(struct ses_stream_extra *x)
{
	if (!x)
		return;
	if (x->tls)
		ses_early_free(x->tls->early);
	ses_tls_free(x->tls);
	ses_buf_fini(&x->out);
	ses_early_free(x->early);
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
	if (ses_stream_owns_cork(s))
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
