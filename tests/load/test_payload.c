/* SPDX-License-Identifier: MIT */
#include "load/payload.h"
#include "test.h"

TEST("sizes are numbers, ranges, and both with weights")
{
	static const struct {
		const char *text;
		unsigned n;
		uint32_t from, to, weights, most; /* of the last range; of all */
	} rows[] = {
		{"20", 1, 20, 20, 1, 20},
		{"0", 1, 0, 0, 1, 0},
		{"125-1024", 1, 125, 1024, 1, 1024},
		{"16K", 1, 16384, 16384, 1, 16384},
		{"1K-2K:3", 1, 1024, 2048, 3, 2048},
		{"64:9,16K:1", 2, 16384, 16384, 10, 16384},
		{"64M", 1, 64 << 20, 64 << 20, 1, 64 << 20},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct load_sizes s;

		assert_true(load_sizes_read(rows[i].text, &s));
		assert_int_equal(s.n, rows[i].n);
		assert_int_equal(s.ranges[s.n - 1].from, rows[i].from);
		assert_int_equal(s.ranges[s.n - 1].to, rows[i].to);
		assert_int_equal(s.weights, rows[i].weights);
		assert_int_equal(s.most, rows[i].most);
	}
}

TEST("what is no size is not read")
{
	static const char *const texts[] = {
		"",    "x",	"-1",	"20-10",	"20-",	   "20:0",
		"20:", "20,",	",20",	"20 ",		"65M",	   "1G",
		"1e3", "20,,30", "0x14", "99999999999999999999", "5-4K:x",
		"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct load_sizes s = {.n = 77};

		if (load_sizes_read(texts[i], &s))
			fail_msg("\"%s\" was read", texts[i]);
		assert_int_equal(s.n, 77);
	}
}

TEST("a key tells a message, and others tell others")
{
	struct load_payload p;
	struct load_sizes sizes;
	bool binary, again;
	unsigned n_binary = 0, n_long = 0, n_same = 0;

	assert_true(load_sizes_read("40-60:3,1000:1", &sizes));
	assert_int_equal(load_payload_init(&p, &sizes, LOAD_BOTH), 0);
	for (uint64_t i = 0; i < 4000; i++) {
		uint64_t key = load_key(1, i), other = load_key(2, i);
		struct bytes m = load_message(&p, key, &binary);

		assert_true(m.len == 1000 || (m.len >= 40 && m.len <= 60));
		assert_true(bytes_equal(m, load_message(&p, key, &again)));
		assert_true(binary == again);
		n_binary += binary;
		n_long += m.len == 1000;
		n_same += bytes_equal(m, load_message(&p, other, &again));
	}
	assert_in_range(n_binary, 1800, 2200);
	assert_in_range(n_long, 850, 1150);
	assert_in_range(n_same, 0, 4);
	load_payload_fini(&p);
}

TEST("text is ASCII wherever it is cut")
{
	struct load_payload p;
	struct load_sizes sizes;
	bool binary;

	assert_true(load_sizes_read("1-3000", &sizes));
	assert_int_equal(load_payload_init(&p, &sizes, LOAD_TEXT), 0);
	for (uint64_t i = 0; i < 1000; i++) {
		struct bytes m = load_message(&p, load_key(7, i), &binary);

		assert_false(binary);
		for (size_t k = 0; k < m.len; k++)
			assert_in_range(m.data[k], 32, 126);
	}
	load_payload_fini(&p);
}
