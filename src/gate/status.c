/* SPDX-License-Identifier: MIT */
/* The document behind the status page. No secret is in it: stories have none. */
#include "gate/status.h"

#include <stdlib.h>
#include <string.h>

#include <sesame/version.h>

#include "gate/json.h"
#include "gate/cluster.h"
#include "gate/pool.h"
#include "gate/recent.h"
#include "hub/redis.h"

static json_int_t at(atomic_ullong *number)
{
	return (json_int_t)atomic_load_explicit(number, memory_order_relaxed);
}

static void put_number(json_t *to, const char *name, json_int_t value)
{
	json_object_set_new(to, name, json_integer(value));
}

/* Texts that are no UTF-8 have no place in JSON; ours are, or are shown so. */
static void put_text(json_t *to, const char *name, const char *text)
{
	char shown[4096];

	json_object_set_new(to, name,
			    json_string(bytes_printable(bytes_of_str(text),
							shown, sizeof(shown))));
}

static json_int_t sum_of(atomic_ullong *numbers, size_t n)
{
	json_int_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += at(&numbers[i]);
	return sum;
}

static void put_causes(json_t *to, atomic_ullong *numbers)
{
	json_t *causes = json_object();

	for (int c = 0; c < WHY_N_CAUSES; c++)
		if (at(&numbers[c]))
			put_number(causes, why_cause((enum why_cause)c)->id,
				   at(&numbers[c]));
	json_object_set_new(to, "causes", causes);
}

static void put_counts(json_t *to, struct gate_counts *c)
{
	put_number(to, "connections", at(&c->live));
	put_number(to, "opened", at(&c->opened));
	put_number(to, "refused", sum_of(c->refused, WHY_N_CAUSES));
	put_number(to, "observed", sum_of(c->observed, WHY_N_CAUSES));
	put_number(to, "closed",
		   sum_of(&c->closed[0][0], GATE_N_BY * GATE_N_CODES));
	put_causes(to, c->refused);
}

/* What passed is counted by route alone. */
static void put_traffic(json_t *to, struct gate_counts *c)
{
	put_number(to, "bytes_in", at(&c->bytes[GATE_IN]));
	put_number(to, "bytes_out", at(&c->bytes[GATE_OUT]));
	put_number(to, "messages_in", at(&c->messages[GATE_IN]));
	put_number(to, "messages_out", at(&c->messages[GATE_OUT]));
}

static void put_check(json_t *to, const struct gate_check *c)
{
	json_t *check = json_object();

	json_object_set_new(check, "failing", json_boolean(c->failing));
	put_number(check, "good", (json_int_t)c->n_good);
	put_number(check, "failed", (json_int_t)c->n_failed);
	put_text(check, "said", c->said);
	json_object_set_new(to, "check", check);
}

static json_t *servers_of(const struct gate_route *route, uint64_t now_ms)
{
	json_t *list = json_array();

	for (size_t i = 0; route->pool && i < route->n_servers; i++) {
		struct gate_server_state s =
			gate_pool_state(route->pool, i, now_ms);
		json_t *server = json_object();

		put_text(server, "url", route->server[i].text);
		json_object_set_new(server, "up", json_boolean(!s.down));
		put_number(server, "connections", (json_int_t)s.live);
		put_number(server, "failures", (json_int_t)s.n_failures);
		if (route->health.path)
			put_check(server, gate_pool_check(route->pool, i));
		json_array_append_new(list, server);
	}
	return list;
}

static json_t *routes_of(const struct gate_view *v)
{
	const struct gate_policy *p = gate_house_doors(v->house)->policy;
	const struct gate_metrics *m = gate_house_metrics(v->house);
	json_t *list = json_array();
	struct gate_counts sum;

	for (size_t i = 0; i < p->n_routes; i++) {
		const struct gate_route *r = &p->route[i];
		json_t *route = json_object();

		put_text(route, "path", r->path);
		put_number(route, "line", r->line);
		json_object_set_new(route, "observes", json_boolean(r->observe));
		gate_tally_sum(m, r->tally, &sum);
		put_counts(route, &sum);
		put_traffic(route, &sum);
		json_object_set_new(route, "upstreams",
				    servers_of(r, v->loop->now_ms));
		json_array_append_new(list, route);
	}
	return list;
}

static json_t *listeners_of(const struct gate_view *v)
{
	const struct gate_doors *doors = gate_house_doors(v->house);
	json_t *list = json_array();
	struct gate_counts sum;

	for (size_t i = 0; i < doors->n; i++) {
		json_t *door = json_object();

		put_text(door, "url", doors->door[i].url);
		gate_tally_sum(gate_house_metrics(v->house),
			       doors->door[i].tally, &sum);
		put_counts(door, &sum);
		json_array_append_new(list, door);
	}
	return list;
}

/* All that was refused without a route. */
static json_t *elsewhere_of(const struct gate_view *v)
{
	const struct gate_metrics *m = gate_house_metrics(v->house);
	json_t *none = json_object();
	struct gate_counts sum;

	gate_tally_sum(m, gate_metrics_route(m, 0), &sum);
	put_counts(none, &sum);
	return none;
}

json_t *gate_status_story(const struct gate_story *s)
{
	json_t *story = gate_story_object(s);
	char sentence[GATE_HEADLINE_SIZE];

	if (story && gate_story_headline(s, sentence))
		put_text(story, "sentence", sentence);
	return story;
}

static json_t *refusals_of(const struct gate_view *v)
{
	struct gate_story *stories =
		calloc(GATE_RECENT_STORIES, sizeof(*stories));
	json_t *list = json_array(), *story;
	size_t n = 0;

	if (stories)
		n = gate_house_recent(v->house, stories, GATE_RECENT_STORIES);
	for (size_t i = 0; i < n; i++) {
		story = gate_status_story(&stories[i]);
		if (story)
			json_array_append_new(list, story);
	}
	free(stories);
	return list;
}

static json_t *reloads_of(const struct gate_view *v)
{
	json_t *r = json_object();

	const char *file = gate_house_doors(v->house)->policy->file;
	char *path = realpath(file, NULL);

	put_text(r, "file", file);
	if (path)
		put_text(r, "path", path);
	free(path);
	put_number(r, "reloads", (json_int_t)v->reloads.n_good);
	put_number(r, "failed_reloads", (json_int_t)v->reloads.n_bad);
	json_object_set_new(r, "last_reload_successful",
			    json_boolean(v->reloads.last_good));
	put_number(r, "last_reload_ms", v->reloads.last_ms);
	put_number(r, "read_ms", v->reloads.last_good_ms);
	if (!v->reloads.last_good)
		json_object_set_new(r, "fault", json_string(v->reloads.text));
	return r;
}

static void put_books(json_t *to, const struct gate_view *v)
{
	json_t *journal = json_object();
	struct gate_journal_health health;

	json_object_set_new(journal, "kept", json_boolean(v->journal != NULL));
	if (v->journal) {
		gate_journal_health(v->journal, &health);
		json_object_set_new(journal, "written",
				    json_boolean(health.written));
		if (!health.written)
			put_text(journal, "wrong", health.wrong);
		put_number(journal, "left_out", (json_int_t)health.left_out);
	}
	json_object_set_new(to, "journal", journal);
	if (v->log)
		put_number(to, "log_left_out",
			   (json_int_t)gate_access_log_left_out(v->log));
}

static void put_backplane(json_t *to, const struct gate_view *v)
{
	const struct gate_cluster *cluster = gate_house_cluster(v->house);
	struct hub_redis_figures f;
	json_t *o;

	if (!gate_cluster_count(cluster, &f))
		return;
	o = json_object();
	put_text(o, "node", gate_cluster_node(cluster));
	put_text(o, "address", f.address);
	json_object_set_new(o, "up", json_boolean(f.up));
	if (!f.up)
		put_text(o, "trouble", f.trouble);
	put_number(o, "nodes", (json_int_t)f.nodes);
	put_number(o, "published", (json_int_t)f.published);
	put_number(o, "refused", (json_int_t)f.refused);
	put_number(o, "received", (json_int_t)f.received);
	put_number(o, "malformed", (json_int_t)f.malformed);
	put_number(o, "ended_channels", (json_int_t)f.ended);
	put_number(o, "trimmed_messages", (json_int_t)f.trimmed);
	put_number(o, "waiting_bytes", (json_int_t)f.waiting_bytes);
	json_object_set_new(to, "backplane", o);
}

static json_t *channels_of(const struct gate_view *v)
{
	struct hub_figures f;
	json_t *o = json_object();

	gate_house_channels(v->house, &f);
	put_number(o, "channels", (json_int_t)f.channels);
	put_number(o, "idle", (json_int_t)f.idle);
	put_number(o, "members", (json_int_t)f.members);
	put_number(o, "kept_bytes", (json_int_t)f.kept_bytes);
	put_number(o, "evicted", (json_int_t)f.evicted);
	put_number(o, "gaps", (json_int_t)f.gaps);
	put_number(o, "missed", (json_int_t)f.missed);
	put_number(o, "conflated", (json_int_t)f.conflated);
	return o;
}

json_t *gate_status_json(struct gate_view *v)
{
	json_t *all = json_object();

	if (!all)
		return NULL;
	put_text(all, "version", SESAME_VERSION);
	put_text(all, "state", v->leaving ? "stopping" : "serving");
	json_object_set_new(all, "ready",
			    json_boolean(gate_house_is_ready(v->house)));
	put_number(all, "started_ms", v->started_ms);
	put_number(all, "workers", gate_house_doors(v->house)->n_workers);
	put_number(all, "connections", (json_int_t)gate_house_visits(v->house));
	put_number(all, "accept_failures",
		   (json_int_t)gate_house_shortages(v->house));
	json_object_set_new(all, "configuration", reloads_of(v));
	json_object_set_new(all, "listeners", listeners_of(v));
	json_object_set_new(all, "routes", routes_of(v));
	json_object_set_new(all, "no_route", elsewhere_of(v));
	json_object_set_new(all, "channels", channels_of(v));
	put_backplane(all, v);
	put_books(all, v);
	json_object_set_new(all, "refusals", refusals_of(v));
	return all;
}
