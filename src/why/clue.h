/* SPDX-License-Identifier: MIT */
/*
 * What a stack writes to its log when it refuses for a cause: rows of
 * clues.def. From outside two causes may look alike; the log says which it was.
 */
#ifndef WHY_CLUE_H
#define WHY_CLUE_H

#include "why/cause.h"
#include "why/stack.h"

struct why_clue {
	enum why_cause cause;
	enum why_stack stack;
	const char *where; /* "error.log at level info" */
	const char *words; /* to be searched for, as they are */
};

/* What @stack, or the stack that it is akin to, says of @cause; NULL: nothing
 * is known. Static. */
const struct why_clue *why_clue(enum why_cause cause, enum why_stack stack);

#endif
