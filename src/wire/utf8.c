/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 as RFC 3629 has it: shortest form, no surrogates, nothing past
 * U+10FFFF. A finite automaton takes one byte per step; its table is laid out
 * so that a step is one shift. Runs of ASCII are skipped in blocks, and so is
 * long text of other characters where the processor has vectors for it.
 */
#include "wire/utf8.h"

#include "wire/clones.h"
#include "wire/utf8_vector.h"

/*
 * The states, as the number of bits to shift a row by: what has been seen of
 * the present character. BAD is never left again.
 */
enum {
	START = 0,
	BAD = 6,
	TAIL1 = 12,    /* one more continuation byte */
	TAIL2 = 18,    /* two more */
	TAIL3 = 24,    /* three more */
	AFTER_E0 = 30, /* two more, no overlong form */
	AFTER_ED = 36, /* two more, no surrogate */
	AFTER_F0 = 42, /* three more, no overlong form */
	AFTER_F4 = 48, /* three more, not past U+10FFFF */
};
#define STATE_BITS 63u

/* A row: where one byte leads from each state, six bits for each. */
#define TO(state, next) ((uint64_t)(next) << (state))
#define ROW(start, tail1, tail2, tail3, e0, ed, f0, f4)           \
	(TO(START, start) | TO(BAD, BAD) | TO(TAIL1, tail1) |     \
	 TO(TAIL2, tail2) | TO(TAIL3, tail3) | TO(AFTER_E0, e0) | \
	 TO(AFTER_ED, ed) | TO(AFTER_F0, f0) | TO(AFTER_F4, f4))
#define LEAD(next)	     ROW(next, BAD, BAD, BAD, BAD, BAD, BAD, BAD)
#define TAIL(e0, ed, f0, f4) ROW(BAD, START, TAIL1, TAIL2, e0, ed, f0, f4)

static const uint64_t rows[256] = {
	[0x00 ... 0x7f] = LEAD(START),
	[0x80 ... 0x8f] = TAIL(BAD, TAIL1, BAD, TAIL2),
	[0x90 ... 0x9f] = TAIL(BAD, TAIL1, TAIL2, BAD),
	[0xa0 ... 0xbf] = TAIL(TAIL1, BAD, TAIL2, BAD),
	[0xc0 ... 0xc1] = LEAD(BAD),
	[0xc2 ... 0xdf] = LEAD(TAIL1),
	[0xe0] = LEAD(AFTER_E0),
	[0xe1 ... 0xec] = LEAD(TAIL2),
	[0xed] = LEAD(AFTER_ED),
	[0xee ... 0xef] = LEAD(TAIL2),
	[0xf0] = LEAD(AFTER_F0),
	[0xf1 ... 0xf3] = LEAD(TAIL3),
	[0xf4] = LEAD(AFTER_F4),
	[0xf5 ... 0xff] = LEAD(BAD),
};

#define HIGH_BITS 0x8080808080808080u

static inline uint64_t load8(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, 8);
	return word;
}

#define VECTOR 32
typedef uint64_t vector __attribute__((vector_size(VECTOR)));
typedef uint64_t vector_in_memory
	__attribute__((vector_size(VECTOR), aligned(1), may_alias));

#define BLOCK	      (4 * VECTOR)
#define VECTOR_AT(at) (*(const vector_in_memory *)(at))

/* How many bytes of whole blocks of long text are ASCII. */
SES_CLONES static size_t skip_ascii_blocks(const uint8_t *at, size_t n)
{
	size_t i = 0;

	for (; n - i >= BLOCK; i += BLOCK) {
		vector v = VECTOR_AT(at + i) | VECTOR_AT(at + i + VECTOR) |
			   VECTOR_AT(at + i + 2 * VECTOR) |
			   VECTOR_AT(at + i + 3 * VECTOR);

		if ((v[0] | v[1] | v[2] | v[3]) & HIGH_BITS)
			break;
	}
	return i;
}

/* How many bytes from @at on are ASCII for sure: whole words, or all @n. */
static inline size_t skip_ascii(const uint8_t *at, size_t n)
{
	size_t i = n >= BLOCK ? skip_ascii_blocks(at, n) : 0;

	for (; n - i >= 32; i += 32)
		if ((load8(at + i) | load8(at + i + 8) | load8(at + i + 16) |
		     load8(at + i + 24)) &
		    HIGH_BITS)
			break;
	for (; n - i >= 8; i += 8)
		if (load8(at + i) & HIGH_BITS)
			return i;
	/* a word that ends at the end saves the steps for what is left */
	return n >= 8 && !(load8(at + n - 8) & HIGH_BITS) ? n : i;
}

static inline uint64_t step(uint64_t state, const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		state = rows[at[i]] >> (state & STATE_BITS);
	return state & STATE_BITS;
}

/* Text that is not ASCII is stepped through in parts of this length. */
#define PART 32

bool ses_utf8_feed(struct ses_utf8 *u, struct bytes in)
{
	const uint8_t *at = in.data;
	/* NULL + 0 is undefined in C */
	const uint8_t *end = in.len ? in.data + in.len : in.data;
	uint64_t state = u->state;

	while (at < end && state != BAD) {
		size_t n = (size_t)(end - at);

		if (state == START) {
			at += skip_ascii(at, n);
			n = (size_t)(end - at);
		}
		if (state == START && n >= SES_UTF8_VECTOR_MIN) {
			at += ses_utf8_pass_blocks(at, n);
			n = (size_t)(end - at);
		}
		n = n < PART ? n : PART;
		state = step(state, at, n);
		at += n;
	}
	u->state = (uint8_t)state;
	return state != BAD;
}

/* Of 8 to 32 bytes: words from both ends, some bytes twice. */
static inline bool is_short_ascii(const uint8_t *at, size_t n)
{
	uint64_t word = load8(at) | load8(at + n - 8);

	if (n > 16)
		word |= load8(at + 8) | load8(at + n - 16);
	return !(word & HIGH_BITS);
}

static inline bool is_ascii(const uint8_t *at, size_t n)
{
	if (n < 8)
		return false; /* perhaps: stepping through it is as fast */
	return n <= 32 ? is_short_ascii(at, n) : skip_ascii(at, n) == n;
}

bool ses_utf8_valid(struct bytes in)
{
	struct ses_utf8 u = {START};

	if (is_ascii(in.data, in.len))
		return true;
	return ses_utf8_feed(&u, in) && ses_utf8_done(&u);
}

size_t ses_utf8_write(uint32_t c, uint8_t out[4])
{
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (uint8_t)c;
		return n;
	}
	if (c < 0x800) {
		out[n++] = (uint8_t)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			out[n++] = (uint8_t)(0xe0 | c >> 12);
		} else {
			out[n++] = (uint8_t)(0xf0 | (c >> 18 & 7));
			out[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		}
		out[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	}
	out[n++] = (uint8_t)(0x80 | (c & 0x3f));
	return n;
}
