/* SPDX-License-Identifier: MIT */
/*
 * Each entry that names one value, or all names below one, becomes a text in a
 * table: what is the same to the rules of matching (case, encoding, the dot of
 * the root) is written the same. The request's value is written in that way
 * too and looked up, once for each form that an entry could have. The few
 * entries that are real patterns are tried one by one, and no further than the
 * best that the table gave.
 */
#include "gate/index.h"

#include <stdlib.h>

#include <sesame/error.h>

#include "base/percent.h"
#include "gate/networks.h"

struct list_index {
	struct gate_table table;
	struct gate_networks networks; /* of addresses, instead */
	struct gate_neighbours neighbours;
	/* Entries that are tried one by one; [1]: those that exclude. */
	uint32_t *odd[2];
	size_t n_odd[2];
	bool admits, excludes; /* it has such entries */
	/* Host wildcards: a bit for each length of what follows the star. */
	uint8_t lengths[GATE_MAX_KEY / 8 + 1];
};

struct gate_index {
	struct gate_table routes;
	size_t most_slashes; /* of a prefix below which all is taken */
	struct gate_neighbours paths;
	struct list_index *list; /* GATE_N_LISTS for each route */
	size_t n_lists;
};

static struct list_index *find_list(const struct gate_policy *policy,
				    const struct gate_route *route,
				    enum gate_list list)
{
	size_t number = (size_t)(route - policy->route);

	return &policy->index->list[number * GATE_N_LISTS + list];
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b; /* GATE_NONE is the greatest */
}

/* ---- Values ---- */

struct bytes gate_list_value(const struct gate_request *r, enum gate_list list)
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

/*
 * The port with its colon, or nothing, is cut off @host. Zeros before it say
 * nothing, and are not seen; nor is a colon without a port.
 */
static struct bytes cut_port(struct bytes *host)
{
	ptrdiff_t bracket = bytes_find_byte(*host, ']');
	struct bytes after = bytes_from(*host, (size_t)(bracket + 1));
	ptrdiff_t colon = bytes_find_byte(after, ':');

	if (colon < 0)
		return bytes_of(NULL, 0);
	*host = bytes_first(*host, (size_t)(bracket + 1 + colon));
	after = bytes_from(after, (size_t)colon + 1);
	while (after.len && after.data[0] == '0')
		after = bytes_from(after, 1);
	return after;
}

/*
 * The ports that a Host field may mean: its own, or the one that its scheme
 * has. Behind a proxy that ends TLS the gateway may not have been told which.
 */
struct ports {
	struct bytes of[2];
	size_t n;
};

static struct ports ports_of(struct bytes own, bool secure)
{
	if (own.len)
		return (struct ports){{own}, 1};
	return (struct ports){{BYTES("443"), BYTES("80")}, secure ? 1 : 2};
}

static bool host_has(struct bytes glob, const struct gate_request *r)
{
	struct bytes host = r->host, glob_port = cut_port(&glob);
	struct ports ports = ports_of(cut_port(&host), r->secure);
	bool has = !glob_port.len; /* without one it is for all ports */

	for (size_t i = 0; i < ports.n; i++)
		has = has || gate_glob_has(glob_port, ports.of[i]);
	return has &&
	       gate_glob_has(gate_without_dot(glob), gate_without_dot(host));
}

bool gate_rule_has(const struct gate_rule *rule, enum gate_list list,
		   const struct gate_request *r)
{
	switch (list) {
	case GATE_HOSTS:
		return host_has(rule->glob, r);
	case GATE_ADDRESSES:
		return gate_network_has(&rule->network, &r->address);
	case GATE_ORIGINS:
		return rule->negative ? gate_origin_pattern_excludes(
						&rule->origin, r->origin)
				      : gate_origin_pattern_has(&rule->origin,
								r->origin);
	default:
		return gate_glob_has(rule->glob, gate_list_value(r, list));
	}
}

/* ---- Keys: values as texts of the table ---- */

struct key {
	uint8_t text[GATE_MAX_KEY + 1];
	size_t len; /* over GATE_MAX_KEY: it is in no table */
};

static void add_byte(struct key *k, uint8_t c)
{
	if (k->len <= GATE_MAX_KEY)
		k->text[k->len++] = c;
}

/* Ended by a zero, which none of the texts has. */
static void add_lower(struct key *k, struct bytes text)
{
	for (size_t i = 0; i < text.len && k->len <= GATE_MAX_KEY; i++)
		add_byte(k, byte_lower(text.data[i]));
	add_byte(k, 0);
}

static struct bytes text_of(const struct key *k)
{
	return bytes_of(k->text, k->len);
}

enum form { EXACT = 'e', WILD = 'w' };

static void write_origin(struct key *k, const struct gate_origin *o,
			 struct bytes host, bool negative, enum form form)
{
	k->len = 0;
	add_byte(k, negative);
	add_byte(k, (uint8_t)form);
	add_byte(k, (uint8_t)(o->port >> 8));
	add_byte(k, (uint8_t)o->port);
	add_lower(k, o->scheme);
	add_lower(k, host);
}

static void write_host(struct key *k, struct bytes host, struct bytes port,
		       bool negative, enum form form)
{
	k->len = 0;
	add_byte(k, negative);
	add_byte(k, (uint8_t)form);
	add_lower(k, port);
	add_lower(k, host);
}

static void write_text(struct key *k, struct bytes text, bool negative)
{
	k->len = 0;
	add_byte(k, negative);
	add_lower(k, text);
}

/* ---- Building a list ---- */

/* The key of an entry that has one. */
static bool write_origin_rule(struct key *k, const struct gate_rule *rule)
{
	const struct gate_origin_pattern *p = &rule->origin;

	if (p->kind != GATE_ORIGIN_EXACT && p->kind != GATE_ORIGIN_WILDCARD)
		return false;
	write_origin(k, &p->origin, p->origin.host, rule->negative,
		     p->kind == GATE_ORIGIN_EXACT ? EXACT : WILD);
	return true;
}

static bool write_host_rule(struct list_index *x, struct key *k,
			    const struct gate_rule *rule)
{
	struct bytes host = rule->glob, port = cut_port(&host);
	bool wild;

	host = gate_without_dot(host);
	wild = bytes_starts(host, BYTES("*."));
	if (wild)
		host = bytes_from(host, 2);
	if (bytes_find_byte(host, '*') >= 0 || bytes_find_byte(port, '*') >= 0)
		return false;
	write_host(k, host, port, rule->negative, wild ? WILD : EXACT);
	if (wild && host.len < GATE_MAX_KEY)
		x->lengths[host.len / 8] |= (uint8_t)(1u << host.len % 8);
	return true;
}

static bool write_rule(struct list_index *x, enum gate_list list, struct key *k,
		       const struct gate_rule *rule)
{
	if (list == GATE_ORIGINS)
		return write_origin_rule(k, rule);
	if (list == GATE_HOSTS)
		return write_host_rule(x, k, rule);
	write_text(k, rule->glob, rule->negative);
	return bytes_find_byte(rule->glob, '*') < 0;
}

static int add_rules(struct list_index *x, enum gate_list list,
		     const struct gate_rules *rules)
{
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct gate_rule *rule = &rules->rule[i];
		struct key k;
		int r = write_rule(x, list, &k, rule)
				? gate_table_add(&x->table, text_of(&k), i)
				: SESAME_ELIMIT;

		if (r == SESAME_ELIMIT)
			x->odd[rule->negative][x->n_odd[rule->negative]++] = i;
		else if (r < 0)
			return r;
	}
	return 0;
}

static int build_names(struct list_index *x, enum gate_list list,
		       const struct gate_rules *rules, const uint8_t *seed)
{
	if (gate_table_init(&x->table, rules->n, seed) < 0 ||
	    gate_neighbours_init(&x->neighbours, rules->n) < 0)
		return SESAME_ENOMEM;
	for (int k = 0; k < 2; k++) {
		x->odd[k] = malloc((rules->n + 1) * sizeof(*x->odd[k]));
		if (!x->odd[k])
			return SESAME_ENOMEM;
	}
	for (size_t i = 0; i < rules->n; i++)
		if (!rules->rule[i].negative)
			gate_neighbours_add(&x->neighbours, rules->rule[i].text);
	if (gate_neighbours_sort(&x->neighbours) < 0)
		return SESAME_ENOMEM;
	return add_rules(x, list, rules);
}

static int build_list(struct list_index *x, enum gate_list list,
		      const struct gate_rules *rules, const uint8_t *seed)
{
	if (rules->n == 0)
		return 0;
	for (size_t i = 0; i < rules->n; i++) {
		x->admits |= !rules->rule[i].negative;
		x->excludes |= rules->rule[i].negative;
	}
	return list == GATE_ADDRESSES ? gate_networks_init(&x->networks, rules)
				      : build_names(x, list, rules, seed);
}

static void free_list(struct list_index *x)
{
	gate_table_fini(&x->table);
	gate_networks_fini(&x->networks);
	gate_neighbours_fini(&x->neighbours);
	free(x->odd[0]);
	free(x->odd[1]);
}

/* ---- Building the routes ---- */

/* A path of a pattern in the table: decoded, then what kind it is. */
static int add_route(struct gate_index *x, const struct gate_route *route,
		     uint32_t number)
{
	struct bytes rest = route->pattern.prefix;
	struct key k = {.len = 0};
	size_t slashes = 0;

	while (rest.len) {
		uint8_t c = ses_percent_next(&rest);

		slashes += c == '/';
		add_byte(&k, c);
	}
	add_byte(&k, (uint8_t)('0' + route->pattern.kind));
	if (route->pattern.kind == GATE_PATH_BELOW && slashes > x->most_slashes)
		x->most_slashes = slashes;
	return gate_table_add(&x->routes, text_of(&k), number);
}

static int build_routes(struct gate_index *x, const struct gate_policy *policy,
			const uint8_t *seed)
{
	if (gate_table_init(&x->routes, policy->n_routes, seed) < 0 ||
	    gate_neighbours_init(&x->paths, policy->n_routes) < 0)
		return SESAME_ENOMEM;
	for (size_t i = 0; i < policy->n_routes; i++) {
		if (add_route(x, &policy->route[i], (uint32_t)i) < 0)
			return SESAME_ENOMEM;
		gate_neighbours_add(&x->paths, policy->route[i].path);
	}
	return gate_neighbours_sort(&x->paths);
}

static int build(struct gate_index *x, const struct gate_policy *policy,
		 const uint8_t *seed)
{
	int r = build_routes(x, policy, seed);

	x->n_lists = policy->n_routes * GATE_N_LISTS;
	x->list = calloc(x->n_lists + 1, sizeof(*x->list));
	if (!x->list)
		return SESAME_ENOMEM;
	for (size_t i = 0; r >= 0 && i < x->n_lists; i++) {
		enum gate_list list = (enum gate_list)(i % GATE_N_LISTS);
		const struct gate_route *route =
			&policy->route[i / GATE_N_LISTS];

		r = build_list(&x->list[i], list, &route->allow[list], seed);
	}
	return r;
}

struct gate_index *gate_index_new(const struct gate_policy *policy,
				  const uint8_t seed[SES_HASH_SEED])
{
	struct gate_index *x = calloc(1, sizeof(*x));

	if (x && build(x, policy, seed) < 0) {
		gate_index_free(x);
		x = NULL;
	}
	return x;
}

void gate_index_free(struct gate_index *x)
{
	if (!x)
		return;
	for (size_t i = 0; x->list && i < x->n_lists; i++)
		free_list(&x->list[i]);
	free(x->list);
	gate_table_fini(&x->routes);
	gate_neighbours_fini(&x->paths);
	free(x);
}

/* ---- Asking for a route ---- */

/* A path on its way through the table. */
struct walk {
	const struct gate_table *table;
	struct ses_hash hash;
	struct key key;
	uint32_t best;
	size_t slashes;
	struct ses_hash hash_at_slash; /* after the last one */
	size_t len_at_slash;
};

/* Look up the first @len bytes as a pattern of one kind; spoils what follows. */
static void try_kind(struct walk *w, struct ses_hash hash, size_t len,
		     enum gate_path_kind kind)
{
	w->key.text[len] = (uint8_t)('0' + kind);
	ses_hash_byte(&hash, w->key.text[len]);
	w->best = least(w->best,
			gate_table_find_hashed(w->table,
					       bytes_of(w->key.text, len + 1),
					       ses_hash_end(&hash)));
}

static void pass_slash(struct walk *w, size_t most_slashes)
{
	w->hash_at_slash = w->hash;
	w->len_at_slash = w->key.len;
	if (++w->slashes <= most_slashes)
		try_kind(w, w->hash, w->key.len, GATE_PATH_BELOW);
}

/*
 * Every byte is hashed once: a prefix that ends at a slash is a text of the
 * table as it stands. Bytes behind the longest prefix can only tell whether
 * there is one more slash.
 */
const struct gate_route *gate_index_route(const struct gate_policy *policy,
					  struct bytes path)
{
	const struct gate_index *x = policy->index;
	struct walk w;

	w.table = &x->routes;
	w.hash = w.hash_at_slash = x->routes.begin;
	w.key.len = w.len_at_slash = w.slashes = 0;
	w.best = GATE_NONE;
	while (path.len && w.key.len < x->routes.longest) {
		uint8_t c = ses_percent_next(&path);

		add_byte(&w.key, c);
		ses_hash_byte(&w.hash, c);
		if (c == '/')
			pass_slash(&w, x->most_slashes);
	}
	if (!path.len)
		try_kind(&w, w.hash, w.key.len, GATE_PATH_EXACT);
	if ((path.len || w.len_at_slash < w.key.len) &&
	    bytes_find_byte(path, '/') < 0)
		try_kind(&w, w.hash_at_slash, w.len_at_slash, GATE_PATH_SEGMENT);
	return w.best == GATE_NONE ? NULL : &policy->route[w.best];
}

/* ---- Asking for a rule ---- */

/* All that is needed to ask one list. */
struct question {
	const struct list_index *index;
	const struct gate_rules *rules;
	enum gate_list list;
	const struct gate_request *request;
	bool negative;
};

static uint32_t find_key(const struct question *q, const struct key *k)
{
	return gate_table_find(&q->index->table, text_of(k));
}

static uint32_t find_origin_of(const struct question *q,
			       const struct gate_origin *o, struct bytes host)
{
	ptrdiff_t dot = bytes_find_byte(host, '.');
	struct key k;
	uint32_t best;

	write_origin(&k, o, host, q->negative, EXACT);
	best = find_key(q, &k);
	if (dot < 1)
		return best;
	write_origin(&k, o, bytes_from(host, (size_t)dot + 1), q->negative,
		     WILD);
	return least(best, find_key(q, &k));
}

static uint32_t find_origin(const struct question *q)
{
	struct gate_origin o;
	struct bytes host;
	uint32_t best;

	if (!q->request->origin.data ||
	    !gate_origin_read(q->request->origin, &o))
		return GATE_NONE;
	best = find_origin_of(q, &o, o.host);
	host = gate_without_dot(o.host);
	/* The dot of the root helps nobody out of an exclusion. */
	if (q->negative && host.len != o.host.len)
		best = least(best, find_origin_of(q, &o, host));
	return best;
}

/* With its port and without: an entry without one is for all ports. */
static uint32_t find_host_of(const struct question *q, struct bytes host,
			     const struct ports *ports, enum form form)
{
	struct key k;
	uint32_t best;

	write_host(&k, host, bytes_of(NULL, 0), q->negative, form);
	best = find_key(q, &k);
	for (size_t i = 0; i < ports->n; i++) {
		write_host(&k, host, ports->of[i], q->negative, form);
		best = least(best, find_key(q, &k));
	}
	return best;
}

static bool has_length(const struct list_index *x, size_t len)
{
	return len < GATE_MAX_KEY && x->lengths[len / 8] >> len % 8 & 1;
}

static uint32_t find_host(const struct question *q)
{
	struct bytes host = q->request->host;
	struct ports ports = ports_of(cut_port(&host), q->request->secure);
	uint32_t best;

	host = gate_without_dot(host);
	best = find_host_of(q, host, &ports, EXACT);
	for (size_t i = 0; i < host.len; i++)
		if (host.data[i] == '.' && has_length(q->index, host.len - i - 1))
			best = least(best,
				     find_host_of(q, bytes_from(host, i + 1),
						  &ports, WILD));
	return best;
}

static uint32_t find_text(const struct question *q)
{
	struct key k;

	write_text(&k, gate_list_value(q->request, q->list), q->negative);
	return find_key(q, &k);
}

/* The patterns, one by one, as long as they stand before the best. */
static uint32_t find_odd(const struct question *q, uint32_t best)
{
	const uint32_t *odd = q->index->odd[q->negative];

	for (size_t i = 0; i < q->index->n_odd[q->negative]; i++) {
		if (odd[i] > best)
			break;
		if (gate_rule_has(&q->rules->rule[odd[i]], q->list, q->request))
			return odd[i];
	}
	return best;
}

static uint32_t find_first(const struct question *q)
{
	uint32_t best = q->list == GATE_ORIGINS ? find_origin(q)
			: q->list == GATE_HOSTS ? find_host(q)
						: find_text(q);

	return find_odd(q, best);
}

const struct gate_rule *gate_index_rule(const struct gate_policy *policy,
					const struct gate_route *route,
					enum gate_list list,
					const struct gate_request *request)
{
	const struct list_index *x = find_list(policy, route, list);
	const struct gate_rules *rules = &route->allow[list];
	struct question q = {x, rules, list, request, true};
	uint32_t found = GATE_NONE;

	if (rules->n == 0)
		return NULL;
	if (list == GATE_ADDRESSES) {
		found = gate_networks_find(&x->networks, &request->address);
	} else {
		if (x->excludes)
			found = find_first(&q);
		q.negative = false;
		if (found == GATE_NONE && x->admits)
			found = find_first(&q);
	}
	return found == GATE_NONE ? NULL : &rules->rule[found];
}

bool gate_index_only_excludes(const struct gate_policy *policy,
			      const struct gate_route *route,
			      enum gate_list list)
{
	return !find_list(policy, route, list)->admits;
}

/* ---- The nearest ---- */

const struct gate_neighbours *gate_index_paths(const struct gate_policy *policy)
{
	return &policy->index->paths;
}

const struct gate_neighbours *
gate_index_neighbours(const struct gate_policy *policy,
		      const struct gate_route *route, enum gate_list list)
{
	return &find_list(policy, route, list)->neighbours;
}

const struct gate_rule *
gate_index_nearest_network(const struct gate_policy *policy,
			   const struct gate_route *route,
			   const struct gate_address *address)
{
	const struct gate_rules *rules = &route->allow[GATE_ADDRESSES];
	const struct list_index *x = find_list(policy, route, GATE_ADDRESSES);
	uint32_t found = gate_networks_nearest(&x->networks, rules, address);

	return found == GATE_NONE ? NULL : &rules->rule[found];
}
