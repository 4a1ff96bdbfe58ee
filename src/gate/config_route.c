/* SPDX-License-Identifier: MIT */
/* `routes`: which paths there are, who may enter and where they lead. */
#include <stdlib.h>

#include "gate/reading.h"

void gate_read_route_path(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_route *route = to;
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	gate_put(&route->path, gate_copy(r, s));
	route->line = (unsigned)i->at.line;
	route->column = (unsigned)i->at.column;
	if (!route->path)
		return;
	wrong = gate_path_pattern_read(bytes_of_str(route->path),
				       &route->pattern);
	if (wrong) {
		gate_complain(r->wrong, i->at, "path `%s` %s",
			      gate_show(s).text, wrong);
		gate_put(&route->path, NULL);
	}
}

void gate_read_route_mode(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	uint64_t choice = 0;

	gate_read_choice(r, i, &choice);
	*(bool *)to = choice != 0;
}

static void read_one_route(struct gate_reader *r, const struct gate_item *i,
			   void *to)
{
	struct gate_route *route = to;
	struct gate_seen seen;

	if (!gate_want(r, i, gate_is_map(i), "a map with a path"))
		return;
	route->line = (unsigned)i->at.line;
	gate_read_map(r, "routes[].", i, route, &seen);
	gate_need(r, &seen, GATE_SET_ROUTE_PATH, i->at);
	gate_need(r, &seen, GATE_SET_ROUTE_TO, i->at);
	gate_check_target(r, i, &seen, route);
	gate_check_allow(r, i, route);
}

static void find_shadowed(struct gate_reader *r)
{
	const struct gate_policy *p = r->policy;

	for (size_t b = 1; b < p->n_routes; b++) {
		for (size_t a = 0; a < b; a++) {
			const struct gate_route *x = &p->route[a],
						*y = &p->route[b];
			struct gate_place at = {(int)y->line, (int)y->column};

			if (!x->path || !y->path ||
			    !gate_path_pattern_covers(&x->pattern, &y->pattern))
				continue;
			if (strcmp(x->path, y->path) == 0)
				gate_complain(r->wrong, at,
					      "path `%s` has a route already, "
					      "at line %u",
					      y->path, x->line);
			else
				gate_complain(r->wrong, at,
					      "path `%s` is never reached: "
					      "`%s` at line %u takes it",
					      y->path, x->path, x->line);
			break;
		}
	}
}

void gate_read_routes(struct gate_reader *r, const struct gate_item *i, void *to)
{
	r->policy->route = gate_read_maps(r, i, sizeof(struct gate_route),
					  read_one_route, &r->policy->n_routes);
	find_shadowed(r);
}
