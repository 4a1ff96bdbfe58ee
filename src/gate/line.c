/* SPDX-License-Identifier: MIT */
/* Two spellings of a line, from the same calls. */
#include "gate/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/percent.h"

#define VALUE_BYTES 2048
#define TAIL_BYTES  4 /* for the end: "}\n" */

/* Append, or leave as it is when it does not fit. */
__attribute__((format(printf, 2, 3))) static void put(struct gate_line *line,
						      const char *format, ...)
{
	size_t room = sizeof(line->text) - TAIL_BYTES - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < room)
		line->len += (size_t)n;
	line->text[line->len] = '\0';
}

void gate_line_begin(struct gate_line *line, bool json, int64_t time_ms,
		     const char *event)
{
	time_t seconds = (time_t)(time_ms / 1000);
	char when[32];
	struct tm tm;

	line->json = json;
	line->len = 0;
	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	put(line,
	    json ? "{\"time\":\"%s.%03dZ\",\"event\":\"%s\"" : "%s.%03dZ %s",
	    when, (int)(time_ms % 1000), event);
}

bool gate_line_is_escape(const char *s)
{
	return s[0] == '\\' && s[1] == 'x' &&
	       ses_hex_digit((uint8_t)s[2]) >= 0 &&
	       ses_hex_digit((uint8_t)s[3]) >= 0;
}

static const char *spell(const struct gate_line *line, const char *s)
{
	if (*s == '"')
		return line->json ? "\\\"" : "\\x22";
	if (*s == '\\' && line->json)
		return "\\\\";
	if (*s == '\\' && !gate_line_is_escape(s))
		return "\\x5c";
	return NULL;
}

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((uint8_t)*s <= ' ' || strchr("\"\\=", *s))
			return false;
	return true;
}

void gate_line_text(struct gate_line *line, const char *name, struct bytes value)
{
	char shown[VALUE_BYTES], out[VALUE_BYTES * 4];
	size_t at = 0;

	if (!value.len)
		return;
	bytes_printable(value, shown, sizeof(shown));
	for (const char *s = shown; *s; s++) {
		const char *as = spell(line, s);

		if (!as)
			out[at++] = *s;
		else
			at = (size_t)(stpcpy(out + at, as) - out);
	}
	out[at] = '\0';
	if (line->json)
		put(line, ",\"%s\":\"%s\"", name, out);
	else
		put(line, is_plain(shown) ? " %s=%s" : " %s=\"%s\"", name, out);
}

void gate_line_number(struct gate_line *line, const char *name, uint64_t value)
{
	put(line, line->json ? ",\"%s\":%llu" : " %s=%llu", name,
	    (unsigned long long)value);
}

void gate_line_seconds(struct gate_line *line, const char *name, uint64_t ms)
{
	put(line, line->json ? ",\"%s\":%llu.%03u" : " %s=%llu.%03u", name,
	    (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

struct bytes gate_line_end(struct gate_line *line)
{
	if (line->json)
		line->text[line->len++] = '}';
	line->text[line->len++] = '\n';
	return bytes_of(line->text, line->len);
}
