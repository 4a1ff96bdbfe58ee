/* SPDX-License-Identifier: MIT */
/*
 * The table of remedies and the filling of their placeholders. A placeholder
 * is a known name in braces; any other brace is part of the snippet, since
 * nginx, Caddy and JSON are full of them.
 */
#include "why/remedy.h"

#include <stdio.h>

static const struct why_remedy remedies[] = {
#define REMEDY(cause, stack, ...) {WHY_##cause, WHY_STACK_##stack, __VA_ARGS__},
#include "why/remedies.def"
#undef REMEDY
};

#define N_REMEDIES (sizeof(remedies) / sizeof(remedies[0]))

/* The @i-th row of exactly this cause and stack; counts @i down on the way. */
static const struct why_remedy *find_row(enum why_cause cause,
					 enum why_stack stack, size_t *i)
{
	for (size_t r = 0; r < N_REMEDIES; r++)
		if (remedies[r].cause == cause && remedies[r].stack == stack &&
		    (*i)-- == 0)
			return &remedies[r];
	return NULL;
}

const struct why_remedy *why_remedy(enum why_cause cause, enum why_stack stack,
				    size_t i)
{
	const struct why_remedy *row = NULL;

	if (stack != WHY_STACK_NONE)
		row = find_row(cause, stack, &i);
	return row ? row : find_row(cause, WHY_STACK_NONE, &i);
}

static const char *const placeholders[] = {
	"origin", "host",	 "port",       "path",	  "url",
	"scheme", "subprotocol", "user_agent", "address", "expected",
};

/* Which placeholder @text starts with, without braces; NULL: none. */
static const char *placeholder_at(const char *text)
{
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(*placeholders);
	     i++) {
		size_t n = strlen(placeholders[i]);

		if (text[0] == '{' && !strncmp(text + 1, placeholders[i], n) &&
		    text[n + 1] == '}')
			return placeholders[i];
	}
	return NULL;
}

static const char *value_of(const struct why_value *values, size_t n,
			    const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(values[i].name, name))
			return values[i].value;
	return NULL;
}

char *why_remedy_fill(const char *text, const struct why_value *values,
		      size_t n_values, char *out, size_t size)
{
	size_t len = 0;

	while (*text && len < size - 1) {
		const char *name = placeholder_at(text);
		const char *value;
		int n;

		if (!name) {
			out[len++] = *text++;
			continue;
		}
		value = value_of(values, n_values, name);
		n = value ? snprintf(out + len, size - len, "%s", value)
			  : snprintf(out + len, size - len, "<%s>", name);
		len = (size_t)n < size - len ? len + (size_t)n : size - 1;
		text += strlen(name) + 2;
	}
	out[len] = '\0';
	return out;
}
