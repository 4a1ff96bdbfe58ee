/* SPDX-License-Identifier: MIT */
/* `allow` and `limits`: who may enter a route, and how much of it there is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/networks.h"
#include "gate/reading.h"
#include "gate/value.h"
#include "wire/head.h"
#include "wire/url.h"

/* ---- Lists ---- */

static void read_rule(struct gate_reader *r, const struct gate_item *i,
		      enum gate_list list, struct gate_rules *rules)
{
	struct gate_rule *rule = &rules->rule[rules->n];
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	*rule = (struct gate_rule){.text = gate_copy(r, s),
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
	rules->rule = gate_enough(r, calloc((size_t)room, sizeof(*rules->rule)));
	while (rules->rule && rules->n < (size_t)room &&
	       gate_next_element(i, &state, &element))
		read_rule(r, &element, list, rules);
	if (list == GATE_ADDRESSES && r->wrong->n == wrong)
		find_contradictions(r, rules);
}

/* ---- Subprotocols and certificates ---- */

/* Each entry of a list of texts, with what is wrong with it, if anything. */
static void read_entries(struct gate_reader *r, const struct gate_item *i,
			 struct gate_rules *rules,
			 const char *(*wrong_with)(struct gate_rule *rule))
{
	struct gate_item element;
	void *state = NULL;

	rules->line = (unsigned)i->key.line;
	if (!gate_want(r, i, gate_is_list(i), "a list") ||
	    !fits_rules(r, i, (int)gate_count(i)))
		return;
	rules->rule =
		gate_enough(r, calloc(gate_count(i), sizeof(*rules->rule)));
	while (rules->rule && gate_next_element(i, &state, &element)) {
		struct gate_rule *rule = &rules->rule[rules->n];
		const char *wrong;
		struct bytes s;

		if (!gate_want_text(r, &element, &s))
			continue;
		rule->text = gate_copy(r, s);
		rule->line = (unsigned)element.at.line;
		if (!rule->text)
			return;
		rules->n++;
		wrong = wrong_with(rule);
		if (wrong)
			gate_complain(r->wrong, element.at, "%s: `%s` %s",
				      gate_key_name(i->row), gate_show(s).text,
				      wrong);
	}
}

static const char *subprotocol_wrong(struct gate_rule *rule)
{
	rule->glob = bytes_of_str(rule->text);
	return ses_is_token(rule->glob)
		       ? NULL
		       : "is no subprotocol: that is a word without blanks, "
			 "commas and the like";
}

void gate_read_subprotocols(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	read_entries(r, i, to, subprotocol_wrong);
}

void gate_read_certificates(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	read_entries(r, i, to, gate_certificate_rule_read);
}

/* ---- The authority ---- */

#define AUTHORITY_MS 2000

void gate_read_authority(struct gate_reader *r, const struct gate_item *i,
			 void *to)
{
	struct gate_authority *a = to;
	struct gate_seen seen;

	a->line = (unsigned)i->key.line;
	a->timeout_ms = AUTHORITY_MS;
	if (gate_read_submap(r, i, to, &seen))
		gate_need(r, &seen, GATE_SET_AUTHORITY_URL, i->at);
}

/* Read as the ws: URL that it would be: the same host, port and path. */
void gate_read_authority_url(struct gate_reader *r, const struct gate_item *i,
			     void *to)
{
	struct gate_authority *a = to;
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url url = {0};
	char text[1100];
	struct bytes s;
	size_t at = 0;

	if (!gate_want_text(r, i, &s))
		return;
	if (!bytes_starts(s, BYTES("http://"))) {
		gate_complain(r->wrong, i->at,
			      "url `%s` does not begin with http://",
			      gate_show(s).text);
		return;
	}
	snprintf(text, sizeof(text), "ws%.*s", (int)s.len - 4,
		 (const char *)s.data + 4);
	if (ses_url_parse(bytes_of_str(text), &url, &fault, &at) < 0) {
		gate_complain(r->wrong, i->at, "url `%s`: %s",
			      gate_show(s).text, ses_url_fault(fault)->sentence);
		return;
	}
	if (url.userinfo.data) {
		gate_complain(r->wrong, i->at, "url `%s` has a user name",
			      gate_show(s).text);
		return;
	}
	gate_put(&a->server.text, gate_copy(r, s));
	gate_put(&a->server.host, gate_copy(r, url.host));
	a->server.port = url.port;
	free(a->target);
	a->target = gate_print(r, "%.*s%s%.*s", BYTES_ARG(url.path),
			       url.query.data ? "?" : "", BYTES_ARG(url.query));
}

/* What the gateway says itself, or what belongs to one connection. */
static bool is_no_copy(struct bytes name)
{
	static const char *const names[] = {
		"Host",	    "Connection", "Upgrade",	       "Content-Length",
		"Expect",   "Trailer",	  "Transfer-Encoding", "TE",
		"Forwarded"};
	static const char *const beginnings[] = {
		"Sec-WebSocket-", "X-Forwarded-", "X-Original-", "Proxy-"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		if (bytes_equal_nocase(name, bytes_of_str(names[k])))
			return true;
	for (size_t k = 0; k < sizeof(beginnings) / sizeof(beginnings[0]); k++)
		if (bytes_equal_nocase(bytes_first(name, strlen(beginnings[k])),
				       bytes_of_str(beginnings[k])))
			return true;
	return false;
}

static const char *wrong_with_field(struct bytes name)
{
	return ses_is_token(name) && !is_no_copy(name)
		       ? NULL
		       : "is no field that can be passed on";
}

void gate_read_authority_names(struct gate_reader *r, const struct gate_item *i,
			       void *to)
{
	struct gate_authority *a = to;

	if (i->row == gate_setting(GATE_SET_AUTHORITY_COPY))
		a->copy = gate_read_texts(r, i, wrong_with_field, &a->n_copies);
	else
		a->header =
			gate_read_texts(r, i, wrong_with_field, &a->n_headers);
}

/* ---- Limits ---- */

void gate_read_limit(struct gate_reader *r, const struct gate_item *i, void *to)
{
	static const struct {
		const char *key;
		enum gate_limit_kind kind;
		enum gate_limit_by by;
	} rows[] = {
		{"handshakes", GATE_LIMIT_RATE, GATE_BY_ADDRESS},
		{"connections", GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS},
		{"token_handshakes", GATE_LIMIT_RATE, GATE_BY_SUBJECT},
		{"token_connections", GATE_LIMIT_CONNECTIONS, GATE_BY_SUBJECT},
		{"route_handshakes", GATE_LIMIT_RATE, GATE_BY_ROUTE},
		{"route_connections", GATE_LIMIT_CONNECTIONS, GATE_BY_ROUTE},
		{"publishes", GATE_LIMIT_RATE, GATE_BY_PUBLISHER},
		{"failures", GATE_LIMIT_FAILURES, GATE_BY_ADDRESS},
	};
	struct gate_limits *limits = to;
	struct gate_limit *limit = &limits->of[limits->n_of];
	const char *key = gate_key_name(i->row);
	size_t k = 0;
	struct bytes s;
	uint64_t most = 0;
	char *text;

	while (strcmp(rows[k].key, key) != 0)
		k++;
	if (!gate_want_text(r, i, &s))
		return;
	if (rows[k].kind == GATE_LIMIT_CONNECTIONS) {
		gate_read_number(r, i, &most);
	} else if (!gate_rate_read(s, &most, &limit->period_ms) ||
		   most > UINT32_MAX) {
		gate_complain(r->wrong, i->at,
			      "%s is a rate, as in 20/minute, not `%s`", key,
			      gate_show(s).text);
		return;
	}
	text = most ? gate_print(r, "%s: %.*s", key, BYTES_ARG(s)) : NULL;
	if (!text)
		return;
	limit->kind = rows[k].kind;
	limit->by = rows[k].by;
	limit->most = most;
	limit->text = text;
	limit->line = (unsigned)i->at.line;
	limits->n_of++;
}

/* "message: 64KiB", for people. */
static char *name_limit(struct gate_reader *r, const struct gate_item *i)
{
	return gate_print(r, "%s: %.*s", gate_key_name(i->row),
			  BYTES_ARG(gate_text_of(i)));
}

void gate_read_message_limit(struct gate_reader *r, const struct gate_item *i,
			     void *to)
{
	struct gate_limits *limits = to;

	gate_read_number(r, i, &limits->message_bytes);
	if (!limits->message_bytes)
		return;
	gate_put(&limits->message_text, name_limit(r, i));
	limits->message_line = (unsigned)i->at.line;
}

void gate_read_rate_limit(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_limit *limit = to;
	uint64_t most = 0;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	if (!gate_rate_read(s, &most, &limit->period_ms) || most > UINT32_MAX) {
		gate_complain(r->wrong, i->at,
			      "%s is a rate, as in 50/second, not `%s`",
			      gate_key_name(i->row), gate_show(s).text);
		return;
	}
	free((char *)limit->text);
	limit->text = name_limit(r, i);
	limit->most = most;
	limit->line = (unsigned)i->at.line;
}

/* ---- What of it goes together ---- */

/* Who tries tokens or passwords one after the other is to be stopped. */
static void limit_failures(struct gate_reader *r, struct gate_limits *limits)
{
	for (size_t i = 0; i < limits->n_of; i++)
		if (limits->of[i].kind == GATE_LIMIT_FAILURES)
			return;
	limits->of[limits->n_of++] = (struct gate_limit){
		.kind = GATE_LIMIT_FAILURES,
		.by = GATE_BY_ADDRESS,
		.most = 60,
		.period_ms = 60000,
		.text = gate_enough(
			r, strdup("the default of failures: 60/minute")),
	};
}

static bool is_countable(const struct gate_route *route,
			 const struct gate_limit *limit)
{
	if (limit->by == GATE_BY_PUBLISHER)
		return route->hub.publish;
	if (limit->kind == GATE_LIMIT_FAILURES)
		return route->token || route->hub.publish;
	return route->token || limit->by != GATE_BY_SUBJECT;
}

void gate_check_allow(struct gate_reader *r, const struct gate_item *i,
		      struct gate_route *route)
{
	struct gate_limits *limits = &route->limits;

	if (route->token || route->hub.publish)
		limit_failures(r, limits);
	for (size_t k = 0; k < limits->n_of; k++) {
		struct gate_place at = {(int)limits->of[k].line, 1};

		limits->of[k].scope = route->path;
		if (limits->of[k].line && !is_countable(route, &limits->of[k]))
			gate_complain(r->wrong, at,
				      "%s needs `%s`: whose is it to count?",
				      limits->of[k].text,
				      limits->of[k].by == GATE_BY_PUBLISHER
					      ? "hub.publish"
					      : "allow.token");
	}
}
