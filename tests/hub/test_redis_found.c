/* SPDX-License-Identifier: MIT */
/*
 * What a script mends in Redis is no secret: the node that ran it counts it, and
 * says what it was and of which channel. What was mended once is not told again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "redis_server.h"
#include "stage.h"

static struct redis_server server;

static uint64_t malformed(struct place *at)
{
	struct hub_redis_figures f;

	hub_redis_count(at->redis, &f);
	return f.malformed;
}

/* @command, in which $h is the head of @channel, and so on, and @ its name. */
static void spoil(const char *command, const char *channel)
{
	char whole[512], answer[256];
	size_t n = 0;

	for (; *command; command++) {
		if (*command == '$')
			n += (size_t)snprintf(whole + n, sizeof(whole) - n,
					      "\"sesame:{/chat/* %s}:%c\"",
					      channel, *++command);
		else if (*command == '@')
			n += (size_t)snprintf(whole + n, sizeof(whole) - n,
					      "%s", channel);
		else
			whole[n++] = *command;
		assert_true(n + 1 < sizeof(whole));
	}
	whole[n] = '\0';
	redis_server_ask(&server, whole, answer, sizeof(answer));
	if (answer[0] == '-')
		fail_msg("%s was answered %s", whole, answer);
}

static void publish(struct place *at, const char *channel, const char *key)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = BYTES("x"),
		.key = bytes_of_str(at->space->rules.states ? "k" : ""),
	};
	struct hub_receipt receipt;

	assert_int_equal(say(at, channel, &content, 1, key, &receipt), HUB_OK);
}

static void post(struct place *at, const char *channel)
{
	publish(at, channel, NULL);
}

/* With a key of which there was nothing yet, and with the first one. */
static void post_by_key(struct place *at, const char *channel)
{
	static int n;
	char key[16];

	snprintf(key, sizeof(key), "%d", ++n);
	publish(at, channel, key);
}

static void post_again(struct place *at, const char *channel)
{
	publish(at, channel, "first");
}

static void look(struct place *at, const char *channel)
{
	struct guest ann = {.you = "ann"};

	guest_comes(&ann, at, channel, NULL);
	guest_goes(&ann);
}

enum rules { PLAIN, STATES, PRESENCE };

/* What is there is spoilt by some commands; by what a node finds it, and says. */
static const struct row {
	enum rules rules;
	const char *command[2];
	void (*find)(struct place *at, const char *channel);
	const char *says;
} rows[] = {
	{PLAIN, {"SET $h x"}, post, "the head (h)"},
	{PLAIN, {"SET $h x"}, look, "the head (h)"},
	{PLAIN, {"HSET $h epoch x"}, post, "the head (h)"},
	{PLAIN, {"HSET $h seq many"}, look, "the head (h)"},
	{PLAIN, {"DEL $h", "HSET $h other x"}, post, "the head (h)"},
	{PLAIN, {"HSET $h seq 0"}, post, "the number of the head (h)"},
	{STATES, {"HSET $h seq 0"}, look, "the number of the head (h)"},
	{PLAIN, {"HSET $h past x"}, look, "where older epochs ended (h)"},
	{PLAIN, {"HSET $h bytes -1"}, look, "the bytes of the head (h)"},
	{PLAIN, {"HSET $h bytes x"}, post, "the bytes of the head (h)"},
	{PLAIN, {"HSET $h floor 9"}, look, "the floor of the head (h)"},
	{PLAIN, {"SET $m x"}, post, "the messages (m)"},
	{PLAIN, {"SET $m x"}, look, "the messages (m)"},
	{PLAIN, {"XADD $m 9999-0 e x"}, post, "the messages (m)"},
	{PLAIN, {"SET $c x"}, post, "what nodes published (c)"},
	{PLAIN,
	 {"EVAL \"for i = 1, 16 do redis.call('HSET', KEYS[1], i, 'x') end\" "
	  "1 $c"},
	 post,
	 "what nodes published (c)"},
	{PLAIN, {"SET $i x"}, post_by_key, "the Idempotency-Keys (i, j)"},
	{PLAIN, {"RPUSH $j x"}, post_by_key, "the Idempotency-Keys (i, j)"},
	{PLAIN, {"SET $j x"}, post, "the Idempotency-Keys (i, j)"},
	{PLAIN,
	 {"EVAL \"local i = KEYS[1] redis.call('HSET', i, redis.call('HKEYS', "
	  "i)[1], 'x')\" 1 $i"},
	 post_again,
	 "an Idempotency-Key (i)"},
	{PLAIN, {"SET sesame:{/chat/*}:a x"}, post,
	 "the channels of the route (a)"},
	{PLAIN, {"ZADD sesame:{/chat/*}:a inf @"}, post, "when it was used (a)"},
	{PLAIN, {"SET sesame:{/chat/*}:b x"}, post, "the bytes of the route (b)"},
	{PLAIN, {"HSET sesame:{/chat/*}:b \"\\n\" -5"}, post,
	 "the bytes of the route (b)"},
	{PLAIN, {"HSET sesame:{/chat/*}:b \"\\n\\n\" x"}, post,
	 "the recount of the route (b)"},
	{PLAIN, {"HSET sesame:{/chat/*}:b @ x"}, post,
	 "the bytes of a channel (b)"},
	{STATES, {"SET $s x"}, post, "the values of a state (s, o, g)"},
	{STATES, {"SET $o x"}, look, "the values of a state (s, o, g)"},
	{STATES, {"SET $g x"}, look, "the values of a state (s, o, g)"},
	{STATES, {"HSET $s other x"}, look, "the values of a state (s, o, g)"},
	{STATES, {"HSET $s other x"}, post, "the values of a state (s, o, g)"},
	{STATES,
	 {"ZREM $o k", "ZADD $o 1 other"},
	 look,
	 "the order of values (o)"},
	{STATES, {"ZADD $g 1 other"}, look, "a deletion (g)"},
	{STATES, {"HSET $h recount x"}, look, "the recount of the head (h)"},
	{STATES, {"HSET $h recount x"}, post, "the recount of the head (h)"},
	{PRESENCE, {"SET $p x"}, look, "who is there (p)"},
	{PRESENCE, {"HSET $p x 1"}, look, "somebody (p)"},
	{PRESENCE,
	 {"SET sesame:lease:0123456789abcdef x",
	  "HSET $p \"0123456789abcdef bob\" 1"},
	 look,
	 "the lease of a node"},
};

static struct hub_rules rules_of(const struct row *row)
{
	struct hub_rules rules = plain;

	rules.states = row->rules == STATES;
	rules.presence = row->rules == PRESENCE;
	return rules;
}

static bool has_found(void *arg)
{
	return malformed(arg) > 0;
}

static void play(const struct row *row, const char *channel)
{
	struct hub_rules rules = rules_of(row);
	struct place at;
	char line[200];

	place_open(&at, server.url, &rules);
	publish(&at, channel, "first");
	assert_int_equal(malformed(&at), 0);
	place_close(&at);
	for (int i = 0; i < 2 && row->command[i]; i++)
		spoil(row->command[i], channel);
	place_open(&at, server.url, &rules);
	row->find(&at, channel);
	place_wait(&at, has_found, &at, row->says);
	snprintf(line, sizeof(line), "which is skipped: %s of /chat/* %s\n",
		 row->says, channel);
	place_says(&at, line);
	row->find(&at, channel);
	post(&at, channel);
	assert_int_equal(malformed(&at), 1);
	place_close(&at);
}

TEST("whatever a script mends is counted, and told of once with its place")
{
	char channel[16];

	if (!redis_server_is_here())
		skip();
	stage_begin();
	redis_server_start(&server, false);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(channel, sizeof(channel), "room-%zu", i);
		play(&rows[i], channel);
	}
	redis_server_stop(&server);
}

TEST("who leaves a channel of a route that was spoilt is told of that")
{
	struct guest ann = {.you = "ann"};
	struct place at[2];

	two_nodes_open(at, &server, &plain);
	guest_comes(&ann, &at[0], "a", NULL);
	spoil("SET sesame:{/chat/*}:a x", "a");
	guest_goes(&ann);
	place_says(&at[0], "skipped: the channels of the route (a) of /chat/*\n");
	assert_int_equal(malformed(&at[0]), 1);
	two_nodes_close(at, &server);
}

TEST("a name among the channels that nobody ever used is told when it goes")
{
	struct hub_rules rules = plain;
	struct place at[2];

	rules.channels = 2;
	two_nodes_open(at, &server, &rules);
	post(&at[0], "a");
	spoil("EVAL \"redis.call('ZADD', KEYS[1], redis.call('TIME')[1] * 1e6 - "
	      "1e6, 'other')\" 1 sesame:{/chat/*}:a",
	      "a");
	post(&at[0], "b");
	place_says(&at[0], "skipped: a name of a channel (a) of /chat/* b\n");
	assert_int_equal(malformed(&at[0]), 1);
	for (char name[] = "c"; name[0] <= 'z'; name[0]++)
		post(&at[1], name);
	assert_int_equal(malformed(&at[0]) + malformed(&at[1]), 1);
	two_nodes_close(at, &server);
}
