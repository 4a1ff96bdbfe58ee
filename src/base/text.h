/* SPDX-License-Identifier: MIT */
/* Text for people: wrapping and the nearest word to a typo. Pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/*
 * Append @text, wrapped at @width columns, every line after @indent blanks,
 * ended by a newline. Line breaks in @text are kept; a line that begins with
 * a blank is taken as it is. UTF-8 characters count as one column, colours
 * as none. 0 or an error of the buffer.
 */
int text_wrap(struct ses_buf *out, const char *text, int indent, int width);

/* Edits (insert, delete, replace, swap of neighbours) from @a to @b, ASCII
 * case ignored; words over 63 bytes are cut. */
int text_distance(const char *a, const char *b);

/*
 * The one of @words (@n of them) that was probably meant by @typed, or NULL where
 * more than a third of it would have to change.
 */
const char *text_suggest(const char *typed, const char *const *words, size_t n);

#endif
