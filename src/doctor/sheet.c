/* SPDX-License-Identifier: MIT */
/*
 * What a terminal makes of text: columns are characters, colours take none, and
 * a line that is too wide is two. What is hard is to cut: never inside a
 * character, nor inside what stands for one that may not be shown, and always
 * with a mark.
 */
#include "doctor/sheet.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/percent.h"
#include "base/text.h"

#define ESCAPE_LEN 4

void doctor_sheet_put(struct doctor_sheet *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (s->error == 0)
		s->error = ses_buf_vprintf(s->out, format, args);
	va_end(args);
}

const char *doctor_sheet_paint(const struct doctor_sheet *s, const char *colour)
{
	return s->colour ? colour : "";
}

/* ---- columns and lines ---- */

size_t doctor_sheet_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void pad(struct doctor_sheet *s, const char *text, size_t width)
{
	size_t n = doctor_sheet_columns(text);

	doctor_sheet_put(s, "%s%*s", text, n < width ? (int)(width - n) : 0, "");
}

/* What stands for a byte that is not shown: "\\x1b". */
static bool is_escape(struct bytes text)
{
	return text.len >= ESCAPE_LEN && bytes_starts(text, BYTES("\\x")) &&
	       ses_hex_digit(text.data[2]) >= 0 &&
	       ses_hex_digit(text.data[3]) >= 0;
}

bool doctor_sheet_fit(const char *text, size_t width, char *out, size_t size)
{
	size_t n = 0, used = 0;

	snprintf(out, size, "%.*s", (int)size - 1, text);
	if (doctor_sheet_columns(out) <= width)
		return false;
	while (out[n] && used + 1 < width) {
		n++;
		while (((unsigned char)out[n] & 0xc0) == 0x80)
			n++;
		used++;
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	for (size_t back = 1; back < ESCAPE_LEN && back <= n; back++)
		if (is_escape(bytes_of_str(out + n - back)))
			n -= back; /* whole, or not at all */
	snprintf(out + n, size - n, "…");
	return true;
}

/* How many lines of the terminal @n columns take. */
static size_t rows_of(const struct doctor_sheet *s, size_t n)
{
	size_t width = (size_t)s->width;

	return n <= width ? 1 : (n + width - 1) / width;
}

/* How many lines of the terminal were written; colours take none. */
size_t doctor_sheet_lines(const struct doctor_sheet *s)
{
	struct bytes all = bytes_from(ses_buf_bytes(s->out), s->start);
	size_t rows = 0, n = 0;

	for (size_t i = 0; i < all.len; i++) {
		if (all.data[i] == '\n') {
			rows += rows_of(s, n);
			n = 0;
		} else if (all.data[i] == '\033') {
			while (i < all.len && all.data[i] != 'm')
				i++;
		} else {
			n += (all.data[i] & 0xc0) != 0x80;
		}
	}
	return rows;
}

void doctor_sheet_take_back(struct doctor_sheet *s, size_t len)
{
	s->out->end -= ses_buf_len(s->out) - len;
}

/* ---- wrapped text ---- */

/* The next line of *@rest, without its end. */
static struct bytes take_line(struct bytes *rest)
{
	ptrdiff_t end = bytes_find_byte(*rest, '\n');
	struct bytes line = end < 0 ? *rest : bytes_first(*rest, (size_t)end);

	*rest = bytes_from(*rest, line.len + 1);
	return line;
}

/*
 * One line of a text after @used columns. Where lines are counted (@max), a
 * word that is wider than all of it is cut as well. True when it was.
 */
static bool put_text_line(struct doctor_sheet *s, struct bytes line, int used,
			  size_t max, bool more)
{
	char text[8192], cell[8192];
	bool cut;

	if (max == SHEET_ANY_LINES) {
		doctor_sheet_put(s, "%.*s\n", BYTES_ARG(line));
		return false;
	}
	snprintf(text, sizeof(text), "%.*s%s", BYTES_ARG(line),
		 more ? " …" : "");
	cut = doctor_sheet_fit(text, (size_t)(s->width - used), cell,
			       sizeof(cell));
	doctor_sheet_put(s, "%s\n", cell);
	return cut || more;
}

bool doctor_sheet_text(struct doctor_sheet *s, const char *label,
		       const char *text, int indent, size_t max)
{
	struct ses_buf lines;
	struct bytes rest;
	bool cut = false;

	ses_buf_init(&lines, 64 * 1024);
	if (!s->error)
		s->error = text_wrap(&lines, text, indent, s->width);
	rest = ses_buf_bytes(&lines);
	for (size_t n = 1; rest.len > 0 && n <= max; n++) {
		struct bytes line = take_line(&rest);

		if (n == 1 && *label) {
			doctor_sheet_put(s, "  ");
			pad(s, label, (size_t)indent - 2);
			line = bytes_from(line, (size_t)indent);
		}
		cut |= put_text_line(s, line, *label && n == 1 ? indent : 0,
				     max, n == max && rest.len > 0);
	}
	ses_buf_fini(&lines);
	return cut;
}

void doctor_sheet_heading(struct doctor_sheet *s, const char *title)
{
	doctor_sheet_put(s, "\n%s%s%s\n", doctor_sheet_paint(s, SHEET_BOLD),
			 title, doctor_sheet_paint(s, SHEET_RESET));
}

/* ---- lines to paste ---- */

static void put_snippet_line(struct doctor_sheet *s, struct bytes line)
{
	doctor_sheet_put(s, "         %s", doctor_sheet_paint(s, SHEET_GREEN));
	for (size_t i = 0; i < line.len; i++)
		doctor_sheet_put(s, "%s%.*s", line.data[i] == '\t' ? "    " : "",
				 line.data[i] != '\t',
				 (const char *)line.data + i);
	doctor_sheet_put(s, "%s\n", doctor_sheet_paint(s, SHEET_RESET));
}

bool doctor_sheet_lines_to_paste(struct doctor_sheet *s, const char *lines,
				 size_t max)
{
	struct bytes rest = bytes_of_str(lines);

	while (rest.len > 0) {
		size_t len = ses_buf_len(s->out), begin = doctor_sheet_lines(s),
		       used;

		put_snippet_line(s, take_line(&rest));
		used = doctor_sheet_lines(s) - begin;
		if (used < max || (used == max && rest.len == 0)) {
			max -= used;
			continue;
		}
		doctor_sheet_take_back(s, len);
		doctor_sheet_put(s, "         %s… more below%s\n",
				 doctor_sheet_paint(s, SHEET_DIM),
				 doctor_sheet_paint(s, SHEET_RESET));
		return true;
	}
	return false;
}

/* ---- two columns ---- */

/* @text wrapped at @width in *ret_lines, however long its words are. */
static void wrap_cell(struct doctor_sheet *s, const char *text, size_t width,
		      struct ses_buf *ret_lines)
{
	struct ses_buf wrapped;
	struct bytes rest;

	ses_buf_init(ret_lines, 64 * 1024);
	ses_buf_init(&wrapped, 64 * 1024);
	if (!s->error)
		s->error = text_wrap(&wrapped, text, 0, (int)width);
	rest = ses_buf_bytes(&wrapped);
	while (rest.len > 0 && !s->error) {
		struct bytes line = take_line(&rest);
		size_t n = 0, used = 0;

		for (; n < line.len; n++) {
			bool begins = (line.data[n] & 0xc0) != 0x80;
			size_t unit =
				is_escape(bytes_from(line, n)) ? ESCAPE_LEN : 1;

			if (begins && used + unit > width && !s->error) {
				s->error = ses_buf_append_str(ret_lines, "\n");
				used = 0;
			}
			used += begins;
			if (s->error == 0)
				s->error = ses_buf_append(
					ret_lines, bytes_of(line.data + n, 1));
		}
		if (s->error == 0)
			s->error = ses_buf_append_str(ret_lines, "\n");
	}
	ses_buf_fini(&wrapped);
}

/* @line of a cell, marked when more would follow. */
static void put_cell(struct doctor_sheet *s, struct bytes line, size_t width,
		     bool cut, bool padded)
{
	char text[1024], cell[1040];

	snprintf(text, sizeof(text), "%.*s%s", BYTES_ARG(line), cut ? "…" : "");
	doctor_sheet_fit(text, width, cell, sizeof(cell));
	pad(s, cell, padded ? width : 0);
}

void doctor_sheet_row(struct doctor_sheet *s, const struct doctor_row *row)
{
	struct ses_buf left, right;
	struct bytes a, b;

	wrap_cell(s, row->left, row->left_width, &left);
	wrap_cell(s, row->right, row->right_width, &right);
	a = ses_buf_bytes(&left);
	b = ses_buf_bytes(&right);
	for (size_t n = 1; n <= row->max && (a.len > 0 || b.len > 0); n++) {
		struct bytes one = take_line(&a), two = take_line(&b);
		bool last = n == row->max;

		doctor_sheet_put(s, "%s", n == 1 ? row->before : "      ");
		put_cell(s, one, row->left_width, last && a.len > 0,
			 two.len > 0);
		doctor_sheet_put(s, "%s%s", two.len > 0 ? "  " : "",
				 doctor_sheet_paint(s, row->colour));
		put_cell(s, two, row->right_width, last && b.len > 0,
			 n == 1 && *row->after);
		doctor_sheet_put(
			s, "%s%s\n",
			doctor_sheet_paint(s, *row->colour ? SHEET_RESET : ""),
			n == 1 ? row->after : "");
	}
	ses_buf_fini(&left);
	ses_buf_fini(&right);
}

void doctor_sheet_share(size_t room, size_t *left, size_t *right)
{
	size_t half = room * 3 / 5;

	if (*left + *right <= room)
		return;
	if (*right > half)
		*right = *left + half <= room ? room - *left : half;
	*left = room - *right;
}
