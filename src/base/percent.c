/* SPDX-License-Identifier: MIT */
/*
 * Percent-encoding (RFC 3986 section 2.1). What is not followed by two digits
 * stands for itself, for so do browsers read it.
 */
#include "base/percent.h"

int ses_hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = byte_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint8_t ses_percent_next(struct bytes *in)
{
	uint8_t c = in->data[0];
	int high = -1, low = -1;

	if (c == '%' && in->len > 2) {
		high = ses_hex_digit(in->data[1]);
		low = ses_hex_digit(in->data[2]);
	}
	if (high < 0 || low < 0) {
		*in = bytes_from(*in, 1);
		return c;
	}
	*in = bytes_from(*in, 3);
	return (uint8_t)(high << 4 | low);
}

size_t ses_percent_decode(struct bytes in, uint8_t *out)
{
	size_t n = 0;

	while (in.len)
		out[n++] = ses_percent_next(&in);
	return n;
}
