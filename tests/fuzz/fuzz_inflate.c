/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as compressed messages: never more than the limit comes out, the
 * same comes out of one part and of many, and what our compressors make of any
 * bytes inflates to them. The first byte chooses window, takeover and limit;
 * then each message has its length before it.
 */
#include "wire/deflate.h"
#include "wire/deflate_block.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int inflate_in_parts(struct ses_inflate *z, struct bytes in, size_t part,
			    struct ses_buf *out)
{
	int error = 0;

	do {
		struct bytes head = bytes_first(in, part);

		in = bytes_from(in, part);
		error = ses_inflate_feed(z, head, in.len == 0, out);
		check(ses_buf_len(out) <= out->limit);
		check(out->capacity <= (out->limit > 64 ? out->limit : 64));
	} while (in.len && !error);
	return error;
}

static void inflate_messages(struct bytes in, unsigned bits, bool takeover,
			     size_t limit)
{
	struct ses_inflate *one = ses_inflate_new(bits, takeover);
	struct ses_inflate *many = ses_inflate_new(bits, takeover);
	int error = 0;

	while (in.len && !error) {
		struct bytes message =
			bytes_first(bytes_from(in, 1), in.data[0]);
		struct ses_buf a, b;

		ses_buf_init(&a, limit);
		ses_buf_init(&b, limit);
		error = inflate_in_parts(one, message, SIZE_MAX, &a);
		check(inflate_in_parts(many, message, 1, &b) == error);
		check(bytes_equal(ses_buf_bytes(&a), ses_buf_bytes(&b)));
		in = bytes_from(in, 1 + message.len);
		ses_buf_fini(&a);
		ses_buf_fini(&b);
	}
	ses_inflate_free(one);
	ses_inflate_free(many);
}

static void round_trip(struct bytes in, unsigned bits, bool takeover)
{
	unsigned lawful = bits < 9 ? 9 : bits;
	struct ses_deflate *d = ses_deflate_new(lawful, takeover);
	struct ses_inflate *z = ses_inflate_new(lawful, takeover);

	for (int i = 0; i < 2; i++) {
		struct ses_buf wire, out;

		ses_buf_init(&wire, 1 << 24);
		ses_buf_init(&out, in.len);
		check(ses_deflate_message(d, in, &wire) == 0);
		check(ses_inflate_feed(z, ses_buf_bytes(&wire), true, &out) == 0);
		check(bytes_equal(in, ses_buf_bytes(&out)));
		ses_buf_fini(&wire);
		ses_buf_fini(&out);
	}
	ses_deflate_free(d);
	ses_inflate_free(z);
}

/* What needs no memory of earlier messages, twice on one connection. */
static void round_trip_once(struct bytes in, unsigned bits)
{
	unsigned lawful = bits < 9 ? 9 : bits;
	struct ses_inflate *z = ses_inflate_new(lawful, true);
	struct ses_buf wire;

	ses_buf_init(&wire, 1 << 24);
	for (int i = 0; i < 2 && ses_deflate_once(lawful, in, &wire) == 0; i++) {
		struct ses_buf out;

		ses_buf_init(&out, in.len);
		check(ses_inflate_feed(z, ses_buf_bytes(&wire), true, &out) == 0);
		check(bytes_equal(in, ses_buf_bytes(&out)));
		ses_buf_fini(&out);
		ses_buf_release(&wire);
	}
	ses_buf_fini(&wire);
	ses_inflate_free(z);
	check(ses_deflate_block_end(in) <= 8 * in.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t limits[] = {10, 300, 5000, 1 << 20};
	struct bytes in = bytes_of(data, size);
	uint8_t choice = size ? data[0] : 0;

	in = bytes_from(in, 1);
	inflate_messages(in, 8 + (choice & 7), choice & 8,
			 limits[choice >> 4 & 3]);
	round_trip(in, 8 + (choice & 7), choice & 8);
	round_trip_once(in, 8 + (choice & 7));
	return 0;
}
