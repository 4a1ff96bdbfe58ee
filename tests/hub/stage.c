/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hub/hub_inner.h"
#include "redis_server.h"
#include "story.h"

#define PATIENCE_MS 20000

const struct hub_rules plain = {
	.channels = 100,
	.members = 100,
	.queue = 1 << 20,
	.kept = 1 << 24,
	.history = 100,
	.history_bytes = 1 << 20,
	.history_ms = 600000,
	.keys = 100,
};

static struct redis_server server; /* of all tests of this program */
static struct place *places;	   /* that are open */

/* ---- What is said to the operator, by threads of backplanes ---- */

static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;
static char said[64 * 1024];

static void note(const char *sentence)
{
	size_t n;

	pthread_mutex_lock(&said_lock);
	n = strlen(said);
	snprintf(said + n, sizeof(said) - n, "%s\n", sentence);
	pthread_mutex_unlock(&said_lock);
}

const char *places_said(void)
{
	static char copy[sizeof(said)];

	pthread_mutex_lock(&said_lock);
	memcpy(copy, said, sizeof(said));
	pthread_mutex_unlock(&said_lock);
	return copy;
}

void stage_begin(void)
{
	places = NULL;
	pthread_mutex_lock(&said_lock);
	said[0] = '\0';
	pthread_mutex_unlock(&said_lock);
}

static bool was_said(void *arg)
{
	return strstr(places_said(), arg) != NULL;
}

void place_says(struct place *at, const char *words)
{
	char *copy = strdup(words);

	place_wait(at, was_said, copy, words);
	free(copy);
}

/* ---- What guests are told ---- */

static struct bytes hear(struct guest *g, struct bytes frames)
{
	char json[2048];
	struct bytes left = story_take_frame(frames, json, sizeof(json));

	if (g->plain)
		story_add(g->heard, sizeof(g->heard), "%s ", json);
	else if (strstr(json, "\"type\":\"welcome\""))
		snprintf(g->welcome, sizeof(g->welcome), "%.511s", json);
	else
		story_add_envelope(g->heard, sizeof(g->heard), json);
	return left;
}

static enum hub_taken deliver(struct hub_member *member,
			      const struct hub_parcel *p)
{
	struct guest *g = ses_container_of(member, struct guest, member);
	struct bytes left = p->frames;

	if (g->stuck)
		return HUB_NOT_TAKEN;
	for (size_t i = 0; i < (p->n ? p->n : 1); i++)
		left = hear(g, left);
	assert_int_equal(left.len, 0);
	return HUB_TAKEN;
}

static void go_on(struct hub_member *member)
{
}

static void begin(struct guest *g)
{
	if (!g->member.begun)
		hub_begin(g->place->seat, &g->member, g->you, g->since);
}

static void ready(struct hub_member *member)
{
	begin(ses_container_of(member, struct guest, member));
}

static void missed(struct hub_member *member, uint64_t n, bool conflated)
{
	ses_container_of(member, struct guest, member)->n_missed += n;
}

static void too_slow(struct hub_member *member)
{
	ses_container_of(member, struct guest, member)->left_out = true;
}

static void refused(struct hub_member *member)
{
	ses_container_of(member, struct guest, member)->refused = true;
}

static const struct hub_events events = {
	.deliver = deliver,
	.go_on = go_on,
	.ready = ready,
	.missed = missed,
	.too_slow = too_slow,
	.refused = refused,
};

/* ---- Places ---- */

bool stage_has_nodes(void)
{
	const char *name = getenv("SESAME_BACKPLANE");

	return name && strcmp(name, "redis") == 0;
}

static void stop_server(void)
{
	redis_server_stop(&server);
}

static struct hub_backplane *redis_at(const char *url)
{
	struct hub_redis_options o = {.url = url, .log = note};
	char wrong[200];
	struct hub_backplane *b = hub_redis_new(&o, wrong, sizeof(wrong));

	if (!b)
		fail_msg("%s", wrong);
	return b;
}

static void empty_server(void)
{
	if (!redis_server_is_here())
		skip();
	if (server.pid) {
		redis_server_tell(&server, "FLUSHALL", "+OK");
		return;
	}
	redis_server_start(&server, false);
	atexit(stop_server);
}

struct hub_backplane *stage_backplane(void)
{
	if (!stage_has_nodes())
		return hub_memory_new();
	empty_server();
	return redis_at(server.url);
}

static void sit_down(struct place *at, struct hub *hub, unsigned seat,
		     const struct hub_rules *rules)
{
	assert_non_null(hub);
	at->hub = hub;
	at->loop = sesame_loop_new();
	at->seat = hub_take_seat(hub, seat, at->loop);
	at->space = hub_find_space(hub, "/chat/*", rules);
	at->next = places;
	places = at;
}

static void get_up(struct place *at)
{
	struct place **link = &places;

	while (*link != at)
		link = &(*link)->next;
	*link = at->next;
	sesame_loop_free(at->loop);
}

void place_open(struct place *at, const char *url, const struct hub_rules *rules)
{
	*at = (struct place){.redis = redis_at(url)};
	sit_down(at, hub_new(1, &events, at->redis), 0, rules);
}

void places_open(struct place at[2], const struct hub_rules *rules)
{
	struct hub *hub;

	stage_begin();
	if (stage_has_nodes()) {
		empty_server();
		for (int i = 0; i < 2; i++)
			place_open(&at[i], server.url, rules);
		return;
	}
	hub = hub_new(2, &events, hub_memory_new());
	for (unsigned i = 0; i < 2; i++) {
		at[i] = (struct place){.hub = NULL};
		sit_down(&at[i], hub, i, rules);
	}
}

static void all_leave(struct place *at)
{
	while (at->guests)
		guest_goes(at->guests);
}

void place_close(struct place *at)
{
	all_leave(at);
	hub_stop(at->hub);
	get_up(at);
	hub_free(at->hub);
}

void places_close(struct place at[2])
{
	bool one = at[0].hub == at[1].hub;

	all_leave(&at[0]);
	all_leave(&at[1]);
	if (one) {
		hub_stop(at[1].hub);
		get_up(&at[1]);
	} else {
		place_close(&at[1]);
	}
	place_close(&at[0]);
}

void two_nodes_open(struct place at[2], struct redis_server *of,
		    const struct hub_rules *rules)
{
	if (!redis_server_is_here())
		skip();
	stage_begin();
	redis_server_start(of, false);
	for (int i = 0; i < 2; i++)
		place_open(&at[i], of->url, rules);
}

void two_nodes_close(struct place at[2], struct redis_server *of)
{
	places_close(at);
	redis_server_stop(of);
}

void place_turn(struct place *at)
{
	for (struct place *p = places; p; p = p->next)
		sesame_loop_turn(p->loop, p == at ? 5 : 0);
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* False: it has not come to be so. */
static bool wait_for(struct place *at, bool (*is_so)(void *arg), void *arg)
{
	uint64_t end_ms = clock_ms() + PATIENCE_MS;

	while (!is_so(arg)) {
		if (clock_ms() > end_ms)
			return false;
		place_turn(at);
	}
	return true;
}

void place_wait(struct place *at, bool (*is_so)(void *arg), void *arg,
		const char *what)
{
	if (!wait_for(at, is_so, arg))
		fail_msg("in vain waited for: %s; said was:\n%s", what,
			 places_said());
}

struct up {
	struct place *place;
	bool up;
};

static bool is_up(void *arg)
{
	struct up *u = arg;
	struct hub_redis_figures f;

	hub_redis_count(u->place->redis, &f);
	return f.up == u->up && (f.up || f.trouble[0]);
}

void place_is_up(struct place *at, bool up)
{
	struct up u = {at, up};

	place_wait(at, is_up, &u, up ? "Redis is there" : "Redis is away");
}

/* ---- Guests ---- */

static bool is_welcome(void *arg)
{
	return ((struct guest *)arg)->member.begun;
}

void guest_comes(struct guest *g, struct place *at, const char *channel,
		 const char *since)
{
	g->place = at;
	g->next = at->guests;
	g->since = bytes_of_str(since);
	g->heard[0] = '\0';
	g->member.envelopes = !g->plain;
	assert_int_equal(hub_join(at->seat, at->space, bytes_of_str(channel),
				  g->you, &g->member),
			 HUB_OK);
	at->guests = g;
	begin(g);
	place_wait(at, is_welcome, g, "a welcome");
	place_turn(at);
}

void guest_goes(struct guest *g)
{
	struct guest **at = &g->place->guests;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	hub_leave(g->place->seat, &g->member);
	place_turn(g->place);
}

void guest_reads(struct guest *g)
{
	g->stuck = false;
	hub_drained(g->place->seat, &g->member);
}

struct story {
	struct guest *guest;
	const char *wanted;
};

static bool is_told(void *arg)
{
	struct story *s = arg;

	return strlen(s->guest->heard) >= strlen(s->wanted);
}

void guest_hears(struct guest *g, const char *story)
{
	struct story s = {g, story};

	place_turn(g->place);
	wait_for(g->place, is_told, &s);
	assert_string_equal(g->heard, story);
	g->heard[0] = '\0';
}

/* ---- Publishing ---- */

struct answer {
	struct hub_ticket ticket;
	bool is;
};

static void on_answer(struct hub_ticket *ticket)
{
	ses_container_of(ticket, struct answer, ticket)->is = true;
}

static bool is_answered(void *arg)
{
	return ((struct answer *)arg)->is;
}

enum hub_verdict say(struct place *at, const char *channel,
		     const struct hub_content *content, size_t n,
		     const char *key, struct hub_receipt *ret_receipt)
{
	/* Where the test fails it comes when nobody is here any more. */
	static struct answer a;
	enum hub_verdict verdict;

	a = (struct answer){.ticket = {.done = on_answer}};
	verdict = hub_publish_to(at->seat, at->space, bytes_of_str(channel),
				 content, n, bytes_of_str(key), &a.ticket,
				 ret_receipt);
	if (verdict != HUB_LATER)
		return verdict;
	place_wait(at, is_answered, &a, "what became of a message");
	*ret_receipt = a.ticket.receipt;
	return a.ticket.verdict;
}

static uint64_t take(struct place *at, const char *channel,
		     const struct hub_content *content)
{
	struct hub_receipt receipt;
	enum hub_verdict verdict = say(at, channel, content, 1, NULL, &receipt);

	if (verdict != HUB_OK || receipt.n != 1)
		fail_msg("verdict %d; said was:\n%s", verdict, places_said());
	return receipt.seq;
}

uint64_t tell(struct place *at, const char *channel, const char *text)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of_str(text),
	};

	return take(at, channel, &content);
}

uint64_t put(struct place *at, const char *channel, const char *key,
	     const char *value)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of_str(value),
		.key = bytes_of_str(key),
		.gone = !value,
	};

	return take(at, channel, &content);
}

/* ---- Reading ---- */

/* Which channel is looked at, and for what. */
struct view {
	struct place *place;
	const char *channel, *since, *wanted;
	bool present;
	char seen[8192], id[256];
};

static void reach(struct view *v, struct answer *a)
{
	enum hub_verdict verdict;

	*a = (struct answer){.ticket = {.done = on_answer}};
	verdict = hub_reach(v->place->seat, v->place->space,
			    bytes_of_str(v->channel), &a->ticket);
	if (verdict == HUB_LATER) {
		place_wait(v->place, is_answered, a, "a channel");
		verdict = a->ticket.verdict;
	}
	assert_int_equal(verdict, HUB_OK);
}

static void tell_history(struct view *v, const char *json)
{
	const char *at = json;

	story_field(json, "\"id\":\"", "\"", v->id);
	v->seen[0] = '\0';
	if ((at = strstr(json, "\"gap\":")))
		story_add_gap(v->seen, sizeof(v->seen), at);
	for (at = json; (at = strstr(at, "{\"type\":\"")); at++) {
		const char *next = strstr(at + 1, "{\"type\":\"");
		size_t n = next ? (size_t)(next - at) : strlen(at);
		char one[2048];

		snprintf(one, sizeof(one), "%.*s", (int)n, at);
		if (strncmp(one, "{\"type\":\"gap\"", 13) != 0)
			story_add_envelope(v->seen, sizeof(v->seen), one);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Who came from where first is nobody's business. */
static void sort_words(char *words)
{
	char copy[8192], *word[100], *save = NULL;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w && n < 100;
	     w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	qsort(word, n, sizeof(*word), by_bytes);
	words[0] = '\0';
	for (size_t i = 0; i < n; i++)
		story_add(words, 8192, "%s ", word[i]);
}

static bool is_seen(void *arg)
{
	static struct answer a;
	struct view *v = arg;
	struct ses_buf out;
	char *json;

	reach(v, &a);
	ses_buf_init(&out, 1 << 20);
	if (v->present)
		hub_list_of(v->place->seat, v->place->space,
			    bytes_of_str(v->channel), bytes_of(NULL, 0), 100,
			    &out);
	else
		hub_history_of(v->place->seat, v->place->space,
			       bytes_of_str(v->channel), bytes_of_str(v->since),
			       100, &out);
	hub_release(&a.ticket);
	ses_buf_append(&out, bytes_of("", 1));
	json = (char *)ses_buf_bytes(&out).data;
	if (v->present) {
		v->seen[0] = '\0';
		story_add_names(v->seen, sizeof(v->seen), json, "\"members\":[",
				"");
	} else {
		tell_history(v, json);
	}
	ses_buf_fini(&out);
	if (v->present)
		sort_words(v->seen);
	return !v->wanted || strcmp(v->seen, v->wanted) == 0;
}

static void look_until(struct view *v)
{
	if (!wait_for(v->place, is_seen, v))
		assert_string_equal(v->seen, v->wanted);
}

void history_is(struct place *at, const char *channel, const char *since,
		const char *story)
{
	struct view v = {at, channel, since, story, false, "", ""};

	look_until(&v);
}

void present_are(struct place *at, const char *channel, const char *names)
{
	struct view v = {at, channel, NULL, names, true, "", ""};

	look_until(&v);
}

const char *id_of(struct place *at, const char *channel, uint64_t seq)
{
	static char id[600];
	struct view v = {at, channel, NULL, NULL, false, "", ""};

	look_until(&v);
	snprintf(id, sizeof(id), "%.8s-%llu", v.id, (unsigned long long)seq);
	return id;
}
