/* SPDX-License-Identifier: MIT */
/*
 * The decision. A list admits a value when one of its entries matches (or it
 * has only entries with "!") and no entry with "!" matches; the order of the
 * entries does not matter. Without a list everything passes, except for
 * origins: there the default is the page's own host, because a browser sends
 * its user's cookies along to any host that a foreign page names.
 */
#include "gate/admit.h"

static const struct check {
	const char *name;
	enum why_cause cause;
} checks[GATE_N_LISTS] = {
	[GATE_HOSTS] = {"host", WHY_ACCESS_HOST},
	[GATE_ADDRESSES] = {"address", WHY_ACCESS_IP},
	[GATE_ORIGINS] = {"origin", WHY_ACCESS_ORIGIN},
	[GATE_USER_AGENTS] = {"user-agent", WHY_ACCESS_USER_AGENT},
};

bool gate_is_path(struct bytes target)
{
	return target.len && target.data[0] == '/';
}

struct bytes gate_path_of(struct bytes target)
{
	ptrdiff_t query = bytes_find_byte(target, '?');

	return bytes_first(target, query < 0 ? target.len : (size_t)query);
}

static struct gate_trace *note(struct gate_decision *d, const char *check,
			       bool passed, const char *rule, unsigned line,
			       struct bytes value)
{
	struct gate_trace *t = &d->trace[d->n_trace++];

	*t = (struct gate_trace){check, passed, rule, line, value};
	return t;
}

static void refuse(struct gate_decision *d, enum why_cause cause, int status)
{
	d->admitted = false;
	d->cause = cause;
	d->status = status;
}

/* ---- Path ---- */

static void find_route(const struct gate_policy *policy, struct bytes path,
		       struct gate_decision *d)
{
	const char *ambiguity = gate_path_ambiguity(path);

	if (!gate_is_path(path))
		ambiguity = "no slash at its beginning";
	if (ambiguity) {
		note(d, "path", false, ambiguity, 0, path);
		refuse(d, WHY_URL_PATH, 400);
		return;
	}
	for (size_t i = 0; i < policy->n_routes; i++) {
		const struct gate_route *route = &policy->route[i];

		if (gate_path_pattern_has(&route->pattern, path)) {
			note(d, "path", true, route->path, route->line, path);
			d->route = route;
			return;
		}
	}
	note(d, "path", false, "no route has this path", 0, path);
	refuse(d, WHY_URL_PATH, 404);
}

/* ---- Lists ---- */

static struct bytes value_of(const struct gate_request *r, enum gate_list list)
{
	switch (list) {
	case GATE_HOSTS:
		return r->host;
	case GATE_ADDRESSES:
		return r->address_text;
	case GATE_ORIGINS:
		return r->origin;
	default:
		return r->user_agent;
	}
}

/* The port with its colon, or nothing, is cut off @host. */
static struct bytes cut_port(struct bytes *host)
{
	ptrdiff_t bracket = bytes_find_byte(*host, ']');
	struct bytes after = bytes_from(*host, (size_t)(bracket + 1));
	ptrdiff_t colon = bytes_find_byte(after, ':');

	if (colon < 0)
		return bytes_of(NULL, 0);
	*host = bytes_first(*host, (size_t)(bracket + 1 + colon));
	return bytes_from(after, (size_t)colon);
}

static bool host_has(struct bytes glob, struct bytes host)
{
	struct bytes glob_port = cut_port(&glob), port = cut_port(&host);

	/* An entry without a port is for all ports. */
	return gate_glob_has(gate_without_dot(glob), gate_without_dot(host)) &&
	       (!glob_port.len || gate_glob_has(glob_port, port));
}

static bool rule_has(const struct gate_rule *rule, enum gate_list list,
		     const struct gate_request *r)
{
	switch (list) {
	case GATE_HOSTS:
		return host_has(rule->glob, r->host);
	case GATE_ADDRESSES:
		return gate_network_has(&rule->network, &r->address);
	case GATE_ORIGINS:
		return rule->negative ? gate_origin_pattern_excludes(
						&rule->origin, r->origin)
				      : gate_origin_pattern_has(&rule->origin,
								r->origin);
	default:
		return gate_glob_has(rule->glob, r->user_agent);
	}
}

/* The first entry of one sort that matches. */
static const struct gate_rule *matching(const struct gate_rules *rules,
					enum gate_list list, bool negative,
					const struct gate_request *r)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->rule[i].negative == negative &&
		    rule_has(&rules->rule[i], list, r))
			return &rules->rule[i];
	return NULL;
}

static bool only_negatives(const struct gate_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!rules->rule[i].negative)
			return false;
	return true;
}

static bool consult(const struct gate_rules *rules, enum gate_list list,
		    const struct gate_request *r, struct gate_decision *d)
{
	const char *name = checks[list].name;
	struct bytes value = value_of(r, list);
	const struct gate_rule *rule = matching(rules, list, true, r);

	if (rule) {
		note(d, name, false, rule->text, rule->line, value);
		return false;
	}
	rule = matching(rules, list, false, r);
	if (rule || only_negatives(rules)) {
		note(d, name, true, rule ? rule->text : "no entry excludes it",
		     rule ? rule->line : rules->line, value);
		return true;
	}
	note(d, name, false, "no entry matches", rules->line, value);
	return false;
}

static bool consult_default(enum gate_list list, const struct gate_request *r,
			    struct gate_decision *d)
{
	const char *name = checks[list].name;
	bool same;

	if (list != GATE_ORIGINS) {
		note(d, name, true, "no list", 0, value_of(r, list));
		return true;
	}
	if (!r->origin.data) {
		note(d, name, true, "no Origin, so no browser's page", 0,
		     r->origin);
		return true;
	}
	same = gate_origin_is_same(r->origin, r->host);
	note(d, name, same, "the default: pages of the same host only", 0,
	     r->origin);
	return same;
}

void gate_admit(const struct gate_policy *policy,
		const struct gate_request *request,
		struct gate_decision *ret_decision)
{
	struct gate_decision d = {
		.admitted = true, .status = 101, .list = GATE_N_LISTS};

	find_route(policy, gate_path_of(request->target), &d);
	for (enum gate_list list = 0; d.admitted && list < GATE_N_LISTS; list++) {
		const struct gate_rules *rules = &d.route->allow[list];

		if (rules->line ? consult(rules, list, request, &d)
				: consult_default(list, request, &d))
			continue;
		refuse(&d, checks[list].cause, 403);
		d.list = list;
		if (list == GATE_ORIGINS && !request->origin.data)
			d.cause = WHY_ACCESS_ORIGIN_MISSING;
	}
	*ret_decision = d;
}
