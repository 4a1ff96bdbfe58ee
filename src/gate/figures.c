/* SPDX-License-Identifier: MIT */
/*
 * Figures for Prometheus. Every family has its text and its series in one
 * place; series of causes and close codes appear once they were met, for most
 * of them never are.
 */
#include "gate/status.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <sesame/version.h>

#include "gate/cluster.h"
#include "gate/figure.h"
#include "gate/pool.h"
#include "gate/prometheus.h"
#include "hub/redis.h"

struct sums {
	const struct gate_tally **tally;
	struct gate_counts *count;
	size_t n;
};

typedef const struct gate_tally *(*nth_fn)(const struct gate_metrics *, size_t);

static bool add_up(const struct gate_metrics *m, nth_fn nth, struct sums *to)
{
	size_t n = 0;

	while (nth(m, n))
		n++;
	to->tally = calloc(n, sizeof(*to->tally));
	to->count = calloc(n, sizeof(*to->count));
	if (!to->tally || !to->count)
		return false;
	for (to->n = 0; to->n < n; to->n++) {
		to->tally[to->n] = nth(m, to->n);
		gate_tally_sum(m, to->tally[to->n], &to->count[to->n]);
	}
	return true;
}

static void forget(struct sums *sums)
{
	free(sums->tally);
	free(sums->count);
}

/* ---- Writing ---- */

static void put_figure(struct ses_buf *out, enum gate_figure which, int64_t n)
{
	const struct gate_figure_row *figure = gate_figure(which);

	gate_family_of_one(out, figure->name, figure->type, figure->help,
			   (double)n);
}

static unsigned long long at(atomic_ullong *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

/* ---- Families of routes and listeners ---- */

static void put_handshakes(struct ses_buf *out, const struct sums *s,
			   const char *name, const char *label)
{
	gate_family(out, name, "counter",
		    "Handshakes by how they were answered, and why.");
	for (size_t i = 0; i < s->n; i++) {
		struct gate_label of = gate_label(s->tally[i]->name);

		if (s->tally[i]->present && s->tally[i]->name[0])
			ses_buf_printf(out,
				       "sesame_%s{%s=%s,result=\"opened\","
				       "cause=\"ok\"} %llu\n",
				       name, label, of.text,
				       at(&s->count[i].opened));
		for (int c = 0; c < WHY_N_CAUSES; c++)
			if (at(&s->count[i].refused[c]))
				ses_buf_printf(out,
					       "sesame_%s{%s=%s,"
					       "result=\"refused\","
					       "cause=\"%s\"} %llu\n",
					       name, label, of.text,
					       why_cause(c)->id,
					       at(&s->count[i].refused[c]));
	}
}

static void put_observed(struct ses_buf *out, const struct sums *s)
{
	gate_family(out, "observed_refusals_total", "counter",
		    "Handshakes that were let in because their route only "
		    "observes, by what would have refused them.");
	for (size_t i = 0; i < s->n; i++)
		for (int c = 0; c < WHY_N_CAUSES; c++)
			if (at(&s->count[i].observed[c]))
				ses_buf_printf(
					out,
					"sesame_observed_refusals_total{route="
					"%s,cause=\"%s\"} %llu\n",
					gate_label(s->tally[i]->name).text,
					why_cause(c)->id,
					at(&s->count[i].observed[c]));
}

static void put_live(struct ses_buf *out, const struct sums *s,
		     const char *name, const char *label)
{
	gate_family(out, name, "gauge", "Connections that are open.");
	for (size_t i = 0; i < s->n; i++)
		if (s->tally[i]->name[0])
			ses_buf_printf(out, "sesame_%s{%s=%s} %lld\n", name,
				       label, gate_label(s->tally[i]->name).text,
				       (long long)at(&s->count[i].live));
}

static void put_closes(struct ses_buf *out, const struct sums *s)
{
	gate_family(
		out, "closes_total", "counter",
		"Connections that ended, by close code and by who ended them.");
	for (size_t i = 0; i < s->n; i++)
		for (unsigned k = 0; k < GATE_N_BY * GATE_N_CODES; k++) {
			unsigned by = k / GATE_N_CODES, code = k % GATE_N_CODES;

			if (at(&s->count[i].closed[by][code]))
				ses_buf_printf(
					out,
					"sesame_closes_total{route=%s,code="
					"\"%s\",by=\"%s\"} %llu\n",
					gate_label(s->tally[i]->name).text,
					gate_code_name(code), gate_by_name(by),
					at(&s->count[i].closed[by][code]));
		}
}

static void put_both_ways(struct ses_buf *out, const struct sums *s,
			  const char *name, const char *help, size_t offset)
{
	gate_family(out, name, "counter", help);
	for (size_t i = 0; i < s->n; i++) {
		atomic_ullong *n =
			(atomic_ullong *)((char *)&s->count[i] + offset);

		if (!s->tally[i]->name[0])
			continue;
		for (int d = 0; d < 2; d++)
			ses_buf_printf(
				out,
				"sesame_%s{route=%s,direction=\"%s\"} %llu\n",
				name, gate_label(s->tally[i]->name).text,
				d ? "out" : "in", at(&n[d]));
	}
}

/* Only routes that can lose any are told of. */
static void put_dropped(struct ses_buf *out, const struct sums *s)
{
	gate_family(out, "messages_dropped_total", "counter",
		    "Messages of channels that slow readers had no room for.");
	for (size_t i = 0; i < s->n; i++)
		if (s->tally[i]->name[0] && at(&s->count[i].dropped))
			ses_buf_printf(out,
				       "sesame_messages_dropped_total{route=%s}"
				       " %lld\n",
				       gate_label(s->tally[i]->name).text,
				       (long long)at(&s->count[i].dropped));
}

static void put_seconds(struct ses_buf *out, const struct sums *s)
{
	gate_family(out, "connection_seconds_total", "counter",
		    "How long those that ended had been open, all together.");
	for (size_t i = 0; i < s->n; i++)
		if (s->tally[i]->name[0])
			ses_buf_printf(
				out,
				"sesame_connection_seconds_total{route=%s} "
				"%.15g\n",
				gate_label(s->tally[i]->name).text,
				(double)at(&s->count[i].duration_ms) / 1000);
}

static void put_routes(struct ses_buf *out, const struct gate_metrics *m)
{
	struct sums routes = {0}, listeners = {0};

	if (add_up(m, gate_metrics_route, &routes) &&
	    add_up(m, gate_metrics_listener, &listeners)) {
		put_handshakes(out, &routes, "handshakes_total", "route");
		put_observed(out, &routes);
		put_live(out, &routes, "connections", "route");
		put_closes(out, &routes);
		put_both_ways(
			out, &routes, "bytes_total",
			"Bytes of messages, or of all that passed where a "
			"server behind is not looked into.",
			offsetof(struct gate_counts, bytes));
		put_both_ways(out, &routes, "messages_total",
			      "Messages, where they are looked into.",
			      offsetof(struct gate_counts, messages));
		put_dropped(out, &routes);
		put_seconds(out, &routes);
		put_handshakes(out, &listeners, "listener_handshakes_total",
			       "listener");
		put_live(out, &listeners, "listener_connections", "listener");
	}
	forget(&routes);
	forget(&listeners);
}

/* ---- Servers behind ---- */

enum server_figure { UP, LIVE, FAILURES };

static void put_servers(struct ses_buf *out, const struct gate_view *v,
			const char *name, const char *type, const char *help,
			enum server_figure which)
{
	const struct gate_policy *p = gate_house_doors(v->house)->policy;

	gate_family(out, name, type, help);
	for (size_t i = 0; i < p->n_routes; i++) {
		const struct gate_route *r = &p->route[i];

		for (size_t k = 0; r->pool && k < r->n_servers; k++) {
			struct gate_server_state s =
				gate_pool_state(r->pool, k, v->loop->now_ms);

			ses_buf_printf(
				out,
				"sesame_%s{route=%s,upstream=%s} "
				"%llu\n",
				name, gate_label(r->path).text,
				gate_label(r->server[k].text).text,
				which == UP ? !s.down
				: which == LIVE
					? (unsigned long long)s.live
					: (unsigned long long)s.n_failures);
		}
	}
}

static void put_checks(struct ses_buf *out, const struct gate_view *v)
{
	const struct gate_policy *p = gate_house_doors(v->house)->policy;

	gate_family(out, "upstream_checks_total", "counter",
		    "Checks of servers behind, by what came of them.");
	for (size_t i = 0; i < p->n_routes; i++) {
		const struct gate_route *r = &p->route[i];

		for (size_t k = 0; r->health.path && k < r->n_servers; k++) {
			const struct gate_check *c = gate_pool_check(r->pool, k);
			struct gate_label route = gate_label(r->path);
			struct gate_label url = gate_label(r->server[k].text);

			for (int good = 0; good < 2; good++)
				ses_buf_printf(
					out,
					"sesame_upstream_checks_total{route=%s,"
					"upstream=%s,result=\"%s\"} %llu\n",
					route.text, url.text,
					good ? "good" : "failed",
					(unsigned long long)(good ? c->n_good
								  : c->n_failed));
		}
	}
}

/* ---- The program ---- */

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n > 3 ? n - 3 : 0; /* ".", ".." and its own */
}

static void put_program(struct ses_buf *out, const struct gate_view *v)
{
	struct rlimit limit = {0};

	gate_family(out, "build_info", "gauge", "The version that runs.");
	ses_buf_printf(out, "sesame_build_info{version=\"%s\"} 1\n",
		       SESAME_VERSION);
	gate_family_of_one(out, "start_time_seconds", "gauge",
			   "When it was started.", (double)v->started_ms / 1000);
	gate_family_of_one(out, "workers", "gauge",
			   "Threads that serve connections.",
			   gate_house_doors(v->house)->n_workers);
	gate_family_of_one(out, "draining", "gauge",
			   "1 while it is being stopped.", v->leaving);
	put_figure(out, GATE_FIGURE_READY, gate_house_is_ready(v->house));
	put_figure(out, GATE_FIGURE_ACCEPT_FAILURES,
		   (int64_t)gate_house_shortages(v->house));
	getrlimit(RLIMIT_NOFILE, &limit);
	gate_family_of_one(out, "open_descriptors", "gauge",
			   "Descriptors in use.", (double)count_descriptors());
	gate_family_of_one(out, "max_descriptors", "gauge",
			   "Descriptors allowed.", (double)limit.rlim_cur);
}

static void put_reloads(struct ses_buf *out, const struct gate_reloads *r)
{
	gate_family(out, "config_reloads_total", "counter",
		    "Times that the configuration was read again.");
	ses_buf_printf(out,
		       "sesame_config_reloads_total{result=\"ok\"} %llu\n"
		       "sesame_config_reloads_total{result=\"failed\"} %llu\n",
		       (unsigned long long)r->n_good,
		       (unsigned long long)r->n_bad);
	put_figure(out, GATE_FIGURE_RELOADED, r->last_good);
	gate_family_of_one(out, "config_last_reload_success_timestamp_seconds",
			   "gauge", "When the configuration in force was read.",
			   (double)r->last_good_ms / 1000);
}

static void put_books(struct ses_buf *out, const struct gate_view *v)
{
	struct gate_journal_health health;

	if (v->log)
		gate_family_of_one(
			out, "log_left_out_total", "counter",
			"Lines of the access log that could not be written.",
			(double)gate_access_log_left_out(v->log));
	if (!v->journal)
		return;
	gate_journal_health(v->journal, &health);
	gate_family_of_one(out, "journal_up", "gauge",
			   "1 while the journal can be written.",
			   health.written);
	gate_family_of_one(
		out, "journal_left_out_total", "counter",
		"Refusals that are not in the journal: floods are sampled.",
		(double)health.left_out);
}

/* ---- Channels ---- */

static bool has_channels(const struct gate_view *v)
{
	const struct gate_policy *p = gate_house_doors(v->house)->policy;

	for (size_t i = 0; i < p->n_routes; i++)
		if (p->route[i].to == GATE_TO_HUB)
			return true;
	return false;
}

static void put_channels(struct ses_buf *out, const struct gate_view *v)
{
	int64_t n[GATE_N_FIGURES];

	if (!has_channels(v))
		return;
	gate_count_channels(v, n);
	for (int f = 0; f < GATE_N_FIGURES; f++)
		if (gate_figure_is_of_channels(f))
			put_figure(out, f, n[f]);
}

static void put_backplane(struct ses_buf *out, const struct gate_view *v)
{
	struct gate_cluster *cluster = gate_house_cluster(v->house);
	struct hub_redis_figures all;
	int64_t n[GATE_N_FIGURES];

	if (!gate_count_backplane(v, n, &all))
		return;
	gate_family(
		out, "node_info", "gauge",
		"By what name the others of the backplane know this gateway.");
	ses_buf_printf(out, "sesame_node_info{node=%s} 1\n",
		       gate_label(gate_cluster_node(cluster)).text);
	gate_family_of_one(out, "backplane_up", "gauge",
			   "1 while the backplane answers.", all.up);
	for (int f = 0; f < GATE_N_FIGURES; f++)
		if (gate_figure_is_of_backplane(f))
			put_figure(out, f, n[f]);
	gate_family_of_one(out, "backplane_untold_total", "counter",
			   "Refusals here that other gateways were not told "
			   "of, lest there be too many.",
			   (double)gate_cluster_untold(cluster));
	gate_family_of_one(out, "backplane_round_trip_seconds", "gauge",
			   "How long the last ping took.",
			   (double)all.round_trip_us / 1e6);
}

int gate_status_figures(struct gate_view *v, struct ses_buf *out)
{
	put_program(out, v);
	put_reloads(out, &v->reloads);
	put_books(out, v);
	put_servers(out, v, "upstream_up", "gauge",
		    "0 while a server behind is left alone, after a failure or "
		    "because its checks fail.",
		    UP);
	put_servers(out, v, "upstream_connections", "gauge",
		    "Connections with a server behind.", LIVE);
	put_servers(out, v, "upstream_failures_total", "counter",
		    "Handshakes that a server behind did not answer well.",
		    FAILURES);
	put_checks(out, v);
	put_channels(out, v);
	put_backplane(out, v);
	put_routes(out, gate_house_metrics(v->house));
	return ses_buf_append_str(out, "");
}
