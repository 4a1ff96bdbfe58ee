/* SPDX-License-Identifier: MIT */
/*
 * One handshake, observed: dial, ask, hear what comes, and name how it ended.
 * It blocks on a loop of its own. What is hard is to give every odd end its
 * right name: servers answer without closing, close without answering, speak
 * other protocols, or cut the line in the middle of a word. What is heard of an
 * answer is hearing.c, what is watched after a 101 watch.c.
 */
#include "doctor/probe_inner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "doctor/result.h"

#define FRAME_BYTES   (2 * 1024 * 1024) /* pongs for a receive buffer of pings */
#define LEAST_WAIT_MS 1000 /* for an answer, however long dialling took */
#define PATIENT_MS    700  /* who shuts the door unasked does it at once */
#define TURN_MS	      100  /* how soon an interruption is noticed */

static volatile sig_atomic_t interrupted;

void doctor_probe_interrupt(void)
{
	interrupted = 1;
}

bool doctor_probe_interrupted(void)
{
	return interrupted;
}

double doctor_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- time, and the end ---- */

static void fire(struct ses_timer *timer)
{
	struct probing *x = ses_container_of(timer, struct probing, timer);

	x->on_time(x);
}

void doctor_wait_for(struct probing *x, double ms,
		     void (*on_time)(struct probing *x))
{
	x->on_time = on_time;
	ses_loop_update(x->loop);
	ses_timers_start(&x->loop->timers, &x->timer,
			 x->loop->now_ms + (uint64_t)(ms + 0.5));
}

static void keep_tls(struct probing *x)
{
	const struct ses_tls_info *info =
		x->stream ? ses_stream_tls_info(x->stream) : NULL;

	if (info)
		x->p->dial.tls = *info;
}

/* Nothing more is to be seen. */
void doctor_finish(struct probing *x)
{
	keep_tls(x);
	ses_timers_stop(&x->loop->timers, &x->timer);
	ses_stream_close(x->stream);
	x->stream = NULL;
	x->stage = DONE;
}

void doctor_conclude(struct probing *x, enum doctor_outcome outcome, int error)
{
	x->p->outcome = outcome;
	x->p->error = error;
	doctor_finish(x);
}

void doctor_tell_time(struct probing *x)
{
	x->p->ms = doctor_now_ms() - x->began_ms;
}

/* ---- the stream ---- */

/* The head of an answer over HTTP/2; written as one of HTTP/1.1 it is read. */
static void take_h2_head(struct probing *x)
{
	struct doctor_h2 *h = &x->h2;
	struct doctor_probe *p = x->p;

	ses_buf_append(&x->in, ses_buf_bytes(&h->head));
	ses_buf_append_str(&x->in, "\r\n");
	if (h->offers && h->status / 100 == 2) {
		p->status = h->status;
		doctor_tell_time(x);
		ses_buf_consume(&x->in, ses_buf_len(&x->in));
		doctor_watch(x, &(struct sesame_deflate){0});
		return;
	}
	doctor_read_head(x);
	if (p->head_len > 7) {
		p->head[5] = '2';
		p->head[7] = '0';
	}
}

static void h2_over(struct probing *x)
{
	if (x->stage == ASKED)
		doctor_conclude(x, DOCTOR_NO_ANSWER, SESAME_ERESET);
	else if (x->stage == READING)
		doctor_answered(x);
	else if (x->stage == WATCHING)
		doctor_cut(x, 0);
}

static void take_h2_data(struct probing *x)
{
	struct ses_buf *data = &x->h2.data;
	size_t len = ses_buf_len(data);

	if (len == 0)
		return;
	if (x->stage == READING) {
		if (ses_buf_append(&x->in, ses_buf_bytes(data)) < 0)
			doctor_answered(x);
		else
			doctor_read_body(x);
	} else if (x->stage == WATCHING || x->stage == PARTING) {
		doctor_take_frames(x, (uint8_t *)ses_buf_bytes(data).data, len);
	}
	ses_buf_consume(data, len);
}

void doctor_flush_h2(struct probing *x)
{
	struct bytes next;

	while ((next = doctor_h2_output(&x->h2)).len > 0)
		ses_stream_send(x->stream, next);
}

static void take_h2(struct probing *x, struct bytes in)
{
	struct doctor_h2 *h = &x->h2;
	int r = doctor_h2_feed(h, in);

	x->p->h2_spoken = h->spoken;
	x->p->h2_offered = h->offers;
	if (r == 0)
		doctor_flush_h2(x);
	if (r < 0 && x->stage == ASKED) {
		ses_buf_append(&x->in, bytes_first(in, 4096));
		doctor_not_http(x, SES_FAULT_HEAD_CUT);
		return;
	}
	if (x->stage == ASKED && h->has_head)
		take_h2_head(x);
	take_h2_data(x);
	if (h->ended || r < 0)
		h2_over(x);
}

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct probing *x = s->owner;
	int error;

	if (x->request.h2) {
		take_h2(x, bytes_of(data, len));
		return;
	}
	if (x->stage == WATCHING || x->stage == PARTING) {
		doctor_take_frames(x, data, len);
		return;
	}
	error = ses_buf_append(&x->in, bytes_of(data, len));
	if (error) {
		if (error == SESAME_ENOMEM)
			doctor_conclude(x, DOCTOR_NO_ANSWER, error);
		else if (x->stage == READING)
			doctor_answered(x);
		else
			doctor_not_http(x, SES_FAULT_HEAD_TOO_LONG);
		return;
	}
	if (x->stage == ASKED)
		doctor_read_head(x);
	else if (x->stage == READING)
		doctor_read_body(x);
}

/* TLS 1.3 tells a missing client certificate after its handshake. */
static bool tls_refused(const struct probing *x)
{
	const struct ses_tls_info *info = ses_stream_tls_info(x->stream);

	return info && info->fault != SES_TLS_OK && ses_buf_len(&x->in) == 0;
}

static void on_end(struct ses_stream *s, int error)
{
	struct probing *x = s->owner;

	switch (x->stage) {
	case ASKED:
		if (tls_refused(x)) {
			doctor_tell_time(x);
			doctor_conclude(x, DOCTOR_NO_CONNECTION, SESAME_ETLS);
		} else {
			doctor_head_never_came(x,
					       error ? error : SESAME_ECLOSED);
		}
		break;
	case READING:
		doctor_answered(x);
		break;
	case WATCHING:
		doctor_cut(x, error);
		break;
	default:
		doctor_finish(x);
	}
}

static const struct ses_stream_events stream_events = {
	.on_bytes = on_bytes,
	.on_end = on_end,
};

static bool chose_h2(const struct probing *x)
{
	const struct ses_tls_info *tls = ses_stream_tls_info(x->stream);

	return !tls || strcmp(tls->alpn, "h2") == 0;
}

/* Of a new stream there is room for it, or there is no memory. */
static void send_request(struct probing *x)
{
	int r = ses_stream_send(x->stream, ses_buf_bytes(&x->request.bytes));

	if (r == SESAME_ELIMIT || r == SESAME_ENOMEM)
		doctor_conclude(x, DOCTOR_NO_ANSWER, SESAME_ENOMEM);
}

static void ask(struct probing *x)
{
	double left = x->c->timeout_ms - (doctor_now_ms() - x->began_ms);
	double least = x->c->timeout_ms < LEAST_WAIT_MS ? x->c->timeout_ms
							: LEAST_WAIT_MS;

	doctor_start_head(x);
	x->stage = ASKED;
	if (x->p->trial.change == DOCTOR_SILENCE) {
		doctor_wait_for(x, PATIENT_MS, doctor_silent);
		return;
	}
	doctor_wait_for(x, left > least ? left : least, doctor_silent);
	if (!x->request.h2)
		send_request(x);
	else if (chose_h2(x))
		doctor_flush_h2(x);
	else /* TLS is up, and HTTP/2 was not agreed on in it */
		doctor_conclude(x, DOCTOR_NO_ANSWER, SESAME_EPROTO);
}

/* ---- dialling ---- */

/* A reset is no refusal: somebody took the connection, and dropped it before
 * this side knew of it. */
static bool was_dropped(const struct ses_dial_report *report)
{
	const struct ses_dial_step *last;

	if (report->n_steps == 0)
		return false;
	last = &report->step[report->n_steps - 1];
	return last->kind == SES_DIAL_CONNECT && last->sys_errno == ECONNRESET;
}

static void on_dialled(void *user, struct ses_stream *stream,
		       const struct ses_dial_report *report, int error)
{
	struct probing *x = user;

	x->dial = NULL;
	x->p->dial = *report;
	if (error) {
		doctor_tell_time(x);
		if (error == SESAME_EPROXY && !x->c->blind)
			doctor_recognise_proxy(&x->p->dial, &x->p->hops);
		if (!x->c->proxy && was_dropped(report))
			doctor_conclude(x, DOCTOR_NO_ANSWER, SESAME_ERESET);
		else
			doctor_conclude(x, DOCTOR_NO_CONNECTION, error);
		return;
	}
	x->stream = stream;
	ses_stream_take(stream, &stream_events, x);
	ask(x);
}

static void start(struct probing *x)
{
	struct ses_dial_options *dial = &x->request.dial;
	char *text = x->p->dial.tls.text;

	if (x->request.url.tls) {
		dial->tls = ses_tls_client_new(&x->request.tls, text,
					       sizeof(x->p->dial.tls.text));
		if (!dial->tls) {
			doctor_conclude(x, DOCTOR_NO_CONNECTION, SESAME_ETLS);
			return;
		}
	}
	x->dial = ses_dial_start(x->loop, dial, on_dialled, x);
	if (dial->tls)
		ses_tls_context_unref(dial->tls);
	if (!x->dial)
		doctor_conclude(x, DOCTOR_NO_CONNECTION, SESAME_ENOMEM);
}

static void give_up(struct probing *x)
{
	if (x->dial)
		ses_dial_cancel(x->dial);
	doctor_conclude(x, DOCTOR_NO_ANSWER, SESAME_EAGAIN);
}

static void run(struct probing *x)
{
	x->began_ms = doctor_now_ms();
	start(x);
	while (x->stage != DONE) {
		sesame_loop_turn(x->loop, TURN_MS);
		if (interrupted && x->stage != DONE)
			give_up(x);
	}
	sesame_loop_turn(x->loop, 0); /* what was closed is freed here */
}

/* Keep what was sent, as text. */
static void keep_request(struct probing *x)
{
	struct bytes first = x->request.dial.preface;
	struct bytes sent = x->request.h2 ? ses_buf_bytes(&x->h2.asked)
					  : ses_buf_bytes(&x->request.bytes);

	x->p->request = calloc(1, first.len + sent.len + 1);
	if (x->p->request && first.len)
		memcpy(x->p->request, first.data, first.len);
	if (x->p->request && sent.len)
		memcpy(x->p->request + first.len, sent.data, sent.len);
}

int doctor_probe_run(const struct doctor_case *c,
		     const struct doctor_trial *trial,
		     struct doctor_probe *ret_probe)
{
	struct probing *x = calloc(1, sizeof(*x));
	int error;

	if (!x)
		return -1;
	x->p = ret_probe;
	x->c = c;
	x->timer.fire = fire;
	x->p->trial = *trial;
	x->p->hops.writer = -1;
	ses_buf_init(&x->in, RAW_BYTES);
	ses_buf_init(&x->out, FRAME_BYTES);
	x->loop = sesame_loop_new();
	error = x->loop ? doctor_request_make(c, &x->p->trial, &x->request)
			: SESAME_ENOMEM;
	if (error == 0 && x->request.h2)
		error = doctor_h2_init(&x->h2, &x->request);
	if (x->loop && error == 0) {
		x->p->bare = x->request.bare;
		run(x);
		keep_request(x);
	} else {
		x->p->outcome = DOCTOR_NO_CONNECTION;
		x->p->error = error;
	}
	if (x->has_session)
		ses_session_fini(&x->session);
	if (x->request.h2)
		doctor_h2_fini(&x->h2);
	if (x->loop)
		doctor_request_fini(&x->request);
	ses_buf_fini(&x->in);
	ses_buf_fini(&x->out);
	sesame_loop_free(x->loop);
	free(x);
	/* what this side lacked says nothing of the other */
	return ret_probe->error == SESAME_ENOMEM ? -1 : 0;
}

void doctor_probe_fini(struct doctor_probe *p)
{
	free(p->request);
	free(p->head);
	free(p->body);
}
