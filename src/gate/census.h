/* SPDX-License-Identifier: MIT */
/*
 * The main figures of all gateways of a backplane, which any of them shows
 * (docs/decisions/0016-figures-of-all-have-names-of-their-own.md). Each leaves
 * its own for the others, for as long as a lease; what it shows of itself is
 * what it counts just now.
 */
#ifndef GATE_CENSUS_H
#define GATE_CENSUS_H

#include "gate/enquiry.h"
#include "gate/status.h"

struct gate_census;

/* Tell the others, from now on, what @view has; borrowed. NULL: no memory. */
struct gate_census *gate_census_begin(struct gate_view *view);
/* Before the house goes. NULL is fine. */
void gate_census_end(struct gate_census *census);

/* Ask the others; NULL: there are none, or they cannot be asked now. */
struct gate_enquiry *gate_census_ask(struct gate_view *view,
				     gate_enquiry_done done, void *user);
/*
 * Append the figures of all that have answered, and of this one, in the text
 * format of Prometheus. 0, or an error of the buffer.
 */
int gate_census_write(struct gate_view *view, const struct gate_note *said,
		      struct ses_buf *out);

#endif
