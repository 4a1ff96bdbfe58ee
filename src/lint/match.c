/* SPDX-License-Identifier: MIT */
/*
 * Conditions with an unknown third answer, and a small regular expression
 * machine: a pattern becomes a program of jumps, all threads of which walk the
 * subject together, so that no pattern can make it slow.
 */
#include "lint/match.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

enum lint_truth lint_not(enum lint_truth a)
{
	return a == LINT_PERHAPS ? a : lint_truth(a == LINT_NO);
}

enum lint_truth lint_and(enum lint_truth a, enum lint_truth b)
{
	if (a == LINT_NO || b == LINT_NO)
		return LINT_NO;
	return a == LINT_YES ? b : a;
}

enum lint_truth lint_or(enum lint_truth a, enum lint_truth b)
{
	return lint_not(lint_and(lint_not(a), lint_not(b)));
}

/* ---- regular expressions ---- */

#define MAX_PROGRAM 1500
#define MAX_SUBJECT 4096
#define MAX_GROUPS  24

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

static void parse_repeated(struct program *p)
{
	int from = p->n, n, min, max, i;

	parse_atom(p);
	n = p->n - from;
	while (!p->bad && *p->at && strchr("*+?{", *p->at)) {
		if (*p->at == '{') {
			if (!parse_count(p, &min, &max)) {
				uint32_t set[8] = {0};

				set_add(set, '{');
				p->at++;
				emit_set(p, set);
				return;
			}
		} else {
			min = *p->at == '+';
			max = *p->at == '?' ? 1 : -1;
			p->at++;
		}
		/* Lazy or possessive: the same strings are found. */
		if (*p->at == '?' || *p->at == '+')
			p->at++;
		if (min > 200 || max > 200) {
			p->bad = true;
			return;
		}
		for (i = 1; i < min; i++)
			repeat(p, from, n);
		if (max < 0 || max > min) {
			int copies = max < 0 ? 1 : max - min;

			for (i = 0; i < copies; i++) {
				int start = p->n;

				if (min == 0 && i == 0)
					start = from;
				else
					repeat(p, from + (min == 0), n);
				loosen(p, start, max < 0);
			}
		} else if (max == 0) {
			p->n = from;
		}
		from = p->n;
		n = 0;
		break;
	}
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

static bool is_word(const char *s, size_t len, size_t at)
{
	return at < len && (isalnum((unsigned char)s[at]) || s[at] == '_');
}

struct threads {
	int *list;
	int n;
	uint8_t *seen;
};

/* Add the step @pc and all that it leads to without a character. */
static void add_thread(const struct program *p, struct threads *t, int *stack,
		       int pc, const char *s, size_t len, size_t at)
{
	int top = 0;

	stack[top++] = pc;
	while (top > 0) {
		const struct step *step;
		bool edge;

		pc = stack[--top];
		if (pc < 0 || pc > p->n || t->seen[pc])
			continue;
		t->seen[pc] = 1;
		if (pc == p->n) {
			t->list[t->n++] = pc;
			continue;
		}
		step = &p->step[pc];
		edge = is_word(s, len, at) !=
		       (at > 0 && is_word(s, len, at - 1));
		switch (step->op) {
		case SPLIT:
			stack[top++] = pc + step->y;
			stack[top++] = pc + step->x;
			break;
		case JUMP:
			stack[top++] = pc + step->x;
			break;
		case BEGIN:
			if (at == 0)
				stack[top++] = pc + 1;
			break;
		case END:
			if (at == len)
				stack[top++] = pc + 1;
			break;
		case EDGE:
		case NO_EDGE:
			if (edge == (step->op == EDGE))
				stack[top++] = pc + 1;
			break;
		default:
			t->list[t->n++] = pc;
		}
	}
}

/* Memory for one run: two sets of threads and a stack. */
static bool walk(const struct program *p, const char *s, size_t len,
		 int *memory, uint8_t *seen)
{
	size_t room = (size_t)p->n + 1, at;
	struct threads now = {memory, 0, seen};
	struct threads next = {memory + room, 0, seen + room};
	int *stack = memory + 2 * room; /* each step is pushed at most twice */

	memset(seen, 0, 2 * room);
	for (at = 0;; at++) {
		struct threads swap;
		int i;

		add_thread(p, &now, stack, 0, s, len, at);
		for (i = 0; i < now.n; i++)
			if (now.list[i] == p->n)
				return true;
		if (at == len)
			return false;
		for (i = 0; i < now.n; i++)
			if (set_has(p->step[now.list[i]].set,
				    (unsigned char)s[at]))
				add_thread(p, &next, stack, now.list[i] + 1, s,
					   len, at + 1);
		swap = now;
		now = next;
		next = swap;
		next.n = 0;
		memset(next.seen, 0, room);
	}
}

static enum lint_truth search(const struct program *p, const char *subject)
{
	size_t room = (size_t)p->n + 1, len = strlen(subject);
	int *memory = calloc(2 * room + 2 * room + 2, sizeof(int));
	uint8_t *seen = malloc(2 * room);
	enum lint_truth truth = LINT_PERHAPS;

	if (memory && seen && len <= MAX_SUBJECT)
		truth = lint_truth(walk(p, subject, len, memory, seen));
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

bool lint_glob(const char *pattern, const char *subject, bool nocase,
	       bool question)
{
	const char *star = NULL, *retry = NULL;

	while (*subject) {
		bool same = nocase ? byte_lower((uint8_t)*pattern) ==
					     byte_lower((uint8_t)*subject)
				   : *pattern == *subject;

		if (*pattern == '*') {
			star = ++pattern;
			retry = subject;
		} else if (*pattern && (same || (question && *pattern == '?'))) {
			pattern++;
			subject++;
		} else if (star) {
			pattern = star;
			subject = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* ---- the request ---- */

bool lint_request_field(const struct lint_request *request, const char *name,
			const char **ret)
{
	static const struct {
		const char *name, *value;
	} fixed[] = {
		{"Upgrade", "websocket"},
		{"Connection", "Upgrade"},
		{"Sec-WebSocket-Version", "13"},
	};
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (lint_same(name, fixed[i].name)) {
			*ret = fixed[i].value;
			return true;
		}
	/* One without a host is made up: nothing but its path is known. */
	if (!request || !request->host)
		return false;
	if (lint_same(name, "Origin"))
		*ret = request->origin;
	else if (lint_same(name, "User-Agent"))
		*ret = request->user_agent;
	else if (lint_same(name, "Host"))
		*ret = request->host;
	else
		return false;
	return true;
}

/* ---- words and durations ---- */

static int64_t unit_of(const char *at, size_t len)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{"ns", 0},	{"us", 0},	 {"ms", 1},	{"s", 1000},
		{"sec", 1000},	{"m", 60000},	 {"mi", 60000}, {"min", 60000},
		{"h", 3600000}, {"d", 86400000},
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == len &&
		    strncmp(units[i].name, at, len) == 0)
			return units[i].ms;
	return -1;
}

int64_t lint_duration_ms(const char *text, int64_t unit_ms)
{
	double total = 0;

	if (!isdigit((unsigned char)*text))
		return -1;
	while (*text) {
		char *end;
		double value = strtod(text, &end);
		int64_t unit = unit_ms;
		size_t len = 0;

		if (end == text || value < 0 || value > 1e12)
			return -1;
		while (isalpha((unsigned char)end[len]))
			len++;
		if (len)
			unit = unit_of(end, len);
		if (unit < 0)
			return -1;
		total += value * (double)unit;
		text = end + len;
	}
	return total > 1e15 ? (int64_t)1e15 : (int64_t)total;
}

const char *lint_duration_text(int64_t ms, char *out, size_t size)
{
	if (ms % 1000)
		snprintf(out, size, "%lld ms", (long long)ms);
	else
		snprintf(out, size, "%lld s", (long long)(ms / 1000));
	return out;
}

bool lint_same(const char *a, const char *b)
{
	return bytes_equal_nocase(bytes_of_str(a), bytes_of_str(b));
}

bool lint_holds(const char *hay, const char *needle)
{
	return bytes_contains_nocase(bytes_of_str(hay), bytes_of_str(needle));
}

bool lint_begins(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strlen(text) >= len &&
	       bytes_equal_nocase(bytes_of(text, len), bytes_of(prefix, len));
}

bool lint_smells(const char *text)
{
	static const char *const parts[] = {"websocket", "socket.io", "sockjs",
					    "engine.io", "actioncable"};
	static const char *const words[] = {
		"ws", "wss", "socket", "sockets", "cable", "live", "wstunnel"};
	size_t i, start = 0, at;

	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (lint_holds(text, parts[i]))
			return true;
	for (at = 0;; at++) {
		if (isalnum((unsigned char)text[at]))
			continue;
		for (i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (bytes_equal_nocase(bytes_of(text + start, at - start),
					       bytes_of_str(words[i])))
				return true;
		if (!text[at])
			return false;
		start = at + 1;
	}
}

/* ---- lines ---- */

bool lint_told(const struct lint_run *run, enum lint_rule rule,
	       const struct lint_node *node)
{
	const struct lint_report *report = run->report;
	size_t i;

	for (i = 0; i < report->n_findings; i++)
		if (report->finding[i].rule == rule &&
		    report->finding[i].line == node->line &&
		    strcmp(report->finding[i].file, node->file) == 0)
			return true;
	return false;
}

const char *lint_indent(struct lint_run *run, const char *file, unsigned line,
			char *out, size_t size)
{
	struct bytes text = lint_line(run, file, line);
	size_t i;

	for (i = 0; i < text.len && i + 1 < size &&
		    (text.data[i] == ' ' || text.data[i] == '\t');
	     i++)
		out[i] = (char)text.data[i];
	out[i] = '\0';
	return out;
}

bool lint_swap(struct lint_run *run, const struct lint_node *node,
	       const char *from, const char *to, char *out, size_t size)
{
	struct bytes line = lint_line(run, node->file, node->line);
	size_t len = strlen(from), i;

	while (line.len && isspace(line.data[line.len - 1]))
		line.len--;
	for (i = node->column ? node->column - 1 : 0;
	     line.len >= len && i <= line.len - len; i++) {
		if (memcmp(line.data + i, from, len) != 0)
			continue;
		return (size_t)snprintf(out, size, "%.*s%s%.*s", (int)i,
					(const char *)line.data, to,
					(int)(line.len - len - i),
					(const char *)line.data + i + len) <
		       size;
	}
	return false;
}
