/* SPDX-License-Identifier: MIT */
/*
 * Request heads: read at once, in two parts and byte by byte, the outcome has
 * to be the same; each byte is looked at once; what is accepted has no byte
 * that another reader could take for something else.
 */
#include <assert.h>
#include <stdlib.h>

#include "wire/head.h"
#include "wire/upgrade.h"

struct outcome {
	int n;
	enum ses_fault fault;
	struct ses_head head;
};

static void read_in_steps(struct bytes in, size_t step, struct outcome *o)
{
	struct ses_head_limits limits = {
		.line_bytes = 200, .total_bytes = 1000, .fields = 20};
	struct ses_head_parser p;
	size_t shown = 0;

	o->n = 0;
	o->fault = SES_FAULT_NONE;
	ses_head_init(&p, true, &limits);
	while (o->n == 0 && shown < in.len) {
		size_t before = p.scanned;

		shown = step < in.len - shown ? shown + step : in.len;
		o->n = ses_head_parse(&p, bytes_first(in, shown), &o->head,
				      &o->fault);
		assert(p.scanned >= before && p.scanned <= shown);
	}
}

static void check_parts(const struct outcome *o, struct bytes in)
{
	const struct ses_head *head = &o->head;

	assert((size_t)o->n <= in.len && head->length == (size_t)o->n);
	assert(ses_is_token(head->method) && head->target.len > 0);
	assert(head->n_fields <= 20);
	for (size_t i = 0; i < head->n_fields; i++) {
		assert(ses_is_token(head->fields[i].name));
		assert(ses_is_field_value(head->fields[i].value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct outcome whole, parts, single;
	struct ses_upgrade_offer offer;

	if (size == 0)
		return 0;
	read_in_steps(in, size, &whole);
	read_in_steps(in, size / 2 + 1, &parts);
	read_in_steps(in, 1, &single);
	assert(whole.n == parts.n && whole.fault == parts.fault);
	assert(whole.n == single.n && whole.fault == single.fault);
	if (whole.n <= 0)
		return 0;
	check_parts(&whole, in);
	assert(whole.head.n_fields == single.head.n_fields);
	ses_head_content_length(&whole.head);
	if (ses_upgrade_check_request(&whole.head, &offer, &whole.fault) == 0)
		assert(ses_key_valid(offer.key) && offer.target.data[0] == '/');
	return 0;
}
