/* SPDX-License-Identifier: MIT */
/*
 * What a changed file would do to those who came: every handshake that the
 * journal has is decided once more. What no rule refused (a server that was
 * down, a limit, credentials) no rule can admit, and stays as it was; so does
 * what was turned away before any rule was asked.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/check.h"
#include "cli/command.h"
#include "cli/tell.h"
#include "cli/term.h"
#include "gate/lookup.h"
#include "gate/trial.h"

enum change {
	NOW_REFUSED,
	NOW_ADMITTED,
	OTHERWISE_REFUSED,
	UNDECIDED, /* it is among those that are as before */
	N_CHANGES
};

static const struct {
	const char *name, *title;
} changes[N_CHANGES] = {
	{"now_refused", "would now be refused"},
	{"now_admitted", "would now be let in"},
	{"otherwise_refused", "would be refused for another reason"},
	{"undecided", "as before, for all that a journal tells"},
};

#define MAX_GROUPS 200

struct group {
	enum change change;
	char was[60], now[60], rule[300], example[WHY_REFERENCE_SIZE];
	unsigned line;
	uint64_t count;
};

struct replay {
	const struct gate_policy *policy;
	struct gate_rehearsal rehearsal;
	struct gate_decision decision;
	struct gate_trial trial;
	struct group group[MAX_GROUPS];
	size_t n;
	uint64_t same, cut, more, kinds, refusals;
	bool refuses; /* somebody who was let in, in a group or beside them */
};

static void put(struct replay *r, const struct gate_story *s, enum change change)
{
	const struct gate_decision *d = &r->decision;
	const struct gate_trace *decider = gate_decider(d);
	bool let_in = s->count || s->observed;
	char assumed[GATE_ASSUMED_TEXT];
	struct group g = {.change = change,
			  .line = d->admitted ? 0 : decider->line,
			  .count = s->count ? (uint64_t)s->count : 1};

	snprintf(g.was, sizeof(g.was), "%s", let_in ? "let in" : s->cause);
	snprintf(g.now, sizeof(g.now), "%s",
		 change == UNDECIDED	  ? "not decided"
		 : change == NOW_ADMITTED ? "let in"
					  : why_cause(d->cause)->id);
	bytes_printable(bytes_of_str(decider->rule), g.rule, sizeof(g.rule));
	if (change == UNDECIDED) {
		g.line = d->route->line;
		snprintf(g.rule, sizeof(g.rule), "%s",
			 gate_assumed_text(r->trial.assumed, assumed));
	}
	strcpy(g.example, s->reference);
	r->refuses |= change == NOW_REFUSED;
	for (size_t i = 0; i < r->n; i++) {
		struct group *at = &r->group[i];

		if (at->change != change || at->line != g.line ||
		    strcmp(at->was, g.was) != 0 ||
		    strcmp(at->now, g.now) != 0 || strcmp(at->rule, g.rule) != 0)
			continue;
		at->count += g.count;
		return;
	}
	if (r->n < MAX_GROUPS)
		r->group[r->n++] = g;
	else
		r->more += g.count;
}

static bool is_same_refusal(const struct gate_story *s,
			    const struct gate_decision *d)
{
	return strcmp(s->cause, why_cause(d->cause)->id) == 0 &&
	       strcmp(s->check, gate_decider(d)->check) == 0;
}

/* By TLS, by a port of the other scheme or by the form of the request. */
static bool came_to_no_rule(const struct gate_story *s)
{
	return !s->count && !s->observed && !s->check[0] && !s->route[0];
}

/*
 * It stays as it was. Where that is not for a rule to say, which is so of
 * credentials and of a server that was down, it is told apart.
 */
static void keep(struct replay *r, const struct gate_story *s)
{
	bool let_in = s->count || s->observed;

	r->same += s->count ? (uint64_t)s->count : 1;
	if (r->decision.admitted &&
	    (r->trial.assumed || (!let_in && !tell_is_ruled(s->check))))
		put(r, s, UNDECIDED);
}

static void decide_again(void *user, const struct gate_story *s)
{
	struct replay *r = user;
	const struct gate_decision *d = &r->decision;
	bool was_in = s->count || s->observed, is_in;

	r->kinds += s->count > 0;
	r->refusals += s->count == 0;
	/* What an observing route let in is there as a kind as well. */
	if (r->kinds && s->observed)
		return;
	if (came_to_no_rule(s)) {
		r->same++;
		return;
	}
	if (!gate_rehearse_story(s, &r->rehearsal)) {
		r->cut++;
		return;
	}
	gate_try(r->policy, &r->rehearsal.request, &r->trial, &r->decision);
	is_in = d->admitted || (d->route && d->route->observe);
	if (was_in && !is_in)
		put(r, s, NOW_REFUSED);
	else if (!was_in && is_in && tell_is_ruled(s->check))
		put(r, s, NOW_ADMITTED);
	else if (!was_in && !is_in && !is_same_refusal(s, d))
		put(r, s, OTHERWISE_REFUSED);
	else
		keep(r, s);
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

/* ---- Telling ---- */

static void tell_group(const struct replay *r, const struct group *g)
{
	char place[300] = "", text[sizeof(place) + sizeof(g->rule)];
	const int column = 22;

	printf("  %7llu  %s  %s -> %s\n", (unsigned long long)g->count,
	       g->example, g->was, g->now);
	if (!g->line && g->change == NOW_ADMITTED)
		return;
	if (g->line)
		snprintf(place, sizeof(place), "%s:%u  ", r->policy->file,
			 g->line);
	snprintf(text, sizeof(text), "%s%s", place, g->rule);
	printf("%*s", column, "");
	term_cut(stdout, text, column);
}

static void tell(const struct replay *r, const char *journal)
{
	printf("\n%s: %llu refusal%s and %llu kind%s of handshakes let in\n",
	       journal, (unsigned long long)r->refusals,
	       r->refusals == 1 ? "" : "s", (unsigned long long)r->kinds,
	       r->kinds == 1 ? "" : "s");
	for (int change = 0; change < N_CHANGES; change++) {
		bool told = false;

		for (size_t i = 0; i < r->n; i++) {
			if (r->group[i].change != (enum change)change)
				continue;
			if (!told)
				printf("\n%s\n", changes[change].title);
			told = true;
			tell_group(r, &r->group[i]);
		}
	}
	printf("\nas before: %llu\n", (unsigned long long)r->same);
	if (r->cut)
		printf("too long to be decided again: %llu\n",
		       (unsigned long long)r->cut);
	if (r->more)
		printf("more changes of other kinds: %llu\n",
		       (unsigned long long)r->more);
}

static void add_json(const struct replay *r, const char *journal, json_t *json)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "journal",
			      journal, "refusals", (json_int_t)r->refusals,
			      "admitted_kinds", (json_int_t)r->kinds,
			      "as_before", (json_int_t)r->same, "cut",
			      (json_int_t)r->cut, "more", (json_int_t)r->more);

	for (int change = 0; change < N_CHANGES; change++) {
		json_t *list = json_array();

		for (size_t i = 0; i < r->n; i++) {
			const struct group *g = &r->group[i];

			if (g->change == (enum change)change)
				json_array_append_new(
					list,
					json_pack("{s:I, s:s, s:s, s:s, s:s, "
						  "s:i}",
						  "count", (json_int_t)g->count,
						  "was", g->was, "now", g->now,
						  "rule", g->rule, "reference",
						  g->example, "line",
						  (int)g->line));
		}
		json_object_set_new(o, changes[change].name, list);
	}
	json_object_set_new(json, "replay", o);
}

static int replay(struct replay *r, struct gate_lookup *lookup)
{
	const struct gate_search all = {0};

	if (gate_lookup_admitted(lookup, decide_again, r) < 0)
		return -1;
	return gate_lookup_search(lookup, &all, 0, decide_again, r);
}

int check_replay(const struct gate_policy *policy, const char *journal,
		 json_t *json)
{
	char text[4400];
	struct gate_lookup *lookup =
		gate_lookup_open(journal, text, sizeof(text));
	struct replay *r = calloc(1, sizeof(*r));
	int status = EXIT_OK;

	if (!lookup || !r) {
		fprintf(stderr, "sesame check: %s\n",
			lookup ? "out of memory" : text);
		status = EXIT_NO_ANSWER;
	} else if (r->policy = policy, replay(r, lookup) < 0) {
		fprintf(stderr, "sesame check: the journal cannot be read: %s\n",
			gate_lookup_error(lookup));
		status = EXIT_NO_ANSWER;
	} else {
		qsort(r->group, r->n, sizeof(r->group[0]), by_count);
		if (json)
			add_json(r, journal, json);
		else
			tell(r, journal);
		if (r->refuses)
			status = EXIT_FAULT;
	}
	gate_lookup_close(lookup);
	free(r);
	return status;
}
