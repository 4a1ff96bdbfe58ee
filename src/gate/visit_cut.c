/* SPDX-License-Identifier: MIT */
/*
 * Cutting off who sends longer messages, or more of them, than the limits of
 * the route allow. The handshake is forgotten by then, so what the journal is
 * told of it is kept where there is such a limit, and nowhere else.
 */
#include "gate/visit_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gate/hide.h"
#include "gate/notice.h"
#include "gate/outage.h"

struct gate_memo {
	/* messages it may still send, in parts of one: see gate/limits.c */
	uint64_t credit, at_ms;
	uint64_t period_ms; /* that these are parts of */
	/* Host, Origin and User-Agent: very many visits have the same. */
	struct gate_text *common;
	bool cut;
	char own[]; /* who it is, and the target */
};

/* The text that is the @i-th of some, each with its NUL. */
static const char *text_of(const char *text, int i)
{
	while (i-- > 0)
		text += strlen(text) + 1;
	return text;
}

static const char *client_of(const struct gate_memo *m)
{
	return m->own;
}

/* Whether messages of it may be told of, and not just the visit. */
static bool has_limits(const struct gate_visit *v)
{
	const struct gate_limits *limits = &v->route->limits;

	return limits->messages.most || v->route->to == GATE_TO_HUB ||
	       (limits->message_text && v->route->to == GATE_TO_UPSTREAM);
}

/* Texts one behind the other, each with its NUL. What is behind them. */
static char *write_texts(char *to, const char *const texts[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		to = stpcpy(to, texts[i]) + 1;
	return to;
}

static struct gate_text *take_common(struct gate_visit *v)
{
	const struct gate_request *r = &v->asking->request;
	char host[128], origin[160], agent[160];
	char all[sizeof(host) + sizeof(origin) + sizeof(agent)];
	const char *const texts[] = {
		bytes_printable(r->host, host, sizeof(host)),
		bytes_printable(r->origin, origin, sizeof(origin)),
		bytes_printable(r->user_agent, agent, sizeof(agent)),
	};
	char *end = write_texts(all, texts, 3);

	return gate_texts_take(&v->gate->texts,
			       bytes_of(all, (size_t)(end - all)));
}

static bool remember(struct gate_visit *v)
{
	char target[256];
	const char *const texts[] = {
		v->asking->hops.client_text,
		gate_hide_target(v->route->token, v->asking->request.target,
				 target, sizeof(target)),
	};
	size_t len = strlen(texts[0]) + strlen(texts[1]) + 2;

	v->memo = calloc(1, sizeof(*v->memo) + len);
	if (!v->memo)
		return false;
	v->memo->at_ms = v->gate->loop->now_ms;
	v->memo->common = take_common(v);
	write_texts(v->memo->own, texts, 2);
	if (v->memo->common)
		return true;
	gate_visit_forget_memo(v);
	return false;
}

bool gate_visit_limit_messages(struct gate_visit *v)
{
	return !has_limits(v) || remember(v);
}

void gate_visit_forget_memo(struct gate_visit *v)
{
	if (v->memo)
		gate_texts_give(&v->gate->texts, v->memo->common);
	free(v->memo);
	v->memo = NULL;
}

/* ---- Telling ---- */

/* What was sent, and what is against it. */
struct excess {
	enum why_cause cause;
	unsigned code;
	const char *rule; /* NULL: none */
	unsigned line;
	const char *words; /* for the client */
	const char *note;  /* for the operator */
	const char *takes; /* instead; NULL: it is not about what was sent */
	struct gate_compared compared;
	bool backplane; /* it is its doing, and no rule's */
};

static void tell_operator(struct gate_visit *v, const struct excess *e,
			  char reference[WHY_REFERENCE_SIZE])
{
	const struct gate_memo *m = v->memo;
	struct gate_ending ending = {
		.reference = reference,
		.cause = e->cause,
		.code = (int)e->code,
		.note = e->note,
		.takes = e->takes,
		.rule = e->rule ? e->rule : "",
		.line = e->line,
		.compared = &e->compared,
		.policy = v->policy,
		.route = v->route,
		.server = v->server,
		.listener = v->entrance->url,
		.client = client_of(m),
		.target = text_of(m->own, 1),
		.host = m->common->bytes,
		.origin = text_of(m->common->bytes, 1),
		.user_agent = text_of(m->common->bytes, 2),
	};
	struct gate_outage outage;

	if (e->backplane) {
		gate_outage_see(v->gate->cluster, v->policy,
				v->gate->loop->now_ms, &outage);
		ending.outage = &outage;
	}
	gate_new_reference(reference);
	gate_notice_ended(v->gate, &ending);
}

static void tell(struct gate_visit *v, const struct excess *e,
		 struct gate_cut *ret_cut)
{
	char reference[WHY_REFERENCE_SIZE];

	tell_operator(v, e, reference);
	ret_cut->code = e->code;
	snprintf(ret_cut->reason, sizeof(ret_cut->reason), "%s %s", reference,
		 e->words);
	gate_record_end(v->record, GATE_END_GATEWAY, e->code,
			bytes_of_str(ret_cut->reason));
	v->memo->cut = true;
}

static void cut_for_client(struct gate_visit *v, const struct excess *e,
			   struct gate_cut *ret_cut)
{
	tell(v, e, ret_cut);
	snprintf(ret_cut->for_server, sizeof(ret_cut->for_server),
		 "the gateway closed with %u: %s", e->code, e->words);
}

/* ---- Judging ---- */

/* Whether the bucket has one more. A new policy may have another limit. */
static bool take_one(struct gate_memo *m, const struct gate_limit *limit,
		     uint64_t now_ms)
{
	uint64_t full = limit->most * limit->period_ms;
	uint64_t passed = now_ms - m->at_ms;
	bool afresh = m->period_ms != limit->period_ms;

	m->at_ms = now_ms;
	m->period_ms = limit->period_ms;
	m->credit = afresh || passed >= limit->period_ms ||
				    m->credit + passed * limit->most > full
			    ? full
			    : m->credit + passed * limit->most;
	if (m->credit < limit->period_ms)
		return false;
	m->credit -= limit->period_ms;
	return true;
}

static bool is_too_often(struct gate_visit *v, struct excess *ret)
{
	const struct gate_limit *limit = &v->route->limits.messages;
	struct gate_limit_hit hit = {.limit = limit};

	if (!limit->most || take_one(v->memo, limit, v->gate->loop->now_ms))
		return false;
	*ret = (struct excess){
		.cause = WHY_ACCESS_RATE,
		.code = 1008,
		.rule = limit->text,
		.line = limit->line,
		.words = "too many messages",
		.note = "it sent more messages than its rate allows",
	};
	hit.wait_ms = (limit->period_ms - v->memo->credit) / limit->most;
	gate_limit_hit_tell(&hit, bytes_of_str(client_of(v->memo)),
			    (int64_t)time(NULL), &ret->compared);
	return true;
}

/* A message of @bytes at least. @note is borrowed. */
static struct excess too_long(const struct gate_visit *v, uint64_t bytes,
			      const char *note)
{
	const struct gate_limits *limits = &v->route->limits;
	struct excess e = {
		.cause = WHY_SERVER_LIMIT,
		.code = 1009,
		.rule = limits->message_text,
		.line = limits->message_line,
		.words = "message too long",
		.note = note,
	};

	snprintf(e.compared.value, sizeof(e.compared.value),
		 "%llu bytes at least", (unsigned long long)bytes);
	snprintf(e.compared.nearest, sizeof(e.compared.nearest), "%llu bytes",
		 (unsigned long long)limits->message_bytes);
	return e;
}

bool gate_visit_may_say(struct gate_visit *v, bool first, uint64_t bytes,
			struct gate_cut *ret_cut)
{
	const struct gate_limits *limits = &v->route->limits;
	struct excess e;
	char note[80];

	if (limits->message_text && bytes > limits->message_bytes) {
		snprintf(note, sizeof(note),
			 "it sent a message of %llu bytes at least",
			 (unsigned long long)bytes);
		e = too_long(v, bytes, note);
	} else if (!first || !is_too_often(v, &e)) {
		return true;
	}
	cut_for_client(v, &e, ret_cut);
	return false;
}

void gate_visit_cut_for_fault(struct gate_visit *v, int side,
			      enum ses_fault fault, struct gate_cut *ret_cut)
{
	char note[200];
	struct excess e = {
		.cause = side == 0 ? WHY_CLIENT_BAD_HANDSHAKE
				   : WHY_SERVER_NO_WEBSOCKET,
		.code = side == 0 ? 1002 : 1014,
		.words = side == 0
				 ? "not a WebSocket frame"
				 : "the server behind sent no WebSocket frame",
		.note = note,
	};

	snprintf(note, sizeof(note), "%s sent what is no frame: %s",
		 side == 0 ? "the client" : "the server",
		 ses_fault_row(fault)->sentence);
	if (side == 0)
		cut_for_client(v, &e, ret_cut);
	else
		tell(v, &e, ret_cut);
}

void gate_visit_say_fault(struct sesame_conn *conn, enum ses_fault fault,
			  char out[SES_REASON_SIZE])
{
	const struct ses_fault_row *row = ses_fault_row(fault);
	struct gate_visit *v = sesame_conn_user(conn);
	struct excess e = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.code = (unsigned)row->close_code,
		.words = row->sentence,
		.note = row->sentence,
	};
	struct gate_cut cut;

	snprintf(out, SES_REASON_SIZE, "%s", row->sentence);
	if (!v->memo || v->memo->cut)
		return;
	if (fault == SES_FAULT_MESSAGE_TOO_BIG)
		e = too_long(v, v->route->limits.message_bytes + 1,
			     "it sent a longer message");
	tell(v, &e, &cut);
	snprintf(out, SES_REASON_SIZE, "%s", cut.reason);
}

bool gate_visit_may_go_on(struct gate_visit *v)
{
	struct gate_cut cut;
	struct excess e;

	if (!v->memo)
		return true;
	if (v->memo->cut)
		return false;
	if (!is_too_often(v, &e))
		return true;
	tell(v, &e, &cut);
	if (sesame_conn_close(v->conn, (uint16_t)cut.code, cut.reason) < 0)
		sesame_conn_abort(v->conn);
	return false;
}

/* ---- Messages that a channel does not take ---- */

static struct excess excess_of(const struct gate_unwanted *u, unsigned code)
{
	struct excess e = {
		.cause = u->cause,
		.code = code,
		.rule = u->limit ? u->limit->text : NULL,
		.line = u->limit ? u->limit->line : 0,
		.words = u->text,
		.note = u->note,
		.takes = u->takes,
		.backplane = u->backplane,
	};

	return e;
}

static void compare(struct gate_visit *v, const struct gate_unwanted *u,
		    struct excess *e)
{
	struct gate_limit_hit hit = {.limit = u->limit, .wait_ms = u->wait_ms};

	if (u->limit)
		gate_limit_hit_tell(&hit, bytes_of_str(client_of(v->memo)),
				    (int64_t)time(NULL), &e->compared);
}

void gate_visit_tell_unwanted(struct gate_visit *v,
			      const struct gate_unwanted *u,
			      char reference[WHY_REFERENCE_SIZE])
{
	struct excess e = excess_of(u, (unsigned)u->status);

	strcpy(reference, "");
	if (!v->memo)
		return;
	compare(v, u, &e);
	tell_operator(v, &e, reference);
}

void gate_visit_cut_unwanted(struct gate_visit *v, const struct gate_unwanted *u)
{
	struct excess e = excess_of(u, u->code);
	struct gate_cut cut = {.code = u->code};

	if (v->memo && v->memo->cut)
		return;
	snprintf(cut.reason, sizeof(cut.reason), "%s", u->text);
	if (v->memo) {
		compare(v, u, &e);
		tell(v, &e, &cut);
	}
	if (v->conn &&
	    sesame_conn_close(v->conn, (uint16_t)cut.code, cut.reason) < 0)
		sesame_conn_abort(v->conn);
}
