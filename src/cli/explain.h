/* SPDX-License-Identifier: MIT */
/*
 * What `sesame explain --json` prints, each a new object or list, or NULL: no
 * memory. @stack: whose remedies, or WHY_STACK_NONE: general ones.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "why/cause.h"
#include "why/manual.h"

struct json_t;

/* Whether a remedy of @cause is for @stack or its kin, and not for all alike. */
bool explain_has_own(int cause, int stack);
struct json_t *explain_json_cause(int cause, int stack);
struct json_t *explain_json_status(const struct why_status *status);
struct json_t *explain_json_topic(const struct why_topic *topic);
/* All that is known to help with @stack. */
struct json_t *explain_json_stack(int stack);
/* The causes of @category, or all of them when it is empty. */
struct json_t *explain_json_causes(struct bytes category, int stack);
struct json_t *explain_json_contents(int stack);

#endif
