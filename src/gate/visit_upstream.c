/* SPDX-License-Identifier: MIT */
/* `to: ws://...`: a server behind is asked, and joined with its client. */
#include "gate/visit_inner.h"

#include <stdio.h>

#include "gate/forward.h"

#define RELAY_IDLE_MS 3600000

static void answer_client(struct gate_visit *v,
			  const struct gate_upstream_result *result);

static void on_upstream(void *user, const struct gate_upstream_result *result)
{
	struct gate_visit *v = user;

	v->upstream = NULL;
	answer_client(v, result);
}

enum gate_outcome gate_visit_ask_upstream(struct gate_visit *v)
{
	struct gate_forward forward = {
		.route = v->route,
		.hops = &v->asking->hops,
	};
	struct gate_refusal why = {.cause = WHY_SERVER_LIMIT, .status = 503};
	struct ses_buf out;
	int r = SESAME_ENOMEM;

	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	if (gate_visit_keep(v)) {
		forward.head = v->asking->head;
		r = gate_forward_write(&forward, &out);
	}
	if (r >= 0)
		v->upstream =
			gate_upstream_start(v->gate->loop, v->route, &out,
					    v->asking->head, on_upstream, v);
	ses_buf_fini(&out);
	why.note = r < 0 ? sesame_strerror(r) : "out of memory";
	if (!v->upstream)
		return gate_visit_refuse(v, &why);
	ses_timers_stop(&v->gate->loop->timers, &v->timer);
	v->step++;
	return v->len ? gate_visit_hold_back(v) : GATE_WAIT;
}

static void refuse_for_upstream(struct gate_visit *v,
				const struct gate_upstream_result *result)
{
	char note[256];
	struct gate_refusal why = {
		.cause = result->error == SESAME_EPROTO
				 ? WHY_SERVER_BAD_ACCEPT
				 : WHY_SERVER_BACKEND_DOWN,
		.status = result->error == SESAME_ETIMEOUT ? 504 : 502,
		.note = note,
	};

	snprintf(note, sizeof(note), "%s: %s", v->route->upstream,
		 result->text ? result->text : sesame_strerror(result->error));
	gate_visit_refuse(v, &why);
}

static void on_relay_gone(void *user)
{
	struct gate_visit *v = user;

	v->relay = NULL;
	gate_visit_farewell(v);
}

static void open_tunnel(struct gate_visit *v,
			const struct gate_upstream_result *result)
{
	uint64_t idle = v->route->limits.idle_ms;
	struct ses_stream *client = v->stream;
	struct ses_buf out;

	gate_visit_free_asking(v);
	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	if (gate_acceptance_write(result->head, &out) < 0 ||
	    ses_stream_send(client, ses_buf_bytes(&out)) < 0) {
		ses_stream_close(result->stream);
		gate_visit_farewell(v);
	} else {
		ses_stream_send(client, result->early);
		v->stream = NULL;
		v->relay = gate_relay_start(client, result->stream,
					    idle ? idle : RELAY_IDLE_MS,
					    on_relay_gone, v);
		if (v->relay)
			gate_visit_move(&v->link, v->gate->policy);
		else
			gate_visit_farewell(v);
	}
	ses_buf_fini(&out);
}

static void answer_client(struct gate_visit *v,
			  const struct gate_upstream_result *result)
{
	if (result->error == 0)
		open_tunnel(v, result);
	else if (result->error == SESAME_EREFUSED)
		gate_visit_pass_refusal_on(v, result);
	else
		refuse_for_upstream(v, result);
}
