/* SPDX-License-Identifier: MIT */
/*
 * Two connections to one server, that come and go together: one for commands,
 * one for what is told. A server that is silent is as good as gone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "hub/redis_inner.h"
#include "net/addr.h"
#include "net/clock.h"

#define FIRST_WAIT_MS 50
#define MOST_WAIT_MS  2000
#define OPENING_MS    6000 /* for both connections to be there */

/* ---- Words ---- */

void redis_key(struct redis *r, struct bytes tag, const char *suffix)
{
	struct redis_link *l = &r->command;
	struct bytes prefix = bytes_of_str(r->url.prefix);

	redis_link_long_word(l, prefix.len + 2 + tag.len + 2 + strlen(suffix));
	redis_link_part(l, prefix);
	redis_link_part(l, BYTES(":{"));
	redis_link_part(l, tag);
	redis_link_part(l, BYTES("}:"));
	redis_link_part(l, bytes_of_str(suffix));
	redis_link_long_end(l);
}

void redis_own_key(struct redis *r, const char *what, const char *name)
{
	char key[320];

	snprintf(key, sizeof(key), "%s:%s:%s", r->url.prefix, what, name);
	redis_link_str(&r->command, key);
}

void redis_topic(struct redis *r, struct redis_link *l, const char *what,
		 struct bytes name)
{
	char head[128];
	size_t len =
		(size_t)snprintf(head, sizeof(head), "%s:%u:%s:", r->url.prefix,
				 r->url.db, what);

	redis_link_long_word(l, len + name.len);
	redis_link_part(l, bytes_of(head, len));
	redis_link_part(l, name);
	redis_link_long_end(l);
}

void redis_script_begin(struct redis *r, enum redis_script script,
			size_t n_keys, size_t n_args)
{
	redis_link_begin(&r->command, 3 + n_keys + n_args);
	redis_link_str(&r->command, "EVALSHA");
	redis_link_str(&r->command, r->sha[script]);
	redis_link_u64(&r->command, n_keys);
}

void redis_script_keys(struct redis *r, struct bytes tag, bool states)
{
	redis_key(r, tag, "h");
	redis_key(r, tag, states ? "s" : "m");
	redis_key(r, tag, "o");
	redis_key(r, tag, "g");
}

void redis_script_args(struct redis *r, const struct redis_bounds *bounds,
		       bool states, size_t name_len)
{
	struct redis_link *l = &r->command;
	struct hub_epoch fresh;

	hub_lock(r->base.hub);
	fresh = hub_new_epoch(r->base.hub);
	hub_unlock(r->base.hub);
	redis_link_str(l, r->life);
	redis_link_str(l, fresh.text);
	redis_link_str(l, states ? "s" : bounds->most ? "m" : "n");
	redis_link_u64(l, bounds->age_ms);
	redis_link_u64(l, name_len);
	redis_link_u64(l, bounds->channels);
	redis_link_u64(l, bounds->kept);
}

void redis_no_reply(void *arg, const struct redis_reply *reply)
{
}

/* ---- Coming up ---- */

static void note_trouble(struct redis *r, const char *why)
{
	snprintf(r->trouble, sizeof(r->trouble), "%s", why);
	pthread_mutex_lock(&r->lock);
	r->figures.up = r->up;
	snprintf(r->figures.trouble, sizeof(r->figures.trouble), "%s", why);
	pthread_mutex_unlock(&r->lock);
}

/* Whether it is the server that was there before, and has what it had: one that
 * followed another since has what that one had. */
static bool is_same(const struct redis *r)
{
	return strcmp(r->life, r->last_life) == 0 &&
	       !(r->has_followed && strcmp(r->history, r->last_history) != 0);
}

/*
 * What the connection before still has on its way would be performed behind what
 * is sent again on this one. Its number says nothing to any other server.
 */
static void end_former_connection(struct redis *r)
{
	struct redis_link *link = &r->command;

	if (r->last_client && strcmp(r->life, r->last_life) == 0) {
		redis_link_begin(link, 4);
		redis_link_str(link, "CLIENT");
		redis_link_str(link, "KILL");
		redis_link_str(link, "ID");
		redis_link_u64(link, r->last_client);
		redis_link_end(link, redis_no_reply, NULL);
	}
	r->last_client = r->client;
}

static void come_up(struct redis *r)
{
	bool same = is_same(r);

	if (!r->command_ready || !r->told_ready || r->up)
		return;
	if (strcmp(r->life, r->told_life) != 0) {
		redis_lose(r, "two servers answer at one address");
		return;
	}
	r->up = true;
	r->up_ms = r->beat_ms = r->loop->now_ms;
	r->command_heard_ms = r->told_heard_ms = r->loop->now_ms;
	note_trouble(r, "");
	redis_add(r, connects, 1);
	if (!same && r->last_life[0])
		redis_say(r,
			  "the backplane %s is there again, restarted or "
			  "another server, or it followed one: channels go on "
			  "from what it kept, in a new epoch",
			  r->address);
	else
		redis_say(r, "the backplane %s is there", r->address);
	end_former_connection(r);
	strcpy(r->last_life, r->life);
	strcpy(r->last_history, r->history);
	redis_node_beat(r);
	redis_post_resume(r, same);
	redis_sync_resume(r);
	redis_post_send(r);
}

/* The id behind @field in INFO, as in "run_id:0123...\r\n". */
static bool read_id(const struct redis_reply *reply, const char *field,
		    char out[48])
{
	const char *at;
	size_t n;

	if (redis_reply_failed(reply) || reply->sort != REDIS_TEXT)
		return false;
	at = strstr((const char *)reply->text.data, field);
	if (!at)
		return false;
	at += strlen(field);
	n = strspn(at, "0123456789abcdefghijklmnopqrstuvwxyz");
	if (!n || n > 46)
		return false;
	memcpy(out, at, n);
	out[n] = '\0';
	return true;
}

static bool read_life(const struct redis_reply *reply, char out[48])
{
	return read_id(reply, "run_id:", out);
}

/* It refused something of the beginning. */
static void fail(struct redis *r, const char *what,
		 const struct redis_reply *reply)
{
	char why[160], words[100];

	if (!reply)
		return; /* it is lost already */
	bytes_printable(reply->text, words, sizeof(words));
	snprintf(why, sizeof(why), "%s: %s", what, words);
	redis_lose(r, why);
}

static const char refused[] =
	"it refuses the user, the password or the database";

/* Redis's own words, which are the same whatever it was told. */
static bool is_known_refusal(struct bytes text)
{
	return bytes_starts(text, BYTES("WRONGPASS ")) ||
	       bytes_starts(text, BYTES("ERR AUTH <password> called without"));
}

/*
 * Of others no more is repeated than the first word: some servers tell what they
 * were told, and that is a password.
 */
static void on_greeted(void *arg, const struct redis_reply *reply)
{
	struct redis_reply word;
	ptrdiff_t blank;

	if (!reply || !redis_reply_failed(reply))
		return;
	word = *reply;
	blank = bytes_find_byte(word.text, ' ');
	if (!is_known_refusal(word.text))
		word.text = bytes_first(word.text, blank < 0 ? 0 : (size_t)blank);
	fail(arg, refused, &word);
}

static void on_selected(void *arg, const struct redis_reply *reply)
{
	if (reply && redis_reply_failed(reply))
		fail(arg, refused, reply);
}

static void on_info(void *arg, const struct redis_reply *reply)
{
	struct redis *r = arg;

	if (reply && !read_life(reply, r->life))
		fail(r, "it does not say who it is", reply);
}

/* Not all that pass for Redis tell of it. */
static void on_replication(void *arg, const struct redis_reply *reply)
{
	struct redis *r = arg;
	char former[48];

	if (!reply || !read_id(reply, "master_replid:", r->history) ||
	    !read_id(reply, "master_replid2:", former))
		return;
	r->has_followed = former[strspn(former, "0")] != '\0';
}

/* Where that is forbidden, nothing is lost but a precaution. */
static void on_client(void *arg, const struct redis_reply *reply)
{
	struct redis *r = arg;

	if (reply && reply->sort == REDIS_NUMBER && reply->number > 0)
		r->client = (uint64_t)reply->number;
}

struct loading {
	struct redis *redis;
	enum redis_script script;
};

static void on_loaded(void *arg, const struct redis_reply *reply)
{
	struct loading *l = arg;
	struct redis *r = l->redis;

	if (reply &&
	    (reply->sort != REDIS_TEXT || reply->text.len != REDIS_SHA_LEN))
		fail(r, "it takes no script", reply);
	else if (reply)
		memcpy(r->sha[l->script], reply->text.data, REDIS_SHA_LEN);
	free(l);
}

static bool read_time(const struct redis_reply *reply, int64_t *ret_ms)
{
	uint64_t s, us;

	if (reply->sort != REDIS_LIST || reply->n != 2 ||
	    !bytes_to_u64(reply->part[0]->text, UINT32_MAX * 4ULL, &s) ||
	    !bytes_to_u64(reply->part[1]->text, 999999, &us))
		return false;
	*ret_ms = (int64_t)(s * 1000 + us / 1000);
	return true;
}

static void on_time(void *arg, const struct redis_reply *reply)
{
	struct redis *r = arg;
	int64_t there_ms;

	if (!reply)
		return;
	if (!read_time(reply, &there_ms)) {
		fail(r, "it does not tell the time", reply);
		return;
	}
	r->ahead_ms = there_ms - (int64_t)r->loop->now_ms;
	r->command_ready = true;
	come_up(r);
}

static void load(struct redis *r, enum redis_script script)
{
	struct loading *l = malloc(sizeof(*l));
	struct redis_link *link = &r->command;
	size_t len = 0;

	if (!l)
		return; /* its SHA is missing: it is refused later */
	*l = (struct loading){r, script};
	redis_link_begin(link, 3);
	redis_link_str(link, "SCRIPT");
	redis_link_str(link, "LOAD");
	for (int i = 0; i < REDIS_SCRIPT_PARTS; i++)
		if (redis_script[script][i])
			len += strlen(redis_script[script][i]);
	redis_link_long_word(link, len);
	for (int i = 0; i < REDIS_SCRIPT_PARTS; i++)
		redis_link_part(link, bytes_of_str(redis_script[script][i]));
	redis_link_long_end(link);
	if (!redis_link_end(link, on_loaded, l))
		free(l);
}

static void command_of(struct redis_link *link, const char *a, const char *b,
		       redis_on_reply *on_reply, void *arg)
{
	redis_link_begin(link, b ? 2 : 1);
	redis_link_str(link, a);
	if (b)
		redis_link_str(link, b);
	redis_link_end(link, on_reply, arg);
}

static void on_command_up(struct redis_link *link)
{
	struct redis *r = ses_container_of(link, struct redis, command);

	redis_link_greet(link, &r->url, on_greeted, on_selected, r);
	command_of(link, "INFO", "server", on_info, r);
	command_of(link, "INFO", "replication", on_replication, r);
	command_of(link, "CLIENT", "ID", on_client, r);
	for (int i = 0; i < REDIS_N_SCRIPTS; i++)
		load(r, i);
	command_of(link, "TIME", NULL, on_time, r);
}

static void subscribe(struct redis *r, const char *what, const char *name)
{
	redis_link_begin(&r->told, 2);
	redis_link_str(&r->told, "SUBSCRIBE");
	redis_topic(r, &r->told, what, bytes_of_str(name));
	redis_link_end(&r->told, NULL, NULL);
}

static void on_told_info(void *arg, const struct redis_reply *reply)
{
	struct redis *r = arg;

	if (!reply)
		return;
	if (!read_life(reply, r->told_life)) {
		fail(r, "it does not say who it is", reply);
		return;
	}
	r->told.pushes = true;
	subscribe(r, "node", r->node);
	subscribe(r, "nodes", "all");
}

static void on_told_up(struct redis_link *link)
{
	struct redis *r = ses_container_of(link, struct redis, told);

	redis_link_greet(link, &r->url, on_greeted, on_selected, r);
	command_of(link, "INFO", "server", on_told_info, r);
}

/* ---- What is told ---- */

/* The part of @topic behind "PREFIX:DB:WHAT:". */
static bool topic_of(struct redis *r, struct bytes topic, const char *what,
		     struct bytes *ret_name)
{
	char head[128];
	struct bytes start;

	snprintf(head, sizeof(head), "%s:%u:%s:", r->url.prefix, r->url.db,
		 what);
	start = bytes_of_str(head);
	*ret_name = bytes_from(topic, start.len);
	return bytes_starts(topic, start);
}

static void on_tuned(struct redis *r, struct bytes topic, bool on)
{
	struct bytes name;

	if (topic_of(r, topic, "c", &name)) {
		redis_sync_tuned(r, name, on);
	} else if (on && topic_of(r, topic, "nodes", &name)) {
		r->told_ready = true;
		come_up(r);
	}
}

static void on_message(struct redis *r, struct bytes topic, struct bytes text)
{
	struct bytes name;

	if (topic_of(r, topic, "c", &name))
		redis_sync_told(r, name, text);
	else if (topic_of(r, topic, "nodes", &name))
		redis_node_told(r, text);
	else if (bytes_starts(text, BYTES("s ")))
		redis_sync_answered(r, text);
	else if (bytes_starts(text, BYTES("p ")))
		redis_people_answered(r, text);
	else
		redis_malformed(r, "what this node was told", topic);
}

static void on_told(struct redis_link *link, const struct redis_reply *reply)
{
	struct redis *r = ses_container_of(link, struct redis, told);
	struct bytes kind;

	r->told_heard_ms = r->loop->now_ms;
	if (reply->sort == REDIS_ERROR) {
		fail(r, "it refused a subscription", reply);
		return;
	}
	if (reply->sort != REDIS_LIST || reply->n < 2 ||
	    reply->part[0]->sort != REDIS_TEXT)
		return;
	kind = reply->part[0]->text;
	if (bytes_equal_str(kind, "message") && reply->n == 3 &&
	    reply->part[2]->sort == REDIS_TEXT)
		on_message(r, reply->part[1]->text, reply->part[2]->text);
	else if (bytes_equal_str(kind, "subscribe"))
		on_tuned(r, reply->part[1]->text, true);
	else if (bytes_equal_str(kind, "unsubscribe"))
		on_tuned(r, reply->part[1]->text, false);
	/* What was on its way may have arrived, and others have their turn. */
	redis_post_send(r);
	/* Members take no more for now: nor does this node. */
	if (r->up && !r->paused &&
	    atomic_load(&r->base.hub->on_way) > HUB_FULL_BYTES) {
		r->paused = true;
		ses_stream_pause(link->stream);
	}
}

static void on_no_command(struct redis_link *link,
			  const struct redis_reply *reply)
{
	redis_lose(ses_container_of(link, struct redis, command),
		   "it answers what nobody asked");
}

static void on_command_down(struct redis_link *link, const char *why)
{
	redis_lose(ses_container_of(link, struct redis, command), why);
}

static void on_told_down(struct redis_link *link, const char *why)
{
	redis_lose(ses_container_of(link, struct redis, told), why);
}

/* ---- Going down, and beginning again ---- */

static void on_reconnect(struct ses_timer *timer)
{
	struct redis *r = ses_container_of(timer, struct redis, reconnect);

	r->opened_ms = r->loop->now_ms;
	r->command_ready = r->told_ready = r->paused = false;
	r->life[0] = r->told_life[0] = r->history[0] = '\0';
	r->has_followed = false;
	r->client = 0;
	if (!redis_link_open(&r->command, &r->url) ||
	    !redis_link_open(&r->told, &r->url))
		redis_lose(r, "out of memory");
}

static unsigned wait_of(struct redis *r)
{
	unsigned wait = FIRST_WAIT_MS << (r->n_failed < 6 ? r->n_failed : 6);

	if (wait > MOST_WAIT_MS)
		wait = MOST_WAIT_MS;
	return wait / 2 + ses_random32() % (wait / 2 + 1);
}

/* It came up and broke at once, not for the first time: what may it be? */
static const char *guess(const struct redis *r, bool was_up)
{
	return was_up && r->n_failed > 1
		       ? ", again as soon as it was there (see "
			 "client-output-buffer-limit of Redis, for pubsub)"
		       : "";
}

void redis_lose(struct redis *r, const char *why)
{
	bool was_up = r->up, new = strcmp(r->trouble, why) != 0;
	char phrase[160];

	if (ses_timer_running(&r->reconnect))
		return; /* it is known */
	snprintf(phrase, sizeof(phrase), "%s", why);
	r->up = false;
	if (!r->ended)
		ses_timers_start(&r->loop->timers, &r->reconnect,
				 r->loop->now_ms + wait_of(r));
	r->n_failed = was_up && r->loop->now_ms - r->up_ms > 2000
			      ? 0
			      : r->n_failed + 1;
	if (was_up)
		r->down_ms = r->loop->now_ms;
	note_trouble(r, phrase);
	redis_link_close(&r->command);
	redis_link_close(&r->told);
	redis_post_lose(r);
	redis_sync_lose(r);
	if (!r->ended && (was_up || new))
		redis_say(r,
			  "the backplane %s is away: %s%s; members stay, what "
			  "is published is refused until it is there again",
			  r->address, phrase, guess(r, was_up));
}

/* ---- What is due ---- */

/* Its clock may be set at any time. It read it between question and answer. */
static void note_time(struct redis *r, int64_t there_ms)
{
	int64_t least = there_ms - (int64_t)r->loop->now_ms;
	int64_t most = there_ms - (int64_t)r->asked_ms;

	if (r->ahead_ms < least)
		r->ahead_ms = least;
	else if (r->ahead_ms > most)
		r->ahead_ms = most;
}

static void on_pong(void *arg, const struct redis_reply *reply)
{
	struct redis *r = arg;
	int64_t there_ms;

	if (!reply)
		return;
	if (!read_time(reply, &there_ms)) {
		fail(r, "it does not tell the time", reply);
		return;
	}
	note_time(r, there_ms);
	r->command_heard_ms = r->loop->now_ms;
	pthread_mutex_lock(&r->lock);
	r->figures.round_trip_us = ses_clock_steady_us() - r->ping_us;
	pthread_mutex_unlock(&r->lock);
}

static void beat(struct redis *r)
{
	uint64_t now = r->loop->now_ms;

	if (r->paused)
		r->told_heard_ms = now;
	if (now > r->command_heard_ms + REDIS_DEAD_MS ||
	    now > r->told_heard_ms + REDIS_DEAD_MS) {
		redis_lose(r, "it does not answer");
		return;
	}
	if (now < r->beat_ms)
		return;
	r->beat_ms = now + REDIS_BEAT_MS;
	r->ping_us = ses_clock_steady_us();
	r->asked_ms = now;
	command_of(&r->command, "TIME", NULL, on_pong, r);
	command_of(&r->told, "PING", NULL, NULL, NULL);
	redis_node_beat(r);
}

static void go_on_reading(struct redis *r)
{
	if (!r->paused || atomic_load(&r->base.hub->on_way) > HUB_HIGH_BYTES)
		return;
	r->paused = false;
	r->told_heard_ms = r->loop->now_ms;
	ses_stream_resume(r->told.stream);
}

static void on_chores(struct ses_timer *timer)
{
	struct redis *r = ses_container_of(timer, struct redis, chores);

	ses_timers_start(&r->loop->timers, timer,
			 r->loop->now_ms + REDIS_CHORES_MS);
	redis_open_late(r);
	if (r->up) {
		go_on_reading(r);
		beat(r);
	} else if (!ses_timer_running(&r->reconnect) &&
		   r->loop->now_ms > r->opened_ms + OPENING_MS) {
		redis_lose(r, "it does not answer");
	}
	redis_post_expire(r, false);
	redis_post_send(r);
	redis_sync_some(r);
	redis_sync_keep(r);
	if (r->up)
		redis_people_keep(r);
	redis_notes_keep(r);
}

void redis_begin(struct redis *r)
{
	static const struct redis_link_events command = {
		.on_up = on_command_up,
		.on_told = on_no_command,
		.on_down = on_command_down,
	};
	static const struct redis_link_events told = {
		.on_up = on_told_up,
		.on_told = on_told,
		.on_down = on_told_down,
	};

	r->command.loop = r->told.loop = r->loop;
	r->command.events = &command;
	r->told.events = &told;
	r->chores.fire = on_chores;
	r->reconnect.fire = on_reconnect;
	r->down_ms = r->loop->now_ms;
	ses_timers_start(&r->loop->timers, &r->chores, r->loop->now_ms);
	on_reconnect(&r->reconnect);
}

void redis_end(struct redis *r)
{
	struct ses_list *link;

	r->ended = true;
	ses_timers_stop(&r->loop->timers, &r->reconnect);
	ses_timers_stop(&r->loop->timers, &r->chores);
	if (!r->up)
		return;
	for (link = r->all.next; link != &r->all; link = link->next)
		redis_people_forget(
			r, ses_container_of(link, struct redis_channel, link));
	redis_link_begin(&r->command, 3);
	redis_link_str(&r->command, "PUBLISH");
	redis_topic(r, &r->command, "nodes", BYTES("all"));
	redis_link_long_word(&r->command, 1 + strlen(r->node));
	redis_link_part(&r->command, BYTES("-"));
	redis_link_part(&r->command, bytes_of_str(r->node));
	redis_link_long_end(&r->command);
	redis_link_end(&r->command, redis_no_reply, NULL);
	redis_link_begin(&r->command, 2);
	redis_link_str(&r->command, "DEL");
	redis_own_key(r, "lease", r->node);
	redis_link_end(&r->command, redis_no_reply, NULL);
}
