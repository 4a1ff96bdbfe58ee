/* SPDX-License-Identifier: MIT */
/*
 * What opens the door, by cause and stack: rows in remedies.def, the safe form
 * before the broad one. A remedy may hold placeholders, {origin}, {host},
 * {port}, {path}, {url}, {scheme}, {subprotocol}, {user_agent}, {address},
 * {expected}, {upstream}, {slashed}, {origin_host}, {bare_path}, {http},
 * {parameter}, {asking},
 * {certified}, {variable}, {user}, {from}, {seconds}, {blocked_at},
 * {suspect}, {exempt}, that
 * why_remedy_fill() puts values into. In the lines of a configuration,
 * "# remove: LINE" takes a line away, "# take out of NAME: WORDS" words,
 * "# into the matcher of NAME: LINE" adds a line to a matcher of Caddy, and
 * "..." stands for what is there now.
 */
#ifndef WHY_REMEDY_H
#define WHY_REMEDY_H

#include "why/cause.h"
#include "why/stack.h"

struct why_remedy {
	enum why_cause cause;
	enum why_stack stack; /* WHY_STACK_NONE: general */
	const char *who;      /* client proxy server network */
	const char *what;     /* a sentence: what to do */
	const char *where;    /* directive or option, or NULL */
	const char *snippet;  /* lines to paste, or NULL */
	/*
	 * A value or a condition (doctor/condition.c) that it is for: where that
	 * is not known of, it does not help.
	 */
	const char *needs;
};

struct why_value {
	const char *name; /* "origin" */
	const char *value;
};

/*
 * The @i-th remedy for @cause on @stack: that stack's own rows first, then those
 * of the stack it is akin to (FastAPI and uvicorn), then the general ones. NULL when there are no more. Static.
 */
const struct why_remedy *why_remedy(enum why_cause cause, enum why_stack stack,
				    size_t i);
/* The stack whose settings are those of @stack as well, or WHY_STACK_NONE. */
enum why_stack why_kin(enum why_stack stack);
/*
 * Fill the placeholders of @text from @values into @out (@size > 0). A
 * placeholder without a value stays as <name>. Returns @out.
 */
char *why_remedy_fill(const char *text, const struct why_value *values,
		      size_t n_values, char *out, size_t size);

#endif
