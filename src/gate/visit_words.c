/* SPDX-License-Identifier: MIT */
/*
 * What members of a channel say: payloads, or envelopes of sesame.v1
 * (docs/sesame.v1.md). What is not taken is told, with a reference: to a client
 * that speaks envelopes by one, to another one by closing.
 */
#include "gate/visit_member.h"

#include <string.h>

#include <sesame/error.h>

#include "gate/visit_inner.h"
#include "hub/envelope.h"

/* ---- Answers ---- */

/* Who asks and does not read the answers is not heard until it does. */
static void say(struct gate_visit *v, struct ses_buf *json)
{
	struct bytes text = ses_buf_bytes(json);
	int r = SESAME_ECLOSED;

	if (v->conn && text.len)
		r = sesame_conn_send(v->conn, SESAME_TEXT, text.data, text.len);
	if (r == SESAME_EAGAIN)
		sesame_conn_pause(v->conn);
	else if (r < 0 && r != SESAME_ECLOSED &&
		 sesame_conn_close(v->conn, 1013, "too slow for the channel"))
		sesame_conn_abort(v->conn);
	ses_buf_fini(json);
}

#define MOST_TOLD   20	  /* errors of a member that are logged, */
#define TOLD_MS	    4000  /* in this time */
#define MOST_FAULTS 100	  /* of its own doing, */
#define FAULTS_MS   10000 /* in this time */

/* Whether it goes on though it was told that it is wrong. */
static bool goes_on(struct gate_member *m, const struct gate_unwanted *u,
		    uint64_t now_ms)
{
	static const struct hub_rate rate = {MOST_FAULTS, FAULTS_MS};

	return (u->status == 400 || u->status == 403) &&
	       !hub_bucket_take(&m->faults, rate, 1, now_ms, NULL);
}

/* Of many errors those that are not logged have the reference of one that was. */
static void refuse(struct gate_visit *v, const struct gate_unwanted *u,
		   int64_t ref)
{
	static const struct hub_rate told = {MOST_TOLD, TOLD_MS};
	static const struct gate_unwanted rubbish = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.code = 1008,
		.text = "too many errors",
		.note = "it went on with what is refused, a hundred times in "
			"ten seconds",
	};
	struct gate_member *m = v->member;
	uint64_t now_ms = v->gate->loop->now_ms;
	struct ses_buf json;

	if (!m->member.envelopes || goes_on(m, u, now_ms)) {
		gate_visit_cut_unwanted(v, m->member.envelopes ? &rubbish : u);
		return;
	}
	if (hub_bucket_take(&m->told, told, 1, now_ms, NULL))
		gate_visit_tell_unwanted(v, u, m->reference);
	ses_buf_init(&json, 4096);
	hub_envelope_error(ref, u->word, u->text, why_cause(u->cause)->id,
			   m->reference, &json);
	say(v, &json);
}

static void refuse_bad(struct gate_visit *v, const char *text, int64_t ref,
		       const char *word)
{
	struct gate_unwanted u = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.status = 400,
		.code = 1008,
		.word = word,
		.text = text,
		.note = text,
	};

	refuse(v, &u, ref);
}

static void acknowledge(struct gate_visit *v, int64_t ref,
			const struct hub_receipt *receipt)
{
	struct ses_buf json;

	if (ref < 0)
		return;
	ses_buf_init(&json, 512);
	hub_envelope_ack(ref, &receipt->epoch, receipt->seq, &json);
	say(v, &json);
}

/* ---- Publishing ---- */

static const struct gate_unwanted busy = {
	.cause = WHY_SERVER_LIMIT,
	.status = 503,
	.code = 1013,
	.word = "busy",
	.text = "the gateway holds no more",
	.note = "too many messages were on their way",
};

static const struct gate_unwanted forbidden = {
	.cause = WHY_ACCESS_PERMISSION,
	.status = 403,
	.code = 1008,
	.word = "permission",
	.text = "you may not publish here",
	.note = "it sent a message, which hub.may.publish does not let it",
};

static struct gate_unwanted too_often(const struct gate_limit *limit,
				      bool of_channel, uint64_t wait_ms)
{
	return (struct gate_unwanted){
		.cause = WHY_ACCESS_RATE,
		.status = 429,
		.code = of_channel ? 1013 : 1008,
		.word = "rate",
		.text = of_channel ? "too many messages in this channel"
				   : "too many messages",
		.note = of_channel ? "its channel got more messages than that"
				   : "it sent more messages than that",
		.limit = limit,
		.wait_ms = wait_ms,
	};
}

static struct gate_unwanted unwanted_of(const struct gate_visit *v,
					enum hub_verdict verdict,
					const struct hub_receipt *receipt)
{
	struct gate_unwanted u = busy;

	switch (verdict) {
	case HUB_TOO_OFTEN:
		return too_often(&v->route->hub.rate_channel, true,
				 receipt->wait_ms);
	case HUB_STATE_FULL:
		u.word = "full";
		u.text = "no room for a further key";
		u.note = "hub.keys, or the bytes of a state, are reached";
		return u;
	case HUB_UNAVAILABLE:
		u.word = "unavailable";
		u.text = "the channel is not available";
		u.note = "the backplane does not answer";
		return u;
	default:
		return u;
	}
}

static bool may_publish(struct gate_visit *v, int64_t ref)
{
	struct gate_member *m = v->member;
	const struct gate_limit *limit = &v->route->hub.rate_member;
	struct hub_rate rate = {limit->most, limit->period_ms};
	struct gate_unwanted u = forbidden;
	uint64_t wait_ms = 0;

	if (m->may_publish && hub_bucket_take(&m->member.bucket, rate, 1,
					      v->gate->loop->now_ms, &wait_ms))
		return true;
	if (m->may_publish)
		u = too_often(limit, false, wait_ms);
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

	if (wrong) {
		refuse_bad(v, wrong, ref, "key");
		return false;
	}
	content->key = bytes_of(about->key, about->key_len);
	content->gone = about->gone;
	return true;
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
	struct gate_unwanted u;
	struct hub_about about;
	enum hub_verdict verdict;

	if (!may_publish(v, ref))
		return;
	if (v->route->hub.kind == GATE_KIND_STATE &&
	    !find_key(v, ref, &content, &about))
		return;
	if (member->person)
		content.from = member->person->entry.name;
	verdict = hub_publish(v->gate->seat, member, &content, NULL, &receipt);
	if (verdict != HUB_OK) {
		u = unwanted_of(v, verdict, &receipt);
		refuse(v, &u, ref);
		return;
	}
	acknowledge(v, ref, &receipt);
	if (!receipt.hold_back || !v->conn)
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

	if (!v->member->member.sees) {
		refuse(v, &hidden, d->ref);
		return;
	}
	ses_buf_init(&json, HUB_LIST_MAX * 6 * HUB_WHO_SIZE + 1024);
	hub_list(v->gate->seat, &v->member->member, d, &json);
	say(v, &json);
}

static bool begin_later(struct gate_visit *v, const struct hub_demand *d)
{
	struct gate_member *m = v->member;
	struct bytes id = ses_buf_bytes(&d->data);
	bool resumes = d->sort == HUB_RESUME;

	if (!m->later)
		return false;
	m->later = false;
	if (resumes && !m->since)
		m->since = gate_copy_id(id);
	gate_member_begin(m);
	return resumes;
}

static void obey(struct gate_visit *v, const struct hub_demand *d)
{
	struct bytes data = ses_buf_bytes(&d->data);

	if (begin_later(v, d))
		return;
	switch (d->sort) {
	case HUB_PUBLISH:
		publish(v, SESAME_TEXT, data, d->ref);
		break;
	case HUB_PUBLISH_BYTES:
		publish(v, SESAME_BINARY, data, d->ref);
		break;
	case HUB_RESUME:
		refuse_bad(v,
			   "resume is for the first message, after "
			   "?since=later",
			   d->ref, "late");
		break;
	default:
		list(v, d);
	}
}

static void read_envelope(struct gate_visit *v, struct bytes text)
{
	struct hub_demand d;
	const char *wrong = hub_demand_read(text, &d);

	if (wrong)
		refuse_bad(v, wrong, d.ref, "bad");
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
