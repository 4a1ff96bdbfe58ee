/* SPDX-License-Identifier: MIT */
/*
 * The table of causes, one row per line of causes.def, and the two ways to
 * ask it: by symbol and by id.
 */
#include "why/cause.h"

static const struct why_cause_row causes[] = {
#define CAUSE(symbol, id, who, sentence, text) \
	[WHY_##symbol] = {id, who, sentence, text},
#include "why/causes.def"
#undef CAUSE
};

const struct why_cause_row *why_cause(enum why_cause cause)
{
	return (unsigned)cause < WHY_N_CAUSES ? &causes[cause] : NULL;
}

int why_cause_find(struct bytes id)
{
	for (int i = 0; i < WHY_N_CAUSES; i++)
		if (bytes_equal_str(id, causes[i].id))
			return i;
	return -1;
}

struct bytes why_category(enum why_cause cause)
{
	struct bytes id = bytes_of_str(why_cause(cause)->id);
	const char *dot = strchr(why_cause(cause)->id, '.');

	return dot ? bytes_first(id, dot - why_cause(cause)->id) : id;
}
