/* SPDX-License-Identifier: MIT */
/*
 * Pairs: the user's own request, and the same with one thing changed. How two
 * answers compare, and the questions that are asked of them, one file each.
 * Pure.
 */
#ifndef DOCTOR_PAIR_H
#define DOCTOR_PAIR_H

#include "doctor/finding.h"

/* ---- how two answers compare ---- */

/* Whether @p got an HTTP answer where the user's request got none. */
bool doctor_answers(const struct doctor_probe *base,
		    const struct doctor_probe *p);
/* Whether @base is refused in HTTP, and @p gets no answer at all. */
bool doctor_is_left_alone(const struct doctor_probe *base,
			  const struct doctor_probe *p);

/* ---- the experiments of one kind ---- */

/* What the probes with one kind of change came to; each may be NULL. */
struct doctor_tally {
	const struct doctor_probe *opened;  /* it opens, or comes further */
	const struct doctor_probe *changed; /* another answer */
	const struct doctor_probe *same;    /* the same answer */
	const struct doctor_probe *answered; /* an answer, where there was none */
	const struct doctor_probe *worse;    /* less than before */
	int n;				     /* how many values were tried */
};

struct doctor_tally doctor_tally(const struct doctor_chart *chart,
				 enum doctor_change change);
/* Whether none was tried, or one came out the same: a reset alone shows
 * nothing. */
bool doctor_all_same(struct doctor_tally t);

/* ---- and how it is told ---- */

/* Add a finding: "with one change (Origin: x): 101 instead of 403". */
void doctor_tell(struct doctor_chart *chart, enum doctor_finding_kind kind,
		 const struct doctor_probe *p);
/* The same in words of one's own: @what. */
void doctor_tell_same(struct doctor_chart *chart, enum doctor_finding_kind kind,
		      const struct doctor_probe *p, const char *what);

/* ---- the questions; the later ones build on the findings before them ---- */

/* pair_origin.c: is it the Origin? */
void doctor_find_origin(struct doctor_chart *chart);
/* pair_place.c: is it the Host, or the path? */
void doctor_find_place(struct doctor_chart *chart);
/* Whether @p is a status as ws writes it to the bare socket, without Server or
 * Date. */
bool doctor_is_ws_shut(const struct doctor_probe *p);
/* The same as it looks when it was passed on, or as others may write it. */
bool doctor_looks_shut_by_ws(const struct doctor_probe *p);
/* pair_fields.c: is it the query, and is it another field? */
void doctor_find_query(struct doctor_chart *chart);
void doctor_find_fields(struct doctor_chart *chart);
/* accept.c: whose key does a wrong proof belong to? */
void doctor_find_accept(struct doctor_chart *chart);
/* The key of the user's own request, where its proof is worth a second look. */
bool doctor_key_to_ask_again(const struct doctor_chart *chart, char *out,
			     size_t size);
/* pair_get.c: is it the Upgrade? */
void doctor_find_get(struct doctor_chart *chart);
/* A sound handshake, and the server says that it is none. */
bool doctor_misses_upgrade(const struct doctor_chart *chart);
/* Whether the proxy that wrote @base wrote the plain GET's answer @g as well. */
bool doctor_answers_itself(const struct doctor_probe *base,
			   const struct doctor_probe *g);
/* Whether a library wrote @p to the bare socket: no Date, Server or Via. */
bool doctor_is_to_bare_socket(const struct doctor_probe *p);
/* pair_shut.c: does any handshake get through? */
void doctor_find_shut(struct doctor_chart *chart);
/* Whether who asks is refused, by the status or by the words. */
bool doctor_is_denial(const struct doctor_chart *chart,
		      const struct doctor_probe *base);
/* pair_way.c: is it the scheme, the port, the proxy, the address? */
void doctor_find_way(struct doctor_chart *chart);

#endif
