/* SPDX-License-Identifier: MIT */
/*
 * Counting edits costs microseconds and lists have a hundred thousand entries,
 * so those that stand beside the value in the order of the texts, forwards or
 * backwards, are sifted by what they share with it at both ends, which one
 * typo hardly changes, and only the best few are compared at length.
 */
#include "gate/nearest.h"

#include "base/text.h"
#include "gate/index.h"

#define NEAR_BYTES GATE_NEAR_BYTES

struct candidate {
	const char *text;
	size_t shared; /* bytes at both ends */
};

struct sieve {
	struct bytes value;
	struct candidate best[GATE_MAX_COMPARED]; /* most shared first */
	size_t n;
};

static size_t shared_at_ends(struct bytes a, struct bytes b)
{
	size_t least = a.len < b.len ? a.len : b.len, head = 0, tail = 0;

	while (head < least &&
	       byte_lower(a.data[head]) == byte_lower(b.data[head]))
		head++;
	while (tail < least - head &&
	       byte_lower(a.data[a.len - 1 - tail]) ==
		       byte_lower(b.data[b.len - 1 - tail]))
		tail++;
	return head + tail;
}

static bool has(const struct sieve *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->best[i].text == text)
			return true;
	return false;
}

static void sift(void *to, const char *text)
{
	struct sieve *s = to;
	struct bytes entry = bytes_of(text, strnlen(text, NEAR_BYTES));
	struct candidate c = {text, shared_at_ends(s->value, entry)};
	size_t i = s->n;

	if (i == GATE_MAX_COMPARED && c.shared <= s->best[i - 1].shared)
		return;
	if (has(s, text)) /* it is a neighbour in both orders */
		return;
	if (s->n < GATE_MAX_COMPARED)
		s->n++;
	else
		i--;
	for (; i > 0 && s->best[i - 1].shared < c.shared; i--)
		s->best[i] = s->best[i - 1];
	s->best[i] = c;
}

static const char *nearest_of(const struct sieve *s)
{
	char word[NEAR_BYTES + 1] = "";
	const char *found = NULL;
	int best = NEAR_BYTES + 1;

	/* Empty runs may have no address, which memcpy must not see. */
	if (s->value.len)
		memcpy(word, s->value.data, s->value.len);
	for (size_t i = 0; i < s->n; i++) {
		int d = text_distance(word, s->best[i].text);

		if (d < best) {
			best = d;
			found = s->best[i].text;
		}
	}
	return found;
}

static const char *nearest_network(const struct gate_policy *policy,
				   const struct gate_route *route,
				   struct bytes value)
{
	const struct gate_rule *rule;
	struct gate_address address;

	if (!gate_address_read(value, &address))
		return NULL;
	rule = gate_index_nearest_network(policy, route, &address);
	return rule ? rule->text : NULL;
}

/* Of a list that stands in no index: its first entries, as many as are sifted. */
static const char *nearest_entry(const struct gate_rules *rules, struct sieve *s)
{
	size_t n =
		rules->n < GATE_MAX_NEIGHBOURS ? rules->n : GATE_MAX_NEIGHBOURS;

	for (size_t i = 0; i < n; i++)
		if (!rules->rule[i].negative)
			sift(s, rules->rule[i].text);
	return nearest_of(s);
}

static const struct gate_rules *plain_rules_of(const struct gate_decision *d)
{
	const char *check = gate_decider(d)->check;

	return !d->route			   ? NULL
	       : strcmp(check, "subprotocol") == 0 ? &d->route->subprotocols
	       : strcmp(check, "certificate") == 0 ? &d->route->certificates
						   : NULL;
}

const char *gate_nearest(const struct gate_policy *policy,
			 const struct gate_decision *d, unsigned *ret_compared)
{
	const struct gate_trace *last = gate_decider(d);
	struct sieve s = {.value = bytes_first(last->value, NEAR_BYTES)};
	const struct gate_neighbours *near;

	*ret_compared = 0;
	if (!d->admitted && s.value.data && plain_rules_of(d) &&
	    last->rule[0] != '!') {
		const char *found = nearest_entry(plain_rules_of(d), &s);

		*ret_compared = (unsigned)s.n;
		return found;
	}
	/* To what was not sent nothing is near, nor to what is kept out. */
	if (d->admitted || d->status == 400 || !s.value.data ||
	    last->rule[0] == '!' || (d->route && d->list == GATE_N_LISTS))
		return NULL;
	if (d->route && d->list == GATE_ADDRESSES)
		return nearest_network(policy, d->route, last->value);
	near = d->route ? gate_index_neighbours(policy, d->route, d->list)
			: gate_index_paths(policy);
	gate_neighbours_find(near, s.value, sift, &s);
	*ret_compared = (unsigned)s.n;
	return nearest_of(&s);
}
