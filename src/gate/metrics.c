/* SPDX-License-Identifier: MIT */
/* Tallies are kept over reloads, so that what is counted never goes back. */
#include "gate/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTENERS 1000

struct tallies {
	struct gate_tally **tally;
	size_t n, most;
};

struct gate_metrics {
	unsigned n_workers;
	struct tallies routes, listeners;
};

/* ---- Making ---- */

static void free_tally(struct gate_tally *t, unsigned n_workers)
{
	if (!t)
		return;
	for (unsigned i = 0; t->of_worker && i < n_workers; i++)
		free(atomic_load(&t->of_worker[i]));
	free(t->of_worker);
	free(t->name);
	free(t);
}

static struct gate_tally *new_tally(const char *name, unsigned n_workers)
{
	struct gate_tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->name = strdup(name);
	t->of_worker = calloc(n_workers, sizeof(*t->of_worker));
	if (t->name && t->of_worker)
		return t;
	free_tally(t, n_workers);
	return NULL;
}

/* The tally of that name; the first one, when there is no room for more. */
static struct gate_tally *find(struct gate_metrics *m, struct tallies *all,
			       const char *name)
{
	struct gate_tally **grown, *t;

	for (size_t i = 1; i < all->n; i++)
		if (strcmp(all->tally[i]->name, name) == 0)
			return all->tally[i];
	if (all->n >= all->most)
		return all->tally[0];
	grown = realloc(all->tally, (all->n + 1) * sizeof(*grown));
	if (!grown)
		return all->tally[0];
	all->tally = grown;
	t = new_tally(name, m->n_workers);
	if (!t)
		return all->tally[0];
	all->tally[all->n++] = t;
	return t;
}

static bool begin(struct gate_metrics *m, struct tallies *all, size_t most)
{
	all->most = most;
	all->tally = calloc(1, sizeof(*all->tally));
	if (!all->tally || !(all->tally[0] = new_tally("", m->n_workers)))
		return false;
	all->n = 1;
	return true;
}

struct gate_metrics *gate_metrics_new(unsigned n_workers)
{
	struct gate_metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->n_workers = n_workers;
	if (begin(m, &m->routes, GATE_MAX_TALLIES) &&
	    begin(m, &m->listeners, MAX_LISTENERS))
		return m;
	gate_metrics_free(m);
	return NULL;
}

static void end(struct tallies *all, unsigned n_workers)
{
	for (size_t i = 0; i < all->n; i++)
		free_tally(all->tally[i], n_workers);
	free(all->tally);
}

void gate_metrics_free(struct gate_metrics *m)
{
	if (!m)
		return;
	end(&m->routes, m->n_workers);
	end(&m->listeners, m->n_workers);
	free(m);
}

void gate_metrics_adopt(struct gate_metrics *m, struct gate_doors *doors)
{
	struct gate_policy *policy = doors->policy;

	for (size_t i = 0; i < m->routes.n; i++)
		m->routes.tally[i]->present = i == 0;
	for (size_t i = 0; i < m->listeners.n; i++)
		m->listeners.tally[i]->present = false;
	for (size_t i = 0; i < policy->n_routes; i++) {
		policy->route[i].tally =
			find(m, &m->routes, policy->route[i].path);
		policy->route[i].tally->present = true;
	}
	for (size_t i = 0; i < doors->n; i++) {
		doors->door[i].tally =
			find(m, &m->listeners, doors->door[i].url);
		doors->door[i].tally->present = true;
	}
}

struct gate_tally *gate_metrics_no_route(struct gate_metrics *m)
{
	return m->routes.tally[0];
}

/* ---- Counting ---- */

struct gate_counts *gate_tally_counts(struct gate_tally *t, unsigned worker)
{
	struct gate_counts *c = atomic_load_explicit(&t->of_worker[worker],
						     memory_order_relaxed);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (c)
		atomic_store_explicit(&t->of_worker[worker], c,
				      memory_order_release);
	return c;
}

unsigned gate_code_class(unsigned code)
{
	if (code >= 1000 && code <= 1015)
		return code - 1000;
	if (code >= 3000 && code <= 3999)
		return GATE_CODE_3XXX;
	if (code >= 4000 && code <= 4999)
		return GATE_CODE_4XXX;
	return GATE_CODE_UNKNOWN;
}

const char *gate_code_name(unsigned class)
{
	static const char names[GATE_N_CODES][8] = {
		"1000", "1001", "1002", "1003", "1004",	   "1005", "1006",
		"1007", "1008", "1009", "1010", "1011",	   "1012", "1013",
		"1014", "1015", "3xxx", "4xxx", "unknown",
	};

	return names[class];
}

const char *gate_by_name(enum gate_by by)
{
	static const char *const names[] = {"client", "gateway", "server"};

	return names[by];
}

/* ---- Adding up ---- */

#define NUMBERS (sizeof(struct gate_counts) / sizeof(atomic_ullong))

_Static_assert(sizeof(struct gate_counts) == NUMBERS * sizeof(atomic_ullong),
	       "counts are numbers, and nothing else");

void gate_tally_sum(const struct gate_metrics *m, const struct gate_tally *t,
		    struct gate_counts *ret_sum)
{
	atomic_ullong *sum = (atomic_ullong *)ret_sum;

	memset(ret_sum, 0, sizeof(*ret_sum));
	for (unsigned w = 0; w < m->n_workers; w++) {
		struct gate_counts *c = atomic_load_explicit(
			&t->of_worker[w], memory_order_acquire);
		atomic_ullong *from = (atomic_ullong *)c;

		for (size_t i = 0; c && i < NUMBERS; i++)
			gate_count(&sum[i],
				   atomic_load_explicit(&from[i],
							memory_order_relaxed));
	}
}

const struct gate_tally *gate_metrics_route(const struct gate_metrics *m,
					    size_t i)
{
	return i < m->routes.n ? m->routes.tally[i] : NULL;
}

const struct gate_tally *gate_metrics_listener(const struct gate_metrics *m,
					       size_t i)
{
	return i < m->listeners.n ? m->listeners.tally[i] : NULL;
}
