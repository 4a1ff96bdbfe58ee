/* SPDX-License-Identifier: MIT */
/*
 * The parameters of the user's own query: which may be left out one by one, and
 * which name a version that a server may serve no more, or not yet.
 */
#include "doctor/harvest_inner.h"

#include <stdlib.h>

#include "doctor/withhold.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The next "name=value" of @query that may be looked at, and changed. */
static bool next_parameter(struct bytes *query, struct bytes *ret_name,
			   struct bytes *ret_value)
{
	while (query->len > 0) {
		ptrdiff_t end = bytes_find_byte(*query, '&'), equals;
		size_t len = end < 0 ? query->len : (size_t)end;
		struct bytes pair = bytes_first(*query, len);

		*query = bytes_from(*query, len + 1);
		equals = bytes_find_byte(pair, '=');
		if (equals <= 0 || doctor_is_secret_part(pair))
			continue;
		*ret_name = bytes_first(pair, (size_t)equals);
		*ret_value = bytes_from(pair, (size_t)equals + 1);
		return true;
	}
	return false;
}

void doctor_harvest_parameters(const struct doctor_chart *chart,
			       struct doctor_values *v)
{
	struct bytes query = chart->c->url.query, name, value;

	if (bytes_find_byte(query, '&') < 0)
		return; /* to leave out the only one is to leave out all */
	while (next_parameter(&query, &name, &value))
		doctor_add_value(v, "%.*s", BYTES_ARG(name));
}

/* Whether "name=" is next, as behind a separator. */
static bool begins_pair(struct bytes rest)
{
	size_t n = 0;

	while (n < rest.len && n < 60 &&
	       ses_is_token(bytes_of(rest.data + n, 1)) &&
	       rest.data[n] != '%' && rest.data[n] != '&')
		n++;
	return n > 0 && n < rest.len && rest.data[n] == '=';
}

size_t doctor_lost_separator(struct bytes query, size_t at)
{
	static const char *const copied[] = {"&amp;", "%26amp;", "%26", "?",
					     ";"};

	for (size_t i = 0; at > 0 && i < LEN(copied); i++) {
		struct bytes mark = bytes_of_str(copied[i]);
		struct bytes rest = bytes_from(query, at);

		if (bytes_starts(rest, mark) &&
		    begins_pair(bytes_from(rest, mark.len)))
			return mark.len;
	}
	return 0;
}

static void add_lost_parameter(const struct doctor_case *c,
			       struct doctor_values *v)
{
	struct bytes query = c->url.query;

	for (size_t i = 0; i < query.len; i++) {
		size_t lost = doctor_lost_separator(query, i);
		struct bytes pair = bytes_from(query, i + lost);
		ptrdiff_t equals = bytes_find_byte(pair, '=');

		if (lost && equals > 0) {
			doctor_add_value(v, "&%.*s", (int)equals + 1,
					 (const char *)pair.data);
			return;
		}
	}
}

bool doctor_asks_no_engine(const struct doctor_case *c)
{
	return doctor_is_engine(c) &&
	       (!bytes_contains_nocase(c->url.query, BYTES("transport=")) ||
		!bytes_contains_nocase(c->url.query, BYTES("EIO=")));
}

/* Its clients say which version they speak, and that it is to be a WebSocket. */
static void add_engine_parameters(const struct doctor_case *c,
				  struct doctor_values *v)
{
	bool transport =
		bytes_contains_nocase(c->url.query, BYTES("transport="));
	bool version = bytes_contains_nocase(c->url.query, BYTES("EIO="));

	if (!doctor_asks_no_engine(c))
		return;
	for (int eio = 4; eio >= 3; eio--) {
		if (version)
			doctor_add_value(v, "transport=websocket");
		else if (transport)
			doctor_add_value(v, "EIO=%d", eio);
		else
			doctor_add_value(v, "EIO=%d&transport=websocket", eio);
	}
}

void doctor_harvest_lacks(const struct doctor_chart *chart,
			  struct doctor_values *v)
{
	add_lost_parameter(chart->c, v);
	add_engine_parameters(chart->c, v);
}

static bool is_version_name(struct bytes name)
{
	static const char *const names[] = {"v",
					    "ver",
					    "vsn",
					    "version",
					    "api_version",
					    "api-version",
					    "apiVersion",
					    "protocol",
					    "proto",
					    "protocolVersion",
					    "protocol_version",
					    "EIO"};

	for (size_t i = 0; i < LEN(names); i++)
		if (bytes_equal_nocase(name, bytes_of_str(names[i])))
			return true;
	return false;
}

/* The first number of "6", "v6" or "1.0.0"; how long what is before it is. */
static bool first_number(struct bytes value, size_t *ret_before, int *ret)
{
	size_t before = value.len > 0 && value.data[0] == 'v', n = before;

	*ret = 0;
	while (n < value.len && value.data[n] >= '0' && value.data[n] <= '9' &&
	       n - before < 3)
		*ret = *ret * 10 + (value.data[n++] - '0');
	*ret_before = before;
	if (n == before)
		return false;
	for (; n < value.len; n++)
		if (!strchr("0.", value.data[n]))
			return false; /* a date, or something else */
	return true;
}

/* Phoenix has a transport's name last, and clients of it name a version. */
static void add_missing_version(const struct doctor_case *c,
				struct doctor_values *v)
{
	static const char last[] = "/websocket";
	struct bytes path = c->url.path, query = c->url.query, name, value;

	if (path.len <= sizeof(last) - 1 ||
	    !bytes_equal_str(bytes_from(path, path.len - (sizeof(last) - 1)),
			     last))
		return;
	while (next_parameter(&query, &name, &value))
		if (bytes_equal_str(name, "vsn"))
			return;
	doctor_add_value(v, "vsn=2.0.0");
}

void doctor_harvest_page_parameters(struct bytes page, struct doctor_values *v)
{
	doctor_add_script_parameters(page, v);
}

/* Versions move on one by one, and clients lag behind more often. */
void doctor_harvest_versions(const struct doctor_chart *chart,
			     struct doctor_values *v)
{
	static const int steps[] = {1, 2, 3, 4, -1};
	struct bytes query = chart->c->url.query, name, value;
	size_t before, rest;
	int number;

	for (size_t i = 0; i < chart->n_probes; i++)
		doctor_add_script_parameters(doctor_body(chart->probe[i]), v);
	while (next_parameter(&query, &name, &value)) {
		if (!is_version_name(name) ||
		    !first_number(value, &before, &number))
			continue;
		for (rest = before; rest < value.len && value.data[rest] != '.';)
			rest++;
		for (size_t i = 0; i < LEN(steps); i++)
			if (number + steps[i] > 0)
				doctor_add_value(
					v, "%.*s=%.*s%d%.*s", BYTES_ARG(name),
					(int)before, (const char *)value.data,
					number + steps[i],
					BYTES_ARG(bytes_from(value, rest)));
	}
	add_missing_version(chart->c, v);
}
