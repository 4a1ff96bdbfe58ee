/* SPDX-License-Identifier: MIT */
/*
 * Text laid out for a terminal: wrapped, in two columns, or cut to so many
 * lines. What is written is fit to be shown already; a sheet knows only of
 * columns, lines and colours. Pure.
 */
#ifndef DOCTOR_SHEET_H
#define DOCTOR_SHEET_H

#include "base/buf.h"

#define SHEET_BOLD  "\033[1m"
#define SHEET_DIM   "\033[2m"
#define SHEET_RED   "\033[31m"
#define SHEET_GREEN "\033[32m"
#define SHEET_AMBER "\033[33m"
#define SHEET_RESET "\033[0m"

#define SHEET_ANY_LINES 10000

/* After the first error nothing is written any more. */
struct doctor_sheet {
	struct ses_buf *out;
	size_t start; /* where in @out it begins */
	int width;    /* columns of the terminal */
	bool colour;
	int error;
};

/* One row of two cells, each wrapped in its column. */
struct doctor_row {
	const char *before; /* in front of the first line: 6 columns */
	const char *left, *right;
	size_t left_width, right_width, max; /* lines */
	const char *colour;		     /* of the right cell */
	const char *after;		     /* behind the first line */
};

void doctor_sheet_put(struct doctor_sheet *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* @colour, or "" where there are none. */
const char *doctor_sheet_paint(const struct doctor_sheet *s, const char *colour);

/* How many columns a text takes. */
size_t doctor_sheet_columns(const char *text);
/* Copy at most @width columns of @text, marked where it was cut: true then. */
bool doctor_sheet_fit(const char *text, size_t width, char *out, size_t size);
/* How many lines of the terminal were written so far. */
size_t doctor_sheet_lines(const struct doctor_sheet *s);
/* Take back what was written since @out was @len bytes long. */
void doctor_sheet_take_back(struct doctor_sheet *s, size_t len);

void doctor_sheet_heading(struct doctor_sheet *s, const char *title);
/*
 * Wrapped text after an indent, with @label standing in that of its first
 * line; at most @max lines of it. True when some had to be left out.
 */
bool doctor_sheet_text(struct doctor_sheet *s, const char *label,
		       const char *text, int indent, size_t max);
/*
 * Lines to paste: never wrapped, a tab as four blanks. They take at most @max
 * lines of the terminal, the last of them a mark when there are more; true then.
 */
bool doctor_sheet_lines_to_paste(struct doctor_sheet *s, const char *lines,
				 size_t max);
void doctor_sheet_row(struct doctor_sheet *s, const struct doctor_row *row);
/* Share @room between two columns: the right one is what one looks for. */
void doctor_sheet_share(size_t room, size_t *left, size_t *right);

#endif
