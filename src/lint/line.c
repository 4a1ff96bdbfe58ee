/* SPDX-License-Identifier: MIT */
/* Changes in the order of the line; of one place in the order in which they came. */
#include "lint/line.h"

static bool is_same(const struct lint_span *a, const struct lint_span *b)
{
	return a->from == b->from && a->to == b->to &&
	       bytes_equal(a->put, b->put);
}

bool lint_spans_clash(const struct lint_span *a, const struct lint_span *b)
{
	if (a->from == b->from && a->to == b->to)
		return a->from != a->to && !is_same(a, b);
	return a->from < b->to && b->from < a->to;
}

static bool is_before(const struct lint_span *a, const struct lint_span *b)
{
	return a->from != b->from ? a->from < b->from : a->to < b->to;
}

static void sort(struct lint_span *span, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k && is_before(&span[k], &span[k - 1]); k--) {
			struct lint_span swap = span[k];

			span[k] = span[k - 1];
			span[k - 1] = swap;
		}
}

static bool is_again(const struct lint_span *span, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same(&span[k], &span[i]))
			return true;
	return false;
}

int lint_line_mend(struct bytes old, struct lint_span *span, size_t n,
		   struct ses_buf *out)
{
	size_t at = 0;
	int r = 0;

	sort(span, n);
	for (size_t i = 0; i < n && r == 0; i++) {
		if (span[i].from < at || is_again(span, i))
			continue;
		r = ses_buf_append(out, bytes_first(bytes_from(old, at),
						    span[i].from - at));
		if (r == 0)
			r = ses_buf_append(out, span[i].put);
		at = span[i].to;
	}
	return r ? r : ses_buf_append(out, bytes_from(old, at));
}
