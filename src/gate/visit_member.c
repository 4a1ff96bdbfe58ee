/* SPDX-License-Identifier: MIT */
/*
 * `to: hub`: the path below the route's names a channel, and what a member of
 * it sends reaches all others. A member that reads slowly is served from what
 * the channel holds, or loses some of it or its connection, as the route has
 * it, and holds nobody up.
 */
#include "gate/visit_member.h"

#include <stdlib.h>

#include <sesame/error.h>

#include "base/percent.h"
#include "gate/awaited.h"
#include "gate/credential.h"
#include "gate/subprotocols.h"
#include "gate/visit_inner.h"
#include "hub/envelope.h"

#define HIGH_BYTES ((size_t)128 * 1024) /* from where on one is slow */
#define NEWS_BYTES ((size_t)512 * 1024) /* names, at most */

static struct gate_member *of(struct hub_member *member)
{
	return ses_container_of(member, struct gate_member, member);
}

/* ---- What the hub tells ---- */

static const struct gate_unwanted slow = {
	.cause = WHY_SERVER_LIMIT,
	.code = 1013,
	.text = "too slow for the channel",
	.note = "more waited for it than hub.queue, or history, holds",
};

/* There is no room though nothing waits, so there never will be. */
static enum hub_taken give_up(struct gate_visit *v)
{
	gate_visit_cut_unwanted(v, &slow);
	return HUB_GONE;
}

static enum hub_taken deliver(struct hub_member *member,
			      const struct hub_parcel *p)
{
	struct gate_visit *v = of(member)->visit;
	int r;

	if (!v->conn)
		return HUB_GONE;
	r = p->more ? ses_conn_send_frame(v->conn, p->frames)
		    : ses_conn_send_frame_now(v->conn, p->frames);
	if ((r == 0 || r == SESAME_EAGAIN) && p->n)
		gate_record_pass(v->record, GATE_OUT, p->payload_bytes,
				 (unsigned)p->n);
	if (r == 0)
		return HUB_TAKEN;
	if (r == SESAME_EAGAIN)
		return HUB_TAKEN_LAST;
	if (r == SESAME_ECLOSED)
		return HUB_GONE;
	if (r == SESAME_ELIMIT && sesame_conn_queued(v->conn))
		return HUB_NOT_TAKEN;
	return give_up(v);
}

static void go_on(struct hub_member *member)
{
	gate_member_go_on(of(member));
}

static void on_ready(struct hub_member *member)
{
	if (!of(member)->later)
		gate_member_begin(of(member));
}

static void on_missed(struct hub_member *member, uint64_t n, bool conflated)
{
	if (!conflated)
		gate_record_drop(of(member)->visit->record, n);
}

static void on_too_slow(struct hub_member *member)
{
	gate_visit_cut_unwanted(of(member)->visit, &slow);
}

static void on_no_memory(struct hub_member *member)
{
	static const struct gate_unwanted none = {
		.cause = WHY_SERVER_LIMIT,
		.code = 1013,
		.text = "there is no memory; try again later",
		.note = "there was no memory for what it had to get",
	};

	gate_visit_cut_unwanted(of(member)->visit, &none);
}

static void on_refused(struct hub_member *member)
{
	struct gate_unwanted full = gate_verdict_unwanted(HUB_CHANNELS_FULL);

	gate_visit_cut_unwanted(of(member)->visit, &full);
}

const struct hub_events gate_hub_events = {
	.deliver = deliver,
	.go_on = go_on,
	.ready = on_ready,
	.missed = on_missed,
	.too_slow = on_too_slow,
	.refused = on_refused,
	.no_memory = on_no_memory,
};

/* ---- What the connection tells ---- */

void gate_member_go_on(struct gate_member *m)
{
	if (m->visit->conn && !m->member.is_held && !m->unread &&
	    !gate_member_awaits_much(m))
		sesame_conn_resume(m->visit->conn);
}

static void end_prelude(struct gate_member *m)
{
	if (!m->prelude)
		return;
	free(m->prelude->you);
	free(m->prelude->since);
	free(m->prelude);
	m->prelude = NULL;
}

void gate_member_begin(struct gate_member *m)
{
	const struct gate_prelude *p = m->prelude;

	if (hub_begin(m->visit->gate->seat, &m->member,
		      p && p->you ? p->you : "",
		      bytes_of_str(p ? p->since : NULL)))
		end_prelude(m);
}

static void on_open(struct sesame_conn *conn, void *user)
{
	struct gate_visit *v = user;

	gate_visit_on_open(conn, user);
	if (!v->member->later)
		gate_member_begin(v->member);
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct gate_visit *v = user;

	gate_record_pass(v->record, GATE_IN, len, 1);
	if (v->member && gate_visit_may_go_on(v))
		gate_visit_hear(v, kind, bytes_of(data, len));
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	struct gate_visit *v = user;

	if (!v->member)
		return;
	hub_drained(v->gate->seat, &v->member->member);
	v->member->unread = false;
	gate_member_go_on(v->member);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct gate_visit *v = user;

	gate_record_ended(v->record, end);
}

static const struct sesame_handlers member_of_channel = {
	.on_open = on_open,
	.on_message = on_message,
	.on_drain = on_drain,
	.on_close = on_close,
};

/* ---- Coming and going ---- */

bool gate_visit_channel(struct gate_visit *v, uint8_t out[HUB_NAME_MAX],
			struct bytes *ret_name)
{
	struct bytes path = gate_path_of(v->asking->request.target);
	struct bytes name = gate_path_pattern_rest(&v->route->pattern, path);
	struct gate_refusal why = {.cause = WHY_URL_PATH, .status = 400};
	size_t n = 0;

	/* One byte more than fits is seen to be too long. */
	uint8_t decoded[HUB_NAME_MAX + 1];

	while (name.len && n < sizeof(decoded))
		decoded[n++] = ses_percent_next(&name);
	*ret_name = bytes_of(decoded, n);
	/* A route of one path is one channel, without a name. */
	if (v->route->pattern.kind != GATE_PATH_EXACT)
		why.sentence = hub_name_wrong(*ret_name);
	why.note = why.sentence;
	if (why.sentence) {
		gate_visit_refuse(v, &why);
		return false;
	}
	memcpy(out, decoded, n);
	*ret_name = bytes_of(out, n);
	return true;
}

/* Whether a token has all that is asked for. */
static bool may(const struct gate_visit *v, const struct gate_may *may)
{
	const struct gate_credential *c = gate_visit_credential(v);

	for (size_t i = 0; i < may->n_claims; i++)
		if (!c || !gate_claim_has(c->claims, may->claim[i].name,
					  may->claim[i].value))
			return false;
	return !may->nobody;
}

/* By what name the others see it. */
static void name_member(const struct gate_visit *v, char you[HUB_WHO_SIZE])
{
	const struct gate_credential *c = gate_visit_credential(v);

	bytes_printable(bytes_of_str(c && c->subject ? c->subject : ""), you,
			HUB_WHO_SIZE);
}

char *gate_copy_id(struct bytes id)
{
	size_t n = id.len > HUB_ID_SIZE ? HUB_ID_SIZE : id.len;
	char *copy = calloc(1, n + 1);

	for (size_t i = 0; copy && i < n; i++)
		copy[i] = id.data[i] ? (char)id.data[i] : '?';
	return copy;
}

static char *copy_since(const struct gate_visit *v, bool *ret_later)
{
	struct bytes since = gate_query_get(v->asking->request.target, "since");
	uint8_t id[HUB_ID_SIZE + 1];
	size_t n = 0;

	*ret_later = bytes_equal(since, BYTES("later"));
	if (!since.len || *ret_later)
		return NULL;
	while (since.len && n < sizeof(id))
		id[n++] = ses_percent_next(&since);
	return gate_copy_id(bytes_of(id, n));
}

static struct gate_member *make_member(struct gate_visit *v, bool envelopes)
{
	const struct gate_hub_settings *hub = &v->route->hub;
	struct gate_member *m = calloc(1, sizeof(*m));
	bool later;

	if (m)
		m->prelude = calloc(1, sizeof(*m->prelude));
	if (!m || !m->prelude) {
		free(m);
		return NULL;
	}
	m->visit = v;
	m->member.echo = hub->echo;
	m->member.envelopes = envelopes;
	m->member.sees = hub->presence && may(v, &hub->may_presence);
	m->member.closes = hub->slow == HUB_CLOSE;
	m->may_publish = may(v, &hub->may_publish);
	m->prelude->since = copy_since(v, &later);
	m->later = later && envelopes;
	return m;
}

struct gate_dealings *gate_member_deal(struct gate_member *m)
{
	if (m->dealings)
		return m->dealings;
	m->dealings = calloc(1, sizeof(*m->dealings));
	if (m->dealings)
		ses_list_init(&m->dealings->awaited);
	return m->dealings;
}

static void free_member(struct gate_member *m)
{
	if (!m)
		return;
	if (m->dealings)
		gate_awaited_forget(&m->dealings->awaited);
	free(m->dealings);
	end_prelude(m);
	free(m);
}

static enum hub_verdict join(struct gate_visit *v, struct bytes name,
			     bool envelopes)
{
	struct gate_member *m = make_member(v, envelopes);
	enum hub_verdict verdict = HUB_NO_MEMORY;
	char you[HUB_WHO_SIZE];

	if (m) {
		name_member(v, you);
		verdict = hub_join(v->gate->seat, v->route->hub.space, name,
				   you, &m->member);
		m->prelude->you = strdup(you);
	}
	if (verdict == HUB_OK)
		v->member = m;
	else
		free_member(m);
	return verdict;
}

/*
 * The queue's own bound is never reached but by one message, of those who are
 * slow; envelopes may be six times as long as what is in them.
 */
static struct sesame_limits queue_of(const struct gate_route *route,
				     bool envelopes)
{
	size_t message = (size_t)route->limits.message_bytes;
	size_t high = (size_t)route->hub.queue;

	if (high > HIGH_BYTES)
		high = HIGH_BYTES;
	return (struct sesame_limits){
		.queue_high_bytes = high,
		.queue_bytes =
			2 * high + (envelopes ? 7 : 1) * message + NEWS_BYTES,
	};
}

static enum gate_outcome let_in(struct gate_visit *v, struct bytes name,
				bool envelopes)
{
	/* Frames are shared by all members, so none is compressed. */
	struct ses_conn_setup setup = {
		.handlers = &member_of_channel,
		.say_fault = gate_visit_say_fault,
		.limits = queue_of(v->route, envelopes),
	};
	enum hub_verdict verdict = join(v, name, envelopes);

	if (envelopes)
		setup.subprotocol = BYTES(HUB_SUBPROTOCOL);
	if (verdict != HUB_OK)
		return gate_visit_refuse_verdict(v, verdict);
	return gate_visit_serve(v, &setup);
}

static void on_reached(struct gate_visit *v, const struct gate_awaited *a)
{
	if (a->ticket.verdict == HUB_OK)
		gate_visit_answered(v);
	else
		gate_visit_refuse_unreached(v, a->ticket.verdict);
}

/*
 * Who gets envelopes is welcomed when the channel is here, and knows what it
 * has from then on. Nobody else would: it is let in only then, so that it hears
 * all that is said after that.
 */
static enum gate_outcome let_in_then(struct gate_visit *v, struct bytes name)
{
	struct hub_ticket *ticket = gate_awaited_offer(v->gate);
	enum gate_outcome outcome;
	enum hub_verdict verdict;

	if (!ticket)
		return gate_visit_refuse_verdict(v, HUB_NO_MEMORY);
	verdict = hub_reach(v->gate->seat, v->route->hub.space, name, ticket);
	if (verdict == HUB_LATER) {
		outcome = gate_visit_await(v, on_reached);
		return outcome == GATE_WAIT && v->len ? gate_visit_hold_back(v)
						      : outcome;
	}
	if (verdict != HUB_OK)
		return gate_visit_refuse_verdict(v, verdict);
	outcome = let_in(v, name, false);
	hub_release(ticket);
	return outcome;
}

enum gate_outcome gate_visit_join(struct gate_visit *v)
{
	struct gate_asked asked = gate_asked_of(&v->asking->request);
	bool envelopes = gate_offers_subprotocol(
		v->route, &asked, BYTES(HUB_SUBPROTOCOL), v->route->observe);
	uint8_t decoded[HUB_NAME_MAX];
	struct bytes name;

	if (!ses_list_empty(&v->asking->awaited))
		return gate_visit_hold_back(v);
	if (!gate_visit_channel(v, decoded, &name))
		return GATE_OVER;
	return envelopes ? let_in(v, name, true) : let_in_then(v, name);
}

void gate_visit_leave_channel(struct gate_visit *v)
{
	if (!v->member)
		return;
	hub_leave(v->gate->seat, &v->member->member);
	free_member(v->member);
	v->member = NULL;
}

struct hub_rules gate_hub_rules(const struct gate_hub_settings *s)
{
	return (struct hub_rules){
		.channels = s->channels,
		.members = s->members,
		.states = s->kind == GATE_KIND_STATE,
		.presence = s->presence,
		.queue = s->queue,
		.history = s->history_messages,
		.history_bytes = s->history_bytes,
		.history_ms = s->history_ms,
		.keys = s->keys,
		.kept = s->kept,
		.rate = {s->rate_channel.most, s->rate_channel.period_ms},
	};
}
