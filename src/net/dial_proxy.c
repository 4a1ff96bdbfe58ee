/* SPDX-License-Identifier: MIT */
/*
 * The conversation with a proxy: one function per answer that is awaited, all
 * fed with everything that came so far. A refusal is read on for a moment,
 * because its body often says who to ask.
 */
#include "net/dial_inner.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/negotiate.h"
#include "net/proxy_auth.h"

/* How long a refusal's body is waited for. */
#define BODY_MS	     500
#define MOST_INTERIM 8 /* answers before the answer */

static const char *target_host(const struct ses_dial *d)
{
	return d->connect_host;
}

static void fail(struct ses_dial *d, const char *text)
{
	ses_dial_end_step(d, SESAME_EPROXY, 0, "%s", text);
	ses_dial_fail(d, SESAME_EPROXY);
}

static void send_or_fail(struct ses_dial *d, int error, struct ses_buf *out)
{
	if (!error)
		error = ses_stream_send(d->stream, ses_buf_bytes(out));
	ses_buf_fini(out);
	if (error && error != SESAME_EAGAIN && error != SESAME_ECLOSED)
		fail(d, "the host or the credentials cannot be sent");
	/* closed: on_end tells it better */
}

/* More came; false if that is too much, and the dial is gone. */
static bool gather(struct ses_dial *d, uint8_t *data, size_t len)
{
	if (ses_buf_append(&d->in, bytes_of(data, len)) == 0)
		return true;
	fail(d, "the proxy's answer does not end");
	return false;
}

/* ---- SOCKS ---- */

static void on_socks_end(struct ses_stream *s, int error)
{
	fail(s->owner, error ? "the proxy reset the connection"
			     : "the proxy closed the connection");
}

static void on_reply(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_dial *d = s->owner;
	const char *text = "";
	int n;

	if (!gather(d, data, len))
		return;
	n = ses_socks_read_reply(ses_buf_bytes(&d->in), &text);
	if (n < 0)
		fail(d, text);
	if (n <= 0)
		return;
	ses_buf_consume(&d->in, (size_t)n);
	ses_dial_end_step(d, 0, 0, "the proxy connected");
	ses_dial_go_on(d, ses_buf_bytes(&d->in));
}

static const struct ses_stream_events awaiting_reply = {
	.on_bytes = on_reply,
	.on_end = on_socks_end,
};

static void send_request(struct ses_dial *d)
{
	struct ses_buf out;

	ses_buf_init(&out, 1024);
	ses_stream_take(d->stream, &awaiting_reply, d);
	send_or_fail(d,
		     ses_socks_write_request(bytes_of_str(target_host(d)),
					     d->connect_port, &out),
		     &out);
}

static void on_user_answer(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_dial *d = s->owner;
	const char *text = "";
	int n;

	if (!gather(d, data, len))
		return;
	n = ses_socks_read_user(ses_buf_bytes(&d->in), &text);
	if (n < 0)
		fail(d, text);
	if (n <= 0)
		return;
	ses_buf_consume(&d->in, (size_t)n);
	send_request(d);
}

static const struct ses_stream_events awaiting_user_answer = {
	.on_bytes = on_user_answer,
	.on_end = on_socks_end,
};

static void send_user(struct ses_dial *d)
{
	struct ses_buf out;

	if (!d->proxy.has_user) {
		fail(d, "the proxy wants a user name and a password");
		return;
	}
	ses_buf_init(&out, 1024);
	ses_stream_take(d->stream, &awaiting_user_answer, d);
	send_or_fail(d, ses_socks_write_user(&d->proxy, &out), &out);
}

static void on_method(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_dial *d = s->owner;
	bool wants_user = false;
	const char *text = "";
	int n;

	if (!gather(d, data, len))
		return;
	n = ses_socks_read_method(ses_buf_bytes(&d->in), &wants_user, &text);
	d->report.proxy_spoke = n > 0;
	if (n < 0)
		fail(d, text);
	if (n <= 0)
		return;
	ses_buf_consume(&d->in, (size_t)n);
	if (wants_user)
		send_user(d);
	else
		send_request(d);
}

static const struct ses_stream_events awaiting_method = {
	.on_bytes = on_method,
	.on_end = on_socks_end,
};

/* ---- CONNECT ---- */

static void await_answer(struct ses_dial *d)
{
	ses_head_init(&d->parser, false, NULL);
	d->parser.tolerant = true;
}

static void keep_head(struct ses_dial *d, struct bytes head)
{
	struct ses_dial_report *r = &d->report;

	head = bytes_first(head, sizeof(r->proxy_head));
	memcpy(r->proxy_head, head.data, head.len);
	r->proxy_head_len = head.len;
	r->proxy_body_len = 0;
}

static void keep_body(struct ses_dial *d, struct bytes more)
{
	struct ses_dial_report *r = &d->report;

	more = bytes_first(more, sizeof(r->proxy_body) - r->proxy_body_len);
	if (more.len)
		memcpy(r->proxy_body + r->proxy_body_len, more.data, more.len);
	r->proxy_body_len += more.len;
}

/* Enough of the body, or all of it? @in's bytes are dropped when kept. */
static void take_body(struct ses_dial *d, struct bytes more, int64_t announced)
{
	struct ses_dial_report *r = &d->report;

	keep_body(d, more);
	if (r->proxy_body_len == sizeof(r->proxy_body) ||
	    (announced >= 0 && r->proxy_body_len >= (uint64_t)announced))
		ses_dial_fail(d, SESAME_EPROXY);
}

static int64_t announced_length(struct ses_dial *d)
{
	struct ses_head_parser parser;
	enum ses_fault fault;
	struct ses_head head;

	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	if (ses_head_parse(&parser, ses_buf_bytes(&d->in), &head, &fault) <= 0)
		return -1;
	return ses_head_content_length(&head);
}

static void on_body(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_dial *d = s->owner;

	take_body(d, bytes_of(data, len), announced_length(d));
}

static void on_body_end(struct ses_stream *s, int error)
{
	ses_dial_fail(s->owner, SESAME_EPROXY);
}

static const struct ses_stream_events awaiting_body = {
	.on_bytes = on_body,
	.on_end = on_body_end,
};

static void body_too_late(struct ses_timer *timer)
{
	ses_dial_fail(ses_container_of(timer, struct ses_dial, step),
		      SESAME_EPROXY);
}

/* The step ends with the head; the dial when the body came, or its time. */
static void refused(struct ses_dial *d, const struct ses_head *head)
{
	struct bytes body = bytes_from(ses_buf_bytes(&d->in), head->length);
	char reason[64];

	bytes_printable(head->reason, reason, sizeof(reason));
	ses_dial_end_step(d, SESAME_EPROXY, 0, "the proxy answered %d%s%s",
			  head->status, reason[0] ? " " : "", reason);
	ses_stream_take(d->stream, &awaiting_body, d);
	ses_dial_after(d, BODY_MS, body_too_late);
	take_body(d, body, ses_head_content_length(head));
}

/* 1xx only announces the answer (RFC 9110 15.2): drop it and look again. */
static bool is_interim(const struct ses_dial *d, const struct ses_head *head)
{
	return head->status >= 100 && head->status < 200 &&
	       d->n_interim < MOST_INTERIM;
}

static void await_next_answer(struct ses_dial *d, size_t len)
{
	d->n_interim++;
	ses_buf_consume(&d->in, len);
	await_answer(d);
}

/* ---- a 407, answered once ---- */

/* A text in random letters, as a client's nonce is sent. */
static void make_nonce(char out[33])
{
	static const char letters[] = "0123456789abcdef";
	uint8_t random[16];

	ses_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		out[2 * i] = letters[random[i] >> 4];
		out[2 * i + 1] = letters[random[i] & 15];
	}
	out[32] = 0;
}

/* What is in @out becomes the proof for the second question. */
static bool keep_authorization(struct ses_dial *d, const struct ses_buf *out)
{
	struct bytes text = ses_buf_bytes(out);

	d->authorization = strndup((const char *)text.data, text.len);
	return d->authorization != NULL;
}

static bool answer_digest(struct ses_dial *d,
			  const struct ses_challenge *challenge)
{
	struct ses_buf target, out;
	char cnonce[33];
	bool ok;

	ses_buf_init(&target, 1024);
	ses_buf_init(&out, 8192);
	make_nonce(cnonce);
	ok = ses_proxy_write_target(bytes_of_str(target_host(d)),
				    d->connect_port, &target) == 0 &&
	     ses_buf_append(&target, bytes_of("", 1)) == 0 &&
	     ses_proxy_write_digest(&d->proxy, challenge,
				    (const char *)ses_buf_bytes(&target).data,
				    cnonce, &out) == 0 &&
	     keep_authorization(d, &out);
	ses_buf_fini(&target);
	ses_buf_fini(&out);
	return ok;
}

static void have_ticket(const char *token, const char *text, void *user)
{
	struct ses_dial *d = user;

	d->ticket = NULL;
	if (!token) {
		fail(d, text);
		return;
	}
	if (asprintf(&d->authorization, "Negotiate %s", token) < 0) {
		d->authorization = NULL;
		fail(d, "out of memory");
		return;
	}
	ses_dial_end_step(d, 0, 0, "the proxy asked for Negotiate");
	ses_dial_again(d);
}

/* The proxy may close while the ticket is made; it will be asked anew. */
static void overhear(struct ses_stream *s, uint8_t *data, size_t len)
{
}

static void let_go(struct ses_stream *s, int error)
{
}

static const struct ses_stream_events awaiting_ticket = {
	.on_bytes = overhear,
	.on_end = let_go,
};

/* Whether the 407 is answered, so that nothing of it remains to be told. */
static bool answer_challenge(struct ses_dial *d, const struct ses_head *head)
{
	struct ses_challenge challenge;

	if (head->status != 407 || d->authorization)
		return false;
	switch (ses_proxy_choose(&d->proxy, head, &challenge)) {
	case SES_PROXY_DIGEST:
		if (!answer_digest(d, &challenge))
			return false;
		ses_dial_end_step(d, 0, 0, "the proxy asked for Digest");
		ses_dial_again(d);
		return true;
	case SES_PROXY_NEGOTIATE:
		d->ticket =
			ses_negotiate(d->loop, d->proxy.host, have_ticket, d);
		if (d->ticket)
			ses_stream_take(d->stream, &awaiting_ticket, d);
		return d->ticket != NULL;
	case SES_PROXY_NO_SCHEME:
		break;
	}
	return false;
}

static void judge_answer(struct ses_dial *d, const struct ses_head *head)
{
	struct bytes all = ses_buf_bytes(&d->in);

	d->report.proxy_status = head->status;
	keep_head(d, bytes_first(all, head->length));
	if (answer_challenge(d, head))
		return;
	if (head->status < 200 || head->status > 299) {
		refused(d, head);
		return;
	}
	ses_dial_end_step(d, 0, 0, "the proxy answered %d", head->status);
	ses_dial_go_on(d, bytes_from(all, head->length));
}

static void no_http(struct ses_dial *d)
{
	keep_head(d, ses_buf_bytes(&d->in));
	fail(d, "the proxy does not answer in HTTP");
}

static void on_answer(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_dial *d = s->owner;
	enum ses_fault fault;
	struct ses_head head;
	int n;

	if (!gather(d, data, len))
		return;
	n = ses_head_parse(&d->parser, ses_buf_bytes(&d->in), &head, &fault);
	while (n > 0 && is_interim(d, &head)) {
		await_next_answer(d, head.length);
		n = ses_head_parse(&d->parser, ses_buf_bytes(&d->in), &head,
				   &fault);
	}
	if (n < 0)
		no_http(d);
	else if (n > 0)
		judge_answer(d, &head);
}

static void on_answer_end(struct ses_stream *s, int error)
{
	struct ses_dial *d = s->owner;
	enum ses_fault fault;
	struct ses_head head;

	if (ses_buf_len(&d->in) == 0)
		on_socks_end(s, error);
	else if (ses_head_finish(&d->parser, ses_buf_bytes(&d->in), &head,
				 &fault) > 0)
		judge_answer(d, &head);
	else
		no_http(d);
}

static const struct ses_stream_events awaiting_answer = {
	.on_bytes = on_answer,
	.on_end = on_answer_end,
};

/* ---- the beginning ---- */

void ses_dial_ask_proxy(struct ses_dial *d)
{
	struct ses_buf out;
	int error;

	ses_dial_begin_step(d, SES_DIAL_PROXY, d->proxy.name);
	ses_buf_init(&out, 4096);
	if (d->proxy.kind == SES_PROXY_SOCKS5) {
		ses_stream_take(d->stream, &awaiting_method, d);
		error = ses_socks_write_greeting(&d->proxy, &out);
	} else {
		ses_stream_take(d->stream, &awaiting_answer, d);
		await_answer(d);
		error = ses_proxy_write_connect(
			&d->proxy, bytes_of_str(target_host(d)), d->connect_port,
			d->has_user_agent ? d->user_agent : NULL,
			d->authorization, &out);
	}
	send_or_fail(d, error, &out);
}
