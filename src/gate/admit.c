/* SPDX-License-Identifier: MIT */
/*
 * The decision. A list admits a value when one of its entries matches (or it
 * has only entries with "!") and no entry with "!" matches; the order of the
 * entries does not matter. Without a list everything passes, except for
 * origins: there the default is the page's own host, because a browser sends
 * its user's cookies along to any host that a foreign page names.
 */
#include "gate/admit.h"

/* A request on its way through the looks. */
struct looking {
	const struct gate_policy *policy;
	const struct gate_request *request;
	struct gate_decision *d;
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

static void note(struct gate_decision *d, const char *check, bool passed,
		 const char *rule, unsigned line, struct bytes value)
{
	if (d->n_trace == GATE_MAX_TRACE)
		return;
	if (d->admitted)
		d->decided = d->n_trace;
	d->trace[d->n_trace++] =
		(struct gate_trace){check, passed, rule, line, value};
}

/* The first refusal is the one that is told; @list: the list that it is of. */
static void refuse(struct gate_decision *d, enum why_cause cause, int status,
		   enum gate_list list)
{
	if (!d->admitted)
		return;
	d->admitted = false;
	d->cause = cause;
	d->status = status;
	d->list = list;
}

/* ---- Path ---- */

static void look_at_path(struct looking *l)
{
	struct bytes path = gate_path_of(l->request->target);
	const char *ambiguity = gate_path_ambiguity(path);
	const struct gate_policy *policy = l->policy;
	struct gate_decision *d = l->d;

	if (!gate_is_path(path))
		ambiguity = "no slash at its beginning";
	if (ambiguity) {
		note(d, "path", false, ambiguity, 0, path);
		refuse(d, WHY_URL_PATH, 400, GATE_N_LISTS);
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
	refuse(d, WHY_URL_PATH, 404, GATE_N_LISTS);
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
		    const struct gate_request *r, const char *name,
		    struct gate_decision *d)
{
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
			    const char *name, struct gate_decision *d)
{
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

static void look_at_list(struct looking *l, enum gate_list list,
			 const char *name, enum why_cause cause)
{
	const struct gate_rules *rules = &l->d->route->allow[list];

	if (rules->line ? !consult(rules, list, l->request, name, l->d)
			: !consult_default(list, l->request, name, l->d))
		refuse(l->d, cause, 403, list);
}

static void look_at_host(struct looking *l)
{
	look_at_list(l, GATE_HOSTS, "host", WHY_ACCESS_HOST);
}

static void look_at_address(struct looking *l)
{
	look_at_list(l, GATE_ADDRESSES, "address", WHY_ACCESS_IP);
}

static void look_at_origin(struct looking *l)
{
	look_at_list(l, GATE_ORIGINS, "origin",
		     l->request->origin.data ? WHY_ACCESS_ORIGIN
					     : WHY_ACCESS_ORIGIN_MISSING);
}

static void look_at_user_agent(struct looking *l)
{
	look_at_list(l, GATE_USER_AGENTS, "user-agent", WHY_ACCESS_USER_AGENT);
}

/* ---- The looks, in their order ---- */

static const struct look {
	void (*take)(struct looking *l);
	enum gate_ask ask; /* who knows what policy and request do not tell */
} looks[] = {
	{look_at_path, GATE_ASK_NOTHING},
	{look_at_host, GATE_ASK_NOTHING},
	{look_at_address, GATE_ASK_NOTHING},
	{look_at_origin, GATE_ASK_NOTHING},
	{look_at_user_agent, GATE_ASK_NOTHING},
};

#define N_LOOKS (sizeof(looks) / sizeof(looks[0]))

/*
 * From d->next on, to the first refusal or to the last look. A look that has
 * to ask sets d->ask, unless this route has nothing to ask for.
 */
static void look_on(struct looking *l, bool survey)
{
	struct gate_decision *d = l->d;

	for (; d->next < N_LOOKS; d->next++) {
		const struct look *look = &looks[d->next];

		if (survey && look->ask != GATE_ASK_NOTHING)
			continue;
		look->take(l);
		if (d->ask != GATE_ASK_NOTHING || !d->route ||
		    (!d->admitted && !survey))
			return;
	}
}

static void begin(struct gate_decision *d)
{
	d->admitted = true;
	d->cause = WHY_OK;
	d->status = 101;
	d->route = NULL;
	d->n_trace = d->decided = 0;
	d->list = GATE_N_LISTS;
	d->ask = GATE_ASK_NOTHING;
	d->next = 0;
}

void gate_admit(const struct gate_policy *policy,
		const struct gate_request *request,
		struct gate_decision *ret_decision)
{
	struct looking l = {policy, request, ret_decision};

	begin(ret_decision);
	look_on(&l, false);
}

void gate_admit_resume(const struct gate_policy *policy,
		       const struct gate_request *request,
		       const struct gate_reply *reply, struct gate_decision *d)
{
	static const char *const names[GATE_N_ASKS] = {""};
	struct looking l = {policy, request, d};

	note(d, names[d->ask], reply->passed, reply->rule, reply->line,
	     reply->value);
	if (!reply->passed)
		refuse(d, reply->cause, reply->status, GATE_N_LISTS);
	d->ask = GATE_ASK_NOTHING;
	d->next++;
	if (d->admitted)
		look_on(&l, false);
}

void gate_admit_survey(const struct gate_policy *policy,
		       const struct gate_request *request,
		       struct gate_decision *ret_decision)
{
	struct looking l = {policy, request, ret_decision};

	begin(ret_decision);
	look_on(&l, true);
}
