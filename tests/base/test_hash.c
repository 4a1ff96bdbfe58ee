/* SPDX-License-Identifier: MIT */
/* The keyed hash. */
#include "base/hash.h"

#include "test.h"

static uint64_t hash_of(const char *seed, struct bytes in)
{
	struct ses_hash h;

	ses_hash_init(&h, (const uint8_t *)seed);
	ses_hash_bytes(&h, in);
	return ses_hash_end(&h);
}

#define SEED "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17"

TEST("the hash of nothing is SipHash-1-3's")
{
	assert_true(hash_of(SEED, BYTES("")) == 0xabac0158050fc4dc);
}

TEST("every byte, its place and the seed count")
{
	uint8_t text[40] = {0};
	uint64_t seen[40 * 2 + 2];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(text); i++) {
		seen[n++] = hash_of(SEED, bytes_of(text, i));
		text[i] = 1;
		seen[n++] = hash_of(SEED, bytes_of(text, sizeof(text)));
		text[i] = 0;
	}
	seen[n++] = hash_of(SEED, bytes_of(text, sizeof(text)));
	seen[n++] = hash_of("another seed....", bytes_of(text, sizeof(text)));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(seen[i] != seen[k]);
}

TEST("the end can be asked for at any byte, and more can follow")
{
	struct bytes text = BYTES("/a/path/with/some/segments");
	struct ses_hash h;

	ses_hash_init(&h, (const uint8_t *)SEED);
	for (size_t i = 0; i < text.len; i++) {
		assert_true(ses_hash_end(&h) ==
			    hash_of(SEED, bytes_first(text, i)));
		ses_hash_byte(&h, text.data[i]);
	}
}
