/* SPDX-License-Identifier: MIT */
/* A stack by any of the names that people give it. */
#include "why/stack.h"

static const struct {
	const char *name;
	enum why_stack stack;
} aliases[] = {
#define ALIAS(name, symbol) {name, WHY_STACK_##symbol},
#include "why/stack_names.def"
#undef ALIAS
};

/* "fastapi" and "starlette" in "FastAPI (Starlette)". */
static bool is_half(const char *name, struct bytes word)
{
	const char *open = strstr(name, " (");
	struct bytes first, second;

	if (!open)
		return false;
	first = bytes_of(name, (size_t)(open - name));
	second = bytes_of_str(open + 2);
	second = bytes_first(second, second.len - 1);
	return bytes_equal_nocase(first, word) ||
	       bytes_equal_nocase(second, word);
}

enum why_stack why_stack_find(struct bytes name)
{
	for (int s = 1; s < WHY_N_STACKS; s++)
		if (bytes_equal_nocase(name, bytes_of_str(why_stack(s)->id)) ||
		    bytes_equal_nocase(name, bytes_of_str(why_stack(s)->name)))
			return s;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (bytes_equal_nocase(name, bytes_of_str(aliases[i].name)))
			return aliases[i].stack;
	for (int s = 1; s < WHY_N_STACKS; s++)
		if (is_half(why_stack(s)->name, name))
			return s;
	return WHY_STACK_NONE;
}

const char *why_stack_alias(size_t i)
{
	return i < sizeof(aliases) / sizeof(*aliases) ? aliases[i].name : NULL;
}
