/* SPDX-License-Identifier: MIT */
/* What people read of a page. */
#ifndef DOCTOR_VISIBLE_H
#define DOCTOR_VISIBLE_H

#include "base/bytes.h"

/*
 * The text of @page without its markup, comments, styles and scripts; tags
 * end a line, but for those within one. What does not fit into @size bytes of
 * @out is left out.
 *
 * Returns the text, in @out.
 */
struct bytes doctor_visible_text(struct bytes page, char *out, size_t size);
/* @text without the blanks and the ends of lines that it begins with. */
struct bytes doctor_text_start(struct bytes text);

#endif
