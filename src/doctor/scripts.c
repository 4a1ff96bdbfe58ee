/* SPDX-License-Identifier: MIT */
/*
 * Where a script says that its WebSocket is: clients that a development server
 * writes have port, path and token in assignments (hmrPort = 24678, base =
 * "/shop/", ?protocol=ws%3A&port=8081&pathname=%2Fws), and the call that opens
 * the WebSocket names the variables alone. Pure, and foreign text.
 */
#include "doctor/harvest_inner.h"

#include <stdio.h>

#include "base/percent.h"

#define LONGEST	   120
#define MOST_CALLS 8 /* of one script: a hostile one is to cost no time */

struct assignment {
	struct bytes name, value;
	bool quoted;
};

static bool is_letter(uint8_t b)
{
	return (byte_lower(b) >= 'a' && byte_lower(b) <= 'z') || b == '_' ||
	       b == '$';
}

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

static size_t skip_blanks(struct bytes text, size_t at)
{
	while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
		at++;
	return at;
}

/* What is written at @at: a string, or a plain word. */
static bool read_value(struct bytes text, size_t at, struct assignment *ret)
{
	size_t n = 0;
	uint8_t quote = 0;

	if (at < text.len && doctor_is_quote(text.data[at]))
		quote = text.data[at++];
	while (at + n < text.len && n < LONGEST &&
	       (quote ? text.data[at + n] != quote
		      : is_letter(text.data[at + n]) ||
				is_digit(text.data[at + n]) ||
				strchr("%/.-", text.data[at + n])))
		n++;
	ret->value = bytes_of(text.data + at, n);
	ret->quoted = quote;
	return n > 0 && n < LONGEST && at + n < text.len;
}

/* The next NAME = VALUE, "NAME": VALUE or NAME=VALUE& of @text. */
static bool next_assignment(struct bytes text, size_t *at,
			    struct assignment *ret)
{
	while (*at < text.len) {
		size_t from = *at, to;

		if (!is_letter(text.data[from])) {
			(*at)++;
			continue;
		}
		for (to = from; to < text.len && (is_letter(text.data[to]) ||
						  is_digit(text.data[to]));)
			to++;
		*at = to;
		ret->name = bytes_of(text.data + from, to - from);
		if (to < text.len && doctor_is_quote(text.data[to]))
			to++;
		to = skip_blanks(text, to);
		if (to >= text.len ||
		    (text.data[to] != '=' && text.data[to] != ':'))
			continue;
		if (read_value(text, skip_blanks(text, to + 1), ret))
			return true;
	}
	return false;
}

/* "base$1" is "base", as bundlers write it. */
static struct bytes plain_name(struct bytes name)
{
	for (size_t i = 1; i < name.len; i++)
		if (name.data[i] == '$')
			name.len = i;
	return name;
}

/* Whether @name is @word or ends in it as a word of its own: hmrPort, WS_PORT;
 * transport is another word. */
static bool is_called(struct bytes name, const char *word)
{
	struct bytes end = bytes_of_str(word), tail;

	name = plain_name(name);
	if (name.len < end.len)
		return false;
	tail = bytes_from(name, name.len - end.len);
	if (!bytes_equal_nocase(tail, end))
		return false;
	return name.len == end.len || name.data[name.len - end.len - 1] == '_' ||
	       tail.data[0] < 'a'; /* a capital */
}

static bool has_word_of_socket(struct bytes name)
{
	return bytes_contains_nocase(name, BYTES("socket")) ||
	       bytes_contains_nocase(name, BYTES("hmr")) ||
	       bytes_starts(name, BYTES("ws")) ||
	       bytes_starts(name, BYTES("WS"));
}

/* "localhost:24678/base/": the digits behind the colon, and what follows. */
static bool is_address(const struct assignment *a, struct bytes *ret_port,
		       struct bytes *ret_path)
{
	ptrdiff_t colon = bytes_find_byte(a->value, ':');
	struct bytes rest;
	size_t n = 0;

	if (!a->quoted || colon < 1 || !has_word_of_socket(a->name))
		return false;
	rest = bytes_from(a->value, (size_t)colon + 1);
	while (n < rest.len && is_digit(rest.data[n]))
		n++;
	*ret_port = bytes_first(rest, n);
	*ret_path = bytes_from(rest, n);
	return n > 1;
}

void doctor_add_script_ports(const struct doctor_case *c, struct bytes text,
			     struct doctor_values *v)
{
	struct assignment a;
	struct bytes digits, path;
	uint64_t port;
	size_t at = 0;

	if (!doctor_opens_sockets(text))
		return;
	while (next_assignment(text, &at, &a)) {
		digits = is_called(a.name, "port") ? a.value : bytes_of(NULL, 0);
		is_address(&a, &digits, &path);
		if (digits.len > 1 && bytes_to_u64(digits, 65535, &port) &&
		    port != c->url.port && port != 80 && port != 443)
			doctor_add_value(v, "%u", (unsigned)port);
	}
}

/* "%2Fws" is "/ws". */
static void add_decoded(struct bytes path, struct doctor_values *v)
{
	char text[LONGEST + 1];
	size_t n = 0;

	while (path.len > 0)
		text[n++] = (char)ses_percent_next(&path);
	doctor_add_path(bytes_of(text, n), v);
}

void doctor_add_script_paths(struct bytes text, struct doctor_values *v)
{
	struct assignment a;
	struct bytes digits, path;
	size_t at = 0;

	if (!doctor_opens_sockets(text))
		return;
	while (next_assignment(text, &at, &a)) {
		if (is_address(&a, &digits, &path))
			doctor_add_path(path, v);
		else if ((is_called(a.name, "base") && a.quoted) ||
			 is_called(a.name, "pathname") ||
			 (is_called(a.name, "path") &&
			  has_word_of_socket(a.name)))
			add_decoded(a.value, v);
	}
}

/* Whether @name stands in the arguments of a call of Socket.IO's client. */
static bool is_of_engine(struct bytes text, struct bytes name)
{
	static const char *const calls[] = {"io(", "io.connect(", "Manager("};
	size_t at = (size_t)(name.data - text.data),
	       from = at < 120 ? 0 : at - 120;
	struct bytes before = bytes_of(text.data + from, at - from);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (bytes_contains_nocase(before, bytes_of_str(calls[i])))
			return true;
	return false;
}

void doctor_add_engine_paths(struct bytes text, struct doctor_values *v)
{
	struct assignment a;
	char path[LONGEST + 40];
	size_t at = 0;

	if (!bytes_contains_nocase(text, BYTES("io(")) &&
	    !bytes_contains_nocase(text, BYTES("io.connect(")))
		return;
	while (next_assignment(text, &at, &a)) {
		struct bytes to = a.value;

		if (!a.quoted || !bytes_equal(a.name, BYTES("path")) ||
		    !is_of_engine(text, a.name))
			continue;
		while (to.len > 0 && to.data[to.len - 1] == '/')
			to.len--;
		snprintf(path, sizeof(path), "%.*s/?EIO=4&transport=websocket",
			 BYTES_ARG(to));
		doctor_add_path(bytes_of_str(path), v);
	}
}

/* The value that @name has somewhere in @text. */
static struct bytes value_of(struct bytes text, struct bytes name)
{
	struct assignment a;
	size_t at = 0;

	while (next_assignment(text, &at, &a))
		if (a.quoted && bytes_equal(a.name, name))
			return a.value;
	return bytes_of(NULL, 0);
}

/* `...?token=${wsToken}`, "...?token=" + wsToken: with what wsToken is. */
void doctor_add_script_parameters(struct bytes text, struct doctor_values *v)
{
	struct bytes rest, name, value;
	size_t at = 0;

	for (int i = 0; i < MOST_CALLS; i++) {
		ptrdiff_t mark;
		size_t n = 0;

		rest = bytes_first(doctor_next_call(text, &at), NEAR);
		mark = bytes_find_byte(rest, '?');
		if (mark < 0)
			continue;
		rest = bytes_from(rest, (size_t)mark + 1);
		while (n < rest.len && is_letter(rest.data[n]))
			n++;
		name = bytes_first(rest, n);
		if (n == 0 || n >= rest.len || rest.data[n] != '=')
			continue;
		while (n < rest.len && !is_letter(rest.data[n]))
			n++;
		if (n + 1 < rest.len && rest.data[n] == '$' &&
		    rest.data[n + 1] == '{')
			n += 2;
		rest = bytes_from(rest, n);
		for (n = 0; n < rest.len && (is_letter(rest.data[n]) ||
					     is_digit(rest.data[n]));)
			n++;
		value = value_of(text, bytes_first(rest, n));
		if (value.len > 0 && ses_is_token(value))
			doctor_add_value(v, "%.*s=%.*s", BYTES_ARG(name),
					 BYTES_ARG(value));
	}
}
