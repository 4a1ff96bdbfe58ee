/* SPDX-License-Identifier: MIT */
/*
 * Of a rule that is no list: the value that was compared, and the nearest one
 * that would have passed. Fit for a terminal; no secret is in them.
 */
#ifndef GATE_COMPARED_H
#define GATE_COMPARED_H

struct gate_compared {
	char value[200], nearest[200]; /* "": none */
};

#endif
