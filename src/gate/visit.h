/* SPDX-License-Identifier: MIT */
/* One visitor of the gateway, from the accepted socket to the last byte. */
#ifndef GATE_VISIT_H
#define GATE_VISIT_H

#include "gate/gate.h"

struct gate_visit;

/* Somebody stands at @entrance: @fd is taken. */
void gate_visit_begin(struct gate_entrance *entrance, int fd,
		      const struct ses_addr *peer);
/*
 * There is a new policy. Who is in stays in when it has the visitor's route,
 * and is asked to leave otherwise.
 */
void gate_visit_move(struct ses_list *link, struct gate_policy *policy);
/* Ask the visitor to leave: close 1001, or at once where there is no frame. */
void gate_visit_dismiss(struct ses_list *link);
/* Throw the visitor out, without a word. */
void gate_visit_expel(struct ses_list *link);

#endif
