/* SPDX-License-Identifier: MIT */
/*
 * A connection: a session over a stream. The session decides what bytes mean,
 * the stream moves them; here is what neither knows: time, back-pressure, who
 * closes TCP first (RFC 6455 section 7.1), and lifetimes. A connection may be
 * closed or aborted from inside any of its callbacks, so nothing is freed
 * while one is on the stack: settle() does it afterwards, or the timer does.
 */
#include "ws/conn.h"

#include <stdlib.h>

#include "wire/close.h"
#include "wire/utf8.h"

/* Room over the queue's limit for control frames: those must always fit. */
#define CONTROL_ROOM 1024

/* What may be compressed, and more work than it looks, is read in such parts. */
#define DEFLATE_RECV_BYTES 16384

/* From here on copying costs more than it saves. */
#define AT_ONCE_BYTES 65536

/* Who inflates so much at a time has its next turn after all others. */
#define HEAVY_BYTES ((uint32_t)64 * 1024)

/* No message that is compressed or masked makes a shorter frame. */
#define LEAST_FRAME 3

#define DEFAULT_BYTES	     ((size_t)16 << 20)
#define MORE_QUEUE_BYTES     ((size_t)1 << 20)
#define DEFAULT_HIGH_BYTES   ((size_t)1 << 20)
#define DEFAULT_HANDSHAKE_MS 10000
#define DEFAULT_PING_MS	     30000
#define DEFAULT_IDLE_MS	     75000
#define DEFAULT_CLOSE_MS     5000

/* A control frame that the session wrote while the queue was long. */
struct ses_aside {
	size_t len;
	uint8_t frame[SES_FRAME_HEAD_MAX + SES_CONTROL_MAX];
};

static const struct sesame_session_events session_events;
static const struct ses_stream_events stream_events;

void ses_limits_default(struct sesame_limits *l)
{
	if (!l->message_bytes)
		l->message_bytes = DEFAULT_BYTES;
	if (!l->queue_bytes) /* what may come may be sent back */
		l->queue_bytes = l->message_bytes < SIZE_MAX - MORE_QUEUE_BYTES
					 ? l->message_bytes + MORE_QUEUE_BYTES
					 : SIZE_MAX;
	if (!l->queue_high_bytes)
		l->queue_high_bytes = DEFAULT_HIGH_BYTES;
	if (l->queue_high_bytes > l->queue_bytes / 2)
		l->queue_high_bytes = l->queue_bytes / 2;
	if (!l->handshake_ms)
		l->handshake_ms = DEFAULT_HANDSHAKE_MS;
	if (!l->ping_ms)
		l->ping_ms = DEFAULT_PING_MS;
	if (!l->idle_ms)
		l->idle_ms = DEFAULT_IDLE_MS;
	if (!l->close_ms)
		l->close_ms = DEFAULT_CLOSE_MS;
}

/* ---- the end ---- */

/* The turn's time, or outside of turns the time of now. */
static uint64_t now_ms(struct sesame_loop *loop)
{
	if (!loop->in_turn)
		ses_loop_update(loop);
	return loop->now_ms;
}

static void wake_at(struct sesame_conn *conn, uint64_t at_ms)
{
	/* cannot fail: the timer has had its place since the beginning */
	ses_timers_start(&conn->loop->timers, &conn->timer, at_ms);
}

/*
 * From now on on_close is due. What is known about the end by now stays: the
 * first thing that goes wrong is the cause, what follows are its effects.
 */
static void set_done(struct sesame_conn *conn, int error, const char *text)
{
	if (conn->state == SES_CONN_DONE)
		return;
	conn->state = SES_CONN_DONE;
	if (!conn->end_clean && !conn->end_error) {
		conn->end_error = (int8_t)error;
		conn->end_text = text;
	}
	wake_at(conn, now_ms(conn->loop));
}

static void release(struct sesame_conn *conn)
{
	ses_timers_stop(&conn->loop->timers, &conn->timer);
	ses_list_remove(&conn->link);
	ses_session_fini(&conn->session);
	free(conn->aside);
	free(conn->peer_text);
	free(conn->subprotocol);
	free(conn->end_reason);
	free(conn);
}

static void drop_stream(struct sesame_conn *conn)
{
	struct ses_stream *stream = conn->stream;

	conn->stream = NULL;
	if (!stream)
		return;
	if (conn->polite)
		ses_stream_linger(stream, conn->close_ms);
	else
		ses_stream_close(stream);
}

static void tell_end(struct sesame_conn *conn, const struct sesame_end *end)
{
	ses_timers_stop(&conn->loop->timers, &conn->timer);
	conn->state = SES_CONN_DONE;
	conn->busy++; /* whatever is called in there, this is the last */
	if (conn->handlers->on_close)
		conn->handlers->on_close(conn, conn->user, end);
	ses_list_remove(&conn->link);
	if (conn->on_gone)
		conn->on_gone(conn, conn->context);
	release(conn);
}

static void finish(struct sesame_conn *conn)
{
	const struct ses_tls_info *tls =
		conn->stream ? ses_stream_tls_info(conn->stream) : NULL;
	char text[256] = "";
	struct sesame_end end = {
		.error = conn->end_error,
		.code = conn->end_code,
		.reason = conn->end_reason ? conn->end_reason : "",
		.reason_len = conn->end_reason_len,
		.clean = conn->end_clean,
		.by_peer = conn->end_by_peer,
		.text = text,
	};

	if (conn->end_error == SESAME_ETLS && tls && tls->text[0])
		end.text = strncat(text, tls->text, sizeof(text) - 1);
	else if (conn->end_text)
		end.text = conn->end_text;
	drop_stream(conn);
	tell_end(conn, &end);
}

/* Nobody is in the way any more: do what became due. @conn may be gone. */
static void settle(struct sesame_conn *conn)
{
	if (conn->state == SES_CONN_DONE && conn->busy == 0)
		finish(conn);
}

void ses_conn_fail(struct sesame_conn *conn, const struct sesame_end *end)
{
	tell_end(conn, end);
}

/* ---- what the session tells and asks ---- */

/*
 * What the session wrote while the queue was over its high mark. A peer that
 * pings without reading would fill the queue with pongs, so the newest one
 * waits here alone (RFC 6455 5.5.3 allows it); a close frame goes out.
 */
static void commit_aside(struct sesame_conn *conn)
{
	struct ses_aside *aside = conn->aside;

	conn->wrote_aside = false;
	if (!aside || (aside->frame[0] & 0xf) == SES_OP_PONG)
		return;
	if (conn->stream)
		ses_stream_send(conn->stream,
				bytes_of(aside->frame, aside->len));
	free(aside);
	conn->aside = NULL;
}

static void commit(struct sesame_conn *conn)
{
	size_t len = conn->pending;

	conn->pending = 0;
	if (len && conn->stream)
		ses_stream_commit(conn->stream, len);
	if (conn->wrote_aside)
		commit_aside(conn);
}

/* What was written into the room that the session asked for goes out. */
static inline void commit_pending(struct sesame_conn *conn)
{
	if (conn->pending || conn->wrote_aside)
		commit(conn);
}

static uint8_t *room_aside(struct sesame_conn *conn, size_t len)
{
	if (!conn->aside)
		conn->aside = malloc(sizeof(*conn->aside));
	if (!conn->aside || len > sizeof(conn->aside->frame))
		return NULL;
	conn->aside->len = len;
	conn->wrote_aside = true;
	return conn->aside->frame;
}

/* Whether @len more bytes of data stay within the queue's limit. */
static bool has_room(const struct sesame_conn *conn, size_t len)
{
	size_t queued = ses_stream_queued(conn->stream);
	size_t limit = conn->limits.queue - CONTROL_ROOM;

	return queued <= limit && len <= limit - queued;
}

static uint8_t *on_output(void *user, size_t len)
{
	struct sesame_conn *conn = user;
	uint8_t *room;

	commit_pending(conn);
	if (!conn->stream)
		return NULL;
	if (!conn->sending &&
	    ses_stream_queued(conn->stream) > conn->limits.queue_high)
		return room_aside(conn, len);
	if (conn->sending && !has_room(conn, len))
		return NULL;
	room = ses_stream_room(conn->stream, len);
	if (room)
		conn->pending = len;
	return room;
}

static uint32_t on_mask(void *user)
{
	return ses_random32();
}

static void on_message(void *user, enum sesame_kind kind, uint8_t *data,
		       size_t len)
{
	struct sesame_conn *conn = user;

	commit_pending(conn);
	if (conn->state != SES_CONN_DONE && conn->handlers->on_message)
		conn->handlers->on_message(conn, conn->user, kind, data, len);
}

static void on_ping(void *user, const uint8_t *data, size_t len)
{
	commit_pending(user);
}

static void on_pong(void *user, const uint8_t *data, size_t len)
{
	struct sesame_conn *conn = user;

	commit_pending(conn);
	if (conn->state != SES_CONN_DONE && conn->handlers->on_pong)
		conn->handlers->on_pong(conn, conn->user, data, len);
}

static int error_of_fault(enum ses_fault fault)
{
	return fault == SES_FAULT_MESSAGE_TOO_BIG ? SESAME_ELIMIT
						  : SESAME_EPROTO;
}

static void keep_end(struct sesame_conn *conn, uint16_t code,
		     const char *reason, size_t reason_len, bool clean)
{
	conn->end_code = code;
	conn->end_clean = clean;
	if (reason_len && reason_len <= SES_CONTROL_MAX)
		conn->end_reason = malloc(reason_len);
	if (conn->end_reason) {
		memcpy(conn->end_reason, reason, reason_len);
		conn->end_reason_len = (uint8_t)reason_len;
	}
}

/*
 * The session is over. A server closes TCP at once; a client whose handshake
 * went well waits for it to do so (RFC 6455 7.1.1), one that met a broken rule
 * does not (7.1.7).
 */
static void on_session_close(void *user, uint16_t code, const char *reason,
			     size_t reason_len, bool clean, const char *fault)
{
	struct sesame_conn *conn = user;

	commit_pending(conn);
	if (conn->state == SES_CONN_DONE)
		return;
	keep_end(conn, code, reason, reason_len, clean);
	conn->polite = true;
	conn->end_by_peer = conn->session.close_received && !conn->closed_here;
	if (clean && conn->terms.role == SESAME_CLIENT) {
		conn->state = SES_CONN_PARTING;
		ses_stream_resume(conn->stream);
		wake_at(conn, now_ms(conn->loop) + conn->close_ms);
		return;
	}
	if (clean)
		set_done(conn, 0, NULL);
	else if (fault)
		set_done(conn, error_of_fault(conn->session.fault), fault);
	else if (conn->session.close_received)
		set_done(conn, SESAME_ERESET,
			 "the peer closed, and was gone before its close frame "
			 "could be answered");
	else /* the one thing that is not the peer's doing */
		set_done(conn, SESAME_ENOMEM, sesame_strerror(SESAME_ENOMEM));
}

static const struct sesame_session_events session_events = {
	.message = on_message,
	.ping = on_ping,
	.pong = on_pong,
	.close = on_session_close,
	.output = on_output,
	.mask = on_mask,
};

/* ---- what the stream tells ---- */

/* The session has read: @error is what it said. @conn may be gone after. */
static void after_feed(struct sesame_conn *conn, int error)
{
	commit_pending(conn);
	conn->busy--;
	if (error == SESAME_ENOMEM)
		set_done(conn, error, sesame_strerror(error));
	settle(conn);
}

/* Let the session read. What would keep others waiting is put back. */
static int feed(struct sesame_conn *conn, uint8_t *data, size_t len)
{
	size_t used;
	int error = ses_session_feed_some(&conn->session, data, len, &used);

	conn->stream->heavy =
		ses_session_inflated(&conn->session) >= HEAVY_BYTES;
	if (error || used == len || conn->state == SES_CONN_DONE)
		return error;
	return ses_stream_unread(conn->stream,
				 bytes_of(data + used, len - used));
}

static void on_bytes(struct ses_stream *stream, uint8_t *data, size_t len)
{
	struct sesame_conn *conn = stream->owner;

	if (conn->state != SES_CONN_OPEN && conn->state != SES_CONN_CLOSING)
		return; /* bytes after the end are dropped (RFC 6455 1.4) */
	conn->busy++;
	after_feed(conn, feed(conn, data, len));
}

static uint8_t *on_room(struct ses_stream *stream, size_t *ret_len)
{
	struct sesame_conn *conn = stream->owner;

	if (conn->state != SES_CONN_OPEN && conn->state != SES_CONN_CLOSING)
		return NULL;
	return ses_session_room(&conn->session, ret_len);
}

static void on_filled(struct ses_stream *stream, size_t n)
{
	struct sesame_conn *conn = stream->owner;

	conn->busy++;
	after_feed(conn, ses_session_filled(&conn->session, n));
}

static void send_late_pong(struct sesame_conn *conn)
{
	struct ses_aside *pong = conn->aside;

	conn->aside = NULL;
	if (pong && conn->state == SES_CONN_OPEN)
		ses_stream_send(conn->stream, bytes_of(pong->frame, pong->len));
	free(pong);
}

static void on_drain(struct ses_stream *stream)
{
	struct sesame_conn *conn = stream->owner;
	bool told_full = conn->told_full;

	send_late_pong(conn);
	conn->told_full = false;
	if (!told_full || conn->state != SES_CONN_OPEN ||
	    !conn->handlers->on_drain)
		return;
	conn->busy++;
	conn->handlers->on_drain(conn, conn->user);
	conn->busy--;
	settle(conn);
}

static const char *text_of_cut(const struct sesame_conn *conn, int error)
{
	if (error == 0)
		return conn->state == SES_CONN_CLOSING
			       ? "the peer closed the connection instead of "
				 "answering the close frame"
			       : "the peer closed the connection without a "
				 "close frame";
	if (error == SESAME_ERESET)
		return "the connection was reset";
	return sesame_strerror(error);
}

static void on_end(struct ses_stream *stream, int error)
{
	struct sesame_conn *conn = stream->owner;

	if (conn->state == SES_CONN_OPEN || conn->state == SES_CONN_CLOSING)
		conn->end_by_peer = conn->state == SES_CONN_OPEN;
	set_done(conn, error ? error : SESAME_ERESET, text_of_cut(conn, error));
	settle(conn);
}

static const struct ses_stream_events stream_events = {
	.on_bytes = on_bytes,
	.on_room = on_room,
	.on_filled = on_filled,
	.on_drain = on_drain,
	.on_end = on_end,
};

/* ---- time ---- */

/*
 * The timer is not moved when bytes come: it fires, finds that they came, and
 * sleeps for the rest. One ping is sent into each silence.
 */
static void look_at_silence(struct sesame_conn *conn)
{
	uint64_t now = now_ms(conn->loop),
		 heard = ses_stream_heard_ms(conn->stream);
	uint64_t ping_at = heard + conn->ping_ms;
	uint64_t idle_at = heard + conn->idle_ms;
	bool pinged = conn->pinged_ms > heard;

	/* Its silence is our own doing, unless it does not read either. */
	if (conn->paused && !(conn->stream->blocked && now >= idle_at)) {
		wake_at(conn, now + conn->ping_ms);
		return;
	}
	if (conn->paused) {
		set_done(conn, SESAME_ETIMEOUT,
			 "the peer has not read what was sent for too long");
		return;
	}
	if (now >= idle_at) {
		set_done(conn, SESAME_ETIMEOUT,
			 "nothing came from the peer for too long, not even "
			 "an answer to a ping");
		return;
	}
	if (!pinged && now >= ping_at) {
		conn->pinged_ms = now;
		pinged = true;
		conn->sending = true; /* the place aside is for pongs alone */
		sesame_session_ping(&conn->session, NULL, 0);
		commit_pending(conn);
		conn->sending = false;
	}
	if (pinged) /* an answer may begin a new silence long before idle_at */
		ping_at = now + conn->ping_ms;
	wake_at(conn, idle_at < ping_at ? idle_at : ping_at);
}

static void on_timer(struct ses_timer *timer)
{
	struct sesame_conn *conn =
		ses_container_of(timer, struct sesame_conn, timer);

	switch ((enum ses_conn_state)conn->state) {
	case SES_CONN_OPENING: /* it only keeps its place: see wake_at() */
		wake_at(conn, now_ms(conn->loop) + DEFAULT_PING_MS);
		break;
	case SES_CONN_OPEN:
		look_at_silence(conn);
		break;
	case SES_CONN_CLOSING:
		conn->polite = false;
		set_done(conn, SESAME_ETIMEOUT,
			 "the peer did not answer the close frame in time");
		break;
	case SES_CONN_PARTING: /* it had its time; none more to linger */
		conn->polite = false;
		set_done(conn, 0, NULL);
		break;
	case SES_CONN_DONE:
		break;
	}
	settle(conn);
}

/* ---- the beginning ---- */

static void init_session(struct sesame_conn *conn, enum sesame_role role,
			 size_t max_message,
			 const struct sesame_deflate *deflate)
{
	struct sesame_session_settings settings = {
		.role = role,
		.max_message = max_message,
	};

	conn->terms = ses_session_terms_of(&settings, &session_events);
	ses_session_init(&conn->session, &conn->terms, deflate, conn);
}

static struct sesame_conn *make(struct sesame_loop *loop,
				const struct ses_conn_setup *setup)
{
	struct sesame_limits limits = setup->limits;
	struct sesame_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	ses_limits_default(&limits);
	conn->loop = loop;
	conn->handlers = setup->handlers;
	conn->user = setup->user;
	conn->on_gone = setup->on_gone;
	conn->context = setup->context;
	conn->ping_ms = limits.ping_ms;
	conn->idle_ms = limits.idle_ms;
	conn->close_ms = limits.close_ms;
	conn->end_code = SES_CLOSE_CUT;
	conn->timer.fire = on_timer;
	ses_list_init(&conn->link);
	if (ses_timers_start(&loop->timers, &conn->timer,
			     now_ms(loop) + conn->ping_ms) < 0) {
		free(conn);
		return NULL;
	}
	if (setup->list)
		ses_list_append(setup->list, &conn->link);
	return conn;
}

static void adopt_stream(struct sesame_conn *conn, struct ses_stream *stream,
			 const struct sesame_limits *limits)
{
	size_t most = SIZE_MAX - CONTROL_ROOM;

	conn->stream = stream;
	stream->last_read_ms = (uint32_t)now_ms(conn->loop);
	conn->limits = (struct ses_stream_limits){
		.queue = (limits->queue_bytes < most ? limits->queue_bytes
						     : most) +
			 CONTROL_ROOM,
		.queue_high = limits->queue_high_bytes,
		/* what it cannot take now is kept */
		.recv_most = conn->session.deflate_on ? DEFLATE_RECV_BYTES : 0,
	};
	ses_stream_limit(stream, &conn->limits);
	ses_stream_take(stream, &stream_events, conn);
	if (conn->paused) /* asked for while it was opening */
		ses_stream_pause(stream);
}

/* Tell that it is open and read what is there. True: @conn is still there. */
static bool go(struct sesame_conn *conn, uint8_t *early, size_t early_len)
{
	int error = 0;

	conn->state = SES_CONN_OPEN;
	look_at_silence(conn); /* sets the timer */
	conn->busy++;
	if (conn->handlers->on_open)
		conn->handlers->on_open(conn, conn->user);
	if (early_len && conn->state < SES_CONN_PARTING) {
		error = feed(conn, early, early_len);
		commit_pending(conn);
	}
	conn->busy--;
	if (error == SESAME_ENOMEM)
		set_done(conn, error, sesame_strerror(error));
	if (conn->state != SES_CONN_DONE)
		return true;
	finish(conn);
	return false;
}

static int set_subprotocol(struct sesame_conn *conn, struct bytes text)
{
	if (!text.len)
		return 0;
	conn->subprotocol = strndup((const char *)text.data, text.len);
	return conn->subprotocol ? 0 : SESAME_ENOMEM;
}

static void set_peer(struct sesame_conn *conn, struct ses_stream *stream,
		     const struct ses_addr *peer)
{
	if (peer)
		conn->peer = *peer;
	else
		ses_addr_of_socket(stream->io.fd, true, &conn->peer);
}

/* Give @conn the @stream; SESAME_ENOMEM: the stream is closed, @conn is not. */
static int give_stream(struct sesame_conn *conn, struct ses_stream *stream,
		       const struct ses_conn_setup *setup)
{
	struct sesame_limits limits = setup->limits;

	ses_limits_default(&limits);
	init_session(conn, setup->role, limits.message_bytes, &setup->deflate);
	if (set_subprotocol(conn, setup->subprotocol) < 0) {
		ses_stream_close(stream);
		return SESAME_ENOMEM;
	}
	set_peer(conn, stream, setup->peer);
	adopt_stream(conn, stream, &limits);
	return 0;
}

int ses_conn_begin(struct ses_stream *stream,
		   const struct ses_conn_setup *setup, uint8_t *early,
		   size_t early_len, struct sesame_conn **ret_conn)
{
	struct sesame_conn *conn = make(stream->loop, setup);

	if (!conn) {
		ses_stream_close(stream);
		return SESAME_ENOMEM;
	}
	if (give_stream(conn, stream, setup) < 0) {
		release(conn);
		return SESAME_ENOMEM;
	}
	*ret_conn = conn;
	if (!go(conn, early, early_len))
		*ret_conn = NULL;
	return 0;
}

struct sesame_conn *ses_conn_new(struct sesame_loop *loop,
				 const struct ses_conn_setup *setup,
				 struct ses_opening *opening)
{
	struct sesame_conn *conn = make(loop, setup);

	if (conn)
		conn->opening = opening;
	return conn;
}

int ses_conn_open(struct sesame_conn *conn, struct ses_stream *stream,
		  const struct ses_conn_setup *setup, uint8_t *early,
		  size_t early_len)
{
	if (give_stream(conn, stream, setup) < 0)
		return SESAME_ENOMEM;
	conn->opening = NULL;
	go(conn, early, early_len);
	return 0;
}

/* ---- what the owner does ---- */

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

/* A stream that broke had no room; on_close is on its way. */
static int error_of_output(const struct sesame_conn *conn, int error)
{
	return error == SESAME_ELIMIT && conn->stream->error ? SESAME_ECLOSED
							     : error;
}

static int after_send(struct sesame_conn *conn, int error)
{
	commit_pending(conn);
	conn->sending = false;
	error = error_of_output(conn, error);
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
	    !has_room(conn, payload.len + (size_t)n))
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
	if (!has_room(conn, LEAST_FRAME)) /* compress for nothing? */
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

int ses_conn_send_frame(struct sesame_conn *conn, struct bytes frame)
{
	int r;

	if (conn->state != SES_CONN_OPEN)
		return SESAME_ECLOSED;
	if (!has_room(conn, frame.len))
		return note_full(conn);
	r = ses_stream_send(conn->stream, frame);
	return r == 0 || r == SESAME_EAGAIN ? fullness(conn) : r;
}

static void free_opening(struct sesame_conn *conn)
{
	struct ses_opening *opening = conn->opening;

	conn->opening = NULL;
	if (opening)
		opening->cancel(opening);
}

/* The attempt to open is given up; on_close follows. */
static void cancel_opening(struct sesame_conn *conn, const char *text)
{
	if (!conn->busy) /* else it is on the stack */
		free_opening(conn);
	set_done(conn, SESAME_ECLOSED, text);
}

bool ses_conn_tell_handshake(struct sesame_conn *conn, bool sent,
			     struct bytes head)
{
	if (!conn->handlers->on_handshake)
		return true;
	conn->busy++;
	conn->handlers->on_handshake(conn, conn->user, sent,
				     (const char *)head.data, head.len);
	conn->busy--;
	if (conn->state != SES_CONN_DONE)
		return true;
	free_opening(conn);
	settle(conn);
	return false;
}

int sesame_conn_close(struct sesame_conn *conn, uint16_t code,
		      const char *reason)
{
	size_t reason_len = reason ? strlen(reason) : 0;
	int r;

	if (conn->state == SES_CONN_OPENING) {
		cancel_opening(conn, "closed before the connection was open");
		return 0;
	}
	if (conn->state != SES_CONN_OPEN)
		return SESAME_ECLOSED;
	conn->closed_here = true;
	conn->state = SES_CONN_CLOSING;
	r = sesame_session_close(&conn->session, code, reason, reason_len);
	commit_pending(conn);
	if (r < 0) {
		conn->closed_here = false;
		conn->state = SES_CONN_OPEN;
		return error_of_output(conn, r);
	}
	/* the peer's close frame stands behind what was not read yet */
	sesame_conn_resume(conn);
	if (conn->state == SES_CONN_CLOSING)
		wake_at(conn, now_ms(conn->loop) + conn->close_ms);
	return 0;
}

void sesame_conn_abort(struct sesame_conn *conn)
{
	static const char text[] = "aborted";

	conn->polite = false;
	if (conn->state == SES_CONN_OPENING) {
		cancel_opening(conn, text);
		return;
	}
	conn->session.over = true; /* what else has come is not looked at */
	set_done(conn, SESAME_ECLOSED, text);
}

void ses_conn_abort_now(struct sesame_conn *conn)
{
	sesame_conn_abort(conn);
	settle(conn);
}

const char *sesame_close_name(uint16_t code)
{
	return ses_close_code_name(code);
}

size_t sesame_conn_queued(const struct sesame_conn *conn)
{
	return conn->stream ? ses_stream_queued(conn->stream) : 0;
}

void sesame_conn_pause(struct sesame_conn *conn)
{
	if (conn->state > SES_CONN_OPEN || conn->paused)
		return;
	conn->paused = true;
	if (conn->stream)
		ses_stream_pause(conn->stream);
}

void sesame_conn_resume(struct sesame_conn *conn)
{
	if (!conn->paused)
		return;
	conn->paused = false;
	if (conn->stream) {
		/* silence begins now at the earliest */
		conn->stream->last_read_ms = (uint32_t)now_ms(conn->loop);
		ses_stream_resume(conn->stream);
	}
	if (conn->state == SES_CONN_OPEN)
		look_at_silence(conn);
}

void *sesame_conn_user(const struct sesame_conn *conn)
{
	return conn->user;
}

void sesame_conn_set_user(struct sesame_conn *conn, void *user)
{
	conn->user = user;
}

struct sesame_loop *sesame_conn_loop(const struct sesame_conn *conn)
{
	return conn->loop;
}

const char *sesame_conn_subprotocol(const struct sesame_conn *conn)
{
	return conn->subprotocol ? conn->subprotocol : "";
}

const char *sesame_conn_peer(const struct sesame_conn *conn)
{
	/* most connections are never asked, so the text is made when one is */
	struct sesame_conn *mutable = (struct sesame_conn *)conn;
	char text[SES_ADDR_TEXT];

	if (!conn->peer_text && conn->peer.len)
		mutable->peer_text = strdup(ses_addr_format(&conn->peer, text));
	return conn->peer_text ? conn->peer_text : "";
}
