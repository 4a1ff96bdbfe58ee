/* SPDX-License-Identifier: MIT */
/* Percent-encoding (RFC 3986 section 2.1), read leniently: a lone % is itself. */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include "base/bytes.h"

/* 0..15, or -1 when @c is no hexadecimal digit. */
int ses_hex_digit(uint8_t c);
/* Take the first byte of @in (not empty), decoded when it is %XX. */
uint8_t ses_percent_next(struct bytes *in);
/* Decode all of @in into @out, which has room for in.len bytes. The length. */
size_t ses_percent_decode(struct bytes in, uint8_t *out);

#endif
