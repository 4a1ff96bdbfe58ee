/* SPDX-License-Identifier: MIT */
/*
 * Where the outside cannot decide, the report says what would. The sentence is
 * that of the pair, where the pair has one, or that of the cause; behind it
 * stands what only this case has: the log of a stack that was seen, a proxy
 * whose configuration nobody has shown yet, an application to be asked itself.
 */
#include "doctor/apart.h"

#include <stdarg.h>
#include <stdio.h>

#include "why/clue.h"

static const char *const sentences[WHY_N_CAUSES] = {
#define APART(cause, sentence) [WHY_##cause] = sentence,
#define PAIR(a, b, sentence)
#include "doctor/apart.def"
#undef APART
#undef PAIR
};

static const struct {
	enum why_cause a, b;
	const char *sentence;
} pairs[] = {
#define APART(cause, sentence)
#define PAIR(a, b, sentence) {WHY_##a, WHY_##b, sentence},
#include "doctor/apart.def"
#undef APART
#undef PAIR
};

static const char *sentence_for(enum why_cause best, enum why_cause other)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if ((pairs[i].a == best && pairs[i].b == other) ||
		    (pairs[i].a == other && pairs[i].b == best))
			return pairs[i].sentence;
	return sentences[other] ? sentences[other] : "";
}

/* What a proxy does wrong shows when the application is asked itself. */
static bool is_of_the_way(enum why_cause cause)
{
	switch (cause) {
	case WHY_SERVER_PROXY_UPGRADE:
	case WHY_SERVER_PROXY_HOST:
	case WHY_SERVER_PROXY_PROTO:
	case WHY_SERVER_BACKEND_DOWN:
	case WHY_SERVER_FORWARDED_UNTRUSTED:
	case WHY_SERVER_CDN_WEBSOCKETS_OFF:
	case WHY_NET_IDLE_TIMEOUT:
		return true;
	default:
		return false;
	}
}

/* The first hop whose configuration can be read with --config, or NULL. */
static const struct why_hop *readable_hop(const struct why_hops *hops)
{
	for (size_t i = 0; i < hops->n; i++)
		switch (hops->hop[i].stack) {
		case WHY_STACK_NGINX:
		case WHY_STACK_APACHE:
		case WHY_STACK_HAPROXY:
		case WHY_STACK_CADDY:
			return &hops->hop[i];
		default:
			break;
		}
	return NULL;
}

/* One sentence more, if there is room for all of it. */
static void add(char *out, size_t size, const char *format, ...)
{
	size_t len = strlen(out);
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(out + len, size - len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= size - len)
		out[len] = '\0';
}

/* The writer's log before the others'. */
static const struct why_clue *clue_of(enum why_cause cause,
				      const struct why_hops *hops)
{
	const struct why_clue *clue = NULL;

	if (hops->writer >= 0 && (size_t)hops->writer < hops->n)
		clue = why_clue(cause, hops->hop[hops->writer].stack);
	for (size_t i = 0; i < hops->n && !clue; i++)
		clue = why_clue(cause, hops->hop[i].stack);
	return clue;
}

char *doctor_log_words(enum why_cause cause, const struct why_hops *hops,
		       char *out, size_t size)
{
	const struct why_clue *clue = clue_of(cause, hops);

	out[0] = '\0';
	if (clue)
		add(out, size, "%s then writes \"%s\" (%s).",
		    why_stack(clue->stack)->name, clue->words, clue->where);
	return out;
}

char *doctor_tell_apart(const struct doctor_case *c, enum why_cause best,
			enum why_cause other, const struct why_hops *hops,
			char *out, size_t size)
{
	const struct why_hop *hop = readable_hop(hops);
	char words[256];

	snprintf(out, size, "%s", sentence_for(best, other));
	if (*doctor_log_words(other, hops, words, sizeof(words)))
		add(out, size, "%s%s", *out ? " " : "", words);
	if (c && !c->backend && (is_of_the_way(other) || is_of_the_way(best)) &&
	    !strstr(out, "--backend"))
		add(out, size,
		    " On the server, --backend URL asks the application "
		    "itself.");
	if (c && hop && c->n_configs == 0 && !strstr(out, "--config"))
		add(out, size, " --config FILE reads the configuration of %s.",
		    why_stack(hop->stack)->name);
	return out;
}
