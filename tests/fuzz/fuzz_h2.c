/* SPDX-License-Identifier: MIT */
/*
 * Whatever a server of HTTP/2 says, it is read within bounds, in one part or in
 * many, and what we say to it comes to an end. The first byte is the size of
 * the parts.
 */
#include "doctor/h2.h"

#include <stdlib.h>

#include <sesame/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More than this nobody asks of us in so few bytes. */
#define MOST_OUTPUT (1 << 20)

static void drain(struct doctor_h2 *h)
{
	struct bytes out;
	size_t sum = 0;

	while ((out = doctor_h2_output(h)).len > 0) {
		sum += out.len;
		if (sum > MOST_OUTPUT)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct doctor_request request;
	struct bytes in = bytes_of(data, size);
	size_t part = size ? data[0] + 1u : 1;
	struct doctor_h2 h;
	int r = 0;

	request.upgrade.host = BYTES("h.example");
	request.upgrade.target = BYTES("/live?x=1");
	request.upgrade.origin = BYTES("https://a.example");
	request.upgrade.protocols = BYTES("a, b");
	if (doctor_h2_init(&h, &request) < 0)
		abort();
	drain(&h);
	in = bytes_from(in, 1);
	while (in.len > 0 && r == 0) {
		r = doctor_h2_feed(&h, bytes_first(in, part));
		in = bytes_from(in, part);
		drain(&h);
		if (ses_buf_len(&h.data) > 3) {
			ses_buf_consume(&h.data, ses_buf_len(&h.data));
			doctor_h2_send(&h, BYTES("frame"));
		}
	}
	if (r < 0 && r != SESAME_EPROTO)
		abort();
	if (h.has_head && h.status < 200)
		abort();
	doctor_h2_fini(&h);
	return 0;
}
