/* SPDX-License-Identifier: MIT */
/*
 * May it enter? The policy decides as far as it and the request tell (see
 * gate/admit.h), and asks for the rest: the limits that all workers share, the
 * clock and a thread for credentials, another server. While somebody is asked
 * the visit waits; what the client says in the meantime is put back. What
 * costs anything is asked only for a request that is a handshake.
 */
#include "gate/visit_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/authority.h"
#include "gate/subprotocols.h"
#include "gate/credential.h"
#include "gate/passwords.h"
#include "wire/url.h"

#define PASSWORD_MS 10000 /* to wait for one's turn and for the answer */

struct gate_questions {
	struct gate_credential credential;
	struct gate_password_check *password;
	struct gate_authority_call *authority;
	/* what decided: about credentials, and about the authority */
	char rule[512], verdict[160];
	/* for the refusal alone */
	struct ses_field field[3];
	size_t n_fields;
	char retry_after[24];
	struct gate_compared compared; /* of a limit */
	char challenge[512];
	const char *sentence;
	bool failed_too_often;
	bool counted; /* as a failure, before it is known to be one */
	/* "X-User: alice\r\n": what the authority has for the server behind */
	struct ses_buf copies;
};

static struct gate_questions *questions_of(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;

	if (!a->questions) {
		a->questions = calloc(1, sizeof(*a->questions));
		if (a->questions)
			ses_buf_init(&a->questions->copies, SES_INTAKE_BYTES);
	}
	return a->questions;
}

void gate_visit_free_questions(struct gate_questions *q)
{
	if (!q)
		return;
	gate_passwords_cancel(q->password);
	gate_authority_cancel(q->authority);
	gate_credential_fini(&q->credential);
	ses_buf_fini(&q->copies);
	explicit_bzero(q, sizeof(*q));
	free(q);
}

struct bytes gate_visit_copies(const struct gate_visit *v)
{
	const struct gate_questions *q = v->asking->questions;

	return q ? ses_buf_bytes(&q->copies) : bytes_of(NULL, 0);
}

const struct gate_credential *gate_visit_credential(const struct gate_visit *v)
{
	const struct gate_questions *q = v->asking->questions;

	return q ? &q->credential : NULL;
}

const struct gate_from *gate_visit_token_place(const struct gate_visit *v)
{
	const struct gate_questions *q = v->asking->questions;

	return q ? q->credential.from : NULL;
}

/* ---- Asking, and going on ---- */

static enum gate_outcome wait_for(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;

	a->waiting = true;
	if (v->len)
		return gate_visit_hold_back(v);
	return GATE_WAIT;
}

static enum gate_outcome give(struct gate_visit *v,
			      const struct gate_reply *reply)
{
	gate_admit_resume(v->policy, &v->asking->request, reply,
			  &v->asking->decision);
	return GATE_GO_ON;
}

static void go_on(struct gate_visit *v, const struct gate_reply *reply)
{
	v->asking->waiting = false;
	give(v, reply);
	gate_visit_answered(v);
}

static struct gate_reply no_memory(void)
{
	return (struct gate_reply){
		.rule = "there is no memory to find that out",
		.value = bytes_of(NULL, 0),
		.cause = WHY_SERVER_LIMIT,
		.status = 503,
	};
}

/* ---- Limits ---- */

static struct gate_limit_holds *holds_of(struct gate_visit *v)
{
	if (!v->holds)
		v->holds = calloc(1, sizeof(*v->holds));
	return v->holds;
}

static void tell_limit(struct gate_questions *q, enum gate_limit_answer answer,
		       const struct gate_limit_hit *hit,
		       struct gate_reply *reply)
{
	const struct gate_limit *limit = hit->limit;
	bool full = answer == GATE_LIMIT_FULL;
	bool of_route = limit && limit->kind == GATE_LIMIT_CONNECTIONS &&
			limit->by == GATE_BY_ROUTE;

	q->failed_too_often = limit && limit->kind == GATE_LIMIT_FAILURES;

	reply->passed = false;
	reply->rule = limit ? limit->text : "the table of limits is full";
	if (full && limit)
		reply->rule = "the table of limits has no room";
	reply->line = limit ? limit->line : 0;
	reply->cause = full || of_route ? WHY_SERVER_LIMIT : WHY_ACCESS_RATE;
	reply->status = full || of_route ? 503 : 429;
	if (limit && !full) {
		gate_limit_hit_tell(hit, reply->value, (int64_t)time(NULL),
				    &q->compared);
		reply->value = bytes_of_str(q->compared.value);
		reply->nearest = q->compared.nearest;
	}
	if (full || !hit->wait_ms)
		return;
	snprintf(q->retry_after, sizeof(q->retry_after), "%llu",
		 (unsigned long long)gate_retry_after_s(hit));
	q->field[q->n_fields++] = (struct ses_field){
		BYTES("Retry-After"), bytes_of_str(q->retry_after)};
}

/* Those of the route's limits that @ask is about. */
static size_t pick_limits(const struct gate_visit *v, enum gate_ask ask,
			  struct gate_limit ret[GATE_MAX_LIMITS])
{
	const struct gate_limits *limits = &v->route->limits;
	bool publishes = gate_publishes(&v->asking->request, v->route);
	size_t n = 0;

	for (size_t i = 0; i < limits->n_of; i++)
		if (gate_limit_is_asked(&limits->of[i], ask, publishes))
			ret[n++] = limits->of[i];
	return n;
}

static enum gate_outcome look_for_room(struct gate_visit *v, enum gate_ask ask)
{
	struct gate_questions *q = questions_of(v);
	struct gate_limit_holds *holds = holds_of(v);
	bool subject = ask == GATE_ASK_SUBJECT_ROOM;
	struct gate_limit limits[GATE_MAX_LIMITS];
	size_t n = pick_limits(v, ask, limits);
	struct gate_limit_hit hit = {.limit = NULL};
	struct gate_limit_who who = {.address = &v->asking->request.address};
	struct gate_reply reply = no_memory();
	enum gate_limit_answer answer;

	if (!q || !holds)
		return give(v, &reply);
	reply.passed = true;
	reply.rule = "no limit is reached";
	reply.value = v->asking->request.address_text;
	if (subject) {
		/* Who has no name shares one count with all who have none. */
		who.subject = bytes_of_str(
			q->credential.subject ? q->credential.subject : "");
		reply.value = who.subject;
	}
	answer = v->gate->limiter
			 ? gate_limiter_pass(v->gate->limiter, limits, n,
					     GATE_BY_ANYTHING, &who,
					     v->gate->loop->now_ms, holds, &hit)
			 : GATE_LIMIT_PASSED;
	if (answer != GATE_LIMIT_PASSED)
		tell_limit(q, answer, &hit, &reply);
	if (!holds->n) {
		free(holds); /* so that an open connection is small */
		v->holds = NULL;
	}
	return give(v, &reply);
}

void gate_visit_give_room_back(struct gate_visit *v)
{
	if (v->holds && v->gate->limiter)
		gate_limiter_leave(v->gate->limiter, v->holds);
	free(v->holds);
	v->holds = NULL;
}

/* ---- Credentials ---- */

/* Somebody tries tokens: that is counted. */
static void note_failure(struct gate_visit *v)
{
	const struct gate_limits *limits = &v->route->limits;
	const struct gate_credential *c = &v->asking->questions->credential;
	struct gate_limit_who who = {.address = &v->asking->request.address};

	if (!v->gate->limiter || v->asking->questions->counted ||
	    c->fault == GATE_FAULT_MISSING ||
	    gate_fault(c->fault)->status != 401)
		return;
	gate_limiter_fail(v->gate->limiter, limits->of, limits->n_of, &who,
			  v->gate->loop->now_ms, NULL);
}

/*
 * A password takes a while to check. It counts as failed for so long: whoever
 * guesses many at once would else have them all looked at before the first of
 * them is counted. False: the client has no failure left; @reply tells.
 */
static bool count_beforehand(struct gate_visit *v, struct gate_reply *reply)
{
	const struct gate_limits *limits = &v->route->limits;
	struct gate_limit_who who = {.address = &v->asking->request.address};
	struct gate_limit_hit hit = {.limit = NULL};
	enum gate_limit_answer answer;

	if (!v->gate->limiter)
		return true;
	answer = gate_limiter_fail(v->gate->limiter, limits->of, limits->n_of,
				   &who, v->gate->loop->now_ms, &hit);
	if (answer == GATE_LIMIT_PASSED) {
		v->asking->questions->counted = true;
		return true;
	}
	reply->value = v->asking->request.address_text;
	tell_limit(v->asking->questions, answer, &hit, reply);
	return false;
}

static void forgive(struct gate_visit *v)
{
	const struct gate_limits *limits = &v->route->limits;
	struct gate_limit_who who = {.address = &v->asking->request.address};

	if (v->asking->questions->counted)
		gate_limiter_forgive(v->gate->limiter, limits->of, limits->n_of,
				     &who);
	v->asking->questions->counted = false;
}

static const char *publishing_sentence(bool missing, bool reads)
{
	if (missing)
		return "Publishing needs a token, in Authorization: Bearer";
	return reads ? "This token may not read here"
		     : "This token may not publish here";
}

static struct gate_reply tell_credential(struct gate_visit *v)
{
	struct gate_questions *q = v->asking->questions;
	const struct gate_credential *c = &q->credential;
	struct gate_reply reply = gate_reply_of(c, q->rule, sizeof(q->rule));

	if (reply.passed)
		return reply;
	q->n_fields =
		gate_challenges(gate_wanted_token(&v->asking->request, v->route),
				c->fault, q->field);
	if (gate_publishes(&v->asking->request, v->route))
		q->sentence = publishing_sentence(c->fault == GATE_FAULT_MISSING,
						  v->asking->request.is_read);
	note_failure(v);
	return reply;
}

static struct gate_reply too_many_passwords(void)
{
	return (struct gate_reply){
		.rule = "too many passwords are being checked",
		.cause = WHY_SERVER_LIMIT,
		.status = 503,
	};
}

static void on_password(void *user, int outcome)
{
	struct gate_visit *v = user;
	struct gate_questions *q = v->asking->questions;
	struct gate_reply reply;

	q->password = NULL;
	if (outcome != 0)
		forgive(v);
	if (outcome < 0) {
		reply = too_many_passwords();
	} else {
		gate_credential_settle(&q->credential, outcome > 0);
		reply = tell_credential(v);
	}
	go_on(v, &reply);
}

static enum gate_outcome check_password(struct gate_visit *v)
{
	struct gate *gate = v->gate;
	struct gate_questions *q = v->asking->questions;
	const struct gate_password *p = q->credential.password;
	struct gate_reply reply = too_many_passwords();

	if (!gate->passwords)
		gate->passwords = gate_passwords_new(gate->loop);
	if (gate->passwords && gate_passwords_knows(gate->passwords, p)) {
		gate_credential_settle(&q->credential, true);
		reply = tell_credential(v);
		return give(v, &reply);
	}
	if (!gate->passwords || !gate_visit_keep(v) ||
	    !count_beforehand(v, &reply))
		return give(v, &reply);
	q->password = gate_passwords_ask(gate->passwords, p, on_password, v);
	if (!q->password) {
		forgive(v);
		return give(v, &reply);
	}
	ses_timers_start(&gate->loop->timers, &v->timer,
			 gate->loop->now_ms + PASSWORD_MS);
	return wait_for(v);
}

static enum gate_outcome look_at_credential(struct gate_visit *v)
{
	struct gate_asked asked = gate_asked_of(&v->asking->request);
	struct gate_questions *q = questions_of(v);
	struct gate_reply reply = no_memory();

	if (!q)
		return give(v, &reply);
	gate_credential_check(gate_wanted_token(&v->asking->request, v->route),
			      &asked, (int64_t)time(NULL), &q->credential);
	if (q->credential.password)
		return check_password(v);
	reply = tell_credential(v);
	return give(v, &reply);
}

/* ---- The authority ---- */

static void copy_fields(struct gate_visit *v, const struct ses_head *answer)
{
	const struct gate_authority *a = &v->route->authority;
	struct ses_buf *out = &v->asking->questions->copies;

	for (size_t i = 0; i < a->n_copies; i++) {
		struct bytes value = ses_head_get(answer, a->copy[i]);

		if (value.data && ses_is_field_value(value))
			ses_buf_printf(out, "%s: %.*s\r\n", a->copy[i],
				       BYTES_ARG(value));
	}
}

/* What the client is to bring instead, in the authority's words. */
static void copy_challenge(struct gate_questions *q,
			   const struct ses_head *answer)
{
	struct bytes value = ses_head_get(answer, "WWW-Authenticate");

	if (!value.data || !ses_is_field_value(value) ||
	    value.len >= sizeof(q->challenge))
		value = BYTES("Bearer realm=\"sesame\"");
	memcpy(q->challenge, value.data, value.len);
	q->field[q->n_fields++] = (struct ses_field){
		BYTES("WWW-Authenticate"), bytes_of(q->challenge, value.len)};
}

static struct gate_reply fail_authority(struct gate_visit *v, const char *text,
					int status)
{
	const struct gate_authority *a = &v->route->authority;
	struct gate_questions *q = v->asking->questions;
	struct gate_reply reply = {
		/* below 500 it may be the client's doing, by a long field */
		.passed = a->on_failure == GATE_FAILURE_ADMITS &&
			  (!status || status >= 500),
		.rule = q->verdict,
		.line = a->line,
		.value = bytes_of_str(a->server.text),
		.cause = WHY_SERVER_BACKEND_DOWN,
		.status = 503,
	};
	struct gate_refusal why = {.cause = reply.cause,
				   .status = reply.status,
				   .note = q->verdict};

	if (status)
		snprintf(q->verdict, sizeof(q->verdict),
			 "the authority answered %d, which decides nothing",
			 status);
	else
		snprintf(q->verdict, sizeof(q->verdict), "the authority: %s",
			 text);
	q->sentence = "The upstream server that decides about access did not "
		      "answer; try again later";
	if (reply.passed)
		gate_visit_observe(v, &why);
	return reply;
}

static struct gate_reply judge_answer(struct gate_visit *v,
				      const struct ses_head *answer)
{
	const struct gate_authority *a = &v->route->authority;
	struct gate_questions *q = v->asking->questions;
	int status = answer->status;
	struct gate_reply reply = {
		.passed = status >= 200 && status < 300,
		.rule = q->verdict,
		.line = a->line,
		.value = bytes_of_str(a->server.text),
		.cause = status == 401 ? WHY_ACCESS_CREDENTIALS
				       : WHY_ACCESS_PERMISSION,
		.status = status,
	};

	snprintf(q->verdict, sizeof(q->verdict), "the authority answered %d",
		 status);
	if (reply.passed)
		copy_fields(v, answer);
	else if (status == 401)
		copy_challenge(q, answer);
	else if (status != 403)
		return fail_authority(v, "", status);
	return reply;
}

static void on_authority(void *user, const struct gate_authority_answer *answer)
{
	struct gate_visit *v = user;
	struct gate_reply reply;

	v->asking->questions->authority = NULL;
	reply = answer->head ? judge_answer(v, answer->head)
			     : fail_authority(v, answer->text, 0);
	go_on(v, &reply);
}

static enum gate_outcome ask_authority(struct gate_visit *v)
{
	struct gate_questions *q = questions_of(v);
	struct gate_reply reply = no_memory();
	struct gate_authority_question question = {
		.authority = &v->route->authority,
		.hops = &v->asking->hops,
	};

	if (!q || !gate_visit_keep(v))
		return give(v, &reply);
	question.head = v->asking->head;
	q->authority =
		gate_authority_ask(v->gate->loop, &question, on_authority, v);
	if (!q->authority)
		return give(v, &reply);
	ses_timers_stop(&v->gate->loop->timers, &v->timer);
	return wait_for(v);
}

/* ---- The step ---- */

/* Two fields where rules compare one: whichever they took would be wrong. */
static bool is_ambiguous(const struct ses_head *head)
{
	return ses_field_count(head->fields, head->n_fields, "Host") != 1 ||
	       ses_field_count(head->fields, head->n_fields, "Origin") > 1 ||
	       ses_field_count(head->fields, head->n_fields, "User-Agent") > 1;
}

static enum gate_outcome refuse_ambiguous(struct gate_visit *v)
{
	struct gate_refusal why = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.status = 400,
		.sentence = "one Host is needed, and at most one Origin and "
			    "User-Agent",
	};

	why.note = why.sentence;
	return gate_visit_refuse(v, &why);
}

/* Pages and messages are asked for it as handshakes are: rules compare it. */
static bool has_host(const struct ses_head *head)
{
	return ses_url_host_field_valid(ses_head_get(head, "Host"));
}

/* A browser that is pointed here, or a health check: no handshake at all. */
static bool is_plain(const struct gate_visit *v)
{
	const struct ses_head *head = v->asking->head;

	return v->route && v->route->to != GATE_TO_FILES &&
	       !gate_reads(&v->asking->request, v->route) &&
	       (bytes_equal(head->method, BYTES("GET")) ||
		bytes_equal(head->method, BYTES("HEAD"))) &&
	       !ses_head_get(head, "Upgrade").data &&
	       !ses_head_get(head, "Sec-WebSocket-Key").data;
}

enum gate_outcome gate_visit_check_offer(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;
	enum ses_fault fault = SES_FAULT_NONE;

	if (a->is_handshake)
		return GATE_GO_ON;
	if (is_plain(v))
		return gate_visit_refuse_fault(v, SES_FAULT_REQUEST_NO_UPGRADE,
					       a->head);
	if (ses_upgrade_check_request(a->head, &a->offer, &fault) < 0)
		return gate_visit_refuse_fault(v, fault, a->head);
	a->is_handshake = true;
	return GATE_GO_ON;
}

static enum gate_outcome ask(struct gate_visit *v)
{
	enum gate_outcome outcome = GATE_GO_ON;

	if (v->route->to != GATE_TO_FILES &&
	    !gate_publishes(&v->asking->request, v->route))
		outcome = gate_visit_check_offer(v);
	if (outcome != GATE_GO_ON)
		return outcome;
	if (v->gate->leaving) /* no time to ask anybody */
		return gate_visit_refuse_stopped(v);
	switch (v->asking->decision.ask) {
	case GATE_ASK_ROOM:
	case GATE_ASK_SUBJECT_ROOM:
		return look_for_room(v, v->asking->decision.ask);
	case GATE_ASK_CREDENTIAL:
		return look_at_credential(v);
	default:
		return ask_authority(v);
	}
}

static const char *sentence_of(const struct gate_visit *v)
{
	const struct gate_decision *d = &v->asking->decision;
	const struct gate_questions *q = v->asking->questions;

	if (q && q->sentence)
		return q->sentence;
	if (d->status == 405)
		return "Nobody may publish here by POST";
	if (d->cause != WHY_URL_PATH || d->status != 400)
		return NULL;
	return gate_is_path(v->asking->request.target)
		       ? "The path may be read in more than one way"
		       : "The target must begin with a slash";
}

static struct gate_refusal refusal_of(const struct gate_visit *v)
{
	const struct gate_decision *d = &v->asking->decision;
	const struct gate_questions *q = v->asking->questions;
	struct gate_refusal why = {
		.decision = d,
		.cause = d->cause,
		.status = d->status,
		.sentence = sentence_of(v),
	};

	if (q) {
		why.fields = q->field;
		why.n_fields = q->n_fields;
	}
	return why;
}

/* Who may publish is decided even where the route only observes. */
static bool is_strict(const struct gate_visit *v)
{
	const struct gate_asking *a = v->asking;

	return !v->route || !v->route->observe ||
	       (gate_publishes(&a->request, v->route) &&
		(strcmp(gate_decider(&a->decision)->check, "token") == 0 ||
		 (a->questions && a->questions->failed_too_often)));
}

/* The first look that would have refused is told; the others are taken too. */
static void let_in(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;
	struct gate_refusal why = refusal_of(v);

	if (!a->observed)
		gate_visit_observe(v, &why);
	a->observed = true;
	if (a->questions) {
		a->questions->n_fields = 0;
		a->questions->sentence = NULL;
	}
	gate_admit_go_on(v->policy, &a->request, &a->decision);
}

enum gate_outcome gate_visit_admit(struct gate_visit *v)
{
	struct gate_asking *a = v->asking;

	if (a->waiting)
		return gate_visit_hold_back(v);
	if (!v->route) {
		if (is_ambiguous(a->head))
			return refuse_ambiguous(v);
		if (!has_host(a->head))
			return gate_visit_refuse_fault(
				v, SES_FAULT_REQUEST_HOST, a->head);
		if (gate_visit_asks_why(v))
			return gate_visit_explain(v);
		gate_admit(v->policy, &a->request, &a->decision);
		v->route = a->decision.route;
		/* Origins are about handshakes, and a page's visit has none. */
		if (a->decision.list == GATE_ORIGINS && is_plain(v))
			return gate_visit_check_offer(v);
	}
	for (;;) {
		struct gate_refusal why;

		while (a->decision.ask != GATE_ASK_NOTHING) {
			enum gate_outcome outcome = ask(v);

			if (outcome != GATE_GO_ON)
				return outcome;
		}
		if (a->decision.admitted)
			return GATE_GO_ON;
		if (is_strict(v)) {
			why = refusal_of(v);
			return gate_visit_refuse(v, &why);
		}
		let_in(v);
	}
}
