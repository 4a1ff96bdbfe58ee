/* SPDX-License-Identifier: MIT */
/* The question is put to the function that a reload asks: gate_same_route(). */
#include "gate/plan.h"

#include <string.h>

#include "gate/pool.h"

static uint64_t live_of(const struct gate_house *house,
			const struct gate_route *route)
{
	struct gate_counts sum;

	gate_tally_sum(gate_house_metrics(house), route->tally, &sum);
	return atomic_load(&sum.live);
}

/* Those of @route that are joined with servers that @next has no more. */
static uint64_t without_server(const struct gate_policy *next,
			       const struct gate_route *route, uint64_t now_ms)
{
	uint64_t n = 0;

	for (size_t i = 0; route->pool && i < route->n_servers; i++)
		if (!gate_same_route(next, route, &route->server[i]))
			n += gate_pool_state(route->pool, i, now_ms).live;
	return n;
}

static uint64_t cut_of(const struct gate_policy *next,
		       const struct gate_route *route, uint64_t live,
		       uint64_t now_ms)
{
	uint64_t n = live;

	if (gate_same_route(next, route, NULL))
		n = without_server(next, route, now_ms);
	return n < live ? n : live;
}

json_t *gate_plan(const struct gate_house *house,
		  const struct gate_policy *next, uint64_t now_ms)
{
	const struct gate_policy *p = gate_house_doors(house)->policy;
	json_t *plan = json_object(), *routes = json_array();
	uint64_t kept_in_all = 0, cut_in_all = 0;

	for (size_t i = 0; i < p->n_routes; i++) {
		uint64_t live = live_of(house, &p->route[i]);
		uint64_t cut = cut_of(next, &p->route[i], live, now_ms);

		kept_in_all += live - cut;
		cut_in_all += cut;
		json_array_append_new(routes,
				      json_pack("{s:s,s:I,s:I}", "path",
						p->route[i].path, "kept",
						(json_int_t)(live - cut), "cut",
						(json_int_t)cut));
	}
	json_object_set_new(plan, "kept", json_integer((json_int_t)kept_in_all));
	json_object_set_new(plan, "cut", json_integer((json_int_t)cut_in_all));
	json_object_set_new(plan, "routes", routes);
	return plan;
}

static bool differ(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

json_t *gate_plan_restart(const struct gate_policy *start,
			  const struct gate_policy *next)
{
	const struct gate_admin_settings *a = &start->admin, *b = &next->admin;
	const struct {
		const char *name;
		bool changed;
	} rows[] = {
		{"journal.file", differ(start->journal, next->journal)},
		{"journal.max_rows", start->journal_rows != next->journal_rows},
		{"journal.max_size", start->journal_bytes != next->journal_bytes},
		{"user", differ(start->user, next->user)},
		{"group", differ(start->group, next->group)},
		{"pid_file", differ(start->pid_file, next->pid_file)},
		{"admin.address", differ(a->host, b->host) || a->port != b->port},
		{"admin.socket", differ(a->socket, b->socket)},
		{"workers", start->workers != next->workers},
		{"backplane", differ(start->backplane, next->backplane)},
		{"backplane_ca", differ(start->backplane_ca, next->backplane_ca)},
		{"node", differ(start->node, next->node)},
	};
	json_t *names = json_array();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].changed)
			json_array_append_new(names, json_string(rows[i].name));
	return names;
}
