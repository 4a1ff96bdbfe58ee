/* SPDX-License-Identifier: MIT */
/* `tests`: what the file expects of itself. `serve` only reads them. */
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
	gate_put(to, gate_copy(s));
	if (!bytes_equal(s, BYTES("admit")) && !is_status(s) &&
	    why_cause_find(s) <= WHY_OK)
		gate_complain(r->wrong, i->at,
			      "expect: `%s` is none of admit, a status "
			      "from 400 to 599, or a cause such as "
			      "access.origin",
			      gate_show(s).text);
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
