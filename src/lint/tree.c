/* SPDX-License-Identifier: MIT */
/* Looking at the tree of directives. */
#include "lint/tree.h"

const struct lint_node *lint_child(const struct lint_node *node,
				   const char *name,
				   const struct lint_node *after)
{
	const struct lint_node *child = after ? after->next : node->first;
	struct bytes wanted = bytes_of_str(name);

	for (; child; child = child->next)
		if (bytes_equal_nocase(bytes_of_str(child->name), wanted))
			return child;
	return NULL;
}

const char *lint_arg(const struct lint_node *node, size_t i)
{
	return i < node->n_args ? node->arg[i] : "";
}
