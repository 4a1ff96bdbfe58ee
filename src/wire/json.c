/* SPDX-License-Identifier: MIT */
/*
 * One pass over the bytes. The levels that are open are bits, so that depth
 * costs no stack; an item is passed over and checked in the same step.
 */
#include "wire/json.h"

#include "base/percent.h"
#include "wire/utf8.h"

struct scan {
	const uint8_t *at, *end;
	enum ses_json_fault fault;
	unsigned depth;
	uint64_t objects[SES_JSON_DEPTH / 64]; /* levels that are no arrays */
};

/* What follows a value, or a part of one. */
enum next { NEXT_BROKEN, NEXT_VALUE, NEXT_DONE };

static bool fail(struct scan *s, enum ses_json_fault fault)
{
	if (!s->fault)
		s->fault = fault;
	return false;
}

static inline int peek(const struct scan *s)
{
	return s->at < s->end ? *s->at : -1;
}

static inline void skip_blanks(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' ||
				  *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

/* Behind blanks. */
static bool pass_byte(struct scan *s, uint8_t c)
{
	skip_blanks(s);
	if (peek(s) != c)
		return false;
	s->at++;
	return true;
}

/* ---- Texts ---- */

#define EACH 0x0101010101010101u
#define TOP  0x8080808080808080u

/* Whether one of eight bytes is a quote, a backslash or a control character. */
static inline bool has_an_end(uint64_t w)
{
	uint64_t quote = w ^ EACH * '"', slash = w ^ EACH * '\\';

	return (((w - EACH * 0x20) & ~w) | ((quote - EACH) & ~quote) |
		((slash - EACH) & ~slash)) &
	       TOP;
}

static void pass_run(struct scan *s)
{
	uint64_t word;

	for (; s->end - s->at >= 8; s->at += 8) {
		memcpy(&word, s->at, 8);
		if (has_an_end(word))
			break;
	}
	while (s->at < s->end && *s->at != '"' && *s->at != '\\' && *s->at >= ' ')
		s->at++;
}

/* The digits behind \u; -1: they are not four. */
static int32_t read_code(const uint8_t *at, const uint8_t *end)
{
	int32_t code = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = ses_hex_digit(at[i]);

		if (digit < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

/* At a backslash. */
static bool pass_escape(struct scan *s)
{
	bool coded = s->end - s->at >= 2 && s->at[1] == 'u';

	if (s->end - s->at < 2 ||
	    !(coded ? read_code(s->at + 2, s->end) >= 0
		    : s->at[1] && strchr("\"\\/bfnrt", s->at[1])))
		return false;
	s->at += coded ? 6 : 2;
	return true;
}

static bool pass_text(struct scan *s)
{
	if (peek(s) != '"')
		return fail(s, SES_JSON_BROKEN);
	s->at++;
	for (;;) {
		pass_run(s);
		if (peek(s) == '"') {
			s->at++;
			return true;
		}
		if (peek(s) != '\\' || !pass_escape(s))
			return fail(s, SES_JSON_BROKEN);
	}
}

/* ---- Values ---- */

static size_t pass_digits(struct scan *s)
{
	const uint8_t *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - from);
}

static bool pass_number(struct scan *s)
{
	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++;
	else if (!pass_digits(s))
		return fail(s, SES_JSON_BROKEN);
	if (peek(s) == '.') {
		s->at++;
		if (!pass_digits(s))
			return fail(s, SES_JSON_BROKEN);
	}
	if (peek(s) != 'e' && peek(s) != 'E')
		return true;
	s->at++;
	if (peek(s) == '+' || peek(s) == '-')
		s->at++;
	return pass_digits(s) || fail(s, SES_JSON_BROKEN);
}

static bool pass_word(struct scan *s, struct bytes word)
{
	struct bytes rest = bytes_of(s->at, (size_t)(s->end - s->at));

	if (!bytes_starts(rest, word))
		return fail(s, SES_JSON_BROKEN);
	s->at += word.len;
	return true;
}

static enum ses_json_sort sort_of(int c)
{
	switch (c) {
	case '{':
		return SES_JSON_OBJECT;
	case '[':
		return SES_JSON_ARRAY;
	case '"':
		return SES_JSON_TEXT;
	case 't':
		return SES_JSON_TRUE;
	case 'f':
		return SES_JSON_FALSE;
	case 'n':
		return SES_JSON_NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? SES_JSON_NUMBER
							  : SES_JSON_NONE;
	}
}

static inline bool is_object(const struct scan *s)
{
	unsigned level = s->depth - 1;

	return s->objects[level / 64] >> level % 64 & 1;
}

/* A name and its colon. */
static bool pass_name(struct scan *s)
{
	skip_blanks(s);
	return pass_text(s) && (pass_byte(s, ':') || fail(s, SES_JSON_BROKEN));
}

static enum next enter(struct scan *s, bool object)
{
	uint64_t bit = UINT64_C(1) << s->depth % 64;

	if (s->depth == SES_JSON_DEPTH) {
		fail(s, SES_JSON_DEEP);
		return NEXT_BROKEN;
	}
	s->objects[s->depth / 64] &= ~bit;
	s->objects[s->depth / 64] |= object ? bit : 0;
	s->at++;
	if (pass_byte(s, object ? '}' : ']'))
		return NEXT_DONE;
	s->depth++;
	return !object || pass_name(s) ? NEXT_VALUE : NEXT_BROKEN;
}

static enum next begin_value(struct scan *s)
{
	bool good = false;

	skip_blanks(s);
	switch (sort_of(peek(s))) {
	case SES_JSON_OBJECT:
		return enter(s, true);
	case SES_JSON_ARRAY:
		return enter(s, false);
	case SES_JSON_TEXT:
		good = pass_text(s);
		break;
	case SES_JSON_NUMBER:
		good = pass_number(s);
		break;
	case SES_JSON_TRUE:
		good = pass_word(s, BYTES("true"));
		break;
	case SES_JSON_FALSE:
		good = pass_word(s, BYTES("false"));
		break;
	case SES_JSON_NULL:
		good = pass_word(s, BYTES("null"));
		break;
	default:
		fail(s, SES_JSON_BROKEN);
	}
	return good ? NEXT_DONE : NEXT_BROKEN;
}

/* Behind a value that stands on a level above @floor, or on it. */
static enum next go_on(struct scan *s, unsigned floor)
{
	while (s->depth > floor) {
		bool object = is_object(s);

		if (pass_byte(s, ','))
			return !object || pass_name(s) ? NEXT_VALUE
						       : NEXT_BROKEN;
		if (!pass_byte(s, object ? '}' : ']')) {
			fail(s, SES_JSON_BROKEN);
			return NEXT_BROKEN;
		}
		s->depth--;
	}
	return NEXT_DONE;
}

static bool pass_value(struct scan *s)
{
	unsigned floor = s->depth;
	enum next next;

	do {
		next = begin_value(s);
		if (next == NEXT_DONE)
			next = go_on(s, floor);
	} while (next == NEXT_VALUE);
	return next == NEXT_DONE;
}

/* ---- Readers ---- */

static struct scan scan_of(const struct ses_json *j)
{
	return (struct scan){.at = j->rest.data,
			     .end = j->rest.data + j->rest.len};
}

/* As far as @s has come; false when it failed. */
static bool keep(struct ses_json *j, const struct scan *s)
{
	j->rest = bytes_of(s->at, (size_t)(s->end - s->at));
	if (!s->fault)
		return true;
	j->fault = s->fault;
	j->ended = true;
	return false;
}

enum ses_json_sort ses_json_begin(struct ses_json *j, struct bytes text)
{
	struct scan s;

	*j = (struct ses_json){
		.rest = bytes_of(text.len ? text.data : (const void *)"",
				 text.len)};
	s = scan_of(j);
	skip_blanks(&s);
	j->sort = sort_of(peek(&s));
	if (j->sort == SES_JSON_NONE || !ses_utf8_valid(text))
		fail(&s, SES_JSON_BROKEN);
	keep(j, &s);
	return j->sort;
}

/* All has been read, and nothing but blanks may follow. */
static bool end(struct ses_json *j, struct scan *s)
{
	skip_blanks(s);
	if (s->at < s->end)
		fail(s, SES_JSON_BROKEN);
	keep(j, s);
	j->ended = true;
	return false;
}

/* To the next item. False: there is none, or it is broken. */
static bool find_item(struct ses_json *j, struct scan *s)
{
	uint8_t close = j->sort == SES_JSON_OBJECT ? '}' : ']';

	s->at += !j->begun; /* the bracket */
	if (pass_byte(s, close))
		return end(j, s);
	if (j->begun && !pass_byte(s, ',')) {
		fail(s, SES_JSON_BROKEN);
		return keep(j, s);
	}
	skip_blanks(s);
	return true;
}

static bool next_item(struct ses_json *j, struct scan *s,
		      struct ses_json_item *item)
{
	const uint8_t *from = s->at;

	item->name = bytes_of(NULL, 0);
	if (j->sort == SES_JSON_OBJECT && pass_text(s)) {
		item->name = bytes_of(from, (size_t)(s->at - from));
		if (!pass_byte(s, ':'))
			fail(s, SES_JSON_BROKEN);
		skip_blanks(s);
		from = s->at;
	}
	if (s->fault)
		return keep(j, s);
	item->sort = sort_of(peek(s));
	pass_value(s);
	item->value = bytes_of(from, (size_t)(s->at - from));
	return keep(j, s);
}

bool ses_json_next(struct ses_json *j, struct ses_json_item *item)
{
	bool many = j->sort == SES_JSON_OBJECT || j->sort == SES_JSON_ARRAY;
	struct scan s = scan_of(j);

	if (j->ended)
		return false;
	s.depth = many; /* one bracket is open */
	if (many && !find_item(j, &s))
		return false;
	if (!many && j->begun)
		return end(j, &s);
	j->begun = true;
	return next_item(j, &s, item);
}

/* ---- What items are ---- */

static struct bytes unquoted(struct bytes quoted)
{
	return bytes_of(quoted.data + 1, quoted.len - 2);
}

/* The code behind a \u that @in begins with; both halves of a pair. */
static bool next_code(struct bytes *in, uint32_t *ret_code)
{
	const uint8_t *end = in->data + in->len;
	int32_t code = read_code(in->data + 2, end), low;

	*in = bytes_from(*in, 6);
	*ret_code = (uint32_t)code;
	if (code < 0xd800 || code > 0xdfff)
		return code >= 0;
	if (code > 0xdbff || !bytes_starts(*in, BYTES("\\u")))
		return false;
	low = read_code(in->data + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return false;
	*in = bytes_from(*in, 6);
	*ret_code = 0x10000 + (((uint32_t)code - 0xd800) << 10) +
		    ((uint32_t)low - 0xdc00);
	return true;
}

/* What the escape says that @in begins with, in UTF-8; 0: nothing. */
static size_t next_escape(struct bytes *in, uint8_t out[4])
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	uint8_t c = in->data[1];
	uint32_t code;

	if (c == 'u')
		return next_code(in, &code) ? ses_utf8_write(code, out) : 0;
	out[0] = (uint8_t)values[strchr(names, c) - names];
	*in = bytes_from(*in, 2);
	return 1;
}

bool ses_json_is(struct bytes quoted, const char *text)
{
	struct bytes in = unquoted(quoted), is = bytes_of_str(text);
	uint8_t character[4];

	while (in.len) {
		size_t n = 1;

		character[0] = in.data[0];
		if (character[0] == '\\')
			n = next_escape(&in, character);
		else
			in = bytes_from(in, 1);
		if (!n || !bytes_starts(is, bytes_of(character, n)))
			return false;
		is = bytes_from(is, n);
	}
	return !is.len;
}

bool ses_json_borrow(struct bytes quoted, struct bytes *ret_text)
{
	struct bytes in = unquoted(quoted);

	if (in.len && memchr(in.data, '\\', in.len))
		return false;
	*ret_text = in;
	return true;
}

bool ses_json_text(struct bytes quoted, uint8_t *out, size_t *ret_len)
{
	struct bytes in = unquoted(quoted);
	uint8_t *to = out;

	while (in.len) {
		const uint8_t *slash = memchr(in.data, '\\', in.len);
		size_t n = slash ? (size_t)(slash - in.data) : in.len;

		memcpy(to, in.data, n);
		to += n;
		in = bytes_from(in, n);
		if (!in.len)
			break;
		n = next_escape(&in, to);
		if (!n)
			return false;
		to += n;
	}
	*ret_len = (size_t)(to - out);
	return true;
}

bool ses_json_integer(struct bytes number, int64_t *ret_value)
{
	bool below = number.len && number.data[0] == '-';
	int64_t value = 0;

	for (size_t i = below; i < number.len; i++) {
		int digit = number.data[i] - '0';

		if (digit < 0 || digit > 9 ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return false;
	}
	if (!below && value == INT64_MIN)
		return false;
	*ret_value = below ? value : -value;
	return number.len > below;
}
