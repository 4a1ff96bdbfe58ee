/* SPDX-License-Identifier: MIT */
/* Going on with fewer rights than the program was started with. */
#ifndef GATE_PRIVILEGES_H
#define GATE_PRIVILEGES_H

#include "gate/policy.h"

/*
 * Become policy->user and ->group, for good, and let no program started from
 * here gain rights. False: @text says why not, and the caller must end.
 */
bool gate_privileges_drop(const struct gate_policy *policy, char *text,
			  size_t text_size);
typedef void (*gate_warn_fn)(void *user, const char *sentence);
/*
 * After that: say of each file that the policy names, and that only root could
 * read, that no reload will be able to.
 */
void gate_privileges_warn(const struct gate_policy *policy, gate_warn_fn say,
			  void *user);

#endif
