/* SPDX-License-Identifier: MIT */
/*
 * Why was I refused? A GET below `refusal.explain` names a refusal, by its
 * reference or by the number that the client gave its attempt, and is told what
 * was told to who was refused, and no more. A page of any origin may read that:
 * the name is the secret (docs/decisions/0017-a-page-numbers-its-attempt.md).
 * So that nobody finds names by trying, there is one answer for all that are
 * not known, for the same work, and only so many questions are heard.
 */
#include "gate/visit_inner.h"

#include <stdio.h>
#include <stdlib.h>

#include <sesame/version.h>

#include "gate/cluster.h"
#include "gate/refuse.h"
#include "gate/told.h"

#define DEFAULT_PATH "/.well-known/sesame/refusals"
#define ASK_MS	     1000 /* that other gateways have for their answer */
#define LINGER_MS    2000
#define BODY_BYTES   4096
#define ASKED_BY_ONE 60	 /* an address in a minute, as many at once */
#define ASKED_BY_ALL 100 /* in a second */

struct gate_explaining {
	struct gate_enquiry *enquiry;
	struct gate_told_name name;
};

/* ---- Answers ---- */

static enum gate_outcome answer(struct gate_visit *v, int status,
				struct ses_buf *body, const char *retry_after)
{
	struct ses_field fields[6] = {
		{BYTES("Server"), BYTES("sesame/" SESAME_VERSION)},
		{BYTES("X-Content-Type-Options"), BYTES("nosniff")},
		{BYTES("Cache-Control"), BYTES("no-store")},
		{BYTES("Access-Control-Allow-Origin"), BYTES("*")},
	};
	size_t n = 4;
	struct ses_buf out;

	if (retry_after) {
		fields[n++] = (struct ses_field){
			BYTES("Access-Control-Expose-Headers"),
			BYTES("Retry-After")};
		fields[n++] = (struct ses_field){BYTES("Retry-After"),
						 bytes_of_str(retry_after)};
	}
	ses_buf_init(&out, BODY_BYTES * 2);
	gate_record_answer(v, status, ses_buf_len(body));
	ses_upgrade_write_answer(status, fields, n,
				 status == 200
					 ? BYTES("application/json")
					 : BYTES("application/problem+json"),
				 ses_buf_bytes(body), &out);
	ses_buf_fini(body);
	return gate_visit_answer(v, &out, LINGER_MS);
}

static enum gate_outcome refuse(struct gate_visit *v, int status,
				const char *sentence, const char *retry_after)
{
	struct gate_answer problem = {.status = status, .sentence = sentence};
	struct ses_buf body;

	ses_buf_init(&body, BODY_BYTES);
	gate_problem_write(&problem, &body);
	return answer(v, status, &body, retry_after);
}

static enum gate_outcome refuse_unknown(struct gate_visit *v)
{
	return refuse(v, 404,
		      "No refusal can be told by this name. Those of the last "
		      "ten minutes can, where refusal.disclose is reason or "
		      "full; the operator finds others with `sesame why`.",
		      NULL);
}

/* ---- How often ---- */

/* Whether it may ask now; *ret_wait_s: or when. */
static bool is_in_time(struct gate_visit *v, uint64_t *ret_wait_s)
{
	static const struct gate_limit limits[] = {
		{.kind = GATE_LIMIT_RATE,
		 .by = GATE_BY_ADDRESS,
		 .most = ASKED_BY_ONE,
		 .period_ms = 60000,
		 .scope = "refusal.explain"},
		{.kind = GATE_LIMIT_RATE,
		 .by = GATE_BY_ROUTE,
		 .most = ASKED_BY_ALL,
		 .period_ms = 1000,
		 .scope = "refusal.explain"},
	};
	struct gate_limit_who who = {.address = &v->asking->request.address};
	struct gate_limit_holds holds = {.n = 0};
	struct gate_limit_hit hit = {.limit = NULL};

	if (!v->gate->limiter ||
	    gate_limiter_pass(v->gate->limiter, limits, 2, GATE_BY_ANYTHING,
			      &who, v->gate->loop->now_ms, &holds,
			      &hit) == GATE_LIMIT_PASSED)
		return true;
	*ret_wait_s = gate_retry_after_s(&hit);
	return false;
}

static enum gate_outcome refuse_too_often(struct gate_visit *v, uint64_t wait_s)
{
	char retry_after[24];

	snprintf(retry_after, sizeof(retry_after), "%llu",
		 (unsigned long long)wait_s);
	return refuse(v, 429,
		      "Too many ask why they were refused; try again later.",
		      retry_after);
}

/* ---- Asking other gateways ---- */

void gate_visit_free_explaining(struct gate_explaining *e)
{
	if (!e)
		return;
	gate_enquiry_forget(e->enquiry);
	free(e);
}

/* What @said tells, into @body, if it is what was asked for. */
static bool repeat(struct gate_visit *v, const struct gate_note *said,
		   struct ses_buf *body)
{
	if (!said)
		return false;
	if (gate_told_repeat(said->text, &v->asking->explaining->name,
			     (enum gate_disclose)v->policy->disclose, body))
		return true;
	gate_cluster_blame(v->gate->cluster, said);
	return false;
}

static void on_said(void *user, const struct gate_note *said)
{
	struct gate_visit *v = user;
	struct ses_buf body;

	v->asking->explaining->enquiry = NULL;
	ses_buf_init(&body, BODY_BYTES);
	if (repeat(v, said, &body)) {
		answer(v, 200, &body, NULL);
		return;
	}
	ses_buf_fini(&body);
	refuse_unknown(v);
}

void gate_visit_explain_without(struct gate_visit *v)
{
	refuse_unknown(v);
}

/* False: nobody else can be asked. */
static bool ask_others(struct gate_visit *v, const struct gate_told_name *name)
{
	bool any = v->gate->enquiries && v->gate->enquiries->redis;
	struct gate_explaining *e = any ? calloc(1, sizeof(*e)) : NULL;

	v->asking->explaining = e;
	if (!e || !gate_visit_keep(v) ||
	    ses_timers_start(&v->gate->loop->timers, &v->timer,
			     v->gate->loop->now_ms + ASK_MS) < 0)
		return false;
	e->name = *name;
	e->enquiry = gate_cluster_ask_told(v->gate->enquiries, name->text,
					   on_said, v);
	return e->enquiry != NULL;
}

static enum gate_outcome wait_for_others(struct gate_visit *v)
{
	return v->len ? gate_visit_hold_back(v) : GATE_WAIT;
}

/* ---- The question ---- */

static const char *path_of(const struct gate_policy *policy)
{
	return policy->explain ? policy->explain : DEFAULT_PATH;
}

/* What stands below the path of explanations; data NULL: it is elsewhere. */
static struct bytes asked_name(const struct gate_visit *v)
{
	struct bytes prefix = bytes_of_str(path_of(v->policy));
	struct bytes path = gate_path_of(v->asking->request.target);

	if (!prefix.len || !bytes_starts(path, prefix) ||
	    path.len <= prefix.len || path.data[prefix.len] != '/')
		return bytes_of(NULL, 0);
	return bytes_from(path, prefix.len + 1);
}

bool gate_visit_asks_why(const struct gate_visit *v)
{
	const struct ses_head *head = v->asking->head;

	return bytes_equal(head->method, BYTES("GET")) &&
	       !ses_head_get(head, "Upgrade").data &&
	       !ses_head_get(head, "Sec-WebSocket-Key").data &&
	       asked_name(v).data;
}

static enum gate_outcome tell(struct gate_visit *v,
			      const struct gate_told_name *name)
{
	struct ses_buf body;

	ses_buf_init(&body, BODY_BYTES);
	if (v->gate->told &&
	    gate_told_find(v->gate->told, name, v->gate->loop->now_ms, &body))
		return answer(v, 200, &body, NULL);
	ses_buf_fini(&body);
	if (ask_others(v, name))
		return wait_for_others(v);
	return refuse_unknown(v);
}

enum gate_outcome gate_visit_explain(struct gate_visit *v)
{
	struct gate_told_name name;
	uint64_t wait_s = 1;

	if (v->asking->explaining)
		return wait_for_others(v);
	if (!is_in_time(v, &wait_s))
		return refuse_too_often(v, wait_s);
	if (v->policy->disclose < GATE_TELL_REASON ||
	    !gate_told_name_read(asked_name(v), &name))
		return refuse_unknown(v);
	return tell(v, &name);
}

/* ---- What is kept for it ---- */

void gate_visit_keep_told(struct gate_visit *v, const struct gate_answer *told)
{
	struct gate_told_name names[2] = {{""}, {""}};
	struct bytes text;
	struct ses_buf body;

	if (v->policy->disclose < GATE_TELL_REASON || !path_of(v->policy)[0] ||
	    !v->gate->told || !told->status)
		return;
	gate_told_name_read(bytes_of_str(told->reference), &names[0]);
	if (v->asking->head)
		names[1] = gate_told_attempt(ses_head_get(
			v->asking->head, "Sec-WebSocket-Protocol"));
	ses_buf_init(&body, GATE_TOLD_BYTES);
	if (gate_problem_write(told, &body) >= 0) {
		text = ses_buf_bytes(&body);
		gate_told_keep(v->gate->told, &v->asking->request.address,
			       names, text, v->gate->loop->now_ms);
		for (size_t i = 0;
		     v->gate->cluster && i < 2 && names[i].text[0]; i++)
			gate_cluster_repeat(v->gate->cluster, names[i].text,
					    text, v->gate->loop->now_ms);
	}
	ses_buf_fini(&body);
}
