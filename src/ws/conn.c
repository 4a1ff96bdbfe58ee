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

/* From here on copying costs more than it saves. */
#define AT_ONCE_BYTES 65536

/* Who inflates so much at a time has its next turn after all others. */
#define HEAVY_BYTES ((uint32_t)64 * 1024)

/* No message that is compressed or masked makes a shorter frame. */
#define LEAST_FRAME 3

/* While it opens others look at the time. */
#define OPENING_MS 30000

/* A control frame that the session wrote while the queue was long. */
struct ses_aside {
	size_t len;
	uint8_t frame[SES_FRAME_HEAD_MAX + SES_CONTROL_MAX];
};

static const struct sesame_session_events session_events;
static const struct ses_stream_events stream_events;

/* ---- what most have nothing of ---- */

/* NULL: no memory. */
static struct ses_conn_extra *need_extra(struct sesame_conn *conn)
{
	if (!conn->extra)
		conn->extra = calloc(1, sizeof(*conn->extra));
	return conn->extra;
}

/* Something of it went: the rest too, when it was the last. */
static void tidy_extra(struct sesame_conn *conn)
{
	const struct ses_conn_extra *x = conn->extra;

	if (!x || x->opening || x->aside || x->peer_text || x->end_reason)
		return;
	free(conn->extra);
	conn->extra = NULL;
}

static void free_extra(struct ses_conn_extra *x)
{
	if (!x)
		return;
	free(x->aside);
	free(x->peer_text);
	free(x->end_reason);
	free(x);
}

/* ---- the end ---- */

static const char *const sentences[] = {
	[SES_CAUSE_UNANSWERED] =
		"the peer closed, and was gone before its close frame could be "
		"answered",
	[SES_CAUSE_CUT] =
		"the peer closed the connection without a close frame",
	[SES_CAUSE_CUT_CLOSING] = "the peer closed the connection instead of "
				  "answering the close frame",
	[SES_CAUSE_RESET] = "the connection was reset",
	[SES_CAUSE_UNREAD] = "the peer has not read what was sent for too long",
	[SES_CAUSE_SILENT] = "nothing came from the peer for too long, not "
			     "even an answer to a ping",
	[SES_CAUSE_NO_CLOSE] =
		"the peer did not answer the close frame in time",
	[SES_CAUSE_ABORTED] = "aborted",
	[SES_CAUSE_GIVEN_UP] = "closed before the connection was open",
};

static const char *sentence_of_end(const struct sesame_conn *conn)
{
	switch ((enum ses_conn_cause)conn->end_cause) {
	case SES_CAUSE_NONE:
		return "";
	case SES_CAUSE_ERROR:
		return sesame_strerror(conn->end_error);
	case SES_CAUSE_FAULT:
		return ses_fault_row(conn->session.fault)->sentence;
	default:
		return sentences[conn->end_cause];
	}
}

static struct sesame_loop *loop_of(const struct sesame_conn *conn)
{
	return conn->kind->loop;
}

/* The turn's time, or outside of turns the time of now. */
static uint64_t now_ms(const struct sesame_conn *conn)
{
	struct sesame_loop *loop = loop_of(conn);

	if (!loop->in_turn)
		ses_loop_update(loop);
	return loop->now_ms;
}

static void wake_at(struct sesame_conn *conn, uint64_t at_ms)
{
	/* cannot fail: the timer has had its place since the beginning */
	ses_timers_start(&loop_of(conn)->timers, &conn->timer, at_ms);
}

/*
 * From now on on_close is due. What is known about the end by now stays: the
 * first thing that goes wrong is the cause, what follows are its effects.
 */
static void set_done(struct sesame_conn *conn, int error,
		     enum ses_conn_cause cause)
{
	if (conn->state == SES_CONN_DONE)
		return;
	conn->state = SES_CONN_DONE;
	if (!conn->end_clean && !conn->end_error) {
		conn->end_error = (int8_t)error;
		conn->end_cause = (uint8_t)cause;
	}
	wake_at(conn, now_ms(conn));
}

static void release(struct sesame_conn *conn)
{
	ses_timers_stop(&loop_of(conn)->timers, &conn->timer);
	ses_list_remove(&conn->link);
	ses_session_fini(&conn->session);
	free_extra(conn->extra);
	if (!conn->peer_is_v4)
		free(conn->peer.other);
	ses_conn_kind_unref(conn->kind);
	free(conn);
}

static void drop_stream(struct sesame_conn *conn)
{
	struct ses_stream *stream = conn->stream;

	conn->stream = NULL;
	if (!stream)
		return;
	if (conn->polite)
		ses_stream_linger(stream, conn->kind->close_ms);
	else
		ses_stream_close(stream);
}

static void tell_end(struct sesame_conn *conn, const struct sesame_end *end)
{
	ses_timers_stop(&loop_of(conn)->timers, &conn->timer);
	conn->state = SES_CONN_DONE;
	conn->busy++; /* whatever is called in there, this is the last */
	if (conn->kind->handlers->on_close)
		conn->kind->handlers->on_close(conn, conn->user, end);
	ses_list_remove(&conn->link);
	if (conn->kind->on_gone)
		conn->kind->on_gone(conn, conn->kind->context);
	release(conn);
}

static void finish(struct sesame_conn *conn)
{
	const struct ses_tls_info *tls =
		conn->stream ? ses_stream_tls_info(conn->stream) : NULL;
	const struct ses_conn_extra *x = conn->extra;
	char text[256] = "";
	struct sesame_end end = {
		.error = conn->end_error,
		.code = conn->end_code,
		.reason = x && x->end_reason ? x->end_reason : "",
		.reason_len = x ? x->end_reason_len : 0,
		.clean = conn->end_clean,
		.by_peer = conn->end_by_peer,
		.text = sentence_of_end(conn),
	};

	if (conn->end_error == SESAME_ETLS && tls && tls->text[0])
		end.text = strncat(text, tls->text, sizeof(text) - 1);
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
	struct ses_aside *aside = conn->extra ? conn->extra->aside : NULL;

	conn->wrote_aside = false;
	if (!aside || (aside->frame[0] & 0xf) == SES_OP_PONG)
		return;
	if (conn->stream)
		ses_stream_send(conn->stream,
				bytes_of(aside->frame, aside->len));
	free(aside);
	conn->extra->aside = NULL;
	tidy_extra(conn);
}

static void commit(struct sesame_conn *conn)
{
	if (conn->wrote && conn->stream)
		ses_stream_commit(conn->stream);
	conn->wrote = false;
	if (conn->wrote_aside)
		commit_aside(conn);
}

/* What was written into the room that the session asked for goes out. */
static inline void commit_pending(struct sesame_conn *conn)
{
	if (conn->wrote || conn->wrote_aside)
		commit(conn);
}

static uint8_t *room_aside(struct sesame_conn *conn, size_t len)
{
	struct ses_conn_extra *x = need_extra(conn);

	if (x && !x->aside)
		x->aside = malloc(sizeof(*x->aside));
	if (!x || !x->aside || len > sizeof(x->aside->frame))
		return NULL;
	x->aside->len = len;
	conn->wrote_aside = true;
	return x->aside->frame;
}

/* Whether @len more bytes of data stay within the queue's limit. */
static bool has_room(const struct sesame_conn *conn, size_t len)
{
	size_t queued = ses_stream_queued(conn->stream);
	size_t limit = conn->kind->stream.queue - SES_CONTROL_ROOM;

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
	    ses_stream_queued(conn->stream) > conn->kind->stream.queue_high)
		return room_aside(conn, len);
	if (conn->sending && !has_room(conn, len))
		return NULL;
	room = ses_stream_room(conn->stream, len);
	conn->wrote = room != NULL;
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
	if (conn->state != SES_CONN_DONE && conn->kind->handlers->on_message)
		conn->kind->handlers->on_message(conn, conn->user, kind, data,
						 len);
}

static void on_ping(void *user, const uint8_t *data, size_t len)
{
	commit_pending(user);
}

static void on_pong(void *user, const uint8_t *data, size_t len)
{
	struct sesame_conn *conn = user;

	commit_pending(conn);
	if (conn->state != SES_CONN_DONE && conn->kind->handlers->on_pong)
		conn->kind->handlers->on_pong(conn, conn->user, data, len);
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
	if (!reason_len || reason_len > SES_CONTROL_MAX || !need_extra(conn))
		return;
	conn->extra->end_reason = malloc(reason_len);
	if (conn->extra->end_reason) {
		memcpy(conn->extra->end_reason, reason, reason_len);
		conn->extra->end_reason_len = (uint8_t)reason_len;
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
	if (clean && conn->kind->session.role == SESAME_CLIENT) {
		conn->state = SES_CONN_PARTING;
		ses_stream_resume(conn->stream);
		wake_at(conn, now_ms(conn) + conn->kind->close_ms);
		return;
	}
	if (clean)
		set_done(conn, 0, SES_CAUSE_NONE);
	else if (fault)
		set_done(conn, error_of_fault(conn->session.fault),
			 SES_CAUSE_FAULT);
	else if (conn->session.close_received)
		set_done(conn, SESAME_ERESET, SES_CAUSE_UNANSWERED);
	else /* the one thing that is not the peer's doing */
		set_done(conn, SESAME_ENOMEM, SES_CAUSE_ERROR);
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
		set_done(conn, error, SES_CAUSE_ERROR);
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
	struct ses_aside *pong = conn->extra ? conn->extra->aside : NULL;

	if (!pong)
		return;
	conn->extra->aside = NULL;
	tidy_extra(conn);
	if (conn->state == SES_CONN_OPEN)
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
	    !conn->kind->handlers->on_drain)
		return;
	conn->busy++;
	conn->kind->handlers->on_drain(conn, conn->user);
	conn->busy--;
	settle(conn);
}

static enum ses_conn_cause cause_of_cut(const struct sesame_conn *conn,
					int error)
{
	if (error == 0)
		return conn->state == SES_CONN_CLOSING ? SES_CAUSE_CUT_CLOSING
						       : SES_CAUSE_CUT;
	return error == SESAME_ERESET ? SES_CAUSE_RESET : SES_CAUSE_ERROR;
}

static void on_end(struct ses_stream *stream, int error)
{
	struct sesame_conn *conn = stream->owner;

	if (conn->state == SES_CONN_OPEN || conn->state == SES_CONN_CLOSING)
		conn->end_by_peer = conn->state == SES_CONN_OPEN;
	set_done(conn, error ? error : SESAME_ERESET, cause_of_cut(conn, error));
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
	uint64_t now = now_ms(conn), heard = ses_stream_heard_ms(conn->stream);
	const struct ses_conn_kind *kind = conn->kind;
	uint64_t ping_at = heard + kind->ping_ms;
	uint64_t idle_at = heard + kind->idle_ms;
	bool pinged = conn->pinged &&
		      (uint32_t)now - conn->pinged_ms < (uint32_t)(now - heard);

	conn->pinged = pinged;
	/* Its silence is our own doing, unless it does not read either. */
	if (conn->paused && !(conn->stream->blocked && now >= idle_at)) {
		wake_at(conn, now + kind->ping_ms);
		return;
	}
	if (conn->paused) {
		set_done(conn, SESAME_ETIMEOUT, SES_CAUSE_UNREAD);
		return;
	}
	if (now >= idle_at) {
		set_done(conn, SESAME_ETIMEOUT, SES_CAUSE_SILENT);
		return;
	}
	if (!pinged && now >= ping_at) {
		conn->pinged_ms = (uint32_t)now;
		conn->pinged = pinged = true;
		conn->sending = true; /* the place aside is for pongs alone */
		sesame_session_ping(&conn->session, NULL, 0);
		commit_pending(conn);
		conn->sending = false;
	}
	if (pinged) /* an answer may begin a new silence long before idle_at */
		ping_at = now + kind->ping_ms;
	wake_at(conn, idle_at < ping_at ? idle_at : ping_at);
}

static void on_timer(struct ses_timer *timer)
{
	struct sesame_conn *conn =
		ses_container_of(timer, struct sesame_conn, timer);

	switch ((enum ses_conn_state)conn->state) {
	case SES_CONN_OPENING: /* it only keeps its place: see wake_at() */
		wake_at(conn, now_ms(conn) + OPENING_MS);
		break;
	case SES_CONN_OPEN:
		look_at_silence(conn);
		break;
	case SES_CONN_CLOSING:
		conn->polite = false;
		set_done(conn, SESAME_ETIMEOUT, SES_CAUSE_NO_CLOSE);
		break;
	case SES_CONN_PARTING: /* it had its time; none more to linger */
		conn->polite = false;
		set_done(conn, 0, SES_CAUSE_NONE);
		break;
	case SES_CONN_DONE:
		break;
	}
	settle(conn);
}

/* ---- the beginning ---- */

static struct sesame_conn *make(struct sesame_loop *loop,
				const struct ses_conn_setup *setup)
{
	struct sesame_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->kind = ses_conn_kind_of(loop, setup, &session_events);
	if (!conn->kind) {
		free(conn);
		return NULL;
	}
	conn->user = setup->user;
	conn->end_code = SES_CLOSE_CUT;
	conn->timer.fire = on_timer;
	ses_list_init(&conn->link);
	if (ses_timers_start(&loop->timers, &conn->timer,
			     now_ms(conn) + OPENING_MS) < 0) {
		ses_conn_kind_unref(conn->kind);
		free(conn);
		return NULL;
	}
	if (setup->list)
		ses_list_append(setup->list, &conn->link);
	return conn;
}

static void adopt_stream(struct sesame_conn *conn, struct ses_stream *stream)
{
	conn->stream = stream;
	stream->last_read_ms = (uint32_t)now_ms(conn);
	ses_stream_limit(stream, &conn->kind->stream);
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
	if (conn->kind->handlers->on_open)
		conn->kind->handlers->on_open(conn, conn->user);
	if (early_len && conn->state < SES_CONN_PARTING) {
		error = feed(conn, early, early_len);
		commit_pending(conn);
	}
	conn->busy--;
	if (error == SESAME_ENOMEM)
		set_done(conn, error, SES_CAUSE_ERROR);
	if (conn->state != SES_CONN_DONE) {
		ses_stream_forget_tls_info(conn->stream);
		return true;
	}
	finish(conn);
	return false;
}

static int keep_peer(struct sesame_conn *conn, const struct ses_addr *peer)
{
	conn->peer_is_v4 = peer->len && ses_addr_family(peer) == 4;
	if (conn->peer_is_v4) {
		conn->peer.v4.ip = peer->v4.sin_addr.s_addr;
		conn->peer.v4.port = peer->v4.sin_port;
		return 0;
	}
	conn->peer.other = peer->len ? malloc(sizeof(*peer)) : NULL;
	if (conn->peer.other)
		*conn->peer.other = *peer;
	return conn->peer.other || !peer->len ? 0 : SESAME_ENOMEM;
}

static struct ses_addr peer_of(const struct sesame_conn *conn)
{
	if (conn->peer_is_v4)
		return (struct ses_addr){
			.v4 = {.sin_family = AF_INET,
			       .sin_port = conn->peer.v4.port,
			       .sin_addr.s_addr = conn->peer.v4.ip},
			.len = sizeof(struct sockaddr_in)};
	return conn->peer.other ? *conn->peer.other : (struct ses_addr){0};
}

/* Give @conn the @stream; SESAME_ENOMEM: the stream is closed, @conn is not. */
static int give_stream(struct sesame_conn *conn, struct ses_stream *stream,
		       const struct ses_conn_setup *setup)
{
	struct ses_addr peer = {0};

	if (setup->peer)
		peer = *setup->peer;
	else
		ses_addr_of_socket(stream->io.fd, true, &peer);
	if (keep_peer(conn, &peer) < 0) {
		ses_stream_close(stream);
		return SESAME_ENOMEM;
	}
	ses_session_init(&conn->session, &conn->kind->session, &setup->deflate,
			 conn);
	adopt_stream(conn, stream);
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

	if (!conn)
		return NULL;
	if (!need_extra(conn)) {
		release(conn);
		return NULL;
	}
	conn->extra->opening = opening;
	return conn;
}

int ses_conn_open(struct sesame_conn *conn, struct ses_stream *stream,
		  const struct ses_conn_setup *setup, uint8_t *early,
		  size_t early_len)
{
	struct ses_conn_kind *kind =
		ses_conn_kind_of(stream->loop, setup, &session_events);

	if (!kind) {
		ses_stream_close(stream);
		return SESAME_ENOMEM;
	}
	ses_conn_kind_unref(conn->kind);
	conn->kind = kind;
	if (give_stream(conn, stream, setup) < 0)
		return SESAME_ENOMEM;
	conn->extra->opening = NULL;
	tidy_extra(conn);
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
	struct ses_opening *opening = conn->extra->opening;

	conn->extra->opening = NULL;
	if (opening)
		opening->cancel(opening);
}

/* The attempt to open is given up; on_close follows. */
static void cancel_opening(struct sesame_conn *conn, enum ses_conn_cause cause)
{
	if (!conn->busy) /* else it is on the stack */
		free_opening(conn);
	set_done(conn, SESAME_ECLOSED, cause);
}

bool ses_conn_tell_handshake(struct sesame_conn *conn, bool sent,
			     struct bytes head)
{
	if (!conn->kind->handlers->on_handshake)
		return true;
	conn->busy++;
	conn->kind->handlers->on_handshake(conn, conn->user, sent,
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
		cancel_opening(conn, SES_CAUSE_GIVEN_UP);
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
		wake_at(conn, now_ms(conn) + conn->kind->close_ms);
	return 0;
}

void sesame_conn_abort(struct sesame_conn *conn)
{
	conn->polite = false;
	if (conn->state == SES_CONN_OPENING) {
		cancel_opening(conn, SES_CAUSE_ABORTED);
		return;
	}
	conn->session.over = true; /* what else has come is not looked at */
	set_done(conn, SESAME_ECLOSED, SES_CAUSE_ABORTED);
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
		conn->stream->last_read_ms = (uint32_t)now_ms(conn);
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
	return loop_of(conn);
}

const char *sesame_conn_subprotocol(const struct sesame_conn *conn)
{
	return conn->kind->subprotocol;
}

const char *sesame_conn_peer(const struct sesame_conn *conn)
{
	/* most connections are never asked, so the text is made when one is */
	struct sesame_conn *mutable = (struct sesame_conn *)conn;
	struct ses_addr peer = peer_of(conn);
	char text[SES_ADDR_TEXT];

	if (!peer.len || !need_extra(mutable))
		return "";
	if (!conn->extra->peer_text)
		conn->extra->peer_text = strdup(ses_addr_format(&peer, text));
	return conn->extra->peer_text ? conn->extra->peer_text : "";
}
