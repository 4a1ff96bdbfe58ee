/* SPDX-License-Identifier: MIT */
/* A bounded list of sentences with places. */
#include "gate/complaints.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/hide.h"

/* Before it is cut: of half a URL nobody can tell what was its password. */
#define SENTENCE_BYTES 8192

void gate_complain(struct gate_complaints *c, struct gate_place at,
		   const char *format, ...)
{
	struct gate_complaint *new;
	char sentence[SENTENCE_BYTES];
	va_list args;

	if (c->n == GATE_MAX_COMPLAINTS)
		return;
	new = &c->list[c->n++];
	new->at = at;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	gate_hide_urls(bytes_of_str(sentence), new->text, sizeof(new->text));
}

static int compare(const void *a, const void *b)
{
	const struct gate_place *x = &((const struct gate_complaint *)a)->at;
	const struct gate_place *y = &((const struct gate_complaint *)b)->at;

	return x->line != y->line ? x->line - y->line : x->column - y->column;
}

void gate_complaints_print(struct gate_complaints *c, const char *file,
			   struct ses_buf *out)
{
	bool lost = false;

	qsort(c->list, c->n, sizeof(c->list[0]), compare);
	for (size_t i = 0; i < c->n; i++) {
		const struct gate_complaint *one = &c->list[i];

		if (one->at.line)
			lost |= ses_buf_printf(out, "%s:%d:%d: %s\n", file,
					       one->at.line, one->at.column,
					       one->text) < 0;
		else
			lost |= ses_buf_printf(out, "%s: %s\n", file,
					       one->text) < 0;
	}
	if (lost)
		ses_buf_printf(out, "%s: out of memory; more is wrong\n", file);
	if (c->n == GATE_MAX_COMPLAINTS)
		ses_buf_printf(out, "%s: and more; these are the first %d\n",
			       file, GATE_MAX_COMPLAINTS);
}
