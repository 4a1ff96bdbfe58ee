/* SPDX-License-Identifier: MIT */
/*
 * The compiled lists beside a walk over every rule: whatever the rules and the
 * request are, both find the same one.
 */
#include "gate/index.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate/config.h"
#include "gate/networks.h"
#include "test.h"

static const uint8_t test_seed[SES_HASH_SEED] = "not so very secr";

/* ---- Chance, the same each time ---- */

static uint64_t chance;

static uint32_t draw(uint32_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (uint32_t)(chance >> 20) % n;
}

#define PICK(words) words[draw(ARRAY_LEN(words))]

/* ---- Policies ---- */

#define MAX_RULES  40
#define MAX_ROUTES 12

struct made {
	struct gate_policy policy;
	struct gate_route route[MAX_ROUTES];
	struct gate_rule rule[GATE_N_LISTS][MAX_RULES];
	char text[GATE_N_LISTS][MAX_RULES][80];
	char path[MAX_ROUTES][80];
};

static void write_host(char *out, bool pattern)
{
	static const char *const labels[] = {"a",  "B",	    "a-b", "app",
					     "xn", "[::1]", "",	   "9"};
	static const char *const tops[] = {"example", "Example", "example.",
					   "e.example", "org"};
	static const char *const ports[] = {"",	    "",	     "",     ":80",
					    ":443", ":8080", ":080", ":"};

	sprintf(out, "%s%s%s%s%s", pattern && draw(3) == 0 ? "*." : "",
		PICK(labels), draw(2) ? "." : "", PICK(tops), PICK(ports));
}

static void write_origin(char *out, bool pattern)
{
	static const char *const schemes[] = {"http://", "https://", "HTTPS://",
					      "app://"};
	static const char *const words[] = {"*",    "none", "null",
					    "NULL", "",	    "x"};
	char host[64];

	if (draw(8) == 0) {
		strcpy(out, PICK(words));
		return;
	}
	write_host(host, pattern);
	sprintf(out, "%s%s", PICK(schemes), host);
}

static void write_address(char *out, bool pattern)
{
	static const char *const four[] = {"10.0.0.0",	    "10.1.0.0",
					   "10.1.128.0",    "10.1.128.64",
					   "0.0.0.0",	    "255.255.255.255",
					   "255.255.255.0", "127.255.255.255"};
	static const char *const six[] = {
		"::",
		"::1",
		"2001:db8::",
		"2001:db8:8000::",
		"2001:db8:8000::8000",
		"ffff::",
		"::ffff:0:0",
		"::fffe:ffff:ffff",
		"::1:0:0:0",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	bool is_four = draw(2);

	strcpy(out, is_four ? PICK(four) : PICK(six));
	if (pattern && draw(4))
		sprintf(out + strlen(out), "/%u", draw(is_four ? 33 : 129));
}

static void write_agent(char *out, bool pattern)
{
	static const char *const words[] = {"a",	   "A", "bot",
					    "Mozilla/5.0", "",	"x y"};

	sprintf(out, "%s%s%s%s", pattern && draw(4) == 0 ? "*" : "",
		PICK(words), PICK(words), pattern && draw(4) == 0 ? "*" : "");
}

static void (*const writers[GATE_N_LISTS])(char *out, bool pattern) = {
	[GATE_HOSTS] = write_host,
	[GATE_ADDRESSES] = write_address,
	[GATE_ORIGINS] = write_origin,
	[GATE_USER_AGENTS] = write_agent,
};

static void make_list(struct made *m, enum gate_list list)
{
	struct gate_rules *rules = &m->route[0].allow[list];
	unsigned tries = draw(MAX_RULES), sign = draw(3);

	rules->rule = m->rule[list];
	rules->line = 1;
	rules->n = 0;
	for (unsigned i = 0; i < tries; i++) {
		struct gate_rule *rule = &rules->rule[rules->n];
		char *text = m->text[list][rules->n];

		text[0] = '!';
		writers[list](text + (sign == 2 || (sign == 1 && draw(2))),
			      true);
		*rule = (struct gate_rule){.text = text, .line = i + 1};
		if (text[0] && !gate_rule_read(list, rule))
			rules->n++;
	}
}

static void write_path(char *out, bool pattern)
{
	static const char *const parts[] = {"/a",  "/b",   "/@x", "/%40x",
					    "/c3", "/%C3", "/%c3"};
	static const char *const ends[] = {"", "/", "/*", "/**"};
	unsigned n = draw(5);

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		strcat(out, PICK(parts));
	strcat(out, pattern ? PICK(ends) : draw(3) == 0 ? "/" : "");
	if (!out[0])
		strcpy(out, "/");
}

static void make_routes(struct made *m)
{
	m->policy.route = m->route;
	m->policy.n_routes = 0;
	for (unsigned i = draw(MAX_ROUTES); i > 0; i--) {
		struct gate_route *route = &m->route[m->policy.n_routes];

		route->path = m->path[m->policy.n_routes];
		write_path(route->path, true);
		if (!gate_path_pattern_read(bytes_of_str(route->path),
					    &route->pattern))
			m->policy.n_routes++;
	}
}

static void make(struct made *m)
{
	memset(m, 0, sizeof(*m));
	make_routes(m);
	if (m->policy.n_routes)
		for (enum gate_list list = 0; list < GATE_N_LISTS; list++)
			make_list(m, list);
	m->policy.index = gate_index_new(&m->policy, test_seed);
	assert_non_null(m->policy.index);
}

/* ---- The walk over every rule ---- */

static const struct gate_rule *walk(const struct gate_rules *rules,
				    enum gate_list list, bool negative,
				    const struct gate_request *r)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->rule[i].negative == negative &&
		    gate_rule_has(&rules->rule[i], list, r))
			return &rules->rule[i];
	return NULL;
}

static const struct gate_rule *most_specific(const struct gate_rules *rules,
					     const struct gate_request *r)
{
	const struct gate_rule *found = NULL;

	for (size_t i = 0; i < rules->n; i++) {
		const struct gate_rule *rule = &rules->rule[i];

		if (gate_rule_has(rule, GATE_ADDRESSES, r) &&
		    (!found || rule->network.prefix > found->network.prefix))
			found = rule;
	}
	return found;
}

static const struct gate_rule *expected(const struct gate_rules *rules,
					enum gate_list list,
					const struct gate_request *r)
{
	const struct gate_rule *rule;

	if (list == GATE_ADDRESSES)
		return most_specific(rules, r);
	rule = walk(rules, list, true, r);
	return rule ? rule : walk(rules, list, false, r);
}

static const struct gate_route *expected_route(const struct gate_policy *p,
					       struct bytes path)
{
	for (size_t i = 0; i < p->n_routes; i++)
		if (gate_path_pattern_has(&p->route[i].pattern, path))
			return &p->route[i];
	return NULL;
}

/* ---- Beside each other ---- */

struct counted {
	unsigned hits, misses;
};

static void check_rules(struct made *m, struct counted *c)
{
	char text[GATE_N_LISTS][80];
	struct gate_request r;

	for (enum gate_list list = 0; list < GATE_N_LISTS; list++)
		writers[list](text[list], false);
	r.secure = draw(2);
	r.host = bytes_of_str(draw(9) ? text[GATE_HOSTS] : NULL);
	r.origin = bytes_of_str(draw(9) ? text[GATE_ORIGINS] : NULL);
	r.user_agent = bytes_of_str(draw(9) ? text[GATE_USER_AGENTS] : NULL);
	r.address_text = bytes_of_str(text[GATE_ADDRESSES]);
	assert_true(gate_address_read(r.address_text, &r.address));
	r.address.bytes[draw(16)] ^= (uint8_t)(draw(4) ? 0 : draw(256));
	for (enum gate_list list = 0; list < GATE_N_LISTS; list++) {
		const struct gate_rules *rules = &m->route[0].allow[list];
		const struct gate_rule *want = expected(rules, list, &r),
				       *have = gate_index_rule(&m->policy,
							       &m->route[0],
							       list, &r);

		if (want != have)
			fail_msg("%s %s: %s, not %s", gate_list_name(list),
				 text[list], have ? have->text : "none",
				 want ? want->text : "none");
		c[list].hits += want != NULL;
		c[list].misses += want == NULL;
	}
}

static void check_path(struct made *m, struct counted *c)
{
	const struct gate_route *want, *have;
	char path[80];

	write_path(path, false);
	if (gate_path_ambiguity(bytes_of_str(path)))
		return;
	want = expected_route(&m->policy, bytes_of_str(path));
	have = gate_index_route(&m->policy, bytes_of_str(path));
	if (want != have)
		fail_msg("%s: %s, not %s", path, have ? have->path : "none",
			 want ? want->path : "none");
	c->hits += want != NULL;
	c->misses += want == NULL;
}

TEST("the index finds the rule that a walk over all rules finds")
{
	struct made *m = malloc(sizeof(*m));
	struct counted c[GATE_N_LISTS + 1] = {0};

	chance = 88172645463325252;
	for (int i = 0; i < 10000; i++) {
		make(m);
		for (int k = 0; k < 10; k++) {
			check_path(m, &c[GATE_N_LISTS]);
			if (m->policy.n_routes)
				check_rules(m, c);
		}
		gate_index_free(m->policy.index);
	}
	/* chance has been kind to both sides */
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		if (c[i].hits < 5000 || c[i].misses < 5000)
			fail_msg("%zu: %u %u", i, c[i].hits, c[i].misses);
	free(m);
}

/* ---- By hand ---- */

static struct gate_rules read_networks(const char *const *texts, size_t n)
{
	static struct gate_rule rule[20];

	for (size_t i = 0; i < n; i++) {
		rule[i] = (struct gate_rule){.text = (char *)texts[i],
					     .line = (unsigned)i + 1};
		assert_null(gate_rule_read(GATE_ADDRESSES, &rule[i]));
	}
	return (struct gate_rules){rule, n, 1};
}

TEST("the longest prefix decides, and what lies behind IPv4 is not forgotten")
{
	static const char *const texts[] = {
		"::/0",	       "0.0.0.0/8",	   "!10.0.0.0/8",
		"10.1.0.0/16", "!10.1.2.0/24",	   "10.1.2.3",
		"10.1.2.3",    "!255.255.255.255", "2001:db8::/32"};
	static const struct {
		const char *address;
		uint32_t rule;
	} rows[] = {{"0.0.0.1", 1},
		    {"9.0.0.0", 0},
		    {"10.0.0.1", 2},
		    {"10.1.0.1", 3},
		    {"10.1.2.4", 4},
		    {"10.1.2.3", 5},
		    {"10.1.3.0", 3},
		    {"10.2.0.0", 2},
		    {"11.0.0.0", 0},
		    {"255.255.255.254", 0},
		    {"255.255.255.255", 7},
		    {"::", 0},
		    {"::ffff:255.255.255.255", 7},
		    {"::1:0:0:0", 0},
		    {"2001:db7:ffff::", 0},
		    {"2001:db8::", 8},
		    {"2001:db9::", 0},
		    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0}};
	struct gate_rules rules = read_networks(texts, ARRAY_LEN(texts));
	struct gate_networks n;

	assert_int_equal(gate_networks_init(&n, &rules), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_address a;

		assert_true(gate_address_read(bytes_of_str(rows[i].address), &a));
		if (gate_networks_find(&n, &a) != rows[i].rule)
			fail_msg("%s: %u", rows[i].address,
				 gate_networks_find(&n, &a));
	}
	gate_networks_fini(&n);
}

TEST("among a great many networks of IPv4 each address is in its own")
{
	enum { MANY = 6000 };
	struct gate_rule *rule = calloc(MANY, sizeof(*rule));
	struct gate_rules rules = {rule, MANY, 1};
	struct gate_networks n;

	chance = 7;
	for (size_t i = 0; i < MANY; i++) {
		char text[32];
		/* dense at the ends of upper halves, and in a few of them */
		uint32_t a = draw(3) ? draw(UINT32_MAX) : 0x0a000000 + draw(99);
		unsigned prefix = 8 + draw(25);

		a = draw(4) ? a : a | 0xffff;
		a &= UINT32_MAX << (32 - prefix);
		snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", a >> 24,
			 a >> 16 & 255, a >> 8 & 255, a & 255, prefix);
		assert_null(gate_network_read(bytes_of_str(text),
					      &rule[i].network));
	}
	assert_int_equal(gate_networks_init(&n, &rules), 0);
	assert_non_null(n.upper);
	for (int i = 0; i < 3000; i++) {
		struct gate_request r = {.address =
						 rule[draw(MANY)].network.base};
		const struct gate_rule *want;
		uint32_t have;

		if (draw(2))
			memset(r.address.bytes + 13, (int)draw(2) * 255, 3);
		r.address.bytes[15] ^= (uint8_t)draw(3);
		want = most_specific(&rules, &r);
		have = gate_networks_find(&n, &r.address);
		assert_true(want ? have == (uint32_t)(want - rule)
				 : have == GATE_NONE);
	}
	gate_networks_fini(&n);
	free(rule);
}

TEST("the nearest network that admits is the one that begins most alike")
{
	static const char *const texts[] = {"10.0.0.0/8", "!192.0.2.0/24",
					    "192.0.3.0/24", "2001:db8::/32",
					    "203.0.113.0/24"};
	static const char *const rows[][2] = {
		{"192.0.2.1", "192.0.3.0/24"},
		{"192.0.4.1", "192.0.3.0/24"},
		{"203.0.112.255", "203.0.113.0/24"},
		{"2001:db9::", "2001:db8::/32"},
		{"1.1.1.1", "10.0.0.0/8"},
		{"255.255.255.255", "203.0.113.0/24"}};
	struct gate_rules rules = read_networks(texts, ARRAY_LEN(texts));
	struct gate_networks n;

	assert_int_equal(gate_networks_init(&n, &rules), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_address a;
		uint32_t near;

		gate_address_read(bytes_of_str(rows[i][0]), &a);
		near = gate_networks_nearest(&n, &rules, &a);
		assert_string_equal(rules.rule[near].text, rows[i][1]);
	}
	gate_networks_fini(&n);
	rules = read_networks(texts + 1, 1); /* it excludes */
	assert_int_equal(gate_networks_init(&n, &rules), 0);
	assert_int_equal(
		gate_networks_nearest(&n, &rules, &(struct gate_address){{0}}),
		GATE_NONE);
	gate_networks_fini(&n);
}

TEST("two entries for one network contradict each other by their signs alone")
{
	static const char *const texts[] = {
		"10.0.0.0/8",	       "!10.0.0.0/16", "!2001:db8::/32",
		"::ffff:10.0.0.0/104", "10.0.0.0/8",   "!10.0.0.0/8",
		"2001:db8::/32",       "192.0.2.1",    "192.0.2.1/32",
		"!10.0.0.0/8"};
	struct gate_rules rules = read_networks(texts, ARRAY_LEN(texts));
	struct gate_contradiction found[10];

	assert_int_equal(gate_networks_contradictions(&rules, found, 10), 3);
	assert_int_equal(found[0].first->line, 1);
	assert_int_equal(found[0].second->line, 6);
	assert_int_equal(found[1].first->line, 3);
	assert_int_equal(found[1].second->line, 7);
	assert_int_equal(found[2].second->line, 10);
	assert_int_equal(gate_networks_contradictions(&rules, found, 1), 1);
	assert_int_equal(found[0].second->line, 6);
}

TEST("a file with a contradiction makes no policy, and says where it is")
{
	static const char text[] = "routes:\n"
				   "  - path: /\n"
				   "    to: echo\n"
				   "    allow:\n"
				   "      addresses:\n"
				   "        - 10.0.0.0/8\n"
				   "        - 10.0.0.0/16\n"
				   "        - \"!::ffff:10.0.0.0/104\"\n";
	struct ses_buf errors;

	ses_buf_init(&errors, 4096);
	assert_null(gate_config_parse("t", BYTES(text), false, &errors));
	assert_true(bytes_equal_str(
		ses_buf_bytes(&errors),
		"t:8:12: addresses: `!::ffff:10.0.0.0/104` contradicts "
		"`10.0.0.0/8` at line 6\n"));
	ses_buf_fini(&errors);
}

TEST("a path longer than all patterns, and deeper, is found all the same")
{
	static const char *const texts[] = {"/a/**", "/a/b/c/**", "/*", "/x/*",
					    "/x/y"};
	static const char *const found[] = {"/a/", "/a/b/c/d", "/x/1", "/y",
					    "/x/y"};
	static const size_t routes[] = {0, 0, 3, 2, 3};
	struct gate_route route[ARRAY_LEN(texts)] = {0};
	struct gate_policy p = {.route = route, .n_routes = ARRAY_LEN(texts)};
	char path[9000] = "/a", *end = path + 2;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		route[i].path = (char *)texts[i];
		assert_null(gate_path_pattern_read(bytes_of_str(texts[i]),
						   &route[i].pattern));
	}
	p.index = gate_index_new(&p, test_seed);
	for (size_t i = 0; i < ARRAY_LEN(found); i++)
		assert_ptr_equal(gate_index_route(&p, bytes_of_str(found[i])),
				 &route[routes[i]]);
	for (int i = 0; i < 4000; i++)
		end = stpcpy(end, "/a");
	assert_ptr_equal(gate_index_route(&p, bytes_of_str(path)), &route[0]);
	memset(path + 1, 'a', 8000);
	assert_ptr_equal(gate_index_route(&p, bytes_of_str(path)), &route[2]);
	path[7000] = '/';
	assert_null(gate_index_route(&p, bytes_of_str(path)));
	memcpy(path, "/x/", 3);
	path[7000] = 'a';
	assert_ptr_equal(gate_index_route(&p, bytes_of_str(path)), &route[3]);
	path[7000] = '/';
	assert_null(gate_index_route(&p, bytes_of_str(path)));
	assert_null(gate_index_route(&p, bytes_of_str("")));
	gate_index_free(p.index);
}

struct gathered {
	const char *wanted;
	unsigned n, wanted_n;
};

static void gather(void *to, const char *text)
{
	struct gathered *g = to;

	g->n++;
	g->wanted_n += text == g->wanted;
}

/* https://, a name of six to eleven letters, and one of a few ends */
static void write_name(char out[40])
{
	static const char *const ends[] = {".example", ".apps.example.org",
					   ".example:8443", ""};
	char *at = stpcpy(out, "https://");

	for (uint32_t n = 6 + draw(6); n > 0; n--)
		*at++ = (char)('a' + draw(26));
	strcpy(at, PICK(ends));
}

TEST("whatever typo was made in a long list, what was meant is a neighbour")
{
	enum { MANY = 50000 };
	struct gate_neighbours n;
	char(*text)[40] = malloc(sizeof(*text) * MANY);

	chance = 4711;
	assert_int_equal(gate_neighbours_init(&n, MANY), 0);
	for (size_t i = 0; i < MANY; i++) {
		write_name(text[i]);
		gate_neighbours_add(&n, text[i]);
	}
	assert_int_equal(gate_neighbours_sort(&n), 0);
	for (int i = 0; i < 2000; i++) {
		struct gathered g = {text[draw(MANY)]};
		size_t len = strlen(g.wanted), at = draw((uint32_t)len);
		char typed[40];

		strcpy(typed, g.wanted);
		if (draw(2))
			typed[at] = (char)('a' + draw(26));
		else
			memmove(typed + at, typed + at + 1, len - at);
		gate_neighbours_find(&n, bytes_of_str(typed), gather, &g);
		assert_true(g.n <= GATE_MAX_NEIGHBOURS);
		if (!g.wanted_n)
			fail_msg("%s, meant as %s", typed, g.wanted);
	}
	gate_neighbours_fini(&n);
	free(text);
}

TEST("in a short list all are neighbours")
{
	struct gate_neighbours n;
	struct gathered g = {"b"};

	assert_int_equal(gate_neighbours_init(&n, 2), 0);
	gate_neighbours_add(&n, "a");
	gate_neighbours_add(&n, g.wanted);
	assert_int_equal(gate_neighbours_sort(&n), 0);
	gate_neighbours_find(&n, BYTES("zz"), gather, &g);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.wanted_n, 1);
	gate_neighbours_fini(&n);
}
