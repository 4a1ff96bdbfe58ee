/* SPDX-License-Identifier: MIT */
/* Where a route leads: the echo, or servers behind and how they are asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gate/pool.h"
#include "gate/reading.h"
#include "wire/head.h"
#include "wire/url.h"

/* ---- to ---- */

/* Say what is wrong with the URL @s, and what was probably meant. */
static void complain_of_url(struct gate_reader *r, const struct gate_item *i,
			    struct bytes s, enum ses_url_fault fault)
{
	const char *sentence = ses_url_fault(fault)->sentence;
	char meant[256];

	if (ses_url_suggest(s, meant, sizeof(meant)))
		gate_complain(r->wrong, i->at,
			      "to: `%s`: %s (did you mean `%s`?)",
			      gate_show(s).text, sentence,
			      gate_show(bytes_of_str(meant)).text);
	else
		gate_complain(r->wrong, i->at, "to: `%s`: %s",
			      gate_show(s).text, sentence);
}

static void read_server(struct gate_reader *r, const struct gate_item *i,
			struct gate_route *route, struct bytes s)
{
	enum ses_url_fault fault = SES_URL_OK;
	struct gate_server *server;
	struct ses_url url = {0};
	size_t at = 0;

	if (ses_url_parse(s, &url, &fault, &at) < 0) {
		complain_of_url(r, i, s, fault);
		return;
	}
	if (url.query.data || url.userinfo.data) {
		gate_complain(r->wrong, i->at,
			      "to: `%s` has %s; a server behind the "
			      "gateway is ws://HOST:PORT[/prefix] or wss://",
			      gate_show(s).text,
			      url.query.data ? "a query" : "a user name");
		return;
	}
	if (url.path.len && url.path.data[url.path.len - 1] == '/')
		url.path.len--; /* the request's path brings its own slash */
	server = &route->server[route->n_servers++];
	*server = (struct gate_server){
		.text = gate_copy(r, s),
		.host = gate_copy(r, url.host),
		.port = url.port,
		.prefix = gate_copy(r, url.path),
		.tls = url.tls,
		.line = (unsigned)i->at.line,
		.column = (unsigned)i->at.column,
	};
}

/* By enum gate_target; a server behind is named by its URL. */
static const char *const words[] = {
	[GATE_TO_ECHO] = "echo",
	[GATE_TO_UPSTREAM] = "",
	[GATE_TO_HUB] = "hub",
	[GATE_TO_FILES] = "files",
};

static void read_target(struct gate_reader *r, const struct gate_item *i,
			struct gate_route *route, bool alone)
{
	size_t n_words = sizeof(words) / sizeof(words[0]);
	const char *near;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	for (size_t k = 0; alone && s.len && k < n_words; k++) {
		if (!bytes_equal_str(s, words[k]))
			continue;
		route->to = (enum gate_target)k;
		return;
	}
	if (bytes_find_byte(s, ':') >= 0) {
		read_server(r, i, route, s);
		return;
	}
	near = alone ? text_suggest(gate_show(s).text, words, n_words) : NULL;
	near = near && near[0] ? near : NULL;
	gate_complain(r->wrong, i->at,
		      "to: `%s` is nothing known; it is %sws://HOST:PORT"
		      "%s%s%s",
		      gate_show(s).text, alone ? "echo, hub, files or " : "",
		      near ? " (did you mean `" : "", near ? near : "",
		      near ? "`?)" : "");
}

void gate_read_route_to(struct gate_reader *r, const struct gate_item *i,
			void *to)
{
	struct gate_route *route = to;
	struct gate_item element;
	void *state = NULL;
	bool list = gate_is_list(i);
	size_t n = list ? gate_count(i) : 1;

	if (list && !gate_fits(r, i, n))
		return;
	route->to = GATE_TO_UPSTREAM;
	route->server = gate_enough(r, calloc(n, sizeof(*route->server)));
	if (!route->server)
		return;
	if (!list)
		read_target(r, i, route, true);
	while (list && gate_next_element(i, &state, &element))
		read_target(r, &element, route, false);
}

/* ---- What is said to them ---- */

static bool is_host(struct bytes s)
{
	for (size_t k = 0; k < s.len; k++)
		if (s.data[k] <= ' ' || s.data[k] >= 0x7f)
			return false;
	return true;
}

void gate_read_route_host(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	if (is_host(s))
		gate_put(to, bytes_equal(s, BYTES("pass")) ? NULL
							   : gate_copy(r, s));
	else
		gate_complain(r->wrong, i->at, "host `%s` is no Host field",
			      gate_show(s).text);
}

void gate_read_route_origin(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	struct gate_origin ignored;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	if (bytes_equal(s, BYTES("pass")))
		gate_put(to, NULL);
	else if (bytes_equal(s, BYTES("remove")))
		gate_put(to, gate_copy(r, bytes_of("", 0)));
	else if (gate_origin_read(s, &ignored) || bytes_equal(s, BYTES("null")))
		gate_put(to, gate_copy(r, s));
	else
		gate_complain(r->wrong, i->at,
			      "origin `%s` is none; it is pass, remove, or as "
			      "in https://app.example",
			      gate_show(s).text);
}

/* Fields that belong to the handshake, or to the gateway's own word. */
static const struct {
	const char *name, *see; /* what to set instead */
} ours[] = {
	{"Host", " (see `host`)"}, {"Origin", " (see `origin`)"},
	{"Connection", ""},	   {"Upgrade", ""},
	{"Content-Length", ""},	   {"Transfer-Encoding", ""},
	{"Forwarded", ""},	   {"TE", ""},
	{"Trailer", ""},	   {"Expect", ""},
};

/* What to set instead of a field of ours, or ""; NULL: it is none. */
static const char *see_instead_of(struct bytes name)
{
	static const char *const beginnings[] = {"Sec-WebSocket-",
						 "X-Forwarded-"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(ours[i].name)))
			return ours[i].see;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (bytes_equal_nocase(bytes_first(name, strlen(beginnings[i])),
				       bytes_of_str(beginnings[i])))
			return "";
	return NULL;
}

static void read_field(struct gate_reader *r, const struct gate_item *key,
		       const struct gate_item *value, struct gate_route *route)
{
	struct gate_field *field = &route->field[route->n_fields];
	struct bytes name = gate_text_of(key), text = bytes_of(NULL, 0);
	const char *see = see_instead_of(name);

	if (!ses_is_token(name)) {
		gate_complain(r->wrong, key->at, "`%s` is no name of a field",
			      gate_show(name).text);
		return;
	}
	if (see) {
		gate_complain(r->wrong, key->at,
			      "%s is written by the gateway itself%s",
			      gate_show(name).text, see);
		return;
	}
	if (!gate_is_null(value) && !gate_want_text(r, value, &text))
		return;
	if (text.data && !ses_is_field_value(text)) {
		gate_complain(r->wrong, value->at, "`%s` is no field's value",
			      gate_show(text).text);
		return;
	}
	route->n_fields++;
	field->name = gate_copy(r, name);
	field->value = text.data ? gate_copy(r, text) : NULL;
}

void gate_read_route_headers(struct gate_reader *r, const struct gate_item *i,
			     void *to)
{
	struct gate_route *route = to;
	struct gate_item key, value;
	void *state = NULL;
	size_t n;

	if (!gate_want_pairs(r, i, &n))
		return;
	route->field = gate_enough(r, calloc(n, sizeof(*route->field)));
	while (route->field && gate_next_pair(i, &state, &key, &value))
		read_field(r, &key, &value, route);
}

void gate_read_verify(struct gate_reader *r, const struct gate_item *i, void *to)
{
	bool verify = true;

	gate_read_flag(r, i, &verify);
	*(bool *)to = !verify;
}

/* ---- health ---- */

#define EVERY_MS 5000
#define FAILS	 3

void gate_read_health_path(struct gate_reader *r, const struct gate_item *i,
			   void *to)
{
	struct bytes s;
	bool good;

	if (!gate_want_text(r, i, &s))
		return;
	good = s.len && s.data[0] == '/' && bytes_find_byte(s, '#') < 0;
	for (size_t k = 0; good && k < s.len; k++)
		good = s.data[k] > ' ' && s.data[k] < 0x7f;
	if (good)
		gate_put(to, gate_copy(r, s));
	else
		gate_complain(r->wrong, i->at,
			      "health.path `%s` is none; it begins with / and "
			      "has no spaces, as in /healthz",
			      gate_show(s).text);
}

void gate_read_health(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_health_settings *health = to;
	struct gate_seen seen;

	if (!gate_read_submap(r, i, health, &seen))
		return;
	gate_need(r, &seen, GATE_SET_HEALTH_PATH, i->at);
	health->line = (unsigned)i->at.line;
	if (!health->every_ms)
		health->every_ms = EVERY_MS;
	if (!health->fails)
		health->fails = FAILS;
	if (!health->rest_ms)
		health->rest_ms = health->every_ms;
}

/* ---- The target as a whole ---- */

/* Settings that mean nothing without a server behind. */
static const enum gate_setting for_servers[] = {
	GATE_SET_ROUTE_HOST,	GATE_SET_ROUTE_ORIGIN,	GATE_SET_ROUTE_HEADERS,
	GATE_SET_ROUTE_BALANCE, GATE_SET_ROUTE_CONNECT, GATE_SET_ROUTE_ANSWER,
	GATE_SET_ROUTE_RETRIES, GATE_SET_UPSTREAM_TLS,	GATE_SET_ROUTE_PROXY,
	GATE_SET_ROUTE_HEALTH,
};

static void check_tls(struct gate_reader *r, const struct gate_item *i,
		      const struct gate_route *route)
{
	for (size_t k = 0; k < route->n_servers; k++)
		if (route->server[k].tls)
			return;
	gate_complain(r->wrong, i->at,
		      "upstream_tls is for servers of wss:, and this route "
		      "has none");
}

void gate_check_target(struct gate_reader *r, const struct gate_item *i,
		       const struct gate_seen *seen, struct gate_route *route)
{
	char text[256];

	if (!seen->row[GATE_SET_ROUTE_TO])
		return;
	for (size_t k = 0; k < sizeof(for_servers) / sizeof(for_servers[0]);
	     k++) {
		enum gate_setting setting = for_servers[k];

		if (route->to != GATE_TO_UPSTREAM && seen->row[setting])
			gate_complain(r->wrong, i->at,
				      "%s is for a server behind the gateway; "
				      "this route leads to %s",
				      gate_key_name(gate_setting(setting)),
				      words[route->to]);
	}
	gate_check_hub(r, i, seen, route);
	gate_check_files(r, i, seen, route);
	if (route->to != GATE_TO_UPSTREAM || !route->n_servers)
		return;
	if (seen->row[GATE_SET_UPSTREAM_TLS])
		check_tls(r, i, route);
	if (!seen->row[GATE_SET_ROUTE_RETRIES])
		route->retries = route->n_servers > 1;
	route->pool = gate_pool_new(route, r->open_files, text, sizeof(text));
	if (!route->pool)
		gate_complain(r->wrong, i->at, "upstream_tls: %s", text);
}
