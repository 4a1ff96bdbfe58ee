/* SPDX-License-Identifier: MIT */
/* The request for the authority, and the head of its answer. */
#include "gate/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sesame/error.h>

#include "net/dial.h"
#include "ws/intake.h"

#define QUEUE_BYTES (256 * 1024)

struct gate_authority_call {
	struct sesame_loop *loop;
	struct ses_dial *dial; /* while it lasts, then */
	struct ses_stream *stream;
	struct ses_timer timer; /* over all of it */
	struct ses_intake intake;
	struct ses_buf request;
	void (*done)(void *user, const struct gate_authority_answer *answer);
	void *user;
};

static void free_call(struct gate_authority_call *c)
{
	ses_timers_stop(&c->loop->timers, &c->timer);
	if (c->dial)
		ses_dial_cancel(c->dial);
	ses_stream_close(c->stream);
	ses_intake_fini(&c->intake);
	ses_buf_fini(&c->request);
	free(c);
}

void gate_authority_cancel(struct gate_authority_call *c)
{
	if (c)
		free_call(c);
}

static void tell(struct gate_authority_call *c, const struct ses_head *head,
		 const char *text)
{
	struct gate_authority_answer answer = {head, text};

	c->done(c->user, &answer);
	free_call(c);
}

/* ---- The answer ---- */

static void on_answer(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct gate_authority_call *c = s->owner;
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_head head;
	size_t used = 0;
	int r = ses_intake_feed(&c->intake, data, len, &head, &used, &fault);

	if (r == 0)
		return;
	if (r < 0)
		tell(c, NULL, "its answer is no HTTP");
	else
		tell(c, &head, "");
}

static void on_end(struct ses_stream *s, int error)
{
	tell(s->owner, NULL, "it closed the connection without an answer");
}

static const struct ses_stream_events answering = {.on_bytes = on_answer,
						   .on_end = on_end};

static void on_time(struct ses_timer *timer)
{
	tell(ses_container_of(timer, struct gate_authority_call, timer), NULL,
	     "it did not answer in time");
}

static void on_dialled(void *user, struct ses_stream *stream,
		       const struct ses_dial_report *report, int error)
{
	struct gate_authority_call *c = user;
	char text[300] = "";

	c->dial = NULL;
	if (error) {
		const struct ses_dial_step *last =
			report && report->n_steps
				? &report->step[report->n_steps - 1]
				: NULL;

		snprintf(text, sizeof(text), "%s",
			 last ? last->text : sesame_strerror(error));
		tell(c, NULL, text);
		return;
	}
	c->stream = stream;
	ses_stream_take(stream, &answering, c);
	if (ses_stream_send(stream, ses_buf_bytes(&c->request)) < 0)
		tell(c, NULL, "the request could not be sent");
}

/* ---- The request ---- */

static int put(struct ses_buf *out, const char *name, struct bytes value)
{
	if (!value.data || !ses_is_field_value(value))
		return 0;
	return ses_buf_printf(out, "%s: %.*s\r\n", name, BYTES_ARG(value));
}

/* The client's fields of that name, as they came. */
static int put_client_fields(const struct ses_head *head, const char *name,
			     struct ses_buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < head->n_fields; i++)
		if (bytes_equal_nocase(head->fields[i].name, bytes_of_str(name)))
			r = put(out, name, head->fields[i].value);
	return r;
}

static int write_request(const struct gate_authority_question *q,
			 struct ses_buf *out)
{
	static const char *const usual[] = {"Authorization", "Cookie", "Origin",
					    "User-Agent"};
	const struct gate_authority *a = q->authority;
	bool six = strchr(a->server.host, ':');
	size_t n =
		a->n_headers ? a->n_headers : sizeof(usual) / sizeof(usual[0]);
	int r = ses_buf_printf(out,
			       "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\n"
			       "Connection: close\r\n",
			       a->target, six ? "[" : "", a->server.host,
			       six ? "]" : "", a->server.port);

	if (r >= 0)
		r = put(out, "X-Original-Method", q->head->method);
	if (r >= 0)
		r = put(out, "X-Original-URI", q->head->target);
	if (r >= 0)
		r = put(out, "X-Forwarded-Host", ses_head_get(q->head, "Host"));
	if (r >= 0)
		r = ses_buf_printf(out,
				   "X-Forwarded-For: %s\r\n"
				   "X-Forwarded-Proto: %s\r\n",
				   q->hops->client_text,
				   q->hops->tls ? "https" : "http");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = put_client_fields(
			q->head, a->n_headers ? a->header[i] : usual[i], out);
	return r < 0 ? r : ses_buf_append_str(out, "\r\n");
}

struct gate_authority_call *gate_authority_ask(
	struct sesame_loop *loop, const struct gate_authority_question *question,
	void (*done)(void *user, const struct gate_authority_answer *answer),
	void *user)
{
	const struct gate_authority *a = question->authority;
	struct ses_dial_options options = {
		.host = bytes_of_str(a->server.host),
		.port = a->server.port,
		.timeout_ms = (unsigned)a->timeout_ms,
		.queue_limit = QUEUE_BYTES,
		.queue_high = QUEUE_BYTES / 2,
	};
	struct gate_authority_call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->done = done;
	c->user = user;
	c->timer.fire = on_time;
	ses_intake_init(&c->intake, false);
	ses_buf_init(&c->request, SES_INTAKE_BYTES * 2);
	if (write_request(question, &c->request) < 0 ||
	    ses_timers_start(&loop->timers, &c->timer,
			     loop->now_ms + a->timeout_ms) < 0 ||
	    !(c->dial = ses_dial_start(loop, &options, on_dialled, c))) {
		free_call(c);
		return NULL;
	}
	return c;
}
