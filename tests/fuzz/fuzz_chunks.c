/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as chunks: what came of the first half of them is what the whole
 * begins with, and an end that was seen stays where it is.
 */
#include "wire/chunks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ses_buf half, whole;
	int first, then;

	ses_buf_init(&half, 4096);
	ses_buf_init(&whole, 4096);
	first = ses_chunks_decode(bytes_of(data, size / 2), &half);
	then = ses_chunks_decode(bytes_of(data, size), &whole);
	if (first > 0 && (then <= 0 || ses_buf_len(&half) != ses_buf_len(&whole)))
		abort();
	if (!bytes_starts(ses_buf_bytes(&whole), ses_buf_bytes(&half)))
		abort();
	if (ses_buf_len(&whole) > size)
		abort();
	ses_buf_fini(&half);
	ses_buf_fini(&whole);
	return 0;
}
