/* SPDX-License-Identifier: MIT */
/*
 * Names and sentences that a refusal holds for whoever reads it: which parameter
 * is missing, and what is wrong with the token. They go into the remedies, and
 * are looked for where software puts them, not anywhere in a page.
 */
#include "doctor/said.h"

#include "net/addr.h"

#define MOST_READ 1000 /* of a body: a longer one is a page */
#define MOST_NAME 32

static bool is_name_byte(uint8_t b)
{
	b = byte_lower(b);
	return (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '_' ||
	       b == '-';
}

struct bytes doctor_after(struct bytes text, const char *phrase)
{
	struct bytes p = bytes_of_str(phrase);

	for (size_t i = 0; i + p.len <= text.len; i++)
		if (bytes_equal_nocase(bytes_of(text.data + i, p.len), p))
			return bytes_from(text, i + p.len);
	return bytes_of(NULL, 0);
}

/* Up to the quotation mark that ends it. */
static struct bytes quoted(struct bytes text)
{
	ptrdiff_t end = bytes_find_byte(text, '"');

	return bytes_first(text, end < 0 ? 0 : (size_t)end);
}

bool doctor_said_of_credential(const struct doctor_probe *p, struct bytes *ret)
{
	struct bytes body =
		bytes_first(bytes_of(p->body, p->body_len), MOST_READ);

	if (!p->status)
		return false;
	*ret = quoted(doctor_after(ses_head_get(&p->parsed, "WWW-Authenticate"),
				   "error_description=\""));
	if (ret->len == 0)
		*ret = quoted(doctor_after(body, "\"error_description\":\""));
	if (ret->len == 0)
		*ret = quoted(doctor_after(body, "\"error_description\": \""));
	return ret->len > 0;
}

/* Words that stand where a name might, and are none. */
static bool is_word(struct bytes name)
{
	static const char *const words[] = {
		"is",	   "are",      "was",	     "not",	 "must",
		"missing", "required", "in",	     "of",	 "for",
		"the",	   "a",	       "an",	     "and",	 "or",
		"invalid", "has",      "named",	     "called",	 "name",
		"with",	   "wrong",    "value",	     "were",	 "to",
		"found",   "error",    "validation", "string",	 "from",
		"be",	   "needed",   "absent",     "expected", "empty",
		"should",  "cannot"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(words[i])))
			return true;
	return false;
}

/* The name at the beginning of @text, behind blanks and quotation marks. */
static struct bytes name_at(struct bytes text)
{
	size_t n = 0;

	while (text.len > 0 && strchr(" :'\"`\\", text.data[0]))
		text = bytes_from(text, 1);
	while (n < text.len && is_name_byte(text.data[n]))
		n++;
	return n > MOST_NAME || is_word(bytes_first(text, n))
		       ? bytes_of(NULL, 0)
		       : bytes_first(text, n);
}

bool doctor_said_parameter(const struct doctor_probe *p, struct bytes *ret)
{
	static const char *const before[] = {
		"\"query\",\"",	     "\"query\", \"",	 "parameter named ",
		"parameter called ", "parameter:",	 "parameter '",
		"parameter \"",	     "parameter \\\"",	 "parameter `",
		"parameter ",	     "query argument: ", "query argument "};
	struct bytes body =
		bytes_first(bytes_of(p->body, p->body_len), MOST_READ);
	struct bytes told = bytes_of_str(p->close_reason);

	if (p->body_len > MOST_READ)
		return false;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		*ret = name_at(doctor_after(body, before[i]));
		if (ret->len == 0)
			*ret = name_at(doctor_after(told, before[i]));
		if (ret->len > 0)
			return true;
	}
	return false;
}

/* ---- the client's address ---- */

static bool is_address_byte(uint8_t b)
{
	b = byte_lower(b);
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') || b == '.' ||
	       b == ':';
}

/* The length of the address that @text begins with, or 0. */
static size_t address_len(struct bytes text)
{
	struct ses_addr addr;
	size_t n = 0;

	while (n < text.len && is_address_byte(text.data[n]))
		n++;
	if (n < text.len && is_name_byte(text.data[n]))
		return 0;
	while (n > 0 && strchr(".:", text.data[n - 1]))
		n--;
	return ses_addr_parse(bytes_first(text, n), 0, &addr) ? n : 0;
}

/* The last word of @text, and what is before it, without marks between them. */
static struct bytes last_word(struct bytes *text)
{
	struct bytes word;
	size_t n = 0;

	while (text->len > 0 && strchr(" \t\"'`([:=,", text->data[text->len - 1]))
		text->len--;
	while (n < text->len && is_name_byte(text->data[text->len - 1 - n]))
		n++;
	word = bytes_from(*text, text->len - n);
	text->len -= n;
	return word;
}

static bool comes_from(struct bytes before)
{
	static const char *const words[] = {"from", "ip",     "address",
					    "addr", "client", "peer"};
	struct bytes word = last_word(&before);

	if (bytes_equal_nocase(word, BYTES("address")) ||
	    bytes_equal_nocase(word, BYTES("ip"))) {
		struct bytes whose = last_word(&before);

		return !bytes_equal_nocase(whose, BYTES("host")) &&
		       !bytes_equal_nocase(whose, BYTES("server")) &&
		       !bytes_equal_nocase(whose, BYTES("upstream")) &&
		       !bytes_equal_nocase(whose, BYTES("backend"));
	}
	return bytes_is_one_of(word, words, 6);
}

/* "192.0.2.1 is not allowed"; as its first word, for "host a is blocked" and
 * "http://a: connection refused" are said of others. */
static bool is_turned_away(struct bytes before, struct bytes behind)
{
	static const char *const words[] = {"denied",	   "blocked",  "banned",
					    "forbidden",   "rejected", "not",
					    "blacklisted", "refused"};
	static const char *const verbs[] = {"is ", "was ", "has ", "been "};
	struct bytes rest = bytes_trim(before);

	while (behind.len > 0 && strchr(" \"'`)],", behind.data[0]))
		behind = bytes_from(behind, 1);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (bytes_equal_nocase(bytes_first(behind, strlen(verbs[i])),
				       bytes_of_str(verbs[i])))
			behind = bytes_from(behind, strlen(verbs[i]));
	if (rest.len > 0 && !strchr(".:;\"'{\n", rest.data[rest.len - 1]))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(bytes_first(behind, strlen(words[i])),
				       bytes_of_str(words[i])))
			return true;
	return false;
}

ptrdiff_t doctor_said_address(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		size_t n;

		if (!is_address_byte(text.data[i]) ||
		    (i > 0 && (is_name_byte(text.data[i - 1]) ||
			       strchr("/.[@", text.data[i - 1]))))
			continue;
		n = address_len(bytes_from(text, i));
		if (n > 0 && (comes_from(bytes_first(text, i)) ||
			      is_turned_away(bytes_first(text, i),
					     bytes_from(text, i + n))))
			return (ptrdiff_t)i;
	}
	return -1;
}

/* ---- names that are missed ---- */

static bool is_letter(uint8_t b)
{
	return is_name_byte(b) && b != '_' && b != '-';
}

/* "id", "runId", "uuid": but not "valid"; of "run_id" it is the last part. */
static bool is_identifier(struct bytes word)
{
	static const char *const words[] = {"id",   "ids",  "uid",
					    "uuid", "guid", "slug"};
	struct bytes end = bytes_from(word, word.len > 2 ? word.len - 2 : 0);

	if (bytes_is_one_of(word, words, sizeof(words) / sizeof(words[0])))
		return true;
	return word.len > 2 && end.data[0] == 'I' &&
	       bytes_equal_nocase(end, BYTES("id")) &&
	       word.data[word.len - 3] >= 'a' && word.data[word.len - 3] <= 'z';
}

static bool is_missed_behind(struct bytes behind)
{
	static const char *const words[] = {
		"required",    "is required",   "missing",
		"is missing",  "not given",     "not provided",
		"is not set",  "not specified", "not present",
		"needed",      "is needed",     "expected",
		"is expected", "must be given", "cannot be empty"};

	while (behind.len > 0 && strchr(" _\"'`:)", behind.data[0]))
		behind = bytes_from(behind, 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(bytes_first(behind, strlen(words[i])),
				       bytes_of_str(words[i])))
			return true;
	return false;
}

/* The last part of a name or of a sentence, and what is before it. */
static struct bytes last_part(struct bytes *text)
{
	struct bytes part;
	size_t n = 0;

	while (text->len > 0 && strchr(" _-\"'`(", text->data[text->len - 1]))
		text->len--;
	while (n < text->len && is_letter(text->data[text->len - 1 - n]))
		n++;
	part = bytes_from(*text, text->len - n);
	text->len -= n;
	return part;
}

#define NEAR 3 /* parts further back: "missing or invalid run ID" */

static bool is_missed_before(struct bytes before)
{
	static const char *const words[] = {"missing", "without",  "requires",
					    "specify", "provide",  "needs"};

	for (size_t i = 0; i <= NEAR; i++) {
		struct bytes part = last_part(&before);

		if (part.len == 0 || bytes_equal_nocase(part, BYTES("such")))
			return false;
		if (bytes_is_one_of(part, words,
				    sizeof(words) / sizeof(words[0])))
			return true;
		if (bytes_equal_nocase(part, BYTES("no")))
			return i < 2;
	}
	return false;
}

ptrdiff_t doctor_said_missing(struct bytes text)
{
	size_t end;

	for (size_t at = 0; at < text.len; at = end + 1) {
		for (end = at; end < text.len && is_letter(text.data[end]);)
			end++;
		if (end > at &&
		    is_identifier(bytes_of(text.data + at, end - at)) &&
		    (is_missed_behind(bytes_from(text, end)) ||
		     is_missed_before(bytes_first(text, at))))
			return (ptrdiff_t)at;
	}
	return -1;
}
