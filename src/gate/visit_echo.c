/* SPDX-License-Identifier: MIT */
/* `to: echo`: what a client sends comes back to it. */
#include "gate/visit_inner.h"

#include <sesame/version.h>

#include "gate/subprotocols.h"

/* What came with the handshake is handled before ses_conn_begin() returns. */
void gate_visit_on_open(struct sesame_conn *conn, void *user)
{
	struct gate_visit *v = user;

	v->conn = conn;
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct gate_visit *v = user;

	gate_record_pass(v->record, GATE_IN, len, 1);
	if (!gate_visit_may_go_on(v))
		return;
	gate_record_pass(v->record, GATE_OUT, len, 1);
	/* What a slow reader has not taken holds its next messages back. */
	if (sesame_conn_send(conn, kind, data, len) == SESAME_EAGAIN)
		sesame_conn_pause(conn);
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	sesame_conn_resume(conn);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct gate_visit *v = user;

	gate_record_ended(v->record, end);
}

static const struct sesame_handlers echo = {
	.on_open = gate_visit_on_open,
	.on_message = on_message,
	.on_drain = on_drain,
	.on_close = on_close,
};

static void on_conn_gone(struct sesame_conn *conn, void *context)
{
	struct gate_visit *v = sesame_conn_user(conn);

	v->conn = NULL;
	gate_visit_farewell(v);
}

static void set_limits(const struct gate_route *route,
		       struct sesame_limits *limits)
{
	limits->message_bytes = (size_t)route->limits.message_bytes;
	limits->idle_ms = (uint32_t)route->limits.idle_ms;
	/* So that a peer which is alive is never silent that long. */
	if (limits->idle_ms && limits->idle_ms < 75000)
		limits->ping_ms = limits->idle_ms * 2 / 5;
}

enum gate_outcome gate_visit_echo(struct gate_visit *v)
{
	struct ses_conn_setup setup = {.handlers = &echo};
	struct ses_deflate_policy deflate = {.enabled = true,
					     .no_context_takeover = true};

	if (ses_deflate_choose(v->asking->head, &deflate, &setup.deflate) < 0)
		return gate_visit_refuse_fault(v, SES_FAULT_REQUEST_EXTENSIONS,
					       v->asking->head);
	return gate_visit_serve(v, &setup);
}

/*
 * Browsers that offered drop an answer without one. But a hub agrees to nothing
 * that its route does not name: who misspelt sesame.v1 would hear nothing of it.
 */
static struct bytes answer_of(const struct gate_route *route,
			      const struct gate_asked *asked)
{
	if (route->to == GATE_TO_HUB && !route->subprotocols.line)
		return gate_marker_subprotocol(route, asked);
	return gate_chosen_subprotocol(route, asked, route->observe);
}

enum gate_outcome gate_visit_serve(struct gate_visit *v,
				   struct ses_conn_setup *setup)
{
	/* the visit knows who it is, so nobody asks the connection */
	static const struct ses_addr unasked;
	struct gate_asked asked = gate_asked_of(&v->asking->request);
	struct ses_stream *stream = v->stream;
	struct sesame_conn *conn = NULL;
	struct ses_buf out;
	int r;

	setup->role = SESAME_SERVER;
	if (!setup->subprotocol.data)
		setup->subprotocol = answer_of(v->route, &asked);
	setup->user = v;
	setup->on_gone = on_conn_gone;
	setup->peer = &unasked;
	set_limits(v->route, &setup->limits);
	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	r = ses_upgrade_write_response(&v->asking->offer, setup->subprotocol,
				       &setup->deflate,
				       BYTES("sesame/" SESAME_VERSION), &out);
	if (r == 0)
		r = ses_stream_send(stream, ses_buf_bytes(&out));
	ses_buf_fini(&out);
	if (r < 0 && r != SESAME_EAGAIN) {
		gate_visit_farewell(v);
		return GATE_OVER;
	}
	ses_timers_stop(&v->gate->loop->timers, &v->timer);
	gate_visit_limit_messages(v); /* without memory there is no limit */
	gate_record_open(v, setup->subprotocol);
	v->stream = NULL; /* the connection's from now on */
	if (ses_conn_begin(stream, setup, v->data, v->len, &conn) < 0)
		gate_visit_farewell(v);
	if (!conn) /* it has come and gone, and the visit with it */
		return GATE_OVER;
	gate_visit_free_asking(v);
	gate_visit_move(&v->link, v->gate->policy);
	return GATE_OVER;
}
