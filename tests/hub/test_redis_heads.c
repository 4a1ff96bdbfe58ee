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

static uint64_t malformed(struct place *at)
{
	struct hub_redis_figures f;

	hub_redis_count(at->redis, &f);
	return f.malformed;
}

static bool has_heard(void *arg)
{
	return strstr(((struct guest *)arg)->heard, "five");
}

/* All that @g is told up to the fifth comes behind a gap of which nobody knows. */
static void hears_of_gap_and_five(struct guest *g)
{
	char *gap, *five;

	place_wait(g->place, has_heard, g, "what follows");
	gap = strstr(g->heard, "(?) ");
	five = strstr(g->heard, "five");
	if (!gap || gap > five)
		fail_msg("it was told \"%s\"", g->heard);
}

static void play_back(bool states, bool known, const char *spoil)
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct hub_rules rules = plain;
	char before[HUB_ID_SIZE];
	struct place at[2];

	rules.states = states;
	begin(at, &rules);
	guest_comes(&ann, &at[1], "a", NULL);
	id_given(&at[0], states, "one");
	id_given(&at[0], states, "two");
	strcpy(before, id_given(&at[0], states, "three"));
	id_given(&at[0], states, "four");
	guest_hears(&ann, states ? "1:one=one 2:two=two 3:three=three "
				   "4:four=four "
				 : "1:one 2:two 3:three 4:four ");
	if (!known) { /* nobody is left who knows more than Redis */
		guest_goes(&ann);
		places_close(at);
		place_open(&at[0], server.url, &rules);
		place_open(&at[1], server.url, &rules);
	}
	if (spoil)
		redis_server_tell(&server, spoil, ":1");
	poison("a", "seq 2");
	assert_string_not_equal(id_given(&at[0], states, "five"), before);
	if (known)
		hears_of_gap_and_five(&ann);
	guest_comes(&bob, &at[1], "a", before);
	hears_of_gap_and_five(&bob);
	assert_true(malformed(&at[0]) + malformed(&at[1]) > 0);
	place_says(&at[0], "has gone back: it has a lower number of /chat/* a");
	end(at);
}

TEST("a number that goes back is given to no second message, and all hear of it")
{
	play_back(false, true, NULL);
}

TEST("the same where what was kept is gone as well")
{
	play_back(false, true, "DEL \"sesame:{/chat/* a}:m\"");
}

TEST("the same where no node knows more than Redis, but what is kept does")
{
	play_back(false, false, NULL);
}

TEST("the same holds for the numbers of states")
{
	play_back(true, true, NULL);
	play_back(true, false, NULL);
}

TEST("a node that is told a number again hears of what it is, behind a gap")
{
	struct guest ann = {.you = "ann"};
	struct place at[2];

	begin(at, &plain);
	guest_comes(&ann, &at[1], "a", NULL);
	tell(&at[0], "a", "one");
	tell(&at[0], "a", "two");
	tell(&at[0], "a", "three");
	tell(&at[0], "a", "four");
	guest_hears(&ann, "1:one 2:two 3:three 4:four ");
	place_close(&at[0]);
	place_open(&at[0], server.url, &plain);
	redis_server_tell(&server, "DEL \"sesame:{/chat/* a}:m\"", ":1");
	poison("a", "seq 2");
	tell(&at[0], "a", "five");
	guest_hears(&ann, "(?) 3:five ");
	place_says(&at[1], "has gone back");
	end(at);
}

static bool is_in_step(void *arg)
{
	char words[4096];

	redis_server_ask(arg, "INFO replication", words, sizeof(words));
	return strstr(words, "role:slave") &&
	       strstr(words, "master_link_status:up") &&
	       !strstr(words, "master_sync_in_progress:1");
}

/* @server holds what @master holds, and is one itself again. */
static void copy_of(struct redis_server *copy, struct redis_server *master,
		    struct place *at)
{
	char command[64];

	snprintf(command, sizeof(command), "REPLICAOF 127.0.0.1 %d",
		 master->port);
	redis_server_tell(copy, command, "+OK");
	place_wait(at, is_in_step, copy, "a replica in step");
	redis_server_tell(copy, "REPLICAOF NO ONE", "+OK");
}

TEST("a replica that took over with less and gives back takes no id along")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	static struct redis_server other;
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin(at, &plain);
	redis_server_start(&other, false);
	guest_comes(&ann, &at[1], "a", NULL);
	tell(&at[0], "a", "one");
	tell(&at[0], "a", "two");
	copy_of(&other, &server, &at[0]);
	strcpy(before, id_given(&at[0], false, "three"));
	tell(&at[0], "a", "four");
	guest_hears(&ann, "1:one 2:two 3:three 4:four ");
	copy_of(&server, &other, &at[0]);
	place_is_up(&at[0], true);
	place_is_up(&at[1], true);
	assert_string_not_equal(id_given(&at[0], false, "five"), before);
	guest_hears(&ann, "(?) 3:five ");
	guest_comes(&bob, &at[1], "a", before);
	guest_hears(&bob, "(?) 3:five ");
	redis_server_stop(&other);
	end(at);
}
