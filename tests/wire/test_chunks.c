/* SPDX-License-Identifier: MIT */
/* Chunks whole, cut, and not lawful. */
#include "wire/chunks.h"

#include <sesame/error.h>

#include "test.h"

TEST("chunks cut at every byte come out whole or not yet")
{
	static const char text[] = "4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n";
	size_t whole = strlen(text) - 2; /* up to the last chunk's own line */

	for (size_t n = 0; n <= strlen(text); n++) {
		uint8_t *copy = test_guarded(text, n);
		struct ses_buf out;
		int r;

		ses_buf_init(&out, 64);
		r = ses_chunks_decode(bytes_of(copy, n), &out);
		assert_int_equal(r, n >= whole);
		if (r == 1)
			assert_true(bytes_equal_str(ses_buf_bytes(&out),
						    "Wikipedia"));
		ses_buf_fini(&out);
		test_guard_free(copy, n);
	}
}

TEST("what are no chunks is an error, and so is too much")
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{"x\r\n", SESAME_EPROTO},
		{"\r\n", SESAME_EPROTO},
		{"4\nWiki\r\n", SESAME_EPROTO},
		{"4\r\nWikixx", SESAME_EPROTO},
		{"-1\r\n", SESAME_EPROTO},
		{"4 4\r\nabcd\r\n", 0},
		{"ffffffffffffffff\r\nabc", 0},
		{"fffffffffffffffff\r\nabc", SESAME_EPROTO},
		{"9\r\n123456789\r\n0\r\n\r\n", SESAME_ELIMIT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_buf out;
		int r;

		ses_buf_init(&out, 8);
		r = ses_chunks_decode(bytes_of_str(rows[i].text), &out);
		if (r != rows[i].error)
			fail_msg("%s gave %d", rows[i].text, r);
		ses_buf_fini(&out);
	}
}
