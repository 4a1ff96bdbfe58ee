/* SPDX-License-Identifier: MIT */
/*
 * Whatever is given as a recording, in pieces of any size: the same comes out,
 * and it is a request or a complaint. The first byte says how large they are.
 */
#include <stdint.h>
#include <stdlib.h>

#include "doctor/har.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct source {
	struct bytes rest;
	size_t piece;
};

static size_t refill(void *context, uint8_t *room, size_t size)
{
	struct source *s = context;
	size_t n = s->rest.len < s->piece ? s->rest.len : s->piece;

	n = n < size ? n : size;
	if (n)
		memcpy(room, s->rest.data, n);
	s->rest = bytes_from(s->rest, n);
	return n;
}

static int read_in(struct bytes text, size_t piece, struct doctor_import *m)
{
	struct source s = {text, piece};

	doctor_import_init(m);
	return doctor_har_read_from(refill, &s, NULL, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes text = bytes_from(bytes_of(data, len), 1);
	static struct doctor_import whole, pieces;
	int a, b;

	a = read_in(text, 1 << 20, &whole);
	b = read_in(text, len ? data[0] % 16 + 1u : 1, &pieces);
	if (a != b || whole.n_said != pieces.n_said ||
	    strcmp(whole.complaint, pieces.complaint) != 0)
		abort();
	for (size_t i = 0; i < whole.n_said; i++)
		if (strcmp(whole.said[i].value, pieces.said[i].value) != 0)
			abort();
	doctor_import_fini(&whole);
	doctor_import_fini(&pieces);
	return 0;
}
