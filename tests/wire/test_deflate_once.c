/* SPDX-License-Identifier: MIT */
/*
 * Messages that refer to no other: that they end as those of zlib do, wherever
 * their last block ends, and keep to the window. Where the library was built
 * without libdeflate there is nothing to be tested.
 */
#include "test.h"

#include "wire/deflate.h"
#include "wire/deflate_block.h"

#include <sesame/error.h>

#include <stdlib.h>

#define MOST 40000

static const unsigned kinds[] = {2, 5, 17, 60, 120, 256};

/* Words of @kind letters, from near and far; the same each run. */
static void fill(uint8_t *text, size_t n, unsigned kind, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245u + 12345u;
		text[i] = (uint8_t)('0' + (seed >> 16) % kind);
		if (i > 200 && (seed >> 8) % 4)
			text[i] = text[i - 200];
	}
}

static bool can_do_it(void)
{
	uint8_t text[1000];
	struct ses_buf out;
	int error;

	fill(text, sizeof(text), 17, 1);
	ses_buf_init(&out, MOST);
	error = ses_deflate_once(15, bytes_of(text, sizeof(text)), &out);
	ses_buf_fini(&out);
	ses_deflate_forget_spares();
	return error == 0;
}

/* In parts of @part bytes; at the end of each message nothing is left open. */
static void assert_inflates(struct ses_inflate *z, struct bytes wire,
			    size_t part, struct bytes expected)
{
	struct ses_buf out;

	ses_buf_init(&out, expected.len);
	for (; wire.len > part; wire = bytes_from(wire, part))
		assert_int_equal(ses_inflate_feed(z, bytes_first(wire, part),
						  false, &out),
				 0);
	assert_int_equal(ses_inflate_feed(z, wire, true, &out), 0);
	assert_true(bytes_equal(ses_buf_bytes(&out), expected));
	ses_buf_fini(&out);
}

TEST("each is not final, ends where the next can follow, and is itself again")
{
	uint8_t *text = malloc(MOST);
	unsigned short_ends = 0, n = 0;

	if (!can_do_it())
		skip();
	for (size_t len = 1; len < 33000; len += 1 + len / 37)
		for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
			struct ses_inflate *z = ses_inflate_new(15, true);
			struct bytes in = bytes_of(text, len);
			struct ses_buf wire;
			int error;

			fill(text, len, kinds[kind], (uint32_t)len);
			ses_buf_init(&wire, MOST);
			error = ses_deflate_once(15, in, &wire);
			if (error == 0) {
				struct bytes b = ses_buf_bytes(&wire);

				assert_true(b.len <= len);
				assert_false(b.data[0] & SES_BLOCK_FINAL);
				/* not a word is said of the second's past */
				assert_inflates(z, b, SIZE_MAX, in);
				assert_inflates(z, b, SIZE_MAX, in);
				short_ends += b.data[b.len - 1] != 0;
				n++;
			} else {
				assert_true(error == SESAME_ELIMIT ||
					    error == SESAME_EAGAIN);
				assert_int_equal(ses_buf_len(&wire), 0);
			}
			ses_buf_fini(&wire);
			ses_inflate_free(z);
		}
	assert_true(n > 500 && short_ends > n / 10 && short_ends < n);
	ses_deflate_forget_spares();
	free(text);
}

TEST("a window that was agreed on is kept, or another has to do it")
{
	uint8_t *text = malloc(MOST);

	if (!can_do_it())
		skip();
	fill(text, MOST, 17, 3);
	for (unsigned bits = 9; bits <= 15; bits++) {
		size_t window = (size_t)1 << bits;
		struct ses_inflate *z = ses_inflate_new(bits, false);
		struct ses_buf wire;

		ses_buf_init(&wire, MOST);
		assert_int_equal(
			ses_deflate_once(bits, bytes_of(text, window + 1), &wire),
			SESAME_EAGAIN);
		assert_int_equal(
			ses_deflate_once(bits, bytes_of(text, window), &wire),
			0);
		/* by bytes, zlib has nothing but its window to look back to */
		assert_inflates(z, ses_buf_bytes(&wire), 1,
				bytes_of(text, window));
		ses_buf_fini(&wire);
		ses_inflate_free(z);
	}
	ses_deflate_forget_spares();
	free(text);
}

TEST("what gets no shorter is told, and has taken nothing")
{
	uint8_t noise[3000];
	struct ses_buf wire;
	uint64_t r = 1;

	if (!can_do_it())
		skip();
	for (size_t i = 0; i < sizeof(noise); i++) {
		r = r * 6364136223846793005u + 1442695040888963407u;
		noise[i] = (uint8_t)(r >> 56);
	}
	ses_buf_init(&wire, MOST);
	assert_int_equal(
		ses_deflate_once(15, bytes_of(noise, sizeof(noise)), &wire),
		SESAME_ELIMIT);
	assert_int_equal(ses_buf_len(&wire), 0);
	ses_buf_fini(&wire);
	ses_deflate_forget_spares();
}

TEST("the end of one block is found, and of others it is not said")
{
	static const struct {
		const char *what;
		struct bytes in;
	} none[] = {
		{"nothing", BYTES("")},
		{"one byte", BYTES("\x05")},
		{"not final",
		 BYTES("\x04\xc0\x81\x08\0\0\0\0\x20\x7f\xeb\x03")},
		{"fixed codes", BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00")},
		{"stored", BYTES("\x01\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f")},
		{"zeros", BYTES("\0\0\0\0\0\0\0\0")},
	};

	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		uint8_t *copy = test_guarded(none[i].in.data, none[i].in.len);

		if (ses_deflate_block_end(bytes_of(copy, none[i].in.len)) != 0)
			fail_msg("%s has an end", none[i].what);
		test_guard_free(copy, none[i].in.len);
	}
}

TEST("whatever bytes a block begins with, none behind it is looked at")
{
	uint8_t in[40];
	uint32_t r = 7;

	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)round % sizeof(in);
		uint8_t *copy;
		size_t end;

		for (size_t i = 0; i < len; i++) {
			r = r * 1103515245u + 12345u;
			in[i] = (uint8_t)(r >> 16);
		}
		if (len)
			in[0] = (uint8_t)(in[0] & 0xf8) | 5;
		copy = test_guarded(in, len);
		end = ses_deflate_block_end(bytes_of(copy, len));
		assert_true(end <= 8 * len);
		test_guard_free(copy, len);
	}
}
