/* SPDX-License-Identifier: MIT */
/* Bodies in the character sets that came before UTF-8. */
#ifndef DOCTOR_CHARSET_H
#define DOCTOR_CHARSET_H

#include "base/buf.h"
#include "base/bytes.h"

/*
 * Convert @body into UTF-8, appended to @out, if it is in one of the known sets:
 * the field @content_type names it, or a <meta> near the beginning of the page.
 *
 * Returns false, and nothing is to be used of @out, where no other set is named
 * than UTF-8, the name is not known, or @body is not in the set that it names.
 */
bool doctor_decode_charset(struct bytes content_type, struct bytes body,
			   struct ses_buf *out);

#endif
