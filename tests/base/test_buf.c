/* SPDX-License-Identifier: MIT */
/* The byte queue against a plain model of it, and its ceiling. */
#include "test.h"

#include "base/buf.h"

#include <sesame/error.h>

#include <stdio.h>
#include <stdlib.h>

TEST("a new queue is empty, holds nothing and may be ended twice")
{
	struct ses_buf b;

	ses_buf_init(&b, 10);
	assert_null(b.data);
	assert_int_equal(ses_buf_bytes(&b).len, 0);
	ses_buf_fini(&b);
	ses_buf_fini(&b);
	ses_buf_release(&b);
}

TEST("a queue takes up to its limit and not a byte more")
{
	static const size_t limits[] = {0, 1, 10, 63, 64, 65, 1000};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct ses_buf b;

		ses_buf_init(&b, limits[i]);
		for (size_t n = 0; n < limits[i]; n++)
			assert_int_equal(ses_buf_append(&b, BYTES("x")), 0);
		assert_int_equal(ses_buf_append(&b, BYTES("x")), SESAME_ELIMIT);
		assert_int_equal(ses_buf_append_str(&b, "xy"), SESAME_ELIMIT);
		assert_int_equal(ses_buf_printf(&b, "%d", 1), SESAME_ELIMIT);
		assert_null(ses_buf_room(&b, 1));
		assert_null(ses_buf_room(&b, SIZE_MAX));
		assert_int_equal(ses_buf_append(&b, BYTES("")), 0);
		assert_int_equal(ses_buf_len(&b), limits[i]);
		ses_buf_fini(&b);
	}
}

TEST("room for nothing is still an address")
{
	struct ses_buf b;

	ses_buf_init(&b, 0);
	assert_non_null(ses_buf_room(&b, 0));
	ses_buf_fini(&b);
}

TEST("an absurd room is refused, not wrapped")
{
	struct ses_buf b;

	ses_buf_init(&b, SIZE_MAX);
	assert_int_equal(ses_buf_append_str(&b, "abc"), 0);
	assert_null(ses_buf_room(&b, SIZE_MAX));
	assert_null(ses_buf_room(&b, SIZE_MAX - 2));
	assert_int_equal(ses_buf_printf(&b, "%s", "d"), 0);
	assert_true(bytes_equal_str(ses_buf_bytes(&b), "abcd"));
	ses_buf_fini(&b);
}

TEST("a formatted text fills a queue to its very limit")
{
	struct ses_buf b;

	ses_buf_init(&b, 100);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ses_buf_printf(&b, "%010d", i), 0);
	assert_int_equal(ses_buf_len(&b), 100);
	assert_int_equal(ses_buf_printf(&b, "x"), SESAME_ELIMIT);
	assert_int_equal(b.limit, 100);
	ses_buf_fini(&b);
}

TEST("memory follows what arrived: never more than twice, and the smallest")
{
	struct ses_buf b;

	ses_buf_init(&b, SIZE_MAX);
	for (size_t n = 1; n < 100000; n++) {
		ses_buf_append(&b, BYTES("x"));
		assert_true(b.capacity <= 64 || b.capacity < 2 * n);
	}
	ses_buf_release(&b);
	assert_null(b.data);
	assert_int_equal(b.capacity, 0);
	assert_int_equal(ses_buf_append(&b, BYTES("again")), 0);
	ses_buf_fini(&b);
}

#ifndef SES_NO_SPARES
/* Fill with more than the smallest block that is kept; the block. */
static uint8_t *fill(struct ses_buf *b, size_t n)
{
	uint8_t *room;

	ses_buf_init(b, 32 << 20);
	assert_int_equal(ses_buf_append(b, BYTES("head")), 0);
	room = ses_buf_room(b, n);
	memset(room, 'x', n);
	ses_buf_commit(b, n);
	assert_memory_equal(b->data, "headx", 5);
	return b->data;
}

TEST("a big block that was given back serves the next queue that needs one")
{
	struct ses_buf a, b;
	uint8_t *block = fill(&a, 300000);

	ses_buf_fini(&a);
	assert_ptr_equal(fill(&b, 200000), block);
	assert_true(b.capacity >= 300000);
	assert_ptr_not_equal(fill(&a, 200000), block);
	ses_buf_fini(&b);
	ses_buf_fini(&a);
	/* small ones do not come from there, and forgetting is for all */
	ses_buf_init(&b, 100);
	assert_int_equal(ses_buf_append(&b, BYTES("small")), 0);
	assert_true(b.capacity <= 100);
	ses_buf_fini(&b);
	ses_buf_forget_spares();
	ses_buf_forget_spares();
}

TEST("a block that was given back serves no queue whose limit it would break")
{
	struct ses_buf large, small;

	ses_buf_init(&large, 1 << 20);
	assert_non_null(ses_buf_room(&large, 1 << 20));
	ses_buf_fini(&large);
	ses_buf_init(&small, 300000);
	assert_non_null(ses_buf_room(&small, 200000));
	assert_true(small.capacity <= 300000);
	ses_buf_fini(&small);
	ses_buf_forget_spares();
}

TEST("no more than eight blocks are kept, and none of over 16 MiB")
{
	struct ses_buf b[10];
	uint8_t *last;

	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		last = fill(&b[i], i == 0 ? 17 << 20 : 150000);
	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		ses_buf_fini(&b[i]);
	assert_true(ses_buf_spare_bytes() < 8 << 20);
	for (size_t i = 0; i < 8; i++) {
		assert_ptr_not_equal(fill(&b[i], 150000), last);
		assert_true(b[i].capacity < 1 << 20);
	}
	assert_int_equal(ses_buf_spare_bytes(), 0);
	for (size_t i = 0; i < 8; i++)
		ses_buf_fini(&b[i]);
	ses_buf_forget_spares();
	assert_int_equal(ses_buf_spare_bytes(), 0);
}

TEST("a block that nobody took between two looks is freed, and no other is")
{
	struct ses_buf a, b;
	uint8_t *block = fill(&a, 300000);

	fill(&b, 200000);
	ses_buf_fini(&a);
	ses_buf_fini(&b);
	ses_buf_tidy_spares();
	assert_ptr_equal(fill(&a, 300000), block);
	ses_buf_fini(&a);
	ses_buf_tidy_spares();
	assert_in_range(ses_buf_spare_bytes(), 300000, 1 << 20);
	assert_ptr_equal(fill(&a, 300000), block);
	ses_buf_fini(&a);
	ses_buf_tidy_spares();
	ses_buf_tidy_spares();
	assert_int_equal(ses_buf_spare_bytes(), 0);
}

TEST("the blocks that are kept are 32 MiB together at most")
{
	struct ses_buf b[5];

	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		fill(&b[i], 10 << 20);
	for (size_t i = 0; i < ARRAY_LEN(b); i++) {
		ses_buf_fini(&b[i]);
		assert_true(ses_buf_spare_bytes() <= 32 << 20);
	}
	assert_true(ses_buf_spare_bytes() > 16 << 20);
	ses_buf_forget_spares();
}
#endif

TEST("a queue that is used as a queue keeps its size")
{
	struct ses_buf b;

	ses_buf_init(&b, 1 << 20);
	for (int i = 0; i < 100000; i++) {
		ses_buf_append(&b, BYTES("0123456789"));
		if (i >= 5)
			ses_buf_consume(&b, 10);
	}
	assert_int_equal(ses_buf_len(&b), 50);
	assert_true(b.capacity <= 256);
	ses_buf_fini(&b);
}

/* Appends and consumes of all sizes, checked against a counter's bytes. */
TEST("what goes in comes out, in order, under any mix of calls")
{
	size_t in = 0, out = 0;
	uint32_t r = 1;
	struct ses_buf b;

	ses_buf_init(&b, 5000);
	for (int i = 0; i < 20000; i++) {
		size_t n = (r = r * 1103515245u + 12345u) >> 16 & 1023;
		uint8_t *room = r & 1 ? ses_buf_room(&b, n) : NULL;

		if (room) {
			for (size_t k = 0; k < n; k++)
				room[k] = (uint8_t)(in + k);
			ses_buf_commit(&b, n);
			in += n;
		} else {
			n = n < ses_buf_len(&b) ? n : ses_buf_len(&b);
			ses_buf_consume(&b, n);
			out += n;
		}
		assert_int_equal(ses_buf_len(&b), in - out);
		assert_true(b.capacity <= 5000);
		if (ses_buf_len(&b)) {
			assert_int_equal(ses_buf_bytes(&b).data[0],
					 (uint8_t)out);
			assert_int_equal(b.data[b.end - 1], (uint8_t)(in - 1));
		}
	}
	assert_true(in > 100000);
	ses_buf_fini(&b);
}

TEST("a limit lowered below the length lets nothing in and ends nothing")
{
	struct ses_buf b;

	ses_buf_init(&b, 1000);
	assert_int_equal(ses_buf_append(&b, BYTES("0123456789")), 0);
	b.limit = 4;
	assert_null(ses_buf_room(&b, 100));
	assert_int_equal(ses_buf_append(&b, BYTES("x")), SESAME_ELIMIT);
	assert_int_equal(ses_buf_printf(&b, "%d", 1), SESAME_ELIMIT);
	assert_true(bytes_equal_str(ses_buf_bytes(&b), "0123456789"));
	ses_buf_fini(&b);
}
