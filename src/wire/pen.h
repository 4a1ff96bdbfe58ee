/* SPDX-License-Identifier: MIT */
/*
 * Writing a text of bounded length piece by piece. A piece that does not fit
 * is left out, and so is all that follows: a URL that is cut names another
 * place.
 */
#ifndef WIRE_PEN_H
#define WIRE_PEN_H

#include <string.h>

#include <sesame/error.h>

#include "base/bytes.h"

/* The text that is being written; a NUL always fits behind it. */
struct pen {
	char *out;
	size_t size, len;
	bool full;
};

static inline struct pen pen_on(char *out, size_t size)
{
	return (struct pen){.out = out, .size = size, .full = size == 0};
}

static inline void put_bytes(struct pen *p, struct bytes in)
{
	if (p->full || in.len >= p->size - p->len) {
		p->full = true;
		return;
	}
	if (in.len > 0)
		memcpy(p->out + p->len, in.data, in.len);
	p->len += in.len;
}

static inline void put(struct pen *p, const char *s)
{
	put_bytes(p, bytes_of_str(s));
}

/* 0, or SESAME_ELIMIT: it did not fit, and the text is empty. */
static inline int finish(struct pen *p)
{
	if (p->full) {
		if (p->size > 0)
			p->out[0] = '\0';
		return SESAME_ELIMIT;
	}
	p->out[p->len] = '\0';
	return 0;
}

#endif
