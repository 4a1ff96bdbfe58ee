/* SPDX-License-Identifier: MIT */
/* Dialling the server behind a route and waiting for its answer. */
#include "gate/upstream.h"

#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "gate/forward.h"
#include "gate/gate.h"
#include "gate/kept.h"
#include "gate/pool.h"
#include "net/dial.h"
#include "wire/chunks.h"
#include "ws/intake.h"

#define CONNECT_MS  5000
#define ANSWER_MS   10000
#define BODY_MS	    2000 /* for the rest of a refusal, once its head is here */
#define BODY_BYTES  (64 * 1024)
#define QUEUE_BYTES (4 * 1024 * 1024)
#define HIGH_BYTES  (256 * 1024)

struct gate_upstream {
	struct sesame_loop *loop;
	struct ses_dial *dial; /* while it lasts, then */
	struct ses_stream *stream;
	struct ses_timer timer;
	struct ses_intake intake;
	struct ses_buf request;	       /* to be sent */
	struct gate_kept *sent;	       /* the client's */
	struct gate_kept *kept;	       /* the answer, once it is whole */
	const struct ses_head *answer; /* that one's head; NULL before */
	uint64_t answer_ms;
	bool is_sent, heard; /* the request; anything of the answer */
	struct ses_buf body; /* as it came, perhaps in chunks */
	void (*done)(void *user, const struct gate_upstream_result *result);
	void *user;
};

static void free_upstream(struct gate_upstream *u)
{
	ses_timers_stop(&u->loop->timers, &u->timer);
	if (u->dial)
		ses_dial_cancel(u->dial);
	ses_stream_close(u->stream);
	ses_intake_fini(&u->intake);
	ses_buf_fini(&u->request);
	ses_buf_fini(&u->body);
	free(u->sent);
	free(u->kept);
	free(u);
}

void gate_upstream_cancel(struct gate_upstream *u)
{
	if (u)
		free_upstream(u);
}

/* Tell the outcome and be gone. */
static void tell(struct gate_upstream *u, struct gate_upstream_result result)
{
	if (result.error == 0) {
		result.stream = u->stream;
		u->stream = NULL;
	}
	u->done(u->user, &result);
	free_upstream(u);
}

static void fail(struct gate_upstream *u, int error, const char *text)
{
	tell(u, (struct gate_upstream_result){
			.error = error, .text = text, .sent = u->is_sent});
}

/* ---- The answer ---- */

static bool is_chunked(const struct ses_head *head)
{
	return ses_field_has_token(head->fields, head->n_fields,
				   "Transfer-Encoding", "chunked");
}

static void tell_refusal(struct gate_upstream *u)
{
	struct gate_upstream_result result = {.error = SESAME_EREFUSED,
					      .head = u->answer,
					      .body = ses_buf_bytes(&u->body)};
	int64_t announced = ses_head_content_length(u->answer);
	struct ses_buf plain;

	ses_buf_init(&plain, BODY_BYTES);
	if (is_chunked(u->answer)) {
		ses_chunks_decode(result.body, &plain);
		result.body = ses_buf_bytes(&plain);
	} else if (announced >= 0) {
		result.body = bytes_first(result.body, (size_t)announced);
	}
	tell(u, result);
	ses_buf_fini(&plain);
}

static bool body_is_whole(struct gate_upstream *u)
{
	int64_t announced = ses_head_content_length(u->answer);
	struct ses_buf plain;
	int r;

	if (u->answer->status == 204 || u->answer->status == 304)
		return true;
	if (is_chunked(u->answer)) {
		ses_buf_init(&plain, BODY_BYTES);
		r = ses_chunks_decode(ses_buf_bytes(&u->body), &plain);
		ses_buf_fini(&plain);
		return r != 0;
	}
	return announced >= 0 && ses_buf_len(&u->body) >= (size_t)announced;
}

/* More of a refusal's body; what is over the limit is cut off. */
static void take_body(struct gate_upstream *u, struct bytes data)
{
	size_t room = BODY_BYTES - ses_buf_len(&u->body);

	if (ses_buf_append(&u->body, bytes_first(data, room)) < 0 ||
	    data.len >= room || body_is_whole(u))
		tell_refusal(u);
}

/*
 * Whether two readers could see the body's end in two places: lengths that
 * differ, or one beside chunks (RFC 9112 6.3).
 */
static bool is_of_two_lengths(const struct ses_head *head)
{
	int64_t announced = ses_head_content_length(head);

	return announced == -2 ||
	       (announced >= 0 && ses_head_get(head, "Transfer-Encoding").data);
}

static void judge(struct gate_upstream *u, struct bytes rest)
{
	struct gate_upstream_result result = {.head = u->answer, .early = rest};

	if (u->answer->status != 101 && is_of_two_lengths(u->answer)) {
		fail(u, SESAME_EPROTO,
		     "its answer has a length that can be read in two ways");
		return;
	}
	if (u->answer->status != 101) {
		ses_timers_start(&u->loop->timers, &u->timer,
				 u->loop->now_ms + BODY_MS);
		take_body(u, rest);
		return;
	}
	result.text = gate_acceptance_fault(
		&u->sent->head, u->answer,
		ses_head_get(&u->sent->head, "Sec-WebSocket-Key"));
	result.error = result.text ? SESAME_EPROTO : 0;
	tell(u, result);
}

static void on_answer(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct gate_upstream *u = s->owner;
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_head head;
	struct bytes in = bytes_of(data, len);
	size_t used;
	int r;

	u->heard = true;
	if (u->answer) {
		take_body(u, in);
		return;
	}
	r = ses_intake_feed_answer(&u->intake, &in, &head, &used, &fault);
	if (r == 0)
		return;
	if (r < 0) {
		fail(u, SESAME_EPROTO,
		     r == SESAME_EPROTO ? ses_fault_row(fault)->sentence
					: "out of memory");
		return;
	}
	u->kept = gate_keep_head(
		&head, ses_buf_len(&u->intake.gathered)
			       ? ses_buf_bytes(&u->intake.gathered).data
			       : in.data);
	if (!u->kept) {
		fail(u, SESAME_ENOMEM, "out of memory");
		return;
	}
	u->answer = &u->kept->head;
	judge(u, bytes_from(in, used));
}

static void on_end(struct ses_stream *s, int error)
{
	struct gate_upstream *u = s->owner;

	if (u->answer)
		tell_refusal(u); /* its body ended with the connection */
	else if (u->heard) /* so it is at work, and nobody else is asked */
		fail(u, SESAME_ECLOSED,
		     "it closed the connection in the middle of its answer");
	else
		fail(u, SESAME_ERESET,
		     "it closed the connection without an answer");
}

static const struct ses_stream_events answering = {.on_bytes = on_answer,
						   .on_end = on_end};

static void on_time(struct ses_timer *timer)
{
	struct gate_upstream *u =
		ses_container_of(timer, struct gate_upstream, timer);

	if (u->answer)
		tell_refusal(u);
	else
		fail(u, SESAME_ETIMEOUT, "it did not answer the handshake");
}

/* ---- The request ---- */

static void on_dialled(void *user, struct ses_stream *stream,
		       const struct ses_dial_report *report, int error)
{
	struct gate_upstream *u = user;
	char text[300];

	u->dial = NULL;
	if (error) {
		const struct ses_dial_step *last =
			report && report->n_steps
				? &report->step[report->n_steps - 1]
				: NULL;

		snprintf(text, sizeof(text), "%s%s%s", last ? last->what : "",
			 last ? ": " : "",
			 last ? last->text : sesame_strerror(error));
		tell(u, (struct gate_upstream_result){
				.error = error,
				.text = text,
				.lacked = ses_dial_lacked(report, error)});
		return;
	}
	u->stream = stream;
	ses_stream_take(stream, &answering, u);
	if (ses_stream_send(stream, ses_buf_bytes(&u->request)) < 0) {
		fail(u, SESAME_ERESET, "the handshake could not be sent");
		return;
	}
	u->is_sent = true;
	ses_timers_start(&u->loop->timers, &u->timer,
			 u->loop->now_ms + u->answer_ms);
}

struct gate_upstream *gate_upstream_start(
	struct sesame_loop *loop, const struct gate_upstream_setup *setup,
	struct ses_buf *request, const struct ses_head *sent,
	void (*done)(void *user, const struct gate_upstream_result *result),
	void *user)
{
	const struct gate_route *route = setup->route;
	const struct gate_server *server = setup->server;
	static const struct ses_stream_limits limits = {
		.queue = QUEUE_BYTES, .queue_high = HIGH_BYTES};
	uint64_t connect_ms = route->connect_ms;
	struct ses_dial_options options = {
		.host = bytes_of_str(server->host),
		.port = server->port,
		.timeout_ms = (unsigned)(connect_ms ? connect_ms : CONNECT_MS),
		.limits = &limits,
		.tls = server->tls ? gate_pool_tls(route->pool) : NULL,
		.tls_name = route->upstream_tls.name,
		.preface = setup->preface,
		.spared = GATE_SPARED,
	};
	struct gate_upstream *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->loop = loop;
	u->done = done;
	u->user = user;
	u->timer.fire = on_time;
	u->answer_ms = route->answer_ms ? route->answer_ms : ANSWER_MS;
	ses_intake_init(&u->intake, false);
	u->request = *request;
	ses_buf_init(request, 0);
	ses_buf_init(&u->body, BODY_BYTES);
	u->sent = gate_keep_request(sent);
	if (!u->sent ||
	    !(u->dial = ses_dial_start(loop, &options, on_dialled, u))) {
		free_upstream(u);
		return NULL;
	}
	return u;
}
