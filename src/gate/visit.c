/* SPDX-License-Identifier: MIT */
/*
 * The story of a visit, from the accepted socket to the last byte: greet, head,
 * admit (visit_admit.c), plain, upgrade (half of it there), route, live; then
 * farewell. From any of them it may be refused (visit_refuse.c). A refused
 * visitor is told a reference and the connection is closed; what it sent behind
 * its request is dropped, so nothing can be smuggled past a refusal.
 */
#include "gate/visit_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/awaited.h"

#define HEAD_MS	    10000 /* for the handshake to arrive */
#define LAST_MS	    1000  /* the same, once the gateway is being stopped */
#define QUEUE_BYTES (4 * 1024 * 1024)
#define HIGH_BYTES  (256 * 1024)

static enum gate_outcome greet(struct gate_visit *v);
static enum gate_outcome read_head(struct gate_visit *v);
static enum gate_outcome answer_plain(struct gate_visit *v);
static enum gate_outcome check_upgrade(struct gate_visit *v);
static enum gate_outcome follow_route(struct gate_visit *v);
static enum gate_outcome live(struct gate_visit *v);

static const struct gate_step steps[] = {
	{greet},	{read_head},	 {gate_visit_admit},
	{answer_plain}, {check_upgrade}, {follow_route},
	{live},
};

static void go_on(struct gate_visit *v)
{
	enum gate_outcome outcome;

	while ((outcome = v->step->take(v)) == GATE_GO_ON)
		v->step++;
}

void gate_visit_answered(struct gate_visit *v)
{
	v->data = NULL;
	v->len = 0;
	ses_stream_resume(v->stream);
	go_on(v);
}

/* ---- greet: who comes, is it TLS, and should it be? ---- */

static bool looks_like_tls(const struct gate_visit *v)
{
	return v->data[0] == 0x16; /* a handshake record (RFC 8446 5.1) */
}

static enum gate_outcome greet(struct gate_visit *v)
{
	bool tls_up = ses_stream_tls_info(v->stream) != NULL;
	enum gate_outcome outcome;

	if (tls_up)
		return GATE_GO_ON;
	outcome = gate_visit_introduce(v);
	if (outcome != GATE_GO_ON)
		return outcome;
	v->wrong_scheme = looks_like_tls(v) != (v->entrance->tls != NULL);
	if (!v->entrance->tls || v->wrong_scheme)
		return GATE_GO_ON;
	if (ses_stream_start_tls(v->stream, v->entrance->tls, NULL,
				 bytes_of(v->data, v->len)) < 0) {
		gate_visit_farewell(v);
		return GATE_OVER;
	}
	v->heard = false; /* browsers shake hands ahead, too */
	return GATE_WAIT;
}

/* ---- head: bytes become a request ---- */

/* A browser that is pointed at a WebSocket has no credentials for it. */
static bool is_read(const struct ses_head *head)
{
	return bytes_equal(head->method, BYTES("GET")) &&
	       ses_head_get(head, "Authorization").data &&
	       !ses_head_get(head, "Upgrade").data &&
	       !ses_head_get(head, "Sec-WebSocket-Key").data;
}

static void read_request(struct gate_visit *v, const struct ses_head *head)
{
	v->asking->request = (struct gate_request){
		.target = head->target,
		.host = ses_head_get(head, "Host"),
		.origin = ses_head_get(head, "Origin"),
		.user_agent = ses_head_get(head, "User-Agent"),
		.address = v->asking->hops.client,
		.address_text = bytes_of_str(v->asking->hops.client_text),
		.fields = head->fields,
		.n_fields = head->n_fields,
		.tls = ses_stream_tls_info(v->stream),
		.secure = v->asking->hops.tls,
		.is_post = bytes_equal(head->method, BYTES("POST")),
		.is_read = is_read(head),
	};
}

static enum gate_outcome read_head(struct gate_visit *v)
{
	enum ses_fault fault = SES_FAULT_NONE;
	size_t used = 0;
	int r = ses_intake_feed(&v->asking->intake, v->data, v->len,
				&v->gate->head, &used, &fault);

	if (r == 0)
		return GATE_WAIT;
	if (r < 0)
		return gate_visit_refuse_fault(v, fault, NULL);
	v->data += used;
	v->len -= used;
	v->asking->head = &v->gate->head;
	gate_visit_recognize(v);
	read_request(v, &v->gate->head);
	if (v->wrong_scheme)
		return gate_visit_refuse_fault(v, SES_FAULT_HEAD_NOT_HTTP, NULL);
	return GATE_GO_ON;
}

/* ---- plain: what is no handshake and has an answer all the same ---- */

static enum gate_outcome answer_plain(struct gate_visit *v)
{
	if (v->route->to == GATE_TO_FILES)
		return gate_visit_file(v);
	if (v->route->to == GATE_TO_HUB && v->asking->request.is_post)
		return gate_visit_publish(v);
	if (gate_reads(&v->asking->request, v->route))
		return gate_visit_read(v);
	return GATE_GO_ON;
}

/* ---- upgrade: is it a handshake? ---- */

static atomic_ullong *live_of(const struct gate_visit *v)
{
	return &v->policy->live[v->route - v->policy->route];
}

static void count_in(struct gate_visit *v)
{
	atomic_fetch_add(live_of(v), 1);
	v->counted = true;
}

static void count_out(struct gate_visit *v)
{
	if (v->counted)
		atomic_fetch_sub(live_of(v), 1);
	v->counted = false;
}

enum gate_outcome gate_visit_refuse_stopped(struct gate_visit *v)
{
	static const struct gate_refusal gone = {
		.cause = WHY_SERVER_LIMIT,
		.status = 503,
		.sentence = "The gateway is being stopped; try again in a "
			    "moment.",
		.note = "the gateway is being stopped",
	};

	return gate_visit_refuse(v, &gone);
}

static enum gate_outcome check_upgrade(struct gate_visit *v)
{
	enum gate_outcome outcome = gate_visit_check_offer(v);

	if (outcome != GATE_GO_ON)
		return outcome;
	if (v->gate->leaving)
		return gate_visit_refuse_stopped(v);
	count_in(v);
	gate_visit_note_entry(v);
	return GATE_GO_ON;
}

/* ---- route: to the echo, a channel, or a server behind ---- */

static enum gate_outcome follow_route(struct gate_visit *v)
{
	switch (v->route->to) {
	case GATE_TO_ECHO:
		return gate_visit_echo(v);
	case GATE_TO_HUB:
		return gate_visit_join(v);
	default:
		return gate_visit_ask_upstream(v);
	}
}

/* ---- live: the connection or the tunnel has it ---- */

static enum gate_outcome live(struct gate_visit *v)
{
	return v->upstream ? gate_visit_hold_back(v) : GATE_WAIT;
}

/* ---- what outlives an event ---- */

bool gate_visit_keep(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;
	const uint8_t *from;
	struct bytes *lent[] = {
		&a->request.target,	&a->request.host, &a->request.origin,
		&a->request.user_agent, &a->offer.host,	  &a->offer.target,
		&a->offer.origin,	&a->offer.key,	  &a->offer.protocols,
		&a->hops.stopped_at,
	};

	if (a->kept)
		return true;
	a->kept = gate_keep_request(a->head);
	if (!a->kept)
		return false;
	from = a->head->method.data;
	for (size_t i = 0; i < sizeof(lent) / sizeof(lent[0]); i++)
		*lent[i] = gate_kept_bytes(a->kept, from, *lent[i]);
	for (size_t i = 0; i < a->decision.n_trace; i++) {
		struct bytes *value = &a->decision.trace[i].value;

		*value = gate_kept_bytes(a->kept, from, *value);
	}
	a->head = &a->kept->head;
	a->request.fields = a->head->fields;
	return true;
}

enum gate_outcome gate_visit_hold_back(struct gate_visit *v)
{
	ses_stream_pause(v->stream);
	if (ses_stream_unread(v->stream, bytes_of(v->data, v->len)) == 0)
		return GATE_WAIT;
	gate_visit_farewell(v);
	return GATE_OVER;
}

/*
 * Most are asked and answered within one event, so that one after the other
 * uses the same memory, which the processor's caches still hold.
 */
static bool begin_asking(struct gate_visit *v)
{
	struct gate_asking *a = v->gate->spare_asking;

	v->gate->spare_asking = NULL;
	if (!a)
		a = malloc(sizeof(*a));
	if (!a)
		return false;
	memset(a, 0, offsetof(struct gate_asking, hops));
	a->hops.n = 0;
	a->decision.n_trace = 0;
	ses_intake_init(&a->intake, true);
	ses_list_init(&a->awaited);
	ses_buf_init(&a->greeting, SES_RECV_BYTES + SES_PROXY_HEADER_MAX);
	v->asking = a;
	return true;
}

static void give_back(struct gate *gate, struct gate_asking *a)
{
#ifndef SES_NO_SPARES
	if (!gate->spare_asking) {
		gate->spare_asking = a;
		return;
	}
#endif
	free(a);
}

void gate_visit_free_asking(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;

	v->asking = NULL;
	if (!a)
		return;
	ses_intake_fini(&a->intake);
	ses_buf_fini(&a->greeting);
	ses_buf_fini(&a->body);
	gate_visit_free_questions(a->questions);
	gate_visit_free_explaining(a->explaining);
	gate_awaited_forget(&a->awaited);
	free(a->kept);
	give_back(v->gate, a);
}

/* ---- farewell ---- */

void gate_visit_farewell(struct gate_visit *v)
{
	struct gate *gate = v->gate;

	ses_timers_stop(&gate->loop->timers, &v->timer);
	ses_list_remove(&v->link);
	gate_record_close(v);
	count_out(v);
	gate_upstream_cancel(v->upstream);
	gate_visit_leave_server(v);
	gate_visit_leave_channel(v);
	gate_visit_give_room_back(v);
	gate_visit_forget_memo(v);
	ses_stream_close(v->stream);
	gate_visit_free_asking(v);
	gate_entrance_done(v->entrance);
	gate_policy_unref(v->policy);
	free(v);
	if (gate->leaving && gate->n_visits == 0)
		sesame_loop_stop(gate->loop);
}

/* ---- what the stream tells, until it has another owner ---- */

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct gate_visit *v = s->owner;

	if (!v->asking && !begin_asking(v)) {
		gate_visit_farewell(v);
		return;
	}
	v->heard = true;
	v->data = data;
	v->len = len;
	go_on(v);
}

/* What a failed TLS handshake says about the visitor. */
static bool tls_failed(const struct gate_visit *v, struct gate_refusal *ret_why)
{
	const struct ses_tls_info *info = ses_stream_tls_info(v->stream);

	if (!info)
		return false;
	*ret_why = (struct gate_refusal){.note = info->text};
	switch (info->fault) {
	case SES_TLS_CLIENT_CERT: /* none was shown, or none that counts */
	case SES_TLS_UNTRUSTED:
	case SES_TLS_EXPIRED:
	case SES_TLS_HOSTNAME:
		ret_why->cause = WHY_ACCESS_CLIENT_CERT;
		return true;
	case SES_TLS_VERSION:
		ret_why->cause = WHY_TLS_VERSION;
		return true;
	case SES_TLS_ALERT: /* the client's: it does not trust ours */
		ret_why->cause = WHY_TLS_UNTRUSTED;
		return true;
	default:
		return false; /* a scan, or a client that changed its mind */
	}
}

static bool waits_for_somebody(const struct gate_asking *a)
{
	return a->waiting || a->explaining || !ses_list_empty(&a->awaited);
}

static void on_end(struct ses_stream *s, int error)
{
	static const struct gate_refusal cut_body = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.status = 400,
		.sentence = "The message ended before its Content-Length.",
		.note = "the message ended before its Content-Length",
		.takes = "as many bytes as the Content-Length says",
	};
	struct gate_visit *v = s->owner;
	struct gate_refusal why;

	if (error == SESAME_ETLS && tls_failed(v, &why))
		gate_visit_refuse(v, &why);
	else if (error || !v->heard || v->upstream ||
		 (v->asking && waits_for_somebody(v->asking)))
		gate_visit_farewell(v);
	else if (v->asking && v->asking->reads_body)
		gate_visit_refuse(v, &cut_body);
	else
		gate_visit_refuse_fault(v, SES_FAULT_HEAD_CUT, NULL);
}

static const struct ses_stream_events visiting = {.on_bytes = on_bytes,
						  .on_end = on_end};

static void on_time(struct ses_timer *timer)
{
	struct gate_visit *v = ses_container_of(timer, struct gate_visit, timer);
	struct gate_refusal slow = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.status = 408,
		.note = "the handshake did not arrive within 10 s",
	};

	if (v->asking && !ses_list_empty(&v->asking->awaited)) {
		gate_visit_refuse_unanswered(v);
		return;
	}
	if (v->asking && v->asking->explaining) {
		gate_visit_explain_without(v);
		return;
	}
	if (v->gate->leaving) {
		gate_visit_farewell(v);
		return;
	}
	if (v->asking && v->asking->reads_body) {
		slow.sentence = "The message did not arrive in time.";
		slow.note = "the message did not arrive within 10 s";
	}
	if (v->asking && v->asking->waiting) {
		slow.cause = WHY_SERVER_LIMIT;
		slow.status = 503;
		slow.sentence = "The credentials could not be checked in time; "
				"try again later.";
		slow.note = "its password could not be checked in time";
	}
	/* Who said nothing at all is no visitor: browsers connect ahead. */
	if (v->heard)
		gate_visit_refuse(v, &slow);
	else
		gate_visit_farewell(v);
}

/* ---- the visit as a whole ---- */

void gate_visit_begin(struct gate_entrance *entrance, int fd,
		      const struct ses_addr *peer)
{
	static const struct ses_stream_limits limits = {
		.queue = QUEUE_BYTES, .queue_high = HIGH_BYTES};
	struct gate *gate = entrance->gate;
	struct gate_visit *v = malloc(sizeof(*v));
	struct ses_stream *stream;

	if (!v) {
		close(fd);
		return;
	}
	stream = ses_stream_new(gate->loop, fd, &visiting, v, &limits);
	if (!stream) {
		free(v);
		return;
	}
	*v = (struct gate_visit){
		.gate = gate,
		.entrance = entrance,
		.policy = gate_policy_ref(gate->policy),
		.stream = stream,
		.step = steps,
		.timer.fire = on_time,
	};
	gate_visit_meet(v, peer);
	ses_list_init(&v->link);
	ses_list_append(&gate->visits, &v->link);
	gate_entrance_visited(entrance);
	if (ses_timers_start(&gate->loop->timers, &v->timer,
			     gate->loop->now_ms + HEAD_MS) < 0)
		gate_visit_farewell(v);
}

void gate_visit_move(struct ses_list *link, struct gate_policy *policy)
{
	struct gate_visit *v = ses_container_of(link, struct gate_visit, link);
	const struct gate_route *route;

	/* A handshake is judged to its end by the policy it began under. */
	if (v->stream || v->policy == policy)
		return;
	route = gate_same_route(policy, v->route, v->server);
	if (!route) {
		gate_visit_dismiss(link);
		return;
	}
	/* It may have been asked to leave by the last one. */
	ses_timers_stop(&v->gate->loop->timers, &v->timer);
	gate_visit_change_server(v, route);
	count_out(v);
	gate_policy_unref(v->policy);
	v->policy = gate_policy_ref(policy);
	v->route = route;
	gate_record_move(v);
	count_in(v);
}

#define GOING_AWAY "the gateway is going away"

/*
 * Its moment has come; a tunnel can be told why only where its frames are
 * looked at, and is closed otherwise.
 */
static void on_leave(struct ses_timer *timer)
{
	static const struct gate_cut goodbye = {
		.code = 1001,
		.reason = GOING_AWAY,
		.for_server = GOING_AWAY,
	};
	struct gate_visit *v = ses_container_of(timer, struct gate_visit, timer);

	if (v->conn) {
		if (sesame_conn_close(v->conn, 1001, GOING_AWAY) < 0)
			sesame_conn_abort(v->conn);
		return;
	}
	gate_record_end(v->record, GATE_END_GATEWAY, v->memo ? 1001 : 0,
			BYTES(GOING_AWAY));
	if (gate_relay_cut(v->relay, &goodbye))
		return; /* on_relay_gone says farewell */
	gate_relay_part(v->relay);
	v->relay = NULL;
	gate_visit_farewell(v);
}

/*
 * One who is still asking gets an answer: that somebody is asked about him does
 * not matter any more, and what he has sent so far is waited for.
 */
static void dismiss_asking(struct gate_visit *v)
{
	const struct gate_asking *a = v->asking;

	if (a && a->kept && ses_list_empty(&a->awaited))
		gate_visit_refuse_stopped(v);
	else if (ses_timers_start(&v->gate->loop->timers, &v->timer,
				  v->gate->loop->now_ms + LAST_MS) < 0)
		gate_visit_farewell(v);
}

void gate_visit_dismiss(struct ses_list *link)
{
	struct gate_visit *v = ses_container_of(link, struct gate_visit, link);
	uint64_t spread = v->gate->policy->stop.spread_ms;

	if (v->stream) {
		dismiss_asking(v);
		return;
	}
	if (!v->conn && !v->relay) {
		gate_visit_expel(link);
		return;
	}
	if (ses_timer_running(&v->timer))
		return; /* its moment is chosen */
	v->timer.fire = on_leave;
	spread = spread ? ses_random32() % spread : 0;
	if (ses_timers_start(&v->gate->loop->timers, &v->timer,
			     v->gate->loop->now_ms + spread) < 0)
		on_leave(&v->timer);
}

void gate_visit_expel(struct ses_list *link)
{
	struct gate_visit *v = ses_container_of(link, struct gate_visit, link);

	if (v->conn) {
		ses_conn_abort_now(v->conn);
		return; /* on_conn_gone said farewell */
	}
	if (v->relay)
		gate_relay_close(v->relay);
	v->relay = NULL;
	gate_visit_farewell(v);
}
