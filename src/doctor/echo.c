/* SPDX-License-Identifier: MIT */
/*
 * Telling an echo from a reason. The values that were sent are looked for in
 * the text, however it escapes them; what is hard is the name before a value,
 * which a list of fields has, and a sentence about the field has, too.
 */
#include "doctor/echo.h"

/* Shorter values ("13", "a=1") are found in any text. */
#define SHORTEST 4
/* Marks between a name and its value: quotes, colons, arrows, brackets. */
#define MOST_MARKS 16

struct echo {
	struct bytes said; /* as it came: one value may hold another */
	char *text;	   /* the same, with blanks */
	size_t len;
};

static bool is_word(uint8_t b)
{
	b = byte_lower(b);
	return (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9');
}

static bool is_escape(struct bytes rest, uint8_t b, size_t *ret_len)
{
	static const struct {
		const char *escape;
		uint8_t byte;
	} rows[] = {{"&amp;", '&'},  {"&quot;", '"'},  {"&#34;", '"'},
		    {"&#39;", '\''}, {"&#x27;", '\''}, {"&#x2F;", '/'},
		    {"\\/", '/'},    {"\\\"", '"'},    {"\\u0026", '&'}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].byte == b &&
		    bytes_equal_nocase(bytes_first(rest, strlen(rows[i].escape)),
				       bytes_of_str(rows[i].escape))) {
			*ret_len = strlen(rows[i].escape);
			return true;
		}
	return false;
}

/* How much of @rest repeats @value; 0: it does not. */
static size_t repeats(struct bytes rest, struct bytes value)
{
	size_t at = 0;

	for (size_t i = 0; i < value.len; i++) {
		size_t n = 1;

		if (at >= rest.len)
			return 0;
		if (byte_lower(rest.data[at]) != byte_lower(value.data[i]) &&
		    !is_escape(bytes_from(rest, at), value.data[i], &n))
			return 0;
		at += n;
	}
	if (at < rest.len && is_word(rest.data[at]) &&
	    is_word(value.data[value.len - 1]))
		return 0;
	return at;
}

static void blank(struct echo *e, size_t from, size_t to)
{
	memset(e->text + from, DOCTOR_ECHO, to - from);
}

static bool same_name(const uint8_t *text, struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t a = byte_lower(text[i]);
		uint8_t b = byte_lower(name.data[i]);

		if (a != b && !(a == '_' && b == '-'))
			return false;
	}
	return true;
}

/* Back over marks and tags, from @at to the end of what stands before. */
static size_t skip_marks(const struct echo *e, size_t at)
{
	for (size_t marks = 0; at > 0 && marks < MOST_MARKS;) {
		const uint8_t *said = e->said.data, *tag;

		if (is_word(said[at - 1]))
			break;
		at--;
		tag = said[at] == '>' ? memrchr(said, '<', at) : NULL;
		if (tag)
			at = (size_t)(tag - said);
		else
			marks += said[at] != ' ';
	}
	return at;
}

/* Whether a sentence goes on in front of @from: "Invalid origin". */
static bool follows_word(const struct echo *e, size_t from)
{
	while (from > 0 &&
	       (e->text[from - 1] == ' ' || e->text[from - 1] == '\t'))
		from--;
	return from > 0 && is_word((uint8_t)e->text[from - 1]);
}

/* Whether one goes on behind @to: "https://a is not allowed". */
static bool precedes_word(const struct echo *e, size_t to)
{
	while (to < e->len && (strchr(" \t\"')", e->text[to]) && e->text[to]))
		to++;
	return to < e->len && is_word((uint8_t)e->text[to]);
}

/* The name before the value that stands from @from to @to, if it is listed. */
static void blank_name(struct echo *e, struct bytes name, size_t from, size_t to)
{
	static const char cgi[] = "HTTP_";
	size_t end = skip_marks(e, from), start;

	if (name.len == 0 || end == from || end < name.len)
		return;
	start = end - name.len;
	if (!same_name(e->said.data + start, name))
		return;
	if (start >= sizeof(cgi) - 1 &&
	    memcmp(e->said.data + start - sizeof(cgi) + 1, cgi,
		   sizeof(cgi) - 1) == 0)
		start -= sizeof(cgi) - 1;
	if ((start > 0 && is_word((uint8_t)e->text[start - 1])) ||
	    follows_word(e, start) || precedes_word(e, to))
		return;
	blank(e, start, to);
}

/* A path or a transport is often called by what reasons speak of, too. */
static bool is_word_of_reasons(struct bytes value)
{
	return bytes_equal_nocase(value, BYTES("websocket")) ||
	       bytes_equal_nocase(value, BYTES("websockets")) ||
	       bytes_equal_nocase(value, BYTES("upgrade"));
}

/* Whether what stands from @at on is part of a URL. */
static bool is_in_url(const struct echo *e, size_t at)
{
	return at > 0 &&
	       (e->said.data[at - 1] == '/' || e->said.data[at - 1] == '=');
}

/* Wherever @value stands: with its name, and, if it is @telling, without. */
static void blank_value(struct echo *e, struct bytes name, struct bytes value,
			bool telling)
{
	if (value.len == 0 || value.len > e->len)
		return;
	for (size_t i = 0; i < e->len; i++) {
		size_t n;

		if (i > 0 && is_word(e->said.data[i - 1]) &&
		    is_word(value.data[0]))
			continue;
		n = repeats(bytes_from(e->said, i), value);
		if (n == 0)
			continue;
		blank_name(e, name, i, i + n);
		if (telling && value.len >= SHORTEST &&
		    (!is_word_of_reasons(value) || is_in_url(e, i)))
			blank(e, i, i + n);
		i += n - 1;
	}
}

static void blank_pairs(struct echo *e, struct bytes rest, char separator)
{
	while (rest.len > 0) {
		ptrdiff_t end = bytes_find_byte(rest, (uint8_t)separator);
		struct bytes pair = bytes_trim(
			bytes_first(rest, end < 0 ? rest.len : (size_t)end));
		ptrdiff_t equals = bytes_find_byte(pair, '=');

		if (equals > 0) {
			struct bytes name = bytes_first(pair, (size_t)equals);

			blank_value(e, name,
				    bytes_from(pair, (size_t)equals + 1), true);
		}
		rest = end < 0 ? bytes_of(NULL, 0)
			       : bytes_from(rest, (size_t)end + 1);
	}
}

/* The first slash stays: "Cannot GET /" is what routers say. */
static void blank_target(struct echo *e, struct bytes line)
{
	ptrdiff_t space = bytes_find_byte(line, ' '), question;
	struct bytes target, path;

	if (space < 0)
		return;
	target = bytes_from(line, (size_t)space + 1);
	space = bytes_find_byte(target, ' ');
	if (space >= 0)
		target = bytes_first(target, (size_t)space);
	question = bytes_find_byte(target, '?');
	path = question < 0 ? target : bytes_first(target, (size_t)question);
	blank_value(e, bytes_of(NULL, 0), bytes_from(target, 1), true);
	blank_value(e, bytes_of(NULL, 0), bytes_from(path, 1), true);
	if (question >= 0)
		blank_pairs(e, bytes_from(target, (size_t)question + 1), '&');
}

/* Words that the handshake itself consists of are those of reasons, too. */
static bool is_telling(struct bytes name)
{
	return !bytes_equal_nocase(name, BYTES("Upgrade")) &&
	       !bytes_equal_nocase(name, BYTES("Connection")) &&
	       !bytes_equal_nocase(bytes_first(name, 14),
				   BYTES("Sec-WebSocket-"));
}

static void blank_field(struct echo *e, struct bytes line)
{
	ptrdiff_t colon = bytes_find_byte(line, ':');
	struct bytes name, value;

	if (colon <= 0)
		return;
	name = bytes_first(line, (size_t)colon);
	value = bytes_trim(bytes_from(line, (size_t)colon + 1));
	blank_value(e, name, value, is_telling(name));
	if (bytes_equal_nocase(name, BYTES("Cookie")))
		blank_pairs(e, value, ';');
}

void doctor_blank_echo(const char *request, struct bytes said, char *text)
{
	struct echo e = {said, text, said.len};
	struct bytes rest = bytes_of_str(request), line;
	bool first = true;

	if (said.len > 0)
		memcpy(text, said.data, said.len);
	while (rest.len > 0) {
		ptrdiff_t end = bytes_find_byte(rest, '\n');

		line = bytes_first(rest, end < 0 ? rest.len : (size_t)end);
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		rest = end < 0 ? bytes_of(NULL, 0)
			       : bytes_from(rest, (size_t)end + 1);
		if (first)
			blank_target(&e, line);
		else
			blank_field(&e, line);
		first = false;
	}
}
