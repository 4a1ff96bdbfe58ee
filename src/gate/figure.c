/* SPDX-License-Identifier: MIT */
/* The rows of figures.def, and where each is counted. */
#include "gate/figure.h"

#include <stddef.h>
#include <string.h>

#include "gate/cluster.h"
#include "gate/pool.h"
#include "hub/redis.h"

static const struct gate_figure_row rows[] = {
#define FIGURE(symbol, key, name, label, type, help) \
	[GATE_FIGURE_##symbol] = {key, name, label, type, help},
#include "gate/figures.def"
};

/* A member of a struct, and what it counts. */
struct member {
	enum gate_figure figure;
	size_t offset;
};

static const struct member of_channels[] = {
#define CHANNEL_FIGURE(symbol, key, name, type, member, help) \
	{GATE_FIGURE_##symbol, offsetof(struct hub_figures, member)},
#include "gate/figures.def"
};

static const struct member of_backplane[] = {
#define BACKPLANE_FIGURE(symbol, key, name, type, member, help) \
	{GATE_FIGURE_##symbol, offsetof(struct hub_redis_figures, member)},
#include "gate/figures.def"
};

#define N_CHANNELS  (sizeof(of_channels) / sizeof(of_channels[0]))
#define N_BACKPLANE (sizeof(of_backplane) / sizeof(of_backplane[0]))

const struct gate_figure_row *gate_figure(enum gate_figure which)
{
	return &rows[which];
}

static bool is_among(enum gate_figure which, const struct member *member,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (member[i].figure == which)
			return true;
	return false;
}

bool gate_figure_is_of_channels(enum gate_figure which)
{
	return is_among(which, of_channels, N_CHANNELS);
}

bool gate_figure_is_of_backplane(enum gate_figure which)
{
	return is_among(which, of_backplane, N_BACKPLANE);
}

/* ---- Counting ---- */

static void copy_members(const void *from, const struct member *member,
			 size_t n, int64_t *to)
{
	uint64_t value;

	for (size_t i = 0; i < n; i++) {
		memcpy(&value, (const char *)from + member[i].offset,
		       sizeof(value));
		to[member[i].figure] = (int64_t)value;
	}
}

void gate_count_channels(const struct gate_view *v, int64_t to[GATE_N_FIGURES])
{
	struct hub_figures f;

	gate_house_channels(v->house, &f);
	copy_members(&f, of_channels, N_CHANNELS, to);
}

bool gate_count_backplane(const struct gate_view *v, int64_t to[GATE_N_FIGURES],
			  struct hub_redis_figures *ret_all)
{
	if (!gate_cluster_count(gate_house_cluster(v->house), ret_all))
		return false;
	copy_members(ret_all, of_backplane, N_BACKPLANE, to);
	return true;
}

static int64_t at(atomic_ullong *number)
{
	return (int64_t)atomic_load_explicit(number, memory_order_relaxed);
}

static void count_routes(const struct gate_metrics *m, int64_t *to,
			 int64_t *refused)
{
	const struct gate_tally *tally;
	struct gate_counts sum;

	for (size_t i = 0; (tally = gate_metrics_route(m, i)); i++) {
		gate_tally_sum(m, tally, &sum);
		to[GATE_FIGURE_CONNECTIONS] += at(&sum.live);
		to[GATE_FIGURE_OPENED] += at(&sum.opened);
		to[GATE_FIGURE_BYTES_IN] += at(&sum.bytes[GATE_IN]);
		to[GATE_FIGURE_BYTES_OUT] += at(&sum.bytes[GATE_OUT]);
		to[GATE_FIGURE_MESSAGES_IN] += at(&sum.messages[GATE_IN]);
		to[GATE_FIGURE_MESSAGES_OUT] += at(&sum.messages[GATE_OUT]);
		to[GATE_FIGURE_DROPPED] += at(&sum.dropped);
		for (int c = 0; c < WHY_N_CAUSES; c++)
			refused[c] += at(&sum.refused[c]);
	}
}

static int64_t count_servers_down(const struct gate_view *v)
{
	const struct gate_policy *p = gate_house_doors(v->house)->policy;
	uint64_t now_ms = v->loop->now_ms;
	int64_t n = 0;

	for (size_t i = 0; i < p->n_routes; i++)
		for (size_t k = 0;
		     p->route[i].pool && k < p->route[i].n_servers; k++)
			n += gate_pool_state(p->route[i].pool, k, now_ms).down;
	return n;
}

void gate_count_all(const struct gate_view *v, int64_t to[GATE_N_FIGURES],
		    int64_t refused[WHY_N_CAUSES])
{
	struct hub_redis_figures all;

	memset(to, 0, GATE_N_FIGURES * sizeof(*to));
	memset(refused, 0, WHY_N_CAUSES * sizeof(*refused));
	count_routes(gate_house_metrics(v->house), to, refused);
	to[GATE_FIGURE_UPSTREAMS_DOWN] = count_servers_down(v);
	gate_count_channels(v, to);
	gate_count_backplane(v, to, &all);
	to[GATE_FIGURE_ACCEPT_FAILURES] =
		(int64_t)gate_house_shortages(v->house);
	to[GATE_FIGURE_RELOADED] = v->reloads.last_good;
	to[GATE_FIGURE_READY] = gate_house_is_ready(v->house);
}
