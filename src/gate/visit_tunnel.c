/* SPDX-License-Identifier: MIT */
/* A client and a server behind, joined: what passes, and who ends it. */
#include "gate/visit_inner.h"

#include "gate/forward.h"

#define RELAY_IDLE_MS 3600000

static void on_passed(void *user, int side, size_t len)
{
	struct gate_visit *v = user;

	gate_record_pass(v->record, side == 0 ? GATE_IN : GATE_OUT, len, 0);
}

static void on_ending(void *user, int side, int error)
{
	struct gate_visit *v = user;
	enum gate_by by = side == 0   ? GATE_END_CLIENT
			  : side == 1 ? GATE_END_SERVER
				      : GATE_END_GATEWAY;

	gate_record_end(v->record, by, 0,
			bytes_of_str(side < 0 ? "silent for longer than "
						"limits.idle"
				     : error  ? sesame_strerror(error)
					      : ""));
}

static void on_relay_gone(void *user)
{
	struct gate_visit *v = user;

	v->relay = NULL;
	gate_visit_farewell(v);
}

static bool on_said(void *user, int side, const struct gate_said *said,
		    struct gate_cut *ret_cut)
{
	struct gate_visit *v = user;

	if (said->fault != SES_FAULT_NONE) {
		gate_visit_cut_for_fault(v, side, said->fault, ret_cut);
		return true;
	}
	if (said->last)
		gate_record_pass(v->record, side == 0 ? GATE_IN : GATE_OUT, 0,
				 1);
	return side == 0 &&
	       !gate_visit_may_say(v, said->first, said->message, ret_cut);
}

static const struct gate_relay_events tunnel = {
	.passed = on_passed, .ending = on_ending, .gone = on_relay_gone};
static const struct gate_relay_events judged_tunnel = {.passed = on_passed,
						       .ending = on_ending,
						       .judge = on_said,
						       .gone = on_relay_gone};

static const struct gate_refusal no_memory = {
	.cause = WHY_SERVER_LIMIT,
	.status = 503,
	.note = "there is no memory for the tunnel",
};

void gate_visit_open_tunnel(struct gate_visit *v,
			    const struct gate_upstream_result *result)
{
	uint64_t idle = v->route->limits.idle_ms;
	struct ses_stream *client = v->stream;
	struct ses_buf out;
	bool kept = gate_visit_limit_messages(v);
	int r;

	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	r = gate_acceptance_write(result->head, v->asking->fallback, &out);
	/* What came behind its 101 goes the way of all that follows. */
	if (!kept || r < 0 ||
	    ses_stream_unread(result->stream, result->early) < 0 ||
	    ses_stream_send(client, ses_buf_bytes(&out)) < 0) {
		ses_stream_close(result->stream);
		gate_visit_refuse(v, &no_memory);
	} else {
		gate_record_open(v, ses_head_get(result->head,
						 "Sec-WebSocket-Protocol"));
		gate_visit_free_asking(v);
		v->stream = NULL;
		v->relay = gate_relay_start(
			client, result->stream, idle ? idle : RELAY_IDLE_MS,
			v->memo ? &judged_tunnel : &tunnel, v);
		if (v->relay)
			gate_visit_move(&v->link, v->gate->policy);
		else
			gate_visit_farewell(v);
	}
	ses_buf_fini(&out);
}
