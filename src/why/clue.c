/* SPDX-License-Identifier: MIT */
/*
 * The table of clues. A framework's server writes the framework's words, so
 * the stacks that share remedies share these as well.
 */
#include "why/clue.h"

#include "why/remedy.h"

static const struct why_clue clues[] = {
#define CLUE(cause, stack, where, words) \
	{WHY_##cause, WHY_STACK_##stack, where, words},
#include "why/clues.def"
#undef CLUE
};

static const struct why_clue *find_clue(enum why_cause cause,
					enum why_stack stack)
{
	for (size_t i = 0; i < sizeof(clues) / sizeof(*clues); i++)
		if (clues[i].cause == cause && clues[i].stack == stack)
			return &clues[i];
	return NULL;
}

const struct why_clue *why_clue(enum why_cause cause, enum why_stack stack)
{
	const struct why_clue *clue = find_clue(cause, stack);
	enum why_stack like = why_kin(stack);

	if (!clue && like != WHY_STACK_NONE)
		clue = find_clue(cause, like);
	return clue;
}
