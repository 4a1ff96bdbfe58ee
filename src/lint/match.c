/* SPDX-License-Identifier: MIT */
/*
 * Conditions with an unknown third answer, what a handshake is known to hold,
 * and the words, durations and lines of configurations. Regular expressions are
 * in regex.c.
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

/* ---- patterns ---- */

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
	static const char *const parts[] = {
		"websocket",   "socket.io",  "sockjs",	"engine.io",
		"actioncable", "websockify", "signalr", "api/kernels"};
	static const char *const words[] = {"ws",	"wss",	 "socket",
					    "sockets",	"cable", "live",
					    "wstunnel", "comms"};
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
		    report->finding[i].column == node->column &&
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

/* The line of @node without blanks at its end. */
static struct bytes whole_line(struct lint_run *run,
			       const struct lint_node *node)
{
	struct bytes line = lint_line(run, node->file, node->line);

	while (line.len && isspace(line.data[line.len - 1]))
		line.len--;
	return line;
}

static bool is_word(uint8_t c)
{
	return isalnum(c) || c == '_';
}

/* Whether @word stands at @at of @line as a word: an acl called n is not the n
 * of "deny". */
static bool stands_at(struct bytes line, size_t at, struct bytes word)
{
	size_t end = at + word.len;

	if (memcmp(line.data + at, word.data, word.len) != 0)
		return false;
	if (at && is_word(word.data[0]) && is_word(line.data[at - 1]))
		return false;
	return end == line.len || !is_word(word.data[word.len - 1]) ||
	       !is_word(line.data[end]);
}

bool lint_swap(struct lint_run *run, struct lint_finding *f,
	       const struct lint_node *node, const char *from, const char *to,
	       bool paste)
{
	struct bytes line = whole_line(run, node), head, tail;
	size_t len = strlen(from), i = node->column ? node->column - 1 : 0;

	if (!len)
		return false;
	for (; line.len >= len && i <= line.len - len; i++)
		if (stands_at(line, i, bytes_of(from, len)))
			break;
	if (line.len < len || i > line.len - len)
		return false;
	head = bytes_first(line, i);
	tail = bytes_from(line, i + len);
	while (head.len && isspace(head.data[0]))
		head = bytes_from(head, 1);
	if (paste)
		lint_fix(f, "%.*s%s%.*s", BYTES_ARG(head), to, BYTES_ARG(tail));
	lint_change(run, f, node->file, node->line, (unsigned)i, (unsigned)len,
		    to);
	return true;
}

void lint_append(struct lint_run *run, struct lint_finding *f,
		 const struct lint_node *node, const char *more)
{
	if (node->last_line == node->line)
		lint_change(run, f, node->file, node->line,
			    (unsigned)whole_line(run, node).len, 0, more);
}
