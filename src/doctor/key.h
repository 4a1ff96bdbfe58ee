/* SPDX-License-Identifier: MIT */
/*
 * How far a handshake came, and which change brought it further: doors stand
 * one behind the other, and who is let through the first may be refused at the
 * second. Pure.
 */
#ifndef DOCTOR_KEY_H
#define DOCTOR_KEY_H

#include "doctor/diagnose.h"

/*
 * The key: the first probe that differs from the user's request in one thing
 * and opens (or at least comes further than) what the user's did not; for an
 * open connection the probe whose longer watch shows its end. NULL: none.
 */
const struct doctor_probe *doctor_key(const struct doctor_chart *chart);
/* 0: no connection, 1: no HTTP answer, 2: refused, 3: a 101, 4: open. */
int doctor_rank(const struct doctor_probe *p);
/* Whether @p opens what @base did not, each time that it was asked. */
bool doctor_opens(const struct doctor_chart *chart,
		  const struct doctor_probe *base,
		  const struct doctor_probe *p);
/*
 * Whether @p, which changes one thing, was refused by somebody who stands
 * behind whoever refused @base, each time that the two were asked.
 */
bool doctor_comes_further(const struct doctor_chart *chart,
			  const struct doctor_probe *base,
			  const struct doctor_probe *p);
/* Whether both open, and @p alone got a subprotocol. */
bool doctor_chooses(const struct doctor_probe *base,
		    const struct doctor_probe *p);
/* Trials that ask for something else, or elsewhere: they open no door. */
bool doctor_is_aside(enum doctor_change change);
/* A limit that was met along the way says nothing of the change. */
bool doctor_grew_busy(const struct doctor_probe *base,
		      const struct doctor_probe *p);
/* Whether the answer asks for an Upgrade, and so knows WebSocket. */
bool doctor_wants_upgrade(const struct doctor_probe *p);
/*
 * What the answer that comes further says, taken for an answer to the user's
 * own request. False: the key opens, or there is none.
 */
bool doctor_next_fault(const struct doctor_chart *chart,
		       struct doctor_opinion *ret_opinion);

#endif
