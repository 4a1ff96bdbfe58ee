/* SPDX-License-Identifier: MIT */
/*
 * Orders go to the workers through their loops, so nothing that a worker has
 * is ever touched by another thread.
 */
#include "gate/house.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gate/cluster.h"
#include "gate/gate.h"
#include "gate/health.h"
#include "gate/log.h"
#include "gate/recent.h"
#include "gate/thrift.h"
#include "gate/told.h"
#include "gate/visit_member.h"
#include "wire/deflate.h"
#include "hub/backplane.h"

struct order;

struct worker {
	struct gate_house *house;
	struct order *orders; /* that were given; the house's thread's list */
	struct sesame_loop *loop;
	struct gate *gate; /* the thread's, while it runs */
	pthread_t thread;
	bool runs;
	atomic_size_t n_visits;
	atomic_ullong n_short;
	atomic_bool lacks_doors; /* it could not take all up */
	atomic_bool is_gone;	 /* its loop failed */
	atomic_uint answered;	 /* the last gate_house_is_awake() it saw */
	struct gate_recent *recent;
	struct gate_enquiries enquiries;
};

struct gate_house {
	struct sesame_loop *loop;
	struct gate_doors *doors;
	struct gate_metrics *metrics;
	struct gate_cluster *cluster;
	struct hub *hub; /* channels, over all workers */
	struct gate_limiter *limiter;
	struct gate_told *told;	    /* to refused clients */
	struct gate_health *health; /* checks of servers behind */
	struct gate_thrift *thrift;
	struct gate_house_setup setup;
	unsigned asked; /* calls of gate_house_is_awake() */
	bool leaving, told_empty;
	atomic_uint n_busy;    /* workers whose loop is running */
	struct ses_post empty; /* told once, when no worker is busy */
	unsigned n_workers;
	struct worker worker[];
};

/* ---- In a worker's thread ---- */

struct order {
	struct order *next;
	struct worker *worker;
	struct gate_doors *doors; /* a reference; NULL: leave */
	atomic_bool obeyed;	  /* from then on the house's again */
};

static void obey(void *arg)
{
	struct order *order = arg;
	struct gate *gate = order->worker->gate;
	int r = 0;

	if (!order->doors) {
		gate_leave(gate);
		if (gate_is_empty(gate))
			sesame_loop_stop(gate->loop);
	} else if ((r = gate_serve(gate, order->doors)) < 0) {
		gate_log("sesame: worker %u could not take up all doors: out "
			 "of descriptors or memory; reload again",
			 gate->worker);
	}
	atomic_store(&order->worker->lacks_doors, r < 0);
	gate_doors_unref(order->doors);
	order->doors = NULL;
	atomic_store(&order->obeyed, true);
}

static void tell_empty(void *arg)
{
	struct gate_house *house = arg;

	if (house->told_empty || !house->leaving)
		return;
	house->told_empty = true;
	house->setup.on_empty(house->setup.user);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct gate_house *house = w->house;

	if (sesame_loop_run(w->loop) < 0) {
		gate_log("sesame: worker %u cannot go on: %s; restart the "
			 "gateway",
			 w->gate->worker, strerror(errno));
		atomic_store(&w->is_gone, true);
	}
	gate_free(w->gate);
	w->gate = NULL;
	ses_buf_forget_spares(); /* they are this thread's */
	ses_deflate_forget_spares();
	if (atomic_fetch_sub(&house->n_busy, 1) == 1)
		ses_loop_post_own(house->loop, &house->empty, tell_empty, house);
	return NULL;
}

/* ---- In the thread of the house ---- */

/*
 * A worker that is stopped may leave orders behind, with the doors that they
 * hold: those are @all to be freed, when its thread has ended.
 */
static void free_orders(struct worker *w, bool all)
{
	struct order **at = &w->orders, *order;

	while ((order = *at)) {
		if (!all && !atomic_load(&order->obeyed)) {
			at = &order->next;
			continue;
		}
		*at = order->next;
		gate_doors_unref(order->doors);
		free(order);
	}
}

static bool give_order(struct worker *w, struct gate_doors *doors)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order)
		return false;
	free_orders(w, false);
	order->worker = w;
	order->doors = doors ? gate_doors_ref(doors) : NULL;
	if (ses_loop_post(w->loop, obey, order) < 0) {
		gate_doors_unref(order->doors);
		free(order);
		return false;
	}
	order->next = w->orders;
	w->orders = order;
	return true;
}

static void equip(struct gate_house *house, struct worker *w)
{
	w->gate->limiter = house->limiter;
	w->gate->n_visits_seen = &w->n_visits;
	w->gate->n_short = &w->n_short;
	w->gate->log = house->setup.log;
	w->gate->recent = w->recent;
	w->gate->seat = hub_take_seat(house->hub, w->gate->worker, w->loop);
	w->gate->cluster = house->cluster;
	gate_cluster_enquiries(house->cluster, w->loop, &w->enquiries);
	w->gate->enquiries = &w->enquiries;
	w->gate->told = house->told;
	w->gate->no_route = gate_metrics_no_route(house->metrics);
}

/* Give the routes of a policy their channels, before anybody else has it. */
static bool adopt_channels(struct gate_house *house, struct gate_policy *policy)
{
	for (size_t i = 0; i < policy->n_routes; i++) {
		struct gate_route *route = &policy->route[i];
		struct hub_rules rules;

		if (route->to != GATE_TO_HUB)
			continue;
		rules = gate_hub_rules(&route->hub);
		route->hub.space =
			hub_find_space(house->hub, route->path, &rules);
		if (!route->hub.space)
			return false;
	}
	return true;
}

static bool start_worker(struct gate_house *house, unsigned i)
{
	struct worker *w = &house->worker[i];
	sigset_t all, before;

	w->house = house;
	w->loop = sesame_loop_new();
	w->recent = gate_recent_new();
	w->gate = w->loop && w->recent
			  ? gate_new(w->loop, i, house->setup.journal)
			  : NULL;
	if (!w->gate)
		return false;
	equip(house, w);
	if (gate_serve(w->gate, house->doors) < 0)
		return false;
	/* Signals are for the thread of the house. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	atomic_fetch_add(&house->n_busy, 1);
	w->runs = pthread_create(&w->thread, NULL, work, w) == 0;
	if (!w->runs)
		atomic_fetch_sub(&house->n_busy, 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w->runs;
}

/* As many as workers take, and no more than there are descriptors. */
static size_t most_connections(unsigned n_workers)
{
	size_t most = (size_t)n_workers * GATE_MAX_VISITS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most)
		most = (size_t)limit.rlim_cur;
	return most;
}

unsigned gate_house_workers(const struct gate_policy *policy)
{
	long n = (long)policy->workers;

	if (n <= 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

static bool start_workers(struct gate_house *house, char *text, size_t text_size)
{
	for (unsigned i = 0; i < house->n_workers; i++) {
		if (start_worker(house, i))
			continue;
		snprintf(text, text_size, "cannot start worker %u: %s", i,
			 strerror(errno));
		return false;
	}
	return true;
}

static void on_kept(void *user, const struct gate_story *story)
{
	gate_cluster_tell(user, story);
}

static void tell_others(struct gate_house *house)
{
	if (house->setup.journal && house->doors->policy->backplane)
		gate_journal_tell(house->setup.journal, on_kept, house->cluster);
}

struct gate_house *gate_house_open(const struct gate_house_setup *setup,
				   char *text, size_t text_size)
{
	unsigned n = setup->doors->n_workers;
	struct gate_house *house =
		calloc(1, sizeof(*house) + n * sizeof(house->worker[0]));
	uint8_t seed[SES_HASH_SEED];

	snprintf(text, text_size, "out of memory");
	if (!house)
		return NULL;
	house->setup = *setup;
	house->loop = setup->loop;
	house->n_workers = n;
	house->doors = gate_doors_ref(setup->doors);
	house->metrics = gate_metrics_new(n);
	ses_random(seed, sizeof(seed));
	house->limiter =
		gate_limiter_new(gate_limiter_keys(most_connections(n)), seed);
	ses_random(seed, sizeof(seed));
	house->told = gate_told_new(seed);
	house->cluster = gate_cluster_new(house->doors->policy, house->loop,
					  text, text_size);
	if (house->cluster)
		house->hub = hub_new(n, &gate_hub_events,
				     gate_cluster_backplane(house->cluster));
	if (house->metrics && house->limiter && house->told && house->hub &&
	    adopt_channels(house, house->doors->policy)) {
		gate_metrics_adopt(house->metrics, house->doors);
		house->health = gate_health_new(house->loop,
						house->doors->policy, NULL);
		house->thrift = gate_thrift_new(house->loop);
		if (house->health && house->thrift &&
		    start_workers(house, text, text_size)) {
			tell_others(house);
			return house;
		}
	}
	gate_house_free(house);
	return NULL;
}

/* It is not ready, and nobody is to be connected to its new sockets. */
static void keep_old_doors(struct worker *w, struct gate_doors *doors,
			   unsigned i)
{
	gate_log(
		"sesame: out of memory: worker %u keeps the old configuration; "
		"reload again",
		i);
	atomic_store(&w->lacks_doors, true);
	gate_doors_forgo(doors, i);
}

bool gate_house_reload(struct gate_house *house, struct gate_policy *policy,
		       char *text, size_t text_size)
{
	struct gate_doors *doors = gate_doors_open(
		policy, house->n_workers, house->doors, text, text_size);
	struct gate_health *health = NULL;

	if (!doors)
		return false;
	if (adopt_channels(house, doors->policy))
		health = gate_health_new(house->loop, doors->policy,
					 house->doors->policy);
	if (!health) {
		snprintf(text, text_size, "out of memory");
		gate_doors_unref(doors);
		return false;
	}
	gate_health_free(house->health);
	house->health = health;
	gate_metrics_adopt(house->metrics, doors);
	for (unsigned i = 0; i < house->n_workers; i++)
		if (!give_order(&house->worker[i], doors))
			keep_old_doors(&house->worker[i], doors, i);
	gate_doors_unref(house->doors);
	house->doors = doors;
	return true;
}

const struct gate_doors *gate_house_doors(const struct gate_house *house)
{
	return house->doors;
}

size_t gate_house_visits(const struct gate_house *house)
{
	size_t n = 0;

	for (unsigned i = 0; i < house->n_workers; i++)
		n += atomic_load(&house->worker[i].n_visits);
	return n;
}

bool gate_house_is_ready(const struct gate_house *house)
{
	for (unsigned i = 0; i < house->n_workers; i++)
		if (atomic_load(&house->worker[i].lacks_doors) ||
		    atomic_load(&house->worker[i].is_gone))
			return false;
	return !house->leaving;
}

static void answer(void *arg)
{
	struct worker *w = arg;

	atomic_fetch_add(&w->answered, 1);
}

bool gate_house_is_awake(struct gate_house *house)
{
	if (house->leaving)
		return true;
	for (unsigned i = 0; i < house->n_workers; i++)
		if (atomic_load(&house->worker[i].answered) != house->asked)
			return false;
	house->asked++;
	for (unsigned i = 0; i < house->n_workers; i++)
		if (ses_loop_post(house->worker[i].loop, answer,
				  &house->worker[i]) < 0)
			answer(&house->worker[i]); /* it was not asked */
	return true;
}

const struct gate_metrics *gate_house_metrics(const struct gate_house *house)
{
	return house->metrics;
}

void gate_house_channels(const struct gate_house *house,
			 struct hub_figures *ret_figures)
{
	hub_count(house->hub, ret_figures);
}

struct gate_cluster *gate_house_cluster(const struct gate_house *house)
{
	return house->cluster;
}

uint64_t gate_house_shortages(const struct gate_house *house)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < house->n_workers; i++)
		n += atomic_load(&house->worker[i].n_short);
	return n;
}

static int by_time(const void *a, const void *b)
{
	const struct gate_story *x = a, *y = b;

	return (x->time_ms < y->time_ms) - (x->time_ms > y->time_ms);
}

size_t gate_house_recent(struct gate_house *house, struct gate_story *to,
			 size_t room)
{
	size_t each = GATE_RECENT_STORIES, n = 0;
	struct gate_story *all = calloc(house->n_workers * each, sizeof(*all));

	for (unsigned i = 0; all && i < house->n_workers; i++)
		n += gate_recent_get(house->worker[i].recent, all + n, each);
	if (n)
		qsort(all, n, sizeof(*all), by_time);
	n = n < room ? n : room;
	if (n)
		memcpy(to, all, n * sizeof(*all));
	free(all);
	return n;
}

void gate_house_leave(struct gate_house *house)
{
	house->leaving = true;
	gate_health_free(house->health);
	house->health = NULL;
	for (unsigned i = 0; i < house->n_workers; i++)
		if (!give_order(&house->worker[i], NULL))
			sesame_loop_stop(house->worker[i].loop);
}

void gate_house_free(struct gate_house *house)
{
	if (!house)
		return;
	gate_health_free(house->health);
	gate_thrift_free(house->thrift);
	for (unsigned i = 0; i < house->n_workers; i++) {
		struct worker *w = &house->worker[i];

		if (w->runs) {
			sesame_loop_stop(w->loop);
			pthread_join(w->thread, NULL);
			free_orders(w, true);
		} else {
			gate_free(w->gate);
		}
	}
	ses_loop_unpost(house->loop, &house->empty);
	if (house->setup.journal)
		gate_journal_tell(house->setup.journal, NULL, NULL);
	hub_stop(house->hub);
	/* Workers wake each other, so no loop ends before all threads have. */
	for (unsigned i = 0; i < house->n_workers; i++) {
		if (house->worker[i].enquiries.loop)
			gate_enquiries_fini(&house->worker[i].enquiries);
		sesame_loop_free(house->worker[i].loop);
		gate_recent_free(house->worker[i].recent);
	}
	hub_free(house->hub);
	gate_cluster_free(house->cluster);
	gate_metrics_free(house->metrics);
	gate_limiter_free(house->limiter);
	gate_told_free(house->told);
	gate_doors_unref(house->doors);
	free(house);
}
