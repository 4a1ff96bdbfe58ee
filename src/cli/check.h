/* SPDX-License-Identifier: MIT */
/* The parts of `sesame check`, each of which adds what it found to @json. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <jansson.h>

#include "gate/policy.h"
#include "gate/rehearsal.h"

/*
 * Trace one request. @json NULL: tell people. The exit status: 0 when it is let
 * in, 1 when it is refused, 2 when the description has a fault.
 */
int check_request(const struct gate_policy *policy,
		  const struct gate_description *description, json_t *json);
/* Try the expectations of the file. 0, or 1 when one is not met. */
int check_tests(const struct gate_policy *policy, json_t *json);
/*
 * Decide once more what a journal has. 0, 1 when something that was let in
 * would be refused, 3 when the journal cannot be read.
 */
int check_replay(const struct gate_policy *policy, const char *journal,
		 json_t *json);

#endif
