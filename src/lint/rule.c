/* SPDX-License-Identifier: MIT */
/* The rules' names, causes and texts, from rules.def. */
#include "lint/lint.h"

static const struct {
	const char *id;
	enum why_cause cause;
	const char *text;
} rules[] = {
#define RULE(symbol, id, cause, text) {id, WHY_##cause, text},
#include "lint/rules.def"
#undef RULE
};

const char *lint_rule_id(enum lint_rule rule)
{
	return rules[rule].id;
}

enum why_cause lint_rule_cause(enum lint_rule rule)
{
	return rules[rule].cause;
}

const char *lint_rule_text(enum lint_rule rule)
{
	return rules[rule].text;
}

const char *lint_language_name(enum lint_language language)
{
	static const char *const names[] = {
		[LINT_UNKNOWN] = "unknown", [LINT_NGINX] = "nginx",
		[LINT_APACHE] = "apache",   [LINT_HAPROXY] = "haproxy",
		[LINT_CADDY] = "caddy",
	};

	return names[language];
}
