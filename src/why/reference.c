/* SPDX-License-Identifier: MIT */
/*
 * References in Crockford's base 32, most significant digit first. The
 * alphabet has no I, L, O and U, so what people read aloud or copy from a
 * screenshot can be read back without asking.
 */
#include "why/reference.h"

#define N_DIGITS 8
#define HALF	 (N_DIGITS / 2)

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void why_reference_write(uint64_t number, char out[WHY_REFERENCE_SIZE])
{
	char *p = out;

	for (int i = 0; i < N_DIGITS; i++) {
		if (i == HALF)
			*p++ = '-';
		*p++ = alphabet[number >> 5 * (N_DIGITS - 1 - i) & 31];
	}
	*p = '\0';
}

/* What the digit @c stands for, as people type it, or -1. */
static int digit_of(uint8_t c)
{
	const char *at;

	c = byte_lower(c);
	if (c == 'o')
		c = '0';
	if (c == 'i' || c == 'l')
		c = '1';
	if (c >= 'a' && c <= 'z')
		c -= 'a' - 'A';
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct bytes without_blanks(struct bytes a)
{
	while (a.len && is_blank(a.data[0]))
		a = bytes_from(a, 1);
	while (a.len && is_blank(a.data[a.len - 1]))
		a = bytes_first(a, a.len - 1);
	return a;
}

bool why_reference_read(struct bytes text, uint64_t *ret_number)
{
	struct bytes a = without_blanks(text);
	bool hyphen = a.len == N_DIGITS + 1 && a.data[HALF] == '-';
	uint64_t number = 0;

	if (a.len != N_DIGITS + (hyphen ? 1 : 0))
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (hyphen && i == HALF)
			continue;
		int digit = digit_of(a.data[i]);
		if (digit < 0)
			return false;
		number = number << 5 | (uint64_t)digit;
	}
	*ret_number = number;
	return true;
}
