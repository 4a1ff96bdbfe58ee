/* SPDX-License-Identifier: MIT */
/* `tests`: what the file expects of itself. `serve` only reads them. */
#include <stdio.h>
#include <stdlib.h>

#include "gate/reading.h"
#include "why/cause.h"

static bool is_status(struct bytes s)
{
	uint64_t n;

	return bytes_to_u64(s, 599, &n) && n >= 400;
}

void gate_read_expect(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	gate_put(to, gate_copy(r, s));
	if (!bytes_equal(s, BYTES("admit")) && !is_status(s) &&
	    why_cause_find(s) <= WHY_OK)
		gate_complain(r->wrong, i->at,
			      "expect: `%s` is none of admit, a status "
			      "from 400 to 599, or a cause such as "
			      "access.origin",
			      gate_show(s).text);
}

void gate_read_test_headers(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	struct gate_expectation *e = to;
	struct gate_item key, value;
	void *state = NULL;
	struct bytes text;
	char *field;
	size_t n;

	if (!gate_want_pairs(r, i, &n))
		return;
	e->header = gate_enough(r, calloc(n, sizeof(*e->header)));
	while (e->header && gate_next_pair(i, &state, &key, &value)) {
		if (!gate_want(r, &key, gate_is_single(&key), "a name") ||
		    !gate_want_text(r, &value, &text))
			continue;
		field = gate_print(r, "%.*s: %.*s",
				   BYTES_ARG(gate_text_of(&key)),
				   BYTES_ARG(text));
		if (field)
			e->header[e->n_headers++] = field;
	}
}

void gate_read_test_certificate(struct gate_reader *r,
				const struct gate_item *i, void *to)
{
	struct gate_expectation *e = to;
	size_t n = gate_texts_of(r, i);
	struct gate_item element;
	void *state = NULL;
	struct bytes text;

	e->certificate =
		n ? gate_enough(r, calloc(n, sizeof(*e->certificate))) : NULL;
	while (e->certificate && gate_next_text(i, &state, &element))
		if (gate_want_text(r, &element, &text))
			e->certificate[e->n_certificates++] = gate_copy(r, text);
}

static void read_one(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_expectation *e = to;
	struct gate_seen seen;

	if (!gate_want(r, i, gate_is_map(i), "a map with a url"))
		return;
	e->line = (unsigned)i->at.line;
	e->column = (unsigned)i->at.column;
	gate_read_map(r, "tests[].", i, e, &seen);
	gate_need(r, &seen, GATE_SET_TEST_URL, i->at);
	gate_need(r, &seen, GATE_SET_TEST_EXPECT, i->at);
}

void gate_read_tests(struct gate_reader *r, const struct gate_item *i, void *to)
{
	r->policy->test = gate_read_maps(r, i, sizeof(struct gate_expectation),
					 read_one, &r->policy->n_tests);
}
