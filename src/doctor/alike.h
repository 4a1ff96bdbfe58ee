/* SPDX-License-Identifier: MIT */
/*
 * What was seen, made comparable: whether two answers differ in more than what
 * varies from one to the next by itself. Pure.
 */
#ifndef DOCTOR_ALIKE_H
#define DOCTOR_ALIKE_H

#include "doctor/probe.h"

/*
 * Set p->body_hash: words with digits in them (dates, ids, addresses),
 * references and UUIDs count as equal, and so do places where the server
 * repeats what it was sent or a field that numbers its answers.
 */
void doctor_hash_body(struct doctor_probe *p, struct bytes target,
		      struct bytes origin, struct bytes host);

/* Whether @word of the answer @p names that answer alone, by its looks or by a
 * field that numbers answers. */
bool doctor_is_answers_id(const struct doctor_probe *p, struct bytes word);

/* How many of the words of both bodies are in either: 0 to 1. */
double doctor_likeness(const struct doctor_probe *a,
		       const struct doctor_probe *b);

/* Whether two probes were answered alike: outcome, status, body, close code. */
bool doctor_same_answer(const struct doctor_probe *a,
			const struct doctor_probe *b);

#endif
