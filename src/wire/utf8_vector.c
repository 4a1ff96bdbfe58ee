/* SPDX-License-Identifier: MIT */
/*
 * 32 bytes at a time, each with those before it: what a byte may not follow is
 * in three tables of sixteen, by the halves of two neighbours, and what is left
 * is whether a third and a fourth byte stand where their lead wants them
 * (J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One Instruction Per
 * Byte", 2021, have the idea).
 */
#include "wire/utf8_vector.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define AVX2  __attribute__((target("avx2")))
#define BLOCK sizeof(__m256i)

/* Why a byte may not follow another; a pair is wrong for what all three say. */
enum {
	CUT = 1 << 0,	    /* a lead, and no tail behind it */
	STRAY = 1 << 1,	    /* a tail behind ASCII */
	LONG_E0 = 1 << 2,   /* overlong: E0 80..9F */
	PAST_F4 = 1 << 3,   /* past U+10FFFF: F4 90 and more */
	SURROGATE = 1 << 4, /* ED A0..BF */
	LONG_C0 = 1 << 5,   /* overlong: C0, C1 */
	LONG_F0 = 1 << 6,   /* overlong: F0 80..8F */
	PAST_F5 = 1 << 6,   /* past U+10FFFF: F5 and more, 80..8F */
	TAILS = 1 << 7,	    /* two tails: right behind E0..F4 only */
};

/* By the first byte's upper half, */
static const uint8_t lead_upper[16] = {
	[0x0 ... 0x7] = STRAY,
	[0x8 ... 0xb] = TAILS,
	[0xc] = CUT | LONG_C0,
	[0xd] = CUT,
	[0xe] = CUT | LONG_E0 | SURROGATE,
	[0xf] = CUT | PAST_F4 | PAST_F5 | LONG_F0,
};

/* by its lower half, */
#define ANY (CUT | STRAY | TAILS)
static const uint8_t lead_lower[16] = {
	[0x0] = ANY | LONG_C0 | LONG_E0 | LONG_F0,
	[0x1] = ANY | LONG_C0,
	[0x2 ... 0x3] = ANY,
	[0x4] = ANY | PAST_F4,
	[0x5 ... 0xc] = ANY | PAST_F4 | PAST_F5,
	[0xd] = ANY | PAST_F4 | PAST_F5 | SURROGATE,
	[0xe ... 0xf] = ANY | PAST_F4 | PAST_F5,
};

/* and by the second byte's upper half. */
static const uint8_t next_upper[16] = {
	[0x0 ... 0x7] = CUT,
	[0x8] = STRAY | TAILS | LONG_C0 | LONG_E0 | LONG_F0 | PAST_F5,
	[0x9] = STRAY | TAILS | LONG_C0 | LONG_E0 | PAST_F4,
	[0xa ... 0xb] = STRAY | TAILS | LONG_C0 | SURROGATE | PAST_F4,
	[0xc ... 0xf] = CUT,
};

AVX2 static inline __m256i look_up(const uint8_t table[16], __m256i halves)
{
	__m128i row = _mm_loadu_si128((const __m128i *)table);

	return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(row), halves);
}

AVX2 static inline __m256i upper_half(__m256i bytes)
{
	return _mm256_and_si256(_mm256_srli_epi16(bytes, 4),
				_mm256_set1_epi8(0x0f));
}

AVX2 static inline __m256i lower_half(__m256i bytes)
{
	return _mm256_and_si256(bytes, _mm256_set1_epi8(0x0f));
}

/* For each byte of @now the one @n before it; @seam is last's end, now's begin. */
#define BACK(now, seam, n) _mm256_alignr_epi8(now, seam, 16 - (n))

/* The top bit where a third byte has to be, or a fourth. */
AVX2 static inline __m256i tails_due(__m256i now, __m256i seam)
{
	__m256i third = _mm256_subs_epu8(BACK(now, seam, 2),
					 _mm256_set1_epi8(0xe0 - 0x80));
	__m256i fourth = _mm256_subs_epu8(BACK(now, seam, 3),
					  _mm256_set1_epi8(0xf0 - 0x80));

	return _mm256_and_si256(_mm256_or_si256(third, fourth),
				_mm256_set1_epi8((char)TAILS));
}

/* Whether each byte of @now may stand behind those before it. */
AVX2 static inline int is_good(__m256i now, __m256i last)
{
	__m256i seam = _mm256_permute2x128_si256(last, now, 0x21);
	__m256i lead = BACK(now, seam, 1);
	__m256i wrong = _mm256_and_si256(
		_mm256_and_si256(look_up(lead_upper, upper_half(lead)),
				 look_up(lead_lower, lower_half(lead))),
		look_up(next_upper, upper_half(now)));

	wrong = _mm256_xor_si256(wrong, tails_due(now, seam));
	return _mm256_testz_si256(wrong, wrong);
}

/* How many bytes of @n good ones are whole characters. */
static size_t whole(const uint8_t *at, size_t n)
{
	static const uint8_t longer_from[] = {0, 0xc0, 0xe0, 0xf0};

	for (size_t back = 1; back <= 3 && back <= n; back++)
		if (at[n - back] >= longer_from[back])
			return n - back;
	return n;
}

AVX2 static size_t pass_blocks(const uint8_t *at, size_t n)
{
	__m256i last = _mm256_setzero_si256();
	size_t i = 0;

	for (; n - i >= BLOCK; i += BLOCK) {
		__m256i now = _mm256_loadu_si256((const __m256i *)(at + i));

		if (!is_good(now, last))
			break;
		last = now;
	}
	return whole(at, i);
}

size_t ses_utf8_pass_blocks(const uint8_t *at, size_t n)
{
	return __builtin_cpu_supports("avx2") ? pass_blocks(at, n) : 0;
}

#else

size_t ses_utf8_pass_blocks(const uint8_t *at, size_t n)
{
	return 0;
}

#endif
