/* SPDX-License-Identifier: MIT */
/*
 * Could it have been luck? A server that opens by chance, or in turns, gives
 * the pair A B B A the answers of a proof in about one of seven examinations.
 * Where the refusal names its cause, or its writer is known, that is proof
 * enough; where the order of the answers is all there is, it has to be longer.
 */
#include "doctor/luck.h"

#include <math.h>

#include <sesame/error.h>

#include "doctor/compare.h"
#include "doctor/diagnose.h"
#include "doctor/key.h"

/* A finding speaks for a cause from this weight on. */
#define SPEAKS 0.5
/* Most servers toss no coins, whatever may be said of one. */
#define MOST_LUCK 0.3

/* What the key itself speaks for most. */
static enum why_cause cause_of(const struct doctor_chart *chart,
			       const struct doctor_probe *key)
{
	enum why_cause best = WHY_OK;
	double most = 0;

	for (size_t i = 0; i < chart->n_findings; i++)
		for (int c = 0; c < WHY_N_CAUSES; c++) {
			enum why_cause cause = (enum why_cause)c;
			double w = doctor_weight(chart->finding[i].kind, cause);

			if (chart->finding[i].probe == key->n && w > most) {
				most = w;
				best = cause;
			}
		}
	return best;
}

/* Whether the words of an answer, or a configuration, name the key's cause. */
static bool is_named(const struct doctor_chart *chart,
		     const struct doctor_probe *key)
{
	enum why_cause cause = cause_of(chart, key);

	for (size_t i = 0; i < chart->n_findings; i++) {
		const struct doctor_finding *f = &chart->finding[i];

		if (f->probe != key->n && doctor_is_told_by_itself(f->kind) &&
		    doctor_weight(f->kind, cause) >= SPEAKS)
			return true;
	}
	return false;
}

/*
 * Ends that say of themselves what is wrong: those of the layers below HTTP, a
 * 101 that is none, a place to go to instead. Silence does not, but to hear it
 * again costs a wait each time.
 */
static bool says_itself(const struct doctor_probe *base)
{
	switch (base->outcome) {
	case DOCTOR_ANSWERED:
		return base->status / 100 == 3;
	case DOCTOR_NO_ANSWER:
		return base->error == SESAME_ETIMEOUT;
	case DOCTOR_CLOSED_AFTER:
	case DOCTOR_CUT_AFTER:
		return false;
	default:
		return true;
	}
}

/* The key, where it is one that opens what as asked is refused; or NULL. */
static const struct doctor_probe *opener(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *key = base ? doctor_key(chart) : NULL;

	return key && !doctor_compared(chart) && doctor_opens(chart, base, key)
		       ? key
		       : NULL;
}

/* Another way to the server, which it has to know: chance teaches nobody TLS,
 * or HTTP/2, and opens no port. */
static bool goes_elsewhere(enum doctor_change change)
{
	switch (change) {
	case DOCTOR_SCHEME:
	case DOCTOR_PORT:
	case DOCTOR_H2:
	case DOCTOR_NAME:
	case DOCTOR_FAMILY:
	case DOCTOR_DIRECT:
	case DOCTOR_INSECURE:
	case DOCTOR_TLS_VERSION:
		return true;
	default:
		return false;
	}
}

bool doctor_is_bare(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *key = opener(chart);

	return key && !says_itself(base) && base->hops.n == 0 &&
	       !doctor_found(chart, DOCTOR_F_PAGE_OPENS) &&
	       !goes_elsewhere(key->trial.change) && !is_named(chart, key);
}

/* Changes that were let in at one time only: so many had the chance. */
static int others_that_wavered(const struct doctor_chart *chart)
{
	int n = 0;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_trial *t = &chart->probe[i]->trial;

		n += !doctor_is_aside(t->change) && doctor_wavers(chart, t) &&
		     doctor_tried(chart, t->change, t->value) == chart->probe[i];
	}
	return n;
}

/* In how many ways @k of @n things can be chosen. */
static double ways(int n, int k)
{
	double all = 1;

	for (int i = 1; i <= k; i++)
		all = all * (n - k + i) / i;
	return all;
}

/* How often it was asked as in @trial, and how often that stayed open. */
static struct doctor_score score(const struct doctor_chart *chart,
				 const struct doctor_trial *trial)
{
	struct doctor_score s = {0};

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change != trial->change ||
		    strcmp(p->trial.value, trial->value) != 0)
			continue;
		s.n++;
		s.opened += p->outcome == DOCTOR_OPEN;
	}
	return s;
}

/*
 * A server that always refused as asked: for the share p of all that makes it
 * likeliest, how likely is it that only the key's repetitions are let in? The
 * key's first time does not count, since what opens first becomes the key.
 */
static double luck_of_pair(struct doctor_score own, struct doctor_score again)
{
	double in = own.opened + again.opened;
	double out = own.n + again.n - in;

	return ways(own.n, own.opened) * ways(again.n, again.opened) *
	       pow(in / (in + out), in) * pow(out / (in + out), out);
}

/*
 * A server that is known to be fickle: how likely does the key open each time,
 * with any share p that the user's own request leaves possible (Bayes, with all
 * shares alike before)?
 */
static double luck_of_fickle(struct doctor_score own, struct doctor_score again)
{
	double luck = 1;

	for (int i = 0; i < again.n; i++)
		luck *= (own.opened + 1.0 + i) / (own.n + 2.0 + i);
	return luck;
}

double doctor_luck(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *key = opener(chart);
	bool fickle = base && doctor_wavers(chart, &base->trial);
	struct doctor_score own, again;
	double luck;

	if (!key || (!fickle && !doctor_is_bare(chart)))
		return 0;
	own = score(chart, &base->trial);
	again = score(chart, &key->trial);
	again.n--;
	again.opened += doctor_score(chart, &key->trial).used_up - 1;
	luck = fickle ? luck_of_fickle(own, again) : luck_of_pair(own, again);
	luck *= 1 + others_that_wavered(chart);
	return luck < MOST_LUCK ? luck : MOST_LUCK;
}
