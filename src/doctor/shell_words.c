/* SPDX-License-Identifier: MIT */
/*
 * Three shells' rules of quoting, as far as "Copy as cURL" uses them. bash is
 * taken at its word. cmd has two readers, cmd itself (carets, line ends) and
 * then the C runtime (quotes, backslashes), so it takes two passes. Every
 * decoded word is no longer than what was written, so one room holds all.
 */
#include "doctor/shell_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/percent.h"
#include "wire/utf8.h"

struct reading {
	struct doctor_shell_words *w;
	struct bytes in;
	size_t at;
	char *out;    /* where the next byte goes */
	bool in_word; /* a word has begun, if only by an empty quote */
};

/* ---- saying where ---- */

__attribute__((format(printf, 3, 4))) static int
complain(struct reading *r, size_t at, const char *format, ...)
{
	size_t line = 1, column = 1, size = sizeof(r->w->complaint);
	char *out = r->w->complaint;
	va_list args;
	int n;

	for (size_t i = 0; i < at && i < r->in.len; i++) {
		column++;
		if (r->in.data[i] == '\n') {
			line++;
			column = 1;
		}
	}
	if (line > 1)
		n = snprintf(out, size, "line %zu, character %zu: ", line,
			     column);
	else
		n = snprintf(out, size, "character %zu: ", column);
	va_start(args, format);
	vsnprintf(out + n, size - (size_t)n, format, args);
	va_end(args);
	return -1;
}

/* What a shell would run, or fill in, is not guessed at. */
static int refuse(struct reading *r, size_t at, const char *what)
{
	return complain(r, at,
			"a shell would %s here; nothing of a copied "
			"command is run, so take it out",
			what);
}

/* ---- reading and writing ---- */

static bool at_end(const struct reading *r)
{
	return r->at >= r->in.len;
}

/* The byte @ahead of here; 0 past the end (a NUL is refused beforehand). */
static uint8_t peek(const struct reading *r, size_t ahead)
{
	return ahead < r->in.len - r->at ? r->in.data[r->at + ahead] : 0;
}

static void put(struct reading *r, uint8_t c)
{
	r->in_word = true;
	*r->out++ = (char)c;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int begin_word(struct reading *r)
{
	if (r->in_word)
		return 0;
	if (r->w->n == DOCTOR_MAX_WORDS)
		return complain(r, r->at, "more than %d words",
				DOCTOR_MAX_WORDS);
	r->w->word[r->w->n++] = r->out;
	r->in_word = true;
	return 0;
}

static void end_word(struct reading *r)
{
	if (r->in_word)
		*r->out++ = 0;
	r->in_word = false;
}

/* The length of the line end at @at, or 0. */
static size_t line_end(const struct reading *r, size_t ahead)
{
	if (peek(r, ahead) == '\r' && peek(r, ahead + 1) == '\n')
		return 2;
	return peek(r, ahead) == '\n';
}

static int only_blanks_follow(struct reading *r, const char *what)
{
	size_t at = r->at;

	while (at < r->in.len && is_blank(r->in.data[at]))
		at++;
	return at == r->in.len ? 0 : refuse(r, at, what);
}

/* ---- bash ---- */

/* Up to @most digits of base 8 or 16; *ret_n: how many there were. */
static uint32_t number(struct reading *r, int base, size_t most, size_t *ret_n)
{
	uint32_t value = 0;
	size_t n = 0;

	while (n < most && !at_end(r)) {
		int digit = ses_hex_digit(peek(r, 0));

		if (digit < 0 || digit >= base)
			break;
		value = value * (uint32_t)base + (uint32_t)digit;
		r->at++;
		n++;
	}
	*ret_n = n;
	return value;
}

static void put_utf8(struct reading *r, uint32_t c)
{
	uint8_t bytes[4];
	size_t n = ses_utf8_write(c, bytes);

	for (size_t i = 0; i < n; i++)
		put(r, bytes[i]);
}

/* Browsers write what UTF-16 has: a pair of surrogates is one character. */
static uint32_t low_surrogate(struct reading *r, uint32_t high)
{
	size_t from = r->at, n;
	uint32_t low;

	if (high < 0xd800 || high > 0xdbff || peek(r, 0) != '\\' ||
	    peek(r, 1) != 'u')
		return high;
	r->at += 2;
	low = number(r, 16, 4, &n);
	if (low >= 0xdc00 && low <= 0xdfff)
		return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	r->at = from;
	return high;
}

static int coded(struct reading *r, size_t from, int base, size_t most)
{
	bool wide = most > 3 || (base == 16 && most == 4);
	size_t n;
	uint32_t c = number(r, base, most, &n);

	if (n == 0 || c > 0x10ffff)
		return complain(r, from, "this escape is no character");
	if (wide)
		c = low_surrogate(r, c);
	else
		c &= 0xff;
	if (c == 0)
		return complain(r, from, "a NUL byte ends every argument");
	if (wide)
		put_utf8(r, c);
	else
		put(r, (uint8_t)c);
	return 0;
}

/* Behind a backslash in $'...'. */
static int ansi_escape(struct reading *r)
{
	static const char names[] = "abefnrtvE\\'\"?";
	static const char values[] = "\a\b\033\f\n\r\t\v\033\\'\"?";
	size_t from = r->at - 1;
	uint8_t c = peek(r, 0);
	const char *named = c ? strchr(names, c) : NULL;

	if (named) {
		r->at++;
		put(r, (uint8_t)values[named - names]);
		return 0;
	}
	if (c >= '0' && c <= '7')
		return coded(r, from, 8, 3);
	if (c == 'x' || c == 'u' || c == 'U') {
		r->at++;
		return coded(r, from, 16, c == 'x' ? 2 : c == 'u' ? 4 : 8);
	}
	put(r, '\\'); /* as bash does with what it does not know */
	return 0;
}

static int ansi_quote(struct reading *r, size_t from)
{
	while (!at_end(r)) {
		uint8_t c = peek(r, 0);

		r->at++;
		if (c == '\'')
			return 0;
		if (c != '\\')
			put(r, c);
		else if (ansi_escape(r) < 0)
			return -1;
	}
	return complain(r, from, "this $' has no end");
}

static int single_quote(struct reading *r, size_t from)
{
	while (!at_end(r)) {
		uint8_t c = peek(r, 0);

		r->at++;
		if (c == '\'')
			return 0;
		put(r, c);
	}
	return complain(r, from, "this ' has no end");
}

static bool begins_name(uint8_t c)
{
	uint8_t small = byte_lower(c);

	return (small >= 'a' && small <= 'z') || c == '_' ||
	       (c >= '0' && c <= '9') || (c && strchr("?#!@*$-", c));
}

/* At a "$": whether bash would put something in its place. */
static int check_dollar(struct reading *r, bool quoted)
{
	uint8_t next = peek(r, 1);

	if (next == '(')
		return refuse(r, r->at, "run a command");
	if (next == '{' || next == '[')
		return refuse(r, r->at, "fill in a value");
	if (begins_name(next))
		return refuse(r, r->at, "fill in a variable");
	return 0;
}

static int double_quote(struct reading *r, size_t from)
{
	while (!at_end(r)) {
		uint8_t c = peek(r, 0);

		if (c == '`')
			return refuse(r, r->at, "run a command");
		if (c == '$' && check_dollar(r, true) < 0)
			return -1;
		r->at++;
		if (c == '"')
			return 0;
		if (c == '\\' && line_end(r, 0)) {
			r->at += line_end(r, 0);
			continue;
		}
		if (c == '\\' && peek(r, 0) && strchr("$`\"\\", peek(r, 0))) {
			c = peek(r, 0);
			r->at++;
		}
		put(r, c);
	}
	return complain(r, from, "this \" has no end");
}

/* Something at @c that means more than itself outside quotes. */
static int bash_operator(struct reading *r, uint8_t c)
{
	switch (c) {
	case '`':
		return refuse(r, r->at, "run a command");
	case '$':
		return check_dollar(r, false);
	case ';':
	case '|':
	case '&':
		return refuse(r, r->at, "begin another command");
	case '<':
	case '>':
		return refuse(r, r->at, "open a file or run a command");
	case '(':
	case ')':
		return refuse(r, r->at, "begin or end another command");
	default:
		return 0;
	}
}

static int bash_quote(struct reading *r, size_t from)
{
	uint8_t c = peek(r, 0);

	if (c == '$') /* $'...' and $"..." */
		c = peek(r, 1);
	r->at += peek(r, 0) == '$' ? 2 : 1;
	if (c == '"')
		return double_quote(r, from);
	return r->in.data[from] == '$' ? ansi_quote(r, from)
				       : single_quote(r, from);
}

static bool begins_quote(const struct reading *r)
{
	uint8_t c = peek(r, 0), next = peek(r, 1);

	return c == '\'' || c == '"' ||
	       (c == '$' && (next == '\'' || next == '"'));
}

/* One step: a quote, an escape, or one byte. */
static int bash_step(struct reading *r)
{
	uint8_t c = peek(r, 0);

	if (c == '\\' && line_end(r, 1)) {
		r->at += 1 + line_end(r, 1);
		return 0;
	}
	if (line_end(r, 0)) {
		end_word(r);
		return only_blanks_follow(r, "begin another command") < 0
			       ? -1
			       : (r->at = r->in.len, 0);
	}
	if (is_blank(c)) {
		end_word(r);
		r->at++;
		return 0;
	}
	if (c == '#' && !r->in_word)
		return refuse(r, r->at, "begin a comment");
	if (begin_word(r) < 0)
		return -1;
	if (begins_quote(r))
		return bash_quote(r, r->at);
	if (bash_operator(r, c) < 0)
		return -1;
	r->at++;
	if (c == '\\') {
		if (at_end(r))
			return 0; /* of the command: the rest was not copied */
		c = peek(r, 0);
		r->at++;
	}
	put(r, c);
	return 0;
}

/* ---- PowerShell ---- */

static int power_quote(struct reading *r, uint8_t quote)
{
	size_t from = r->at++;

	while (!at_end(r)) {
		uint8_t c = peek(r, 0);

		if (quote == '"' && c == '$' &&
		    (peek(r, 1) == '(' || begins_name(peek(r, 1))))
			return refuse(r, r->at, "fill in a value");
		r->at++;
		if (c == quote && peek(r, 0) != quote)
			return 0;
		if (c == quote)
			r->at++; /* doubled */
		if (c == '`' && quote == '"' && !at_end(r)) {
			c = peek(r, 0);
			r->at++;
		}
		put(r, c);
	}
	return complain(r, from, "this %c has no end", quote);
}

static int power_step(struct reading *r)
{
	uint8_t c = peek(r, 0);

	if (c == '`' && line_end(r, 1)) {
		r->at += 1 + line_end(r, 1);
		return 0;
	}
	if (is_blank(c)) {
		end_word(r);
		r->at++;
		return c == '\n' ? only_blanks_follow(r, "begin another "
							 "command")
				 : 0;
	}
	if (begin_word(r) < 0)
		return -1;
	if (c == '\'' || c == '"')
		return power_quote(r, c);
	if (c == '$' || c == '(' || c == ')' || c == '@' || c == '{')
		return refuse(r, r->at, "fill in a value");
	if (c == ';' || c == '|' || c == '&' || c == '<' || c == '>')
		return refuse(r, r->at, "begin another command");
	r->at++;
	if (c == '`' && !at_end(r)) {
		c = peek(r, 0);
		r->at++;
	}
	put(r, c);
	return 0;
}

/* ---- cmd ---- */

/*
 * What cmd passes on: carets are gone, and so are line ends behind them (the
 * character behind such a line end is taken as it is). @out has room for all.
 */
static int cmd_pass(struct reading *r, char *out, size_t *ret_len)
{
	bool quoted = false;
	size_t n = 0;

	for (; !at_end(r); r->at++) {
		uint8_t c = peek(r, 0);

		if (c == '^' && !quoted) {
			r->at += 1 + line_end(r, 1);
			if (at_end(r))
				break;
			c = peek(r, 0);
			if (c == '\r' && line_end(r, 0))
				continue; /* its \n comes next, bare */
			out[n++] = (char)c;
			continue;
		}
		if (c == '"')
			quoted = !quoted;
		if (c == '\n') {
			if (only_blanks_follow(r, "begin another command") < 0)
				return -1;
			break;
		}
		if (!quoted && (c == '&' || c == '|'))
			return refuse(r, r->at, "begin another command");
		if (!quoted && (c == '<' || c == '>'))
			return refuse(r, r->at, "open a file");
		out[n++] = (char)c;
	}
	*ret_len = n;
	return 0;
}

/* Backslashes mean themselves, but for those before a quote. */
static void runtime_backslashes(struct reading *r, bool *quoted)
{
	size_t n = 0;

	while (peek(r, n) == '\\')
		n++;
	r->at += n;
	for (size_t i = 0; i < (peek(r, 0) == '"' ? n / 2 : n); i++)
		put(r, '\\');
	if (peek(r, 0) != '"' || n % 2 == 0)
		return;
	put(r, '"');
	r->at++;
}

static int runtime_step(struct reading *r, bool *quoted)
{
	uint8_t c = peek(r, 0);

	if (is_blank(c) && !*quoted) {
		end_word(r);
		r->at++;
		return 0;
	}
	if (begin_word(r) < 0)
		return -1;
	if (c == '\\') {
		runtime_backslashes(r, quoted);
		return 0;
	}
	r->at++;
	if (c == '"' && *quoted && peek(r, 0) == '"') {
		r->at++;
		put(r, '"');
	} else if (c == '"') {
		*quoted = !*quoted;
	} else {
		put(r, c);
	}
	return 0;
}

static int split_cmd(struct reading *r)
{
	char *flat = malloc(r->in.len + 1);
	bool quoted = false;
	size_t len = 0;
	int status = -1;

	if (!flat)
		return complain(r, 0, "out of memory");
	if (cmd_pass(r, flat, &len) == 0) {
		struct bytes whole = r->in;

		r->in = bytes_of(flat, len);
		r->at = 0;
		status = 0;
		while (status == 0 && !at_end(r))
			status = runtime_step(r, &quoted);
		if (status == 0 && quoted) {
			r->in = whole;
			status = complain(r, whole.len, "a \" has no end");
		}
	}
	free(flat);
	return status;
}

/* ---- which shell ---- */

static bool has(struct bytes text, const char *part)
{
	return text.len > 0 && memmem(text.data, text.len, part, strlen(part));
}

static bool ends_lines_with(struct bytes text, char c)
{
	const char unix_end[] = {c, '\n', 0}, dos_end[] = {c, '\r', '\n', 0};

	return has(text, unix_end) || has(text, dos_end);
}

/*
 * A quotation mark within quotes is written twice for cmd: "k=""v""". For bash
 * the same letters end the quotes and begin them again, which nobody writes,
 * and browsers quote with ' for it.
 */
static bool doubles_quotes(struct bytes text)
{
	if (has(text, " '") || has(text, " $'"))
		return false;
	for (size_t i = 1; i + 2 < text.len; i++)
		if (text.data[i] == '"' && text.data[i + 1] == '"' &&
		    text.data[i - 1] != '\\' && !is_blank(text.data[i - 1]) &&
		    !is_blank(text.data[i + 2]))
			return true;
	return false;
}

static bool is_cmd(struct bytes text)
{
	/* bash quotes with ', and a ^ in there is a letter like any other */
	return has(text, " ^\"") || ends_lines_with(text, '^') ||
	       doubles_quotes(text);
}

static bool is_power(struct bytes text)
{
	return bytes_equal_nocase(bytes_first(text, 9), BYTES("curl.exe ")) ||
	       ends_lines_with(text, '`');
}

static int split(struct reading *r)
{
	bool power = is_power(r->in);
	int status = 0;

	if (is_cmd(r->in))
		return split_cmd(r);
	while (status == 0 && !at_end(r))
		status = power ? power_step(r) : bash_step(r);
	return status;
}

int doctor_shell_words_split(struct doctor_shell_words *ret, struct bytes text)
{
	struct reading r = {.w = ret, .in = text};
	int status;

	ret->n = 0;
	ret->room = NULL;
	ret->complaint[0] = 0;
	if (text.len > DOCTOR_MAX_TEXT)
		return complain(&r, 0, "the command is over 2 MB long");
	if (bytes_find_byte(text, 0) >= 0)
		return complain(&r, (size_t)bytes_find_byte(text, 0),
				"a NUL byte is in the command");
	/* a word is no longer than what was written, but for its own end */
	ret->room = malloc(text.len + DOCTOR_MAX_WORDS + 1);
	if (!ret->room)
		return complain(&r, 0, "out of memory");
	r.out = ret->room;
	status = split(&r);
	end_word(&r);
	ret->word[ret->n] = NULL;
	return status;
}

void doctor_shell_words_fini(struct doctor_shell_words *w)
{
	free(w->room);
	w->room = NULL;
	w->n = 0;
}
