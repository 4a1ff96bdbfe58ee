/* SPDX-License-Identifier: MIT */
/* One request, decided as `serve` would decide it, look by look. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/check.h"
#include "cli/command.h"
#include "cli/tell.h"
#include "gate/forward.h"
#include "gate/hide.h"
#include "gate/trial.h"

struct tried {
	struct gate_rehearsal rehearsal;
	struct gate_decision decision;
	struct gate_story story;
	struct gate_trial trial;
};

static void make_story(struct tried *t, const struct gate_policy *policy)
{
	const struct gate_hops *hops = &t->rehearsal.hops;
	struct gate_story *s = &t->story;

	gate_story_ask(s, &t->rehearsal.request);
	gate_story_decide(s, policy, &t->decision);
	gate_story_survey(s, policy, &t->rehearsal.request, &t->decision);
	if (hops->n > 1 || hops->end != GATE_HOPS_ALL)
		gate_hops_format(hops, s->hops, sizeof(s->hops));
	s->observed = !t->decision.admitted && t->decision.route &&
		      t->decision.route->observe;
}

static const char *target_of(const struct tried *t, char out[1024])
{
	const struct gate_route *route = t->decision.route;
	static const char *const names[] = {
		[GATE_TO_ECHO] = "the echo",
		[GATE_TO_HUB] = "a channel",
		[GATE_TO_FILES] = "a page",
	};

	return route->n_servers
		       ? gate_forward_place(&route->server[0],
					    t->rehearsal.request.target, out,
					    1024)
		       : names[route->to];
}

static void tell_verdict(const struct tried *t, const struct gate_policy *policy)
{
	const struct gate_story *s = &t->story;
	char assumed[GATE_ASSUMED_TEXT], target[1024];

	printf("\n");
	tell_row("from", s->hops[0] ? s->address : "");
	tell_row("hops", s->hops);
	if (s->hops[0])
		printf("\n");
	tell_trace(s);
	if (t->trial.assumed)
		printf("\nNot known here and taken for good: %s.\n",
		       gate_assumed_text(t->trial.assumed, assumed));
	if (t->decision.admitted) {
		printf("\nadmitted: to %s\n", target_of(t, target));
		return;
	}
	printf("\nrefused: %d %s%s\n", s->status, s->cause,
	       s->observed ? ", but let in: the route only observes" : "");
	if (s->nearest[0])
		printf("nearest that would pass: %s\n", s->nearest);
	printf("\n");
	tell_change(s, policy->file, NULL);
}

static void add_json(const struct tried *t, const struct gate_policy *policy,
		     json_t *json)
{
	char assumed[GATE_ASSUMED_TEXT];
	json_t *o = tell_object(&t->story);

	json_object_update_missing(json, o);
	json_decref(o);
	json_object_set_new(json, "admitted",
			    json_boolean(t->decision.admitted));
	json_object_set_new(json, "assumed", json_boolean(t->trial.assumed));
	json_object_set_new(
		json, "taken_for_good",
		json_string(gate_assumed_text(t->trial.assumed, assumed)));
	if (t->decision.admitted)
		json_object_del(json, "advice");
	else
		tell_change(&t->story, policy->file, json);
}

int check_request(const struct gate_policy *policy,
		  const struct gate_description *description, json_t *json)
{
	struct tried *t = calloc(1, sizeof(*t));
	char wrong[400] = "out of memory";
	int status = EXIT_USAGE;

	if (t && gate_rehearse(policy, description, &t->rehearsal, wrong,
			       sizeof(wrong))) {
		t->trial.judges = t->rehearsal.bare ? GATE_JUDGES_ALL
						    : GATE_JUDGES_BROUGHT;
		t->trial.now_s = (int64_t)time(NULL);
		gate_try(policy, &t->rehearsal.request, &t->trial, &t->decision);
		make_story(t, policy);
		if (json)
			add_json(t, policy, json);
		else
			tell_verdict(t, policy);
		status = t->decision.admitted || t->story.observed ? EXIT_OK
								   : EXIT_FAULT;
	} else {
		fprintf(stderr, "sesame check: --%s\n", wrong);
	}
	if (t)
		gate_trial_fini(&t->trial);
	free(t);
	return status;
}
