/* SPDX-License-Identifier: MIT */
/* The entries of a policy's lists, and its end. */
#include "gate/policy.h"

#include <stdlib.h>
#include <string.h>

#include "gate/credential.h"
#include "gate/index.h"
#include "gate/pool.h"
#include "wire/url.h"

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

static const char *host_entry_wrong(struct bytes s)
{
	ptrdiff_t star = bytes_find_byte(s, '*');

	if (star > 0 || (star == 0 && s.len > 1 && s.data[1] != '.') ||
	    bytes_find_byte(bytes_from(s, 1), '*') >= 0)
		return "may have a wildcard only as its whole first label, as "
		       "in *.example.org";
	if (bytes_find_byte(s, '/') >= 0)
		return "is no Host field: that has no scheme and no path";
	/* "*." would be taken for "*", for the dot of the root counts nothing. */
	if (!bytes_equal(s, BYTES("*")) &&
	    !ses_url_host_field_valid(bytes_from(s, star == 0 ? 2 : 0)))
		return "is no Host field: that is a name or an address, with "
		       "or without a port";
	return NULL;
}

const char *gate_rule_read(enum gate_list list, struct gate_rule *rule)
{
	struct bytes s = bytes_of_str(rule->text);

	rule->negative = s.data[0] == '!';
	s = bytes_from(s, rule->negative);
	if (list == GATE_ORIGINS)
		return gate_origin_pattern_read(s, &rule->origin);
	if (list == GATE_ADDRESSES)
		return gate_network_read(s, &rule->network);
	rule->glob = s;
	if (s.len > 256) /* so that matching stays cheap */
		return "is longer than 256 bytes";
	return list == GATE_HOSTS ? host_entry_wrong(s) : NULL;
}

static void free_rules(struct gate_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->rule[i].text);
	free(rules->rule);
}

static void free_server(struct gate_server *server)
{
	free(server->text);
	free(server->host);
	free(server->prefix);
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void free_authority(struct gate_authority *authority)
{
	free_server(&authority->server);
	free(authority->target);
	free_names(authority->header, authority->n_headers);
	free_names(authority->copy, authority->n_copies);
}

static void free_token(struct gate_token_settings *token)
{
	if (token)
		gate_token_fini(token);
	free(token);
}

static void free_may(struct gate_may *may)
{
	for (size_t i = 0; i < may->n_claims; i++) {
		free(may->claim[i].name);
		free(may->claim[i].value);
	}
	free(may->claim);
}

static void free_hub(struct gate_hub_settings *hub)
{
	free_token(hub->publish);
	free_token(hub->read);
	free(hub->key);
	free((char *)hub->rate_member.text);
	free((char *)hub->rate_channel.text);
	free_may(&hub->may_publish);
	free_may(&hub->may_presence);
}

static void free_route(struct gate_route *route)
{
	for (int list = 0; list < GATE_N_LISTS; list++)
		free_rules(&route->allow[list]);
	free_token(route->token);
	free_rules(&route->subprotocols);
	free_rules(&route->certificates);
	free_authority(&route->authority);
	for (size_t i = 0; i < route->limits.n_of; i++)
		free((char *)route->limits.of[i].text);
	free(route->limits.message_text);
	free((char *)route->limits.messages.text);
	free(route->path);
	gate_pool_free(route->pool);
	for (size_t i = 0; i < route->n_servers; i++)
		free_server(&route->server[i]);
	free(route->server);
	for (size_t i = 0; i < route->n_fields; i++) {
		free(route->field[i].name);
		free(route->field[i].value);
	}
	free(route->field);
	free(route->upstream_tls.ca);
	free(route->upstream_tls.name);
	free(route->upstream_tls.certificate);
	free(route->upstream_tls.key);
	free(route->health.path);
	free(route->host);
	free(route->origin);
	free_hub(&route->hub);
	free(route->root);
}

static void free_identity(struct gate_identity *id)
{
	free(id->certificate);
	free(id->key);
}

static void free_listen(struct gate_listen *listen)
{
	free(listen->host);
	free_identity(&listen->first);
	for (size_t i = 0; i < listen->n_others; i++)
		free_identity(&listen->others[i]);
	free(listen->others);
	free(listen->client_ca);
}

static void free_expectation(struct gate_expectation *e)
{
	char *const texts[] = {
		e->url,	       e->origin, e->from,  e->host,  e->subprotocol,
		e->user_agent, e->expect, e->token, e->basic, e->cookie};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	free_names(e->header, e->n_headers);
	free_names(e->certificate, e->n_certificates);
}

static bool has_server(const struct gate_route *route,
		       const struct gate_server *server)
{
	for (size_t i = 0; i < route->n_servers; i++)
		if (strcmp(route->server[i].text, server->text) == 0)
			return true;
	return false;
}

const struct gate_route *gate_same_route(const struct gate_policy *policy,
					 const struct gate_route *old,
					 const struct gate_server *server)
{
	for (size_t i = 0; i < policy->n_routes; i++) {
		const struct gate_route *new = &policy->route[i];

		if (strcmp(new->path, old->path) != 0)
			continue;
		return new->to == old->to && (!server || has_server(new, server))
			       ? new
			       : NULL;
	}
	return NULL;
}

struct gate_policy *gate_policy_ref(struct gate_policy *policy)
{
	atomic_fetch_add(&policy->refs, 1);
	return policy;
}

void gate_policy_keep_listeners(struct gate_policy *policy, size_t n)
{
	while (policy->n_listen > n)
		free_listen(&policy->listen[--policy->n_listen]);
}

static void free_operation(struct gate_policy *policy)
{
	for (size_t i = 0; i < policy->admin.n_names; i++)
		free(policy->admin.name[i]);
	free(policy->admin.name);
	free(policy->admin.host);
	free(policy->admin.socket);
	free(policy->log_file);
	free(policy->user);
	free(policy->group);
	free(policy->pid_file);
	if (policy->backplane)
		explicit_bzero(policy->backplane, strlen(policy->backplane));
	free(policy->backplane);
	free(policy->backplane_ca);
	free(policy->node);
}

void gate_policy_unref(struct gate_policy *policy)
{
	if (!policy || atomic_fetch_sub(&policy->refs, 1) > 1)
		return;
	gate_index_free(policy->index);
	for (size_t i = 0; i < policy->n_routes; i++)
		free_route(&policy->route[i]);
	for (size_t i = 0; i < policy->n_listen; i++)
		free_listen(&policy->listen[i]);
	for (size_t i = 0; i < policy->n_tests; i++)
		free_expectation(&policy->test[i]);
	free(policy->test);
	free(policy->route);
	free(policy->listen);
	free(policy->trusted);
	free(policy->journal);
	free(policy->explain);
	free_operation(policy);
	free(policy->file);
	free(policy->whole_file);
	free(policy->live);
	free(policy);
}
