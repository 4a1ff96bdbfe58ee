/* SPDX-License-Identifier: MIT */
/*
 * Manners on the terminal that ask the system: whether colour is wanted and
 * how wide it is. What needs no system call is in base/text.h.
 */
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Whether @f may be coloured: a terminal, TERM not dumb, NO_COLOR unset or
 * empty; CLICOLOR_FORCE set and not empty says yes for pipes too.
 */
bool term_colour(FILE *f);
/* Columns to wrap at: the terminal's, 40..100; 80 when @f is none. */
int term_width(FILE *f);
/* Print @text wrapped at the width, each line after @indent blanks. */
void term_wrap(FILE *f, const char *text, int indent);

/*
 * What others may read by lines is as it is when @f is no terminal. On one,
 * term_line() wraps it and term_cut(), of a line that is at @column already,
 * ends it with "..." where the line does.
 */
void term_line(FILE *f, const char *text);
void term_cut(FILE *f, const char *text, int column);
/* Columns behind @column in a line of the terminal @f; INT_MAX when it is none. */
int term_room(FILE *f, int column);

/* A line on standard error, in @colour (NULL: none) where it may be coloured. */
__attribute__((format(printf, 2, 3))) void term_tell(const char *colour,
						     const char *format, ...);

#define TERM_BOLD   "\033[1m"
#define TERM_DIM    "\033[2m"
#define TERM_RED    "\033[31m"
#define TERM_GREEN  "\033[32m"
#define TERM_YELLOW "\033[33m"
#define TERM_CYAN   "\033[36m"
#define TERM_RESET  "\033[0m"

#endif
