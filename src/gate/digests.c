/* SPDX-License-Identifier: MIT */
/* Every digest is compared, to its end: no clock tells how near a guess was. */
#include "gate/digests.h"

#include <stdlib.h>

bool gate_digests_add(struct gate_digests *d,
		      const uint8_t digest[SES_SHA256_LEN])
{
	if (d->n == GATE_MAX_DIGESTS)
		return false;
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 16;
		void *list = realloc(d->list, room * sizeof(*d->list));

		if (!list)
			return false;
		d->list = list;
		d->room = room;
	}
	memcpy(d->list[d->n++], digest, SES_SHA256_LEN);
	return true;
}

static uint64_t difference(const uint8_t a[SES_SHA256_LEN],
			   const uint8_t b[SES_SHA256_LEN])
{
	uint64_t x[4], y[4];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
}

size_t gate_digests_find(const struct gate_digests *d,
			 const uint8_t digest[SES_SHA256_LEN])
{
	uint64_t found = d->n;

	for (size_t i = 0; i < d->n; i++) {
		uint64_t other = difference(d->list[i], digest);
		/* All ones when they are equal, without a branch. */
		uint64_t equal = ((other | -other) >> 63) - 1;

		__asm__("" : "+r"(equal)); /* or the compiler makes one */
		found = (found & ~equal) | (i & equal);
	}
	return (size_t)found;
}

void gate_digests_fini(struct gate_digests *d)
{
	free(d->list);
	*d = (struct gate_digests){0};
}
