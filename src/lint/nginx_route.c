/* SPDX-License-Identifier: MIT */
/*
 * Who serves a request, as nginx decides it: the server by port and name, the
 * location by the longest prefix, unless a regular expression takes it first.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#location
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/percent.h"
#include "lint/nginx.h"

/* ---- listen ---- */

/* "443", "*:443", "10.0.0.1:443", "[::]:443", "10.0.0.1", "unix:/x" */
static unsigned port_of(const char *address)
{
	const char *colon = strrchr(address, ':');
	bool numeric = address[strspn(address, "0123456789")] == 0;
	unsigned long port;

	if (strncmp(address, "unix:", 5) == 0)
		return 0;
	if (colon && strchr(colon, ']'))
		colon = NULL;
	if (!colon && !numeric)
		return 80;
	port = strtoul(colon ? colon + 1 : address, NULL, 10);
	return port <= 65535 ? (unsigned)port : 0;
}

static bool has_word(const struct lint_node *node, const char *word)
{
	for (size_t i = 1; i < node->n_args; i++)
		if (lint_same(node->arg[i], word))
			return true;
	return false;
}

/* "ssl on" is the older way, for all listens of a server. */
static bool is_tls(const struct lint_node *listen)
{
	const struct lint_node *ssl = lint_child(listen->parent, "ssl", NULL);

	return has_word(listen, "ssl") || has_word(listen, "quic") ||
	       (ssl && lint_same(lint_arg(ssl, 0), "on"));
}

bool nginx_has_tls(const struct lint_node *server)
{
	const struct lint_node *l = NULL;

	while ((l = lint_child(server, "listen", l)))
		if (is_tls(l))
			return true;
	return false;
}

bool nginx_has_plain(const struct lint_node *server)
{
	const struct lint_node *l = lint_child(server, "listen", NULL);

	for (; l; l = lint_child(server, "listen", l))
		if (!is_tls(l))
			return true;
	return !lint_child(server, "listen", NULL);
}

const struct lint_node *nginx_plain_http2(const struct lint_node *server)
{
	const struct lint_node *l = NULL;

	while ((l = lint_child(server, "listen", l)))
		if (has_word(l, "http2") && !is_tls(l))
			return l;
	return NULL;
}

unsigned nginx_port(const struct lint_node *server, bool tls)
{
	const struct lint_node *l = NULL;

	while ((l = lint_child(server, "listen", l)))
		if (is_tls(l) == tls && port_of(lint_arg(l, 0)))
			return port_of(lint_arg(l, 0));
	return tls ? 443 : 80;
}

static bool listens(const struct lint_node *server, unsigned port)
{
	const struct lint_node *l = lint_child(server, "listen", NULL);

	if (!l)
		return port == 80;
	for (; l; l = lint_child(server, "listen", l))
		if (port_of(lint_arg(l, 0)) == port)
			return true;
	return false;
}

static bool is_default(const struct lint_node *server)
{
	const struct lint_node *l = NULL;

	while ((l = lint_child(server, "listen", l)))
		if (has_word(l, "default_server") || has_word(l, "default"))
			return true;
	return false;
}

/* ---- names ---- */

/* How well a name fits: 0 not at all; exact, *.x, x.*, regular expression. */
static size_t fit_of(struct lint_run *run, const char *name, const char *host)
{
	size_t len = strlen(name), host_len = strlen(host);

	if (name[0] == '~')
		return nginx_regex(run, name + 1, true, host) == LINT_YES;
	if (lint_same(name, host))
		return 1 << 20;
	if (name[0] == '.' && lint_same(name + 1, host))
		return 1 << 20;
	if (strncmp(name, "*.", 2) == 0 || name[0] == '.') {
		const char *end = name + (name[0] == '*');

		len = strlen(end);
		return host_len > len && lint_same(host + host_len - len, end)
			       ? 4096 + len
			       : 0;
	}
	if (len > 2 && strcmp(name + len - 2, ".*") == 0)
		return lint_glob(name, host, true, false) ? 2 + len : 0;
	return 0;
}

static size_t best_fit(struct lint_run *run, const struct lint_node *server,
		       const char *host)
{
	const struct lint_node *names = NULL;
	size_t best = 0;

	while ((names = lint_child(server, "server_name", names)))
		for (size_t i = 0; i < names->n_args; i++) {
			size_t fit = fit_of(run, names->arg[i], host);

			if (fit > best)
				best = fit;
		}
	return best;
}

bool nginx_has_name(struct lint_run *run, const struct lint_node *server,
		    const char *host)
{
	return best_fit(run, server, host) > 0;
}

static bool has_name(const struct lint_node *server, const char *name)
{
	const struct lint_node *names = NULL;

	while ((names = lint_child(server, "server_name", names)))
		for (size_t i = 0; i < names->n_args; i++)
			if (lint_same(names->arg[i], name))
				return true;
	return false;
}

bool nginx_share_name(const struct lint_node *a, const struct lint_node *b)
{
	const struct lint_node *names = lint_child(a, "server_name", NULL);

	if (!names)
		return !lint_child(b, "server_name", NULL);
	for (; names; names = lint_child(a, "server_name", names))
		for (size_t i = 0; i < names->n_args; i++)
			if (has_name(b, names->arg[i]))
				return true;
	return false;
}

/* ---- servers ---- */

/* How a server must listen to be asked at all; tried in this order. */
enum door { DOOR_EXACT, DOOR_SAME_TLS, DOOR_ANY, N_DOORS };

static bool is_at_door(const struct lint_node *server,
		       const struct lint_request *request, enum door door)
{
	if (!nginx_is_http_server(server))
		return false;
	if (door == DOOR_ANY)
		return true;
	if (door == DOOR_EXACT && !listens(server, request->port))
		return false;
	return request->tls ? nginx_has_tls(server) : nginx_has_plain(server);
}

static const struct lint_node *at_door(struct lint_run *run,
				       const struct lint_request *request,
				       enum door door)
{
	const struct lint_node *best = NULL, *otherwise = NULL;
	const char *host = request->host ? request->host : "";
	size_t best_yet = 0;

	for (const struct lint_node *s = run->root; s; s = lint_next(s)) {
		size_t fit;

		if (!is_at_door(s, request, door))
			continue;
		fit = best_fit(run, s, host);
		if (fit > best_yet) {
			best = s;
			best_yet = fit;
		}
		if (!otherwise || (is_default(s) && !is_default(otherwise)))
			otherwise = s;
	}
	return best ? best : otherwise;
}

/* Who names the host stands before who listens on the right port only: the
 * port outside may be another one (a container's). */
const struct lint_node *nginx_find_server(struct lint_run *run,
					  const struct lint_request *request)
{
	const struct lint_node *server;

	for (enum door door = DOOR_EXACT; door < N_DOORS; door++) {
		server = at_door(run, request, door);
		if (server)
			return server;
	}
	/* A fragment: locations without a server. */
	return lint_child(run->root, "location", NULL) ? run->root : NULL;
}

/* ---- locations ---- */

enum kind { EXACT, PREFIX, STRONG_PREFIX, REGEX, REGEX_NOCASE, NAMED };

/* "location =/ws" and "location = /ws" mean the same. */
static enum kind kind_of(const struct lint_node *location, const char **ret)
{
	static const struct {
		const char *mark;
		enum kind kind;
	} marks[] = {{"=", EXACT},
		     {"^~", STRONG_PREFIX},
		     {"~*", REGEX_NOCASE},
		     {"~", REGEX}};
	const char *first = lint_arg(location, 0);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t len = strlen(marks[i].mark);

		if (strncmp(first, marks[i].mark, len) != 0)
			continue;
		*ret = first[len] ? first + len : lint_arg(location, 1);
		return marks[i].kind;
	}
	*ret = first;
	return first[0] == '@' ? NAMED : PREFIX;
}

/* What the search over prefixes came to. */
struct prefix {
	const struct lint_node *location;
	size_t len;
	bool exact, strong, slash;
};

static bool redirects_to_slash(const struct lint_node *location,
			       const char *prefix, const char *path)
{
	size_t len = strlen(path);

	return strlen(prefix) == len + 1 && prefix[len] == '/' &&
	       strncmp(prefix, path, len) == 0 &&
	       lint_child(location, "proxy_pass", NULL);
}

static void try_prefix(const struct lint_node *location, const char *path,
		       struct prefix *best)
{
	const char *prefix;
	enum kind kind = kind_of(location, &prefix);
	size_t len = strlen(prefix);
	bool slash;

	if (kind > STRONG_PREFIX || best->exact)
		return;
	slash = kind != EXACT && redirects_to_slash(location, prefix, path);
	if (!slash && strncmp(prefix, path, len) != 0)
		return;
	if (kind == EXACT && path[len])
		return;
	/* "/ws" itself, where it is there too, comes before "/ws/". */
	if (slash)
		len--;
	if (kind != EXACT && best->location &&
	    (len < best->len || (slash && len == best->len)))
		return;
	*best = (struct prefix){location, len, kind == EXACT,
				kind == STRONG_PREFIX, slash};
}

static const struct lint_node *first_regex(struct lint_run *run,
					   const struct lint_node *level,
					   const char *path)
{
	const struct lint_node *location = NULL;

	while ((location = lint_child(level, "location", location))) {
		const char *pattern;
		enum kind kind = kind_of(location, &pattern);

		if ((kind == REGEX || kind == REGEX_NOCASE) &&
		    nginx_regex(run, pattern, kind == REGEX_NOCASE, path) ==
			    LINT_YES)
			return location;
	}
	return NULL;
}

/* @level stands for what was found so far. *ret_final: look no further. */
static const struct lint_node *find(struct lint_run *run,
				    const struct lint_node *level,
				    const char *path, bool *ret_final,
				    bool *ret_slash)
{
	const struct lint_node *location = NULL, *found = level;
	struct prefix best = {0};

	while ((location = lint_child(level, "location", location)))
		try_prefix(location, path, &best);
	*ret_final = best.exact || best.slash;
	*ret_slash = best.slash;
	if (best.location)
		found = best.location;
	if (best.location && !*ret_final)
		found = find(run, best.location, path, ret_final, ret_slash);
	if (*ret_final || best.strong)
		return found;
	location = first_regex(run, level, path);
	if (!location)
		return found;
	found = find(run, location, path, ret_final, ret_slash);
	*ret_final = true;
	return found;
}

/* As nginx sees it: decoded, without its query and double slashes. */
static void normalise(const char *path, char *out, size_t size)
{
	struct bytes rest =
		bytes_first(bytes_of_str(path), strcspn(path, "?#"));
	size_t n = 0;

	while (rest.len && n + 1 < size) {
		uint8_t c = ses_percent_next(&rest);

		if (c && !(c == '/' && n && out[n - 1] == '/'))
			out[n++] = (char)c;
	}
	out[n] = 0;
}

const struct lint_node *nginx_find_location(struct lint_run *run,
					    const struct lint_node *server,
					    const char *path, bool *ret_slash)
{
	char normal[2048];
	bool final;

	normalise(path, normal, sizeof(normal));
	return find(run, server, normal, &final, ret_slash);
}

const struct lint_node *nginx_named(const struct lint_node *server,
				    const char *name)
{
	const struct lint_node *location = NULL;

	while ((location = lint_child(server, "location", location)))
		if (strcmp(lint_arg(location, 0), name) == 0)
			return location;
	return NULL;
}

/* ---- a path for a location ---- */

/* The plain beginning of a regular expression: "^/ws/\d+" is "/ws/". */
static bool sample_regex(const char *pattern, char *out, size_t size)
{
	size_t n = 0;

	if (*pattern++ != '^')
		return false;
	if (*pattern == '(') /* "^/(ws|api)/" and "^(/ws)": the first of them */
		pattern++;
	while (*pattern && n + 1 < size) {
		if (pattern[0] == '\\' && pattern[1] &&
		    strchr("./-_", pattern[1]))
			pattern++;
		else if (*pattern == '(' && pattern[1] != '?')
			pattern++;
		else if (strchr("\\.[]{}()*+?|^$", *pattern))
			break;
		out[n++] = *pattern++;
	}
	if (n > 1 && *pattern && strchr("*?{", *pattern))
		n--; /* the last one may be missing */
	out[n] = 0;
	return out[0] == '/';
}

bool nginx_sample(struct lint_run *run, const struct lint_node *location,
		  char *out, size_t size)
{
	const char *pattern;
	enum kind kind = kind_of(location, &pattern);

	if (kind == NAMED)
		return false;
	if (kind == REGEX || kind == REGEX_NOCASE)
		return sample_regex(pattern, out, size) &&
		       nginx_regex(run, pattern, kind == REGEX_NOCASE, out) ==
			       LINT_YES;
	snprintf(out, size, "%s", pattern);
	return out[0] == '/' && strlen(pattern) < size;
}

bool nginx_is_weak_prefix(const struct lint_node *location)
{
	const char *prefix;

	return kind_of(location, &prefix) == PREFIX;
}
