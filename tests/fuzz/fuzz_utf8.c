/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as text: judged as a plain reading of RFC 3629 judges them, whole
 * and cut at a place that the first byte chooses.
 */
#include "wire/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length of the character at the start of @in, 0 when there is none. */
static size_t character(struct bytes in)
{
	uint8_t a = in.data[0], b = in.len > 1 ? in.data[1] : 0;
	size_t n = a < 0x80 ? 1 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;

	if (n == 1)
		return 1;
	if (a < 0xc2 || a > 0xf4 || in.len < n)
		return 0;
	if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) ||
	    (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f))
		return 0;
	for (size_t i = 1; i < n; i++)
		if (in.data[i] >> 6 != 2)
			return 0;
	return n;
}

static bool plainly_valid(struct bytes in)
{
	size_t n;

	for (; in.len; in = bytes_from(in, n)) {
		n = character(in);
		if (n == 0)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct ses_utf8 u = {0};
	size_t cut = size ? data[0] % (size + 1) : 0;
	bool valid = plainly_valid(in);
	bool parts = ses_utf8_feed(&u, bytes_first(in, cut)) &&
		     ses_utf8_feed(&u, bytes_from(in, cut)) && ses_utf8_done(&u);

	if (ses_utf8_valid(in) != valid || parts != valid)
		abort();
	return 0;
}
