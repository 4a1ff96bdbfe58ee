/* SPDX-License-Identifier: MIT */
/*
 * A pull parser with a chunk of the file, a string and a byte per level as its
 * only memory. Strings that nobody reads are passed over at the speed of a
 * search for their end: in a browser's recording they are nearly all of it.
 */
#include "doctor/json.h"

#include <stdlib.h>

#include <sesame/error.h>

#include "base/percent.h"
#include "wire/utf8.h"

/* What may come next. */
enum state {
	VALUE,	     /* a value */
	FIRST_VALUE, /* a value, or the end of the array */
	FIRST_KEY,   /* a key, or the end of the object */
	COMMA,	     /* a comma, or the end */
	DONE,	     /* nothing but blanks */
	BROKEN,
};

int doctor_json_init(struct doctor_json *r,
		     size_t (*refill)(void *context, uint8_t *room, size_t size),
		     void *context)
{
	*r = (struct doctor_json){.refill = refill, .context = context};
	r->chunk = malloc(DOCTOR_JSON_CHUNK);
	r->text = malloc(DOCTOR_JSON_TEXT + 1);
	if (!r->chunk || !r->text)
		return SESAME_ENOMEM;
	r->text[0] = 0;
	return 0;
}

void doctor_json_fini(struct doctor_json *r)
{
	free(r->chunk);
	free(r->text);
	r->chunk = NULL;
	r->text = NULL;
}

/* ---- bytes ---- */

static bool fill(struct doctor_json *r)
{
	r->before += r->len;
	r->at = 0;
	r->len = r->refill(r->context, r->chunk, DOCTOR_JSON_CHUNK);
	return r->len > 0;
}

/* The next byte, which stays; -1 at the end. */
static inline int peek(struct doctor_json *r)
{
	if (r->at == r->len && !fill(r))
		return -1;
	return r->chunk[r->at];
}

static enum doctor_json_event fail(struct doctor_json *r, const char *error)
{
	if (r->state != BROKEN) {
		r->error = error;
		r->error_at = r->before + r->at;
	}
	r->state = BROKEN;
	return DOCTOR_JSON_ERROR;
}

static enum doctor_json_event fail_here(struct doctor_json *r, const char *error)
{
	return fail(r, peek(r) < 0 ? "it ends in the middle" : error);
}

static void keep(struct doctor_json *r, uint8_t c)
{
	if (r->text_len < DOCTOR_JSON_TEXT)
		r->text[r->text_len++] = (char)c;
	else
		r->cut = true;
}

static int skip_blanks(struct doctor_json *r)
{
	int c;

	while ((c = peek(r)) == ' ' || c == '\n' || c == '\t' || c == '\r')
		r->at++;
	return c;
}

/* Some tools begin a file with the mark of UTF-8. */
static void skip_mark(struct doctor_json *r)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

	for (size_t i = 0; i < 3 && peek(r) == mark[i]; i++)
		r->at++;
}

/* ---- strings ---- */

/* Behind "\u": four digits, or -1. */
static int32_t read_code(struct doctor_json *r)
{
	int32_t code = 0;

	for (int i = 0; i < 4; i++) {
		int c = peek(r), digit = c < 0 ? -1 : ses_hex_digit((uint8_t)c);

		if (digit < 0)
			return -1;
		r->at++;
		code = code << 4 | digit;
	}
	return code;
}

static void keep_utf8(struct doctor_json *r, uint32_t c)
{
	uint8_t bytes[4];
	size_t n = ses_utf8_write(c, bytes);

	for (size_t i = 0; i < n; i++)
		keep(r, bytes[i]);
}

/* Half a pair of surrogates is no character. */
#define NO_CHARACTER 0xfffd

/* A string while it is read. */
struct string {
	bool wanted;   /* it is kept */
	uint32_t high; /* the first of two surrogates, or 0 */
};

static void end_pair(struct doctor_json *r, struct string *s)
{
	if (s->high)
		keep_utf8(r, NO_CHARACTER);
	s->high = 0;
}

static void take_code(struct doctor_json *r, struct string *s, uint32_t code)
{
	bool low = code >= 0xdc00 && code <= 0xdfff;

	if (low && s->high) {
		keep_utf8(r, 0x10000 + ((s->high - 0xd800) << 10) +
				     (code - 0xdc00));
		s->high = 0;
		return;
	}
	end_pair(r, s);
	if (code >= 0xd800 && code <= 0xdbff)
		s->high = code;
	else
		keep_utf8(r, low ? NO_CHARACTER : code);
}

/* Behind a backslash. */
static bool read_escape(struct doctor_json *r, struct string *s)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	int c = peek(r);
	const char *named = c > 0 ? strchr(names, c) : NULL;
	int32_t code;

	if (named) {
		r->at++;
		end_pair(r, s);
		keep(r, (uint8_t)values[named - names]);
		return true;
	}
	if (c != 'u')
		return false;
	r->at++;
	code = read_code(r);
	if (code >= 0)
		take_code(r, s, (uint32_t)code);
	return code >= 0;
}

/* Bytes up to a quote, a backslash or what may not be in a string. */
static void read_run(struct doctor_json *r, struct string *s)
{
	const uint8_t *from = r->chunk + r->at, *end = r->chunk + r->len;
	const uint8_t *at = from;
	size_t n;

	while (at < end && *at != '"' && *at != '\\' && *at >= ' ')
		at++;
	n = (size_t)(at - from);
	r->at += n;
	if (!s->wanted || n == 0)
		return;
	end_pair(r, s);
	if (n > DOCTOR_JSON_TEXT - r->text_len) {
		n = DOCTOR_JSON_TEXT - r->text_len;
		r->cut = true;
	}
	memcpy(r->text + r->text_len, from, n);
	r->text_len += n;
}

/* At its first quote. False: fail() was called. */
static bool read_string(struct doctor_json *r, bool wanted)
{
	struct string s = {.wanted = wanted};
	int c;

	r->at++;
	r->text_len = 0;
	r->cut = false;
	while ((c = peek(r)) >= ' ' && c != '"') {
		if (c != '\\') {
			read_run(r, &s);
			continue;
		}
		r->at++;
		if (!read_escape(r, &s)) {
			fail_here(r, "a backslash with what it may not have");
			return false;
		}
	}
	if (c != '"') {
		fail_here(r, "a control character in a string");
		return false;
	}
	end_pair(r, &s);
	r->at++;
	r->text[r->text_len] = 0;
	return true;
}

/* ---- values ---- */

static void after_value(struct doctor_json *r)
{
	r->state = r->depth ? COMMA : DONE;
}

static enum doctor_json_event open_level(struct doctor_json *r, uint8_t kind)
{
	if (r->depth == DOCTOR_JSON_DEPTH)
		return fail(r, "it is nested too deeply");
	r->at++;
	r->open[r->depth++] = kind;
	r->state = kind == '{' ? FIRST_KEY : FIRST_VALUE;
	return kind == '{' ? DOCTOR_JSON_OBJECT : DOCTOR_JSON_ARRAY;
}

static enum doctor_json_event close_level(struct doctor_json *r)
{
	bool object = r->open[--r->depth] == '{';

	r->at++;
	after_value(r);
	return object ? DOCTOR_JSON_OBJECT_END : DOCTOR_JSON_ARRAY_END;
}

static enum doctor_json_event read_word(struct doctor_json *r)
{
	static const struct {
		const char *word;
		enum doctor_json_event event;
	} words[] = {{"true", DOCTOR_JSON_TRUE},
		     {"false", DOCTOR_JSON_FALSE},
		     {"null", DOCTOR_JSON_NULL}};
	int c = peek(r);

	for (size_t i = 0; i < 3; i++) {
		if (c != words[i].word[0])
			continue;
		for (const char *at = words[i].word; *at; at++, r->at++)
			if (peek(r) != *at)
				return fail_here(r, "no JSON value");
		after_value(r);
		return words[i].event;
	}
	return fail_here(r, "no JSON value");
}

/* Digits and what else is in numbers; their grammar is nobody's question. */
static enum doctor_json_event read_number(struct doctor_json *r)
{
	int c;

	r->text_len = 0;
	r->cut = false;
	while ((c = peek(r)) > 0 && strchr("+-.0123456789eE", c)) {
		keep(r, (uint8_t)c);
		r->at++;
	}
	r->text[r->text_len] = 0;
	after_value(r);
	return DOCTOR_JSON_NUMBER;
}

static enum doctor_json_event read_value(struct doctor_json *r, int c,
					 bool wanted)
{
	if (c == '{' || c == '[')
		return open_level(r, (uint8_t)c);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r);
	if (c != '"')
		return read_word(r);
	if (!read_string(r, wanted))
		return DOCTOR_JSON_ERROR;
	after_value(r);
	return DOCTOR_JSON_STRING;
}

static enum doctor_json_event read_key(struct doctor_json *r, int c)
{
	if (c != '"')
		return fail_here(r, "no key where one must be");
	if (!read_string(r, true))
		return DOCTOR_JSON_ERROR;
	if (skip_blanks(r) != ':')
		return fail_here(r, "no colon behind a key");
	r->at++;
	r->state = VALUE;
	return DOCTOR_JSON_KEY;
}

/* A comma and what follows it, or the end of the level. */
static enum doctor_json_event read_more(struct doctor_json *r, int c,
					bool wanted)
{
	bool object = r->open[r->depth - 1] == '{';

	if (c == (object ? '}' : ']'))
		return close_level(r);
	if (c != ',')
		return fail_here(r, "no comma where one must be");
	r->at++;
	c = skip_blanks(r);
	return object ? read_key(r, c) : read_value(r, c, wanted);
}

static enum doctor_json_event next(struct doctor_json *r, bool wanted)
{
	int c;

	if (r->state == BROKEN)
		return DOCTOR_JSON_ERROR;
	if (r->before == 0 && r->len == 0)
		skip_mark(r);
	c = skip_blanks(r);
	switch (r->state) {
	case DONE:
		return c < 0 ? DOCTOR_JSON_END
			     : fail(r, "something follows the end");
	case FIRST_VALUE:
		return c == ']' ? close_level(r) : read_value(r, c, wanted);
	case FIRST_KEY:
		return c == '}' ? close_level(r) : read_key(r, c);
	case COMMA:
		return read_more(r, c, wanted);
	default:
		return read_value(r, c, wanted);
	}
}

enum doctor_json_event doctor_json_next(struct doctor_json *r)
{
	return next(r, true);
}

bool doctor_json_pass(struct doctor_json *r, enum doctor_json_event event)
{
	size_t depth = r->depth;

	if (event == DOCTOR_JSON_OBJECT || event == DOCTOR_JSON_ARRAY)
		while (r->depth >= depth && event != DOCTOR_JSON_ERROR)
			event = next(r, false);
	return event != DOCTOR_JSON_ERROR && event != DOCTOR_JSON_END;
}

bool doctor_json_skip(struct doctor_json *r)
{
	return doctor_json_pass(r, next(r, false));
}
