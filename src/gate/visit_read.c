/* SPDX-License-Identifier: MIT */
/*
 * GET of a channel: what it holds, or who is there (docs/channels.md). The
 * connection is closed after the answer.
 */
#include "gate/visit_inner.h"

#include <sesame/version.h>

#include "base/percent.h"
#include "gate/awaited.h"
#include "hub/hub.h"

#define LINGER_MS     10000
#define DEFAULT_LIMIT 100
/* About half a MiB of messages, and the longest there may be as envelopes. */
#define ANSWER_BYTES ((size_t)4 * 1024 * 1024 + 6 * HUB_FULL_BYTES)
#define QUEUE_BYTES  (ANSWER_BYTES + 4096)

static enum gate_outcome refuse(struct gate_visit *v, int status,
				const char *sentence)
{
	struct gate_refusal why = {
		.cause = status < 500 ? WHY_CLIENT_BAD_HANDSHAKE
				      : WHY_SERVER_LIMIT,
		.status = status,
		.sentence = sentence,
		.note = sentence,
		.takes = status < 500 ? "GET, with a limit from 1 to 1000"
				      : NULL,
	};

	return gate_visit_refuse(v, &why);
}

static enum gate_outcome refuse_presence(struct gate_visit *v)
{
	static const struct gate_refusal hidden = {
		.cause = WHY_ACCESS_PERMISSION,
		.status = 403,
		.sentence = "You may not see who is here",
		.note = "it asked who is there, and the route has no "
			"hub.presence",
	};

	return gate_visit_refuse(v, &hidden);
}

static bool asks_for_presence(const struct gate_visit *v)
{
	return gate_query_get(v->asking->request.target, "presence").data;
}

/* A parameter, decoded and cut to @size; data NULL: it is not there. */
static struct bytes parameter(const struct gate_visit *v, const char *name,
			      uint8_t *out, size_t size)
{
	struct bytes in = gate_query_get(v->asking->request.target, name);
	size_t n = 0;

	if (!in.data)
		return in;
	while (in.len && n < size)
		out[n++] = ses_percent_next(&in);
	return bytes_of(n ? out : NULL, n);
}

static bool read_limit(const struct gate_visit *v, size_t *ret_limit)
{
	uint8_t text[8];
	struct bytes limit = parameter(v, "limit", text, sizeof(text));
	uint64_t n = DEFAULT_LIMIT;

	if (limit.data && !bytes_to_u64(limit, HUB_LIST_MAX, &n))
		return false;
	*ret_limit = (size_t)n;
	return n > 0;
}

static enum gate_outcome answer(struct gate_visit *v, struct ses_buf *body)
{
	static const struct ses_field fields[] = {
		{BYTES("Server"), BYTES("sesame/" SESAME_VERSION)},
		{BYTES("Cache-Control"), BYTES("no-store")},
		{BYTES("X-Content-Type-Options"), BYTES("nosniff")},
	};
	static const struct ses_stream_limits limits = {
		.queue = QUEUE_BYTES,
		.queue_high = QUEUE_BYTES,
	};
	struct ses_buf out;

	ses_buf_append_str(body, "\n");
	ses_buf_init(&out, QUEUE_BYTES);
	ses_stream_limit(v->stream, &limits);
	gate_record_answer(v, 200, ses_buf_len(body));
	ses_upgrade_write_answer(200, fields, 3, BYTES("application/json"),
				 ses_buf_bytes(body), &out);
	ses_buf_fini(body);
	return gate_visit_answer(v, &out, LINGER_MS);
}

static int read_channel(struct gate_visit *v, struct bytes name, size_t limit,
			struct ses_buf *out)
{
	struct hub_space *space = v->route->hub.space;
	uint8_t text[HUB_AFTER_MAX];

	if (asks_for_presence(v))
		return hub_list_of(v->gate->seat, space, name,
				   parameter(v, "after", text, sizeof(text)),
				   limit, out);
	return hub_history_of(v->gate->seat, space, name,
			      parameter(v, "since", text, sizeof(text)), limit,
			      out);
}

static enum gate_outcome read_it(struct gate_visit *v)
{
	uint8_t decoded[HUB_NAME_MAX];
	struct ses_buf body;
	struct bytes name;
	size_t limit;

	if (!gate_visit_channel(v, decoded, &name))
		return GATE_OVER;
	if (!read_limit(v, &limit))
		return refuse(v, 400, "limit is a number from 1 to 1000");
	ses_buf_init(&body, ANSWER_BYTES);
	if (read_channel(v, name, limit, &body) >= 0)
		return answer(v, &body);
	ses_buf_fini(&body);
	return refuse(v, 503,
		      "There is no memory for the answer; try again "
		      "later");
}

/* The channel is here, or why not. */
static enum gate_outcome conclude(struct gate_visit *v, enum hub_verdict verdict)
{
	return verdict == HUB_OK ? read_it(v)
				 : gate_visit_refuse_unreached(v, verdict);
}

static void on_answer(struct gate_visit *v, const struct gate_awaited *a)
{
	conclude(v, a->ticket.verdict);
}

enum gate_outcome gate_visit_read(struct gate_visit *v)
{
	struct hub_ticket *ticket = gate_awaited_offer(v->gate);
	uint8_t decoded[HUB_NAME_MAX];
	enum gate_outcome outcome;
	enum hub_verdict verdict;
	struct bytes name;

	if (!ses_list_empty(&v->asking->awaited))
		return gate_visit_hold_back(v);
	if (!gate_visit_channel(v, decoded, &name))
		return GATE_OVER;
	if (asks_for_presence(v) && !v->route->hub.presence)
		return refuse_presence(v);
	if (!ticket)
		return conclude(v, HUB_NO_MEMORY);
	verdict = hub_reach(v->gate->seat, v->route->hub.space, name, ticket);
	if (verdict == HUB_LATER)
		return gate_visit_await(v, on_answer);
	outcome = conclude(v, verdict);
	hub_release(ticket);
	return outcome;
}
