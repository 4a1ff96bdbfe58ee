/* SPDX-License-Identifier: MIT */
/*
 * The way of an answer, put together from several answers. None of them shows
 * all of it: a hop that refuses by itself hides what stands behind, one that
 * relays a connection leaves no mark at all. So every answer is asked of every
 * two hops which comes first, and the strongest word counts: the list in Via,
 * whose own words passed whom, whose field came first, and who answered without
 * one that marks all that it passes.
 */
#include "why/stack.h"

enum weight {
	NOT_KNOWN = 0,
	ALONE = 1,
	FIELDS = 10,
	WORDS = 100,
	VIA = 1000,
};

static const struct why_hop *find(const struct why_hops *hops,
				  enum why_stack stack)
{
	for (size_t i = 0; i < hops->n; i++)
		if (hops->hop[i].stack == stack)
			return &hops->hop[i];
	return NULL;
}

/* How much this answer, which bears marks of both, says for @a before @b. */
static int weigh_both(const struct why_hop *a, const struct why_hop *b)
{
	if (a->via && b->via)
		return a->via < b->via ? VIA : NOT_KNOWN;
	if (b->role == WHY_WRITER && a->role < WHY_WRITER && !b->is_next)
		return WORDS; /* @a passed on what @b says */
	if (a->is_next || (a->via && b->is_behind))
		return FIELDS;
	return NOT_KNOWN;
}

/* @a answered, and @b, that signs what it passes, did not see it. */
static int weigh_alone(const struct why_hop *a, bool b_signs, enum why_stack b)
{
	if (!b_signs || why_stack(a->stack)->layer > WHY_LAYER_REVERSE_PROXY ||
	    why_stack(b)->layer > WHY_LAYER_REVERSE_PROXY)
		return NOT_KNOWN;
	return ALONE;
}

static bool signs(enum why_stack stack, const struct why_hops *const *answer,
		  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct why_hop *hop = find(answer[i], stack);

		if (hop && hop->via)
			return true;
	}
	return false;
}

/* The best that any answer says for @a being nearer to the client than @b. */
static int weigh(enum why_stack a, enum why_stack b,
		 const struct why_hops *const *answer, size_t n)
{
	bool b_signs = signs(b, answer, n);
	int best = NOT_KNOWN;

	for (size_t i = 0; i < n; i++) {
		const struct why_hop *one = find(answer[i], a);
		const struct why_hop *other = find(answer[i], b);
		int weight = NOT_KNOWN;

		if (one && other)
			weight = weigh_both(one, other);
		else if (one)
			weight = weigh_alone(one, b_signs, b);
		best = weight > best ? weight : best;
	}
	return best;
}

/* Whether one of the others comes before it. */
static bool has_to_wait(const struct why_hops *rest, size_t i,
			const struct why_hops *const *answer, size_t n)
{
	enum why_stack one = rest->hop[i].stack;

	for (size_t k = 0; k < rest->n; k++) {
		enum why_stack other = rest->hop[k].stack;

		if (k != i &&
		    weigh(other, one, answer, n) > weigh(one, other, answer, n))
			return true;
	}
	return false;
}

/* The first that may come now; the very first where they stand in a circle. */
static size_t choose(const struct why_hops *rest,
		     const struct why_hops *const *answer, size_t n)
{
	for (size_t i = 0; i < rest->n; i++)
		if (!has_to_wait(rest, i, answer, n))
			return i;
	return 0;
}

void why_order_hops(struct why_hops *hops, const struct why_hops *const *answer,
		    size_t n)
{
	struct why_hops rest = *hops;

	for (size_t at = 0; at < hops->n; at++) {
		size_t i = choose(&rest, answer, n);

		hops->hop[at] = rest.hop[i];
		if (rest.writer == (int)i) {
			hops->writer = (int)at;
			rest.writer = -1;
		}
		rest.n--;
		rest.writer -= rest.writer > (int)i;
		memmove(&rest.hop[i], &rest.hop[i + 1],
			(rest.n - i) * sizeof(rest.hop[0]));
	}
}
