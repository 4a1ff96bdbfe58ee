/* SPDX-License-Identifier: MIT */
/* Classes: 0..63 are themselves; from there on each doubling has 64. */
#include "load/histogram.h"

#define LONGEST		     (((uint64_t)1 << 42) - 1)
#define CLASSES_PER_DOUBLING 64

static unsigned class_of(uint64_t ns)
{
	unsigned shift;

	if (ns < CLASSES_PER_DOUBLING)
		return (unsigned)ns;
	shift = 63 - 6 - (unsigned)__builtin_clzll(ns);
	return shift * CLASSES_PER_DOUBLING + (unsigned)(ns >> shift);
}

/* The longest duration of a class. */
static uint64_t end_of_class(unsigned class)
{
	unsigned shift;

	if (class < 2 * CLASSES_PER_DOUBLING)
		return class;
	shift = class / CLASSES_PER_DOUBLING - 1;
	class = class % CLASSES_PER_DOUBLING + CLASSES_PER_DOUBLING;
	return ((uint64_t)(class + 1) << shift) - 1;
}

void load_note(struct load_histogram *h, uint64_t ns)
{
	if (ns > LONGEST)
		ns = LONGEST;
	if (h->n == 0 || ns < h->least)
		h->least = ns;
	if (ns > h->most)
		h->most = ns;
	h->n++;
	h->sum += (double)ns;
	h->counts[class_of(ns)]++;
}

void load_histogram_add(struct load_histogram *h,
			const struct load_histogram *from)
{
	if (from->n == 0)
		return;
	if (h->n == 0 || from->least < h->least)
		h->least = from->least;
	if (from->most > h->most)
		h->most = from->most;
	h->n += from->n;
	h->sum += from->sum;
	for (unsigned i = 0; i < LOAD_CLASSES; i++)
		h->counts[i] += from->counts[i];
}

uint64_t load_quantile(const struct load_histogram *h, double share)
{
	/* how many are to be at or below it: at least one */
	double wanted = share * (double)h->n;
	uint64_t seen = 0;

	for (unsigned i = 0; i < LOAD_CLASSES; i++) {
		seen += h->counts[i];
		if (seen > 0 && (double)seen >= wanted)
			return end_of_class(i) < h->most ? end_of_class(i)
							 : h->most;
	}
	return h->most;
}

double load_mean(const struct load_histogram *h)
{
	return h->n ? h->sum / (double)h->n : 0;
}
