/* SPDX-License-Identifier: MIT */
/*
 * What would tell two causes apart that look alike from here: something to try,
 * a line to look for in the log of the stack that was seen, the application
 * asked past its proxy, a configuration to read.
 */
#ifndef DOCTOR_APART_H
#define DOCTOR_APART_H

#include "doctor/case.h"
#include "why/cause.h"
#include "why/stack.h"

/*
 * Whether it is @other after all, and not @best. @hops is empty where no stack
 * may be known. @c, or NULL, is the case whose options could still tell more:
 * once in a report is enough. Returns @out (@size > 0), "" when nothing would
 * tell.
 */
char *doctor_tell_apart(const struct doctor_case *c, enum why_cause best,
			enum why_cause other, const struct why_hops *hops,
			char *out, size_t size);

/* "nginx then writes "access forbidden by rule" (error.log)."; "": nothing. */
char *doctor_log_words(enum why_cause cause, const struct why_hops *hops,
		       char *out, size_t size);

#endif
