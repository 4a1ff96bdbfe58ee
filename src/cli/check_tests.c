/* SPDX-License-Identifier: MIT */
/*
 * The expectations that a file has of itself. A route that only observes lets
 * in what its rules refuse, so there both `admit` and the cause are true.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/check.h"
#include "cli/command.h"
#include "gate/trial.h"

struct result {
	bool passed;
	char told[600]; /* what was instead */
};

static bool is_met(const char *expect, const struct gate_decision *d)
{
	bool observed = d->route && d->route->observe;
	char status[12];

	snprintf(status, sizeof(status), "%d", d->status);
	if (strcmp(expect, "admit") == 0)
		return d->admitted || observed;
	return !d->admitted && (strcmp(expect, why_cause(d->cause)->id) == 0 ||
				(!observed && strcmp(expect, status) == 0));
}

static void try_one(const struct gate_policy *policy,
		    const struct gate_expectation *e, struct result *ret)
{
	struct gate_rehearsal *r = calloc(1, sizeof(*r));
	struct gate_trial trial = {.now_s = (int64_t)time(NULL)};
	struct gate_description d = {
		.url = e->url,
		.host = e->host,
		.origin = e->origin,
		.user_agent = e->user_agent,
		.subprotocol = e->subprotocol,
		.from = e->from,
		.token = e->token,
		.basic = e->basic,
		.cookie = e->cookie,
		.n_headers = e->n_headers,
		.n_parts = e->n_certificates,
	};
	struct gate_decision decision;
	const struct gate_trace *decider;

	for (size_t i = 0; i < e->n_headers; i++)
		d.header[i] = e->header[i];
	for (size_t i = 0; i < e->n_certificates; i++)
		d.certificate[i] = e->certificate[i];
	ret->passed = false;
	snprintf(ret->told, sizeof(ret->told), "out of memory");
	if (r && gate_rehearse(policy, &d, r, ret->told, sizeof(ret->told))) {
		trial.judges = r->bare ? GATE_JUDGES_ALL : GATE_JUDGES_BROUGHT;
		gate_try(policy, &r->request, &trial, &decision);
		decider = gate_decider(&decision);
		ret->passed = is_met(e->expect, &decision);
		if (decision.admitted)
			snprintf(ret->told, sizeof(ret->told),
				 "it is admitted by route %s",
				 decision.route->path);
		else if (decider->line)
			snprintf(ret->told, sizeof(ret->told),
				 "%d %s, by %s:%u (%s: %s)", decision.status,
				 why_cause(decision.cause)->id, policy->file,
				 decider->line, decider->check, decider->rule);
		else
			snprintf(ret->told, sizeof(ret->told), "%d %s (%s: %s)",
				 decision.status, why_cause(decision.cause)->id,
				 decider->check, decider->rule);
	}
	gate_trial_fini(&trial);
	free(r);
}

static void tell_failure(const struct gate_policy *policy,
			 const struct gate_expectation *e,
			 const struct result *result)
{
	char url[120], told[600];

	printf("%s:%u:%u: %s: expected %s, but\n    %s\n", policy->file,
	       e->line, e->column,
	       bytes_printable(bytes_of_str(e->url), url, sizeof(url)),
	       e->expect,
	       bytes_printable(bytes_of_str(result->told), told, sizeof(told)));
}

int check_tests(const struct gate_policy *policy, json_t *json)
{
	json_t *list = json ? json_array() : NULL;
	size_t passed = 0;

	for (size_t i = 0; i < policy->n_tests; i++) {
		const struct gate_expectation *e = &policy->test[i];
		struct result result;

		try_one(policy, e, &result);
		passed += result.passed;
		if (json)
			json_array_append_new(
				list,
				json_pack("{s:i, s:s, s:s, s:b, s:s}", "line",
					  (int)e->line, "url", e->url, "expect",
					  e->expect, "passed", result.passed,
					  "was", result.told));
		else if (!result.passed)
			tell_failure(policy, e, &result);
	}
	if (json && policy->n_tests)
		json_object_set(json, "tests", list);
	json_decref(list);
	if (!json && policy->n_tests)
		printf("tests: %zu of %zu pass\n", passed, policy->n_tests);
	return passed == policy->n_tests ? EXIT_OK : EXIT_FAULT;
}
