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

/*
 * Where one stack's remedies help with another as well: the framework on the
 * server, the proxy inside the mesh.
 */
static const struct {
	enum why_stack stack, like;
} kin[] = {
	{WHY_STACK_OPENRESTY, WHY_STACK_NGINX},
	{WHY_STACK_ISTIO, WHY_STACK_ENVOY},
	{WHY_STACK_UVICORN, WHY_STACK_FASTAPI},
	{WHY_STACK_FASTAPI, WHY_STACK_UVICORN},
	{WHY_STACK_HYPERCORN, WHY_STACK_FASTAPI},
	{WHY_STACK_DJANGO, WHY_STACK_DAPHNE},
	{WHY_STACK_DAPHNE, WHY_STACK_DJANGO},
	{WHY_STACK_JUPYTER, WHY_STACK_TORNADO},
	{WHY_STACK_STREAMLIT, WHY_STACK_TORNADO},
	{WHY_STACK_GO_HTTP, WHY_STACK_GORILLA},
	{WHY_STACK_NODE, WHY_STACK_NODE_WS},
	{WHY_STACK_EXPRESS, WHY_STACK_NODE_WS},
	{WHY_STACK_NEXTJS, WHY_STACK_NODE_WS},
	{WHY_STACK_RAILS, WHY_STACK_ACTIONCABLE},
	{WHY_STACK_PUMA, WHY_STACK_ACTIONCABLE},
	{WHY_STACK_COWBOY, WHY_STACK_PHOENIX},
	{WHY_STACK_TOMCAT, WHY_STACK_SPRING},
	{WHY_STACK_JETTY, WHY_STACK_SPRING},
	{WHY_STACK_UNDERTOW, WHY_STACK_SPRING},
	{WHY_STACK_SIGNALR, WHY_STACK_KESTREL},
};

enum why_stack why_kin(enum why_stack stack)
{
	for (size_t i = 0; i < sizeof(kin) / sizeof(*kin); i++)
		if (kin[i].stack == stack)
			return kin[i].like;
	return WHY_STACK_NONE;
}

const struct why_remedy *why_remedy(enum why_cause cause, enum why_stack stack,
				    size_t i)
{
	const enum why_stack order[] = {stack, why_kin(stack), WHY_STACK_NONE};
	const struct why_remedy *row = NULL;

	for (size_t k = 0; k < 3 && !row; k++)
		if (order[k] != WHY_STACK_NONE || k == 2)
			row = find_row(cause, order[k], &i);
	return row;
}

static const char *const placeholders[] = {
	"origin",    "host",	    "port",	  "path",     "url",
	"scheme",    "subprotocol", "user_agent", "address",  "expected",
	"host_port", "reference",   "upstream",	  "slashed",  "origin_host",
	"parameter", "asking",
	"bare_path", "http",	    "certified",  "variable", "user",
	"from",	     "mended",	    "proxy_try",  "target",	"seconds",
	"blocked_at", "suspect",    "exempt",
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
