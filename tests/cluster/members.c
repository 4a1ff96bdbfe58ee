/* SPDX-License-Identifier: MIT */
#include "cluster/crowd.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PING_MS	  1500
#define IDLE_MS	  5000
#define SILENT_MS 20000 /* a publisher without an answer leaves */

struct crowd_member {
	struct crowd *crowd;
	struct ledger_reader *reader;
	struct sesame_conn *conn;
	struct sesame_timer *timer;
	unsigned channel, node;
	uint32_t number, life;
	uint64_t seed, away_ms, silent_until_ms;
	bool publishes, open, joined, later, over;
	/* What waits for an answer, in the order in which it was said. */
	struct said {
		uint32_t place;
		uint64_t at_ms;
	} said[CROWD_WINDOW];
	unsigned n_said;
};

static void come_back(struct crowd_member *m, uint64_t ms);

static uint64_t now_of(const struct crowd_member *m)
{
	return sesame_loop_now_ms(m->crowd->loop);
}

/* ---- What it hears; the envelopes are those of docs/sesame.v1.md ---- */

/* Where the value of @name begins, or NULL. */
static const char *value_of(const char *text, const char *name)
{
	char pattern[32];
	const char *at;

	snprintf(pattern, sizeof(pattern), "\"%s\":", name);
	at = strstr(text, pattern);
	return at ? at + strlen(pattern) : NULL;
}

static bool read_id(const char *text, const char *name, struct ledger_id *ret)
{
	const char *at = value_of(text, name);

	return at && *at == '"' && ledger_read_id(at + 1, ret);
}

/* The place that a payload says it has, if it is one of ours. */
static uint32_t place_of(const struct crowd_member *m, const char *text)
{
	const char *at = value_of(text, "data");
	char *end, expected[256];
	unsigned long place;
	int n;

	if (!at || *at++ != '"')
		return UINT32_MAX;
	place = strtoul(at, &end, 10);
	n = crowd_payload(expected, sizeof(expected), m->channel,
			  (uint32_t)place);
	if (strncmp(at, expected, (size_t)n) || at[n] != '"')
		return UINT32_MAX;
	return (uint32_t)place;
}

static void complain(struct crowd_member *m, const char *text)
{
	ledger_complain(m->crowd->ledger, LEDGER_ANSWER, m->channel, text);
}

static void on_content(struct crowd_member *m, const char *text)
{
	struct ledger_id id;

	if (read_id(text, "id", &id))
		ledger_hear(m->reader, &id, place_of(m, text));
	else
		complain(m, text);
}

static void on_gap(struct crowd_member *m, const char *text)
{
	struct ledger_id from = {.seq = 0}, to = {.seq = 0};
	const char *missing = value_of(text, "missing");

	read_id(text, "from", &from);
	read_id(text, "to", &to);
	if (!missing)
		complain(m, text);
	else
		ledger_gap(m->reader, &from, &to,
			   *missing == 'n' ? -1 : atoll(missing));
}

static void on_welcome(struct crowd_member *m, const char *text)
{
	const char *resumed = value_of(text, "resumed");
	struct ledger_id id;

	if (!resumed || !read_id(text, "id", &id)) {
		complain(m, text);
		return;
	}
	ledger_welcome(m->reader, &id, *resumed == 't');
	m->crowd->figures.resumed += *resumed == 't';
	m->joined = true;
	m->open = true;
}

/* Take what @ref names out of what waits. False: nothing does. */
static bool take_said(struct crowd_member *m, const char *text,
		      struct said *ret_said)
{
	const char *ref = value_of(text, "ref");
	uint32_t place = ref ? (uint32_t)strtoul(ref, NULL, 10) : UINT32_MAX;

	for (unsigned i = 0; i < m->n_said; i++) {
		if (m->said[i].place != place)
			continue;
		*ret_said = m->said[i];
		m->n_said--;
		memmove(&m->said[i], &m->said[i + 1],
			(m->n_said - i) * sizeof(struct said));
		return true;
	}
	complain(m, text);
	return false;
}

static void on_ack(struct crowd_member *m, const char *text)
{
	struct crowd_figures *figures = &m->crowd->figures;
	struct ledger_id id;
	struct said said;
	uint64_t ms;

	if (!take_said(m, text, &said))
		return;
	ms = now_of(m) - said.at_ms;
	if (ms > figures->slowest_ms)
		figures->slowest_ms = ms;
	if (read_id(text, "id", &id))
		ledger_ack(m->crowd->ledger, m->channel, said.place, &id);
	else
		complain(m, text);
}

/*
 * What was refused is not to come, unless nobody knows. It is said no more, for
 * others wait: a busy, absent or full backplane is given time.
 */
static void on_error(struct crowd_member *m, const char *text)
{
	bool unknown = strstr(text, "\"code\":\"unknown\"");
	struct said said;

	m->crowd->figures.errors++;
	if (!unknown && !strstr(text, "\"code\":\"busy\"") &&
	    !strstr(text, "\"code\":\"storage\"") &&
	    !strstr(text, "\"code\":\"unavailable\"")) {
		complain(m, text);
		return;
	}
	if (take_said(m, text, &said) && !unknown)
		ledger_refuse(m->crowd->ledger, m->channel, said.place);
	m->silent_until_ms = now_of(m) + 100 + crowd_random(&m->seed, 300);
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	static const struct {
		const char *begins;
		void (*on)(struct crowd_member *m, const char *text);
	} types[] = {
		{"{\"type\":\"message\"", on_content},
		{"{\"type\":\"ack\"", on_ack},
		{"{\"type\":\"gap\"", on_gap},
		{"{\"type\":\"welcome\"", on_welcome},
		{"{\"type\":\"error\"", on_error},
		{"{\"type\":\"presence\"", NULL},
	};
	struct crowd_member *m = user;
	char text[4096];
	unsigned i = 0;

	if (m->over)
		return;
	if (kind != SESAME_TEXT || len >= sizeof(text))
		len = 0;
	memcpy(text, data, len);
	text[len] = '\0';
	while (i < 6 && strncmp(text, types[i].begins, strlen(types[i].begins)))
		i++;
	pthread_mutex_lock(&m->crowd->lock);
	if (i == 6)
		complain(m, text);
	else if (types[i].on)
		types[i].on(m, text);
	pthread_mutex_unlock(&m->crowd->lock);
}

/* ---- How it comes and goes ---- */

static void on_open(struct sesame_conn *conn, void *user)
{
	struct crowd_member *m = user;
	struct ledger_id id;
	char text[64];

	m->crowd->figures.opened++;
	if (!m->later)
		return;
	ledger_last(m->reader, &id);
	snprintf(text, sizeof(text), "{\"resume\":\"%s-%" PRIu64 "\"}",
		 id.epoch, id.seq);
	sesame_conn_send(conn, SESAME_TEXT, text, strlen(text));
}

/* What waits for an answer gets none: it may come, once, or not. */
static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct crowd_member *m = user;

	if (end->status)
		m->crowd->figures.refused++;
	else
		m->crowd->figures.broken++;
	m->conn = NULL;
	m->open = false;
	m->n_said = 0;
	m->life++;
	if (!m->over)
		come_back(m, m->away_ms + 20 + crowd_random(&m->seed, 200));
	m->away_ms = 0;
}

static void dial(void *user)
{
	static const struct sesame_handlers handlers = {
		.on_open = on_open,
		.on_message = on_message,
		.on_close = on_close,
	};
	const struct sesame_client_options options = {
		.protocols = "sesame.v1",
		.no_deflate = true,
		.limits = {.ping_ms = PING_MS,
			   .idle_ms = IDLE_MS,
			   .handshake_ms = IDLE_MS,
			   .close_ms = 1000},
	};
	struct crowd_member *m = user;
	const struct crowd_node *node;
	char url[256], path[32], since[64] = "";
	struct ledger_id id;

	m->timer = NULL;
	m->node = crowd_random(&m->seed, m->crowd->n_nodes);
	node = &m->crowd->nodes[m->node];
	m->later = false;
	if (ledger_last(m->reader, &id)) {
		m->later = !crowd_random(&m->seed, 8);
		snprintf(since, sizeof(since), "?since=%s-%" PRIu64, id.epoch,
			 id.seq);
	}
	crowd_path(m->channel, path);
	snprintf(url, sizeof(url), "ws://%s:%d%s%s", node->host, node->port,
		 path, m->later ? "?since=later" : since);
	if (sesame_connect(m->crowd->loop, url, &options, &handlers, m,
			   &m->conn, NULL, 0) < 0)
		come_back(m, 200);
}

static void come_back(struct crowd_member *m, uint64_t ms)
{
	m->timer = sesame_timer_start(m->crowd->loop, ms, dial, m);
	assert(m->timer);
}

void crowd_members_start(struct crowd *crowd)
{
	crowd->n_members = crowd->n_channels * crowd->n_readers;
	crowd->members = calloc(crowd->n_members, sizeof(struct crowd_member));
	assert(crowd->members);
	for (unsigned i = 0; i < crowd->n_members; i++) {
		struct crowd_member *m = &crowd->members[i];

		m->crowd = crowd;
		m->channel = i % crowd->n_channels;
		m->number = i;
		m->publishes = i / crowd->n_channels < crowd->n_publishers;
		m->seed = crowd->seed * 1000003ull + i + 1;
		m->reader = ledger_reader(crowd->ledger, m->channel);
		come_back(m, i / 4);
	}
}

static void leave(struct crowd_member *m, uint64_t ms)
{
	if (!m->conn)
		return;
	m->away_ms = ms;
	if (crowd_random(&m->seed, 2) ||
	    sesame_conn_close(m->conn, 1000, "moving") < 0)
		sesame_conn_abort(m->conn);
}

void crowd_members_leave(struct crowd *crowd, int node, unsigned percent,
			 uint64_t ms)
{
	for (unsigned i = 0; i < crowd->n_members; i++) {
		struct crowd_member *m = &crowd->members[i];

		if (node >= 0 ? m->node == (unsigned)node
			      : crowd_random(&m->seed, 100) < percent)
			leave(m, ms);
	}
}

static void read_on(void *user)
{
	struct crowd_member *m = user;

	/* Whoever was closed meanwhile has come back or will. */
	if (m->conn)
		sesame_conn_resume(m->conn);
}

void crowd_members_slow(struct crowd *crowd, unsigned percent, uint64_t ms)
{
	for (unsigned i = 0; i < crowd->n_members; i++) {
		struct crowd_member *m = &crowd->members[i];

		if (!m->open || m->n_said ||
		    crowd_random(&m->seed, 100) >= percent)
			continue;
		sesame_conn_pause(m->conn);
		sesame_timer_start(crowd->loop,
				   ms / 2 + crowd_random(&m->seed, (uint32_t)ms),
				   read_on, m);
	}
}

void crowd_members_stop(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n_members; i++) {
		struct crowd_member *m = &crowd->members[i];

		m->over = true;
		if (m->timer)
			sesame_timer_stop(m->timer);
		if (m->conn)
			sesame_conn_abort(m->conn);
	}
}

/* ---- What it says ---- */

static bool may_speak(struct crowd_member *m)
{
	uint64_t now = now_of(m);

	if (!m->publishes || !m->open || !m->conn || now < m->silent_until_ms)
		return false;
	if (m->n_said && now - m->said[0].at_ms > SILENT_MS) {
		fprintf(stderr, "member %u: no answer for %d s\n", m->number,
			SILENT_MS / 1000);
		sesame_conn_abort(m->conn);
		m->open = false;
		return false;
	}
	return m->n_said < CROWD_WINDOW;
}

static void speak(struct crowd_member *m)
{
	char payload[256], text[320];
	uint32_t place;

	pthread_mutex_lock(&m->crowd->lock);
	place = ledger_say(m->crowd->ledger, m->channel, m->number, m->life);
	pthread_mutex_unlock(&m->crowd->lock);
	crowd_payload(payload, sizeof(payload), m->channel, place);
	snprintf(text, sizeof(text), "{\"publish\":\"%s\",\"ref\":%u}", payload,
		 place);
	m->said[m->n_said++] = (struct said){place, now_of(m)};
	if (sesame_conn_send(m->conn, SESAME_TEXT, text, strlen(text)) < 0)
		m->silent_until_ms = now_of(m) + 100;
}

/* Each in turn, one message at a time, until the time's share is said. */
void crowd_members_speak(struct crowd *crowd, uint64_t ms)
{
	static unsigned turn;
	static uint64_t debt;
	unsigned idle = 0;

	debt += crowd->rate * ms;
	if (debt > crowd->rate * 200ull)
		debt = crowd->rate * 200ull;
	while (debt >= 1000 && idle < crowd->n_members) {
		struct crowd_member *m =
			&crowd->members[turn++ % crowd->n_members];

		if (!may_speak(m)) {
			idle++;
			continue;
		}
		speak(m);
		idle = 0;
		debt -= 1000;
	}
}

/* ---- How far they are ---- */

unsigned crowd_members_joined(const struct crowd *crowd)
{
	unsigned n = 0;

	for (unsigned i = 0; i < crowd->n_members; i++)
		n += crowd->members[i].joined;
	return n;
}

unsigned crowd_members_open(const struct crowd *crowd)
{
	unsigned n = 0;

	for (unsigned i = 0; i < crowd->n_members; i++)
		n += crowd->members[i].open;
	return n;
}

unsigned crowd_members_waiting(const struct crowd *crowd)
{
	unsigned n = 0;

	for (unsigned i = 0; i < crowd->n_members; i++)
		n += crowd->members[i].n_said > 0;
	return n;
}

unsigned crowd_members_behind(const struct crowd *crowd,
			      const uint32_t *last_places, bool complains)
{
	unsigned n = 0;

	for (unsigned i = 0; i < crowd->n_members; i++) {
		const struct crowd_member *m = &crowd->members[i];
		struct ledger_id id = {.seq = 0};
		char text[100];

		if (ledger_has(m->reader, last_places[m->channel]))
			continue;
		n++;
		if (!complains)
			continue;
		ledger_last(m->reader, &id);
		snprintf(text, sizeof(text),
			 "member %u, at node %u (%s), %s-%" PRIu64, m->number,
			 m->node, m->open ? "open" : "away", id.epoch, id.seq);
		ledger_complain(crowd->ledger, LEDGER_STUCK, m->channel, text);
	}
	return n;
}
