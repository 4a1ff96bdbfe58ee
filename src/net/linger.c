/* SPDX-License-Identifier: MIT */
/*
 * The last words of a stream whose owner has gone: they are sent, and what the
 * peer still says is read and dropped, because to close with bytes unread makes
 * the system send a reset, which may overtake the words (RFC 9112 9.6).
 */
#include "net/stream_inner.h"

#include <stdlib.h>

#define MOST_LINGER_BYTES (64 * 1024)

struct ses_linger {
	struct ses_stream *stream;
	struct ses_list link; /* in the loop's lingering list */
	struct ses_timer timer;
	size_t left;		  /* bytes that will still be read */
	void (*gone)(void *user); /* or NULL: nobody wants to know */
	void *user;
};

static void drop_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_linger *linger = s->owner;

	if (len > linger->left)
		ses_stream_close(s);
	else
		linger->left -= len;
}

/* The peer's end; what is still queued goes out before ours. */
static void end_of_linger(struct ses_stream *s, int error)
{
	if (error)
		ses_stream_close(s);
	else
		ses_stream_shutdown(s); /* again, so that it is looked at */
}

static const struct ses_stream_events lingering = {
	.on_bytes = drop_bytes,
	.on_end = end_of_linger,
};

/* What it still has to send is there; its owner's limits go with its owner. */
static const struct ses_stream_limits lingering_limits = {
	.queue = SIZE_MAX, .queue_high = SIZE_MAX};

static void linger_too_long(struct ses_timer *timer)
{
	struct ses_linger *linger =
		ses_container_of(timer, struct ses_linger, timer);

	if (linger->gone)
		ses_stream_reset(linger->stream);
	else
		ses_stream_close(linger->stream);
}

void ses_stream_linger(struct ses_stream *s, unsigned timeout_ms)
{
	ses_stream_linger_until(s, timeout_ms, NULL, NULL);
}

void ses_stream_linger_until(struct ses_stream *s, unsigned timeout_ms,
			     void (*gone)(void *user), void *user)
{
	struct sesame_loop *loop = s->loop;
	struct ses_linger *linger = calloc(1, sizeof(*linger));

	if (!loop->in_turn)
		ses_loop_update(loop);
	if (!linger || s->error) {
		free(linger);
		ses_stream_close(s);
		if (gone)
			gone(user);
		return;
	}
	linger->stream = s;
	linger->gone = gone;
	linger->user = user;
	linger->left = MOST_LINGER_BYTES;
	linger->timer.fire = linger_too_long;
	ses_list_init(&linger->link);
	ses_list_append(&loop->lingering, &linger->link);
	loop->n_lingering++;
	s->lingers = true;
	ses_stream_take(s, &lingering, linger);
	ses_stream_limit(s, &lingering_limits);
	if (ses_timers_start(&loop->timers, &linger->timer,
			     loop->now_ms + timeout_ms) < 0) {
		ses_stream_close(s);
		return;
	}
	ses_stream_resume(s);
	ses_stream_shutdown(s);
}

/*
 * All that came was taken, and what was sent in answer has left. That the peer
 * says nothing more meanwhile is not seen here: it is its owner's word, by
 * ses_upgrade_awaits_answer().
 */
static bool is_settled(struct ses_stream *s)
{
	if (!ses_stream_owns_cork(s) || s->paused || ses_stream_tls(s) ||
	    ses_stream_has_early(s))
		return false;
	s->shutting = true; /* so that the end leaves with the last word */
	ses_stream_flush_queue(s);
	ses_stream_flush_cork(s);
	return !s->io.sending && ses_stream_waiting(s) == 0;
}

void ses_stream_part(struct ses_stream *s, unsigned timeout_ms)
{
	if (is_settled(s))
		ses_stream_close(s);
	else
		ses_stream_linger(s, timeout_ms);
}

void ses_stream_end_linger(struct ses_stream *s)
{
	struct ses_linger *linger = s->owner;
	void (*gone)(void *) = linger->gone;
	void *user = linger->user;

	s->lingers = false;
	ses_timers_stop(&s->loop->timers, &linger->timer);
	ses_list_remove(&linger->link);
	s->loop->n_lingering--;
	free(linger);
	s->owner = NULL;
	if (gone)
		gone(user);
}

void ses_streams_abandon(struct sesame_loop *loop)
{
	struct ses_list *link;

	while ((link = ses_list_first(&loop->lingering)))
		ses_stream_close(
			ses_container_of(link, struct ses_linger, link)->stream);
}
