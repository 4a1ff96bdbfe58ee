/* SPDX-License-Identifier: MIT */
/*
 * Durations, counted in classes that are at most 1.6 % wide: 64 classes for
 * each doubling. It has a fixed size, whatever is noted. Pure.
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

/* Nanoseconds up to 2^42 (73 minutes); what is longer counts as that. */
#define LOAD_CLASSES (64 * 37)

struct load_histogram {
	uint64_t n;
	uint64_t least, most; /* as noted, not as classed */
	double sum;
	uint64_t counts[LOAD_CLASSES];
};

/* All zero is an empty one. */
void load_note(struct load_histogram *h, uint64_t ns);
/* Count what @from has in @h, too. */
void load_histogram_add(struct load_histogram *h,
			const struct load_histogram *from);
/*
 * The duration that @share (0..1) of all do not pass, at most 1.6 % too long; 0
 * of an empty one.
 */
uint64_t load_quantile(const struct load_histogram *h, double share);
double load_mean(const struct load_histogram *h);

#endif
