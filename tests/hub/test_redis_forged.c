/* SPDX-License-Identifier: MIT */
/*
 * What looks as if a gateway had written it, and is not so: a sum of bytes that
 * fills a channel, a node's own counter. Somebody who may write in Redis can
 * hold a channel up with it for a moment, and not for good.
 */
#include <stdio.h>

#include "hub/hub_inner.h"
#include "redis_server.h"
#include "stage.h"

#define KEYS 2500

static struct redis_server server;

static void begin(struct place at[2], const struct hub_rules *rules)
{
	two_nodes_open(at, &server, rules);
}

static void end(struct place at[2])
{
	two_nodes_close(at, &server);
}

static uint64_t malformed(struct place *at)
{
	struct hub_redis_figures f;

	hub_redis_count(at->redis, &f);
	return f.malformed;
}

/* ---- A node's own counter ---- */

static void forge_counter(struct place *at, const char *noted)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "HSET \"sesame:{/chat/* a}:c\" %s \"%s\"",
		 at->hub->backplane->node, noted);
	redis_server_tell(&server, command, ":0");
}

TEST("a forged counter of a node is taken out, told of, and loses no message")
{
	static const char *const noted[] = {
		"4503599627370496 aaaaaaaa 1 ",
		"2 aaaaaaaa 7 3 aaaaaaaa 8 ",
		"1 aaaaaaaa 1 2 aaaaaaaa 1 3 aaaaaaaa 1 4 aaaaaaaa 1 ",
		"99999999999999999999999999999999 aaaaaaaa 1 ",
		"rubbish",
	};
	struct guest ann = {.you = "ann"};
	struct place at[2];
	char text[16];

	begin(at, &plain);
	guest_comes(&ann, &at[1], "a", NULL);
	assert_int_equal(tell(&at[0], "a", "first"), 1);
	guest_hears(&ann, "1:first ");
	for (unsigned i = 0; i < ARRAY_LEN(noted); i++) {
		uint64_t before = malformed(&at[0]);

		forge_counter(&at[0], noted[i]);
		snprintf(text, sizeof(text), "%u:x ", i + 2);
		assert_int_equal(tell(&at[0], "a", "x"), i + 2);
		guest_hears(&ann, text);
		assert_int_equal(malformed(&at[0]), before + 1);
	}
	place_says(&at[0], "what this node published (c) of /chat/* a");
	end(at);
}

/* ---- The bytes of a state ---- */

static void put_many(struct place *at, unsigned n, const char *value)
{
	static char key[500][16];
	struct hub_content content[500];
	struct hub_receipt receipt;

	for (unsigned i = 0; i < n; i += 500) {
		for (unsigned k = 0; k < 500; k++) {
			snprintf(key[k], sizeof(key[k]), "k%u", i + k);
			content[k] = (struct hub_content){
				.kind = SESAME_TEXT,
				.payload = bytes_of_str(value),
				.key = bytes_of_str(key[k]),
			};
		}
		assert_int_equal(say(at, "a", content, 500, NULL, &receipt),
				 HUB_OK);
	}
}

static enum hub_verdict try_to_put(struct place *at, const char *key,
				   const char *value)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of_str(value),
		.key = bytes_of_str(key),
	};
	struct hub_receipt receipt;

	return say(at, "a", &content, 1, NULL, &receipt);
}

/* What the head says that the values take, and what they do. */
static void assert_bytes_are_right(void)
{
	char noted[64], real[64];

	redis_server_ask(&server, "HGET \"sesame:{/chat/* a}:h\" bytes", noted,
			 sizeof(noted));
	redis_server_ask(
		&server,
		"EVAL \"local n = 0 for _, v in ipairs(redis.call('HVALS', "
		"KEYS[1])) do n = n + #v end return tostring(n)\" 1 "
		"\"sesame:{/chat/* a}:s\"",
		real, sizeof(real));
	assert_string_equal(noted, real);
}

TEST("a forged sum of a state's bytes is counted anew, while keys come and go")
{
	struct hub_rules rules = plain;
	enum hub_verdict verdict = HUB_STATE_FULL;
	struct place at[2];
	char key[16];
	int n_full = 0;

	rules.states = true;
	rules.keys = 2 * KEYS;
	begin(at, &rules);
	put_many(
		&at[0], KEYS,
		"some value, long enough for another one to take less than it");
	assert_bytes_are_right();
	redis_server_tell(&server,
			  "HSET \"sesame:{/chat/* a}:h\" bytes "
			  "4503599627370496",
			  ":0");
	for (int i = 0; i < 500 && verdict == HUB_STATE_FULL; i++) {
		verdict = try_to_put(&at[1], "more", "one more value");
		n_full += verdict == HUB_STATE_FULL;
		/* One of those that were counted, one that was not. */
		snprintf(key, sizeof(key), "k%d", i);
		assert_true(put(&at[0], "a", key, "short") > 0);
		snprintf(key, sizeof(key), "k%d", KEYS - 1 - i);
		assert_true(put(&at[0], "a", key, NULL) > 0);
		place_turn(&at[0]);
	}
	assert_int_equal(verdict, HUB_OK);
	assert_true(n_full > 1); /* it was not counted at once */
	assert_bytes_are_right();
	end(at);
}

TEST("a state that is full stays so, however often that is asked")
{
	struct hub_rules rules = plain;
	struct place at[2];
	char large[4097] = "";

	rules.states = true;
	rules.keys = 2 * KEYS;
	rules.history_bytes = 8192;
	begin(at, &rules);
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(try_to_put(&at[0], "one", large), HUB_OK);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(try_to_put(&at[0], "two", large),
				 HUB_STATE_FULL);
		assert_bytes_are_right();
	}
	assert_int_equal(try_to_put(&at[0], "one", "small"), HUB_OK);
	assert_int_equal(try_to_put(&at[0], "two", large), HUB_OK);
	end(at);
}
