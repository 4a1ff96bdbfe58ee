/* SPDX-License-Identifier: MIT */
/*
 * Each level is read out of the one below, unit by unit and from every byte on,
 * so the work grows with the text and the number of levels alone. All ways to
 * write a byte otherwise are tried at once: which of them a server used, and
 * in which order, nobody knows.
 */
#include "doctor/reading.h"

#include <stdlib.h>

#include <sesame/error.h>

#include "base/percent.h"

#define LONGEST 12 /* units of one escape, its first one too */

struct doctor_unit doctor_reading_at(const struct doctor_reading *r,
				     size_t times, size_t at)
{
	if (times == 0)
		return (struct doctor_unit){r->text.data[at], (uint32_t)at + 1};
	return r->level[times - 1][at];
}

/* The units from some place on, as far as one escape may reach. */
struct ahead {
	uint8_t byte[LONGEST]; /* 0: no byte */
	uint32_t end[LONGEST];
	size_t n;
};

static void look_ahead(const struct doctor_reading *r, size_t times, size_t at,
		       struct ahead *ret)
{
	ret->n = 0;
	while (ret->n < LONGEST && at < r->text.len) {
		struct doctor_unit u = doctor_reading_at(r, times, at);

		ret->byte[ret->n] = u.what < 256 ? (uint8_t)u.what : 0;
		at = ret->end[ret->n++] = u.end;
	}
}

static uint32_t unit_of(uint32_t value)
{
	return value < 128 ? value : value | DOCTOR_CODE_POINT;
}

/* @digits digits of @base from @from on. */
static bool number(const struct ahead *a, size_t from, size_t digits,
		   uint32_t base, uint32_t *ret)
{
	uint32_t value = 0;

	if (digits == 0 || digits > 8 || from + digits > a->n)
		return false;
	for (size_t i = from; i < from + digits; i++) {
		int digit = ses_hex_digit(a->byte[i]);

		if (digit < 0 || (uint32_t)digit >= base)
			return false;
		value = value * base + (uint32_t)digit;
	}
	*ret = value;
	return value <= 0x10ffff;
}

/* "&amp;", "&#39;", "&#x27;": how many units it takes. */
static size_t entity(const struct ahead *a, uint32_t *ret)
{
	static const struct {
		const char *name;
		char byte;
	} rows[] = {{"amp", '&'},    {"lt", '<'},     {"gt", '>'},
		    {"quot", '"'},   {"apos", '\''},  {"sol", '/'},
		    {"equals", '='}, {"plus", '+'},   {"percnt", '%'},
		    {"num", '#'},    {"colon", ':'},  {"semi", ';'},
		    {"comma", ','},  {"period", '.'}, {"lowbar", '_'},
		    {"dollar", '$'}, {"excl", '!'},   {"quest", '?'},
		    {"commat", '@'}, {"ast", '*'},    {"lpar", '('},
		    {"rpar", ')'},   {"bsol", '\\'},  {"hyphen", '-'}};
	struct bytes name;
	size_t end = 1;
	bool hex;

	while (end < a->n && a->byte[end] != ';')
		end++;
	if (end == a->n)
		return 0;
	if (a->byte[1] == '#') {
		hex = byte_lower(a->byte[2]) == 'x';
		return number(a, 2 + hex, end - 2 - hex, hex ? 16 : 10, ret)
			       ? end + 1
			       : 0;
	}
	name = bytes_of(a->byte + 1, end - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bytes_equal_str(name, rows[i].name)) {
			*ret = (uint8_t)rows[i].byte;
			return end + 1;
		}
	return 0;
}

/* "\/", "\n", "\u002f", "\U0000002f", "\x2f", "\057" */
static size_t escape(const struct ahead *a, uint32_t *ret)
{
	static const struct {
		char letter;
		size_t digits;
	} codes[] = {{'u', 4}, {'U', 8}, {'x', 2}};
	uint8_t c = a->n > 1 ? a->byte[1] : 0;

	if (c == 0)
		return 0;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (c == codes[i].letter)
			return number(a, 2, codes[i].digits, 16, ret)
				       ? 2 + codes[i].digits
				       : 0;
	if (number(a, 1, 3, 8, ret) && *ret < 256)
		return 4;
	*ret = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
	return 2;
}

/* What begins at @at of level @times, decoded once more. */
static struct doctor_unit decode(const struct doctor_reading *r, size_t times,
				 size_t at, bool *changed)
{
	struct doctor_unit u = doctor_reading_at(r, times, at);
	uint32_t value = 0;
	struct ahead a;
	size_t n = 0;

	if (u.what != '%' && u.what != '=' && u.what != '&' && u.what != '\\')
		return u;
	look_ahead(r, times, at, &a);
	/* "%2f", and "=2F" of quoted-printable */
	if ((u.what == '%' || u.what == '=') && number(&a, 1, 2, 16, &value))
		n = 3; /* a byte, whatever it is part of */
	else if (u.what == '%' && a.n > 1 && a.byte[1] == 'u' &&
		 number(&a, 2, 4, 16, &value))
		n = 6;
	else if (u.what == '&')
		n = entity(&a, &value);
	else if (u.what == '\\')
		n = escape(&a, &value);
	if (n == 0)
		return u;
	*changed = true;
	return (struct doctor_unit){n == 3 && u.what != '&' && u.what != '\\'
					    ? value
					    : unit_of(value),
				    a.end[n - 1]};
}

static bool has_escape(struct bytes text)
{
	return bytes_find_byte(text, '%') >= 0 ||
	       bytes_find_byte(text, '=') >= 0 ||
	       bytes_find_byte(text, '&') >= 0 ||
	       bytes_find_byte(text, '\\') >= 0;
}

int doctor_reading_open(struct bytes text, struct doctor_reading *ret)
{
	struct doctor_reading *r = ret;
	bool changed = has_escape(text) && text.len < UINT32_MAX;

	*r = (struct doctor_reading){.text = text};
	while (changed && r->n_levels < DOCTOR_MAX_DECODINGS) {
		struct doctor_unit *level = calloc(text.len, sizeof(*level));

		if (!level)
			return SESAME_ENOMEM;
		changed = false;
		for (size_t at = 0; at < text.len; at++)
			level[at] = decode(r, r->n_levels, at, &changed);
		r->level[r->n_levels] = level;
		if (changed)
			r->n_levels++;
		else
			free(level);
	}
	return 0;
}

void doctor_reading_close(struct doctor_reading *r)
{
	while (r->n_levels > 0)
		free(r->level[--r->n_levels]);
}
