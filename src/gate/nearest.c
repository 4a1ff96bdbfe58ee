/* SPDX-License-Identifier: MIT */
/*
 * Counting edits costs microseconds and lists have thousands of entries, so
 * all entries are sifted by what they share with the value at both ends, which
 * one typo hardly changes, and only the best few are compared at length.
 */
#include "gate/nearest.h"

#include "base/text.h"

#define NEAR_BYTES 63 /* what is compared of a text */

struct candidate {
	const char *text;
	size_t shared; /* bytes at both ends */
};

struct sieve {
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

static void sift(struct sieve *s, struct bytes value, const char *text)
{
	struct bytes entry = bytes_first(bytes_of_str(text), NEAR_BYTES);
	struct candidate c = {text, shared_at_ends(value, entry)};
	size_t i = s->n;

	if (s->n < GATE_MAX_COMPARED)
		s->n++;
	else if (c.shared <= s->best[--i].shared)
		return;
	for (; i > 0 && s->best[i - 1].shared < c.shared; i--)
		s->best[i] = s->best[i - 1];
	s->best[i] = c;
}

static const char *nearest_of(const struct sieve *s, struct bytes value)
{
	char word[NEAR_BYTES + 1] = "";
	const char *found = NULL;
	int best = NEAR_BYTES + 1;

	/* Empty runs may have no address, which memcpy must not see. */
	if (value.len)
		memcpy(word, value.data, value.len);
	for (size_t i = 0; i < s->n; i++) {
		int d = text_distance(word, s->best[i].text);

		if (d < best) {
			best = d;
			found = s->best[i].text;
		}
	}
	return found;
}

static unsigned shared_bits(const struct gate_address *a,
			    const struct gate_address *b)
{
	unsigned bit = 0;

	while (bit < 128 &&
	       !((a->bytes[bit / 8] ^ b->bytes[bit / 8]) & 0x80u >> bit % 8))
		bit++;
	return bit;
}

static const char *nearest_network(const struct gate_rules *rules,
				   struct bytes value)
{
	const char *found = NULL;
	struct gate_address address;
	unsigned best = 0;

	if (!gate_address_read(value, &address))
		return NULL;
	for (size_t i = 0; i < rules->n; i++) {
		const struct gate_rule *rule = &rules->rule[i];
		unsigned bits = shared_bits(&rule->network.base, &address);

		if (!rule->negative && (!found || bits > best)) {
			best = bits;
			found = rule->text;
		}
	}
	return found;
}

static void sift_rules(struct sieve *s, const struct gate_rules *rules,
		       struct bytes value)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!rules->rule[i].negative)
			sift(s, value, rules->rule[i].text);
}

const char *gate_nearest(const struct gate_policy *policy,
			 const struct gate_decision *d, unsigned *ret_compared)
{
	const struct gate_trace *last = gate_decider(d);
	struct bytes value = bytes_first(last->value, NEAR_BYTES);
	struct sieve s = {.n = 0};

	*ret_compared = 0;
	/* To what was not sent nothing is near, nor to what is kept out. */
	if (d->admitted || d->status == 400 || !value.data ||
	    last->rule[0] == '!')
		return NULL;
	if (!d->route) {
		for (size_t i = 0; i < policy->n_routes; i++)
			sift(&s, value, policy->route[i].path);
	} else if (d->list == GATE_ADDRESSES) {
		return nearest_network(&d->route->allow[d->list], last->value);
	} else {
		sift_rules(&s, &d->route->allow[d->list], value);
	}
	*ret_compared = (unsigned)s.n;
	return nearest_of(&s, value);
}
