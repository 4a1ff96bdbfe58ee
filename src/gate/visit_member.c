/* SPDX-License-Identifier: MIT */
/*
 * `to: hub`: the path below the route's names a channel, and what a member of
 * it sends reaches all others. A member that reads slowly loses messages or its
 * connection, as the route has it, and holds nobody up.
 */
#include "gate/visit_member.h"

#include <stdlib.h>

#include <sesame/error.h>

#include "base/percent.h"
#include "gate/visit_inner.h"

struct gate_member {
	struct hub_member member;
	struct gate_visit *visit;
};

/* ---- What the hub tells ---- */

static void deliver(struct hub_member *member, struct bytes frame, size_t len)
{
	struct gate_member *m =
		ses_container_of(member, struct gate_member, member);
	struct gate_visit *v = m->visit;
	int r;

	if (!v->conn)
		return;
	r = ses_conn_send_frame(v->conn, frame);
	if (r == 0 || r == SESAME_EAGAIN)
		gate_record_pass(v->record, GATE_OUT, len, 1);
	else if (r == SESAME_ECLOSED)
		return; /* it is leaving */
	else if (v->route->hub.slow == GATE_SLOW_DROP && r == SESAME_ELIMIT)
		gate_record_drop(v->record);
	else if (sesame_conn_close(v->conn, 1013, "too slow for the channel"))
		sesame_conn_abort(v->conn);
}

static void go_on(struct hub_member *member)
{
	struct gate_member *m =
		ses_container_of(member, struct gate_member, member);

	if (m->visit->conn)
		sesame_conn_resume(m->visit->conn);
}

const struct hub_events gate_hub_events = {deliver, go_on};

/* ---- What the connection tells ---- */

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct gate_visit *v = user;
	struct hub_receipt receipt = {0};
	enum hub_verdict verdict;

	gate_record_pass(v->record, GATE_IN, len, 1);
	if (!v->member || !gate_visit_may_go_on(v))
		return;
	verdict = hub_publish(v->gate->seat, &v->member->member, kind,
			      bytes_of(data, len), &receipt);
	if (verdict != HUB_OK &&
	    sesame_conn_close(conn, 1013, "the gateway holds no more") < 0)
		sesame_conn_abort(conn);
	if (!receipt.hold_back)
		return;
	sesame_conn_pause(conn);
	hub_hold(v->gate->seat, &v->member->member);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct gate_visit *v = user;

	gate_record_ended(v->record, end);
}

static const struct sesame_handlers member_of_channel = {
	.on_open = gate_visit_on_open,
	.on_message = on_message,
	.on_close = on_close,
};

/* ---- Coming and going ---- */

bool gate_visit_channel(struct gate_visit *v, uint8_t out[HUB_NAME_MAX],
			struct bytes *ret_name)
{
	struct bytes path = gate_path_of(v->asking->request.target);
	struct bytes name = gate_path_pattern_rest(&v->route->pattern, path);
	struct gate_refusal why = {.cause = WHY_URL_PATH, .status = 400};
	size_t n = 0;

	/* One byte more than fits is seen to be too long. */
	uint8_t decoded[HUB_NAME_MAX + 1];

	while (name.len && n < sizeof(decoded))
		decoded[n++] = ses_percent_next(&name);
	*ret_name = bytes_of(decoded, n);
	/* A route of one path is one channel, without a name. */
	if (v->route->pattern.kind != GATE_PATH_EXACT)
		why.sentence = hub_name_wrong(*ret_name);
	why.note = why.sentence;
	if (why.sentence) {
		gate_visit_refuse(v, &why);
		return false;
	}
	memcpy(out, decoded, n);
	*ret_name = bytes_of(out, n);
	return true;
}

static enum gate_outcome refuse_full(struct gate_visit *v,
				     enum hub_verdict verdict)
{
	static const char *const notes[] = {
		[HUB_CHANNELS_FULL] = "hub.channels of this route is reached",
		[HUB_MEMBERS_FULL] = "hub.members of this channel is reached",
		[HUB_NO_MEMORY] = "out of memory",
	};
	struct gate_refusal why = {
		.cause = WHY_SERVER_LIMIT,
		.status = 503,
		.sentence = verdict == HUB_NO_MEMORY ? GATE_NO_ROOM : NULL,
		.note = notes[verdict],
	};

	return gate_visit_refuse(v, &why);
}

static enum hub_verdict join(struct gate_visit *v, struct bytes name)
{
	const struct gate_hub_settings *hub = &v->route->hub;
	struct hub_bounds bounds = {hub->channels, hub->members};
	struct gate_member *m = calloc(1, sizeof(*m));
	enum hub_verdict verdict = HUB_NO_MEMORY;

	if (m) {
		m->visit = v;
		m->member.echo = hub->echo;
		verdict = hub_join(v->gate->seat, hub->space, name, bounds,
				   &m->member);
	}
	if (verdict == HUB_OK)
		v->member = m;
	else
		free(m);
	return verdict;
}

enum gate_outcome gate_visit_join(struct gate_visit *v)
{
	/* Frames are shared by all members, so none is compressed. */
	struct ses_conn_setup setup = {
		.handlers = &member_of_channel,
		.limits = {.queue_bytes = (size_t)v->route->hub.queue},
	};
	uint8_t decoded[HUB_NAME_MAX];
	enum hub_verdict verdict;
	struct bytes name;

	if (!gate_visit_channel(v, decoded, &name))
		return GATE_OVER;
	verdict = join(v, name);
	if (verdict != HUB_OK)
		return refuse_full(v, verdict);
	return gate_visit_serve(v, &setup);
}

void gate_visit_leave_channel(struct gate_visit *v)
{
	if (!v->member)
		return;
	hub_leave(v->gate->seat, &v->member->member);
	free(v->member);
	v->member = NULL;
}
