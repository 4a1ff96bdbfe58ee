/* SPDX-License-Identifier: MIT */
/*
 * A connection: a session over a stream. The session decides what bytes mean,
 * the stream moves them; here is what neither knows: time, back-pressure, who
 * closes TCP first (RFC 6455 section 7.1), and lifetimes. A connection may be
 * closed or aborted from inside any of its callbacks, so nothing is freed
 * while one is on the stack: ses_conn_settle() does it afterwards, or the timer
 * does.
 *
 * How it ends is in conn_end.c, what it sends in conn_send.c.
 */
#include "ws/conn_inner.h"

#include <stdlib.h>

#include "wire/close.h"

/* Who inflates so much at a time has its next turn after all others. */
#define HEAVY_BYTES ((uint32_t)64 * 1024)

/* While it opens others look at the time. */
#define OPENING_MS 30000

static const struct sesame_session_events session_events;
static const struct ses_stream_events stream_events;

/* ---- time, in turns and outside of them ---- */

uint64_t ses_conn_now_ms(const struct sesame_conn *conn)
{
	struct sesame_loop *loop = ses_conn_loop(conn);

	if (!loop->in_turn)
		ses_loop_update(loop);
	return loop->now_ms;
}

void ses_conn_wake_at(struct sesame_conn *conn, uint64_t at_ms)
{
	/* cannot fail: the timer has had its place since the beginning */
	ses_timers_start(&ses_conn_loop(conn)->timers, &conn->timer, at_ms);
}

/* ---- what the session tells and asks ---- */

static uint8_t *on_output(void *user, size_t len)
{
	struct sesame_conn *conn = user;
	uint8_t *room;

	ses_conn_commit_pending(conn);
	if (!conn->stream)
		return NULL;
	if (!conn->sending &&
	    ses_stream_queued(conn->stream) > conn->kind->stream.queue_high)
		return ses_conn_room_aside(conn, len);
	if (conn->sending && !ses_conn_has_room(conn, len))
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

	ses_conn_commit_pending(conn);
	if (conn->state != SES_CONN_DONE && conn->kind->handlers->on_message)
		conn->kind->handlers->on_message(conn, conn->user, kind, data,
						 len);
}

static void on_ping(void *user, const uint8_t *data, size_t len)
{
	ses_conn_commit_pending(user);
}

static void on_pong(void *user, const uint8_t *data, size_t len)
{
	struct sesame_conn *conn = user;

	ses_conn_commit_pending(conn);
	if (conn->state != SES_CONN_DONE && conn->kind->handlers->on_pong)
		conn->kind->handlers->on_pong(conn, conn->user, data, len);
}

static int error_of_fault(enum ses_fault fault)
{
	return fault == SES_FAULT_MESSAGE_TOO_BIG ? SESAME_ELIMIT
						  : SESAME_EPROTO;
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

	ses_conn_commit_pending(conn);
	if (conn->state == SES_CONN_DONE)
		return;
	ses_conn_keep_end(conn, code, reason, reason_len, clean);
	conn->polite = true;
	conn->end_by_peer = conn->session.close_received && !conn->closed_here;
	if (clean && conn->kind->session.role == SESAME_CLIENT) {
		conn->state = SES_CONN_PARTING;
		ses_stream_resume(conn->stream);
		ses_conn_wake_at(conn,
				 ses_conn_now_ms(conn) + conn->kind->close_ms);
		return;
	}
	if (clean)
		ses_conn_set_done(conn, 0, SES_CAUSE_NONE);
	else if (fault)
		ses_conn_set_done(conn, error_of_fault(conn->session.fault),
				  SES_CAUSE_FAULT);
	else if (conn->session.close_received)
		ses_conn_set_done(conn, SESAME_ERESET, SES_CAUSE_UNANSWERED);
	else /* the one thing that is not the peer's doing */
		ses_conn_set_done(conn, SESAME_ENOMEM, SES_CAUSE_ERROR);
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
	ses_conn_commit_pending(conn);
	conn->busy--;
	if (error == SESAME_ENOMEM)
		ses_conn_set_done(conn, error, SES_CAUSE_ERROR);
	ses_conn_settle(conn);
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

static void on_drain(struct ses_stream *stream)
{
	struct sesame_conn *conn = stream->owner;
	bool told_full = conn->told_full;

	ses_conn_send_late_pong(conn);
	conn->told_full = false;
	if (!told_full || conn->state != SES_CONN_OPEN ||
	    !conn->kind->handlers->on_drain)
		return;
	conn->busy++;
	conn->kind->handlers->on_drain(conn, conn->user);
	conn->busy--;
	ses_conn_settle(conn);
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
	ses_conn_set_done(conn, error ? error : SESAME_ERESET,
			  cause_of_cut(conn, error));
	ses_conn_settle(conn);
}

static const struct ses_stream_events stream_events = {
	.on_bytes = on_bytes,
	.on_room = on_room,
	.on_filled = on_filled,
	.on_drain = on_drain,
	.on_end = on_end,
};

/* ---- silence ---- */

/*
 * The timer is not moved when bytes come: it fires, finds that they came, and
 * sleeps for the rest. One ping is sent into each silence.
 */
static void look_at_silence(struct sesame_conn *conn)
{
	uint64_t now = ses_conn_now_ms(conn),
		 heard = ses_stream_heard_ms(conn->stream);
	const struct ses_conn_kind *kind = conn->kind;
	uint64_t ping_at = heard + kind->ping_ms;
	uint64_t idle_at = heard + kind->idle_ms;
	bool pinged = conn->pinged &&
		      (uint32_t)now - conn->pinged_ms < (uint32_t)(now - heard);

	conn->pinged = pinged;
	/* Its silence is our own doing, unless it does not read either. */
	if (conn->paused && !(conn->stream->blocked && now >= idle_at)) {
		ses_conn_wake_at(conn, now + kind->ping_ms);
		return;
	}
	if (conn->paused) {
		ses_conn_set_done(conn, SESAME_ETIMEOUT, SES_CAUSE_UNREAD);
		return;
	}
	if (now >= idle_at) {
		ses_conn_set_done(conn, SESAME_ETIMEOUT, SES_CAUSE_SILENT);
		return;
	}
	if (!pinged && now >= ping_at) {
		conn->pinged_ms = (uint32_t)now;
		conn->pinged = pinged = true;
		conn->sending = true; /* the place aside is for pongs alone */
		sesame_session_ping(&conn->session, NULL, 0);
		ses_conn_commit_pending(conn);
		conn->sending = false;
	}
	if (pinged) /* an answer may begin a new silence long before idle_at */
		ping_at = now + kind->ping_ms;
	ses_conn_wake_at(conn, idle_at < ping_at ? idle_at : ping_at);
}

static void on_timer(struct ses_timer *timer)
{
	struct sesame_conn *conn =
		ses_container_of(timer, struct sesame_conn, timer);

	switch ((enum ses_conn_state)conn->state) {
	case SES_CONN_OPENING: /* it only keeps its place: see ses_conn_wake_at() */
		ses_conn_wake_at(conn, ses_conn_now_ms(conn) + OPENING_MS);
		break;
	case SES_CONN_OPEN:
		look_at_silence(conn);
		break;
	case SES_CONN_CLOSING:
		conn->polite = false;
		ses_conn_set_done(conn, SESAME_ETIMEOUT, SES_CAUSE_NO_CLOSE);
		break;
	case SES_CONN_PARTING: /* it had its time; none more to linger */
		conn->polite = false;
		ses_conn_set_done(conn, 0, SES_CAUSE_NONE);
		break;
	case SES_CONN_DONE:
		break;
	}
	ses_conn_settle(conn);
}

/* ---- the beginning ---- */

static struct sesame_conn *make(struct sesame_loop *loop,
				const struct ses_conn_setup *setup)
{
	struct sesame_conn *conn = malloc(sizeof(*conn));

	if (!conn)
		return NULL;
	*conn = (struct sesame_conn){
		.kind = ses_conn_kind_of(loop, setup, &session_events),
		.user = setup->user,
		.end_code = SES_CLOSE_CUT,
		.timer.fire = on_timer,
	};
	if (!conn->kind) {
		free(conn);
		return NULL;
	}
	ses_list_init(&conn->link);
	if (ses_timers_start(&loop->timers, &conn->timer,
			     ses_conn_now_ms(conn) + OPENING_MS) < 0) {
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
	stream->last_read_ms = (uint32_t)ses_conn_now_ms(conn);
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
		ses_conn_commit_pending(conn);
	}
	conn->busy--;
	if (error == SESAME_ENOMEM)
		ses_conn_set_done(conn, error, SES_CAUSE_ERROR);
	if (conn->state != SES_CONN_DONE) {
		ses_stream_forget_tls_info(conn->stream);
		return true;
	}
	ses_conn_finish(conn);
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
		ses_conn_release(conn);
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
	if (!ses_conn_need_extra(conn)) {
		ses_conn_release(conn);
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
	ses_conn_tidy_extra(conn);
	go(conn, early, early_len);
	return 0;
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
	ses_conn_free_opening(conn);
	ses_conn_settle(conn);
	return false;
}

/* ---- what the owner does and asks ---- */

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
		conn->stream->last_read_ms = (uint32_t)ses_conn_now_ms(conn);
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
	return ses_conn_loop(conn);
}

const char *sesame_conn_subprotocol(const struct sesame_conn *conn)
{
	return conn->kind->subprotocol;
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

const char *sesame_conn_peer(const struct sesame_conn *conn)
{
	/* most connections are never asked, so the text is made when one is */
	struct sesame_conn *mutable = (struct sesame_conn *)conn;
	struct ses_addr peer = peer_of(conn);
	char text[SES_ADDR_TEXT];

	if (!peer.len || !ses_conn_need_extra(mutable))
		return "";
	if (!conn->extra->peer_text)
		conn->extra->peer_text = strdup(ses_addr_format(&peer, text));
	return conn->extra->peer_text ? conn->extra->peer_text : "";
}
