/* SPDX-License-Identifier: MIT */
/* Static tokens: the file, looking one up, and that no time tells of it. */
#include "gate/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gate/digests.h"
#include "test.h"

static struct gate_complaints wrong;

static struct gate_tokens *read_tokens(struct bytes text)
{
	uint8_t *copy = test_guarded(text.data, text.len);
	struct gate_secret_file file = {
		"t", bytes_of(copy, text.len), {4, 1}, &wrong};
	struct gate_tokens *tokens;

	wrong.n = 0;
	tokens = gate_tokens_read(&file);
	test_guard_free(copy, text.len);
	assert_int_equal(tokens != NULL, wrong.n == 0);
	return tokens;
}

static const char *name_of(const struct gate_tokens *tokens, const char *token)
{
	unsigned line;

	return gate_tokens_find(tokens, bytes_of_str(token), &line);
}

/* SHA-256 of "abc" (FIPS 180-2), of "", and of 56 bytes (NIST's examples). */
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define LONG  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"

TEST("a token is known by its digest")
{
	struct gate_tokens *tokens = read_tokens(
		BYTES("# who may\n\npublisher:" ABC "\n  robot : " LONG "  \r\n"
		      "publisher:4F8B42C22DD3729B519BA6F68D2DA7CC5B2D606D05DAE"
		      "D5AD5128CC03E6C6358"));
	unsigned line = 0;

	assert_non_null(tokens);
	assert_int_equal(gate_tokens_count(tokens), 3);
	assert_string_equal(name_of(tokens, "abc"), "publisher");
	assert_string_equal(name_of(tokens, "abcdbcdecdefdefgefghfghighijhijkij"
					    "kljklmklmnlmnomnopnopq"),
			    "robot");
	assert_non_null(gate_tokens_find(tokens, BYTES("abc"), &line));
	assert_int_equal(line, 3);
	assert_null(name_of(tokens, ""));
	assert_null(name_of(tokens, "abd"));
	assert_null(name_of(tokens, "abcd"));
	assert_null(name_of(tokens, ABC));
	assert_null(name_of(tokens, "publisher"));
	gate_tokens_free(tokens);
}

TEST("a file of tokens with a fault is refused, each with its line")
{
	static const struct {
		const char *text, *wrong;
	} bad[] = {
		{"", "t: has no token"},
		{"#\n", "t: has no token"},
		{"abc\n", "t:1: the line has no colon: a line is NAME:SHA256"},
		{"\n:" ABC, "t:2: the line needs a name of 1 to 64 bytes "
			    "before its colon"},
		{"a b:" ABC, "t:1: the line has a name with a blank or a byte "
			     "that is not ASCII"},
		{"a\x1b:" ABC, "t:1: the line has a name with a blank or a "
			       "byte that is not ASCII"},
		{"a:mytoken",
		 "t:1: the line has no SHA-256, which is 64 "
		 "digits; `printf %s TOKEN | sha256sum` writes it"},
		{"a:" ABC "0", "t:1: the line has no SHA-256, which is 64 "
			       "digits; `printf %s TOKEN | sha256sum` writes "
			       "it"},
		{"a:" ABC "\nb:" ABC, "t:2: the line is a token that stands in "
				      "the file before"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(read_tokens(bytes_of_str(bad[i].text)));
		assert_string_equal(wrong.list[0].text, bad[i].wrong);
	}
	/* What a token is, is no secret to be told of. */
	for (size_t i = 0; i < wrong.n; i++)
		assert_null(strstr(wrong.list[i].text, "mytoken"));
}

TEST("a file of tokens that is cut anywhere is refused or shorter")
{
	static const char text[] = "a:" ABC "\nb:" LONG "\n";

	for (size_t len = 0; len < strlen(text); len++) {
		struct gate_tokens *tokens = read_tokens(bytes_of(text, len));

		assert_int_equal(tokens != NULL,
				 (len >= 66 && len <= 67) || len == 133);
		gate_tokens_free(tokens);
	}
}

TEST("any bit of a digest counts, wherever it stands in the list")
{
	struct gate_digests d = {0};
	uint8_t digest[SES_SHA256_LEN] = {0};

	for (int i = 0; i < 300; i++) {
		digest[0] = (uint8_t)i;
		digest[31] = (uint8_t)(i >> 8);
		assert_int_equal(gate_digests_find(&d, digest), d.n);
		assert_true(gate_digests_add(&d, digest));
	}
	for (size_t i = 0; i < 300; i++) {
		memcpy(digest, d.list[i], sizeof(digest));
		assert_int_equal(gate_digests_find(&d, digest), i);
		for (size_t bit = 32; bit < 240; bit++) {
			digest[bit / 8] ^= 1 << bit % 8;
			assert_int_equal(gate_digests_find(&d, digest), 300);
			digest[bit / 8] ^= 1 << bit % 8;
		}
	}
	gate_digests_fini(&d);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The fastest of many runs: what others do on the machine only adds. */
static double best_us(const struct gate_digests *d, const uint8_t *digest)
{
	double best = 1e9;

	for (int i = 0; i < 400; i++) {
		double from = now_us(), took;

		gate_digests_find(d, digest);
		took = now_us() - from;
		best = took < best ? took : best;
	}
	return best;
}

TEST("the first, the last and none take the same time to look up")
{
	struct gate_digests d = {0};
	uint8_t digest[SES_SHA256_LEN] = {0};
	double first, last, none;

	for (int i = 0; i < GATE_MAX_DIGESTS; i++) {
		memcpy(digest, &i, sizeof(i));
		assert_true(gate_digests_add(&d, digest));
	}
	assert_false(gate_digests_add(&d, digest));
	first = best_us(&d, d.list[0]);
	last = best_us(&d, d.list[d.n - 1]);
	digest[31] = 1;
	none = best_us(&d, digest);
	/* One that stops early would need a thousandth for the first. */
	if (first < 0.5 * last || last < 0.5 * first || none < 0.5 * first ||
	    first < 0.5 * none)
		fail_msg("first %.1f us, last %.1f us, none %.1f us", first,
			 last, none);
	gate_digests_fini(&d);
}
