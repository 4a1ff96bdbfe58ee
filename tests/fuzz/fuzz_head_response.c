/* SPDX-License-Identifier: MIT */
/*
 * Response heads, strictly and tolerantly, at once and byte by byte, whole or
 * cut. What the strict parser takes, the tolerant one takes alike and without
 * a fault; what it takes beyond that lies within the bytes that were shown.
 */
#include <assert.h>

#include "wire/head.h"

struct outcome {
	int n;
	enum ses_fault fault, tolerated;
	struct ses_head head;
};

static void read_in_steps(struct bytes in, bool tolerant, size_t step,
			  struct outcome *o)
{
	struct ses_head_parser p;
	size_t shown = 0;

	o->n = 0;
	o->fault = SES_FAULT_NONE;
	ses_head_init(&p, false, NULL);
	p.tolerant = tolerant;
	while (o->n == 0 && shown < in.len) {
		shown = step < in.len - shown ? shown + step : in.len;
		o->n = ses_head_parse(&p, bytes_first(in, shown), &o->head,
				      &o->fault);
	}
	if (o->n == 0)
		o->n = ses_head_finish(&p, in, &o->head, &o->fault);
	o->tolerated = p.tolerated;
}

static void check_within(struct bytes part, struct bytes in)
{
	assert(part.data >= in.data && part.data <= in.data + in.len);
	assert(part.len <= (size_t)(in.data + in.len - part.data));
}

static void check_parts(const struct ses_head *head, struct bytes in)
{
	check_within(head->reason, in);
	assert(head->n_fields <= SES_HEAD_MAX_FIELDS);
	assert(head->status == 0 || (head->status > 99 && head->status < 1000));
	for (size_t i = 0; i < head->n_fields; i++) {
		check_within(head->fields[i].name, in);
		check_within(head->fields[i].value, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct outcome strict, tolerant, single;

	if (size == 0)
		return 0;
	read_in_steps(in, false, size, &strict);
	read_in_steps(in, true, size, &tolerant);
	read_in_steps(in, true, 1, &single);
	assert(tolerant.n == single.n && tolerant.fault == single.fault);
	assert(tolerant.tolerated == single.tolerated);
	if (tolerant.n > 0)
		check_parts(&tolerant.head, in);
	if (strict.n <= 0)
		return 0;
	check_parts(&strict.head, in);
	assert(tolerant.n == strict.n && tolerant.tolerated == SES_FAULT_NONE);
	assert(tolerant.head.status == strict.head.status);
	assert(tolerant.head.n_fields == strict.head.n_fields);
	return 0;
}
