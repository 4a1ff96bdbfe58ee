/* SPDX-License-Identifier: MIT */
/*
 * What members of a channel say: payloads, or envelopes of sesame.v1
 * (docs/sesame.v1.md). What is not taken is told, with a reference: to a client
 * that speaks envelopes by one, to another one by closing.
 */
#include "gate/visit_member.h"

#include <string.h>

#include <sesame/error.h>

#include "gate/awaited.h"
#include "gate/visit_inner.h"
#include "hub/envelope.h"

/* ---- Answers ---- */

/*
 * Who asks and does not read the answers is not heard until it does. @error:
 * what came of writing @json, which is freed.
 */
static void say(struct gate_visit *v, struct ses_buf *json, int error)
{
	static const struct gate_unwanted deaf = {
		.cause = WHY_SERVER_LIMIT,
		.code = 1013,
		.text = "too slow for the channel",
		.note = "it asked for more answers than it read",
	};
	static const struct gate_unwanted unsaid = {
		.cause = WHY_SERVER_LIMIT,
		.code = 1013,
		.text = "there is no memory; try again later",
		.note = "there was no memory for its answer",
	};
	struct bytes text = ses_buf_bytes(json);
	int r = SESAME_ECLOSED;

	if (v->conn)
		r = error ? error
			  : sesame_conn_send(v->conn, SESAME_TEXT, text.data,
					     text.len);
	if (r == SESAME_EAGAIN) {
		v->member->unread = true;
		sesame_conn_pause(v->conn);
	} else if (r < 0 && r != SESAME_ECLOSED) {
		gate_visit_cut_unwanted(v, error ? &unsaid : &deaf);
	}
	ses_buf_fini(json);
}

#define MOST_TOLD   20	  /* errors of a member that are logged, */
#define TOLD_MS	    4000  /* in this time */
#define MOST_FAULTS 100	  /* of its own doing, */
#define FAULTS_MS   10000 /* in this time */

/* Whether it goes on though it was told that it is wrong. */
static bool goes_on(struct gate_dealings *d, const struct gate_unwanted *u,
		    uint64_t now_ms)
{
	static const struct hub_rate rate = {MOST_FAULTS, FAULTS_MS};

	return (u->status == 400 || u->status == 403) &&
	       !hub_bucket_take(&d->faults, rate, 1, now_ms, NULL);
}

/*
 * Of many errors those that are not logged have the reference of one that was,
 * and was for the same.
 */
static void tell(struct gate_visit *v, struct gate_dealings *d,
		 const struct gate_unwanted *u, uint64_t now_ms)
{
	static const struct hub_rate rate = {MOST_TOLD, TOLD_MS};

	if (!hub_bucket_take(&d->told, rate, 1, now_ms, NULL) &&
	    d->told_text == u->text)
		return;
	gate_visit_tell_unwanted(v, u, d->reference);
	d->told_text = u->text;
}

static const char takes_envelope[] =
	"{\"publish\": ...}, {\"publish_base64\": ...}, {\"resume\": ...} or "
	"{\"presence\": ...}, and in it \"ref\" for an answer";

static void refuse(struct gate_visit *v, const struct gate_unwanted *u,
		   int64_t ref)
{
	static const struct gate_unwanted rubbish = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.code = 1008,
		.text = "too many errors",
		.note = "it went on with what is refused, a hundred times in "
			"ten seconds",
		.takes = takes_envelope,
	};
	bool envelopes = v->member->member.envelopes;
	struct gate_dealings *d = envelopes ? gate_member_deal(v->member) : NULL;
	uint64_t now_ms = v->gate->loop->now_ms;
	struct ses_buf json;
	int error;

	if (!d || goes_on(d, u, now_ms)) {
		gate_visit_cut_unwanted(v, d ? &rubbish : u);
		return;
	}
	tell(v, d, u, now_ms);
	ses_buf_init(&json, 4096);
	error = hub_envelope_error(ref, u->word, u->text,
				   why_cause(u->cause)->id, d->reference, &json);
	say(v, &json, error);
}

/* @takes: what would have been taken. */
static void refuse_bad(struct gate_visit *v, const char *text, int64_t ref,
		       const char *word, const char *takes, size_t broken_at)
{
	char note[GATE_CONTENT_SIZE];
	struct gate_unwanted u = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.status = 400,
		.code = 1008,
		.word = word,
		.text = text,
		.note = note,
		.takes = takes,
	};

	gate_content_note("a message", text, broken_at, note);
	refuse(v, &u, ref);
}

static void acknowledge(struct gate_visit *v, int64_t ref,
			const struct hub_receipt *receipt)
{
	struct ses_buf json;
	int error;

	if (ref < 0)
		return;
	ses_buf_init(&json, 512);
	error = hub_envelope_ack(ref, &receipt->epoch, receipt->seq, &json);
	say(v, &json, error);
}

/* ---- Publishing ---- */

static const struct gate_unwanted forbidden = {
	.cause = WHY_ACCESS_PERMISSION,
	.status = 403,
	.code = 1008,
	.word = "permission",
	.text = "you may not publish here",
	.note = "it sent a message, which hub.may.publish does not let it",
};

static struct gate_unwanted too_often(const struct gate_limit *limit,
				      uint64_t wait_ms)
{
	return (struct gate_unwanted){
		.cause = WHY_ACCESS_RATE,
		.status = 429,
		.code = 1008,
		.word = "rate",
		.text = "too many messages",
		.note = "it sent more messages than its rate allows",
		.limit = limit,
		.wait_ms = wait_ms,
	};
}

/* Whether the route lets it send one more now, or why not. */
static bool is_in_time(struct gate_visit *v, struct gate_unwanted *ret_why)
{
	const struct gate_limit *limit = &v->route->hub.rate_member;
	struct hub_rate rate = {limit->most, limit->period_ms};
	struct gate_dealings *d;
	uint64_t wait_ms = 0;

	if (!rate.most)
		return true;
	d = gate_member_deal(v->member);
	if (d &&
	    hub_bucket_take(&d->said, rate, 1, v->gate->loop->now_ms, &wait_ms))
		return true;
	*ret_why = d ? too_often(limit, wait_ms)
		     : gate_verdict_unwanted(HUB_NO_MEMORY);
	return false;
}

static bool may_publish(struct gate_visit *v, int64_t ref)
{
	struct gate_unwanted u = forbidden;

	if (v->member->may_publish && is_in_time(v, &u))
		return true;
	refuse(v, &u, ref);
	return false;
}

/* What it is about, in a channel of states. */
static bool find_key(struct gate_visit *v, int64_t ref,
		     struct hub_content *content, struct hub_about *about)
{
	const char *wrong =
		content->kind == SESAME_TEXT
			? hub_about_read(content->payload, v->route->hub.key,
					 about)
			: "A payload of this channel is a JSON object";
	char takes[GATE_CONTENT_SIZE];

	if (wrong) {
		gate_content_of_state(v->route, takes);
		refuse_bad(v, wrong, ref, "key", takes, 0);
		return false;
	}
	content->key = bytes_of(about->key, about->key_len);
	content->gone = about->gone;
	return true;
}

/* What became of a message. */
static void conclude(struct gate_visit *v, int64_t ref,
		     enum hub_verdict verdict, const struct hub_receipt *receipt)
{
	struct gate_unwanted u;

	if (verdict == HUB_OK) {
		acknowledge(v, ref, receipt);
		return;
	}
	u = gate_verdict_unwanted(verdict);
	if (verdict == HUB_TOO_OFTEN) {
		u.limit = &v->route->hub.rate_channel;
		u.wait_ms = receipt->wait_ms;
	}
	refuse(v, &u, ref);
}

/* ---- Answers that come later ---- */

/*
 * One that waits for so many is not heard until half of them are there; what
 * it sent before, a receive buffer full at most, is taken all the same.
 */
#define MOST_AWAITED  256
#define AWAITED_BYTES ((size_t)1024 * 1024)

bool gate_member_awaits_much(const struct gate_member *m)
{
	const struct gate_dealings *d = m->dealings;

	return d && (d->n_awaited > MOST_AWAITED / 2 ||
		     d->awaited_bytes > AWAITED_BYTES / 2);
}

static void on_answer(struct gate_visit *v, const struct gate_awaited *a)
{
	struct gate_dealings *d = v->member->dealings;

	d->n_awaited--;
	d->awaited_bytes -= a->bytes;
	conclude(v, a->ref, a->ticket.verdict, &a->ticket.receipt);
	gate_member_go_on(v->member);
}

static void await_answer(struct gate_visit *v, int64_t ref, size_t bytes)
{
	struct gate_dealings *d = v->member->dealings;
	struct gate_awaited *a = gate_awaited_take(v, &d->awaited);

	a->on_answer = on_answer;
	a->ref = ref;
	a->bytes = bytes;
	d->n_awaited++;
	d->awaited_bytes += bytes;
	if (v->conn &&
	    (d->n_awaited >= MOST_AWAITED || d->awaited_bytes >= AWAITED_BYTES))
		sesame_conn_pause(v->conn);
}

static enum hub_verdict hand_in(struct gate_visit *v,
				const struct hub_content *content,
				struct hub_receipt *ret_receipt)
{
	struct hub_ticket *ticket = gate_awaited_offer(v->gate);

	/* What await_answer() needs is there before. */
	if (!ticket ||
	    (hub_answers_later(v->gate->seat) && !gate_member_deal(v->member)))
		return HUB_NO_MEMORY;
	return hub_publish(v->gate->seat, &v->member->member, content, ticket,
			   ret_receipt);
}

static void publish(struct gate_visit *v, enum sesame_kind kind,
		    struct bytes payload, int64_t ref)
{
	struct hub_member *member = &v->member->member;
	struct hub_content content = {
		.kind = kind,
		.payload = payload,
		.sender = member->id,
	};
	struct hub_receipt receipt = {0};
	struct hub_about about;
	enum hub_verdict verdict;

	if (!may_publish(v, ref))
		return;
	if (v->route->hub.kind == GATE_KIND_STATE &&
	    !find_key(v, ref, &content, &about))
		return;
	if (member->person)
		content.from = member->person->entry.name;
	verdict = hand_in(v, &content, &receipt);
	if (verdict == HUB_LATER)
		await_answer(v, ref, payload.len);
	else
		conclude(v, ref, verdict, &receipt);
	if ((verdict != HUB_OK && verdict != HUB_LATER) || !receipt.hold_back ||
	    !v->conn)
		return;
	sesame_conn_pause(v->conn);
	hub_hold(v->gate->seat, member);
}

/* ---- Envelopes ---- */

static void list(struct gate_visit *v, const struct hub_demand *d)
{
	static const struct gate_unwanted hidden = {
		.cause = WHY_ACCESS_PERMISSION,
		.status = 403,
		.code = 1008,
		.word = "permission",
		.text = "you may not see who is here",
		.note = "it asked who is there, which hub.presence or "
			"hub.may.presence does not let it",
	};
	struct ses_buf json;
	int error;

	if (!v->member->member.sees) {
		refuse(v, &hidden, d->ref);
		return;
	}
	ses_buf_init(&json, HUB_LIST_MAX * 6 * HUB_WHO_SIZE + 1024);
	error = hub_list(v->gate->seat, &v->member->member, d, &json);
	say(v, &json, error);
}

static bool begin_later(struct gate_visit *v, const struct hub_demand *d)
{
	struct gate_member *m = v->member;
	bool resumes = d->sort == HUB_RESUME;

	if (!m->later)
		return false;
	m->later = false;
	if (resumes && m->prelude && !m->prelude->since)
		m->prelude->since = gate_copy_id(d->data);
	gate_member_begin(m);
	return resumes;
}

static void obey(struct gate_visit *v, const struct hub_demand *d)
{
	if (begin_later(v, d))
		return;
	switch (d->sort) {
	case HUB_PUBLISH:
		publish(v, SESAME_TEXT, d->data, d->ref);
		break;
	case HUB_PUBLISH_BYTES:
		publish(v, SESAME_BINARY, d->data, d->ref);
		break;
	case HUB_RESUME:
		refuse_bad(v,
			   "resume is for the first message, after "
			   "?since=later",
			   d->ref, "late",
			   "{\"resume\": ID} before anything else", 0);
		break;
	default:
		list(v, d);
	}
}

static void read_envelope(struct gate_visit *v, struct bytes text)
{
	const struct gate_unwanted no_memory =
		gate_verdict_unwanted(HUB_NO_MEMORY);
	struct hub_demand d;
	const char *wrong = hub_demand_read(text, &d);

	if (d.no_memory)
		refuse(v, &no_memory, d.ref);
	else if (wrong)
		refuse_bad(v, wrong, d.ref, "bad", takes_envelope, d.broken_at);
	else
		obey(v, &d);
	hub_demand_fini(&d);
}

void gate_visit_hear(struct gate_visit *v, enum sesame_kind kind,
		     struct bytes data)
{
	static const struct hub_demand none = {.sort = HUB_PUBLISH, .ref = -1};

	if (v->member->member.envelopes && kind == SESAME_TEXT) {
		read_envelope(v, data);
		return;
	}
	begin_later(v, &none);
	publish(v, kind, data, -1);
}
