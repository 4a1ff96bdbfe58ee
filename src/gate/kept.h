/* SPDX-License-Identifier: MIT */
/* A head that outlives the buffer that it came in. */
#ifndef GATE_KEPT_H
#define GATE_KEPT_H

#include "wire/head.h"

struct gate_kept {
	struct ses_head head; /* borrows from text */
	size_t len;
	uint8_t text[];
};

/* A copy of @head, which lies at @raw; to be freed. NULL: no memory. */
struct gate_kept *gate_keep_head(const struct ses_head *head,
				 const uint8_t *raw);
/* The request @head; it begins with its method. */
struct gate_kept *gate_keep_request(const struct ses_head *head);

/* The same bytes in the copy of a text of @len bytes at @from. */
static inline struct bytes gate_kept_bytes(const struct gate_kept *kept,
					   const uint8_t *from, struct bytes b)
{
	if (b.data && b.data >= from &&
	    (size_t)(b.data - from) <= kept->len)
		b.data = kept->text + (b.data - from);
	return b;
}

#endif
