/* SPDX-License-Identifier: MIT */
/*
 * Between finding.c, which looks at everything in order, and its parts: each
 * adds the findings of one thing to the chart. Pure.
 */
#ifndef DOCTOR_FINDING_INNER_H
#define DOCTOR_FINDING_INNER_H

#include "doctor/finding.h"

/* Add a finding, told by a format; redacted by the caller where needed. */
void doctor_note(struct doctor_chart *chart, enum doctor_finding_kind kind,
		 const struct doctor_probe *p, const struct doctor_probe *versus,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* symptom.c: how the user's own request ended; exactly one finding. */
void doctor_find_symptom(struct doctor_chart *chart,
			 const struct doctor_probe *base);
/* context.c: what the user's own request holds. */
void doctor_find_context(struct doctor_chart *chart,
			 const struct doctor_probe *base);
/* config.c: what the configurations that were given say. */
void doctor_find_config(struct doctor_chart *chart);
/* compare.c: which difference to the request that works matters. */
void doctor_find_comparison(struct doctor_chart *chart);

/* ---- one answer ---- */

/* answer.c: what the answer is, by its form, its words and its writer. */
void doctor_find_answer(struct doctor_chart *chart,
			const struct doctor_probe *p);
/* answer.c: where a redirect leads. */
void doctor_find_redirect(struct doctor_chart *chart,
			  const struct doctor_probe *p);
/* answer.c: whether the reason of a close is that nothing was said for too
 * long. */
bool doctor_is_closed_as_idle(const struct doctor_probe *p);
/* answer.c: whether @text names a place to sign in at. */
bool doctor_names_sign_in(struct bytes text);
/* apology.c: what a success refuses in words. */
void doctor_find_apology(struct doctor_chart *chart,
			 const struct doctor_probe *p);
/* writer.c: who wrote the answer, and who passed it on. */
void doctor_find_writer(struct doctor_chart *chart,
			const struct doctor_probe *p);
/* writer.c: whether nothing in any answer is a proxy's. */
void doctor_find_no_proxy(struct doctor_chart *chart,
			  const struct doctor_probe *base);
/* telltale.c: what an answer says in so many words. */
void doctor_find_words(struct doctor_chart *chart,
		       const struct doctor_probe *p);

/* ---- what the experiments show ---- */

/* pair.c: what each experiment shows, compared with the user's own request. */
void doctor_find_pairs(struct doctor_chart *chart);
/* habits.c: what particular software means by an answer without words. */
void doctor_find_habits(struct doctor_chart *chart);
/* habits.c: whether @p was written to the bare socket, as who listens for
 * upgrades does it: a status, and no field that a server of HTTP adds. */
bool doctor_is_hand_written(const struct doctor_probe *p);
/* experiment.c: whether bodies vary when the same is asked again. */
void doctor_mark_chance(struct doctor_chart *chart);
/* experiment.c: what those show that are no pair of handshakes. */
void doctor_find_experiments(struct doctor_chart *chart);
/* sessions.c: what engine.io and SockJS tell over their other transports. */
void doctor_find_sessions(struct doctor_chart *chart);

#endif
