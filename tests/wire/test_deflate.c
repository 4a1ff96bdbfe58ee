/* SPDX-License-Identifier: MIT */
/*
 * permessage-deflate: the examples of RFC 7692 section 7.2.3, the bound, and
 * round trips under every parameter.
 */
#include "test.h"

#include "wire/deflate.h"

#include <sesame/error.h>

#include <stdlib.h>

static int inflate_one(struct ses_inflate *z, struct bytes in,
		       struct ses_buf *out)
{
	uint8_t *copy = test_guarded(in.data, in.len);
	int error = ses_inflate_feed(z, bytes_of(copy, in.len), true, out);

	test_guard_free(copy, in.len);
	return error;
}

#define HELLO "Hello"
/* Each is a run of compressed messages on one connection, all saying Hello. */
static const struct {
	const char *what;
	struct bytes messages[3];
} examples[] = {
	{"7.2.3.1: one block", {BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00")}},
	{"7.2.3.2: the window goes on",
	 {BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"),
	  BYTES("\xf2\x00\x11\x00\x00")}},
	{"7.2.3.3: a block without compression",
	 {BYTES("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")}},
	{"7.2.3.4: a block marked final",
	 {BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
	  BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
	  BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00")}},
	{"7.2.3.4: and nothing after it",
	 {BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00"),
	  BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00")}},
	{"7.2.3.4: the window outlives a final block",
	 {BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00"),
	  BYTES("\xf2\x00\x11\x00\x00")}},
	{"7.2.3.5: two blocks",
	 {BYTES("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")}},
};

TEST("the RFC's examples inflate to Hello")
{
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		struct ses_inflate *z = ses_inflate_new(15, true);

		for (size_t k = 0; k < 3; k++) {
			struct ses_buf out;

			if (!examples[i].messages[k].data)
				continue;
			ses_buf_init(&out, 5);
			if (inflate_one(z, examples[i].messages[k], &out) != 0)
				fail_msg("%s", examples[i].what);
			assert_true(bytes_equal_str(ses_buf_bytes(&out), HELLO));
			ses_buf_fini(&out);
		}
		ses_inflate_free(z);
	}
}

TEST("the RFC's examples inflate alike in any two parts")
{
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		struct bytes in = examples[i].messages[0];

		for (size_t cut = 0; cut <= in.len; cut++) {
			struct ses_inflate *z = ses_inflate_new(15, false);
			struct ses_buf out;

			ses_buf_init(&out, 100);
			assert_int_equal(ses_inflate_feed(z, bytes_first(in, cut),
							  false, &out),
					 0);
			assert_int_equal(
				inflate_one(z, bytes_from(in, cut), &out), 0);
			assert_true(bytes_equal_str(ses_buf_bytes(&out), HELLO));
			ses_buf_fini(&out);
			ses_inflate_free(z);
		}
	}
}

TEST("an empty message inflates, as one zero byte and as none, and again")
{
	struct ses_inflate *z = ses_inflate_new(15, true);
	struct ses_buf out;

	ses_buf_init(&out, 5);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(inflate_one(z, BYTES("\0"), &out), 0);
		assert_int_equal(inflate_one(z, BYTES(""), &out), 0);
		assert_int_equal(ses_buf_len(&out), 0);
		assert_int_equal(
			inflate_one(z, BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"),
				    &out),
			0);
		assert_int_equal(ses_buf_len(&out), 5);
		ses_buf_consume(&out, 5);
	}
	ses_buf_fini(&out);
	ses_inflate_free(z);
}

static const struct {
	const char *what;
	struct bytes in;
} broken[] = {
	{"a block type that is not defined", BYTES("\x07\x00")},
	{"a stored length that does not match", BYTES("\x00\x05\x00\x00\x00")},
	{"a reach back before the start", BYTES("\x02\x41\x00\x00")},
	{"a message cut in a stored block", BYTES("\x00\x06\x00\xf9\xff\x48")},
	{"a message cut in a code", BYTES("\xf2\x48\xcd")},
	{"garbage", BYTES("\xde\xad\xbe\xef\xde\xad\xbe\xef")},
};

TEST("data that is not deflate, or cut short, is refused")
{
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct ses_inflate *z = ses_inflate_new(15, true);
		struct ses_buf out;

		ses_buf_init(&out, 1000);
		if (inflate_one(z, broken[i].in, &out) != SESAME_EPROTO)
			fail_msg("%s was taken", broken[i].what);
		ses_buf_fini(&out);
		ses_inflate_free(z);
	}
}

/* Text with repeats near and far, so that windows matter; the same each run. */
static uint8_t *make_text(size_t n)
{
	uint8_t *text = malloc(n ? n : 1);
	uint32_t r = 1;

	for (size_t i = 0; i < n; i++) {
		r = r * 1103515245u + 12345u;
		text[i] = (uint8_t)('a' + (r >> 16) % 6);
		if (i > 30000 && (r >> 8) % 3)
			text[i] = text[i - 30000];
		else if (i > 300 && (r >> 9) % 3)
			text[i] = text[i - 300];
	}
	return text;
}

TEST("what is deflated inflates to itself, for every window and takeover")
{
	static const size_t sizes[] = {0, 1, 2, 250, 251, 1000, 40000, 0, 300};
	uint8_t *text = make_text(40000);

	for (unsigned bits = 9; bits <= 15; bits++)
		for (int takeover = 0; takeover < 2; takeover++) {
			struct ses_deflate *d = ses_deflate_new(bits, takeover);
			struct ses_inflate *z = ses_inflate_new(bits, takeover);

			for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
				struct bytes in = bytes_of(text, sizes[i]);
				struct ses_buf wire, out;

				ses_buf_init(&wire, 1 << 20);
				ses_buf_init(&out, sizes[i]);
				assert_int_equal(
					ses_deflate_message(d, in, &wire), 0);
				assert_int_equal(
					inflate_one(z, ses_buf_bytes(&wire),
						    &out),
					0);
				assert_true(bytes_equal(ses_buf_bytes(&out), in));
				ses_buf_fini(&wire);
				ses_buf_fini(&out);
			}
			ses_deflate_free(d);
			ses_inflate_free(z);
		}
	free(text);
}

TEST("a taken over window makes the second message shorter, forgetting undoes "
     "it")
{
	struct ses_deflate *d = ses_deflate_new(15, true);
	uint8_t *text = make_text(3000);
	size_t lens[3];

	for (int i = 0; i < 3; i++) {
		struct ses_buf out;

		ses_buf_init(&out, 1 << 20);
		if (i == 2)
			ses_deflate_forget(d);
		assert_int_equal(
			ses_deflate_message(d, bytes_of(text, 3000), &out), 0);
		lens[i] = ses_buf_len(&out);
		ses_buf_fini(&out);
	}
	assert_true(lens[1] < lens[0] / 3);
	assert_int_equal(lens[2], lens[0]);
	free(text);
	ses_deflate_free(d);
}

TEST("without takeover no message refers to the one before")
{
	struct ses_deflate *d = ses_deflate_new(15, false);
	uint8_t *text = make_text(3000);

	for (int i = 0; i < 3; i++) {
		struct ses_inflate *fresh = ses_inflate_new(15, true);
		struct ses_buf wire, out;

		ses_buf_init(&wire, 1 << 20);
		ses_buf_init(&out, 1 << 20);
		assert_int_equal(
			ses_deflate_message(d, bytes_of(text, 3000), &wire), 0);
		assert_int_equal(inflate_one(fresh, ses_buf_bytes(&wire), &out),
				 0);
		assert_int_equal(ses_buf_len(&out), 3000);
		ses_buf_fini(&wire);
		ses_buf_fini(&out);
		ses_inflate_free(fresh);
	}
	free(text);
	ses_deflate_free(d);
}

TEST("without takeover a message that refers to the one before is refused")
{
	for (int takeover = 0; takeover < 2; takeover++) {
		struct ses_inflate *z = ses_inflate_new(15, takeover);
		struct ses_buf out;

		ses_buf_init(&out, 10);
		assert_int_equal(
			inflate_one(z, BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"),
				    &out),
			0);
		assert_int_equal(
			inflate_one(z, BYTES("\xf2\x00\x11\x00\x00"), &out),
			takeover ? 0 : SESAME_EPROTO);
		ses_buf_fini(&out);
		ses_inflate_free(z);
	}
}

TEST("a bomb of 1000:1 stops at the limit and holds no more than the limit")
{
	static const size_t limits[] = {0, 1, 63, 64, 1000, 65536, 100000};
	struct ses_deflate *d = ses_deflate_new(15, false);
	size_t big = 10 << 20;
	uint8_t *zeros = calloc(1, big);
	struct ses_buf wire;

	ses_buf_init(&wire, 1 << 20);
	assert_int_equal(ses_deflate_message(d, bytes_of(zeros, big), &wire), 0);
	assert_true(ses_buf_len(&wire) < big / 200);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct ses_inflate *z = ses_inflate_new(15, true);
		struct ses_buf out;

		ses_buf_init(&out, limits[i]);
		assert_int_equal(inflate_one(z, ses_buf_bytes(&wire), &out),
				 SESAME_ELIMIT);
		assert_true(ses_buf_len(&out) <= limits[i]);
		assert_true(out.capacity <= limits[i] || out.capacity <= 64);
		ses_buf_fini(&out);
		ses_inflate_free(z);
	}
	ses_buf_fini(&wire);
	ses_deflate_free(d);
	free(zeros);
}

TEST("a message of just the limit passes, one byte more does not")
{
	uint8_t *text = make_text(5000);

	for (size_t len = 4999; len <= 5001; len++) {
		struct ses_deflate *d = ses_deflate_new(15, false);
		struct ses_inflate *z = ses_inflate_new(15, false);
		struct ses_buf wire, out;

		ses_buf_init(&wire, 1 << 20);
		ses_buf_init(&out, 5000);
		text = realloc(text, 5001);
		text[5000] = 'x';
		assert_int_equal(
			ses_deflate_message(d, bytes_of(text, len), &wire), 0);
		assert_int_equal(inflate_one(z, ses_buf_bytes(&wire), &out),
				 len > 5000 ? SESAME_ELIMIT : 0);
		ses_buf_fini(&wire);
		ses_buf_fini(&out);
		ses_deflate_free(d);
		ses_inflate_free(z);
	}
	free(text);
}

TEST("a compressor with too little room says so")
{
	struct ses_deflate *d = ses_deflate_new(15, true);
	uint8_t *text = make_text(40000);
	struct ses_buf out;

	ses_buf_init(&out, 1000);
	assert_int_equal(ses_deflate_message(d, bytes_of(text, 40000), &out),
			 SESAME_ELIMIT);
	assert_true(ses_buf_len(&out) <= 1000);
	ses_buf_fini(&out);
	ses_deflate_free(d);
	free(text);
}

TEST("zlib has no window of 8 bits, so none is compressed for")
{
	for (unsigned bits = 0; bits < 100; bits++)
		assert_int_equal(ses_deflate_can(bits), bits >= 9 && bits < 16);
}

TEST("a body in gzip, zlib or bare deflate is read, cut or not, and bounded")
{
	static const struct {
		const char *what;
		struct bytes in;
		int error;
	} rows[] = {
		{"zlib", BYTES("\x78\x9c\xf3\x48\xcd\xc9\xc9\x07\x00\x05\x8c"
			       "\x01\xf5"),
		 0},
		{"zlib without its sum",
		 BYTES("\x78\x9c\xf3\x48\xcd\xc9\xc9\x07\x00"), 0},
		{"gzip", BYTES("\x1f\x8b\x08\0\0\0\0\0\x02\x03\xf3\x48\xcd\xc9"
			       "\xc9\x07\x00\x82\x89\xd1\xf7\x05\0\0\0"),
		 0},
		{"bare", BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00"), 0},
		{"none of them", BYTES("\xff\xff\xff\xff"), SESAME_EPROTO},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *copy = test_guarded(rows[i].in.data, rows[i].in.len);
		struct bytes in = bytes_of(copy, rows[i].in.len);
		struct ses_buf out;

		ses_buf_init(&out, 64);
		if (ses_inflate_body(in, &out) != rows[i].error)
			fail_msg("%s", rows[i].what);
		if (!rows[i].error &&
		    !bytes_equal_str(ses_buf_bytes(&out), "Hello"))
			fail_msg("%s: other words", rows[i].what);
		ses_buf_fini(&out);
		ses_buf_init(&out, 3);
		if (!rows[i].error)
			assert_int_equal(ses_inflate_body(in, &out),
					 SESAME_ELIMIT);
		assert_true(ses_buf_len(&out) <= 3);
		ses_buf_fini(&out);
		test_guard_free(copy, rows[i].in.len);
	}
}
