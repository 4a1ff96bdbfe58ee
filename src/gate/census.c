/* SPDX-License-Identifier: MIT */
/*
 * What comes from the backplane may be anything: a note that is not what a
 * gateway writes counts for nothing, and labels are looked at before they stand
 * in an answer.
 */
#include "gate/census.h"

#include <stdio.h>
#include <stdlib.h>

#include <sesame/version.h>

#include "gate/cluster.h"
#include "gate/json.h"
#include "gate/pool.h"
#include "gate/prometheus.h"
#include "hub/redis.h"

#define TELL_MS	     2000
#define TOLD_S	     10 /* that it holds: a gateway lives as long */
#define NOTE_BYTES   ((size_t)16 * 1024)
#define MOST_ROWS    257 /* as many as the backplane knows, and this one */
#define VERSION_SIZE 24
#define LABEL_SIZE   (GATE_NODE_SIZE + HUB_REDIS_NODE_LEN + 1)

/* ---- What is counted ---- */

enum figure {
	CONNECTIONS,
	BYTES_IN,
	BYTES_OUT,
	MESSAGES_IN,
	MESSAGES_OUT,
	DROPPED,
	UPSTREAMS_DOWN,
	CHANNELS,
	MEMBERS,
	KEPT_BYTES,
	EVICTED,
	GAPS,
	MISSED,
	CONFLATED,
	SLOW_CLOSED,
	PUBLISHED,
	REFUSED,
	RECEIVED,
	MALFORMED,
	ACCEPT_FAILURES,
	RELOADED,
	READY,
	OPENED, /* behind the last one: shown with the refusals */
	N_FIGURES
};

#define IN  ",direction=\"in\""
#define OUT ",direction=\"out\""

static const struct {
	const char *key; /* in a note */
	const char *name, *type, *label, *help;
} figures[N_FIGURES] = {
	[CONNECTIONS] = {"connections", "connections", "gauge", "",
			 "Connections that are open."},
	[BYTES_IN] = {"bytes_in", "bytes_total", "counter", IN,
		      "Bytes of messages, or of all that passed."},
	[BYTES_OUT] = {"bytes_out", "bytes_total", "counter", OUT, ""},
	[MESSAGES_IN] = {"messages_in", "messages_total", "counter", IN,
			 "Messages, where they are looked into."},
	[MESSAGES_OUT] = {"messages_out", "messages_total", "counter", OUT, ""},
	[DROPPED] = {"dropped", "messages_dropped_total", "counter", "",
		     "Messages of channels that slow readers had no room "
		     "for."},
	[UPSTREAMS_DOWN] = {"upstreams_down", "upstreams_down", "gauge", "",
			    "Servers behind that are left alone."},
	[CHANNELS] = {"channels", "channels", "gauge", "",
		      "Channels that there are at the gateway: one that has "
		      "members at two of them counts at both."},
	[MEMBERS] = {"members", "channel_members", "gauge", "",
		     "Members of all channels."},
	[KEPT_BYTES] = {"kept_bytes", "channel_kept_bytes", "gauge", "",
			"Bytes of history, states and keys that channels "
			"hold."},
	[EVICTED] = {"evicted", "channels_evicted_total", "counter", "",
		     "Channels that nobody was in, given up for others."},
	[GAPS] = {"gaps", "channel_gaps_total", "counter", "",
		  "Times that a member was left out of messages."},
	[MISSED] = {"missed", "channel_missed_total", "counter", "",
		    "Messages in these gaps, as far as their number is "
		    "known."},
	[CONFLATED] = {"conflated", "channel_conflated_total", "counter", "",
		       "Values that slow readers got newer ones instead of."},
	[SLOW_CLOSED] = {"slow_closed", "channel_slow_closed_total", "counter",
			 "", "Members that were closed for being too slow."},
	[PUBLISHED] = {"published", "backplane_published_total", "counter", "",
		       "Messages of the gateway that the backplane took."},
	[REFUSED] = {"refused_messages", "backplane_refused_total", "counter",
		     "", "Messages of the gateway that it did not."},
	[RECEIVED] = {"received", "backplane_received_total", "counter", "",
		      "Messages of all gateways that came to it."},
	[MALFORMED] = {"malformed", "backplane_malformed_total", "counter", "",
		       "Entries that no gateway wrote, and that were "
		       "skipped."},
	[ACCEPT_FAILURES] = {"accept_failures", "accept_failures_total",
			     "counter", "",
			     "Times that connections could not be taken."},
	[RELOADED] = {"reloaded", "config_last_reload_successful", "gauge", "",
		      "1 when its file was in order as it was last read."},
	[READY] = {"ready", "ready", "gauge", "",
		   "1 while all its doors are open."},
	[OPENED] = {"opened", "handshakes_total", "counter", "",
		    "Handshakes by how they were answered, and why."},
};

/* One gateway. */
struct row {
	char id[HUB_REDIS_NODE_LEN + 1]; /* at the backplane; "": it has none */
	char node[GATE_NODE_SIZE];
	char label[LABEL_SIZE];
	char version[VERSION_SIZE];
	int64_t started_ms;
	int64_t figure[N_FIGURES]; /* -1: it does not tell */
	int64_t refused[WHY_N_CAUSES];
};

static int64_t at(atomic_ullong *number)
{
	return (int64_t)atomic_load_explicit(number, memory_order_relaxed);
}

static void count_routes(const struct gate_metrics *m, struct row *row)
{
	const struct gate_tally *tally;
	struct gate_counts sum;

	for (size_t i = 0; (tally = gate_metrics_route(m, i)); i++) {
		gate_tally_sum(m, tally, &sum);
		row->figure[CONNECTIONS] += at(&sum.live);
		row->figure[OPENED] += at(&sum.opened);
		row->figure[BYTES_IN] += at(&sum.bytes[GATE_IN]);
		row->figure[BYTES_OUT] += at(&sum.bytes[GATE_OUT]);
		row->figure[MESSAGES_IN] += at(&sum.messages[GATE_IN]);
		row->figure[MESSAGES_OUT] += at(&sum.messages[GATE_OUT]);
		row->figure[DROPPED] += at(&sum.dropped);
		for (int c = 0; c < WHY_N_CAUSES; c++)
			row->refused[c] += at(&sum.refused[c]);
	}
}

static void count_servers(const struct gate_view *v, struct row *row)
{
	const struct gate_policy *p = gate_house_doors(v->house)->policy;

	for (size_t i = 0; i < p->n_routes; i++)
		for (size_t k = 0;
		     p->route[i].pool && k < p->route[i].n_servers; k++)
			row->figure[UPSTREAMS_DOWN] +=
				gate_pool_state(p->route[i].pool, k,
						v->loop->now_ms)
					.down;
}

static void count_channels(const struct gate_view *v, struct row *row)
{
	struct hub_figures f;

	gate_house_channels(v->house, &f);
	row->figure[CHANNELS] = (int64_t)f.channels;
	row->figure[MEMBERS] = (int64_t)f.members;
	row->figure[KEPT_BYTES] = (int64_t)f.kept_bytes;
	row->figure[EVICTED] = (int64_t)f.evicted;
	row->figure[GAPS] = (int64_t)f.gaps;
	row->figure[MISSED] = (int64_t)f.missed;
	row->figure[CONFLATED] = (int64_t)f.conflated;
	row->figure[SLOW_CLOSED] = (int64_t)f.closed;
}

static void count_backplane(const struct gate_cluster *cluster, struct row *row)
{
	struct hub_redis_figures f;

	if (!gate_cluster_count(cluster, &f))
		return;
	snprintf(row->id, sizeof(row->id), "%s", f.node);
	row->figure[PUBLISHED] = (int64_t)f.published;
	row->figure[REFUSED] = (int64_t)f.refused;
	row->figure[RECEIVED] = (int64_t)f.received;
	row->figure[MALFORMED] = (int64_t)f.malformed;
}

static void count_own(const struct gate_view *v, struct row *row)
{
	const struct gate_cluster *cluster = gate_house_cluster(v->house);

	*row = (struct row){.version = SESAME_VERSION};
	snprintf(row->node, sizeof(row->node), "%s", gate_cluster_node(cluster));
	row->started_ms = v->started_ms;
	count_routes(gate_house_metrics(v->house), row);
	count_servers(v, row);
	count_channels(v, row);
	count_backplane(cluster, row);
	row->figure[ACCEPT_FAILURES] = (int64_t)gate_house_shortages(v->house);
	row->figure[RELOADED] = v->reloads.last_good;
	row->figure[READY] = gate_house_is_ready(v->house);
}

/* ---- Telling ---- */

struct gate_census {
	struct gate_view *view;
	struct ses_timer timer;
};

/* To be freed. NULL: no memory. */
static char *write_note(const struct row *row)
{
	json_t *numbers = json_object(), *refused = json_object(), *all;
	char *text;

	for (int i = 0; i < N_FIGURES; i++)
		json_object_set_new(numbers, figures[i].key,
				    json_integer(row->figure[i]));
	for (int c = 0; c < WHY_N_CAUSES; c++)
		if (row->refused[c])
			json_object_set_new(refused, why_cause(c)->id,
					    json_integer(row->refused[c]));
	all = json_pack("{s:s, s:s, s:I, s:o, s:o}", "node", row->node,
			"version", row->version, "started_ms",
			(json_int_t)row->started_ms, "figures", numbers,
			"refused", refused);
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

static void tell(struct gate_view *v)
{
	struct gate_cluster *cluster = gate_house_cluster(v->house);
	struct row row;
	char *text;

	count_own(v, &row);
	if (!row.id[0])
		return; /* it is alone */
	text = write_note(&row);
	if (text)
		gate_cluster_note(cluster, "figures", bytes_of_str(text),
				  TOLD_S);
	free(text);
}

static void on_time(struct ses_timer *timer)
{
	struct gate_census *c =
		ses_container_of(timer, struct gate_census, timer);

	tell(c->view);
	ses_timers_start(&c->view->loop->timers, timer,
			 c->view->loop->now_ms + TELL_MS);
}

struct gate_census *gate_census_begin(struct gate_view *view)
{
	struct gate_census *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->view = view;
	c->timer.fire = on_time;
	on_time(&c->timer);
	return c;
}

void gate_census_end(struct gate_census *c)
{
	if (c)
		ses_timers_stop(&c->view->loop->timers, &c->timer);
	free(c);
}

struct gate_enquiry *gate_census_ask(struct gate_view *view,
				     gate_enquiry_done done, void *user)
{
	return gate_cluster_ask(gate_house_cluster(view->house), "figures:*",
				done, user);
}

/* ---- Hearing ---- */

/* A word without blanks, quotes and what else may be taken for another. */
static bool read_word(const json_t *o, const char *name, char *out, size_t size)
{
	struct bytes word = gate_json_text(o, name);

	if (!word.len || word.len >= size)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] <= ' ' || word.data[i] > '~' ||
		    strchr("\"\\#", word.data[i]))
			return false;
	memcpy(out, word.data, word.len);
	out[word.len] = '\0';
	return true;
}

/* -1: it is not there. */
static bool read_number(const json_t *o, const char *name, int64_t *ret)
{
	const json_t *value = json_object_get(o, name);

	*ret = value ? json_integer_value(value) : -1;
	return !value || (json_is_integer(value) && *ret >= 0);
}

static bool read_figures(const json_t *o, struct row *row)
{
	const json_t *numbers = json_object_get(o, "figures");
	const json_t *refused = json_object_get(o, "refused");
	bool good = json_is_object(numbers) && json_is_object(refused);

	for (int i = 0; good && i < N_FIGURES; i++)
		good = read_number(numbers, figures[i].key, &row->figure[i]);
	for (int c = 0; good && c < WHY_N_CAUSES; c++)
		good = read_number(refused, why_cause(c)->id, &row->refused[c]);
	return good;
}

static bool read_note(const struct gate_note *said, struct row *row)
{
	struct bytes id = bytes_from(said->name, strlen("figures:"));
	const char *wrong;
	json_t *o = NULL;
	bool good;

	if (said->text.len <= NOTE_BYTES && id.len < sizeof(row->id))
		o = gate_json_read(said->text, &wrong);
	if (!o)
		return false;
	*row = (struct row){.started_ms = -1};
	memcpy(row->id, id.data, id.len);
	good = read_word(o, "node", row->node, sizeof(row->node)) &&
	       read_word(o, "version", row->version, sizeof(row->version)) &&
	       read_number(o, "started_ms", &row->started_ms) &&
	       read_figures(o, row);
	json_decref(o);
	return good;
}

/* ---- Showing ---- */

struct table {
	struct row *row;
	size_t n;
};

static bool begin_table(struct table *t, struct gate_view *v,
			const struct gate_note *said)
{
	struct gate_cluster *cluster = gate_house_cluster(v->house);

	t->n = 0;
	t->row = calloc(MOST_ROWS, sizeof(*t->row));
	if (!t->row)
		return false;
	count_own(v, &t->row[t->n++]);
	for (; said && t->n < MOST_ROWS; said = said->next) {
		if (!read_note(said, &t->row[t->n]))
			gate_cluster_blame(cluster, said);
		else if (strcmp(t->row[t->n].id, t->row[0].id) != 0)
			t->n++;
	}
	return true;
}

/*
 * Of two with the same name the one that was started last has it: the other
 * ended without a word, or its `node` is a mistake, and Prometheus takes no
 * answer that has a series twice.
 */
static void name_rows(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct row *r = &t->row[i];
		bool taken = false;

		for (size_t k = 0; k < t->n; k++)
			taken = taken ||
				(k != i && strcmp(t->row[k].node, r->node) == 0 &&
				 (t->row[k].started_ms > r->started_ms ||
				  (t->row[k].started_ms == r->started_ms &&
				   k < i)));
		snprintf(r->label, sizeof(r->label), "%s%s%s", r->node,
			 taken ? "#" : "", taken ? r->id : "");
	}
}

static void put_series(struct ses_buf *out, const struct table *t,
		       enum figure which)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->row[i].figure[which] >= 0)
			ses_buf_printf(
				out, "sesame_cluster_%s{node=\"%s\"%s} %lld\n",
				figures[which].name, t->row[i].label,
				figures[which].label,
				(long long)t->row[i].figure[which]);
}

static void put_family(struct ses_buf *out, enum figure which)
{
	char name[64];

	snprintf(name, sizeof(name), "cluster_%s", figures[which].name);
	if (figures[which].help[0])
		gate_family(out, name, figures[which].type, figures[which].help);
}

static void put_handshakes(struct ses_buf *out, const struct table *t)
{
	static const char series[] =
		"sesame_cluster_handshakes_total{node=\"%s\",result=\"%s\","
		"cause=\"%s\"} %lld\n";

	put_family(out, OPENED);
	for (size_t i = 0; i < t->n; i++) {
		struct row *r = &t->row[i];

		if (r->figure[OPENED] >= 0)
			ses_buf_printf(out, series, r->label, "opened", "ok",
				       (long long)r->figure[OPENED]);
		for (int c = 0; c < WHY_N_CAUSES; c++)
			if (r->refused[c] > 0)
				ses_buf_printf(out, series, r->label, "refused",
					       why_cause(c)->id,
					       (long long)r->refused[c]);
	}
}

static void put_nodes(struct ses_buf *out, const struct table *t)
{
	gate_family(out, "cluster_node_info", "gauge",
		    "The gateways that are told of here.");
	for (size_t i = 0; i < t->n; i++)
		ses_buf_printf(out,
			       "sesame_cluster_node_info{node=\"%s\","
			       "version=\"%s\"} 1\n",
			       t->row[i].label, t->row[i].version);
	gate_family(out, "cluster_start_time_seconds", "gauge",
		    "When they were started.");
	for (size_t i = 0; i < t->n; i++)
		if (t->row[i].started_ms >= 0)
			ses_buf_printf(out,
				       "sesame_cluster_start_time_seconds{"
				       "node=\"%s\"} %.15g\n",
				       t->row[i].label,
				       (double)t->row[i].started_ms / 1000);
}

static void put_whole(struct ses_buf *out, const struct gate_view *v, size_t n)
{
	struct hub_redis_figures f = {.up = true, .nodes = 1};

	gate_cluster_count(gate_house_cluster(v->house), &f);
	gate_family_of_one(out, "cluster_up", "gauge",
			   "1 while the backplane answers, or where there is "
			   "none.",
			   f.up);
	gate_family_of_one(out, "cluster_nodes", "gauge",
			   "Gateways of this backplane that are alive, as far "
			   "as this one knows.",
			   f.nodes ? (double)f.nodes : 1);
	gate_family_of_one(out, "cluster_nodes_shown", "gauge",
			   "Those of them whose figures stand here.", (double)n);
}

int gate_census_write(struct gate_view *v, const struct gate_note *said,
		      struct ses_buf *out)
{
	struct table t;

	if (!begin_table(&t, v, said))
		return ses_buf_append_str(out, "# out of memory\n");
	name_rows(&t);
	put_whole(out, v, t.n);
	put_nodes(out, &t);
	put_handshakes(out, &t);
	for (enum figure f = 0; f < OPENED; f++) {
		put_family(out, f);
		put_series(out, &t, f);
	}
	free(t.row);
	return ses_buf_append_str(out, "");
}
