/* SPDX-License-Identifier: MIT */
/*
 * Pages as they are read: an apology of one line has a hundred lines of styles
 * before it. What is hard is that nobody closes what he opens; what is not
 * closed goes on to the end.
 */
#include "doctor/visible.h"

#include <string.h>

struct element {
	const char *opens, *closes;
};

/* What stands between these is for programs. */
static const struct element hidden[] = {
	{"<!--", "-->"},
	{"<style", "</style"},
	{"<script", "</script"},
	{"<svg", "</svg"},
};

/* How far @text has to be skipped to stand behind the next @end. */
static size_t behind(struct bytes text, const char *end)
{
	struct bytes e = bytes_of_str(end);

	for (size_t i = 0; i + e.len <= text.len; i++)
		if (bytes_equal_nocase(bytes_of(text.data + i, e.len), e))
			return i + e.len;
	return text.len;
}

/* The length of the tag that @text begins with, and of what it hides. */
static size_t markup_len(struct bytes text)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		struct bytes opens = bytes_of_str(hidden[i].opens);

		if (bytes_equal_nocase(bytes_first(text, opens.len), opens)) {
			n = behind(text, hidden[i].closes);
			break;
		}
	}
	if (n > 0 && text.data[n - 1] == '>')
		return n;
	return n + behind(bytes_from(text, n), ">");
}

/* Whether @tag stands in the midst of a line. */
static bool is_inline(struct bytes tag)
{
	static const char *const names[] = {"b",    "i", "em",	 "strong",
					    "code", "a", "span", "u"};
	size_t n = 0;

	tag = bytes_from(tag, 1);
	if (bytes_starts(tag, BYTES("/")))
		tag = bytes_from(tag, 1);
	while (n < tag.len && !strchr(" \t\r\n>", tag.data[n]))
		n++;
	tag = bytes_first(tag, n);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_nocase(tag, bytes_of_str(names[i])))
			return true;
	return false;
}

/* What @page begins with, to whoever reads it; 0: nothing. */
static char seen(struct bytes page)
{
	char c = (char)page.data[0];

	if (c == '<')
		return is_inline(page) ? 0 : '\n';
	return strchr(" \t\r\n", c) ? ' ' : c;
}

struct bytes doctor_text_start(struct bytes text)
{
	while (text.len > 0 && strchr(" \t\r\n", text.data[0]))
		text = bytes_from(text, 1);
	return text;
}

struct bytes doctor_visible_text(struct bytes page, char *out, size_t size)
{
	size_t n = 0;

	while (page.len > 0 && n < size) {
		size_t skip = page.data[0] == '<' ? markup_len(page) : 1;
		char c = seen(page);
		bool blank = c == ' ' || c == '\n';
		bool after_blank = n == 0 || strchr(" \n", out[n - 1]);

		if (blank && after_blank && n > 0 && c == '\n')
			out[n - 1] = c;
		else if (c && !(blank && after_blank))
			out[n++] = c;
		page = bytes_from(page, skip);
	}
	while (n > 0 && strchr(" \n", out[n - 1]))
		n--;
	return bytes_of(out, n);
}
