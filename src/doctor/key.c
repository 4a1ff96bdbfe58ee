/* SPDX-License-Identifier: MIT */
/*
 * The key of a case: the one change that opens, or at least leads to another
 * door. What is hard is to tell the next door from another word at the same.
 */
#include "doctor/key.h"

#include "doctor/alike.h"
#include "doctor/compare.h"
#include "doctor/disclosed.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

int doctor_rank(const struct doctor_probe *p)
{
	switch (p->outcome) {
	case DOCTOR_OPEN:
		return 4;
	case DOCTOR_CLOSED_AFTER:
		return doctor_is_closed_as_refused(p) ? 2 : 3;
	case DOCTOR_CUT_AFTER:
	case DOCTOR_BAD_101:
	case DOCTOR_BAD_FRAME:
		return 3;
	case DOCTOR_ANSWERED:
		return 2;
	case DOCTOR_NOT_HTTP:
	case DOCTOR_NO_ANSWER:
		return 1;
	default:
		return 0;
	}
}

/* Who was refused within the protocol, and is asked nothing within it now. */
static bool is_left_unasked(const struct doctor_probe *base,
			    const struct doctor_probe *p)
{
	return base->hello_refused && !p->hello_said;
}

bool doctor_opens(const struct doctor_chart *chart,
		  const struct doctor_probe *base, const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_OPEN && base->outcome != DOCTOR_OPEN &&
	       !is_left_unasked(base, p) && doctor_stands(chart, &p->trial);
}

bool doctor_chooses(const struct doctor_probe *base,
		    const struct doctor_probe *p)
{
	return base->outcome == DOCTOR_OPEN && p->outcome == DOCTOR_OPEN &&
	       base->subprotocol.len == 0 && p->subprotocol.len > 0;
}

bool doctor_is_aside(enum doctor_change change)
{
	return change == DOCTOR_NOTHING || change == DOCTOR_PLAIN_GET ||
	       change == DOCTOR_PLAIN_GET_PATH || change == DOCTOR_POLLING ||
	       change == DOCTOR_SESSION || change == DOCTOR_PREFLIGHT ||
	       change == DOCTOR_PAGE || change == DOCTOR_BACKEND ||
	       change == DOCTOR_SILENCE || change == DOCTOR_UNFIT ||
	       change == DOCTOR_NAMED_SO;
}

bool doctor_grew_busy(const struct doctor_probe *base,
		      const struct doctor_probe *p)
{
	return (p->status == 429 || p->status == 503) &&
	       base->status != p->status && base->outcome == DOCTOR_ANSWERED;
}

bool doctor_wants_upgrade(const struct doctor_probe *p)
{
	if (doctor_wants_newer_client(p) || doctor_wants_other_upgrade(p))
		return false;
	return p->status == 426 || doctor_says(p, DOCTOR_F_SAYS_NO_UPGRADE) ||
	       (p->outcome == DOCTOR_ANSWERED &&
		ses_head_get(&p->parsed, "Sec-WebSocket-Version").data);
}

/* ---- one door behind the other ---- */

/* Of what is changed, that which is looked at before anything else is. */
static bool is_looked_at_first(enum doctor_change change)
{
	static const enum doctor_change first[] = {
		DOCTOR_NO_ORIGIN, DOCTOR_ORIGIN, DOCTOR_USER_AGENT,
		DOCTOR_SOURCE, DOCTOR_NO_SOURCE};

	for (size_t i = 0; i < LEN(first); i++)
		if (first[i] == change)
			return true;
	return false;
}

/* The doors in their order: who refuses, who cannot reach whom it asked, who
 * would take a WebSocket if one arrived, who took it. */
static int door(const struct doctor_probe *p)
{
	int rank = doctor_rank(p);

	if (rank != 2)
		return rank > 2 ? rank + 2 : rank;
	if (doctor_wants_upgrade(p))
		return 4;
	return p->status == 502 || p->status == 504 ? 3 : 2;
}

/* A refusal of who asks became one of what is asked for. */
static bool is_no_denial(const struct doctor_case *c,
			 const struct doctor_probe *base,
			 const struct doctor_probe *p)
{
	/* an Origin that is added may be what is refused then */
	if (p->trial.change == DOCTOR_ORIGIN && !c->origin)
		return false;
	return base->status == 403 &&
	       (p->status == 400 || p->status == 404 || p->status == 405 ||
		p->status == 426 || p->status >= 500) &&
	       p->outcome == DOCTOR_ANSWERED;
}

static bool is_behind(const struct doctor_chart *chart,
		      const struct doctor_probe *base,
		      const struct doctor_probe *p)
{
	if (doctor_rank(base) == 0 || doctor_rank(base) > 2 ||
	    doctor_grew_busy(base, p) || p->outcome == DOCTOR_OPEN)
		return false;
	/* an Origin sends browsers one way, and programs another: where nothing
	 * was said, another refusal may be no door further */
	if (doctor_rank(base) == 1 && door(p) == 2 &&
	    (p->trial.change == DOCTOR_ORIGIN ||
	     p->trial.change == DOCTOR_NO_ORIGIN))
		return false;
	return door(p) > door(base) || is_no_denial(chart->c, base, p);
}

bool doctor_comes_further(const struct doctor_chart *chart,
			  const struct doctor_probe *base,
			  const struct doctor_probe *p)
{
	if (!is_looked_at_first(p->trial.change) || !is_behind(chart, base, p))
		return false;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *q = chart->probe[i];
		bool own = q->trial.change == DOCTOR_NOTHING;
		bool same = q->trial.change == p->trial.change &&
			    strcmp(q->trial.value, p->trial.value) == 0;

		if ((own && !doctor_same_answer(base, q)) ||
		    (same && !is_behind(chart, base, q)))
			return false;
	}
	return true;
}

const struct doctor_probe *doctor_key(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *best = NULL, *further = NULL;
	enum doctor_change change;

	if (base && doctor_compared(chart))
		return doctor_compared(chart);
	for (size_t i = 0; base && i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		change = p->trial.change;
		if (change == DOCTOR_AS_WORKS)
			continue; /* far more than one thing */
		if (change == DOCTOR_HOLD && base->outcome == DOCTOR_OPEN &&
		    p->outcome != DOCTOR_OPEN && p->status == 101)
			return p;
		if (change == DOCTOR_HOLD || doctor_is_aside(change))
			continue;
		if (doctor_opens(chart, base, p) || doctor_chooses(base, p)) {
			if (change != DOCTOR_MINIMAL)
				return p;
			best = best ? best : p;
		} else if (doctor_comes_further(chart, base, p) &&
			   (!further || door(p) > door(further))) {
			further = p;
		}
	}
	return best ? best : further;
}

bool doctor_next_fault(const struct doctor_chart *chart,
		       struct doctor_opinion *ret_opinion)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *key = doctor_key(chart);
	struct doctor_case c = *chart->c;
	struct doctor_chart next = {
		.c = &c, .blind = chart->blind, .config = chart->config};
	struct doctor_probe first;

	if (!base || !key || !doctor_comes_further(chart, base, key))
		return false;
	first = *key; /* borrowed; the chart keeps it */
	first.trial = (struct doctor_trial){.change = DOCTOR_NOTHING};
	first.n = 1;
	if (key->trial.change == DOCTOR_NO_ORIGIN)
		c.origin = NULL;
	next.probe[next.n_probes++] = &first;
	doctor_find(&next);
	doctor_diagnose(&next, ret_opinion);
	return true;
}
