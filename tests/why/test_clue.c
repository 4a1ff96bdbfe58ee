/* SPDX-License-Identifier: MIT */
/* The clues: one for each cause and stack, complete, shared among kin. */
#include "why/clue.h"
#include "test.h"

static const struct why_clue rows[] = {
#define CLUE(cause, stack, where, words) \
	{WHY_##cause, WHY_STACK_##stack, where, words},
#include "why/clues.def"
#undef CLUE
};

TEST("every clue is found, has words and a place, and is the only one")
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct why_clue *clue =
			why_clue(rows[i].cause, rows[i].stack);

		assert_non_null(clue);
		assert_string_equal(clue->words, rows[i].words);
		assert_true(strlen(clue->words) > 1);
		assert_true(strlen(clue->where) > 1);
		assert_null(strchr(clue->words, '"')); /* shown in quotes */
		for (size_t k = 0; k < i; k++)
			assert_false(rows[k].cause == rows[i].cause &&
				     rows[k].stack == rows[i].stack);
	}
}

TEST("kin share their clues, strangers have none")
{
	const struct why_clue *own = why_clue(WHY_ACCESS_IP, WHY_STACK_NGINX);

	assert_ptr_equal(why_clue(WHY_ACCESS_IP, WHY_STACK_OPENRESTY), own);
	assert_null(why_clue(WHY_ACCESS_IP, WHY_STACK_NONE));
	assert_null(why_clue(WHY_URL_SYNTAX, WHY_STACK_NGINX));
}
