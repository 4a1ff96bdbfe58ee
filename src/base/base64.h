/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648 section 4), strict: one text for one run of bytes. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/bytes.h"

/* How many characters @n bytes become, padding included, without a NUL. */
#define SES_BASE64_LEN(n) (((size_t)(n) + 2) / 3 * 4)

/*
 * Write @in as base64 to @out, which has room for SES_BASE64_LEN(in.len)
 * characters; no NUL is added. Returns how many were written.
 */
size_t ses_base64_encode(struct bytes in, char *out);

/*
 * Read all of @in as base64 into @out of @size bytes. Returns 0, or
 *   SESAME_EINVAL  a foreign character, padding that is missing or misplaced,
 *                  or bits set in the last character that mean nothing
 *   SESAME_ELIMIT  more than @size bytes
 * The content of @out is undefined after an error.
 */
int ses_base64_decode(struct bytes in, uint8_t *out, size_t size,
		      size_t *ret_len);
/*
 * The same for base64url without padding (section 5; RFC 7515 section 2): '-'
 * and '_' stand for '+' and '/', and "=" is a foreign character.
 */
int ses_base64url_decode(struct bytes in, uint8_t *out, size_t size,
			 size_t *ret_len);

#endif
