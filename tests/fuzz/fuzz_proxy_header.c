/* SPDX-License-Identifier: MIT */
/*
 * PROXY headers: whole or byte by byte the outcome is the same, it is taken
 * from no more bytes than are there, and what was read can be written so that
 * it reads as the same.
 */
#include <assert.h>

#include "wire/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read as the bytes come; *ret_at is how many there were then. */
static int read_slowly(struct bytes in, struct ses_proxy_header *h,
		       size_t *ret_at)
{
	const char *why = NULL;
	int n = 0;

	for (*ret_at = 0; n == 0 && *ret_at < in.len;)
		n = ses_proxy_header_read(bytes_first(in, ++*ret_at), h, &why);
	assert((n < 0) == (why != NULL));
	return n;
}

static void write_back(const struct ses_proxy_header *h)
{
	uint8_t out[SES_PROXY_HEADER_WRITE];
	struct ses_proxy_header again;
	const char *why;
	int n = ses_proxy_header_write(h, out);

	assert(n > 0 && n <= SES_PROXY_HEADER_WRITE);
	assert(ses_proxy_header_read(bytes_of(out, (size_t)n), &again, &why) ==
	       n);
	assert((again.family == 0) == (h->family == 0));
	assert(memcmp(again.source, h->source, 16) == 0);
	assert(memcmp(again.destination, h->destination, 16) == 0);
	assert(again.source_port == h->source_port);
	assert(again.destination_port == h->destination_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct ses_proxy_header whole = {0}, slow = {0};
	const char *why = NULL;
	size_t at;
	int n = ses_proxy_header_read(in, &whole, &why);

	assert(n <= SES_PROXY_HEADER_MAX && n <= (int)size);
	assert((n < 0) == (why != NULL));
	assert(read_slowly(in, &slow, &at) == n);
	if (n <= 0)
		return 0;
	assert(at == (size_t)n); /* at once when its last byte is there */
	assert(whole.family == slow.family);
	assert(memcmp(whole.source, slow.source, 16) == 0);
	write_back(&whole);
	return 0;
}
