/* SPDX-License-Identifier: MIT */
/*
 * POST to a channel: a program publishes without being a member
 * (docs/channels.md). It has been admitted before its body is read; the
 * connection is closed after the answer.
 */
#include "gate/visit_inner.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <sesame/version.h>

#include "gate/awaited.h"
#include "hub/hub.h"
#include "wire/utf8.h"

#define LINGER_MS 2000
#define BODY_MS	  10000 /* for the message to arrive */
#define KEY_MAX	  255	/* bytes of an Idempotency-Key */

/* How much longer than a message a batch of them may be. */
#define BATCH_TIMES 16
#define BATCH_BYTES 1048576 /* but no longer, unless a message may be */

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

/* What was sent cannot be taken; @takes: what would be. */
static enum gate_outcome refuse_content(struct gate_visit *v, int status,
					const char *wrong, size_t broken_at,
					const char *takes)
{
	char note[GATE_CONTENT_SIZE];
	struct gate_refusal why = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.status = status,
		.sentence = wrong,
		.note = note,
		.takes = takes,
	};

	gate_content_note("a POST", wrong, broken_at, note);
	return gate_visit_refuse(v, &why);
}

/* ---- Before the body ---- */

static const char takes_body[] =
	"a body as it is to be published, with its Content-Length";
static const char takes_key[] = "one Idempotency-Key of 255 bytes at most";

static bool is_batch(const struct gate_visit *v)
{
	return gate_query_get(v->asking->request.target, "batch").data != NULL;
}

static uint64_t most_bytes(const struct gate_visit *v)
{
	uint64_t message = v->route->limits.message_bytes;

	if (!is_batch(v) || message >= BATCH_BYTES)
		return message;
	return message * BATCH_TIMES < BATCH_BYTES ? message * BATCH_TIMES
						   : BATCH_BYTES;
}

static enum gate_outcome check_body(struct gate_visit *v)
{
	const struct ses_head *head = v->asking->head;
	int64_t len = ses_head_content_length(head);

	if (ses_field_count(head->fields, head->n_fields, "Content-Encoding"))
		return refuse_content(v, 415,
				      "A message is sent as it is, without a "
				      "Content-Encoding",
				      0, takes_body);
	if (ses_field_count(head->fields, head->n_fields, "Transfer-Encoding"))
		return refuse_content(v, 411,
				      "A message is sent with its "
				      "Content-Length, not in chunks",
				      0, takes_body);
	if (len < -1)
		return refuse_content(v, 400, "The Content-Length is no number",
				      0, takes_body);
	if (len < 0)
		return refuse_content(
			v, 411, "A message is sent with its Content-Length", 0,
			takes_body);
	if ((uint64_t)len > most_bytes(v))
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
	bool told =
		(!is_batch(v) ||
		 !json_object_set_new(o, "count",
				      json_integer((json_int_t)receipt->n))) &&
		(!receipt->repeated ||
		 !json_object_set_new(o, "repeated", json_true()));
	char *text = told ? json_dumps(o, 0) : NULL;
	struct ses_buf body, out;

	ses_buf_init(&body, 1024);
	ses_buf_init(&out, 4096);
	ses_buf_printf(&body, "%s\n", text ? text : "{}");
	ses_upgrade_write_answer(202, fields, 2, BYTES("application/json"),
				 ses_buf_bytes(&body), &out);
	gate_record_answer(v, 202, ses_buf_len(&body));
	ses_buf_fini(&body);
	free(text);
	json_decref(o);
	return gate_visit_answer(v, &out, LINGER_MS);
}

/* Payloads with what they are about; all of them, or none, are published. */
struct batch {
	struct hub_content *content;
	struct hub_about *about; /* NULL: no state */
	struct hub_list list;	 /* that they lie in, or in the body */
	size_t n;
};

static bool make_batch(struct batch *b, size_t n, bool states)
{
	b->n = n;
	b->content = calloc(n, sizeof(*b->content));
	b->about = states ? calloc(n, sizeof(*b->about)) : NULL;
	return b->content && (b->about || !states);
}

static void free_batch(struct batch *b)
{
	free(b->content);
	free(b->about);
	hub_list_fini(&b->list);
}

static const char *split(struct batch *b, size_t most)
{
	for (size_t i = 0; i < b->n; i++) {
		struct hub_content *c = &b->content[i];

		c->kind = SESAME_TEXT;
		if (!hub_list_next(&b->list, &c->payload))
			return b->list.wrong;
		if (c->payload.len > most)
			return "A payload of the batch is longer than this "
			       "route takes";
	}
	return NULL;
}

static const char *read_abouts(struct batch *b, const char *key)
{
	for (size_t i = 0; b->about && i < b->n; i++) {
		struct hub_content *c = &b->content[i];
		const char *wrong =
			hub_about_read(c->payload, key, &b->about[i]);

		if (wrong)
			return wrong;
		c->key = bytes_of(b->about[i].key, b->about[i].key_len);
		c->gone = b->about[i].gone;
	}
	return NULL;
}

/* What is to be published, or what is wrong with it. */
static const char *read_body(struct gate_visit *v, struct batch *b)
{
	const struct gate_route *route = v->route;
	struct bytes body = ses_buf_bytes(&v->asking->body);
	bool states = route->hub.kind == GATE_KIND_STATE;
	const char *wrong = NULL;
	size_t n = 1;

	if (is_batch(v)) {
		wrong = hub_list_read(body, &b->list);
		n = b->list.n;
	}
	if (!wrong && !make_batch(b, n, states))
		wrong = hub_no_memory;
	if (!wrong && is_batch(v))
		wrong = split(b, (size_t)route->limits.message_bytes);
	else if (!wrong)
		b->content[0] = (struct hub_content){
			.kind = kind_of(v->asking->head, body),
			.payload = body,
		};
	return wrong ? wrong : read_abouts(b, route->hub.key);
}

static enum gate_outcome refuse_verdict(struct gate_visit *v,
					enum hub_verdict verdict,
					const struct hub_receipt *receipt)
{
	struct gate_refusal why = gate_verdict_refusal(verdict);
	struct ses_field retry = {BYTES("Retry-After"), {0}};
	char seconds[24];

	if (verdict == HUB_UNKNOWN)
		return gate_visit_refuse_unanswered(v);
	if (verdict == HUB_OTHER_BODY)
		return refuse_content(
			v, why.status, why.sentence, 0,
			"the body that was first sent under that key");
	if (verdict == HUB_TOO_OFTEN) {
		snprintf(seconds, sizeof(seconds), "%llu",
			 (unsigned long long)(receipt->wait_ms + 999) / 1000);
		retry.value = bytes_of_str(seconds);
		why.fields = &retry;
		why.n_fields = 1;
	}
	return gate_visit_refuse(v, &why);
}

/* ---- Answers that come later ---- */

static enum gate_outcome conclude(struct gate_visit *v, struct bytes name,
				  enum hub_verdict verdict,
				  const struct hub_receipt *receipt)
{
	return verdict == HUB_OK ? accept_message(v, name, receipt)
				 : refuse_verdict(v, verdict, receipt);
}

static void on_answer(struct gate_visit *v, const struct gate_awaited *a)
{
	uint8_t decoded[HUB_NAME_MAX];
	struct bytes name;

	if (gate_visit_channel(v, decoded, &name))
		conclude(v, name, a->ticket.verdict, &a->ticket.receipt);
}

static enum gate_outcome publish_batch(struct gate_visit *v, struct bytes name,
				       struct bytes key, const struct batch *b)
{
	uint64_t at_once = v->route->hub.rate_channel.most;
	struct hub_ticket *ticket = gate_awaited_offer(v->gate);
	struct hub_receipt receipt;
	enum hub_verdict verdict;

	if (at_once && b->n > at_once)
		return refuse(v, WHY_ACCESS_RATE, 413,
			      "The batch has more messages than "
			      "hub.rates.channel ever lets through at once");
	if (!ticket)
		return refuse_verdict(v, HUB_NO_MEMORY, &receipt);
	verdict = hub_publish_to(v->gate->seat, v->route->hub.space, name,
				 b->content, b->n, key, ticket, &receipt);
	if (verdict == HUB_LATER)
		return gate_visit_await(v, on_answer);
	return conclude(v, name, verdict, &receipt);
}

static enum gate_outcome refuse_body(struct gate_visit *v, const char *wrong,
				     size_t broken_at)
{
	char takes[GATE_CONTENT_SIZE] = "a JSON list of 1 to 1000 texts, "
					"objects and lists";

	if (v->route->hub.kind == GATE_KIND_STATE && !is_batch(v))
		gate_content_of_state(v->route, takes);
	return refuse_content(v, 400, wrong, broken_at, takes);
}

static enum gate_outcome publish(struct gate_visit *v)
{
	const struct ses_head *head = v->asking->head;
	struct bytes key = ses_head_get(head, "Idempotency-Key");
	uint8_t decoded[HUB_NAME_MAX];
	struct batch b = {.n = 0};
	enum gate_outcome outcome;
	const char *wrong;
	struct bytes name;

	if (!gate_visit_channel(v, decoded, &name))
		return GATE_OVER;
	if (ses_field_count(head->fields, head->n_fields, "Idempotency-Key") > 1)
		return refuse_content(v, 400,
				      "There is more than one Idempotency-Key",
				      0, takes_key);
	if (key.len > KEY_MAX)
		return refuse_content(
			v, 400, "The Idempotency-Key is longer than 255 bytes",
			0, takes_key);
	wrong = read_body(v, &b);
	if (wrong == hub_no_memory)
		outcome = refuse(v, WHY_SERVER_LIMIT, 503, wrong);
	else if (wrong)
		outcome = refuse_body(v, wrong, b.list.broken_at);
	else
		outcome = publish_batch(v, name,
					key.len ? key : bytes_of(NULL, 0), &b);
	free_batch(&b);
	return outcome;
}

enum gate_outcome gate_visit_publish(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;
	enum gate_outcome outcome;
	size_t left;

	if (!ses_list_empty(&a->awaited))
		return gate_visit_hold_back(v);
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
