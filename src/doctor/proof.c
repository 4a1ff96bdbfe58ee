/* SPDX-License-Identifier: MIT */
/*
 * The pair of handshakes that is shown as proof: the user's own, and one that
 * differs in a single thing and came to another end. Several may: then the one
 * that says most about the cause is shown, and not merely the first that
 * opened. Where the same request has more than one answer, both sides tell how
 * often they had theirs.
 */
#include "doctor/facts.h"

#include <stdio.h>

#include "doctor/compare.h"
#include "doctor/key.h"
#include "doctor/redact.h"

/* The first that opened was repeated; another has to say so much more (log
 * odds) to be shown instead. */
#define MUCH_MORE 1.6

/* What was found by @p, as far as it speaks for the cause. */
static double says(const struct doctor_chart *chart,
		   const struct doctor_opinion *o, const struct doctor_probe *p)
{
	double sum = 0;

	for (size_t i = 0; i < chart->n_findings; i++)
		if (chart->finding[i].probe == p->n && o->weight[i] > 0)
			sum += o->weight[i];
	return sum;
}

/* Whether @p opens as @key does, and by one thing that it changes. */
static bool is_like(const struct doctor_chart *chart,
		    const struct doctor_probe *p, const struct doctor_probe *key)
{
	enum doctor_change change = p->trial.change;

	return p->outcome == DOCTOR_OPEN && key->outcome == DOCTOR_OPEN &&
	       doctor_baseline(chart)->outcome != DOCTOR_OPEN &&
	       change != DOCTOR_NOTHING && change != DOCTOR_AS_WORKS &&
	       change != DOCTOR_MINIMAL && change != DOCTOR_HOLD &&
	       doctor_same_way(&p->trial) && doctor_stands(chart, &p->trial);
}

const struct doctor_probe *
doctor_telling_key(const struct doctor_chart *chart,
		   const struct doctor_opinion *opinion)
{
	const struct doctor_probe *key = doctor_key(chart), *best = key;

	if (!key)
		return NULL;
	if (doctor_compared(chart))
		return says(chart, opinion, key) > 0 ? key : NULL;
	for (size_t i = 0; i < chart->n_probes; i++)
		if (is_like(chart, chart->probe[i], key) &&
		    says(chart, opinion, chart->probe[i]) >
			    says(chart, opinion, best) + MUCH_MORE)
			best = chart->probe[i];
	return says(chart, opinion, best) > 0 ? best : NULL;
}

char *doctor_result_often(const struct doctor_chart *chart,
			  const struct doctor_probe *p, char *out, size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_score score = doctor_score(chart, &p->trial);
	size_t len;
	int alike;

	doctor_result_text(p, out, size);
	if (!base || !doctor_wavers(chart, &base->trial) || score.n < 2)
		return out;
	len = strlen(out);
	alike = p->outcome == DOCTOR_OPEN ? score.opened
					  : score.n - score.opened;
	snprintf(out + len, size - len, " (%d of %d times)", alike, score.n);
	return out;
}

void doctor_prove(struct doctor_facts *f)
{
	struct doctor_verdict *v = f->v;
	char result[256];

	if (!f->key || v->cause == WHY_OK)
		return;
	v->proof.given = true;
	v->proof.probe = f->key->n;
	doctor_trial_text(f->chart->c, &f->key->trial, v->proof.changed,
			  sizeof(v->proof.changed));
	doctor_result_often(f->chart, f->key, result, sizeof(result));
	doctor_redact(f->chart->c, bytes_of_str(result), v->proof.result,
		      sizeof(v->proof.result));
	v->proof.repeated = doctor_repeats(f->chart, &f->key->trial);
}
