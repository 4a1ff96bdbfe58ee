/* SPDX-License-Identifier: MIT */
/* Fields of a handshake whose names a configuration misspells. */
#ifndef LINT_FIELD_H
#define LINT_FIELD_H

#include "lint/tree.h"

/* The field that clients send and @written nearly is; NULL: it is one, or none
 * is near. Case, and _ for -, make no difference. */
const char *lint_field_meant(struct bytes written);

/* Tell each condition and value of the tree that asks for such a field. */
void lint_judge_fields(struct lint_run *run, enum lint_language language);

#endif
