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
#include "gate/figure.h"
#include "gate/json.h"
#include "gate/prometheus.h"
#include "hub/redis.h"

#define TELL_MS	     2000
#define TOLD_S	     10 /* that it holds: a gateway lives as long */
#define NOTE_BYTES   ((size_t)16 * 1024)
#define MOST_ROWS    257 /* as many as the backplane knows, and this one */
#define VERSION_SIZE 24
#define LABEL_SIZE   (GATE_NODE_SIZE + HUB_REDIS_NODE_LEN + 1)

/* One gateway. */
struct row {
	char id[HUB_REDIS_NODE_LEN + 1]; /* at the backplane; "": it has none */
	char node[GATE_NODE_SIZE];
	char label[LABEL_SIZE];
	char version[VERSION_SIZE];
	int64_t started_ms;
	int64_t figure[GATE_N_FIGURES]; /* -1: it does not tell */
	int64_t refused[WHY_N_CAUSES];
};

static void count_own(const struct gate_view *v, struct row *row)
{
	const struct gate_cluster *cluster = gate_house_cluster(v->house);
	struct hub_redis_figures f;

	*row = (struct row){.version = SESAME_VERSION};
	snprintf(row->node, sizeof(row->node), "%s", gate_cluster_node(cluster));
	if (gate_cluster_count(cluster, &f))
		snprintf(row->id, sizeof(row->id), "%s", f.node);
	row->started_ms = v->started_ms;
	gate_count_all(v, row->figure, row->refused);
}

/* ---- Telling ---- */

struct gate_census {
	struct gate_view *view;
	struct ses_timer timer;
};

static bool is_told(enum gate_figure which)
{
	return gate_figure(which)->key[0] != '\0';
}

/* To be freed. NULL: no memory. */
static char *write_note(const struct row *row)
{
	json_t *numbers = json_object(), *refused = json_object(), *all;
	char *text;

	for (int i = 0; i < GATE_N_FIGURES; i++)
		if (is_told(i))
			json_object_set_new(numbers, gate_figure(i)->key,
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

	for (int i = 0; good && i < GATE_N_FIGURES; i++)
		good = !is_told(i) || read_number(numbers, gate_figure(i)->key,
						  &row->figure[i]);
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
		       enum gate_figure which)
{
	const struct gate_figure_row *figure = gate_figure(which);

	for (size_t i = 0; i < t->n; i++)
		if (t->row[i].figure[which] >= 0)
			ses_buf_printf(
				out, "sesame_cluster_%s{node=\"%s\"%s} %lld\n",
				figure->name, t->row[i].label, figure->label,
				(long long)t->row[i].figure[which]);
}

static void put_family(struct ses_buf *out, enum gate_figure which)
{
	const struct gate_figure_row *figure = gate_figure(which);
	char name[64];

	snprintf(name, sizeof(name), "cluster_%s", figure->name);
	if (figure->help[0])
		gate_family(out, name, figure->type, figure->help);
}

static void put_handshakes(struct ses_buf *out, const struct table *t)
{
	static const char series[] =
		"sesame_cluster_handshakes_total{node=\"%s\",result=\"%s\","
		"cause=\"%s\"} %lld\n";

	put_family(out, GATE_FIGURE_OPENED);
	for (size_t i = 0; i < t->n; i++) {
		struct row *r = &t->row[i];

		if (r->figure[GATE_FIGURE_OPENED] >= 0)
			ses_buf_printf(out, series, r->label, "opened", "ok",
				       (long long)r->figure[GATE_FIGURE_OPENED]);
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
	for (int f = 0; f < GATE_N_FIGURES; f++) {
		if (!is_told(f) || f == GATE_FIGURE_OPENED)
			continue;
		put_family(out, f);
		put_series(out, &t, f);
	}
	free(t.row);
	return ses_buf_append_str(out, "");
}
