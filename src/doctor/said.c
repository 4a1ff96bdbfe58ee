/* SPDX-License-Identifier: MIT */
/*
 * Names and sentences that a refusal holds for whoever reads it: which parameter
 * is missing, and what is wrong with the token. They go into the remedies, and
 * are looked for where software puts them, not anywhere in a page.
 */
#include "doctor/said.h"

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
