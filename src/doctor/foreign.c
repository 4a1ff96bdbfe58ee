/* SPDX-License-Identifier: MIT */
/*
 * Secrets that nobody told us of: a server's own, or another user's, in what it
 * answers. They are known by what stands before them, and by their looks.
 */
#include "doctor/secrets.h"

#include "doctor/redact.h"

#define LONG_VALUE 16 /* a value of so many letters is no word */

/* Words that stand where a secret might, and are the diagnosis. */
static bool is_plain_word(struct bytes value)
{
	static const char *const words[] = {
		"missing", "invalid",	"expired",   "required", "null",
		"none",	   "true",	"false",     "unknown",	 "undefined",
		"denied",  "forbidden", "malformed", "revoked",	 "string",
		"bearer",  "basic",	"digest",    "negotiate"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(value, bytes_of_str(words[i])))
			return true;
	return false;
}

/* Names that mean a secret in a query and something else in a sentence. */
static bool is_weak_name(struct bytes name)
{
	static const char *const weak[] = {"code", "key", "pin",  "mac",
					   "auth", "sid", "pass", "otp"};

	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(weak[i])))
			return true;
	return false;
}

static bool has_digit(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= '0' && text.data[i] <= '9')
			return true;
	return false;
}

static bool is_secret_value(struct bytes name, struct bytes value, bool quoted)
{
	if (value.len < DOCTOR_LEAST_SECRET || is_plain_word(value) ||
	    bytes_find_byte(value, ' ') >= 0)
		return false;
	if (is_weak_name(name))
		return doctor_looks_random(value);
	return quoted || has_digit(value) || value.len >= LONG_VALUE;
}

static size_t skip(struct bytes text, size_t at, const char *set)
{
	while (at < text.len && text.data[at] && strchr(set, text.data[at]))
		at++;
	return at;
}

/* Past one word of @words at @at, or @at. */
static size_t skip_word(struct bytes text, size_t at, const char *const *words)
{
	for (; *words; words++) {
		struct bytes word = bytes_of_str(*words);

		if (bytes_equal_nocase(
			    bytes_first(bytes_from(text, at), word.len), word))
			return at + word.len;
	}
	return at;
}

/* Where the value begins that a name before @at has; 0: it has none. */
static size_t value_start(struct bytes text, size_t at)
{
	static const char *const attributes[] = {"value=", "content=", NULL};
	static const char *const schemes[] = {"Bearer ", "Basic ", "Token ",
					      "Negotiate ", NULL};
	size_t from = skip(text, at, "\\\"' \t"), after;

	after = skip_word(text, from, attributes);
	if (after == from)
		after = skip(text, from, ":=");
	if (after == from)
		return 0;
	after = skip(text, after, "\\\"' \t");
	return skip_word(text, after, schemes);
}

static size_t pair_at(struct bytes text, size_t at, size_t *ret_from)
{
	size_t n = at, from, end;
	struct bytes name, value;

	while (n < text.len && n - at < 64 &&
	       (doctor_is_word_byte(text.data[n]) || text.data[n] == '-'))
		n++;
	name = bytes_of(text.data + at, n - at);
	if (name.len < 2 || !doctor_is_secret_name(name))
		return 0;
	from = value_start(text, n);
	if (from == 0 || from >= text.len)
		return 0;
	for (end = from; end < text.len &&
			 !strchr(" \t\r\n\"'\\,;&<>(){}[]", text.data[end]);)
		end++;
	value = bytes_of(text.data + from, end - from);
	*ret_from = from;
	return is_secret_value(name, value,
			       strchr("\"'", text.data[from - 1]) != NULL)
		       ? value.len
		       : 0;
}

/* The password in "//name:password@host". */
static size_t password_at(struct bytes text, size_t at, size_t *ret_from)
{
	size_t colon = 0, n = at + 2;

	if (!bytes_starts(bytes_from(text, at), BYTES("//")))
		return 0;
	for (; n < text.len && n - at < 300; n++) {
		if (text.data[n] == '@')
			break;
		if (strchr("/?# \t\r\n\"'<>", text.data[n]))
			return 0;
		if (text.data[n] == ':' && colon == 0)
			colon = n + 1;
	}
	*ret_from = colon;
	return colon > 0 && n < text.len && text.data[n] == '@' ? n - colon : 0;
}

size_t doctor_foreign_secret_at(struct bytes text, size_t at, size_t *ret_from)
{
	if (text.data[at] == '/')
		return password_at(text, at, ret_from);
	if (!doctor_is_word_byte(text.data[at]) ||
	    (at > 0 && (doctor_is_word_byte(text.data[at - 1]) ||
			text.data[at - 1] == '-')))
		return 0;
	return pair_at(text, at, ret_from);
}
