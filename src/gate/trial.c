/* SPDX-License-Identifier: MIT */
/* Answering what the looks ask for, as far as that is known here. */
#include "gate/trial.h"

#include <stdio.h>
#include <string.h>

const char *gate_assumed_text(unsigned assumed, char out[GATE_ASSUMED_TEXT])
{
	static const struct {
		unsigned bit;
		const char *text;
	} rows[] = {
		{GATE_ASSUMED_CREDENTIALS, "credentials"},
		{GATE_ASSUMED_CERTIFICATE, "the client's certificate"},
		{GATE_ASSUMED_LIMITS, "counts of limits"},
		{GATE_ASSUMED_AUTHORITY, "the authority"},
	};
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (assumed & rows[i].bit)
			at += (size_t)snprintf(out + at, GATE_ASSUMED_TEXT - at,
					       "%s%s", at ? ", " : "",
					       rows[i].text);
	return out;
}

/* ---- What is asked ---- */

static struct gate_reply assume(struct gate_trial *trial, enum gate_assumed what,
				const char *rule, unsigned line)
{
	trial->assumed |= what;
	return (struct gate_reply){
		.passed = true,
		.rule = rule,
		.line = line,
		.cause = WHY_OK,
		.status = 101,
	};
}

/* Nothing was brought, and nothing that looks like it in another place. */
static bool has_none(const struct gate_credential *c)
{
	return c->fault == GATE_FAULT_MISSING && !c->from && !c->detail[0];
}

static struct gate_reply judge_credential(const struct gate_request *request,
					  const struct gate_route *route,
					  struct gate_trial *trial)
{
	const struct gate_token_settings *token =
		gate_wanted_token(request, route);
	struct gate_asked asked = gate_asked_of(request);
	struct gate_credential *c = &trial->credential;

	if (trial->judges != GATE_JUDGES_NONE) {
		gate_credential_fini(c);
		gate_credential_check(token, &asked, trial->now_s, c);
		if (c->password)
			gate_credential_settle(
				c, gate_password_check(c->password));
	}
	if (trial->judges == GATE_JUDGES_NONE ||
	    (trial->judges == GATE_JUDGES_BROUGHT && has_none(c)))
		return assume(trial, GATE_ASSUMED_CREDENTIALS,
			      "none was given: taken for good",
			      (unsigned)token->at.line);
	return gate_reply_of(c, trial->rule, sizeof(trial->rule));
}

static struct gate_reply answer(const struct gate_request *request,
				const struct gate_decision *d,
				struct gate_trial *trial)
{
	struct gate_reply reply;

	switch (d->ask) {
	case GATE_ASK_CREDENTIAL:
		return judge_credential(request, d->route, trial);
	case GATE_ASK_AUTHORITY:
		reply = assume(trial, GATE_ASSUMED_AUTHORITY,
			       "not asked: taken for good",
			       d->route->authority.line);
		reply.value = bytes_of_str(d->route->authority.server.text);
		return reply;
	default:
		reply = assume(trial, GATE_ASSUMED_LIMITS,
			       "counts are not known here: taken for good", 0);
		reply.value = request->address_text;
		if (d->ask == GATE_ASK_SUBJECT_ROOM && trial->credential.subject)
			reply.value = bytes_of_str(trial->credential.subject);
		return reply;
	}
}

void gate_try(const struct gate_policy *policy,
	      const struct gate_request *request, struct gate_trial *trial,
	      struct gate_decision *d)
{
	trial->assumed = 0;
	gate_admit(policy, request, d);
	while (d->ask != GATE_ASK_NOTHING) {
		struct gate_reply reply = answer(request, d, trial);

		gate_admit_resume(policy, request, &reply, d);
	}
	for (size_t i = 0; i < d->n_trace; i++)
		if (request->any_certificate &&
		    strcmp(d->trace[i].check, "certificate") == 0)
			trial->assumed |= GATE_ASSUMED_CERTIFICATE;
}

void gate_trial_fini(struct gate_trial *trial)
{
	gate_credential_fini(&trial->credential);
}
