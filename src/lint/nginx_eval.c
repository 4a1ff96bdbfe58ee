/* SPDX-License-Identifier: MIT */
/*
 * What a value is for one request: variables, maps and conditions, as far as
 * the request is known. What is not known makes the value unknown, and whoever
 * asked can see whether it was the Origin or the User-Agent that decided.
 */
#include <stdio.h>

#include "lint/nginx.h"

#define MAX_MAPS      8 /* maps that look at maps */
#define MAX_LOOKED_AT 5000

static bool evaluate(struct nginx_world *w, const char *text, char *out,
		     size_t size, int depth);

/* ---- the request ---- */

static void name_host(struct nginx_world *w, const char *host, unsigned port)
{
	snprintf(w->host, sizeof(w->host), "%s", host);
	if (!port || port == (w->tls ? 443 : 80))
		snprintf(w->http_host, sizeof(w->http_host), "%s", host);
	else
		snprintf(w->http_host, sizeof(w->http_host), "%s:%u", host,
			 port);
}

/* A name that the server answers to, or one that nobody has. */
static const char *some_name(const struct lint_node *server)
{
	const struct lint_node *names = lint_child(server, "server_name", NULL);

	for (size_t i = 0; names && i < names->n_args; i++)
		if (names->arg[i][0] && strcmp(names->arg[i], "_") != 0 &&
		    !strpbrk(names->arg[i], "*~$"))
			return names->arg[i];
	return NGINX_NO_NAME;
}

void nginx_world_of(struct lint_run *run, const struct lint_node *server,
		    struct nginx_world *ret)
{
	const struct lint_request *request = run->request;

	*ret = (struct nginx_world){.run = run, .server = server};
	if (request) {
		ret->tls = request->tls;
		ret->path = request->path;
		ret->origin = request->origin ? request->origin : "";
		ret->user_agent = request->user_agent ? request->user_agent : "";
		name_host(ret, request->host ? request->host : "",
			  request->port);
	} else {
		ret->tls = nginx_has_tls(server);
		ret->any_client = true;
		name_host(ret, some_name(server), nginx_port(server, ret->tls));
	}
	ret->port = nginx_port(server, nginx_has_tls(server));
}

/* ---- variables ---- */

static bool give(const char *value, char *out, size_t size)
{
	snprintf(out, size, "%s", value);
	return true;
}

/* The fields of the handshake. */
static bool field(struct nginx_world *w, const char *name, char *out,
		  size_t size)
{
	if (lint_same(name, "http_upgrade"))
		return give("websocket", out, size);
	if (lint_same(name, "http_connection"))
		return give("Upgrade", out, size);
	if (lint_same(name, "http_sec_websocket_version"))
		return give("13", out, size);
	if (lint_same(name, "http_host"))
		return give(w->http_host, out, size);
	if (lint_same(name, "http_referer")) {
		w->asked_referer = true;
		return give("", out, size);
	}
	if (lint_same(name, "http_origin")) {
		w->asked_origin = true;
		return !w->any_client && give(w->origin, out, size);
	}
	if (lint_same(name, "http_user_agent")) {
		w->asked_agent = true;
		return !w->any_client && give(w->user_agent, out, size);
	}
	return false;
}

static bool first_name(struct nginx_world *w, char *out, size_t size)
{
	const struct lint_node *names =
		lint_child(w->server, "server_name", NULL);

	return give(names ? lint_arg(names, 0) : "", out, size);
}

static bool of_request(struct nginx_world *w, const char *name, char *out,
		       size_t size)
{
	bool tls = nginx_has_tls(w->server);

	if (strcmp(name, "host") == 0)
		return give(w->host, out, size);
	if (strcmp(name, "scheme") == 0)
		return give(tls ? "https" : "http", out, size);
	if (strcmp(name, "https") == 0)
		return give(tls ? "on" : "", out, size);
	if (strcmp(name, "request_method") == 0)
		return give("GET", out, size);
	if (strcmp(name, "server_protocol") == 0)
		return give("HTTP/1.1", out, size);
	if (strcmp(name, "server_name") == 0)
		return first_name(w, out, size);
	if (strcmp(name, "server_port") == 0 && w->port) {
		snprintf(out, size, "%u", w->port);
		return true;
	}
	if ((strcmp(name, "uri") == 0 || strcmp(name, "document_uri") == 0) &&
	    w->path)
		return give(w->path, out, size);
	return false;
}

static bool invalid_referer(struct nginx_world *w, char *out, size_t size)
{
	const struct lint_node *valid = NULL, *node = w->server;
	bool none = false;

	for (int i = 0; !valid && node && i < MAX_LOOKED_AT; i++) {
		if (nginx_is(node, "valid_referers"))
			valid = node;
		node = lint_next(node);
	}
	w->asked_referer = true;
	for (size_t i = 0; valid && i < valid->n_args; i++)
		none |= strcmp(valid->arg[i], "none") == 0;
	return give(valid && !none ? "1" : "", out, size);
}

/* ---- maps ---- */

static bool is_switch(const struct lint_node *row)
{
	return nginx_is(row, "default") || nginx_is(row, "hostnames") ||
	       nginx_is(row, "volatile") || nginx_is(row, "include");
}

static bool is_wildcard_for(const char *key, const char *subject)
{
	size_t len = strlen(subject);

	if (key[0] == '.')
		key++;
	else if (strncmp(key, "*.", 2) == 0)
		key += 2;
	else
		return lint_glob(key, subject, true, false);
	return lint_same(key, subject) ||
	       (len > strlen(key) + 1 && subject[len - strlen(key) - 1] == '.' &&
		lint_same(key, subject + len - strlen(key)));
}

static const struct lint_node *plain_row(const struct lint_node *map,
					 const char *subject)
{
	bool hostnames = lint_child(map, "hostnames", NULL) != NULL;
	const struct lint_node *wild = NULL;

	for (const struct lint_node *row = map->first; row; row = row->next) {
		const char *key = row->name + (row->name[0] == '\\');

		if (is_switch(row) || row->name[0] == '~')
			continue;
		if (lint_same(key, subject))
			return row;
		if (hostnames && !wild && is_wildcard_for(key, subject))
			wild = row;
	}
	return wild;
}

static enum lint_truth regex_row(struct nginx_world *w,
				 const struct lint_node *map,
				 const char *subject,
				 const struct lint_node **ret)
{
	for (const struct lint_node *row = map->first; row; row = row->next) {
		bool nocase = row->name[0] == '~' && row->name[1] == '*';
		enum lint_truth matches;

		if (row->name[0] != '~')
			continue;
		matches = nginx_regex(w->run, row->name + 1 + nocase, nocase,
				      subject);
		if (matches == LINT_YES)
			*ret = row;
		if (matches != LINT_NO)
			return matches;
	}
	return LINT_NO;
}

static bool map_value(struct nginx_world *w, const struct lint_node *map,
		      char *out, size_t size, int depth)
{
	char subject[NGINX_MAX_VALUE];
	const struct lint_node *row;

	if (depth >= MAX_MAPS ||
	    !evaluate(w, lint_arg(map, 0), subject, sizeof(subject), depth + 1))
		return false;
	row = plain_row(map, subject);
	if (!row && regex_row(w, map, subject, &row) == LINT_PERHAPS)
		return false;
	if (!row)
		row = lint_child(map, "default", NULL);
	return row ? evaluate(w, lint_arg(row, 0), out, size, depth + 1)
		   : give("", out, size);
}

/* ---- texts ---- */

static bool variable(struct nginx_world *w, const char *name, char *out,
		     size_t size, int depth)
{
	const struct lint_node *map;

	for (size_t i = w->n_set; i > 0; i--)
		if (strcmp(w->set[i - 1].name, name) == 0)
			return w->set[i - 1].known &&
			       give(w->set[i - 1].value, out, size);
	map = nginx_map(w->run, name);
	if (map)
		return map_value(w, map, out, size, depth);
	if (strcmp(name, "invalid_referer") == 0)
		return invalid_referer(w, out, size);
	return field(w, name, out, size) || of_request(w, name, out, size);
}

static bool append(char *out, size_t size, const char *text, size_t len)
{
	size_t used = strlen(out);

	if (len >= size - used)
		return false;
	memcpy(out + used, text, len);
	out[used + len] = 0;
	return true;
}

static bool evaluate(struct nginx_world *w, const char *text, char *out,
		     size_t size, int depth)
{
	char name[64], value[NGINX_MAX_VALUE];
	const char *at = text;
	struct bytes variable_name;
	bool known = true;

	out[0] = 0;
	while (known && nginx_next_variable(&at, &variable_name)) {
		const char *from = (const char *)variable_name.data - 1;

		from -= *from == '{';
		snprintf(name, sizeof(name), "%.*s", BYTES_ARG(variable_name));
		value[0] = 0;
		known = append(out, size, text, (size_t)(from - text)) &&
			variable(w, name, value, sizeof(value), depth) &&
			append(out, size, value, strlen(value));
		text = at;
	}
	return known && append(out, size, text, strlen(text));
}

bool nginx_evaluate(struct nginx_world *w, const char *text, char *out,
		    size_t size)
{
	return evaluate(w, text, out, size, 0);
}

void nginx_set(struct nginx_world *w, const struct lint_node *node)
{
	char value[NGINX_MAX_VALUE];
	size_t n = w->n_set;

	if (n == NGINX_MAX_SET || lint_arg(node, 0)[0] != '$')
		return;
	w->set[n].name = lint_arg(node, 0) + 1;
	w->set[n].known =
		nginx_evaluate(w, lint_arg(node, 1), value, sizeof(value)) &&
		strlen(value) < sizeof(w->set[n].value);
	if (w->set[n].known)
		memcpy(w->set[n].value, value, strlen(value) + 1);
	w->n_set++;
}

/* ---- conditions ---- */

/* "($http_origin" "!~" "^https://x)" without its parentheses. */
static size_t split_condition(const struct lint_node *node,
			      char word[3][NGINX_MAX_VALUE])
{
	size_t n = 0;

	for (size_t i = 0; i < node->n_args; i++) {
		const char *text =
			node->arg[i] + (i == 0 && node->arg[i][0] == '(');
		size_t len = strlen(text);

		if (i + 1 == node->n_args && len && text[len - 1] == ')')
			len--;
		if (!len && (i == 0 || i + 1 == node->n_args))
			continue;
		if (n == 3 || len >= NGINX_MAX_VALUE)
			return 0;
		memcpy(word[n], text, len);
		word[n++][len] = 0;
	}
	return n;
}

static enum lint_truth compare(struct nginx_world *w, const char *subject,
			       const char *operator, const char * operand)
{
	bool not = operator[0] == '!';
	char value[NGINX_MAX_VALUE];
	enum lint_truth truth;

	operator+= not;
	if (strcmp(operator, "=") == 0) {
		if (!nginx_evaluate(w, operand, value, sizeof(value)))
			return LINT_PERHAPS;
		truth = lint_truth(strcmp(subject, value) == 0);
	} else if (operator[0] == '~') {
		bool nocase = operator[1] == '*';

		truth = nginx_regex(w->run, operand, nocase, subject);
	} else {
		return LINT_PERHAPS;
	}
	return not ? lint_not(truth) : truth;
}

enum lint_truth nginx_condition(struct nginx_world *w,
				const struct lint_node *node)
{
	char word[3][NGINX_MAX_VALUE], subject[NGINX_MAX_VALUE];
	size_t n = split_condition(node, word);

	if ((n != 1 && n != 3) || word[0][0] != '$' ||
	    !nginx_evaluate(w, word[0], subject, sizeof(subject)))
		return LINT_PERHAPS;
	if (n == 1)
		return lint_truth(subject[0] && strcmp(subject, "0") != 0);
	return compare(w, subject, word[1], word[2]);
}
