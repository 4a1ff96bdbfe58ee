/* SPDX-License-Identifier: MIT */
/*
 * POST to a channel: a program publishes without being a member. It has been
 * admitted before its body is read; the connection is closed after the answer.
 */
#include "gate/visit_inner.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <sesame/version.h>

#include "hub/hub.h"
#include "wire/utf8.h"

#define LINGER_MS 2000
#define BODY_MS	  10000 /* for the message to arrive */

static enum gate_outcome refuse(struct gate_visit *v, enum why_cause cause,
				int status, const char *sentence)
{
	struct gate_refusal why = {
		.cause = cause,
		.status = status,
		.sentence = sentence,
		.note = sentence,
	};

	return gate_visit_refuse(v, &why);
}

/* ---- Before the body ---- */

static enum gate_outcome check_body(struct gate_visit *v)
{
	const struct ses_head *head = v->asking->head;
	int64_t len = ses_head_content_length(head);

	if (ses_field_count(head->fields, head->n_fields, "Transfer-Encoding"))
		return refuse(v, WHY_CLIENT_BAD_HANDSHAKE, 411,
			      "A message is sent with its Content-Length, not "
			      "in chunks");
	if (len < -1)
		return refuse(v, WHY_CLIENT_BAD_HANDSHAKE, 400,
			      "The Content-Length is no number");
	if (len < 0)
		return refuse(v, WHY_CLIENT_BAD_HANDSHAKE, 411,
			      "A message is sent with its Content-Length");
	if ((uint64_t)len > v->route->limits.message_bytes)
		return refuse(v, WHY_SERVER_LIMIT, 413,
			      "The message is longer than this route takes");
	v->asking->body_len = (size_t)len;
	return GATE_GO_ON;
}

/* Who wants to hear that it may go on is told, unless the body is here. */
static void invite(struct gate_visit *v)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct bytes expect = ses_head_get(v->asking->head, "Expect");

	if (!v->len && v->asking->body_len &&
	    bytes_equal_nocase(expect, BYTES("100-continue")))
		ses_stream_send(v->stream, bytes_of(go_on, sizeof(go_on) - 1));
}

static enum gate_outcome begin_body(struct gate_visit *v)
{
	enum gate_outcome outcome = check_body(v);

	if (outcome != GATE_GO_ON)
		return outcome;
	/* Whoever was asked may have taken its own time; a stop waits less. */
	if (!v->gate->leaving &&
	    ses_timers_start(&v->gate->loop->timers, &v->timer,
			     v->gate->loop->now_ms + BODY_MS) < 0)
		return refuse(v, WHY_SERVER_LIMIT, 503, "out of memory");
	ses_buf_init(&v->asking->body, v->asking->body_len);
	v->asking->reads_body = true;
	invite(v);
	return GATE_GO_ON;
}

/* ---- The message ---- */

static enum sesame_kind kind_of(const struct ses_head *head, struct bytes body)
{
	struct bytes type = ses_head_get(head, "Content-Type");

	return bytes_equal_nocase(type, BYTES("application/octet-stream")) ||
			       !ses_utf8_valid(body)
		       ? SESAME_BINARY
		       : SESAME_TEXT;
}

static enum gate_outcome accept_message(struct gate_visit *v, struct bytes name,
					const struct hub_receipt *receipt)
{
	static const struct ses_field fields[] = {
		{BYTES("Server"), BYTES("sesame/" SESAME_VERSION)},
		{BYTES("Cache-Control"), BYTES("no-store")},
	};
	char id[HUB_ID_SIZE];
	size_t n = hub_id_write(&receipt->epoch, receipt->seq, id);
	json_t *o = json_pack("{s:s%, s:s?, s:I}", "channel",
			      (const char *)name.data, name.len, "id",
			      receipt->seq && n ? id : NULL, "members",
			      (json_int_t)receipt->members);
	char *text = o ? json_dumps(o, 0) : NULL;
	struct ses_buf body, out;

	ses_buf_init(&body, 1024);
	ses_buf_init(&out, 4096);
	ses_buf_printf(&body, "%s\n", text ? text : "{}");
	ses_upgrade_write_refusal(202, fields, 2, BYTES("application/json"),
				  ses_buf_bytes(&body), &out);
	gate_record_answer(v, 202, ses_buf_len(&body));
	ses_buf_fini(&body);
	free(text);
	json_decref(o);
	return gate_visit_answer(v, &out, LINGER_MS);
}

static enum gate_outcome publish(struct gate_visit *v)
{
	struct bytes body = ses_buf_bytes(&v->asking->body), name;
	uint8_t decoded[HUB_NAME_MAX];
	struct hub_content content = {kind_of(v->asking->head, body), body};
	struct hub_receipt receipt;
	enum hub_verdict verdict;

	if (!gate_visit_channel(v, decoded, &name))
		return GATE_OVER;
	verdict = hub_publish_to(v->gate->seat, v->route->hub.space, name,
				 &content, 1, bytes_of(NULL, 0), NULL, &receipt);
	if (verdict != HUB_OK)
		return refuse(v, WHY_SERVER_LIMIT, 503,
			      "Too many messages are on their way; try again "
			      "later");
	return accept_message(v, name, &receipt);
}

enum gate_outcome gate_visit_publish(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;
	enum gate_outcome outcome;
	size_t left;

	if (!a->reads_body) {
		outcome = begin_body(v);
		if (outcome != GATE_GO_ON)
			return outcome;
	}
	left = a->body_len - ses_buf_len(&a->body);
	if (ses_buf_append(&a->body,
			   bytes_first(bytes_of(v->data, v->len), left)) < 0 ||
	    !gate_visit_keep(v))
		return refuse(v, WHY_SERVER_LIMIT, 503, "out of memory");
	return ses_buf_len(&a->body) == a->body_len ? publish(v) : GATE_WAIT;
}
