/* SPDX-License-Identifier: MIT */
#include "story.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct bytes story_take_frame(struct bytes frames, char *out, size_t size)
{
	size_t head = frames.data[1] == 127   ? 10
		      : frames.data[1] == 126 ? 4
					      : 2;
	size_t len = head == 2 ? frames.data[1] : 0;
	size_t n;

	for (size_t i = 2; i < head; i++)
		len = len << 8 | frames.data[i];
	n = len < size ? len : size - 1;
	memcpy(out, frames.data + head, n);
	out[n] = '\0';
	return bytes_from(frames, head + len);
}

/* What stands behind @name, up to one of @ends; "" where it does not. */
const char *story_field(const char *json, const char *name, const char *ends,
			char out[256])
{
	const char *at = strstr(json, name);
	size_t n = 0;

	out[0] = '\0';
	if (!at)
		return out;
	at += strlen(name);
	n = strcspn(at, ends);
	snprintf(out, 256, "%.*s", (int)(n < 255 ? n : 255), at);
	return out;
}

/* The number in an id. */
static const char *number(const char *json, const char *name, char out[256])
{
	char id[256];
	const char *dash = strchr(story_field(json, name, "\"", id), '-');

	snprintf(out, 256, "%s", dash ? dash + 1 : "");
	return out;
}

void story_add(char *story, size_t size, const char *format, ...)
{
	size_t n = strlen(story);
	va_list args;

	va_start(args, format);
	vsnprintf(story + n, size - n, format, args);
	va_end(args);
}

/* ["ann","bob"], each with @sign before it. */
void story_add_names(char *story, size_t size, const char *json,
		     const char *name, const char *sign)
{
	char names[256];
	char *rest = names;

	story_field(json, name, "]", names);
	while ((rest = strchr(rest, '"'))) {
		size_t n = strcspn(++rest, "\"");

		story_add(story, size, "%s%.*s ", sign, (int)n, rest);
		rest += n + (rest[n] == '"');
	}
}

void story_add_gap(char *story, size_t size, const char *json)
{
	char from[256], to[256];

	number(json, "\"from\":\"", from);
	number(json, "\"to\":\"", to);
	if (from[0])
		story_add(story, size, "(%s-%s) ", from, to);
	else
		story_add(story, size, "(?) ");
}

static void add_message(char *story, size_t size, const char *json)
{
	char seq[256], key[256], text[256];

	story_add(story, size, "%s:", number(json, "\"id\":\"", seq));
	if (story_field(json, "\"key\":\"", "\"", key)[0])
		story_add(story, size, "%s", key);
	if (strstr(json, "\"data\":null"))
		story_add(story, size, "- ");
	else
		story_add(story, size, "%s%s ", key[0] ? "=" : "",
			  story_field(json, "\"data\":\"", "\"", text));
}

void story_add_envelope(char *story, size_t size, const char *json)
{
	char count[256];

	if (strstr(json, "\"type\":\"gap\"")) {
		story_add_gap(story, size, json);
	} else if (strstr(json, "\"type\":\"presence\"")) {
		story_add(story, size, "[");
		story_add_names(story, size, json, "\"joined\":[", "+");
		story_add_names(story, size, json, "\"left\":[", "-");
		story_add(story, size, "%s] ",
			  story_field(json, "\"count\":", ",}", count));
	} else {
		add_message(story, size, json);
	}
}
