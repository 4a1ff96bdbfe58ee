/* SPDX-License-Identifier: MIT */
/*
 * A connected byte stream, plain or TLS, in a loop. Output of the stream whose
 * event is being handled goes to the loop's cork and leaves in one send when
 * the event is over; output of others is queued and leaves in one send each at
 * the end of the turn. Reading stops while the owner says so.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/buf.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/tls.h"

/* From here on a message is sent from the caller's memory, not copied first. */
#define SES_DIRECT_BYTES (SES_CORK_BYTES / 2)

struct ses_stream;

struct ses_stream_events {
	/*
	 * Bytes came. @data is the loop's buffer (or the TLS layer's), may be
	 * changed in place, and is borrowed for the call.
	 */
	void (*on_bytes)(struct ses_stream *s, uint8_t *data, size_t len);
	/*
	 * Optional: where the next bytes should be received to, instead of the
	 * loop's buffer; NULL result: to the loop's. on_filled() tells how many
	 * came.
	 */
	uint8_t *(*on_room)(struct ses_stream *s, size_t *ret_len);
	void (*on_filled)(struct ses_stream *s, size_t n);
	/* The queue, once longer than the high mark, is empty again. */
	void (*on_drain)(struct ses_stream *s);
	/*
	 * The peer will send no more (0), or the stream broke (SESAME_ERESET,
	 * SESAME_ETLS...). The last event. The owner still has to close it.
	 */
	void (*on_end)(struct ses_stream *s, int error);
	/* TLS is up (after ses_stream_start_tls()); failure comes as on_end. */
	void (*on_tls)(struct ses_stream *s);
};

/* The same for all streams of a kind. */
struct ses_stream_limits {
	size_t queue;	    /* the most unsent bytes */
	size_t queue_high;  /* more than these: on_drain tells when they left */
	uint32_t recv_most; /* bytes that are received at a time; 0: many */
};

/* What most streams have nothing of, most of the time. */
struct ses_stream_extra {
	struct ses_buf out;    /* not yet taken by the system (or by TLS) */
	struct ses_buf *early; /* put back, to be told first; or NULL */
	struct ses_tls *tls;   /* NULL: plain */
};

/* There are as many as there are connections, most of them idle: keep it small. */
struct ses_stream {
	struct ses_io io;
	struct sesame_loop *loop;
	const struct ses_stream_events *events;
	const struct ses_stream_limits *limits;
	void *owner;	      /* of a lingering stream: struct ses_linger */
	struct ses_list link; /* in the loop's dirty, waiting or zombie list */
	struct ses_stream_extra *extra; /* NULL: nothing of all that */
	/*
	 * When bytes last came, or could first come; while paused, when some
	 * last left: by the loop's clock, as far as 32 bits go (seven weeks).
	 */
	uint32_t last_read_ms;
	int8_t error; /* why sending failed; told when all is read */
	bool paused : 1;
	bool over_high : 1;
	bool blocked : 1;  /* the system takes no more just now */
	bool eof : 1;	   /* nothing more will be read */
	bool ended : 1;	   /* on_end was called */
	bool shutting : 1; /* shutdown when the queue is empty */
	bool shut : 1;	   /* FIN is out */
	bool closed : 1;   /* in the zombie list */
	bool in_event : 1;
	bool lingers : 1; /* given up by its owner */
	bool more : 1;	  /* what is pushed now is not the end of it */
	bool heavy : 1;	  /* set by its owner: what came last was much work,
			     so what comes next waits for all others */
};

/*
 * A stream over the connected, non-blocking socket @fd (taken). @limits are
 * borrowed for as long as it lives or until it gets others. NULL when out of
 * memory (the socket is closed then). Reading begins at the next turn.
 */
struct ses_stream *ses_stream_new(struct sesame_loop *loop, int fd,
				  const struct ses_stream_events *events,
				  void *owner,
				  const struct ses_stream_limits *limits);
/* Hand the stream to another owner; safe from within an event. */
void ses_stream_take(struct ses_stream *s,
		     const struct ses_stream_events *events, void *owner);
/* Give it other limits, borrowed; what is queued by now stays queued. */
void ses_stream_limit(struct ses_stream *s,
		      const struct ses_stream_limits *limits);
/*
 * Begin TLS. @name: the server's name for SNI and verification (clients), or
 * NULL (servers). @early: bytes that were already received. 0 or SESAME_ENOMEM.
 */
int ses_stream_start_tls(struct ses_stream *s, struct ses_tls_context *ctx,
			 const char *name, struct bytes early);
/*
 * Put bytes back that were received and not understood, to be given to
 * on_bytes (of the next owner) before anything else: over TLS these are plain
 * text. 0 or SESAME_ENOMEM.
 */
int ses_stream_unread(struct ses_stream *s, struct bytes bytes);
/*
 * What TLS taught; NULL for plain streams. As long as the stream lives, or until
 * it is forgotten, which saves kilobytes: NULL then, too, until TLS fails.
 */
const struct ses_tls_info *ses_stream_tls_info(const struct ses_stream *s);
void ses_stream_forget_tls_info(struct ses_stream *s);

/*
 * Room for @len bytes of output, NULL over the queue's limit; commit makes
 * them count. Between the two no other call to this loop's streams.
 */
uint8_t *ses_stream_room(struct ses_stream *s, size_t len);
void ses_stream_commit(struct ses_stream *s);
/* The same with a copy: 0, SESAME_EAGAIN (taken, but over the high mark),
 * SESAME_ELIMIT, SESAME_ECLOSED. */
int ses_stream_send(struct ses_stream *s, struct bytes data);
/*
 * The same, but what the system takes at once is not copied: for bytes that are
 * all that will be sent in this turn. That it broke is told by on_end.
 */
int ses_stream_send_now(struct ses_stream *s, struct bytes data);
/*
 * Both, or neither: a frame's header and a large payload that goes out from
 * where it lies, as far as the system takes it. Returns as ses_stream_send().
 */
int ses_stream_send_framed(struct ses_stream *s, struct bytes head,
			   struct bytes data);
/* Unsent bytes that the cork does not hold, before TLS. */
static inline size_t ses_stream_waiting(const struct ses_stream *s)
{
	return s->extra ? ses_buf_len(&s->extra->out) : 0;
}
/*
 * For a stream whose event is being handled: where the next @len bytes go, when
 * they go straight to the cork and nobody has to be told of it, as is usual; or
 * NULL, for the ways above to judge. ses_stream_corked() makes them count.
 */
static inline uint8_t *ses_stream_cork(struct ses_stream *s, size_t len)
{
	struct sesame_loop *loop = s->loop;
	size_t high = s->limits->queue_high;
	size_t most = high < SES_CORK_BYTES ? high : SES_CORK_BYTES;

	if (loop->cork_owner != s || s->closed || s->shutting || s->over_high ||
	    s->error || ses_stream_waiting(s) > 0 || len > most ||
	    loop->cork_len > most - len)
		return NULL;
	return loop->cork + loop->cork_len;
}
static inline void ses_stream_corked(struct ses_stream *s, size_t len)
{
	s->loop->cork_len += len;
}
/* When bytes last came: see last_read_ms. */
static inline uint64_t ses_stream_heard_ms(const struct ses_stream *s)
{
	uint64_t now = s->loop->now_ms;

	return now - (uint32_t)((uint32_t)now - s->last_read_ms);
}
/* Unsent bytes. */
static inline size_t ses_stream_queued(const struct ses_stream *s)
{
	const struct ses_stream_extra *x = s->extra;
	size_t corked = s->loop->cork_owner == s ? s->loop->cork_len : 0;

	return corked + (x ? ses_buf_len(&x->out) : 0) +
	       (x && x->tls ? ses_buf_len(&x->tls->unsent) : 0);
}
/* Stop or resume on_bytes. */
void ses_stream_pause(struct ses_stream *s);
void ses_stream_resume(struct ses_stream *s);
/* Send what is queued, then FIN (TLS: close_notify first). */
void ses_stream_shutdown(struct ses_stream *s);
/*
 * Close at once: no event follows. From within an event the memory stays until
 * the end of the turn. What is still queued is lost (use shutdown and wait for
 * on_end, or ses_stream_linger()). NULL is fine.
 */
void ses_stream_close(struct ses_stream *s);
/*
 * Give the stream up politely: send what is queued, FIN, read and drop what
 * still comes (at most 64 KiB), close at the peer's end or after @timeout_ms.
 * No event follows.
 */
void ses_stream_linger(struct ses_stream *s, unsigned timeout_ms);
/*
 * The same for a peer that says nothing more before it has its answer: what is
 * unread makes close(2) a reset, and what comes later is answered by one (RFC
 * 9112 9.6), but there is nothing of either. So it is closed at once where all
 * that was sent has left, and the system sees to it that it arrives. For the
 * peer's own event; in others, and over TLS, it lingers.
 */
void ses_stream_part(struct ses_stream *s, unsigned timeout_ms);
/*
 * As ses_stream_linger(), and @gone is called when it is over, maybe at once.
 * What has not arrived by then is dropped: the system would keep it for a peer
 * that does not read for minutes.
 */
void ses_stream_linger_until(struct ses_stream *s, unsigned timeout_ms,
			     void (*gone)(void *user), void *user);
/* Bytes that the peer's system has not confirmed; 0 where that is not known. */
size_t ses_stream_unconfirmed(const struct ses_stream *s);
/* Close with a TCP reset. */
void ses_stream_reset(struct ses_stream *s);

/* For ses_stream_close() alone, of one that lingers. */
void ses_stream_end_linger(struct ses_stream *s);

/* For ses_io_tell() alone. */
void ses_stream_ready(struct ses_io *io, unsigned ready);
/* For the loop's back end alone: see on_sent in net/loop.h. */
void ses_stream_sent(struct ses_io *io, struct bytes unsent, int error);

/*
 * For the loop alone: flush the dirty, serve one of those that wait, free the
 * closed, close the lingering.
 */
void ses_streams_flush(struct sesame_loop *loop);
void ses_streams_serve_waiting(struct sesame_loop *loop);
void ses_streams_reap(struct sesame_loop *loop);
void ses_streams_abandon(struct sesame_loop *loop);

#endif
