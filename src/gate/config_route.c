/* SPDX-License-Identifier: MIT */
/* `routes`: which paths there are, who may enter and where they lead. */
#include <stdlib.h>

#include "gate/networks.h"
#include "gate/reading.h"

void gate_read_route_path(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_route *route = to;
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	gate_put(&route->path, gate_copy(s));
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

static void read_rule(struct gate_reader *r, const struct gate_item *i,
		      enum gate_list list, struct gate_rules *rules)
{
	struct gate_rule *rule = &rules->rule[rules->n];
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	*rule = (struct gate_rule){.text = gate_copy(s),
				   .line = (unsigned)i->at.line,
				   .column = (uint16_t)(i->at.column & 0xffff)};
	if (!rule->text)
		return;
	rules->n++;
	wrong = gate_rule_read(list, rule);
	if (wrong)
		gate_complain(r->wrong, i->at, "%s: `%s` %s",
			      gate_list_name(list), gate_show(s).text, wrong);
}

/* Of one network's two entries neither is more specific than the other. */
static void find_contradictions(struct gate_reader *r,
				const struct gate_rules *rules)
{
	struct gate_contradiction found[GATE_MAX_COMPLAINTS];
	size_t n =
		gate_networks_contradictions(rules, found, GATE_MAX_COMPLAINTS);

	for (size_t i = 0; i < n; i++)
		gate_complain(r->wrong,
			      (struct gate_place){(int)found[i].second->line,
						  found[i].second->column},
			      "addresses: `%s` contradicts `%s` at line %u",
			      found[i].second->text, found[i].first->text,
			      found[i].first->line);
}

/*
 * Whether a list may have @n entries. One without any could mean that nobody
 * may enter or that everybody may, so it means neither.
 */
static bool fits_rules(struct gate_reader *r, const struct gate_item *i, int n)
{
	if (n <= 0)
		gate_complain(r->wrong, i->at,
			      "%s has no entry; leave it out for the default "
			      "(%s)",
			      gate_key_name(i->row), i->row->preset);
	else if ((uint64_t)n > i->row->most)
		gate_complain(r->wrong, i->at,
			      "%s has %d entries; at most %llu may be",
			      gate_key_name(i->row), n,
			      (unsigned long long)i->row->most);
	return n > 0 && (uint64_t)n <= i->row->most;
}

void gate_read_rules(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_rules *rules = to;
	struct gate_item element;
	void *state = NULL;
	int room;
	size_t wrong = r->wrong->n;
	enum gate_list list = 0; /* by the name of its key */

	while (strcmp(gate_list_name(list), gate_key_name(i->row)) != 0)
		list++;
	rules->line = (unsigned)i->key.line;
	if (!gate_is_null(i) && !gate_want(r, i, gate_is_list(i), "a list"))
		return;
	room = gate_is_null(i) ? 0 : (int)gate_count(i);
	if (!fits_rules(r, i, room))
		return;
	rules->rule = calloc((size_t)room, sizeof(*rules->rule));
	while (rules->rule && rules->n < (size_t)room &&
	       gate_next_element(i, &state, &element))
		read_rule(r, &element, list, rules);
	if (list == GATE_ADDRESSES && r->wrong->n == wrong)
		find_contradictions(r, rules);
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
	if (route->to == GATE_TO_UPSTREAM && route->limits.message_bytes)
		gate_complain(r->wrong, i->at,
			      "limits.message is for echo routes; "
			      "messages for a server behind are not looked "
			      "into");
	gate_check_target(r, i, &seen, route);
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
