/* SPDX-License-Identifier: MIT */
/*
 * What is sent, and what has to come back. A message's length, kind and content
 * follow from its key alone, so that nothing has to be kept to know later what
 * it was. Pure.
 */
#ifndef LOAD_PAYLOAD_H
#define LOAD_PAYLOAD_H

#include <stdbool.h>

#include "base/bytes.h"

#define LOAD_SIZES     16
#define LOAD_SIZE_MOST ((size_t)64 << 20)

/* Lengths to draw from: each range as often as its weight says. */
struct load_sizes {
	struct {
		uint32_t from, to; /* bytes, both included */
		uint32_t weight;
	} ranges[LOAD_SIZES];
	unsigned n;
	uint32_t weights; /* their sum */
	uint32_t most;	  /* the longest of all */
};

/*
 * Read "20", "125-1024", "16K", or several with weights: "64:9,16K:1". K and M
 * stand for 1024 and its square. False: it is none; at most LOAD_SIZES ranges
 * of at most LOAD_SIZE_MOST bytes.
 */
bool load_sizes_read(const char *text, struct load_sizes *ret_sizes);

/* What messages are made of. */
enum load_kind { LOAD_TEXT, LOAD_BINARY, LOAD_BOTH };

struct load_payload {
	struct load_sizes sizes;
	enum load_kind kind;
	uint8_t *text;	/* records as feeds have them, ASCII */
	uint8_t *bytes; /* random */
};

/* Make what messages are cut from. 0 or SESAME_ENOMEM. */
int load_payload_init(struct load_payload *p, const struct load_sizes *sizes,
		      enum load_kind kind);
void load_payload_fini(struct load_payload *p);

/*
 * The message of @key, borrowed from @p. *ret_binary tells which kind it is of.
 */
struct bytes load_message(const struct load_payload *p, uint64_t key,
			  bool *ret_binary);

/* The next of a row of keys that look unlike each other. */
uint64_t load_key(uint64_t seed, uint64_t number);

#endif
