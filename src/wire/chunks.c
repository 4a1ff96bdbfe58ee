/* SPDX-License-Identifier: MIT */
/*
 * Chunked coding (RFC 9112 section 7.1). Strict about line ends, because two
 * programs that see different ends of a chunk see different bodies; trailers
 * are not looked at.
 */
#include "wire/chunks.h"

#include <sesame/error.h>

#include "base/percent.h"

/* Read "1a;ext\r\n": 1, 0 when more is needed, or SESAME_EPROTO. */
static int read_chunk_head(struct bytes *in, size_t *ret_size)
{
	ptrdiff_t end = bytes_find_byte(*in, '\n');
	size_t size = 0, i = 0;

	if (end < 0)
		return in->len > 256 ? SESAME_EPROTO : 0;
	if (end == 0 || in->data[end - 1] != '\r')
		return SESAME_EPROTO;
	for (; i < (size_t)end && ses_hex_digit(in->data[i]) >= 0; i++) {
		if (size > SIZE_MAX >> 4)
			return SESAME_EPROTO;
		size = size << 4 | (size_t)ses_hex_digit(in->data[i]);
	}
	if (i == 0 ||
	    (in->data[i] != '\r' && in->data[i] != ';' && in->data[i] != ' '))
		return SESAME_EPROTO;
	*in = bytes_from(*in, (size_t)end + 1);
	*ret_size = size;
	return 1;
}

int ses_chunks_decode(struct bytes in, struct ses_buf *out)
{
	size_t size;
	int r;

	while ((r = read_chunk_head(&in, &size)) > 0 && size > 0) {
		r = ses_buf_append(out, bytes_first(in, size));
		if (r < 0)
			return SESAME_ELIMIT;
		if (in.len < 2 || size > in.len - 2)
			return 0;
		in = bytes_from(in, size);
		if (!bytes_starts(in, BYTES("\r\n")))
			return SESAME_EPROTO;
		in = bytes_from(in, 2);
	}
	return r;
}
