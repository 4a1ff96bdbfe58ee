/* SPDX-License-Identifier: MIT */
/*
 * A small regular expression machine: a pattern becomes a program of jumps, all
 * threads of which walk the subject together, so that no pattern can make it
 * slow. What it does not know (look-arounds, back references) is "perhaps".
 */
#include "lint/match.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

#define MAX_PROGRAM 1500
#define MAX_SUBJECT 4096
#define MAX_GROUPS  24
#define MAX_REPEATS 200

enum op { SET, SPLIT, JUMP, BEGIN, END, EDGE, NO_EDGE };

struct step {
	uint8_t op;
	int16_t x, y; /* how far to go on; SPLIT has two ways */
	uint32_t set[8];
};

struct program {
	struct step *step;
	int n;
	const char *at; /* in the pattern */
	bool nocase, bad;
	int depth;
};

static void set_add(uint32_t *set, int c)
{
	set[(c & 255) >> 5] |= 1u << (c & 31);
}

static bool set_has(const uint32_t *set, int c)
{
	return set[(c & 255) >> 5] >> (c & 31) & 1;
}

/* ---- the program ---- */

/* Make @n steps of room at @where. */
static struct step *open_gap(struct program *p, int where, int n)
{
	if (p->bad || p->n > MAX_PROGRAM - n) {
		p->bad = true;
		return NULL;
	}
	memmove(p->step + where + n, p->step + where,
		(size_t)(p->n - where) * sizeof(*p->step));
	memset(p->step + where, 0, (size_t)n * sizeof(*p->step));
	p->n += n;
	return p->step + where;
}

static void emit(struct program *p, enum op op, int x, int y)
{
	struct step *s = open_gap(p, p->n, 1);

	if (s)
		*s = (struct step){.op = op, .x = (int16_t)x, .y = (int16_t)y};
}

/* ---- sets of characters ---- */

/* \d \w \s and their opposites into @set; false: not such a letter. */
static bool class_of(char letter, uint32_t *set)
{
	int lower = tolower((unsigned char)letter);
	int c;

	if (!strchr("dws", lower) || !letter)
		return false;
	for (c = 1; c < 256; c++) {
		bool in = lower == 'd'	 ? c >= '0' && c <= '9'
			  : lower == 'w' ? (c < 128 && isalnum(c)) || c == '_'
					 : c < 128 && isspace(c);
		if (in != (letter != lower))
			set_add(set, c);
	}
	return true;
}

static int escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default:
		return (unsigned char)c;
	}
}

/* [:alpha:] at p->at; true when it was one. */
static bool posix_class(struct program *p, uint32_t *set)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = {
		{"[:alpha:]", isalpha},	  {"[:digit:]", isdigit},
		{"[:alnum:]", isalnum},	  {"[:space:]", isspace},
		{"[:upper:]", isupper},	  {"[:lower:]", islower},
		{"[:xdigit:]", isxdigit},
	};
	size_t i;
	int c;

	for (i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		size_t len = strlen(classes[i].name);

		if (strncmp(p->at, classes[i].name, len) != 0)
			continue;
		for (c = 1; c < 128; c++)
			if (classes[i].is(c))
				set_add(set, c);
		p->at += len;
		return true;
	}
	return false;
}

static void fold_case(uint32_t *set)
{
	int c;

	for (c = 'a'; c <= 'z'; c++)
		if (set_has(set, c) || set_has(set, c - 32)) {
			set_add(set, c);
			set_add(set, c - 32);
		}
}

static void emit_set(struct program *p, uint32_t *set)
{
	if (p->nocase)
		fold_case(set);
	emit(p, SET, 0, 0);
	if (!p->bad)
		memcpy(p->step[p->n - 1].set, set, 32);
}

/* p->at is behind the '['. */
static void parse_set(struct program *p)
{
	uint32_t set[8] = {0};
	bool negated = *p->at == '^', first = true;
	int i, c, to;

	p->at += negated;
	for (; *p->at && (*p->at != ']' || first); first = false) {
		if (posix_class(p, set))
			continue;
		if (*p->at == '\\' && p->at[1]) {
			p->at++;
			if (class_of(*p->at, set)) {
				p->at++;
				continue;
			}
			c = escaped(*p->at++);
		} else {
			c = (unsigned char)*p->at++;
		}
		to = c;
		if (*p->at == '-' && p->at[1] && p->at[1] != ']') {
			to = (unsigned char)p->at[1];
			p->at += 2;
			if (to == '\\' && *p->at)
				to = escaped(*p->at++);
		}
		for (; c <= to; c++)
			set_add(set, c);
	}
	if (*p->at++ != ']') {
		p->at--;
		p->bad = true;
		return;
	}
	if (p->nocase)
		fold_case(set);
	if (negated)
		for (i = 0; i < 8; i++)
			set[i] = ~set[i];
	emit_set(p, set);
}

/* ---- the pattern ---- */

static void parse_either(struct program *p);

/* p->at is behind the '('. */
static void parse_group(struct program *p)
{
	bool outer = p->nocase;

	if (++p->depth > MAX_GROUPS)
		p->bad = true;
	if (*p->at == '?') {
		if (strncmp(p->at, "?i)", 3) == 0) {
			p->nocase = true;
			p->at += 3;
			p->depth--;
			return;
		}
		if (strncmp(p->at, "?i:", 3) == 0) {
			p->nocase = true;
			p->at += 3;
		} else if (strncmp(p->at, "?:", 2) == 0) {
			p->at += 2;
		} else if ((strncmp(p->at, "?<", 2) == 0 ||
			    strncmp(p->at, "?P<", 3) == 0) &&
			   isalpha((unsigned char)strchr(p->at, '<')[1]) &&
			   strchr(p->at, '>')) {
			p->at = strchr(p->at, '>') + 1;
		} else {
			p->bad = true; /* a look-around */
		}
	}
	if (!p->bad)
		parse_either(p);
	if (*p->at == ')')
		p->at++;
	else
		p->bad = true;
	p->nocase = outer;
	p->depth--;
}

static void parse_escape(struct program *p)
{
	uint32_t set[8] = {0};
	char c = *p->at;

	if (!c || isdigit((unsigned char)c)) {
		p->bad = true; /* a back reference */
		return;
	}
	p->at++;
	if (c == 'b' || c == 'B') {
		emit(p, c == 'b' ? EDGE : NO_EDGE, 0, 0);
	} else if (c == 'A') {
		emit(p, BEGIN, 0, 0);
	} else if (c == 'z' || c == 'Z') {
		emit(p, END, 0, 0);
	} else if (class_of(c, set)) {
		emit_set(p, set);
	} else if (isalpha((unsigned char)c) && !strchr("nrt", c)) {
		p->bad = true;
	} else {
		set_add(set, escaped(c));
		emit_set(p, set);
	}
}

static void parse_atom(struct program *p)
{
	uint32_t set[8] = {0};
	char c = *p->at++;
	int i;

	switch (c) {
	case '(':
		parse_group(p);
		return;
	case '[':
		parse_set(p);
		return;
	case '\\':
		parse_escape(p);
		return;
	case '^':
		emit(p, BEGIN, 0, 0);
		return;
	case '$':
		emit(p, END, 0, 0);
		return;
	case '*':
	case '+':
	case '?':
		p->bad = true;
		return;
	case '.':
		for (i = 1; i < 256; i++)
			if (i != '\n')
				set_add(set, i);
		emit_set(p, set);
		return;
	default:
		set_add(set, (unsigned char)c);
		emit_set(p, set);
	}
}

/* "{2,5}" at p->at; false: just a brace. */
static bool parse_count(struct program *p, int *ret_min, int *ret_max)
{
	int min = 0, max = -1, used = 0;

	if (!isdigit((unsigned char)p->at[1]))
		return false;
	if (sscanf(p->at, "{%4d}%n", &min, &used) == 1 && used)
		max = min;
	else if (sscanf(p->at, "{%4d,%4d}%n", &min, &max, &used) != 2 || !used)
		max = -1;
	if (!used && (sscanf(p->at, "{%4d,}%n", &min, &used) != 1 || !used))
		return false;
	p->at += used;
	*ret_min = min;
	*ret_max = max;
	return true;
}

/* Append a copy of the steps [from, from + n). */
static void repeat(struct program *p, int from, int n)
{
	if (open_gap(p, p->n, n))
		memcpy(p->step + p->n - n, p->step + from,
		       (size_t)n * sizeof(*p->step));
}

/* The steps from @from on may be left out, and with @again come again. */
static void loosen(struct program *p, int from, bool again)
{
	int n = p->n - from;
	struct step *s = open_gap(p, from, 1);

	if (!s)
		return;
	*s = (struct step){.op = SPLIT, .x = 1, .y = (int16_t)(n + 1 + again)};
	if (again)
		emit(p, JUMP, -(n + 1), 0);
}

/* "*", "+", "?" or "{2,5}" at p->at; *ret_max is -1 for no end. */
static bool parse_quantifier(struct program *p, int *ret_min, int *ret_max)
{
	if (*p->at == '{')
		return parse_count(p, ret_min, ret_max);
	if (*p->at != '*' && *p->at != '+' && *p->at != '?')
		return false;
	*ret_min = *p->at == '+';
	*ret_max = *p->at == '?' ? 1 : -1;
	p->at++;
	return true;
}

/* The steps from @from on are to come @min to @max times. */
static void multiply(struct program *p, int from, int min, int max)
{
	int n = p->n - from, copies = max < 0 ? 1 : max - min;

	if (max == 0) {
		p->n = from;
		return;
	}
	for (int i = 1; i < min; i++)
		repeat(p, from, n);
	for (int i = 0; i < copies; i++) {
		int start = p->n;

		if (min == 0 && i == 0)
			start = from;
		else
			repeat(p, from + (min == 0), n);
		loosen(p, start, max < 0);
	}
}

static void parse_repeated(struct program *p)
{
	int from = p->n, min, max, other;

	parse_atom(p);
	if (p->bad || !parse_quantifier(p, &min, &max))
		return;
	/* Lazy or possessive: the same strings are found. */
	if (*p->at == '?' || *p->at == '+')
		p->at++;
	if (min > MAX_REPEATS || max > MAX_REPEATS ||
	    parse_quantifier(p, &other, &other))
		p->bad = true; /* too many, or of what is repeated already */
	else
		multiply(p, from, min, max);
}

static void parse_sequence(struct program *p)
{
	while (*p->at && *p->at != '|' && *p->at != ')' && !p->bad)
		parse_repeated(p);
}

static void parse_either(struct program *p)
{
	int from = p->n;

	parse_sequence(p);
	while (*p->at == '|' && !p->bad) {
		int n = p->n - from, jump;
		struct step *s = open_gap(p, from, 1);

		if (s)
			*s = (struct step){
				.op = SPLIT, .x = 1, .y = (int16_t)(n + 2)};
		jump = p->n;
		emit(p, JUMP, 0, 0);
		p->at++;
		/* The rest is one alternative whose first part may be more. */
		parse_either(p);
		if (!p->bad)
			p->step[jump].x = (int16_t)(p->n - jump);
	}
}

/* ---- the run ---- */

/* Where in the subject. */
struct spot {
	const char *s;
	size_t len, at;
};

/* The steps that a character may be taken by, or the end of the program. */
struct threads {
	int *list;
	int n;
	uint8_t *seen;
};

static bool is_word(const struct spot *x, size_t at)
{
	return at < x->len &&
	       (isalnum((unsigned char)x->s[at]) || x->s[at] == '_');
}

/* Whether a step that takes no character lets pass here. */
static bool lets_pass(enum op op, const struct spot *x)
{
	bool edge = is_word(x, x->at) != (x->at > 0 && is_word(x, x->at - 1));

	switch (op) {
	case BEGIN:
		return x->at == 0;
	case END:
		return x->at == x->len;
	default:
		return edge == (op == EDGE);
	}
}

/* Add the step @pc and all that it leads to without a character. */
static void add_thread(const struct program *p, struct threads *t, int *stack,
		       int pc, const struct spot *x)
{
	int top = 0;

	stack[top++] = pc;
	while (top > 0) {
		const struct step *step;

		pc = stack[--top];
		if (pc < 0 || pc > p->n || t->seen[pc])
			continue;
		t->seen[pc] = 1;
		step = &p->step[pc];
		if (pc == p->n || step->op == SET) {
			t->list[t->n++] = pc;
		} else if (step->op == JUMP) {
			stack[top++] = pc + step->x;
		} else if (step->op == SPLIT) {
			stack[top++] = pc + step->y;
			stack[top++] = pc + step->x;
		} else if (lets_pass(step->op, x)) {
			stack[top++] = pc + 1;
		}
	}
}

static bool is_found(const struct program *p, const struct threads *t)
{
	for (int i = 0; i < t->n; i++)
		if (t->list[i] == p->n)
			return true;
	return false;
}

/* @memory is for two sets of threads and a stack, @seen for both sets. */
static bool walk(const struct program *p, struct spot x, int *memory,
		 uint8_t *seen)
{
	size_t room = (size_t)p->n + 1;
	struct threads now = {memory, 0, seen};
	struct threads next = {memory + room, 0, seen + room};
	int *stack = memory + 2 * room; /* each step is pushed at most twice */

	memset(seen, 0, 2 * room);
	for (;;) {
		struct threads swap;
		uint8_t c;

		add_thread(p, &now, stack, 0, &x);
		if (is_found(p, &now))
			return true;
		if (x.at == x.len)
			return false;
		c = (uint8_t)x.s[x.at++];
		for (int i = 0; i < now.n; i++)
			if (set_has(p->step[now.list[i]].set, c))
				add_thread(p, &next, stack, now.list[i] + 1, &x);
		swap = now;
		now = next;
		next = swap;
		next.n = 0;
		memset(next.seen, 0, room);
	}
}

static enum lint_truth search(const struct program *p, const char *subject)
{
	size_t room = (size_t)p->n + 1;
	struct spot start = {.s = subject, .len = strlen(subject)};
	int *memory = calloc(2 * room + 2 * room + 2, sizeof(int));
	uint8_t *seen = malloc(2 * room);
	enum lint_truth truth = LINT_PERHAPS;

	if (memory && seen && start.len <= MAX_SUBJECT)
		truth = lint_truth(walk(p, start, memory, seen));
	free(memory);
	free(seen);
	return truth;
}

enum lint_truth lint_regex(const char *pattern, bool nocase, const char *subject)
{
	struct program p = {.at = pattern, .nocase = nocase};
	enum lint_truth truth = LINT_PERHAPS;

	if (strlen(pattern) > MAX_PROGRAM || strchr(subject, '\n'))
		return LINT_PERHAPS;
	p.step = calloc(MAX_PROGRAM, sizeof(*p.step));
	if (!p.step)
		return LINT_PERHAPS;
	parse_either(&p);
	if (!p.bad && !*p.at)
		truth = search(&p, subject);
	free(p.step);
	return truth;
}
