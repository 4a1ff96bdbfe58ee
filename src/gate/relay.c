/* SPDX-License-Identifier: MIT */
/* Both sides of a tunnel are handled by the same few functions. */
#include "gate/relay.h"

#include <stdlib.h>

#include <sesame/error.h>

#define PART_MS 2000 /* for the last bytes */

struct gate_relay {
	struct ses_stream *side[2]; /* client, server */
	bool said_all[2];	    /* its end has come */
	struct ses_timer idle;
	uint64_t idle_ms;
	const struct gate_relay_events *events;
	void *user;
};

static void free_relay(struct gate_relay *r)
{
	ses_timers_stop(&r->side[0]->loop->timers, &r->idle);
	ses_stream_close(r->side[0]);
	ses_stream_close(r->side[1]);
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

static int side_of(const struct gate_relay *r, const struct ses_stream *s)
{
	return s == r->side[1];
}

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct gate_relay *r = s->owner;
	int side = side_of(r, s), error;

	r->events->passed(r->user, side, len);
	error = ses_stream_send(r->side[!side], bytes_of(data, len));
	if (error == SESAME_EAGAIN) {
		ses_stream_pause(s);
	} else if (error < 0) {
		tell_ending(r, !side, error);
		end(r);
	}
}

static void on_drain(struct ses_stream *s)
{
	struct gate_relay *r = s->owner;

	ses_stream_resume(r->side[!side_of(r, s)]);
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
	free(r);
}

static void part(struct gate_relay *r, const struct ses_stream *broken)
{
	void (*gone)(void *) = r->events->gone;
	void *user = r->user;

	let_go(r, broken);
	gone(user);
}

void gate_relay_part(struct gate_relay *r)
{
	let_go(r, NULL);
}

static void on_end(struct ses_stream *s, int error)
{
	struct gate_relay *r = s->owner;
	int side = side_of(r, s);

	tell_ending(r, side, error);
	r->said_all[side] = true;
	if (error)
		part(r, s);
	else if (r->said_all[!side])
		part(r, NULL);
	else
		ses_stream_shutdown(r->side[!side]);
}

static const struct ses_stream_events relaying = {
	.on_bytes = on_bytes, .on_drain = on_drain, .on_end = on_end};

static void on_idle(struct ses_timer *timer)
{
	struct gate_relay *r = ses_container_of(timer, struct gate_relay, idle);
	struct sesame_loop *loop = r->side[0]->loop;
	uint64_t last = r->side[0]->last_read_ms;

	if (r->side[1]->last_read_ms > last)
		last = r->side[1]->last_read_ms;
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

	if (!r) {
		ses_stream_close(client);
		ses_stream_close(server);
		return NULL;
	}
	r->side[0] = client;
	r->side[1] = server;
	r->idle_ms = idle_ms;
	r->events = events;
	r->user = user;
	r->idle.fire = on_idle;
	ses_stream_take(client, &relaying, r);
	ses_stream_take(server, &relaying, r);
	ses_stream_resume(client);
	ses_stream_resume(server);
	ses_timers_start(&client->loop->timers, &r->idle,
			 client->loop->now_ms + idle_ms);
	return r;
}
