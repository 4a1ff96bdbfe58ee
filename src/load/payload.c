/* SPDX-License-Identifier: MIT */
/*
 * Messages are pieces of two long patterns, one of text and one of bytes: a key
 * says where a piece begins, how long it is and of which pattern. The text is
 * ASCII, so that it is valid wherever it is cut, and repeats itself as much as
 * feeds of prices do, so that compressing it costs what it would cost there.
 */
#include "load/payload.h"

#include <sesame/error.h>

#include <stdio.h>
#include <stdlib.h>

/* Where pieces begin: more places than a run of one server's cache lines. */
#define PLACES 65536

/* The finaliser of splitmix64 (public domain, Steele and others). */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

uint64_t load_key(uint64_t seed, uint64_t number)
{
	return mix(mix(seed) + number);
}

/* ---- lengths ---- */

static bool read_number(const char **at, uint64_t most, uint32_t *ret)
{
	char *end;
	unsigned long long n;

	if (**at < '0' || **at > '9')
		return false;
	n = strtoull(*at, &end, 10);
	if (n > most)
		return false;
	if (*end == 'K' || *end == 'k' || *end == 'M' || *end == 'm')
		n *= *end == 'K' || *end == 'k' ? 1024 : 1024 * 1024, end++;
	if (n > most)
		return false;
	*ret = (uint32_t)n;
	*at = end;
	return true;
}

static bool read_range(const char **at, struct load_sizes *s)
{
	uint32_t from, to, weight = 1;

	if (s->n == LOAD_SIZES || !read_number(at, LOAD_SIZE_MOST, &from))
		return false;
	to = from;
	if (**at == '-' && (++*at, !read_number(at, LOAD_SIZE_MOST, &to)))
		return false;
	if (**at == ':' && (++*at, !read_number(at, 1000000, &weight)))
		return false;
	if (to < from || weight == 0)
		return false;
	s->ranges[s->n].from = from;
	s->ranges[s->n].to = to;
	s->ranges[s->n++].weight = weight;
	s->weights += weight;
	s->most = to > s->most ? to : s->most;
	return true;
}

bool load_sizes_read(const char *text, struct load_sizes *ret_sizes)
{
	struct load_sizes s = {0};

	do {
		if (!read_range(&text, &s))
			return false;
	} while (*text++ == ',');
	if (text[-1])
		return false;
	*ret_sizes = s;
	return true;
}

static uint32_t draw_length(const struct load_sizes *s, uint64_t key)
{
	uint32_t at = (uint32_t)(key % s->weights), span;
	unsigned i = 0;

	if (s->n > 1)
		while (at >= s->ranges[i].weight)
			at -= s->ranges[i++].weight;
	span = s->ranges[i].to - s->ranges[i].from;
	return s->ranges[i].from +
	       (span ? (uint32_t)((key >> 24) % ((uint64_t)span + 1)) : 0);
}

/* ---- patterns ---- */

static size_t pattern_bytes(const struct load_sizes *s)
{
	return (size_t)PLACES + s->most;
}

static void fill_bytes(uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = mix(i);

		memcpy(to + i, &word, len - i < 8 ? len - i : 8);
	}
}

static void fill_text(uint8_t *to, size_t len)
{
	static const char *const symbols[] = {"ACME", "OPEN", "SESM", "DOOR"};
	size_t at = 0;

	for (uint64_t i = 0; at < len; i++) {
		char record[160];
		uint64_t k = mix(~i);
		int n = snprintf(
			record, sizeof(record),
			"{\"id\":%u,\"symbol\":\"%s\",\"price\":%u.%02u,"
			"\"size\":%u,\"side\":\"%s\"},",
			(unsigned)(k % 1000000), symbols[k >> 62],
			(unsigned)(k >> 20) % 900 + 100,
			(unsigned)(k >> 32) % 100, (unsigned)(k >> 40) % 5000,
			k >> 8 & 1 ? "buy" : "sell");
		size_t fits = len - at < (size_t)n ? len - at : (size_t)n;

		memcpy(to + at, record, fits);
		at += fits;
	}
}

int load_payload_init(struct load_payload *p, const struct load_sizes *sizes,
		      enum load_kind kind)
{
	size_t len = pattern_bytes(sizes);

	*p = (struct load_payload){.sizes = *sizes, .kind = kind};
	p->text = malloc(len);
	p->bytes = malloc(len);
	if (!p->text || !p->bytes) {
		load_payload_fini(p);
		return SESAME_ENOMEM;
	}
	fill_text(p->text, len);
	fill_bytes(p->bytes, len);
	return 0;
}

void load_payload_fini(struct load_payload *p)
{
	free(p->text);
	free(p->bytes);
	p->text = p->bytes = NULL;
}

struct bytes load_message(const struct load_payload *p, uint64_t key,
			  bool *ret_binary)
{
	bool binary =
		p->kind == LOAD_BINARY || (p->kind == LOAD_BOTH && key >> 63);
	const uint8_t *from = binary ? p->bytes : p->text;

	*ret_binary = binary;
	return bytes_of(from + (key >> 40) % PLACES,
			draw_length(&p->sizes, key));
}
