/* SPDX-License-Identifier: MIT */
/* Two sorted lists of numbers, and a window in each. ASCII case is ignored. */
#include "gate/neighbours.h"

#include <stdlib.h>

#include <sesame/error.h>

#define WINDOW (GATE_MAX_NEIGHBOURS / 4) /* to either side, in either order */

int gate_neighbours_init(struct gate_neighbours *n, size_t room)
{
	*n = (struct gate_neighbours){0};
	n->text = malloc((room + 1) * sizeof(*n->text));
	return n->text ? 0 : SESAME_ENOMEM;
}

void gate_neighbours_add(struct gate_neighbours *n, const char *text)
{
	n->text[n->n++] = text;
}

static struct bytes cut(const char *text)
{
	return bytes_of(text, strnlen(text, GATE_NEAR_BYTES));
}

static int compare(struct bytes a, struct bytes b, bool backwards)
{
	size_t least = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < least; i++) {
		uint8_t x = byte_lower(a.data[backwards ? a.len - 1 - i : i]);
		uint8_t y = byte_lower(b.data[backwards ? b.len - 1 - i : i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_heads(const void *a, const void *b, void *context)
{
	const struct gate_neighbours *n = context;

	return compare(cut(n->text[*(const uint32_t *)a]),
		       cut(n->text[*(const uint32_t *)b]), false);
}

static int compare_tails(const void *a, const void *b, void *context)
{
	const struct gate_neighbours *n = context;

	return compare(cut(n->text[*(const uint32_t *)a]),
		       cut(n->text[*(const uint32_t *)b]), true);
}

int gate_neighbours_sort(struct gate_neighbours *n)
{
	if (n->n <= GATE_MAX_NEIGHBOURS)
		return 0;
	n->by_head = malloc(n->n * sizeof(*n->by_head));
	n->by_tail = malloc(n->n * sizeof(*n->by_tail));
	if (!n->by_head || !n->by_tail)
		return SESAME_ENOMEM;
	for (size_t i = 0; i < n->n; i++)
		n->by_head[i] = n->by_tail[i] = (uint32_t)i;
	qsort_r(n->by_head, n->n, sizeof(*n->by_head), compare_heads, n);
	qsort_r(n->by_tail, n->n, sizeof(*n->by_tail), compare_tails, n);
	return 0;
}

void gate_neighbours_fini(struct gate_neighbours *n)
{
	free(n->text);
	free(n->by_head);
	free(n->by_tail);
	*n = (struct gate_neighbours){0};
}

/* How many texts stand before @value in one order. */
static size_t place_of(const struct gate_neighbours *n, const uint32_t *order,
		       struct bytes value, bool backwards)
{
	size_t low = 0, high = n->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(cut(n->text[order[middle]]), value, backwards) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void gate_neighbours_find(const struct gate_neighbours *n, struct bytes value,
			  void (*found)(void *to, const char *text), void *to)
{
	const uint32_t *orders[] = {n->by_head, n->by_tail};

	value = bytes_first(value, GATE_NEAR_BYTES);
	for (size_t i = 0; !n->by_tail && i < n->n; i++)
		found(to, n->text[i]);
	for (int k = 0; n->by_tail && k < 2; k++) {
		size_t place = place_of(n, orders[k], value, k == 1);
		size_t from = place < WINDOW ? 0 : place - WINDOW;

		for (size_t i = from; i < n->n && i < place + WINDOW; i++)
			found(to, n->text[orders[k][i]]);
	}
}
