/* SPDX-License-Identifier: MIT */
/*
 * What Redis holds for channels is bounded by the rules of their route, for all
 * nodes together: whoever opens names, says much in them, or repeats what it
 * says under ever other keys takes no more of it, and nothing from those who are
 * in a channel.
 */
#include <stdio.h>
#include <stdlib.h>

#include "redis_server.h"
#include "stage.h"

#define CHANNEL_KEYS 5 /* h, m, c, i and j */
#define OTHER_KEYS   8 /* a and b, leases of nodes, and notes */

#define FEW	     50 /* channels */

static struct redis_server server;

static struct hub_rules few(void)
{
	struct hub_rules rules = plain;

	rules.channels = FEW;
	return rules;
}

static void begin(struct place at[2], const struct hub_rules *rules)
{
	struct hub_rules usual = few();

	two_nodes_open(at, &server, rules ? rules : &usual);
}

static void end(struct place at[2])
{
	two_nodes_close(at, &server);
}

/* The number behind @what in the answer to @command. */
static double number_of(const char *command, const char *what)
{
	char answer[8192];
	const char *at;

	redis_server_ask(&server, command, answer, sizeof(answer));
	at = strstr(answer, what);
	if (!at)
		fail_msg("%s was answered %s", command, answer);
	return atof(at + strlen(what));
}

static double memory_used(void)
{
	return number_of("INFO memory", "used_memory:");
}

/* What all channels hold, as it is counted there. */
static double kept_bytes(void)
{
	return number_of("HGET \"sesame:{/chat/*}:b\" \"\\n\"", "\r\n");
}

static double length_of(const char *channel)
{
	char command[100];

	snprintf(command, sizeof(command), "XLEN \"sesame:{/chat/* %s}:m\"",
		 channel);
	return number_of(command, ":");
}

static double channels_there(void)
{
	return number_of("ZCARD \"sesame:{/chat/*}:a\"", ":");
}

/* What Redis gave up so far, as both nodes together were told. */
struct given_up {
	uint64_t channels, messages;
};

static struct given_up given_up(struct place at[2])
{
	struct given_up sum = {0};
	struct hub_redis_figures f;

	for (int i = 0; i < 2; i++) {
		hub_redis_count(at[i].redis, &f);
		sum.channels += f.ended;
		sum.messages += f.trimmed;
	}
	return sum;
}

static enum hub_verdict try_to_say(struct place *at, const char *channel,
				   const char *text, const char *key)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of_str(text),
		.key = bytes_of_str("k"),
	};
	struct hub_receipt receipt;

	return say(at, channel, &content, 1, key, &receipt);
}

/* What one says who takes a new name each time. */
static void flood(struct place at[2], unsigned n, const char *text)
{
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "flood-%u", i);
		assert_int_equal(try_to_say(&at[i % 2], name, text, NULL),
				 HUB_OK);
	}
}

TEST("a flood of names from two nodes takes no more than the route allows")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct place at[2];
	double before, after;

	begin(at, NULL);
	guest_comes(&ann, &at[0], "honest", NULL);
	tell(&at[1], "honest", "one");
	tell(&at[0], "honest", "two");
	flood(at, 200, "x");
	before = memory_used();
	flood(at, 3000, "x");
	after = memory_used();
	assert_int_equal(channels_there(), FEW);
	assert_int_equal(given_up(at).channels, 1 + 200 + 3000 - FEW);
	assert_int_equal(given_up(at).messages, 0);
	assert_in_range(number_of("DBSIZE", ":"), 1,
			FEW * CHANNEL_KEYS + OTHER_KEYS);
	if (after > before + 500000)
		fail_msg("it grew from %.0f to %.0f bytes", before, after);
	guest_comes(&bob, &at[1], "honest", id_of(&at[1], "honest", 0));
	guest_hears(&bob, "1:one 2:two ");
	assert_int_equal(tell(&at[1], "honest", "three"), 3);
	guest_hears(&bob, "3:three ");
	guest_hears(&ann, "1:one 2:two 3:three ");
	end(at);
}

TEST("names that are only looked at take no more either, and not for an hour")
{
	struct place at[2];
	char name[32];

	begin(at, NULL);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "look-%u", i);
		history_is(&at[i % 2], name, NULL, "");
	}
	assert_int_equal(channels_there(), FEW);
	assert_in_range(number_of("DBSIZE", ":"), 1,
			FEW + OTHER_KEYS);
	assert_in_range(number_of("PTTL \"sesame:{/chat/* look-999}:h\"", ":"),
			1, 600000);
	tell(&at[0], "look-999", "x");
	assert_in_range(number_of("PTTL \"sesame:{/chat/* look-999}:h\"", ":"),
			3000000, 3600000);
	end(at);
}

static bool is_refused(void *arg)
{
	return ((struct guest *)arg)->refused;
}

static void is_turned_away(struct guest *g, struct place *at,
			   const char *channel)
{
	*g = (struct guest){.place = at, .next = at->guests};
	g->member.envelopes = true;
	assert_int_equal(hub_join(at->seat, at->space, bytes_of_str(channel),
				  g->you, &g->member),
			 HUB_OK);
	at->guests = g;
	assert_false(hub_begin(at->seat, &g->member, g->you,
			       bytes_of(NULL, 0)));
	place_wait(at, is_refused, g, "being refused");
	guest_goes(g);
}

TEST("names that nothing is said in take the place of each other, not of history")
{
	static struct guest guest[100];
	struct place at[2];
	char name[32];

	memset(guest, 0, sizeof(guest));
	begin(at, NULL);
	tell(&at[0], "said", "x");
	for (unsigned i = 0; i < ARRAY_LEN(guest); i++) {
		snprintf(name, sizeof(name), "look-%u", i);
		history_is(&at[i % 2], name, NULL, "");
		snprintf(name, sizeof(name), "in-%u", i);
		guest_comes(&guest[i], &at[i % 2], name, NULL);
		guest_goes(&guest[i]);
	}
	redis_server_tell(&server, "XLEN \"sesame:{/chat/* said}:m\"", ":1");
	flood(at, FEW, "x");
	redis_server_tell(&server, "XLEN \"sesame:{/chat/* said}:m\"", ":0");
	end(at);
}

TEST("where all channels have somebody in them at some node one more is refused")
{
	struct guest guest[4] = {0}, more;
	struct hub_rules rules = few();
	static const char *const names[] = {"a", "b", "c", "d"};
	struct place at[2];

	rules.channels = 4;
	begin(at, &rules);
	for (int i = 0; i < 4; i++)
		guest_comes(&guest[i], &at[i % 2], names[i], NULL);
	is_turned_away(&more, &at[0], "e");
	assert_int_equal(try_to_say(&at[1], "e", "x", NULL), HUB_CHANNELS_FULL);
	assert_int_equal(channels_there(), 4);
	guest_goes(&guest[1]);
	guest_comes(&more, &at[0], "e", NULL);
	assert_int_equal(try_to_say(&at[1], "f", "x", NULL), HUB_CHANNELS_FULL);
	assert_int_equal(try_to_say(&at[1], "a", "x", NULL), HUB_OK);
	end(at);
}

static bool is_vouched(void *arg)
{
	double now = number_of("TIME", "\r\n$10\r\n") * 1e6;

	return number_of("ZSCORE \"sesame:{/chat/*}:a\" a", "\r\n") > now + 9e6;
}

TEST("who leaves at one node takes nothing from those at another")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct place at[2];

	begin(at, NULL);
	guest_comes(&ann, &at[0], "a", NULL);
	guest_comes(&bob, &at[1], "a", NULL);
	tell(&at[0], "a", "one");
	guest_goes(&ann);
	for (int i = 0; i < 500; i++)
		place_turn(&at[0]);
	place_wait(&at[0], is_vouched, NULL, "that bob is known to be there");
	flood(at, 200, "x");
	assert_int_equal(tell(&at[0], "a", "two"), 2);
	guest_hears(&bob, "1:one 2:two ");
	end(at);
}

TEST("all channels together hold what the route allows, and the full ones theirs")
{
	struct guest ann = {.you = "ann"};
	static char text[1001];
	struct hub_rules rules = few();
	struct place at[2];
	double left;

	memset(text, 'x', sizeof(text) - 1);
	rules.kept = 65536;
	begin(at, &rules);
	guest_comes(&ann, &at[0], "honest", NULL);
	for (int i = 0; i < 40; i++)
		tell(&at[1], "honest", "y");
	flood(at, 300, text);
	assert_in_range(kept_bytes(), 30000, rules.kept);
	assert_in_range(channels_there(), 20, FEW);
	history_is(&at[1], "honest", id_of(&at[1], "honest", 38),
		   "39:y 40:y ");
	redis_server_tell(&server, "XLEN \"sesame:{/chat/* honest}:m\"", ":40");
	/* Where nothing else may go, its own oldest do. */
	for (int i = 0; i < 90; i++)
		tell(&at[0], "honest", text);
	assert_in_range(kept_bytes(), 30000, rules.kept);
	left = length_of("honest");
	assert_in_range(left, 40, 64);
	assert_int_equal(given_up(at).messages, 40 + 90 - left);
	assert_int_equal(given_up(at).channels, 300 + 1 - channels_there());
	end(at);
}

TEST("a state that finds no room among others is told so")
{
	struct guest guest[2] = {0};
	static char text[30001];
	struct hub_rules rules = few();
	struct place at[2];

	memset(text, 'x', sizeof(text) - 1);
	rules.kept = 65536;
	rules.states = true;
	begin(at, &rules);
	for (int i = 0; i < 2; i++)
		guest_comes(&guest[i], &at[i], i ? "b" : "a", NULL);
	put(&at[0], "a", "k", text);
	put(&at[1], "b", "k", text);
	assert_int_equal(try_to_say(&at[0], "c", text, NULL), HUB_STATE_FULL);
	guest_goes(&guest[1]);
	assert_int_equal(try_to_say(&at[0], "c", text, NULL), HUB_OK);
	assert_in_range(kept_bytes(), 60000, rules.kept);
	end(at);
}

TEST("a history that is to be shorter goes a piece at a time")
{
	static struct hub_content many[1000];
	struct hub_receipt receipt;
	struct hub_rules rules = few();
	struct place at[2];
	double before, after;

	rules.history = 3000;
	begin(at, &rules);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct hub_content){.kind = SESAME_TEXT,
					       .payload = BYTES("x")};
	for (int i = 0; i < 3; i++)
		assert_int_equal(say(&at[0], "a", many, ARRAY_LEN(many), NULL,
				     &receipt),
				 HUB_OK);
	assert_int_equal(length_of("a"), 3000);
	place_close(&at[1]);
	rules.history = 10;
	place_open(&at[1], server.url, &rules);
	for (before = 3000; before > 10; before = after) {
		tell(&at[1], "a", "y");
		after = length_of("a");
		/* Of what is too much 128 go, and one for the new one. */
		assert_int_equal(before - after, before > 138 ? 128 : before - 10);
	}
	assert_int_equal(length_of("a"), 10);
	assert_int_equal(given_up(at).messages, 0); /* its own rules say so */
	end(at);
}

TEST("Idempotency-Keys are known as many as in memory, and no more are kept")
{
	struct place at[2];
	char key[32];

	begin(at, NULL);
	for (unsigned i = 0; i < 1500; i++) {
		snprintf(key, sizeof(key), "key-%u", i);
		assert_int_equal(try_to_say(&at[i % 2], "a", "x", key), HUB_OK);
	}
	redis_server_tell(&server, "HLEN \"sesame:{/chat/* a}:i\"", ":1024");
	redis_server_tell(&server, "LLEN \"sesame:{/chat/* a}:j\"", ":1024");
	assert_in_range(number_of("DBSIZE", ":"), 1, CHANNEL_KEYS + OTHER_KEYS);
	assert_int_equal(try_to_say(&at[0], "a", "y", "key-476"),
			 HUB_OTHER_BODY);
	assert_int_equal(try_to_say(&at[1], "a", "y", "key-1499"),
			 HUB_OTHER_BODY);
	assert_int_equal(try_to_say(&at[0], "a", "y", "key-475"), HUB_OK);
	end(at);
}

TEST("nodes that come and go leave no trace of what they had done")
{
	struct place at[2];
	char command[200];

	begin(at, NULL);
	tell(&at[0], "a", "x");
	for (int i = 0; i < 40; i++) {
		snprintf(command, sizeof(command),
			 "HSET \"sesame:{/chat/* a}:c\" %016d \"1|\"", i);
		redis_server_tell(&server, command, ":1");
	}
	tell(&at[1], "a", "y");
	redis_server_tell(&server, "HLEN \"sesame:{/chat/* a}:c\"", ":2");
	end(at);
}

TEST("rubbish among what a route holds is forgotten, and holds up nobody")
{
	static const char *const rubbish[] = {
		"SET \"sesame:{/chat/*}:a\" x",
		"SET \"sesame:{/chat/*}:b\" x",
		"ZADD \"sesame:{/chat/*}:a\" inf honest",
		"HSET \"sesame:{/chat/*}:b\" \"\\n\" x",
		"HSET \"sesame:{/chat/*}:b\" \"\\n\" -5",
		"HSET \"sesame:{/chat/*}:b\" \"\\n\" 4503599627370495",
		"HSET \"sesame:{/chat/*}:b\" honest x flood-1 nan",
	};
	struct guest ann = {.you = "ann"};
	struct place at[2];
	char answer[100];

	begin(at, NULL);
	guest_comes(&ann, &at[0], "honest", NULL);
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		redis_server_ask(&server, rubbish[i], answer, sizeof(answer));
		tell(&at[1], "honest", "x");
		flood(at, 80, "x");
		tell(&at[0], "honest", "y");
	}
	/* As many as may be that somebody who is no gateway says are in use. */
	for (unsigned i = 0; i < FEW; i++) {
		char command[100];

		snprintf(command, sizeof(command),
			 "ZADD \"sesame:{/chat/*}:a\" inf flood-%u", i);
		redis_server_ask(&server, command, answer, sizeof(answer));
	}
	flood(at, 80, "x");
	assert_in_range(channels_there(), 2, FEW);
	end(at);
}

/* What Redis says that all channels hold, and what they do. */
static void assert_sum_is_right(void)
{
	char real[64];

	redis_server_ask(&server,
			 "EVAL \"local n, b = 0, redis.call('HGETALL', KEYS[1]) "
			 "for i = 1, #b, 2 do if b[i]:byte() ~= 10 then n = n + "
			 "b[i + 1]:match('%d+') end end return tostring(n)\" 1 "
			 "sesame:{/chat/*}:b",
			 real, sizeof(real));
	assert_int_equal(kept_bytes(), atof(strstr(real, "\r\n")));
}

/* So many channels of 100 bytes each that somebody is in, as nodes note them. */
static void have_channels(unsigned n)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "EVAL \"for i = 1, %u do redis.call('HSET', KEYS[2], 'c' .. i, "
		 "100) redis.call('ZADD', KEYS[1], redis.call('TIME')[1] * 1e6 + "
		 "6e9, 'c' .. i) end redis.call('HINCRBY', KEYS[2], string.char(10), %u) "
		 "return 1\" 2 sesame:{/chat/*}:a sesame:{/chat/*}:b",
		 n, n * 100);
	redis_server_tell(&server, command, ":1");
}

TEST("a forged sum of very many channels is made anew, while they come and go")
{
	enum { MANY = 25000 };
	enum hub_verdict verdict = HUB_STATE_FULL;
	struct hub_rules rules = few();
	struct place at[2];
	unsigned n_full = 0;

	rules.channels = 2 * MANY;
	rules.states = true;
	begin(at, &rules);
	put(&at[0], "honest", "k", "x");
	have_channels(MANY);
	redis_server_tell(&server,
			  "HSET sesame:{/chat/*}:b \"\\n\" 4000000000000000",
			  ":0");
	for (unsigned i = 0; verdict == HUB_STATE_FULL; i++) {
		char name[32];

		verdict = try_to_say(&at[0], "honest", "longer than before",
				     NULL);
		n_full += verdict == HUB_STATE_FULL;
		assert_in_range(n_full, 0, MANY / 1000);
		/* One that is noted already, and one that is not. */
		snprintf(name, sizeof(name), "c%u", 1 + i * 700 % MANY);
		put(&at[1], name, "k", NULL);
		snprintf(name, sizeof(name), "d%u", i);
		put(&at[1], name, "k", NULL);
	}
	assert_int_equal(verdict, HUB_OK);
	assert_in_range(n_full, 5, MANY / 1000); /* not at once */
	assert_sum_is_right();
	assert_in_range(kept_bytes(), 100.0 * (MANY - 60), 100.0 * (MANY + 60));
	end(at);
}

TEST("a forged sum, too small or none, is right again when it was made anew")
{
	static const char *const forged[] = {"x", "-5", "4000000000000000"};
	struct hub_rules rules = few();
	struct place at[2];
	char command[100];

	rules.states = true;
	begin(at, &rules);
	flood(at, FEW - 1, "some value");
	for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
		snprintf(command, sizeof(command),
			 "HSET sesame:{/chat/*}:b \"\\n\" %s", forged[i]);
		redis_server_tell(&server, command, ":0");
		redis_server_tell(&server,
				  "HDEL sesame:{/chat/*}:b \"\\n\\n\"", ":");
		assert_int_equal(try_to_say(&at[0], "flood-1", command, NULL),
				 HUB_OK);
		assert_sum_is_right();
	}
	assert_int_equal(given_up(at).channels, 0);
	end(at);
}

TEST("bytes of names that no channel has are not counted for long")
{
	struct hub_redis_figures f;
	struct hub_rules rules = few();
	struct place at[2];

	rules.states = true;
	begin(at, &rules);
	put(&at[0], "a", "k", "x");
	redis_server_tell(&server,
			  "HSET sesame:{/chat/*}:b other 9999999999 \"\\n\" "
			  "10000000099",
			  ":1");
	assert_int_equal(try_to_say(&at[0], "a", "longer", NULL), HUB_OK);
	redis_server_tell(&server, "HEXISTS sesame:{/chat/*}:b other", ":0");
	place_says(&at[0], "skipped: the bytes of a channel (b) of /chat/* a\n");
	hub_redis_count(at[0].redis, &f);
	assert_int_equal(f.malformed, 2); /* and their sum */
	assert_sum_is_right();
	end(at);
}

TEST("a channel that is given up leaves none of its keys")
{
	struct place at[2];
	char command[100];

	begin(at, NULL);
	tell(&at[0], "old", "x");
	for (const char *key = "sogijp"; *key; key++) {
		snprintf(command, sizeof(command),
			 "SET \"sesame:{/chat/* old}:%c\" x", *key);
		redis_server_tell(&server, command, "+OK");
	}
	redis_server_tell(&server, "EXISTS \"sesame:{/chat/* old}:h\"", ":1");
	flood(at, FEW, "x");
	for (const char *key = "hmsogcijp"; *key; key++) {
		snprintf(command, sizeof(command),
			 "EXISTS \"sesame:{/chat/* old}:%c\"", *key);
		redis_server_tell(&server, command, ":0");
	}
	end(at);
}

TEST("each node counts its own members, and its bound holds for them alone")
{
	static struct guest guest[4];
	struct hub_rules rules = few();
	struct hub_member more = {.envelopes = true};
	char you[HUB_WHO_SIZE] = "";
	struct place at[2];

	memset(guest, 0, sizeof(guest));
	rules.members = 2;
	begin(at, &rules);
	for (int i = 0; i < 4; i++)
		guest_comes(&guest[i], &at[i % 2], "a", NULL);
	for (int i = 0; i < 2; i++)
		assert_int_equal(hub_join(at[i].seat, at[i].space, BYTES("a"),
					  you, &more),
				 HUB_MEMBERS_FULL);
	tell(&at[0], "a", "x");
	for (int i = 0; i < 4; i++)
		guest_hears(&guest[i], "1:x ");
	end(at);
}
