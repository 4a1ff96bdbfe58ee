/* SPDX-License-Identifier: MIT */
/* What to do when a connection did not open. */
#ifndef CLI_HINT_H
#define CLI_HINT_H

#include "cli/hush.h"
#include "cli/request.h"

/*
 * Tell on standard error, in @colour (NULL: none), through which proxy the way
 * led, if through one, and which command of the doctor asks the same request.
 */
void cli_hint(const struct cli_request *r, const struct hush *h,
	      const char *colour);

#endif
