/* SPDX-License-Identifier: MIT */
/*
 * Heads of channels at Redis in which somebody else wrote: what a gateway could
 * not read is begun anew, in the one channel, and holds up nobody.
 */
#include <stdio.h>

#include "redis_server.h"
#include "stage.h"

static const char *const rubbish[] = {
	"past rubbish",
	"past \"aaaaaaaa 1 x\"",
	"past \"aaaaaaaa 01 \"",
	"past \"AAAAAAAA 1 \"",
	"floor inf",
	"floor nan",
	"floor 4503599627370000",
	"floor 0.5",
	"seq nan",
	"seq inf",
	"seq 1.5",
	"seq -1",
	"bytes nan",
	"bytes -inf",
	"bytes 4503599627370496",
	"epoch \"AAAA BBB\"",
	"epoch ABCDEFG1",
	"epoch \"aaaa\\naaa\"",
};

static struct redis_server server;

static void begin(struct place at[2], const struct hub_rules *rules)
{
	two_nodes_open(at, &server, rules);
}

static void end(struct place at[2])
{
	two_nodes_close(at, &server);
}

static void poison(const char *channel, const char *fields)
{
	char command[256];

	snprintf(command, sizeof(command), "HSET \"sesame:{/chat/* %s}:h\" %s",
		 channel, fields);
	redis_server_tell(&server, command, ":");
}

static void play(bool states)
{
	struct guest guest[2 * ARRAY_LEN(rubbish)] = {0};
	struct hub_rules rules = plain;
	struct place at[2];
	char name[16];

	rules.states = states;
	begin(at, &rules);
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		struct guest *bob = &guest[2 * i], *ann = bob + 1;

		snprintf(name, sizeof(name), "c%d", (int)i);
		guest_comes(bob, &at[0], name, NULL);
		put(&at[0], name, "k", "v");
		poison(name, rubbish[i]);
		guest_comes(ann, &at[1], name, NULL);
		put(&at[0], name, "k", "one");
		put(&at[1], name, "k", "two");
		for (int n = 0; n < 4000 && (!strstr(ann->heard, "two") ||
					     !strstr(bob->heard, "two"));
		     n++)
			place_turn(&at[n % 2]);
		if (!strstr(ann->heard, "two") || !strstr(bob->heard, "two"))
			fail_msg("after %s it was told \"%s\" and \"%s\"",
				 rubbish[i], ann->heard, bob->heard);
	}
	end(at);
}

TEST("a head with rubbish in it is begun anew, and all are told what follows")
{
	play(false);
}

TEST("the same holds for states")
{
	play(true);
}

TEST("as many spoilt heads as are asked for at once hold up nobody")
{
	static struct guest guest[64];
	struct guest ann = {.you = "ann"};
	struct place at[2];
	char name[16];

	begin(at, &plain);
	memset(guest, 0, sizeof(guest));
	for (size_t i = 0; i < ARRAY_LEN(guest); i++) {
		snprintf(name, sizeof(name), "c%d", (int)i);
		tell(&at[0], name, "x");
		poison(name, rubbish[i % ARRAY_LEN(rubbish)]);
	}
	for (size_t i = 0; i < ARRAY_LEN(guest); i++) {
		snprintf(name, sizeof(name), "c%d", (int)i);
		guest_comes(&guest[i], &at[1], name, NULL);
	}
	guest_comes(&ann, &at[1], "a", NULL);
	tell(&at[0], "a", "good");
	guest_hears(&ann, "1:good ");
	end(at);
}

TEST("somebody with a name that is too long is taken out of who is there")
{
	struct hub_rules rules = plain;
	struct guest ann = {.you = "ann"};
	struct place at[2];
	char field[256], command[400];

	rules.presence = true;
	begin(at, &rules);
	snprintf(field, sizeof(field), "0123456789abcdef %0220d", 0);
	redis_server_tell(&server, "SET sesame:lease:0123456789abcdef 1", "+OK");
	snprintf(command, sizeof(command),
		 "HSET \"sesame:{/chat/* a}:p\" \"%s\" 1", field);
	redis_server_tell(&server, command, ":1");
	guest_comes(&ann, &at[0], "a", NULL);
	present_are(&at[1], "a", "ann ");
	snprintf(command, sizeof(command),
		 "HEXISTS \"sesame:{/chat/* a}:p\" \"%s\"", field);
	redis_server_tell(&server, command, ":0");
	end(at);
}

/* ---- Numbers that go back ---- */

/* The id that it is given. */
static const char *id_given(struct place *at, bool states, const char *text)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of_str(text),
		.key = bytes_of_str(text),
	};
	static char id[HUB_ID_SIZE];
	struct hub_receipt receipt;

	if (!states)
		content.key = bytes_of(NULL, 0);
	assert_int_equal(say(at, "a", &content, 1, NULL, &receipt), HUB_OK);
	hub_id_write(&receipt.epoch, receipt.seq, id);
	return id;
}

static const char four[] = "1:one 2:two 3:three 4:four ";
static const char four_states[] = "1:one=one 2:two=two 3:three=three 4:four=four ";

static struct redis_server other;

/* @copied: the other server has the first two. @ret_third: the id of the third. */
static void say_four(struct place *at, bool states, bool copied,
		     char ret_third[HUB_ID_SIZE])
{
	id_given(at, states, "one");
	id_given(at, states, "two");
	if (copied) {
		redis_server_start(&other, false);
		redis_server_take_over(&other, &server);
	}
	strcpy(ret_third, id_given(at, states, "three"));
	id_given(at, states, "four");
}

static struct hub_rules rules_of(bool states)
{
	struct hub_rules rules = plain;

	rules.states = states;
	return rules;
}

/* They are said at the one node, and @ann hears them at the other. */
static void begin_with_four(struct place at[2], struct guest *ann, bool states,
			    bool copied, char ret_third[HUB_ID_SIZE])
{
	struct hub_rules rules = rules_of(states);

	begin(at, &rules);
	guest_comes(ann, &at[1], "a", NULL);
	say_four(&at[0], states, copied, ret_third);
	guest_hears(ann, states ? four_states : four);
}

/* It does not know what there was before. */
static void another_node(struct place *at, bool states)
{
	struct hub_rules rules = rules_of(states);

	place_close(at);
	place_open(at, server.url, &rules);
}

static uint64_t malformed(struct place *at)
{
	struct hub_redis_figures f;

	hub_redis_count(at->redis, &f);
	return f.malformed;
}

struct heard {
	struct guest *guest;
	const char *words;
};

static bool has_heard(void *arg)
{
	struct heard *h = arg;

	return strstr(h->guest->heard, h->words);
}

/* Sooner or later. */
static void comes_to_hear(struct guest *g, const char *words)
{
	place_wait(g->place, has_heard, &(struct heard){g, words}, words);
}

/* All that @g is told up to the fifth comes behind a gap of which nobody knows. */
static void hears_of_gap_and_five(struct guest *g)
{
	char *gap, *five;

	comes_to_hear(g, "five");
	gap = strstr(g->heard, "(?) ");
	five = strstr(g->heard, "five");
	if (!gap || gap > five)
		fail_msg("it was told \"%s\"", g->heard);
}

/* Somebody lowers the number, and @spoil is done. */
static void play_back(bool states, const char *spoil)
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin_with_four(at, &ann, states, false, before);
	redis_server_tell(&server, spoil, ":");
	poison("a", "seq 2");
	assert_string_not_equal(id_given(&at[1], states, "five"), before);
	hears_of_gap_and_five(&ann);
	guest_comes(&bob, &at[0], "a", before);
	hears_of_gap_and_five(&bob);
	assert_true(malformed(&at[1]) > 0);
	place_says(&at[1], "a number that went back (h) of /chat/* a");
	end(at);
}

TEST("a number that goes back is given to no second message, and all hear of it")
{
	play_back(false, "DEL \"sesame:{/chat/* a}:m\"");
	play_back(true, "DEL \"sesame:{/chat/* a}:s\" \"sesame:{/chat/* a}:o\"");
}

static void play_lowered(bool states)
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin_with_four(at, &ann, states, false, before);
	poison("a", "seq 2");
	another_node(&at[0], states);
	id_given(&at[0], states, "five");
	guest_hears(&ann, states ? "5:five=five " : "5:five ");
	poison("a", "seq 1");
	guest_comes(&bob, &at[0], "a", before);
	guest_hears(&bob, states ? "4:four=four 5:five=five " : "4:four 5:five ");
	place_says(&at[0], "the number of the head (h) of /chat/* a");
	end(at);
}

TEST("a number that somebody lowers goes on from what is kept, and nobody notices")
{
	play_lowered(false);
	play_lowered(true);
}

TEST("what stands ahead of the number and is no entry takes nothing good along")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct place at[2];

	begin(at, &plain);
	guest_comes(&ann, &at[1], "a", NULL);
	id_given(&at[0], false, "one");
	for (int i = 0; i < 3; i++)
		redis_server_tell(&server,
				  "XADD \"sesame:{/chat/* a}:m\" * e rubbish",
				  "$");
	id_given(&at[0], false, "two");
	guest_hears(&ann, "1:one 2:two ");
	place_says(&at[0], "the messages (m) of /chat/* a");
	another_node(&at[0], false);
	guest_comes(&bob, &at[0], "a", id_of(&at[1], "a", 0));
	guest_hears(&bob, "1:one 2:two ");
	end(at);
}

TEST("keys that stand ahead of the number and have no entry hide none that has")
{
	struct guest ann = {.you = "ann"};
	struct hub_rules rules = rules_of(true);
	struct place at[2];

	begin(at, &rules);
	put(&at[0], "a", "one", "1");
	redis_server_tell(
		&server,
		"EVAL \"for i = 1, 20 do redis.call('HSET', KEYS[1], 'junk' .. "
		"i, 'x') redis.call('ZADD', KEYS[2], i + 5, 'junk' .. i) end\" "
		"2 \"sesame:{/chat/* a}:s\" \"sesame:{/chat/* a}:o\"",
		"$-1");
	put(&at[0], "a", "two", "2");
	guest_comes(&ann, &at[1], "a", NULL);
	guest_hears(&ann, "1:one=1 2:two=2 ");
	end(at);
}

TEST("a node that is told numbers again hears of what they are, behind a gap")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	const char *gap_and_more = "(?) 3:a 4:b 5:c ";
	static const struct hub_content more[] = {
		{.kind = SESAME_TEXT, .payload = BYTES("a")},
		{.kind = SESAME_TEXT, .payload = BYTES("b")},
		{.kind = SESAME_TEXT, .payload = BYTES("c")},
	};
	struct hub_receipt receipt;
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin_with_four(at, &ann, false, false, before);
	another_node(&at[0], false);
	redis_server_tell(&server, "DEL \"sesame:{/chat/* a}:m\"", ":1");
	poison("a", "seq 2");
	assert_int_equal(say(&at[0], "a", more, 3, NULL, &receipt), HUB_OK);
	guest_hears(&ann, gap_and_more);
	guest_comes(&bob, &at[0], "a", before);
	comes_to_hear(&bob, gap_and_more); /* its node has to learn it, too */
	place_says(&at[1], "a number that went back");
	end(at);
}

/* ---- A server that followed another one ---- */

static void play_followed(bool states)
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin_with_four(at, &ann, states, true, before);
	redis_server_take_over(&server, &other);
	another_node(&at[0], states);
	assert_string_not_equal(id_given(&at[0], states, "five"), before);
	hears_of_gap_and_five(&ann);
	guest_comes(&bob, &at[0], "a", before);
	hears_of_gap_and_five(&bob);
	redis_server_stop(&other);
	end(at);
}

TEST("a server that took back what its stand-in had gives no id again")
{
	play_followed(false);
	play_followed(true);
}

TEST("the same where nobody is left who knows more than it")
{
	struct guest bob = {.you = "bob"};
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin(at, &plain);
	say_four(&at[0], false, true, before);
	places_close(at);
	redis_server_take_over(&server, &other);
	place_open(&at[0], server.url, &plain);
	place_open(&at[1], server.url, &plain);
	assert_string_not_equal(id_given(&at[0], false, "five"), before);
	guest_comes(&bob, &at[1], "a", before);
	guest_hears(&bob, "(?) 3:five ");
	place_says(&at[0], "followed another server");
	redis_server_stop(&other);
	end(at);
}

static bool has_another_history(void *arg)
{
	char now[4096];

	redis_server_ask(&server, "INFO replication", now, sizeof(now));
	return !strstr(now, arg);
}

static void read_history(char out[64])
{
	char text[4096], *at;

	redis_server_ask(&server, "INFO replication", text, sizeof(text));
	at = strstr(text, "master_replid:");
	assert_non_null(at);
	snprintf(out, 64, "%.54s", at);
}

TEST("replicas that come and go are no other life, and nobody is told of a gap")
{
	struct guest ann = {.you = "ann"};
	char history[64];
	struct place at[2];

	begin(at, &plain);
	guest_comes(&ann, &at[1], "a", NULL);
	tell(&at[0], "a", "one");
	read_history(history);
	redis_server_start(&other, false);
	redis_server_take_over(&other, &server);
	assert_true(has_another_history(history));
	tell(&at[0], "a", "two");
	read_history(history);
	redis_server_tell(&server, "CONFIG SET repl-backlog-ttl 1", "+OK");
	place_wait(&at[0], has_another_history, history, "another history");
	tell(&at[0], "a", "three");
	guest_hears(&ann, "1:one 2:two 3:three ");
	redis_server_stop(&other);
	end(at);
}
