/* SPDX-License-Identifier: MIT */
/*
 * What was heard? The head of the answer, then its body, kept as they came and
 * read as tolerantly as they have to be; or bytes that are no HTTP; or nothing
 * until the time was over.
 */
#include "doctor/probe_inner.h"

#include <stdlib.h>

#include "doctor/alike.h"
#include "doctor/charset.h"
#include "doctor/result.h"
#include "wire/deflate.h"

#define BODY_MS	     1000 /* for the body, once the head is here */
#define MOST_INTERIM 32	  /* answers that only announce one */

/* ---- the body ---- */

static void recognise(struct probing *x)
{
	struct doctor_probe *p = x->p;
	struct why_answer answer = {
		.status = p->status,
		.reason = p->parsed.reason,
		.fields = p->parsed.fields,
		.n_fields = p->parsed.n_fields,
		.body = bytes_of(p->body, p->body_len),
		.asked = x->request.upgrade.target,
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

/* What people read is read in one character set, whichever it came in. */
static void decode(struct doctor_probe *p)
{
	struct ses_buf text;

	ses_buf_init(&text, BODY_BYTES);
	if (doctor_decode_charset(ses_head_get(&p->parsed, "Content-Type"),
				  bytes_of(p->body, p->body_len), &text)) {
		p->body_len = ses_buf_len(&text);
		if (p->body_len)
			memcpy(p->body, ses_buf_bytes(&text).data, p->body_len);
	}
	ses_buf_fini(&text);
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
	decode(p);
}

void doctor_answered(struct probing *x)
{
	keep_body(x);
	recognise(x);
	doctor_hash_body(x->p, x->request.upgrade.target,
			 x->request.upgrade.origin, x->request.upgrade.host);
	doctor_conclude(x, DOCTOR_ANSWERED, 0);
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

void doctor_read_body(struct probing *x)
{
	x->heard_ms = doctor_now_ms();
	if (body_is_whole(x))
		doctor_answered(x);
}

/* ---- the head ---- */

/* Some leave the connection open behind a body whose length they do not tell. */
static void no_more_body(struct probing *x)
{
	x->p->body_open = doctor_now_ms() - x->heard_ms > BODY_MS / 2;
	doctor_answered(x);
}

static void accepted(struct probing *x)
{
	struct ses_upgrade_result agreed = {0};
	int r = ses_upgrade_check_response(&x->request.upgrade, &x->p->parsed,
					   &agreed, &x->p->fault);

	recognise(x);
	if (r < 0) {
		doctor_conclude(x, DOCTOR_BAD_101, r);
		return;
	}
	x->p->subprotocol = agreed.subprotocol;
	doctor_watch(x, &agreed.deflate);
}

/* The head is the first @len bytes of what came. */
static void take_head(struct probing *x, size_t len)
{
	struct doctor_probe *p = x->p;
	struct ses_head_parser again;
	enum ses_fault fault;

	p->head = malloc(len + 1);
	if (!p->head) {
		doctor_conclude(x, DOCTOR_NOT_HTTP, SESAME_ENOMEM);
		return;
	}
	memcpy(p->head, ses_buf_bytes(&x->in).data, len);
	p->head[len] = 0;
	p->head_len = len;
	ses_buf_consume(&x->in, len);
	doctor_head_init(&again);
	ses_head_finish(&again, bytes_of(p->head, len), &p->parsed, &fault);
	p->status = p->parsed.status;
	doctor_tell_time(x);
	if (p->status == 101) {
		accepted(x);
		return;
	}
	x->stage = READING;
	doctor_wait_for(x, x->c->body_ms ? x->c->body_ms : BODY_MS,
			no_more_body);
	doctor_read_body(x);
}

/* Bytes that are no HTTP: what they begin with says what they are. */
void doctor_not_http(struct probing *x, enum ses_fault fault)
{
	struct bytes raw = bytes_first(ses_buf_bytes(&x->in), BODY_BYTES);
	struct doctor_probe *p = x->p;

	doctor_tell_time(x);
	p->fault = fault;
	p->head = malloc(raw.len + 1);
	if (p->head) {
		memcpy(p->head, raw.data, raw.len);
		p->head[raw.len] = 0;
		p->head_len = raw.len;
	}
	doctor_conclude(x, DOCTOR_NOT_HTTP, SESAME_EPROTO);
}

void doctor_start_head(struct probing *x)
{
	doctor_head_init(&x->parser);
}

void doctor_read_head(struct probing *x)
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
		x->p->interim = head.status;
		if (++x->p->n_interim == MOST_INTERIM) {
			doctor_tell_time(x);
			doctor_conclude(x, DOCTOR_NO_ANSWER, SESAME_ETIMEOUT);
			return;
		}
		doctor_start_head(x);
	}
	if (n < 0)
		doctor_not_http(x, fault);
	else if (n > 0)
		take_head(x, (size_t)n);
}

/* No more will come, or not in time: name what there is. */
void doctor_head_never_came(struct probing *x, int error)
{
	struct ses_head head;
	enum ses_fault fault = SES_FAULT_HEAD_CUT;
	int n;

	if (ses_buf_len(&x->in) == 0) {
		doctor_tell_time(x);
		doctor_conclude(x, DOCTOR_NO_ANSWER, error);
		return;
	}
	n = ses_head_finish(&x->parser, ses_buf_bytes(&x->in), &head, &fault);
	if (n <= 0) {
		doctor_not_http(x, fault);
		return;
	}
	take_head(x, (size_t)n);
	if (x->stage == READING)
		doctor_answered(x);
}

void doctor_silent(struct probing *x)
{
	doctor_head_never_came(x, SESAME_ETIMEOUT);
}
