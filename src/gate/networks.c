/* SPDX-License-Identifier: MIT */
/*
 * From nested networks to flat intervals, by one sweep over the networks in
 * the order of their bases: those that are open lie on a stack, each within
 * the one below it, and wherever one begins or ends the top of the stack is
 * the one that counts from there on.
 */
#include "gate/networks.h"

#include <stdlib.h>

#include <sesame/error.h>

static struct gate_key128 key_of(const struct gate_address *a)
{
	struct gate_key128 key = {0, 0};

	for (int i = 0; i < 8; i++) {
		key.high = key.high << 8 | a->bytes[i];
		key.low = key.low << 8 | a->bytes[i + 8];
	}
	return key;
}

static bool is_less(struct gate_key128 a, struct gate_key128 b)
{
	return a.high < b.high || (a.high == b.high && a.low < b.low);
}

static bool is_equal(struct gate_key128 a, struct gate_key128 b)
{
	return a.high == b.high && a.low == b.low;
}

/* The last address of a network. */
static struct gate_key128 end_of(const struct gate_network *net)
{
	struct gate_key128 key = key_of(&net->base);

	if (net->prefix < 64)
		key.high |= UINT64_MAX >> net->prefix;
	if (net->prefix <= 64)
		key.low = UINT64_MAX;
	else if (net->prefix < 128)
		key.low |= UINT64_MAX >> (net->prefix - 64);
	return key;
}

/* ---- Order ---- */

struct net {
	struct gate_key128 base;
	uint32_t prefix, value;
};

/* By base; outer before inner; in the order of the list. */
static int compare_nets(const void *a, const void *b)
{
	const struct net *x = a, *y = b;

	if (!is_equal(x->base, y->base))
		return is_less(x->base, y->base) ? -1 : 1;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

static bool is_same_net(const struct net *a, const struct net *b)
{
	return is_equal(a->base, b->base) && a->prefix == b->prefix;
}

/* Heap, or NULL. */
static struct net *sort_nets(const struct gate_rules *rules)
{
	struct net *nets = malloc((rules->n + 1) * sizeof(*nets));

	if (!nets)
		return NULL;
	for (size_t i = 0; i < rules->n; i++) {
		const struct gate_network *net = &rules->rule[i].network;

		nets[i] = (struct net){key_of(&net->base), net->prefix,
				       (uint32_t)i};
	}
	qsort(nets, rules->n, sizeof(*nets), compare_nets);
	return nets;
}

/* ---- The sweep ---- */

#define MAX_NESTED 129 /* prefixes 0 to 128 */

struct sweep {
	const struct gate_rules *rules;
	const struct net *open[MAX_NESTED];
	size_t n_open;
	struct gate_key128 *begin;
	uint32_t *value;
	size_t n;
};

/* From @at on the top of the stack counts. */
static void emit(struct sweep *s, struct gate_key128 at)
{
	uint32_t value = s->n_open ? s->open[s->n_open - 1]->value : GATE_NONE;

	/* Where one ends and the next begins, the later word counts. */
	if (s->n && is_equal(s->begin[s->n - 1], at))
		s->n--;
	if (s->n && s->value[s->n - 1] == value)
		return;
	s->begin[s->n] = at;
	s->value[s->n++] = value;
}

static struct gate_key128 end_of_top(const struct sweep *s)
{
	uint32_t value = s->open[s->n_open - 1]->value;

	return end_of(&s->rules->rule[value].network);
}

/* Close all that end before @at; NULL: all. */
static void close_before(struct sweep *s, const struct gate_key128 *at)
{
	while (s->n_open) {
		struct gate_key128 end = end_of_top(s);

		if (at && !is_less(end, *at))
			return;
		s->n_open--;
		if (++end.low == 0 && ++end.high == 0)
			continue; /* behind the last address is nothing */
		emit(s, end);
	}
}

static void sweep_over(struct sweep *s, const struct net *nets)
{
	emit(s, (struct gate_key128){0, 0});
	for (size_t i = 0; i < s->rules->n; i++) {
		if (i > 0 && is_same_net(&nets[i - 1], &nets[i]))
			continue;
		close_before(s, &nets[i].base);
		s->open[s->n_open++] = &nets[i];
		emit(s, nets[i].base);
	}
	close_before(s, NULL);
}

/* ---- The two tables ---- */

/* ::ffff:0:0/96 */
#define MAPPED UINT64_C(0xffff00000000)

static bool is_mapped(struct gate_key128 key)
{
	return key.high == 0 && key.low >> 32 == 0xffff;
}

/* Which interval @key is in: the last one that begins no later. */
static size_t find_six(const struct gate_key128 *begin, size_t n,
		       struct gate_key128 key)
{
	const struct gate_key128 *base = begin;

	while (n > 1) {
		size_t half = n / 2;

		base = is_less(key, base[half]) ? base : base + half;
		n -= half;
	}
	return (size_t)(base - begin);
}

static uint32_t find_four(const struct gate_networks *n, uint32_t key)
{
	const struct gate_interval *base = n->four;
	size_t left = n->n_four;

	if (n->upper) {
		base += n->upper[key >> 16];
		left = n->upper[(key >> 16) + 1] - n->upper[key >> 16] + 1;
	}
	while (left > 1) {
		size_t half = left / 2;

		base = key < base[half].begin ? base : base + half;
		left -= half;
	}
	return base->value;
}

#define UPPERS	      65536
#define FEW_INTERVALS 1024 /* that are searched as well without */

/* Where to search for each upper half; the last one ends the list. */
static int list_uppers(struct gate_networks *n)
{
	size_t at = 0;

	if (n->n_four <= FEW_INTERVALS)
		return 0;
	n->upper = malloc((UPPERS + 1) * sizeof(*n->upper));
	if (!n->upper)
		return SESAME_ENOMEM;
	for (uint32_t i = 0; i < UPPERS; i++) {
		while (at + 1 < n->n_four && n->four[at + 1].begin <= i << 16)
			at++;
		n->upper[i] = (uint32_t)at;
	}
	n->upper[UPPERS] = (uint32_t)n->n_four - 1;
	return 0;
}

/* Take the intervals @first to @end - 1 out of the sweep's. */
static void cut_mapped(struct sweep *s, size_t first, size_t end)
{
	struct gate_key128 behind = {0, MAPPED + (UINT64_C(1) << 32)};
	size_t kept = first + 1;

	/* What counts behind IPv4 may have begun in the midst of it. */
	if (end > kept && (end == s->n || !is_equal(s->begin[end], behind))) {
		s->begin[kept] = behind;
		s->value[kept++] = s->value[end - 1];
	}
	for (; end < s->n; end++, kept++) {
		s->begin[kept] = s->begin[end];
		s->value[kept] = s->value[end];
	}
	s->n = kept;
}

/* Intervals of IPv4 go to their own table; the others keep their order. */
static int split(struct gate_networks *n, struct sweep *s)
{
	size_t first = find_six(s->begin, s->n, (struct gate_key128){0, MAPPED});
	size_t end = first + 1;

	while (end < s->n && is_mapped(s->begin[end]))
		end++;
	n->n_four = end - first;
	n->four = malloc(n->n_four * sizeof(*n->four));
	if (!n->four)
		return SESAME_ENOMEM;
	for (size_t i = first; i < end; i++)
		n->four[i - first] = (struct gate_interval){
			i == first ? 0 : (uint32_t)s->begin[i].low, s->value[i]};
	cut_mapped(s, first, end);
	n->n_six = s->n;
	n->six = s->begin;
	n->six_value = s->value;
	return list_uppers(n);
}

static int list_admitting(struct gate_networks *n,
			  const struct gate_rules *rules, const struct net *nets)
{
	n->admitting = malloc((rules->n + 1) * sizeof(*n->admitting));
	if (!n->admitting)
		return SESAME_ENOMEM;
	for (size_t i = 0; i < rules->n; i++)
		if (!rules->rule[nets[i].value].negative)
			n->admitting[n->n_admitting++] = nets[i].value;
	return 0;
}

int gate_networks_init(struct gate_networks *n, const struct gate_rules *rules)
{
	struct net *nets = sort_nets(rules);
	struct sweep s = {.rules = rules};
	size_t room = 2 * rules->n + 1; /* each begins and ends once */
	int r = SESAME_ENOMEM;

	*n = (struct gate_networks){0};
	s.begin = malloc(room * sizeof(*s.begin));
	s.value = malloc(room * sizeof(*s.value));
	if (nets && s.begin && s.value) {
		sweep_over(&s, nets);
		r = split(n, &s);
	}
	if (r == 0)
		r = list_admitting(n, rules, nets);
	if (!n->six) {
		free(s.begin);
		free(s.value);
	}
	free(nets);
	if (r < 0)
		gate_networks_fini(n);
	return r;
}

void gate_networks_fini(struct gate_networks *n)
{
	free(n->four);
	free(n->upper);
	free(n->six);
	free(n->six_value);
	free(n->admitting);
	*n = (struct gate_networks){0};
}

uint32_t gate_networks_find(const struct gate_networks *n,
			    const struct gate_address *address)
{
	struct gate_key128 key = key_of(address);

	if (is_mapped(key))
		return find_four(n, (uint32_t)key.low);
	return n->six_value[find_six(n->six, n->n_six, key)];
}

/* ---- The nearest ---- */

static unsigned shared_bits(struct gate_key128 a, struct gate_key128 b)
{
	if (a.high != b.high)
		return (unsigned)__builtin_clzll(a.high ^ b.high);
	if (a.low != b.low)
		return 64 + (unsigned)__builtin_clzll(a.low ^ b.low);
	return 128;
}

/* Which shares the most bits stands beside @key in the order of bases. */
uint32_t gate_networks_nearest(const struct gate_networks *n,
			       const struct gate_rules *rules,
			       const struct gate_address *address)
{
	struct gate_key128 key = key_of(address), before, after;
	size_t low = 0, high = n->n_admitting;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t value = n->admitting[middle];

		if (is_less(key, key_of(&rules->rule[value].network.base)))
			high = middle;
		else
			low = middle + 1;
	}
	if (n->n_admitting == 0)
		return GATE_NONE;
	if (low == 0)
		return n->admitting[0];
	if (low == n->n_admitting)
		return n->admitting[low - 1];
	before = key_of(&rules->rule[n->admitting[low - 1]].network.base);
	after = key_of(&rules->rule[n->admitting[low]].network.base);
	return n->admitting[shared_bits(after, key) > shared_bits(before, key)
				    ? low
				    : low - 1];
}

/* ---- Contradictions ---- */

static int compare_lines(const void *a, const void *b)
{
	const struct gate_contradiction *x = a, *y = b;

	return x->second < y->second ? -1 : x->second > y->second;
}

static size_t gather(const struct gate_rules *rules, const struct net *nets,
		     struct gate_contradiction *ret)
{
	size_t n = 0, first = 0;

	for (size_t i = 1; i < rules->n; i++) {
		const struct gate_rule *a = &rules->rule[nets[first].value];
		const struct gate_rule *b = &rules->rule[nets[i].value];

		if (!is_same_net(&nets[first], &nets[i]))
			first = i;
		else if (a->negative != b->negative)
			ret[n++] = (struct gate_contradiction){a, b};
	}
	qsort(ret, n, sizeof(*ret), compare_lines);
	return n;
}

size_t gate_networks_contradictions(const struct gate_rules *rules,
				    struct gate_contradiction *ret, size_t max)
{
	struct net *nets = sort_nets(rules);
	struct gate_contradiction *all = calloc(rules->n + 1, sizeof(*all));
	size_t n = 0;

	if (nets && all)
		n = gather(rules, nets, all);
	if (n > max)
		n = max;
	if (n)
		memcpy(ret, all, n * sizeof(*ret));
	free(all);
	free(nets);
	return n;
}
