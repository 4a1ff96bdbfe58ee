/* SPDX-License-Identifier: MIT */
/*
 * Base64 as handshake keys and credentials use it. The reader takes canonical
 * text only, so that two different texts never mean the same bytes.
 */
#include "base/base64.h"

#include <sesame/error.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes as four characters; what is missing becomes padding. */
static void encode_group(struct bytes in, char out[4])
{
	uint32_t bits = (uint32_t)in.data[0] << 16;

	if (in.len > 1)
		bits |= (uint32_t)in.data[1] << 8;
	if (in.len > 2)
		bits |= in.data[2];
	out[0] = alphabet[bits >> 18];
	out[1] = alphabet[bits >> 12 & 63];
	out[2] = in.len > 1 ? alphabet[bits >> 6 & 63] : '=';
	out[3] = in.len > 2 ? alphabet[bits & 63] : '=';
}

size_t ses_base64_encode(struct bytes in, char *out)
{
	size_t written = 0;

	for (; in.len; in = bytes_from(in, 3), written += 4)
		encode_group(bytes_first(in, 3), out + written);
	return written;
}

/* What a character stands for; those without OURS are foreign. */
#define OURS	  64
#define TWO(c, v) [c] = OURS | (v), [(c) + 1] = OURS | ((v) + 1)
#define EIGHT(c, v)                                              \
	TWO(c, v), TWO((c) + 2, (v) + 2), TWO((c) + 4, (v) + 4), \
		TWO((c) + 6, (v) + 6)
#define LETTERS(c, v)                                                    \
	EIGHT(c, v), EIGHT((c) + 8, (v) + 8), EIGHT((c) + 16, (v) + 16), \
		TWO((c) + 24, (v) + 24)

static const uint8_t values[256] = {
	LETTERS('A', 0), LETTERS('a', 26),  EIGHT('0', 52),
	TWO('8', 60),	 ['+'] = OURS | 62, ['/'] = OURS | 63,
};

/*
 * Four characters, @n + 1 of which are not padding, as @n bytes. False for a
 * foreign character or for stray bits after the last byte.
 */
static bool decode_group(const uint8_t in[4], size_t n, uint8_t out[3])
{
	uint8_t a = values[in[0]], b = values[in[1]];
	uint8_t c = n > 1 ? values[in[2]] : OURS;
	uint8_t d = n > 2 ? values[in[3]] : OURS;
	uint32_t bits =
		(a & 63u) << 18 | (b & 63u) << 12 | (c & 63u) << 6 | (d & 63u);

	if (!(a & b & c & d & OURS))
		return false;
	for (size_t i = 0; i < 3; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return (bits & (0xffffffu >> (8 * n))) == 0;
}

int ses_base64_decode(struct bytes in, uint8_t *out, size_t size,
		      size_t *ret_len)
{
	size_t len = 0;

	if (in.len % 4)
		return SESAME_EINVAL;
	for (; in.len; in = bytes_from(in, 4)) {
		uint8_t group[3];
		size_t n = 3;

		while (in.len == 4 && n > 1 && in.data[n] == '=')
			n--;
		if (!decode_group(in.data, n, group))
			return SESAME_EINVAL;
		if (n > size - len)
			return SESAME_ELIMIT;
		memcpy(out + len, group, n);
		len += n;
	}
	*ret_len = len;
	return 0;
}

/* Up to four characters of base64url as base64; false for a foreign one. */
static bool translate_group(struct bytes in, uint8_t out[4])
{
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];

		if (c == '+' || c == '/')
			return false;
		out[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	return in.len > 1;
}

int ses_base64url_decode(struct bytes in, uint8_t *out, size_t size,
			 size_t *ret_len)
{
	size_t len = 0;

	for (; in.len; in = bytes_from(in, 4)) {
		struct bytes part = bytes_first(in, 4);
		size_t n = part.len - 1;
		uint8_t group[4], decoded[3];

		if (!translate_group(part, group) ||
		    !decode_group(group, n, decoded))
			return SESAME_EINVAL;
		if (n > size - len)
			return SESAME_ELIMIT;
		memcpy(out + len, decoded, n);
		len += n;
	}
	*ret_len = len;
	return 0;
}
