/* SPDX-License-Identifier: MIT */
/*
 * Several changes of one line, made together. Those of different parts never
 * disturb each other; what is put in at one place stands there in order. Pure.
 */
#ifndef LINT_LINE_H
#define LINT_LINE_H

#include "base/buf.h"
#include "base/bytes.h"

/* old[from, to) becomes @put. */
struct lint_span {
	size_t from, to;
	struct bytes put;
};

/* Whether both are about one part and want it otherwise. Two that only put
 * something in at one place do not clash. */
bool lint_spans_clash(const struct lint_span *a, const struct lint_span *b);
/* Append @old with all of @span changed, of which no two clash and which are
 * sorted here; the same is not put in twice. 0 or an error of @out. */
int lint_line_mend(struct bytes old, struct lint_span *span, size_t n,
		   struct ses_buf *out);

#endif
