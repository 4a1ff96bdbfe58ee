/* SPDX-License-Identifier: MIT */
/* Both sides of a tunnel are handled by the same few functions. */
#include "gate/relay.h"

#include <stdlib.h>
#include <string.h>

#include <sesame/error.h>

#include "wire/mask.h"

#define PART_MS 2000 /* for the last bytes */
#define HALF_MS 5000 /* of silence, once one side has ended */

/* A tunnel whose messages are judged. */
struct watch {
	struct gate_frames from[2]; /* by side */
	struct gate_cut cut;
	bool is_cut;
	bool told; /* the client has its close frame */
};

struct gate_relay {
	struct ses_stream *side[2]; /* client, server */
	bool said_all[2];	    /* its end has come */
	struct ses_timer idle;
	uint64_t idle_ms;
	/* What the side had not taken when it was last looked at, while the
	 * other one waited for that. */
	size_t left[2];
	const struct gate_relay_events *events;
	void *user;
	struct watch *watch; /* NULL: nobody judges */
};

static void free_relay(struct gate_relay *r)
{
	ses_timers_stop(&r->side[0]->loop->timers, &r->idle);
	ses_stream_close(r->side[0]);
	ses_stream_close(r->side[1]);
	free(r->watch);
	free(r);
}

void gate_relay_close(struct gate_relay *r)
{
	free_relay(r);
}

/* Who ended it: the first one that said so. */
static void tell_ending(struct gate_relay *r, int side, int error)
{
	if (!r->said_all[0] && !r->said_all[1])
		r->events->ending(r->user, side, error);
}

static void end(struct gate_relay *r)
{
	void (*gone)(void *) = r->events->gone;
	void *user = r->user;

	free_relay(r);
	gone(user);
}

/* Let what is queued arrive on the sides that still can take it. */
static void let_go(struct gate_relay *r, const struct ses_stream *broken)
{
	ses_timers_stop(&r->side[0]->loop->timers, &r->idle);
	for (int i = 0; i < 2; i++) {
		if (r->side[i] == broken)
			ses_stream_close(r->side[i]);
		else
			ses_stream_linger(r->side[i], PART_MS);
	}
	free(r->watch);
	free(r);
}

static void part(struct gate_relay *r, const struct ses_stream *broken)
{
	void (*gone)(void *) = r->events->gone;
	void *user = r->user;

	let_go(r, broken);
	gone(user);
}

static int side_of(const struct gate_relay *r, const struct ses_stream *s)
{
	return s == r->side[1];
}

/* False: the other side is broken, and the relay gone. */
static bool pass(struct gate_relay *r, int side, struct bytes data)
{
	int error = ses_stream_send_now(r->side[!side], data);

	if (error == SESAME_EAGAIN) {
		ses_stream_pause(r->side[side]);
	} else if (error < 0) {
		tell_ending(r, !side, error);
		part(r, r->side[!side]);
		return false;
	}
	r->events->passed(r->user, side, data.len);
	return true;
}

/* ---- Judged messages ---- */

struct hearing {
	struct gate_relay *relay;
	int side;
};

static bool judge(void *user, const struct gate_said *said)
{
	struct hearing *h = user;
	struct gate_relay *r = h->relay;

	r->watch->is_cut =
		r->events->judge(r->user, h->side, said, &r->watch->cut);
	return !r->watch->is_cut;
}

/* A close frame of our own; to a server it is masked, as a client's. */
static void send_close(struct ses_stream *to, unsigned code, const char *reason,
		       bool masked)
{
	uint8_t frame[SES_FRAME_HEAD_MAX + SES_CONTROL_MAX];
	uint8_t body[SES_CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
	size_t len = strnlen(reason, sizeof(body) - 2), head;
	struct ses_frame f = {.fin = true,
			      .opcode = SES_OP_CLOSE,
			      .masked = masked,
			      .payload_len = len + 2};

	memcpy(body + 2, reason, len);
	if (masked)
		ses_random(f.mask, sizeof(f.mask));
	head = ses_frame_encode(&f, frame);
	if (masked)
		ses_mask(frame + head, body, len + 2, f.mask, 0);
	else
		memcpy(frame + head, body, len + 2);
	ses_stream_send(to, bytes_of(frame, head + len + 2));
}

/* The client's close frame stands between two frames of the server's. */
static void tell_client(struct gate_relay *r)
{
	struct watch *w = r->watch;

	if (w->told || !gate_frames_between(&w->from[1]))
		return;
	w->told = true;
	send_close(r->side[0], w->cut.code, w->cut.reason, false);
	ses_stream_shutdown(r->side[0]);
}

static void on_cut_time(struct ses_timer *timer)
{
	part(ses_container_of(timer, struct gate_relay, idle), NULL);
}

/*
 * What comes from now on is dropped, but for the rest of a frame that the
 * client has the beginning of. Both are read on for a while: who closes over
 * bytes that are not read resets the connection, and the close frame is lost.
 */
static void cut(struct gate_relay *r)
{
	struct watch *w = r->watch;

	if (w->cut.for_server[0])
		send_close(r->side[1], 1001, w->cut.for_server, true);
	ses_stream_shutdown(r->side[1]);
	ses_stream_resume(r->side[0]);
	ses_stream_resume(r->side[1]);
	tell_client(r);
	r->idle.fire = on_cut_time;
	if (ses_timers_start(&r->side[0]->loop->timers, &r->idle,
			     r->side[0]->loop->now_ms + PART_MS) < 0)
		part(r, NULL);
}

bool gate_relay_cut(struct gate_relay *r, const struct gate_cut *how)
{
	if (!r->watch)
		return false;
	if (r->watch->is_cut)
		return true;
	r->watch->is_cut = true;
	r->watch->cut = *how;
	if (!gate_frames_between(&r->watch->from[0]))
		r->watch->cut.for_server[0] = '\0';
	cut(r);
	return true;
}

/* After the cut: the rest of a frame to the client. */
static void finish_frame(struct gate_relay *r, struct bytes data)
{
	struct gate_frames *f = &r->watch->from[1];
	size_t n = data.len < f->left ? data.len : (size_t)f->left;
	int error = ses_stream_send(r->side[0], bytes_first(data, n));

	f->left -= n;
	if (error < 0 && error != SESAME_EAGAIN) {
		part(r, r->side[0]);
		return;
	}
	if (error == SESAME_EAGAIN)
		ses_stream_pause(r->side[1]); /* until it has drained */
	tell_client(r);
}

static void watch_bytes(struct gate_relay *r, int side, struct bytes data)
{
	struct watch *w = r->watch;
	struct hearing hearing = {r, side};
	struct gate_frames_pass may;

	if (w->is_cut) {
		if (side == 1 && !w->told)
			finish_frame(r, data);
		return;
	}
	gate_frames_feed(&w->from[side], data, judge, &hearing, &may);
	if (may.n_held && !pass(r, side, bytes_of(may.held, may.n_held)))
		return;
	if (may.n && !pass(r, side, bytes_first(data, may.n)))
		return;
	if (may.stopped)
		cut(r);
}

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct gate_relay *r = s->owner;
	int side = side_of(r, s);

	if (r->watch) {
		watch_bytes(r, side, bytes_of(data, len));
		return;
	}
	pass(r, side, bytes_of(data, len));
}

static void on_drain(struct ses_stream *s)
{
	struct gate_relay *r = s->owner;

	ses_stream_resume(r->side[!side_of(r, s)]);
}

void gate_relay_part(struct gate_relay *r)
{
	let_go(r, NULL);
}

/* One side is gone, and nothing makes the other one notice. */
static void await_other_end(struct gate_relay *r)
{
	struct sesame_loop *loop = r->side[0]->loop;

	if (r->idle_ms <= HALF_MS)
		return;
	r->idle_ms = HALF_MS;
	/* cannot fail: it has its place since the start */
	ses_timers_start(&loop->timers, &r->idle, loop->now_ms + HALF_MS);
}

static void on_end(struct ses_stream *s, int error)
{
	struct gate_relay *r = s->owner;
	int side = side_of(r, s);

	if (r->watch && r->watch->is_cut) {
		/* of the client it is the end, whatever the server does */
		if (side == 0 || error || !r->watch->told)
			part(r, error ? s : NULL);
		return;
	}
	tell_ending(r, side, error);
	r->said_all[side] = true;
	if (error)
		part(r, s);
	else if (r->said_all[!side])
		part(r, NULL);
	else {
		ses_stream_shutdown(r->side[!side]);
		await_other_end(r);
	}
}

static const struct ses_stream_events relaying = {
	.on_bytes = on_bytes, .on_drain = on_drain, .on_end = on_end};

/*
 * Whether a side that is slow, so that the other one is not read, still takes
 * what the system has for it, or took the last of it: that is all that moves
 * then.
 */
static bool takes_on(struct gate_relay *r)
{
	bool takes = false;

	for (int i = 0; i < 2; i++) {
		size_t left = ses_stream_unconfirmed(r->side[i]);
		bool waits = r->side[!i]->paused;

		takes |= (waits || r->left[i]) && left != r->left[i];
		r->left[i] = waits ? left : 0;
	}
	return takes;
}

static void on_idle(struct ses_timer *timer)
{
	struct gate_relay *r = ses_container_of(timer, struct gate_relay, idle);
	struct sesame_loop *loop = r->side[0]->loop;
	uint64_t last = ses_stream_heard_ms(r->side[0]);
	uint64_t other = ses_stream_heard_ms(r->side[1]);

	if (other > last)
		last = other;
	if (loop->now_ms >= last + r->idle_ms && takes_on(r))
		last = loop->now_ms;
	if (loop->now_ms >= last + r->idle_ms) {
		tell_ending(r, -1, SESAME_ETIMEOUT);
		end(r);
	} else {
		ses_timers_start(&loop->timers, &r->idle, last + r->idle_ms);
	}
}

struct gate_relay *gate_relay_start(struct ses_stream *client,
				    struct ses_stream *server, uint64_t idle_ms,
				    const struct gate_relay_events *events,
				    void *user)
{
	struct gate_relay *r = calloc(1, sizeof(*r));
	struct watch *w = events->judge ? calloc(1, sizeof(*w)) : NULL;

	if (r)
		r->idle.fire = on_idle;
	if (!r || (events->judge && !w) ||
	    ses_timers_start(&client->loop->timers, &r->idle,
			     client->loop->now_ms + idle_ms) < 0) {
		free(r);
		free(w);
		ses_stream_close(client);
		ses_stream_close(server);
		return NULL;
	}
	r->side[0] = client;
	r->side[1] = server;
	r->idle_ms = idle_ms;
	r->events = events;
	r->user = user;
	r->watch = w;
	ses_stream_take(client, &relaying, r);
	ses_stream_take(server, &relaying, r);
	ses_stream_resume(client);
	ses_stream_resume(server);
	return r;
}
