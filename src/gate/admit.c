/* SPDX-License-Identifier: MIT */
/*
 * The decision. A list admits a value when one of its entries matches (or it
 * has only entries with "!") and no entry with "!" matches; the order of the
 * entries does not matter. Of networks the most specific one that has the
 * address decides alone, so 10.1.0.0/16 can be let in out of !10.0.0.0/8, and
 * 10.1.2.0/24 kept out again. Without a list everything passes, except for
 * origins: there the default is the page's own host, because a browser sends
 * its user's cookies along to any host that a foreign page names.
 */
#include "gate/admit.h"

#include <stdio.h>

#include "gate/client_certificate.h"
#include "gate/credential.h"
#include "gate/index.h"
#include "gate/subprotocols.h"

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
		(struct gate_trace){check, passed, rule, line, value, NULL};
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
	struct gate_decision *d = l->d;

	if (!gate_is_path(path))
		ambiguity = "no slash at its beginning";
	if (ambiguity) {
		note(d, "path", false, ambiguity, 0, path);
		refuse(d, WHY_URL_PATH, 400, GATE_N_LISTS);
		return;
	}
	d->route = gate_index_route(l->policy, path);
	if (d->route) {
		note(d, "path", true, d->route->path, d->route->line, path);
		return;
	}
	note(d, "path", false, "no route has this path", 0, path);
	refuse(d, WHY_URL_PATH, 404, GATE_N_LISTS);
}

/* ---- Lists ---- */

static bool consult(const struct looking *l, enum gate_list list,
		    const char *name)
{
	const struct gate_route *route = l->d->route;
	const struct gate_rule *rule =
		gate_index_rule(l->policy, route, list, l->request);
	unsigned line = rule ? rule->line : route->allow[list].line;
	struct bytes value = gate_list_value(l->request, list);
	bool passed = rule ? !rule->negative
			   : gate_index_only_excludes(l->policy, route, list);

	note(l->d, name, passed,
	     rule     ? rule->text
	     : passed ? "no entry excludes it"
		      : "no entry matches",
	     line, value);
	return passed;
}

static bool consult_default(enum gate_list list, const struct gate_request *r,
			    const char *name, struct gate_decision *d)
{
	bool same;

	if (list != GATE_ORIGINS) {
		note(d, name, true, "no list", 0, gate_list_value(r, list));
		return true;
	}
	if (!r->origin.data) {
		note(d, name, true, "no Origin, so no browser's page", 0,
		     r->origin);
		return true;
	}
	same = gate_origin_is_same(r->origin, r->host, r->secure);
	note(d, name, same,
	     r->secure ? "the default: https pages of the same host only"
		       : "the default: pages of the same host only",
	     0, r->origin);
	return same;
}

static void look_at_list(struct looking *l, enum gate_list list,
			 const char *name, enum why_cause cause)
{
	const struct gate_rules *rules = &l->d->route->allow[list];

	if (rules->line ? !consult(l, list, name)
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

/* ---- Certificates and subprotocols ---- */

static void look_at_certificate(struct looking *l)
{
	const struct gate_rules *rules = &l->d->route->certificates;
	const struct ses_tls_info *tls = l->request->tls;
	struct bytes value = bytes_of(NULL, 0);
	const struct gate_rule *rule;
	bool admitted;

	if (!rules->line)
		return;
	if (l->request->any_certificate) {
		note(l->d, "certificate", true,
		     "none was described: taken for good", rules->line, value);
		return;
	}
	admitted = gate_certificate_admitted(rules, tls, &rule);
	value = gate_certificate_shown(rules, rule, tls, l->d->certificate,
				       sizeof(l->d->certificate));
	note(l->d, "certificate", admitted,
	     rule	  ? rule->text
	     : admitted	  ? "no entry excludes it"
	     : value.data ? "no entry matches"
			  : "no client certificate was sent",
	     rule ? rule->line : rules->line, value);
	if (!admitted)
		refuse(l->d, WHY_ACCESS_CLIENT_CERT, 403, GATE_N_LISTS);
}

static void look_at_subprotocol(struct looking *l)
{
	const struct gate_rules *rules = &l->d->route->subprotocols;
	struct gate_asked asked = gate_asked_of(l->request);
	const struct gate_rule *rule;
	struct bytes first;

	if (!rules->line || gate_publishes(l->request, l->d->route))
		return;
	rule = gate_subprotocol_rule(l->d->route, &asked);
	first = gate_first_offer(l->d->route, &asked);
	note(l->d, "subprotocol", rule != NULL,
	     rule ? rule->text : "none that is offered is in the list",
	     rule ? rule->line : rules->line, first);
	if (!rule)
		refuse(l->d, WHY_SERVER_SUBPROTOCOL, 400, GATE_N_LISTS);
}

/* ---- What others know ---- */

bool gate_limit_is_asked(const struct gate_limit *limit, enum gate_ask ask,
			 bool publishes)
{
	if (ask == GATE_ASK_SUBJECT_ROOM)
		return limit->by ==
		       (publishes ? GATE_BY_PUBLISHER : GATE_BY_SUBJECT);
	/* Who publishes is no member, and is counted as none. */
	return publishes ? limit->kind == GATE_LIMIT_FAILURES
			 : limit->by == GATE_BY_ADDRESS ||
				   limit->by == GATE_BY_ROUTE;
}

const struct gate_token_settings *
gate_wanted_token(const struct gate_request *r, const struct gate_route *route)
{
	if (gate_reads(r, route) && route->hub.read)
		return route->hub.read;
	return gate_publishes(r, route) ? route->hub.publish : route->token;
}

struct gate_reply gate_reply_of(const struct gate_credential *c, char *rule,
				size_t size)
{
	const struct gate_fault_row *row = gate_fault(c->fault);
	struct gate_reply reply = {
		.passed = c->fault == GATE_FAULT_NONE,
		.rule = rule,
		.line = c->line,
		.cause = row->cause,
		.status = row->status,
	};

	if (c->subject && c->subject[0])
		reply.value = bytes_of_str(c->subject);
	else if (c->from)
		reply.value = bytes_of_str(c->from->text);
	if (!reply.passed && c->compared->value[0])
		reply.value = bytes_of_str(c->compared->value);
	if (c->compared->nearest[0])
		reply.nearest = c->compared->nearest;
	if (reply.passed)
		snprintf(rule, size, "%s, by %s",
			 c->from ? c->from->text : "header",
			 c->method ? c->method : "");
	else
		snprintf(rule, size, "%s%s%s", row->text,
			 c->detail[0] ? ": " : "", c->detail);
	return reply;
}

static void refuse_publishing(struct looking *l)
{
	note(l->d, "token", false, "the route has no hub.publish",
	     l->d->route->line, bytes_of(NULL, 0));
	refuse(l->d, WHY_CLIENT_BAD_HANDSHAKE, 405, GATE_N_LISTS);
}

static void ask_for_room(struct looking *l, enum gate_ask ask)
{
	const struct gate_route *route = l->d->route;
	bool publishes = gate_publishes(l->request, route);

	if (ask == GATE_ASK_SUBJECT_ROOM && gate_reads(l->request, route))
		return; /* limits.publishes is for who does */
	for (size_t i = 0; i < route->limits.n_of; i++)
		if (gate_limit_is_asked(&route->limits.of[i], ask, publishes))
			l->d->ask = ask;
}

static void look_for_room(struct looking *l)
{
	ask_for_room(l, GATE_ASK_ROOM);
}

static void look_at_credential(struct looking *l)
{
	if (gate_wanted_token(l->request, l->d->route))
		l->d->ask = GATE_ASK_CREDENTIAL;
	else if (gate_publishes(l->request, l->d->route))
		refuse_publishing(l);
}

/* In a survey: without any, the look at them can only refuse. */
static void look_for_credential(struct looking *l)
{
	const struct gate_token_settings *token =
		gate_wanted_token(l->request, l->d->route);
	struct gate_asked asked = gate_asked_of(l->request);

	if (!token || !token->at.line || l->request->any_credentials ||
	    gate_credential_is_there(token, &asked))
		return;
	note(l->d, "token", false, gate_fault(GATE_FAULT_MISSING)->text,
	     (unsigned)token->at.line, bytes_of(NULL, 0));
	refuse(l->d, WHY_ACCESS_CREDENTIALS, 401, GATE_N_LISTS);
}

static void look_for_subject_room(struct looking *l)
{
	ask_for_room(l, GATE_ASK_SUBJECT_ROOM);
}

static void ask_authority(struct looking *l)
{
	if (l->d->route->authority.line)
		l->d->ask = GATE_ASK_AUTHORITY;
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
	{look_at_certificate, GATE_ASK_NOTHING},
	{look_at_subprotocol, GATE_ASK_NOTHING},
	{look_for_room, GATE_ASK_ROOM},
	{look_at_credential, GATE_ASK_CREDENTIAL},
	{look_for_subject_room, GATE_ASK_SUBJECT_ROOM},
	{ask_authority, GATE_ASK_AUTHORITY},
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

		if (survey && look->ask == GATE_ASK_CREDENTIAL)
			look_for_credential(l);
		if (survey && look->ask != GATE_ASK_NOTHING)
			continue;
		look->take(l);
		if (d->ask != GATE_ASK_NOTHING || !d->route)
			return;
		if (!d->admitted && !survey) {
			d->next++;
			return;
		}
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
	static const char *const names[GATE_N_ASKS] = {"", "limits", "token",
						       "limits", "authority"};
	struct looking l = {policy, request, d};

	note(d, names[d->ask], reply->passed, reply->rule, reply->line,
	     reply->value);
	if (!reply->passed) {
		d->trace[d->n_trace - 1].nearest = reply->nearest;
		refuse(d, reply->cause, reply->status, GATE_N_LISTS);
	}
	d->ask = GATE_ASK_NOTHING;
	d->next++;
	if (d->admitted)
		look_on(&l, false);
}

void gate_admit_go_on(const struct gate_policy *policy,
		      const struct gate_request *request,
		      struct gate_decision *d)
{
	struct looking l = {policy, request, d};

	d->admitted = true;
	d->cause = WHY_OK;
	d->status = 101;
	d->list = GATE_N_LISTS;
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
