/* SPDX-License-Identifier: MIT */
/* Wrapping for terminals, and Damerau-Levenshtein distance for suggestions. */
#include "base/text.h"

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes of the colour that begins at @s ("\033[1m"), which has no width; or 0. */
static size_t colour_len(const char *s, size_t len)
{
	const char *end = len > 2 && s[0] == '\033' && s[1] == '['
				  ? memchr(s, 'm', len)
				  : NULL;

	return end ? (size_t)(end - s) + 1 : 0;
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0, colour;

	for (size_t i = 0; i < len; i += colour ? colour : 1) {
		colour = colour_len(s + i, len - i);
		n += !colour && !is_continuation(s[i]);
	}
	return n;
}

/* How much of the line @s fits into @room columns, cut at a blank. */
static size_t fit(const char *s, size_t len, size_t room)
{
	size_t cut = 0, column = 0, colour;

	if (columns(s, len) <= room)
		return len;
	for (size_t i = 0; i < len; i += colour ? colour : 1) {
		colour = colour_len(s + i, len - i);
		if (s[i] == ' ' && i > 0) {
			if (column > room && cut > 0)
				return cut;
			cut = i;
			if (column > room)
				return cut;
		}
		column += !colour && !is_continuation(s[i]);
	}
	return cut ? cut : len;
}

static int put_line(struct ses_buf *out, const char *s, size_t len, int indent)
{
	return ses_buf_printf(out, "%*s%.*s\n", len ? indent : 0, "", (int)len,
			      s);
}

static int wrap_line(struct ses_buf *out, const char *s, size_t len, int indent,
		     size_t room)
{
	int r;

	if (len == 0 || s[0] == ' ')
		return put_line(out, s, len, indent);
	while (len > 0) {
		size_t n = fit(s, len, room);

		r = put_line(out, s, n, indent);
		if (r < 0)
			return r;
		while (n < len && s[n] == ' ')
			n++;
		s += n;
		len -= n;
	}
	return 0;
}

int text_wrap(struct ses_buf *out, const char *text, int indent, int width)
{
	size_t room = width > indent + 20 ? (size_t)(width - indent) : 20;
	int r = 0;

	while (r >= 0) {
		const char *end = strchrnul(text, '\n');

		r = wrap_line(out, text, (size_t)(end - text), indent, room);
		if (*end == '\0' || end[1] == '\0')
			break;
		text = end + 1;
	}
	return r < 0 ? r : 0;
}

#define WORD_MAX 63

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

int text_distance(const char *a, const char *b)
{
	int row[WORD_MAX + 1][WORD_MAX + 1];
	int n = (int)strnlen(a, WORD_MAX), m = (int)strnlen(b, WORD_MAX);

	for (int i = 0; i <= n; i++)
		row[i][0] = i;
	for (int j = 0; j <= m; j++)
		row[0][j] = j;
	for (int i = 1; i <= n; i++) {
		for (int j = 1; j <= m; j++) {
			uint8_t x = byte_lower((uint8_t)a[i - 1]);
			uint8_t y = byte_lower((uint8_t)b[j - 1]);

			row[i][j] = min3(row[i - 1][j] + 1, row[i][j - 1] + 1,
					 row[i - 1][j - 1] + (x != y));
			if (i > 1 && j > 1 &&
			    x == byte_lower((uint8_t)b[j - 2]) &&
			    y == byte_lower((uint8_t)a[i - 2]) &&
			    row[i - 2][j - 2] + 1 < row[i][j])
				row[i][j] = row[i - 2][j - 2] + 1;
		}
	}
	return row[n][m];
}

/* A third of the letters, but one in the shortest words. */
static int max_edits(int len)
{
	return len < 6 ? 1 : len / 3;
}

const char *text_suggest(const char *typed, const char *const *words, size_t n)
{
	int len = (int)strnlen(typed, WORD_MAX);
	int best = max_edits(len) + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		int d = text_distance(typed, words[i]);

		if (d < best && d < len) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
