/* SPDX-License-Identifier: MIT */
/*
 * What a pair of probes shows: each experiment is compared with the user's own
 * request, one part of the request at a time. What is hard is to say no more
 * than the pair shows. Here is how two answers compare; what it means in each
 * part of the request is in pair_origin.c, pair_place.c, pair_fields.c,
 * pair_get.c, pair_shut.c and pair_way.c.
 */
#include "doctor/pair.h"

#include "doctor/alike.h"
#include "doctor/diagnose.h"
#include "doctor/finding_inner.h"
#include "doctor/key.h"

/* ---- how two answers compare ---- */

/* An HTTP answer where the user's request got none. */
bool doctor_answers(const struct doctor_probe *base,
		    const struct doctor_probe *p)
{
	return doctor_rank(base) < 2 && doctor_rank(p) >= 2;
}

/* This handshake is refused in HTTP, the other one gets no answer at all. */
bool doctor_is_left_alone(const struct doctor_probe *base,
			  const struct doctor_probe *p)
{
	return base->outcome == DOCTOR_ANSWERED && base->status / 100 == 4 &&
	       p->outcome == DOCTOR_NO_ANSWER;
}

/* ---- the experiments of one kind ---- */

static bool is_repeat(const struct doctor_chart *chart,
		      const struct doctor_probe *p)
{
	return doctor_tried(chart, p->trial.change, p->trial.value) != p;
}

struct doctor_tally doctor_tally(const struct doctor_chart *chart,
				 enum doctor_change change)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *further = NULL;
	struct doctor_tally t = {0};

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change != change || is_repeat(chart, p))
			continue;
		t.n++;
		if (doctor_opens(chart, base, p) && !t.opened)
			t.opened = p;
		else if (doctor_answers(base, p) && !t.answered)
			t.answered = p;
		if (doctor_comes_further(chart, base, p) && !further)
			further = p;
		if (doctor_same_answer(base, p))
			t.same = p;
		else if (doctor_rank(p) < doctor_rank(base) ||
			 doctor_grew_busy(base, p))
			t.worse = p; /* a cure does not make it worse */
		else if (!t.changed && p->outcome != DOCTOR_OPEN)
			t.changed = p;
	}
	if (!t.opened) /* it opens the first door of several */
		t.opened = further;
	return t;
}

/* None was tried, or one came out the same: a reset alone shows nothing. */
bool doctor_all_same(struct doctor_tally t)
{
	return t.n == 0 || t.same;
}

/* ---- and how it is told ---- */

/* The same words for another answer: the status alone does not tell them. */
static const char *again(const struct doctor_probe *base,
			 const struct doctor_probe *p)
{
	return base->outcome == DOCTOR_ANSWERED && p->outcome == DOCTOR_ANSWERED
		       ? " again, with another body"
		       : " again";
}

/* "with Origin: x it gets 101" */
void doctor_tell(struct doctor_chart *chart, enum doctor_finding_kind kind,
		 const struct doctor_probe *p)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	char trial[300], result[160], before[160];

	doctor_trial_text(chart->c, &p->trial, trial, sizeof(trial));
	doctor_result_text(p, result, sizeof(result));
	doctor_result_text(base, before, sizeof(before));
	if (strlen(trial) > 90)
		memcpy(trial + 87, "...", 4);
	if (strcmp(result, before) == 0)
		doctor_note(chart, kind, p, base, "with one change (%s): %s%s",
			    trial, result, again(base, p));
	else
		doctor_note(chart, kind, p, base,
			    strncmp(before, "no ", 3) == 0
				    ? "with one change (%s): %s; as asked: %s"
				    : "with one change (%s): %s instead of "
				      "%s",
			    trial, result, before);
}

void doctor_tell_same(struct doctor_chart *chart, enum doctor_finding_kind kind,
		      const struct doctor_probe *p, const char *what)
{
	doctor_note(chart, kind, p, doctor_baseline(chart), "%s", what);
}

/* ---- all of them together ---- */

/*
 * The same 403 whatever was changed: it is about who asks, not what for. Of
 * ASGI servers it tells less, since they have one 403 for all.
 */
static void find_denied(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (base->status != 403 || !g || !doctor_same_answer(base, g) ||
	    !doctor_found(chart, DOCTOR_F_NONSENSE_SAME) ||
	    doctor_found(chart, DOCTOR_F_WRITER_ASGI))
		return;
	for (size_t i = 0; i < chart->n_probes; i++)
		if (!doctor_same_answer(base, chart->probe[i]) &&
		    chart->probe[i]->trial.change != DOCTOR_SCHEME &&
		    chart->probe[i]->trial.change != DOCTOR_FAMILY &&
		    (!doctor_is_aside(chart->probe[i]->trial.change) ||
		     chart->probe[i] == g) &&
		    chart->probe[i]->trial.change != DOCTOR_H2 &&
		    chart->probe[i]->trial.change != DOCTOR_HOST &&
		    chart->probe[i]->trial.change != DOCTOR_SOURCE)
			return;
	doctor_note(chart, DOCTOR_F_DENIED_ALL, g, base,
		    "every path and a plain GET get the same 403");
	if (doctor_found(chart, DOCTOR_F_ORIGIN_SENT))
		doctor_note(chart, DOCTOR_F_DENIED_FOREIGN, g, base,
			    "all of them were sent with a foreign Origin");
	if (doctor_found(chart, DOCTOR_F_CERT_SENT))
		doctor_note(chart, DOCTOR_F_DENIED_CERT, g, base,
			    "all of them showed the client certificate");
}

/* The answer has no words that were heard, and nobody known wrote it. */
static bool is_unexplained(const struct doctor_chart *chart)
{
	if (doctor_found(chart, DOCTOR_F_WRITER_PROXY) ||
	    doctor_found(chart, DOCTOR_F_WRITER_CDN))
		return false;
	for (size_t i = 0; i < chart->n_findings; i++)
		if (doctor_is_told_by_itself(chart->finding[i].kind))
			return false;
	return true;
}

/*
 * A 403 without a reason, to a request without credentials, that nothing
 * changes: the Origin and the address are no more than one guess of several.
 */
static void find_unproved(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	bool foreign = doctor_found(chart, DOCTOR_F_ORIGIN_SENT) &&
		       doctor_found(chart, DOCTOR_F_ORIGIN_NO_EFFECT);

	if (base->status != 403 || !is_unexplained(chart) ||
	    !doctor_found(chart, DOCTOR_F_CREDENTIALS_NOT_SENT))
		return;
	if (foreign && doctor_is_hand_written(base))
		doctor_note(chart, DOCTOR_F_FOREIGN_TERSE, base, NULL,
			    "no Origin that was tried opens, and the 403 has "
			    "no field and no word for who lacks credentials");
	else if (foreign && !doctor_found(chart, DOCTOR_F_WRITER_ASGI))
		doctor_note(chart, DOCTOR_F_FOREIGN_UNPROVED, base, NULL,
			    "no Origin that was tried opens, and no "
			    "credentials were sent");
	else if (foreign || doctor_found(chart, DOCTOR_F_DENIED_ALL))
		doctor_note(chart, DOCTOR_F_DENIED_UNTOLD, base, NULL,
			    "the 403 gives no reason, and no credentials were "
			    "sent");
}

void doctor_find_pairs(struct doctor_chart *chart)
{
	doctor_find_origin(chart);
	doctor_find_place(chart);
	doctor_find_query(chart);
	doctor_find_get(chart);
	doctor_find_shut(chart);
	doctor_find_fields(chart);
	doctor_find_accept(chart);
	doctor_find_way(chart);
	find_denied(chart);
	doctor_find_habits(chart);
	find_unproved(chart);
}
