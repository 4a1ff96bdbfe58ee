/* SPDX-License-Identifier: MIT */
/*
 * One handshake, observed: dial, ask, read whatever comes, and after a 101
 * watch for a while, for many refusals come only then. It blocks on a loop of
 * its own. What is hard is to give every odd end its right name: servers
 * answer without closing, close without answering, speak other protocols, or
 * cut the line in the middle of a word.
 */
#include "doctor/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "doctor/h2.h"
#include "doctor/redact.h"
#include "doctor/request.h"
#include "doctor/result.h"
#include "wire/deflate.h"
#include "wire/session.h"

#define BODY_BYTES    (64 * 1024) /* kept of a body */
#define RAW_BYTES     (256 * 1024)
#define FRAME_BYTES   (2 * 1024 * 1024) /* pongs for a receive buffer of pings */
#define BODY_MS	      1000 /* for the body, once the head is here */
#define SESSION_MS    150  /* a session is known at once, or not at all */
#define PARTING_MS    300  /* for the peer's close frame */
#define LEAST_WAIT_MS 1000 /* for an answer, however long dialling took */
#define PATIENT_MS    700  /* who shuts the door unasked does it at once */
#define TURN_MS	      100  /* how soon an interruption is noticed */

enum stage {
	DIALLING,
	ASKED,	  /* the request is sent; the head has not come yet */
	READING,  /* the body of an answer other than 101 */
	WATCHING, /* open */
	PARTING,  /* our close frame is sent */
	DONE,
};

struct probing {
	struct doctor_probe *p;
	const struct doctor_case *c;
	struct doctor_request request;
	enum stage stage;
	double began_ms, opened_ms;
	struct sesame_loop *loop;
	struct ses_timer timer;
	void (*on_time)(struct probing *x);
	struct ses_dial *dial;
	struct ses_stream *stream;
	struct ses_head_parser parser;
	struct ses_buf in; /* the head, then the body, as they came */
	struct sesame_session session;
	bool has_session;
	struct ses_buf out;  /* frames of the session */
	struct doctor_h2 h2; /* meaningful when request.h2 */
};

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

static void fire(struct ses_timer *timer)
{
	struct probing *x = ses_container_of(timer, struct probing, timer);

	x->on_time(x);
}

static void wait_for(struct probing *x, double ms,
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
static void finish(struct probing *x)
{
	keep_tls(x);
	ses_timers_stop(&x->loop->timers, &x->timer);
	ses_stream_close(x->stream);
	x->stream = NULL;
	x->stage = DONE;
}

static void conclude(struct probing *x, enum doctor_outcome outcome, int error)
{
	x->p->outcome = outcome;
	x->p->error = error;
	finish(x);
}

static void tell_time(struct probing *x)
{
	x->p->ms = doctor_now_ms() - x->began_ms;
}

/* ---- after a 101: watching ---- */

static void on_message(void *user, enum sesame_kind kind, uint8_t *data,
		       size_t len)
{
	struct doctor_probe *p = ((struct probing *)user)->p;

	size_t used = strlen(p->first_message), left;

	left = sizeof(p->first_message) - used;
	if (used && left > 2) { /* a refusal may follow a greeting */
		p->first_message[used++] = ' ';
		left--;
	}
	if (left > 1)
		doctor_redact(((struct probing *)user)->c, bytes_of(data, len),
			      p->first_message + used, left);
}

static void on_close(void *user, uint16_t code, const char *reason,
		     size_t reason_len, bool clean, const char *fault)
{
	struct probing *x = user;
	struct doctor_probe *p = x->p;

	if (x->stage != WATCHING)
		return;
	p->open_ms = doctor_now_ms() - x->opened_ms;
	if (fault) {
		p->outcome = DOCTOR_BAD_FRAME;
		p->error = SESAME_EPROTO;
		p->fault = x->session.fault;
	} else {
		p->outcome = DOCTOR_CLOSED_AFTER;
		p->close_code = code;
		doctor_redact(x->c, bytes_of(reason, reason_len),
			      p->close_reason, sizeof(p->close_reason));
	}
	x->stage = PARTING;
}

static uint8_t *on_output(void *user, size_t len)
{
	struct probing *x = user;
	uint8_t *room = ses_buf_room(&x->out, len);

	if (room)
		ses_buf_commit(&x->out, len);
	return room;
}

static uint32_t on_mask(void *user)
{
	return ses_random32();
}

static const struct sesame_session_events session_events = {
	.message = on_message,
	.close = on_close,
	.output = on_output,
	.mask = on_mask,
};

static void flush_h2(struct probing *x)
{
	struct bytes next;

	while ((next = doctor_h2_output(&x->h2)).len > 0)
		ses_stream_send(x->stream, next);
}

static void flush(struct probing *x)
{
	struct bytes frames = ses_buf_bytes(&x->out);

	if (frames.len == 0)
		return;
	if (x->request.h2) {
		doctor_h2_send(&x->h2, frames);
		flush_h2(x);
	} else {
		ses_stream_send(x->stream, frames);
	}
	ses_buf_consume(&x->out, frames.len);
}

/* A relay may say 101 itself and pass on the refusal of who is behind. */
static void keep_refusal(struct doctor_probe *p, struct bytes data)
{
	if (p->body || !bytes_starts(data, BYTES("HTTP/1.")))
		return;
	data = bytes_first(data, BODY_BYTES);
	p->body = malloc(data.len);
	if (!p->body)
		return;
	memcpy(p->body, data.data, data.len);
	p->body_len = data.len;
}

static void take_frames(struct probing *x, uint8_t *data, size_t len)
{
	bool parted = x->stage == PARTING;

	if (!parted)
		keep_refusal(x->p, bytes_of(data, len));

	sesame_session_feed(&x->session, data, len);
	flush(x);
	if (parted && sesame_session_is_over(&x->session))
		finish(x);
	else if (!parted && x->stage == PARTING) /* the peer closed */
		wait_for(x, PARTING_MS, finish);
}

/* It stayed open as long as it was watched: say good-bye. */
static void part(struct probing *x)
{
	x->p->outcome = DOCTOR_OPEN;
	x->p->open_ms = doctor_now_ms() - x->opened_ms;
	x->stage = PARTING;
	sesame_session_close(&x->session, 1000, NULL, 0);
	flush(x);
	wait_for(x, PARTING_MS, finish);
}

static double hold_ms(const struct probing *x)
{
	if (x->p->trial.change == DOCTOR_HOLD)
		return strtod(x->p->trial.value, NULL) * 1000;
	if (x->p->trial.change == DOCTOR_SESSION)
		return SESSION_MS;
	return x->c->hold_ms ? x->c->hold_ms : DOCTOR_HOLD_MS;
}

static void watch(struct probing *x, const struct sesame_deflate *deflate)
{
	struct sesame_session_settings settings = {
		.role = SESAME_CLIENT,
		.deflate = *deflate,
	};
	struct bytes early = ses_buf_bytes(&x->in);

	ses_session_init(&x->session, &settings, &session_events, x);
	x->has_session = true;
	x->stage = WATCHING;
	x->opened_ms = doctor_now_ms();
	wait_for(x, hold_ms(x), part);
	if (early.len > 0)
		take_frames(x, (uint8_t *)early.data, early.len);
}

/* ---- the answer ---- */

static void recognise(struct probing *x)
{
	struct doctor_probe *p = x->p;
	struct why_answer answer = {
		.status = p->status,
		.reason = p->parsed.reason,
		.fields = p->parsed.fields,
		.n_fields = p->parsed.n_fields,
		.body = bytes_of(p->body, p->body_len),
	};

	if (!x->c->blind)
		why_recognise(&answer, &p->hops);
}

/* Undo the codings that the user's own Accept-Encoding asked for. */
static void uncompress(struct doctor_probe *p)
{
	struct bytes coding = ses_head_get(&p->parsed, "Content-Encoding");
	struct ses_buf plain;
	int r;

	if (p->body_len == 0 || !(bytes_equal_nocase(coding, BYTES("gzip")) ||
				  bytes_equal_nocase(coding, BYTES("x-gzip")) ||
				  bytes_equal_nocase(coding, BYTES("deflate"))))
		return;
	ses_buf_init(&plain, BODY_BYTES);
	r = ses_inflate_body(bytes_of(p->body, p->body_len), &plain);
	if (r == 0 || r == SESAME_ELIMIT) {
		p->body_len = ses_buf_len(&plain);
		if (p->body_len)
			memcpy(p->body, ses_buf_bytes(&plain).data, p->body_len);
		p->body_swells = r == SESAME_ELIMIT;
	}
	ses_buf_fini(&plain);
}

static void keep_body(struct probing *x)
{
	struct doctor_probe *p = x->p;
	struct bytes raw = ses_buf_bytes(&x->in);
	int64_t announced = ses_head_content_length(&p->parsed);

	/* what follows is no body: some answer the same request twice */
	if (announced >= 0 && raw.len > (uint64_t)announced)
		raw.len = (size_t)announced;
	p->body = malloc(BODY_BYTES);
	if (!p->body)
		return;
	if (ses_field_has_token(p->parsed.fields, p->parsed.n_fields,
				"Transfer-Encoding", "chunked")) {
		doctor_unchunk(raw, p->body, BODY_BYTES, &p->body_len);
	} else {
		raw = bytes_first(raw, BODY_BYTES);
		if (raw.len)
			memcpy(p->body, raw.data, raw.len);
		p->body_len = raw.len;
	}
	uncompress(p);
}

static void answered(struct probing *x)
{
	keep_body(x);
	recognise(x);
	doctor_hash_body(x->p, x->request.upgrade.target,
			 x->request.upgrade.origin, x->request.upgrade.host);
	conclude(x, DOCTOR_ANSWERED, 0);
}

static bool body_is_whole(const struct probing *x)
{
	const struct ses_head *head = &x->p->parsed;
	struct bytes raw = ses_buf_bytes(&x->in);
	int64_t announced = ses_head_content_length(head);
	uint8_t scratch[BODY_BYTES];
	size_t len;

	if (head->status == 204 || head->status == 304 ||
	    raw.len >= RAW_BYTES / 2)
		return true;
	if (ses_field_has_token(head->fields, head->n_fields,
				"Transfer-Encoding", "chunked"))
		return doctor_unchunk(raw, scratch, sizeof(scratch), &len);
	return raw.len >= BODY_BYTES ||
	       (announced >= 0 && raw.len >= (uint64_t)announced);
}

static void read_body(struct probing *x)
{
	if (body_is_whole(x))
		answered(x);
}

static void accepted(struct probing *x)
{
	struct ses_upgrade_result agreed = {0};
	int r = ses_upgrade_check_response(&x->request.upgrade, &x->p->parsed,
					   &agreed, &x->p->fault);

	recognise(x);
	if (r < 0) {
		conclude(x, DOCTOR_BAD_101, r);
		return;
	}
	x->p->subprotocol = agreed.subprotocol;
	watch(x, &agreed.deflate);
}

/* The head is the first @len bytes of what came. */
static void take_head(struct probing *x, size_t len)
{
	struct doctor_probe *p = x->p;
	struct ses_head_parser again;
	enum ses_fault fault;

	p->head = malloc(len + 1);
	if (!p->head) {
		conclude(x, DOCTOR_NOT_HTTP, SESAME_ENOMEM);
		return;
	}
	memcpy(p->head, ses_buf_bytes(&x->in).data, len);
	p->head[len] = 0;
	p->head_len = len;
	ses_buf_consume(&x->in, len);
	doctor_head_init(&again);
	ses_head_finish(&again, bytes_of(p->head, len), &p->parsed, &fault);
	p->status = p->parsed.status;
	tell_time(x);
	if (p->status == 101) {
		accepted(x);
		return;
	}
	x->stage = READING;
	wait_for(x, BODY_MS, answered);
	read_body(x);
}

/* Bytes that are no HTTP: what they begin with says what they are. */
static void not_http(struct probing *x, enum ses_fault fault)
{
	struct bytes raw = bytes_first(ses_buf_bytes(&x->in), BODY_BYTES);
	struct doctor_probe *p = x->p;

	tell_time(x);
	p->fault = fault;
	p->head = malloc(raw.len + 1);
	if (p->head) {
		memcpy(p->head, raw.data, raw.len);
		p->head[raw.len] = 0;
		p->head_len = raw.len;
	}
	conclude(x, DOCTOR_NOT_HTTP, SESAME_EPROTO);
}

static void start_head(struct probing *x)
{
	doctor_head_init(&x->parser);
}

static void read_head(struct probing *x)
{
	struct ses_head head;
	enum ses_fault fault;
	int n;

	for (;;) {
		n = ses_head_parse(&x->parser, ses_buf_bytes(&x->in), &head,
				   &fault);
		if (n <= 0 || head.status == 101 || head.status >= 200)
			break;
		ses_buf_consume(&x->in, (size_t)n); /* 100, 103: not yet it */
		start_head(x);
	}
	if (n < 0)
		not_http(x, fault);
	else if (n > 0)
		take_head(x, (size_t)n);
}

/* No more will come, or not in time: name what there is. */
static void head_never_came(struct probing *x, int error)
{
	struct ses_head head;
	enum ses_fault fault = SES_FAULT_HEAD_CUT;
	int n;

	if (ses_buf_len(&x->in) == 0) {
		tell_time(x);
		conclude(x, DOCTOR_NO_ANSWER, error);
		return;
	}
	n = ses_head_finish(&x->parser, ses_buf_bytes(&x->in), &head, &fault);
	if (n <= 0) {
		not_http(x, fault);
		return;
	}
	take_head(x, (size_t)n);
	if (x->stage == READING)
		answered(x);
}

static void silent(struct probing *x)
{
	head_never_came(x, SESAME_ETIMEOUT);
}

/* ---- the stream ---- */

static void cut(struct probing *x, int error)
{
	x->p->open_ms = doctor_now_ms() - x->opened_ms;
	x->p->cut = true;
	conclude(x, DOCTOR_CUT_AFTER, error ? error : SESAME_ECLOSED);
}

/* The head of an answer over HTTP/2; written as one of HTTP/1.1 it is read. */
static void take_h2_head(struct probing *x)
{
	struct doctor_h2 *h = &x->h2;
	struct doctor_probe *p = x->p;

	ses_buf_append(&x->in, ses_buf_bytes(&h->head));
	ses_buf_append_str(&x->in, "\r\n");
	if (h->offers && h->status / 100 == 2) {
		p->status = h->status;
		tell_time(x);
		ses_buf_consume(&x->in, ses_buf_len(&x->in));
		watch(x, &(struct sesame_deflate){0});
		return;
	}
	read_head(x);
	if (p->head_len > 7) {
		p->head[5] = '2';
		p->head[7] = '0';
	}
}

static void h2_over(struct probing *x)
{
	if (x->stage == ASKED)
		conclude(x, DOCTOR_NO_ANSWER, SESAME_ERESET);
	else if (x->stage == READING)
		answered(x);
	else if (x->stage == WATCHING)
		cut(x, 0);
}

static void take_h2_data(struct probing *x)
{
	struct ses_buf *data = &x->h2.data;
	size_t len = ses_buf_len(data);

	if (len == 0)
		return;
	if (x->stage == READING) {
		if (ses_buf_append(&x->in, ses_buf_bytes(data)) < 0)
			answered(x);
		else
			read_body(x);
	} else if (x->stage == WATCHING || x->stage == PARTING) {
		take_frames(x, (uint8_t *)ses_buf_bytes(data).data, len);
	}
	ses_buf_consume(data, len);
}

static void take_h2(struct probing *x, struct bytes in)
{
	struct doctor_h2 *h = &x->h2;
	int r = doctor_h2_feed(h, in);

	x->p->h2_spoken = h->spoken;
	x->p->h2_offered = h->offers;
	if (r == 0)
		flush_h2(x);
	if (r < 0 && x->stage == ASKED) {
		ses_buf_append(&x->in, bytes_first(in, 4096));
		not_http(x, SES_FAULT_HEAD_CUT);
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

	if (x->request.h2) {
		take_h2(x, bytes_of(data, len));
		return;
	}
	if (x->stage == WATCHING || x->stage == PARTING) {
		take_frames(x, data, len);
		return;
	}
	if (ses_buf_append(&x->in, bytes_of(data, len)) < 0) {
		if (x->stage == READING)
			answered(x);
		else
			not_http(x, SES_FAULT_HEAD_TOO_LONG);
		return;
	}
	if (x->stage == ASKED)
		read_head(x);
	else if (x->stage == READING)
		read_body(x);
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
			tell_time(x);
			conclude(x, DOCTOR_NO_CONNECTION, SESAME_ETLS);
		} else {
			head_never_came(x, error ? error : SESAME_ECLOSED);
		}
		break;
	case READING:
		answered(x);
		break;
	case WATCHING:
		cut(x, error);
		break;
	default:
		finish(x);
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

static void ask(struct probing *x)
{
	double left = x->c->timeout_ms - (doctor_now_ms() - x->began_ms);

	start_head(x);
	x->stage = ASKED;
	if (x->p->trial.change == DOCTOR_SILENCE) {
		wait_for(x, PATIENT_MS, silent);
		return;
	}
	wait_for(x, left > LEAST_WAIT_MS ? left : LEAST_WAIT_MS, silent);
	if (!x->request.h2)
		ses_stream_send(x->stream, ses_buf_bytes(&x->request.bytes));
	else if (chose_h2(x))
		flush_h2(x);
	else /* TLS is up, and HTTP/2 was not agreed on in it */
		conclude(x, DOCTOR_NO_ANSWER, SESAME_EPROTO);
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
		tell_time(x);
		if (error == SESAME_EPROXY && !x->c->blind)
			doctor_recognise_proxy(&x->p->dial, &x->p->hops);
		if (!x->c->proxy && was_dropped(report))
			conclude(x, DOCTOR_NO_ANSWER, SESAME_ERESET);
		else
			conclude(x, DOCTOR_NO_CONNECTION, error);
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
			conclude(x, DOCTOR_NO_CONNECTION, SESAME_ETLS);
			return;
		}
	}
	x->dial = ses_dial_start(x->loop, dial, on_dialled, x);
	if (dial->tls)
		ses_tls_context_unref(dial->tls);
	if (!x->dial)
		conclude(x, DOCTOR_NO_CONNECTION, SESAME_ENOMEM);
}

static void give_up(struct probing *x)
{
	if (x->dial)
		ses_dial_cancel(x->dial);
	conclude(x, DOCTOR_NO_ANSWER, SESAME_EAGAIN);
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
	struct bytes sent = x->request.h2 ? ses_buf_bytes(&x->h2.asked)
					  : ses_buf_bytes(&x->request.bytes);

	x->p->request = calloc(1, sent.len + 1);
	if (x->p->request && sent.len)
		memcpy(x->p->request, sent.data, sent.len);
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
	return error == SESAME_ENOMEM ? -1 : 0;
}

void doctor_probe_fini(struct doctor_probe *p)
{
	free(p->request);
	free(p->head);
	free(p->body);
}
