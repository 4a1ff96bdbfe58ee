/* SPDX-License-Identifier: MIT */
/*
 * Reading the configuration, the one place that knows YAML. A walk over maps
 * finds each key's row in settings.def and calls its reader with the place to
 * put the value; what is wrong is noted with its position and the walk goes
 * on, so that one run shows all faults.
 */
#include "gate/config.h"

#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "gate/certificate.h"
#include "gate/complaints.h"
#include "gate/value.h"
#include "wire/url.h"
#include "wire/utf8.h"

#define DEFAULT_ROWS 20000

static const struct gate_setting_row rows[GATE_N_SETTINGS] = {
#define SETTING(symbol, path, kind, unit, least, most, preset, text) \
	{path, GATE_##kind, unit, least, most, preset, text},
#include "gate/settings.def"
#undef SETTING
};

const struct gate_setting_row *gate_setting(enum gate_setting setting)
{
	return &rows[setting];
}

struct reader {
	const char *file;
	bool open_files;
	struct gate_policy *policy;
	struct gate_complaints *wrong;
};

/* ---- Nodes ---- */

static struct gate_place place_of_token(struct fy_token *token)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	return mark ? (struct gate_place){mark->line + 1, mark->column + 1}
		    : (struct gate_place){0, 0};
}

/* Where a node begins: of maps and lists, where their first element does. */
static struct gate_place place_of(struct fy_node *node,
				  struct gate_place otherwise)
{
	struct gate_place at = {0, 0};
	void *iterator = NULL;

	for (int depth = 0; node && depth < 64; depth++, iterator = NULL) {
		if (fy_node_is_scalar(node)) {
			at = place_of_token(fy_node_get_scalar_token(node));
			break;
		}
		if (fy_node_is_sequence(node)) {
			node = fy_node_sequence_iterate(node, &iterator);
		} else {
			struct fy_node_pair *pair =
				fy_node_mapping_iterate(node, &iterator);

			node = pair ? fy_node_pair_key(pair) : NULL;
		}
	}
	return at.line ? at : otherwise;
}

/* What is being read: a node, what it is for, and where it stands. */
struct item {
	const struct gate_setting_row *row;
	struct fy_node *node;
	struct gate_place at;  /* of the value */
	struct gate_place key; /* of its key */
};

static const char *key_name(const struct gate_setting_row *row)
{
	const char *dot = strrchr(row->path, '.');

	return dot ? dot + 1 : row->path;
}

static struct bytes scalar(struct fy_node *node)
{
	size_t len = 0;
	const char *s = fy_node_get_scalar(node, &len);

	return bytes_of(s, s ? len : 0);
}

static bool is_null(struct fy_node *node)
{
	struct bytes s;

	if (!node)
		return true;
	if (!fy_node_is_scalar(node) || fy_node_get_style(node) != FYNS_PLAIN)
		return false;
	s = scalar(node);
	return s.len == 0 || bytes_equal(s, BYTES("~")) ||
	       bytes_equal(s, BYTES("null"));
}

static const char *kind_of(struct fy_node *node)
{
	if (is_null(node))
		return "nothing";
	if (fy_node_is_alias(node))
		return "an alias";
	return fy_node_is_scalar(node)	   ? "a single value"
	       : fy_node_is_sequence(node) ? "a list"
					   : "a map";
}

static bool want_kind(struct reader *r, const struct item *i, bool fits,
		      const char *wanted)
{
	if (fits)
		return true;
	gate_complain(r->wrong, i->at, "%s: %s is needed here, not %s",
		      key_name(i->row), wanted, kind_of(i->node));
	return false;
}

/* A value shown in a message: short and printable. */
struct shown {
	char text[96];
};

static struct shown show(struct bytes value)
{
	struct shown s;

	bytes_printable(value, s.text, sizeof(s.text));
	return s;
}

/* Of lists and numbers the row bounds something else than the text. */
static size_t most_bytes(const struct gate_setting_row *row)
{
	return row->kind == GATE_TEXT || row->kind == GATE_FILE ? row->most
								: 4096;
}

/* The text of a scalar with its length in bounds, or false. */
static bool want_text(struct reader *r, const struct item *i,
		      struct bytes *ret_text)
{
	struct bytes s;

	if (!want_kind(r, i,
		       i->node && fy_node_is_scalar(i->node) &&
			       !fy_node_is_alias(i->node) &&
			       !(is_null(i->node) && i->row->kind != GATE_TEXTS),
		       "a single value"))
		return false;
	s = scalar(i->node);
	if (s.len == 0) {
		gate_complain(r->wrong, i->at, "%s is empty", key_name(i->row));
		return false;
	}
	if (s.len > most_bytes(i->row)) {
		gate_complain(r->wrong, i->at, "%s is longer than %zu bytes",
			      key_name(i->row), most_bytes(i->row));
		return false;
	}
	if (memchr(s.data, 0, s.len)) {
		gate_complain(r->wrong, i->at, "%s holds a NUL byte",
			      key_name(i->row));
		return false;
	}
	*ret_text = s;
	return true;
}

static char *copy(struct bytes text)
{
	char *s = malloc(text.len + 1);

	if (s) {
		memcpy(s, text.data, text.len);
		s[text.len] = '\0';
	}
	return s;
}

/* Replace what @to holds; for a key that comes twice. */
static void put(char **to, char *text)
{
	free(*to);
	*to = text;
}

/* ---- Maps ---- */

typedef void (*read_fn)(struct reader *r, const struct item *item, void *to);

struct reading {
	read_fn read;
	size_t offset; /* of the value in the struct that the map is for */
};

static const struct reading readings[GATE_N_SETTINGS];

/* The row of key @key in the map at @path, or -1. */
static int find_row(const char *path, struct bytes key)
{
	size_t prefix = strlen(path);

	for (int i = 0; i < GATE_N_SETTINGS; i++) {
		const char *p = rows[i].path;

		if (strncmp(p, path, prefix) != 0)
			continue;
		p += prefix;
		/* a key is one step of a path, never several */
		if (!strpbrk(p, ".[") && bytes_equal_str(key, p))
			return i;
	}
	return -1;
}

/* The nearest key that the map at @path may have, or NULL. */
static const char *suggest_key(const char *path, struct bytes key)
{
	const char *words[GATE_N_SETTINGS];
	size_t n = 0, prefix = strlen(path);
	struct shown typed = show(key);

	for (int i = 0; i < GATE_N_SETTINGS; i++) {
		const char *p = rows[i].path;

		if (strncmp(p, path, prefix) == 0 && !strpbrk(p + prefix, ".["))
			words[n++] = p + prefix;
	}
	return text_suggest(typed.text, words, n);
}

/* Where the key is known that this map does not know, or NULL. */
static const char *key_elsewhere(struct bytes key)
{
	for (int i = 0; i < GATE_N_SETTINGS; i++)
		if (bytes_equal_str(key, key_name(&rows[i])))
			return rows[i].path;
	return NULL;
}

static void unknown_key(struct reader *r, const char *path, struct bytes key,
			struct gate_place at)
{
	const char *near = suggest_key(path, key);
	const char *other = near ? NULL : key_elsewhere(key);

	if (near)
		gate_complain(r->wrong, at,
			      "unknown key `%s` (did you mean `%s`?)",
			      show(key).text, near);
	else if (other)
		gate_complain(r->wrong, at,
			      "unknown key `%s` here (it belongs at `%s`)",
			      show(key).text, other);
	else
		gate_complain(r->wrong, at, "unknown key `%s`", show(key).text);
}

/* Read one pair of the map at @path; *seen has a bit for each row. */
static void read_pair(struct reader *r, const char *path,
		      struct fy_node_pair *pair, void *to, uint64_t *seen,
		      struct gate_place otherwise)
{
	struct fy_node *key_node = fy_node_pair_key(pair);
	struct gate_place at = place_of(key_node, otherwise);
	struct item item = {.node = fy_node_pair_value(pair), .key = at};
	struct bytes key;
	int row;

	if (!key_node || !fy_node_is_scalar(key_node)) {
		gate_complain(r->wrong, at, "a key is a single word");
		return;
	}
	key = scalar(key_node);
	row = find_row(path, key);
	if (row < 0) {
		unknown_key(r, path, key, at);
		return;
	}
	if (*seen & (uint64_t)1 << row) {
		gate_complain(r->wrong, at, "`%s` stands here a second time",
			      show(key).text);
		return;
	}
	*seen |= (uint64_t)1 << row;
	item.row = &rows[row];
	item.at = place_of(item.node, at);
	readings[row].read(r, &item, (char *)to + readings[row].offset);
}

_Static_assert(GATE_N_SETTINGS <= 64, "read_map() keeps a bit for each row");

/*
 * Read a map into the struct @to. @path is that of its keys with the last dot:
 * "routes[].allow.". Returns which rows were there.
 */
static uint64_t read_map(struct reader *r, const char *path,
			 struct fy_node *map, void *to, struct gate_place at)
{
	void *iterator = NULL;
	struct fy_node_pair *pair;
	uint64_t seen = 0;

	while ((pair = fy_node_mapping_iterate(map, &iterator)))
		read_pair(r, path, pair, to, &seen, at);
	return seen;
}

static bool has(uint64_t seen, enum gate_setting setting)
{
	return seen >> setting & 1;
}

static void need(struct reader *r, uint64_t seen, enum gate_setting setting,
		 struct gate_place at)
{
	if (!has(seen, setting))
		gate_complain(r->wrong, at, "`%s` is missing",
			      key_name(&rows[setting]));
}

/* A map below another; false when the item is none. */
static bool read_submap(struct reader *r, const struct item *i, void *to,
			uint64_t *ret_seen)
{
	char path[64];

	if (!want_kind(r, i, i->node && fy_node_is_mapping(i->node), "a map"))
		return false;
	snprintf(path, sizeof(path), "%s.", i->row->path);
	*ret_seen = read_map(r, path, i->node, to, i->at);
	return true;
}

/* A map that needs no look at it as a whole. */
static void read_plain_map(struct reader *r, const struct item *i, void *to)
{
	uint64_t seen;

	read_submap(r, i, to, &seen);
}

/* ---- Values of a kind ---- */

static void read_number(struct reader *r, const struct item *i, void *to)
{
	enum gate_setting_kind kind = i->row->kind;
	uint64_t value;
	struct bytes s;
	bool good;

	if (!want_text(r, i, &s))
		return;
	good = kind == GATE_SIZE       ? gate_size_read(s, &value)
	       : kind == GATE_DURATION ? gate_duration_read(s, &value)
				       : bytes_to_u64(s, UINT64_MAX / 4, &value);
	if (!good)
		gate_complain(r->wrong, i->at, "%s is %s, as in %s, not `%s`",
			      key_name(i->row),
			      kind == GATE_SIZE	      ? "a size"
			      : kind == GATE_DURATION ? "a time with its unit"
						      : "a whole number",
			      kind == GATE_SIZE	      ? "1MiB"
			      : kind == GATE_DURATION ? "30s"
						      : "100",
			      show(s).text);
	else if (value < i->row->least || value > i->row->most)
		gate_complain(r->wrong, i->at,
			      "%s is out of range: %s allows %llu to %llu%s",
			      show(s).text, key_name(i->row),
			      (unsigned long long)i->row->least,
			      (unsigned long long)i->row->most,
			      kind == GATE_SIZE	      ? " bytes"
			      : kind == GATE_DURATION ? " ms"
						      : "");
	else
		*(uint64_t *)to = value;
}

static void read_choice(struct reader *r, const struct item *i, void *to)
{
	struct bytes s;
	int choice;

	if (!want_text(r, i, &s))
		return;
	choice = gate_choice_read(i->row->unit, s);
	if (choice < 0)
		gate_complain(r->wrong, i->at, "%s is one of %s, not `%s`",
			      key_name(i->row), i->row->unit, show(s).text);
	else
		*(uint64_t *)to = (uint64_t)choice;
}

static void read_file_name(struct reader *r, const struct item *i, void *to)
{
	const char *slash = strrchr(r->file, '/');
	size_t folder = slash ? (size_t)(slash - r->file) + 1 : 0;
	struct bytes s;
	char *name = NULL;

	if (!want_text(r, i, &s))
		return;
	/* Names are relative to the file that they stand in. */
	if (s.data[0] == '/' || folder == 0)
		name = copy(s);
	else if (asprintf(&name, "%.*s%.*s", (int)folder, r->file,
			  BYTES_ARG(s)) < 0)
		name = NULL;
	put(to, name);
}

/* ---- Listeners ---- */

static void read_address(struct reader *r, const struct item *i, void *to)
{
	struct gate_listen *listen = to;
	const char *wrong;
	struct bytes s, host;

	if (!want_text(r, i, &s))
		return;
	wrong = gate_listen_read(s, &host, &listen->port);
	if (wrong)
		gate_complain(r->wrong, i->at, "address `%s` %s", show(s).text,
			      wrong);
	else
		put(&listen->host, copy(host));
}

static void read_tls(struct reader *r, const struct item *i, void *to)
{
	struct gate_listen *listen = to;
	uint64_t seen;

	if (!read_submap(r, i, listen, &seen))
		return;
	listen->tls = true;
	need(r, seen, GATE_SET_LISTEN_CERTIFICATE, i->at);
	if (listen->client_cert != GATE_CERT_OFF &&
	    !has(seen, GATE_SET_LISTEN_CLIENT_CA))
		gate_complain(r->wrong, i->at,
			      "client_cert needs `client_ca`: whose "
			      "certificates are good?");
	if (listen->client_cert == GATE_CERT_OFF &&
	    has(seen, GATE_SET_LISTEN_CLIENT_CA))
		gate_complain(r->wrong, i->at,
			      "client_ca has no effect while client_cert "
			      "is off");
	if (r->open_files)
		gate_certificate_check(listen, i->at, r->wrong);
}

/*
 * Each element of a list of maps in turn, into the array @array of @size big
 * elements that is made for it.
 */
static void *read_maps(struct reader *r, const struct item *i, size_t size,
		       void (*read)(struct reader *r, const struct item *i,
				    void *to),
		       size_t *ret_n)
{
	struct item element = *i;
	void *iterator = NULL;
	size_t n = 0, room;
	char *array;

	*ret_n = 0;
	if (!want_kind(r, i, i->node && fy_node_is_sequence(i->node), "a list"))
		return NULL;
	room = (size_t)fy_node_sequence_item_count(i->node);
	if (room < i->row->least || room > i->row->most) {
		gate_complain(r->wrong, i->at,
			      "%s has %zu elements; %llu to %llu may be",
			      key_name(i->row), room,
			      (unsigned long long)i->row->least,
			      (unsigned long long)i->row->most);
		return NULL;
	}
	array = calloc(room, size);
	while (array && n < room &&
	       (element.node = fy_node_sequence_iterate(i->node, &iterator))) {
		element.at = place_of(element.node, i->at);
		read(r, &element, array + n++ * size);
	}
	*ret_n = n;
	return array;
}

static void read_one_listen(struct reader *r, const struct item *i, void *to)
{
	struct gate_listen *listen = to;
	uint64_t seen;

	if (!want_kind(r, i, fy_node_is_mapping(i->node),
		       "a map with an address"))
		return;
	listen->line = (unsigned)i->at.line;
	listen->column = (unsigned)i->at.column;
	seen = read_map(r, "listen[].", i->node, listen, i->at);
	need(r, seen, GATE_SET_LISTEN_ADDRESS, i->at);
}

static bool is_same_door(const struct gate_listen *a,
			 const struct gate_listen *b)
{
	struct gate_address x, y;

	return a->port == b->port && a->port != 0 && a->host && b->host &&
	       gate_address_read(bytes_of_str(a->host), &x) &&
	       gate_address_read(bytes_of_str(b->host), &y) &&
	       memcmp(&x, &y, sizeof(x)) == 0;
}

static void find_twin_listeners(struct reader *r)
{
	const struct gate_listen *listen = r->policy->listen;

	for (size_t b = 1; b < r->policy->n_listen; b++) {
		size_t a = 0;

		while (a < b && !is_same_door(&listen[a], &listen[b]))
			a++;
		if (a == b)
			continue;
		gate_complain(r->wrong,
			      (struct gate_place){(int)listen[b].line,
						  (int)listen[b].column},
			      "this address has a listener already, at line %u",
			      listen[a].line);
	}
}

static void read_listen(struct reader *r, const struct item *i, void *to)
{
	r->policy->listen = read_maps(r, i, sizeof(struct gate_listen),
				      read_one_listen, &r->policy->n_listen);
	find_twin_listeners(r);
}

/* ---- Routes ---- */

static void read_path(struct reader *r, const struct item *i, void *to)
{
	struct gate_route *route = to;
	const char *wrong;
	struct bytes s;

	if (!want_text(r, i, &s))
		return;
	put(&route->path, copy(s));
	route->line = (unsigned)i->at.line;
	route->column = (unsigned)i->at.column;
	if (!route->path)
		return;
	wrong = gate_path_pattern_read(bytes_of_str(route->path),
				       &route->pattern);
	if (wrong) {
		gate_complain(r->wrong, i->at, "path `%s` %s", show(s).text,
			      wrong);
		put(&route->path, NULL);
	}
}

/* Say what is wrong with the URL @s, and what was probably meant. */
static void complain_of_url(struct reader *r, const struct item *i,
			    struct bytes s, enum ses_url_fault fault)
{
	const char *sentence = ses_url_fault(fault)->sentence;
	char meant[256];
	const char *colon = ses_url_suggest(s, meant, sizeof(meant))
				    ? strstr(meant, "://")
				    : NULL;

	if (!colon)
		gate_complain(r->wrong, i->at, "to: `%s`: %s", show(s).text,
			      sentence);
	else /* wss: would be the next fault */
		gate_complain(
			r->wrong, i->at, "to: `%s`: %s (did you mean `ws%s`?)",
			show(s).text, sentence, show(bytes_of_str(colon)).text);
}

static void read_upstream(struct reader *r, const struct item *i,
			  struct gate_route *route, struct bytes s)
{
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url url = {0};
	size_t at = 0;

	if (ses_url_parse(s, &url, &fault, &at) < 0 && !url.tls) {
		complain_of_url(r, i, s, fault);
		return;
	}
	if (url.tls) {
		gate_complain(r->wrong, i->at,
			      "to: `%s`: TLS to a server behind the gateway is "
			      "not available; it is ws://HOST:PORT[/prefix]",
			      show(s).text);
		return;
	}
	if (url.query.data || url.userinfo.data) {
		gate_complain(r->wrong, i->at,
			      "to: `%s` has %s; a server behind the "
			      "gateway is ws://HOST:PORT[/prefix]",
			      show(s).text,
			      url.query.data ? "a query" : "a user name");
		return;
	}
	if (url.path.len && url.path.data[url.path.len - 1] == '/')
		url.path.len--; /* the request's path brings its own slash */
	route->to = GATE_TO_UPSTREAM;
	put(&route->upstream, copy(s));
	put(&route->upstream_host, copy(url.host));
	put(&route->upstream_prefix, copy(url.path));
	route->upstream_port = url.port;
}

static void read_to(struct reader *r, const struct item *i, void *to)
{
	struct gate_route *route = to;
	static const char *const words[] = {"echo"};
	const char *near;
	struct bytes s;

	if (!want_text(r, i, &s) || bytes_equal(s, BYTES("echo")))
		return;
	if (bytes_find_byte(s, ':') >= 0) {
		read_upstream(r, i, route, s);
		return;
	}
	near = text_suggest(show(s).text, words, 1);
	gate_complain(r->wrong, i->at,
		      "to: `%s` is nothing known; it is echo or "
		      "ws://HOST:PORT%s",
		      show(s).text, near ? " (did you mean `echo`?)" : "");
}

static void read_host(struct reader *r, const struct item *i, void *to)
{
	struct bytes s;

	if (!want_text(r, i, &s))
		return;
	for (size_t k = 0; k < s.len; k++) {
		if (s.data[k] > ' ' && s.data[k] < 0x7f)
			continue;
		gate_complain(r->wrong, i->at, "host `%s` is no Host field",
			      show(s).text);
		return;
	}
	put(to, bytes_equal(s, BYTES("pass")) ? NULL : copy(s));
}

static void read_mode(struct reader *r, const struct item *i, void *to)
{
	uint64_t choice = 0;

	read_choice(r, i, &choice);
	*(bool *)to = choice != 0;
}

static void read_rule(struct reader *r, const struct item *i,
		      enum gate_list list, struct gate_rules *rules)
{
	struct gate_rule *rule = &rules->rule[rules->n];
	const char *wrong;
	struct bytes s;

	if (!want_text(r, i, &s))
		return;
	*rule = (struct gate_rule){.text = copy(s),
				   .line = (unsigned)i->at.line};
	if (!rule->text)
		return;
	rules->n++;
	wrong = gate_rule_read(list, rule);
	if (wrong)
		gate_complain(r->wrong, i->at, "%s: `%s` %s",
			      gate_list_name(list), show(s).text, wrong);
}

/*
 * Whether a list may have @n entries. One without any could mean that nobody
 * may enter or that everybody may, so it means neither.
 */
static bool fits_rules(struct reader *r, const struct item *i, int n)
{
	if (n <= 0)
		gate_complain(r->wrong, i->at,
			      "%s has no entry; leave it out for the default "
			      "(%s)",
			      key_name(i->row), i->row->preset);
	else if ((uint64_t)n > i->row->most)
		gate_complain(r->wrong, i->at,
			      "%s has %d entries; at most %llu may be",
			      key_name(i->row), n,
			      (unsigned long long)i->row->most);
	return n > 0 && (uint64_t)n <= i->row->most;
}

static void read_rules(struct reader *r, const struct item *i, void *to)
{
	struct gate_rules *rules = to;
	struct item element = *i;
	void *iterator = NULL;
	int room;
	enum gate_list list = 0; /* by the name of its key */

	while (strcmp(gate_list_name(list), key_name(i->row)) != 0)
		list++;
	rules->line = (unsigned)i->key.line;
	if (!is_null(i->node) &&
	    !want_kind(r, i, fy_node_is_sequence(i->node), "a list"))
		return;
	room = is_null(i->node) ? 0 : fy_node_sequence_item_count(i->node);
	if (!fits_rules(r, i, room))
		return;
	rules->rule = calloc((size_t)room, sizeof(*rules->rule));
	while (rules->rule && rules->n < (size_t)room &&
	       (element.node = fy_node_sequence_iterate(i->node, &iterator))) {
		element.at = place_of(element.node, i->at);
		read_rule(r, &element, list, rules);
	}
}

static void read_one_route(struct reader *r, const struct item *i, void *to)
{
	struct gate_route *route = to;
	uint64_t seen;

	if (!want_kind(r, i, fy_node_is_mapping(i->node), "a map with a path"))
		return;
	route->line = (unsigned)i->at.line;
	seen = read_map(r, "routes[].", i->node, route, i->at);
	need(r, seen, GATE_SET_ROUTE_PATH, i->at);
	need(r, seen, GATE_SET_ROUTE_TO, i->at);
	if (route->to == GATE_TO_UPSTREAM && route->limits.message_bytes)
		gate_complain(r->wrong, i->at,
			      "limits.message is for echo routes; "
			      "messages for %s are not looked into",
			      route->upstream);
	if (has(seen, GATE_SET_ROUTE_HOST) && has(seen, GATE_SET_ROUTE_TO) &&
	    route->to == GATE_TO_ECHO)
		gate_complain(r->wrong, i->at,
			      "host is for a server behind the gateway; "
			      "this route leads to echo");
}

static void find_shadowed(struct reader *r)
{
	const struct gate_policy *p = r->policy;

	for (size_t b = 1; b < p->n_routes; b++) {
		for (size_t a = 0; a < b; a++) {
			const struct gate_route *x = &p->route[a],
						*y = &p->route[b];
			struct gate_place at = {(int)y->line, (int)y->column};

			if (!x->path || !y->path ||
			    !gate_path_pattern_covers(&x->pattern, &y->pattern))
				continue;
			if (strcmp(x->path, y->path) == 0)
				gate_complain(r->wrong, at,
					      "path `%s` has a route already, "
					      "at line %u",
					      y->path, x->line);
			else
				gate_complain(r->wrong, at,
					      "path `%s` is never reached: "
					      "`%s` at line %u takes it",
					      y->path, x->path, x->line);
			break;
		}
	}
}

static void read_routes(struct reader *r, const struct item *i, void *to)
{
	r->policy->route = read_maps(r, i, sizeof(struct gate_route),
				     read_one_route, &r->policy->n_routes);
	find_shadowed(r);
}

/* ---- The rest ---- */

static void read_journal_file(struct reader *r, const struct item *i, void *to)
{
	if (i->node && fy_node_is_scalar(i->node) &&
	    bytes_equal(scalar(i->node), BYTES("none")))
		put(to, strdup(""));
	else
		read_file_name(r, i, to);
}

#define LISTEN(field) offsetof(struct gate_listen, field)
#define ROUTE(field)  offsetof(struct gate_route, field)
#define POLICY(field) offsetof(struct gate_policy, field)
#define LIMITS(field) offsetof(struct gate_limits, field)
#define ALLOW(list)   ((list) * sizeof(struct gate_rules))

static const struct reading readings[GATE_N_SETTINGS] = {
	[GATE_SET_LISTEN] = {read_listen, 0},
	[GATE_SET_LISTEN_ADDRESS] = {read_address, 0},
	[GATE_SET_LISTEN_TLS] = {read_tls, 0},
	[GATE_SET_LISTEN_CERTIFICATE] = {read_file_name, LISTEN(certificate)},
	[GATE_SET_LISTEN_KEY] = {read_file_name, LISTEN(key)},
	[GATE_SET_LISTEN_CLIENT_CA] = {read_file_name, LISTEN(client_ca)},
	[GATE_SET_LISTEN_CLIENT_CERT] = {read_choice, LISTEN(client_cert)},
	[GATE_SET_ROUTES] = {read_routes, 0},
	[GATE_SET_ROUTE_PATH] = {read_path, 0},
	[GATE_SET_ROUTE_TO] = {read_to, 0},
	[GATE_SET_ROUTE_HOST] = {read_host, ROUTE(host)},
	[GATE_SET_ROUTE_MODE] = {read_mode, ROUTE(observe)},
	[GATE_SET_ROUTE_ALLOW] = {read_plain_map, ROUTE(allow)},
	[GATE_SET_ALLOW_HOSTS] = {read_rules, ALLOW(GATE_HOSTS)},
	[GATE_SET_ALLOW_ADDRESSES] = {read_rules, ALLOW(GATE_ADDRESSES)},
	[GATE_SET_ALLOW_ORIGINS] = {read_rules, ALLOW(GATE_ORIGINS)},
	[GATE_SET_ALLOW_USER_AGENTS] = {read_rules, ALLOW(GATE_USER_AGENTS)},
	[GATE_SET_ROUTE_LIMITS] = {read_plain_map, ROUTE(limits)},
	[GATE_SET_LIMIT_MESSAGE] = {read_number, LIMITS(message_bytes)},
	[GATE_SET_LIMIT_IDLE] = {read_number, LIMITS(idle_ms)},
	[GATE_SET_LIMIT_CONNECTIONS] = {read_number, LIMITS(connections)},
	[GATE_SET_REFUSAL] = {read_plain_map, 0},
	[GATE_SET_REFUSAL_DISCLOSE] = {read_choice, POLICY(disclose)},
	[GATE_SET_JOURNAL] = {read_plain_map, 0},
	[GATE_SET_JOURNAL_FILE] = {read_journal_file, POLICY(journal)},
	[GATE_SET_JOURNAL_ROWS] = {read_number, POLICY(journal_rows)},
};

static void add_default_listener(struct reader *r)
{
	r->policy->listen = calloc(1, sizeof(struct gate_listen));
	if (!r->policy->listen)
		return;
	r->policy->n_listen = 1;
	r->policy->listen->host = strdup("127.0.0.1");
	r->policy->listen->port = 8080;
}

static void read_root(struct reader *r, struct fy_node *root)
{
	struct gate_place start = {1, 1};
	uint64_t seen;

	if (is_null(root)) {
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "the file is empty; at least `routes` is needed");
		return;
	}
	if (!fy_node_is_mapping(root)) {
		gate_complain(r->wrong, place_of(root, start),
			      "a configuration is a map of settings, not %s",
			      kind_of(root));
		return;
	}
	seen = read_map(r, "", root, r->policy, start);
	need(r, seen, GATE_SET_ROUTES, start);
	if (!has(seen, GATE_SET_LISTEN))
		add_default_listener(r);
}

static void read_yaml_faults(struct reader *r, struct fy_diag *diag)
{
	struct fy_diag_error *e;
	void *iterator = NULL;

	while ((e = fy_diag_errors_iterate(diag, &iterator)))
		gate_complain(r->wrong, (struct gate_place){e->line, e->column},
			      "this is not YAML: %s", e->msg);
	if (r->wrong->n == 0)
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "this is not YAML");
}

static void read_documents(struct reader *r, struct fy_parser *parser,
			   struct fy_diag *diag)
{
	struct fy_document *doc = fy_parse_load_document(parser), *second;

	if (!doc || fy_parser_get_stream_error(parser)) {
		read_yaml_faults(r, diag);
		fy_parse_document_destroy(parser, doc);
		return;
	}
	read_root(r, fy_document_root(doc));
	fy_parse_document_destroy(parser, doc);
	second = fy_parse_load_document(parser);
	if (second)
		gate_complain(
			r->wrong,
			place_of(fy_document_root(second),
				 (struct gate_place){0}),
			"a second document; one file is one configuration");
	else if (fy_parser_get_stream_error(parser))
		read_yaml_faults(r, diag);
	fy_parse_document_destroy(parser, second);
}

static void read_yaml(struct reader *r, struct bytes text)
{
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET |
					    FYPCF_ALLOW_DUPLICATE_KEYS |
					    FYPCF_DISABLE_RECYCLING};
	struct fy_parser *parser;

	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.level = FYET_ERROR;
	cfg.diag = fy_diag_create(&diag_cfg);
	if (cfg.diag)
		fy_diag_set_collect_errors(cfg.diag, true);
	parser = cfg.diag ? fy_parser_create(&cfg) : NULL;
	if (parser && fy_parser_set_string(parser, (const char *)text.data,
					   text.len) == 0)
		read_documents(r, parser, cfg.diag);
	else
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "out of memory");
	fy_parser_destroy(parser);
	fy_diag_destroy(cfg.diag);
}

/* Nothing but blanks and comments. */
static bool is_blank_text(struct bytes text)
{
	bool comment = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		comment = c == '#' || (comment && c != '\n');
		if (!comment && c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return false;
	}
	return true;
}

/* What no configuration has, and libfyaml would stumble or loop over. */
static const char *wrong_in_line(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((line.data[i] < ' ' && line.data[i] != '\t' &&
		     line.data[i] != '\r') ||
		    line.data[i] == 0x7f)
			return "it holds a control byte";
	if (!ses_utf8_valid(line))
		return "it is not UTF-8";
	if (line.len && line.data[0] == '%')
		return "a line begins with % (YAML directives are not taken)";
	return NULL;
}

static bool is_text(struct reader *r, struct bytes text)
{
	for (int number = 1; text.len; number++) {
		ptrdiff_t end = bytes_find_byte(text, '\n');
		size_t len = end < 0 ? text.len : (size_t)end;
		const char *wrong = wrong_in_line(bytes_first(text, len));

		if (wrong) {
			gate_complain(r->wrong, (struct gate_place){number, 1},
				      "this is not YAML: %s", wrong);
			return false;
		}
		text = bytes_from(text, len + 1);
	}
	return true;
}

struct gate_policy *gate_config_parse(const char *file, struct bytes text,
				      bool open_files, struct ses_buf *errors)
{
	struct gate_complaints *wrong = calloc(1, sizeof(*wrong));
	struct gate_policy *policy = calloc(1, sizeof(*policy));
	struct reader r = {file, open_files, policy, wrong};

	if (!wrong || !policy) {
		free(wrong);
		free(policy);
		ses_buf_printf(errors, "%s: out of memory\n", file);
		return NULL;
	}
	policy->file = strdup(file);
	policy->journal_rows = DEFAULT_ROWS;
	if (is_blank_text(text))
		read_root(&r, NULL);
	else if (is_text(&r, text))
		read_yaml(&r, text);
	if (wrong->n) {
		gate_complaints_print(wrong, file, errors);
		gate_policy_free(policy);
		policy = NULL;
	}
	free(wrong);
	return policy;
}

struct gate_policy *gate_config_builtin(void)
{
	struct ses_buf errors;
	struct gate_policy *policy;

	ses_buf_init(&errors, 4096);
	policy = gate_config_parse("(built in)",
				   BYTES("routes: [{path: /**, to: echo}]\n"),
				   false, &errors);
	ses_buf_fini(&errors);
	return policy;
}
