/* SPDX-License-Identifier: MIT */
/*
 * The end of a deflate block without decoding it. The last code of a block is
 * that of its end, and behind it are zeros: so the last bit that is set belongs
 * to this code, unless it has none, and how many zeros the code has behind that
 * bit follows from the lengths of all codes, which stand at the block's
 * beginning (RFC 1951 sections 3.2.2 and 3.2.7).
 */
#include "wire/deflate_block.h"

#include <endian.h>

#define DYNAMIC_CODES 2
#define END_SYMBOL    256
#define MOST_SYMBOLS  286
#define LENGTH_CODES  19 /* symbols of the code for lengths */
#define SHORT_BITS    7	 /* its longest */
#define LONG_BITS     15 /* the longest of all others */

struct bits {
	struct bytes in;
	size_t at; /* how many bits were taken */
};

/*
 * The code of the lengths: by the next bits, how many belong to the symbol, and
 * the symbol above them. 0: no symbol has these bits.
 */
typedef uint8_t length_code[1 << SHORT_BITS];

/* Up to 16 of the next bits; behind the last one are zeros. */
static inline unsigned peek(const struct bits *b, unsigned n)
{
	size_t left =
		b->in.len - (b->at / 8 < b->in.len ? b->at / 8 : b->in.len);
	uint32_t word = 0;

	if (left >= sizeof(word))
		memcpy(&word, b->in.data + b->at / 8, sizeof(word));
	else
		memcpy(&word, b->in.data + b->in.len - left, left);
	return (le32toh(word) >> b->at % 8) & ((1u << n) - 1);
}

static inline unsigned take(struct bits *b, unsigned n)
{
	unsigned value = peek(b, n);

	b->at += n;
	return value;
}

/* Codes begin with their highest bit, all else with its lowest (3.1.1). */
static unsigned reversed(unsigned code, unsigned len)
{
	unsigned r = 0;

	while (len--) {
		r = r << 1 | (code & 1);
		code >>= 1;
	}
	return r;
}

/* The first code of each length, as 3.2.2 gives them out. */
static void first_codes(const uint16_t *count, unsigned longest,
			uint16_t *ret_first)
{
	unsigned code = 0;

	ret_first[0] = 0;
	for (unsigned len = 1; len <= longest; len++) {
		code = (code + (len > 1 ? count[len - 1] : 0)) << 1;
		ret_first[len] = (uint16_t)code;
	}
}

static void fill_length_code(const uint8_t *lens, length_code ret_code)
{
	uint16_t count[SHORT_BITS + 1] = {0}, next[SHORT_BITS + 1];

	for (unsigned i = 0; i < LENGTH_CODES; i++)
		count[lens[i]]++;
	first_codes(count, SHORT_BITS, next);
	memset(ret_code, 0, sizeof(length_code));
	for (unsigned i = 0; i < LENGTH_CODES; i++) {
		unsigned len = lens[i];

		if (!len)
			continue;
		for (unsigned at = reversed(next[len]++, len);
		     at < 1 << SHORT_BITS; at += 1u << len)
			ret_code[at] = (uint8_t)(i << 3 | len);
	}
}

/* The code of the lengths, whose own lengths come in this order (3.2.7). */
static void read_length_code(struct bits *b, unsigned n, length_code ret_code)
{
	static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0,  8, 7,  9,
						    6,	10, 5,	11, 4, 12, 3,
						    13, 2,  14, 1,  15};
	uint8_t lens[LENGTH_CODES] = {0};

	for (unsigned i = 0; i < n; i++)
		lens[order[i]] = (uint8_t)take(b, 3);
	fill_length_code(lens, ret_code);
}

/* One length and how often; false: none stands there. */
static bool read_run(struct bits *b, const uint8_t *code, unsigned last,
		     unsigned *ret_len, unsigned *ret_times)
{
	/* of the symbols 16 to 18: the least times, and the bits of the rest */
	static const uint8_t least[] = {3, 3, 11}, rest[] = {2, 3, 7};
	unsigned bits = peek(b, 2 * SHORT_BITS);
	unsigned entry = code[bits & ((1 << SHORT_BITS) - 1)];
	unsigned symbol = entry >> 3, n = entry & 7;

	*ret_len = symbol;
	*ret_times = 1;
	if (symbol >= 16) {
		unsigned more = (1u << rest[symbol - 16]) - 1;

		*ret_len = symbol == 16 ? last : 0;
		*ret_times = least[symbol - 16] + (bits >> n & more);
		b->at += rest[symbol - 16];
	}
	b->at += n;
	return n > 0;
}

/* Count the first @n codes of each length. False: there are less. */
static bool count_lengths(struct bits *b, const uint8_t *code, unsigned n,
			  uint16_t *ret_count, uint8_t *ret_end_len,
			  uint16_t *ret_before_end)
{
	unsigned len = 0, times;

	for (unsigned i = 0; i < n; i += times) {
		if (!read_run(b, code, len, &len, &times))
			return false;
		if (times > n - i)
			times = n - i; /* it goes on among the distances */
		if (i <= END_SYMBOL && i + times > END_SYMBOL) {
			*ret_end_len = (uint8_t)len;
			*ret_before_end =
				(uint16_t)(ret_count[len] + END_SYMBOL - i);
		}
		ret_count[len] = (uint16_t)(ret_count[len] + times);
	}
	return true;
}

/* The code of a block's end; 0: it has none, or zeros alone. */
static unsigned read_end_code(struct bits *b)
{
	uint16_t count[LONG_BITS + 1] = {0}, first[LONG_BITS + 1], before = 0;
	unsigned n_symbols = take(b, 5) + 257, n_lengths;
	length_code code;
	uint8_t len = 0;

	take(b, 5); /* how many distances */
	n_lengths = take(b, 4) + 4;
	read_length_code(b, n_lengths, code);
	if (n_symbols > MOST_SYMBOLS ||
	    !count_lengths(b, code, n_symbols, count, &len, &before) || !len)
		return 0;
	first_codes(count, LONG_BITS, first);
	return (unsigned)first[len] + before;
}

/* Behind the last bit that is set; 0: there is none. */
static size_t last_set(struct bytes in)
{
	size_t n = in.len;

	while (n > 0 && in.data[n - 1] == 0)
		n--;
	return n ? 8 * n - (size_t)(__builtin_clz(in.data[n - 1]) - 24) : 0;
}

size_t ses_deflate_block_end(struct bytes stream)
{
	struct bits b = {stream, 0};
	size_t end = last_set(stream);
	unsigned code;

	if (take(&b, 1) != SES_BLOCK_FINAL || take(&b, 2) != DYNAMIC_CODES)
		return 0;
	code = read_end_code(&b);
	if (!code)
		return 0;
	end += (unsigned)__builtin_ctz(code);
	/* what libdeflate made has no byte too many */
	return end <= 8 * stream.len && end > 8 * (stream.len - 1) ? end : 0;
}
