/* SPDX-License-Identifier: MIT */
/* Looking at the tree of directives. */
#include "lint/tree.h"

uint64_t lint_name_bit(const char *name)
{
	unsigned hash = 0;

	for (; *name; name++)
		hash = hash * 31 + byte_lower((uint8_t)*name);
	return UINT64_C(1) << (hash % 64);
}

/* Asked for so often that it pays to see the first difference. */
static bool is_called(const struct lint_node *node, const char *name)
{
	const char *own = node->name;

	while (*own && byte_lower((uint8_t)*own) == byte_lower((uint8_t)*name)) {
		own++;
		name++;
	}
	return !*own && !*name;
}

const struct lint_node *lint_child(const struct lint_node *node,
				   const char *name,
				   const struct lint_node *after)
{
	const struct lint_node *child = after ? after->next : node->first;

	/* A level may have thousands of children, and is asked for dozens of
	 * names that none of them has. */
	if (!(node->names & lint_name_bit(name)))
		return NULL;
	for (; child; child = child->next)
		if (is_called(child, name))
			return child;
	return NULL;
}

const struct lint_node *lint_next(const struct lint_node *node)
{
	if (node->first)
		return node->first;
	while (node && !node->next)
		node = node->parent;
	return node ? node->next : NULL;
}

const char *lint_arg(const struct lint_node *node, size_t i)
{
	return i < node->n_args ? node->arg[i] : "";
}
