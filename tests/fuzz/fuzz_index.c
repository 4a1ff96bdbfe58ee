/* SPDX-License-Identifier: MIT */
/*
 * A policy and requests out of the input, a line each: the compiled lists find
 * the rule that a walk over all of them finds. The first letter of a line says
 * what it is: a route's path, an entry of a list, or a part of a request, which
 * is asked about at once.
 */
#include <assert.h>
#include <stdlib.h>

#include "gate/index.h"

#define MAX_RULES 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gate_policy policy;
static struct gate_route route[MAX_RULES];
static struct gate_rule rule[GATE_N_LISTS][MAX_RULES];

static char *copy(struct bytes text)
{
	char *s = malloc(text.len + 1);

	memcpy(s, text.data, text.len);
	s[text.len] = '\0';
	return s;
}

static void add_route(struct bytes text)
{
	struct gate_route *r = &route[policy.n_routes];

	if (policy.n_routes == MAX_RULES || text.len > 1024)
		return;
	r->path = copy(text);
	if (gate_path_pattern_read(bytes_of_str(r->path), &r->pattern))
		free(r->path);
	else
		policy.n_routes++;
}

static void add_rule(enum gate_list list, struct bytes text)
{
	struct gate_rules *rules = &route[0].allow[list];
	struct gate_rule *r = &rule[list][rules->n];

	if (rules->n == MAX_RULES || text.len == 0 || text.len > 4096)
		return;
	*r = (struct gate_rule){.text = copy(text)};
	if (gate_rule_read(list, r))
		free(r->text);
	else
		rules->n++;
}

static const struct gate_rule *expected(enum gate_list list,
					const struct gate_request *r)
{
	const struct gate_rules *rules = &route[0].allow[list];
	const struct gate_rule *best = NULL;

	for (int negative = 1; !best && negative >= 0; negative--)
		for (size_t i = 0; i < rules->n; i++)
			if (rules->rule[i].negative == negative &&
			    gate_rule_has(&rules->rule[i], list, r) && !best)
				best = &rules->rule[i];
	if (list != GATE_ADDRESSES)
		return best;
	best = NULL;
	for (size_t i = 0; i < rules->n; i++)
		if (gate_rule_has(&rules->rule[i], list, r) &&
		    (!best ||
		     rules->rule[i].network.prefix > best->network.prefix))
			best = &rules->rule[i];
	return best;
}

static void ask(enum gate_list list, struct bytes value)
{
	struct gate_request r = {.host = value,
				 .origin = value,
				 .user_agent = value,
				 .address_text = value};

	if (!gate_address_read(value, &r.address))
		memcpy(r.address.bytes, value.data,
		       value.len < 16 ? value.len : 16);
	assert(gate_index_rule(&policy, route, list, &r) == expected(list, &r));
}

static void ask_path(struct bytes path)
{
	const struct gate_route *want = NULL;

	if (!gate_is_path(path) || gate_path_ambiguity(path))
		return;
	for (size_t i = 0; !want && i < policy.n_routes; i++)
		if (gate_path_pattern_has(&route[i].pattern, path))
			want = &route[i];
	assert(gate_index_route(&policy, path) == want);
}

/* "pPATH", "0ENTRY" to "3ENTRY"; and in the second round "PPATH", "aVALUE". */
static void read_line(struct bytes line, bool asking)
{
	uint8_t kind = line.len ? line.data[0] : 0;
	struct bytes rest = bytes_from(line, 1);

	if (!asking && kind == 'p' && !memchr(rest.data, 0, rest.len))
		add_route(rest);
	else if (!asking && kind >= '0' && kind < '0' + GATE_N_LISTS &&
		 !memchr(rest.data, 0, rest.len))
		add_rule((enum gate_list)(kind - '0'), rest);
	else if (asking && kind == 'P')
		ask_path(rest);
	else if (asking && kind >= 'a' && kind < 'a' + GATE_N_LISTS)
		ask((enum gate_list)(kind - 'a'), rest);
}

static void read_lines(struct bytes in, bool asking)
{
	while (in.len) {
		ptrdiff_t end = bytes_find_byte(in, '\n');
		struct bytes line =
			bytes_first(in, end < 0 ? in.len : (size_t)end);

		if (line.len)
			read_line(line, asking);
		in = bytes_from(in, line.len + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&policy, 0, sizeof(policy));
	memset(route, 0, sizeof(route));
	policy.route = route;
	for (int list = 0; list < GATE_N_LISTS; list++)
		route[0].allow[list].rule = rule[list];
	add_route(BYTES("/room/**"));
	read_lines(bytes_of(data, size), false);
	policy.index =
		gate_index_new(&policy, (const uint8_t *)"0123456789abcdef");
	assert(policy.index);
	read_lines(bytes_of(data, size), true);
	gate_index_free(policy.index);
	for (size_t i = 0; i < policy.n_routes; i++)
		free(route[i].path);
	for (int list = 0; list < GATE_N_LISTS; list++)
		for (size_t i = 0; i < route[0].allow[list].n; i++)
			free(rule[list][i].text);
	return 0;
}
