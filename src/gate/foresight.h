/* SPDX-License-Identifier: MIT */
/*
 * What a start would stumble over, and the reloads after it, as far as it can
 * be known before: files that may not be read or written by whoever the gateway
 * goes on as. Nothing is opened for writing, made or locked.
 */
#ifndef GATE_FORESIGHT_H
#define GATE_FORESIGHT_H

#include "gate/privileges.h"

struct gate_foresight {
	gate_warn_fn on_fault;	 /* "FILE:LINE:COLUMN: ...": no start */
	gate_warn_fn on_warning; /* it starts */
	void *user;
};

/*
 * Tell all of it about @policy. Where that has a user, a process of its own
 * becomes that one for it; nothing is known, and said, where it may not. Who is
 * neither root nor told a user hears of missing rights as a warning, since it
 * may be somebody else who starts the gateway.
 */
void gate_foresee(const struct gate_policy *policy,
		  const struct gate_foresight *to);

#endif
