/* SPDX-License-Identifier: MIT */
/*
 * What holds where. nginx inherits a directive with one value from the level
 * around; of a directive that can stand several times, one of its own cancels
 * all of those around. That is where most lost Upgrade fields are lost.
 */
#include <stdarg.h>
#include <stdio.h>

#include "lint/nginx.h"

bool nginx_is(const struct lint_node *node, const char *name)
{
	return strcmp(node->name, name) == 0;
}

const struct lint_node *nginx_value(const struct lint_node *level,
				    const char *name)
{
	const struct lint_node *found;

	for (; level; level = level->parent) {
		found = lint_child(level, name, NULL);
		if (found)
			return found;
	}
	return NULL;
}

const struct lint_node *nginx_list_level(const struct lint_node *level,
					 const char *name)
{
	while (level && !lint_child(level, name, NULL))
		level = level->parent;
	return level;
}

const struct lint_node *nginx_header(const struct lint_node *level,
				     const char *field,
				     const struct lint_node *after)
{
	const struct lint_node *node = after;

	level = after ? after->parent
		      : nginx_list_level(level, "proxy_set_header");
	while (level && (node = lint_child(level, "proxy_set_header", node)))
		if (lint_same(lint_arg(node, 0), field))
			return node;
	return NULL;
}

const struct lint_node *nginx_around(const struct lint_node *node,
				     const char *name)
{
	while (node && !nginx_is(node, name))
		node = node->parent;
	return node;
}

const struct lint_node *nginx_server(const struct lint_node *node)
{
	const struct lint_node *server = nginx_around(node, "server");

	while (!server && node->parent)
		node = node->parent;
	return server ? server : node;
}

bool nginx_is_http_server(const struct lint_node *node)
{
	return nginx_is(node, "server") && node->block &&
	       (!node->parent->parent || nginx_is(node->parent, "http"));
}

void nginx_where(const struct lint_node *level, char *out, size_t size)
{
	const struct lint_node *name;

	if (nginx_is(level, "server")) {
		name = lint_child(level, "server_name", NULL);
		snprintf(out, size, "server %s",
			 name ? lint_arg(name, 0) : "without a name");
	} else if (!level->parent) {
		snprintf(out, size, "the file");
	} else if (nginx_is(level, "if")) {
		snprintf(out, size, "if %s%s%s ...", lint_arg(level, 0),
			 level->n_args > 1 ? " " : "", lint_arg(level, 1));
	} else {
		snprintf(out, size, "%s %s%s%s", level->name, lint_arg(level, 0),
			 level->n_args > 1 ? " " : "", lint_arg(level, 1));
	}
}

struct lint_finding *nginx_note(struct lint_run *run, enum lint_rule rule,
				const struct lint_node *level,
				const struct lint_node *node, bool sure,
				const char *format, ...)
{
	char where[128], text[sizeof(((struct lint_finding *)0)->text)];
	va_list args;

	if (lint_told(run, rule, node))
		return NULL;
	nginx_where(level, where, sizeof(where));
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return lint_note(run, rule, node, sure, where, "%s", text);
}
