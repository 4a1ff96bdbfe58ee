/* SPDX-License-Identifier: MIT */
/*
 * From a refusal to what is kept of it. A flood of refusals must fill neither
 * the disk nor the terminal, and what a client sent must not pass for words of
 * the gateway's own.
 */
#include "gate/notice.h"

#include <stdio.h>

#include "base/hash.h"
#include "gate/access_log.h"
#include "gate/client_certificate.h"
#include "gate/hide.h"
#include "gate/line.h"
#include "gate/log.h"
#include "gate/moment.h"
#include "gate/outage.h"
#include "gate/sampler.h"
#include "gate/recent.h"
#include "gate/record.h"
#include "net/clock.h"

#define LINES_A_SECOND 20

static void put_rule(struct gate_story *story, const struct gate_notice *n)
{
	if (n->decision)
		gate_story_decide(story, n->policy, n->decision);
	if (n->decision)
		gate_story_survey(story, n->policy, n->request, n->decision);
	if (!n->route || story->line)
		return;
	bytes_printable(bytes_of_str(n->route->path), story->route,
			sizeof(story->route));
	gate_story_put_file(story, n->policy);
	story->line = n->route->line;
}

/* What may hold secrets, by the route's own word on where they stand. */
static void put_asked(struct gate_story *story, const struct gate_notice *n)
{
	const struct gate_token_settings *s = n->route ? n->route->token : NULL;
	static const char offers[] = "Sec-WebSocket-Protocol";

	gate_story_ask(story, n->request);
	gate_hide_target(s, n->request->target, story->target,
			 sizeof(story->target));
	if (!n->head)
		return;
	bytes_printable(n->head->method, story->method, sizeof(story->method));
	gate_hide_field(s, bytes_of_str(offers), ses_head_get(n->head, offers),
			story->protocols, sizeof(story->protocols));
}

static void put_who(struct gate_story *story, const struct gate_notice *n)
{
	const struct gate_credential *c = n->credential;
	const struct ses_tls_info *tls = n->request->tls;

	if (gate_certificate_is_there(tls))
		gate_certificate_tell(tls, story->certificate,
				      sizeof(story->certificate));
	if (!c)
		return;
	if (c->method)
		snprintf(story->credential, sizeof(story->credential), "%s",
			 c->method);
	if (c->fault != GATE_FAULT_NONE)
		snprintf(story->fault, sizeof(story->fault), "%s",
			 gate_fault(c->fault)->name);
	if (c->subject)
		bytes_printable(bytes_of_str(c->subject), story->subject,
				sizeof(story->subject));
}

static void fill_story(struct gate_story *story, const struct gate_notice *n)
{
	memset(story, 0, sizeof(*story));
	put_asked(story, n);
	put_who(story, n);
	put_rule(story, n);
	snprintf(story->address, sizeof(story->address), "%s",
		 n->hops->client_text);
	if (n->hops->n > 1 || n->hops->end != GATE_HOPS_ALL)
		gate_hops_format(n->hops, story->hops, sizeof(story->hops));
	if (n->outage)
		gate_outage_put(n->outage, story);
	if (n->takes)
		gate_story_put_content(story, GATE_CHECK_REQUEST, n->takes);
	snprintf(story->reference, sizeof(story->reference), "%s", n->reference);
	snprintf(story->cause, sizeof(story->cause), "%s",
		 why_cause(n->cause)->id);
	snprintf(story->listener, sizeof(story->listener), "%s", n->listener);
	if (n->note)
		bytes_printable(bytes_of_str(n->note), story->note,
				sizeof(story->note));
	if (!story->trace[0])
		strcpy(story->trace, "[]");
	story->status = n->status;
	story->observed = n->observed;
	story->time_ms = ses_clock_wall_ms();
}

/* At most so many lines a second: a flood must not fill the disk. */
static bool may_log(struct gate *gate)
{
	uint64_t now = gate->loop->now_ms;

	if (now - gate->log_second_ms >= 1000) {
		if (!gate->n_not_logged ||
		    gate_log("sesame: %u more refusals not shown",
			     gate->n_not_logged))
			gate->n_not_logged = 0;
		gate->log_second_ms = now;
		gate->n_logged = 0;
	}
	if (gate->n_logged < LINES_A_SECOND) {
		gate->n_logged++;
		return true;
	}
	gate->n_not_logged++;
	return false;
}

struct quoted {
	char text[2052];
};

/*
 * @text between quotes: what a client sent cannot end its field and go on as
 * another. Control bytes are \xNN in it already.
 */
static struct quoted quote(const char *before, const char *text)
{
	struct quoted q = {""};
	size_t at = 0;

	at += (size_t)snprintf(q.text, 32, "%s\"", before);
	for (; *text && at < sizeof(q.text) - 6; text++) {
		bool plain = *text != '"' &&
			     (*text != '\\' || gate_line_is_escape(text));

		at += (size_t)snprintf(q.text + at, 5, plain ? "%c" : "\\x%02x",
				       (uint8_t)*text);
	}
	strcpy(q.text + at, "\"");
	return q;
}

static bool log_story(const struct gate_story *s)
{
	bool has_rule = s->check[0] && s->line;
	const char *slash = strrchr(s->file, '/');
	char when[GATE_MOMENT_TEXT], rule[300] = "";

	if (has_rule)
		snprintf(rule, sizeof(rule), " %s:%u",
			 slash ? slash + 1 : s->file, s->line);
	return gate_log("%s %s %s %d %s %s%s%s%s%s%s%s",
			gate_moment(s->time_ms / 1000, when),
			gate_story_verb(s), s->reference, s->status, s->cause,
			s->address, quote(" ", s->target).text,
			s->origin[0] ? quote(" origin=", s->origin).text : "",
			rule, s->note[0] ? " (" : "", s->note,
			s->note[0] ? ")" : "");
}

/* Whether standard error gets a line: not where there is a log for it. */
static bool wants_line(struct gate *gate)
{
	enum gate_log_mode mode =
		gate->log ? gate_access_log_mode(gate->log) : GATE_LOG_REFUSALS;

	return mode == GATE_LOG_REFUSALS && may_log(gate);
}

static bool wants_access_line(struct gate *gate)
{
	return gate->log && gate_access_log_mode(gate->log) == GATE_LOG_LINES &&
	       gate_access_log_has_room(gate->log);
}

/* Of a flood: what is refused for the same reason at the same line. */
static uint64_t kind_of_no(enum why_cause cause, int status,
			   const struct gate_route *route, const char *rule,
			   unsigned line)
{
	uint64_t kind = (uint64_t)cause * 1000 + (unsigned)status;

	kind = gate_kind_mix(kind, bytes_of_str(route ? route->path : ""));
	kind = gate_kind_mix(kind, bytes_of_str(rule));
	return kind + line;
}

/* Whether the journal wants it: a flood's kinds are told by what decided. */
static bool wants_row(struct gate *gate, const struct gate_notice *n)
{
	const struct gate_trace *decider =
		n->decision ? gate_decider(n->decision) : NULL;

	return gate_journal_wants(
		gate->journal,
		kind_of_no(n->cause, n->status, n->route,
			   decider && decider->rule ? decider->rule : "",
			   decider ? decider->line : 0),
		n->cause, gate->loop->now_ms);
}

/* Where a story is wanted. */
struct wanted {
	bool row, line, access_line;
};

static bool find_wanted(struct gate *gate, bool row, struct wanted *ret)
{
	ret->row = row;
	ret->line = wants_line(gate);
	ret->access_line = wants_access_line(gate);
	return ret->row || ret->line || ret->access_line;
}

/* gate->story goes where it is wanted. */
static void hand_out(struct gate *gate, const struct wanted *to)
{
	if (to->line && !log_story(&gate->story))
		gate->n_not_logged++;
	if (to->access_line)
		gate_record_write_story(gate->log, &gate->story);
	if (gate->recent)
		gate_recent_add(gate->recent, &gate->story);
	if (to->row)
		gate_journal_add(gate->journal, &gate->story);
}

void gate_notice_tell(struct gate *gate, const struct gate_notice *notice)
{
	bool row = gate->journal && wants_row(gate, notice);
	struct wanted to;

	if (!find_wanted(gate, row, &to))
		return;
	fill_story(&gate->story, notice);
	hand_out(gate, &to);
}

/* ---- Connections that are cut ---- */

static void put_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

#define PUT(field, text) put_text(s->field, sizeof(s->field), text)

static void fill_ending(struct gate_story *s, const struct gate_ending *e)
{
	memset(s, 0, sizeof(*s));
	PUT(reference, e->reference);
	PUT(cause, why_cause(e->cause)->id);
	PUT(method, "GET");
	PUT(target, e->target);
	PUT(host, e->host);
	PUT(origin, e->origin);
	PUT(user_agent, e->user_agent);
	PUT(address, e->client);
	PUT(listener, e->listener);
	PUT(route, e->route->path);
	PUT(upstream, e->server ? e->server->text : "");
	gate_story_put_file(s, e->policy);
	PUT(check, e->rule[0] ? "limits" : "");
	PUT(rule, e->rule);
	PUT(compared, e->compared->value);
	PUT(nearest, e->compared->nearest);
	PUT(note, e->note);
	PUT(trace, "[]");
	s->line = e->line ? e->line : e->route->line;
	if (e->outage)
		gate_outage_put(e->outage, s);
	if (e->takes)
		gate_story_put_content(s, GATE_CHECK_MESSAGE, e->takes);
	s->status = e->code;
	s->time_ms = ses_clock_wall_ms();
}

void gate_notice_ended(struct gate *gate, const struct gate_ending *e)
{
	uint64_t kind =
		kind_of_no(e->cause, e->code, e->route, e->rule, e->line);
	bool row = gate->journal &&
		   gate_journal_wants(gate->journal, kind, e->cause,
				      gate->loop->now_ms);
	struct wanted to;

	if (!find_wanted(gate, row, &to))
		return;
	fill_ending(&gate->story, e);
	hand_out(gate, &to);
}

/* ---- Those who are let in ---- */

/* Numbers are all alike: versions in a User-Agent, rooms in a path. */
static void mix_shape(struct ses_hash *h, struct bytes text)
{
	bool number = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		bool digit = (c >= '0' && c <= '9') || (number && c == '.');

		if (!digit)
			ses_hash_byte(h, c);
		else if (!number)
			ses_hash_byte(h, '0');
		number = digit;
	}
	/* What is missing is not what is empty. */
	ses_hash_byte(h, text.data ? '\0' : '\1');
}

/* The network of a client: /24, or /48 of IPv6. */
static void mix_network(struct ses_hash *h, const struct gate_address *a)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	bool is_v4 = memcmp(a->bytes, v4, sizeof(v4)) == 0;

	ses_hash_bytes(h, bytes_of(a->bytes, is_v4 ? 15 : 6));
}

/* The same after a restart, so that counts go on; nobody gains by a clash. */
static uint64_t kind_of(const struct gate_notice *n)
{
	static const uint8_t seed[SES_HASH_SEED] = "kinds let in";
	const struct gate_request *r = n->request;
	struct ses_hash h;

	ses_hash_init(&h, seed);
	mix_shape(&h, bytes_of_str(n->route ? n->route->path : ""));
	mix_shape(&h, gate_path_of(r->target));
	mix_shape(&h, r->host);
	mix_shape(&h, r->origin);
	mix_shape(&h, r->user_agent);
	mix_shape(&h, n->head ? ses_head_get(n->head, "Sec-WebSocket-Protocol")
			      : bytes_of(NULL, 0));
	mix_network(&h, &r->address);
	mix_shape(&h, r->secure ? BYTES("tls") : BYTES(""));
	return ses_hash_end(&h) | 1;
}

void gate_notice_admitted(struct gate *gate, const struct gate_notice *notice)
{
	char reference[WHY_REFERENCE_SIZE];
	struct gate_notice n = *notice;
	int64_t now = ses_clock_wall_ms();
	uint64_t key;

	if (!gate->journal)
		return;
	key = kind_of(&n);
	if (gate_journal_counts(gate->journal, key, now))
		return;
	why_reference_write(key >> 24, reference);
	n.reference = reference;
	n.cause = WHY_OK;
	n.status = 101;
	fill_story(&gate->story, &n);
	gate->story.count = 1;
	gate->story.first_ms = now;
	gate_journal_admit(gate->journal, key, &gate->story);
}
