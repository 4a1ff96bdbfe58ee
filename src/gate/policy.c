/* SPDX-License-Identifier: MIT */
/* The end of a policy, and the names of its lists. */
#include "gate/policy.h"

#include <stdlib.h>

const char *gate_list_name(enum gate_list list)
{
	static const char *const names[GATE_N_LISTS] = {
		[GATE_HOSTS] = "hosts",
		[GATE_ADDRESSES] = "addresses",
		[GATE_ORIGINS] = "origins",
		[GATE_USER_AGENTS] = "user_agents",
	};

	return names[list];
}

static void free_rules(struct gate_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->rule[i].text);
	free(rules->rule);
}

static void free_route(struct gate_route *route)
{
	for (int list = 0; list < GATE_N_LISTS; list++)
		free_rules(&route->allow[list]);
	free(route->path);
	free(route->upstream);
	free(route->upstream_host);
	free(route->upstream_prefix);
	free(route->host);
}

static void free_listen(struct gate_listen *listen)
{
	free(listen->host);
	free(listen->certificate);
	free(listen->key);
	free(listen->client_ca);
}

void gate_policy_free(struct gate_policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->n_routes; i++)
		free_route(&policy->route[i]);
	for (size_t i = 0; i < policy->n_listen; i++)
		free_listen(&policy->listen[i]);
	free(policy->route);
	free(policy->listen);
	free(policy->journal);
	free(policy->file);
	free(policy);
}
