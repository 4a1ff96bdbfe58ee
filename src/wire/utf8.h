/* SPDX-License-Identifier: MIT */
/* Incremental UTF-8 that fails at the first bad byte (RFC 3629). */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include "base/bytes.h"

struct ses_utf8 {
	uint8_t state; /* 0 between characters */
};

/* Take more text. False at the first byte that no valid text can have there. */
bool ses_utf8_feed(struct ses_utf8 *u, struct bytes in);
/* Whether the text may end here: not inside a character. */
static inline bool ses_utf8_done(const struct ses_utf8 *u)
{
	return u->state == 0;
}
/* Whether @in as a whole is valid UTF-8. */
bool ses_utf8_valid(struct bytes in);
/* @c, a Unicode scalar value, to @out; how many bytes. */
size_t ses_utf8_write(uint32_t c, uint8_t out[4]);

#endif
