/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a frame header: what decodes is encoded back to the same bytes,
 * and what is refused was not taken for something else when it was shorter.
 */
#include "wire/frame.h"

#include <sesame/error.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[SES_FRAME_HEAD_MAX];
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_frame frame;
	int n = ses_frame_decode(bytes_of(data, size), &frame, &fault);

	check(n == SESAME_EPROTO || (n >= 0 && (size_t)n <= size));
	check((n < 0) == (fault != SES_FAULT_NONE));
	check(n != 0 || size < SES_FRAME_HEAD_MAX);
	if (n > 0) {
		check(ses_frame_encode(&frame, again) == (size_t)n);
		check(memcmp(again, data, (size_t)n) == 0);
		check(frame.payload_len <= INT64_MAX);
	}
	for (size_t cut = 0; cut < size && cut < SES_FRAME_HEAD_MAX; cut++) {
		enum ses_fault early = SES_FAULT_NONE;
		int m = ses_frame_decode(bytes_of(data, cut), &frame, &early);

		check(m == 0 || (m == n && early == fault));
	}
	return 0;
}
