/* SPDX-License-Identifier: MIT */
/*
 * What channels promise, whatever stands behind them: each play is of two
 * places, which are two seats of one process or two nodes on one Redis
 * (stage.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "stage.h"

static const struct hub_rules small = {
	.channels = 100,
	.members = 100,
	.queue = 1 << 20,
	.kept = 1 << 24,
	.history = 10,
	.history_bytes = 1 << 20,
	.history_ms = 600000,
};

static struct hub_rules with_states(void)
{
	struct hub_rules r = small;

	r.states = true;
	r.keys = 3;
	return r;
}

static struct hub_content text_of(const char *text)
{
	return (struct hub_content){.kind = SESAME_TEXT,
				    .payload = bytes_of_str(text)};
}

TEST("messages are numbered by one, wherever they come from")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct place at[2];

	places_open(at, &small);
	guest_comes(&ann, &at[0], "a", NULL);
	guest_comes(&bob, &at[1], "a", NULL);
	assert_int_equal(tell(&at[0], "a", "one"), 1);
	assert_int_equal(tell(&at[1], "a", "two"), 2);
	assert_int_equal(tell(&at[1], "b", "other"), 1);
	assert_int_equal(tell(&at[0], "a", "three"), 3);
	guest_hears(&ann, "1:one 2:two 3:three ");
	guest_hears(&bob, "1:one 2:two 3:three ");
	places_close(at);
}

TEST("a sender hears itself where it wants to, and there alone")
{
	struct guest deaf = {.you = "ann"}, other = {.you = "bob"};
	struct guest vain = {.you = "eve", .member = {.echo = true}};
	struct hub_receipt receipt;
	struct place at[2];
	struct hub_content content;

	places_open(at, &small);
	guest_comes(&deaf, &at[0], "a", NULL);
	guest_comes(&vain, &at[0], "a", NULL);
	guest_comes(&other, &at[1], "a", NULL);
	content = text_of("one");
	content.sender = deaf.member.id;
	assert_int_equal(say(&at[0], "a", &content, 1, NULL, &receipt), HUB_OK);
	content = text_of("two");
	content.sender = vain.member.id;
	assert_int_equal(say(&at[0], "a", &content, 1, NULL, &receipt), HUB_OK);
	guest_hears(&deaf, "2:two ");
	guest_hears(&vain, "1:one 2:two ");
	guest_hears(&other, "1:one 2:two ");
	places_close(at);
}

TEST("what is published at once stays together")
{
	struct hub_content content[3] = {text_of("a"), text_of("b"),
					 text_of("c")};
	struct hub_receipt receipt;
	struct guest ann = {.you = "ann"};
	struct place at[2];

	places_open(at, &small);
	guest_comes(&ann, &at[1], "a", NULL);
	tell(&at[0], "a", "first");
	assert_int_equal(say(&at[0], "a", content, 3, NULL, &receipt), HUB_OK);
	assert_int_equal(receipt.seq, 2);
	assert_int_equal(receipt.n, 3);
	tell(&at[1], "a", "last");
	guest_hears(&ann, "1:first 2:a 3:b 4:c 5:last ");
	places_close(at);
}

TEST("what comes again with its key is published once, whoever hears it")
{
	struct hub_content content[2] = {text_of("a"), text_of("b")};
	struct hub_receipt receipt;
	struct guest ann = {.you = "ann"};
	struct place at[2];

	places_open(at, &small);
	guest_comes(&ann, &at[0], "a", NULL);
	assert_int_equal(say(&at[0], "a", content, 2, "k", &receipt), HUB_OK);
	assert_int_equal(receipt.seq, 1);
	assert_false(receipt.repeated);
	assert_int_equal(say(&at[1], "a", content, 2, "k", &receipt), HUB_OK);
	assert_int_equal(receipt.seq, 1);
	assert_int_equal(receipt.n, 2);
	assert_true(receipt.repeated);
	assert_int_equal(say(&at[1], "a", content, 1, "k", &receipt),
			 HUB_OTHER_BODY);
	assert_int_equal(say(&at[1], "a", content, 1, "other", &receipt),
			 HUB_OK);
	assert_int_equal(receipt.seq, 3);
	guest_hears(&ann, "1:a 2:b 3:a ");
	places_close(at);
}

static void fill(struct place *at, const char *channel, int from, int to)
{
	char text[16];

	for (int i = from; i <= to; i++) {
		snprintf(text, sizeof(text), "m%d", i);
		assert_int_equal(tell(at, channel, text), i);
	}
}

static void comes_back(struct place *at, const char *channel, const char *since,
		       const char *story, bool resumed)
{
	struct guest g = {.you = "ann"};

	guest_comes(&g, at, channel, since);
	guest_hears(&g, story);
	assert_int_equal(strstr(g.welcome, "\"resumed\":true") != NULL, resumed);
	guest_goes(&g);
}

TEST("who comes back, to wherever, gets what it lacks or is told of a gap")
{
	struct hub_rules rules = small;
	struct place at[2];

	rules.history = 3;
	places_open(at, &rules);
	fill(&at[0], "a", 1, 5);
	for (int i = 0; i < 2; i++) {
		comes_back(&at[i], "a", NULL, "", false);
		comes_back(&at[i], "a", id_of(&at[0], "a", 5), "", true);
		comes_back(&at[i], "a", id_of(&at[0], "a", 3), "4:m4 5:m5 ",
			   true);
		comes_back(&at[i], "a", id_of(&at[0], "a", 0),
			   "(1-2) 3:m3 4:m4 5:m5 ", true);
		comes_back(&at[i], "a", id_of(&at[0], "a", 99), "(?) ", false);
		comes_back(&at[i], "a", "aaaaaaaa-4", "(?) 3:m3 4:m4 5:m5 ",
			   false);
		comes_back(&at[i], "a", "no id", "(?) 3:m3 4:m4 5:m5 ", false);
	}
	places_close(at);
}

TEST("a channel holds what its rules allow: so many, so many bytes, so long")
{
	struct hub_rules rules = small;
	struct place at[2];

	rules.history = 3;
	places_open(at, &rules);
	fill(&at[0], "a", 1, 4);
	history_is(&at[0], "a", NULL, "2:m2 3:m3 4:m4 ");
	history_is(&at[1], "a", NULL, "2:m2 3:m3 4:m4 ");
	history_is(&at[1], "a", id_of(&at[1], "a", 3), "4:m4 ");
	history_is(&at[1], "a", id_of(&at[1], "a", 0), "(1-1) 2:m2 3:m3 4:m4 ");
	places_close(at);

	rules.history_bytes = 1500;
	rules.history = 1000;
	places_open(at, &rules);
	for (int i = 0; i < 100; i++)
		tell(&at[i % 2], "a", "some text");
	for (int i = 0; i < 2; i++) {
		struct guest g = {.you = "ann"};

		guest_comes(&g, &at[i], "a", id_of(&at[i], "a", 0));
		for (int n = 0; n < 1000 && !strstr(g.heard, "100:"); n++)
			place_turn(&at[i]);
		assert_int_equal(g.heard[0], '(');
		assert_non_null(strstr(g.heard, "100:"));
		assert_null(strstr(g.heard, " 50:"));
		guest_goes(&g);
	}
	places_close(at);

	rules.history_bytes = 1 << 20;
	rules.history_ms = 150;
	places_open(at, &rules);
	tell(&at[0], "a", "old");
	history_is(&at[1], "a", NULL, "1:old ");
	history_is(&at[0], "a", NULL, "");
	history_is(&at[1], "a", NULL, "");
	tell(&at[1], "a", "new");
	history_is(&at[0], "a", NULL, "2:new ");
	places_close(at);
}

TEST("a state is the newest of each key, for all and for who comes later")
{
	struct hub_rules rules = with_states();
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct place at[2];
	char id[HUB_ID_SIZE];

	places_open(at, &rules);
	guest_comes(&ann, &at[0], "a", NULL);
	assert_int_equal(put(&at[0], "a", "x", "1"), 1);
	assert_int_equal(put(&at[1], "a", "y", "2"), 2);
	assert_int_equal(put(&at[1], "a", "x", "3"), 3);
	snprintf(id, sizeof(id), "%s", id_of(&at[0], "a", 3));
	guest_hears(&ann, "1:x=1 2:y=2 3:x=3 ");
	guest_comes(&bob, &at[1], "a", NULL);
	guest_hears(&bob, "2:y=2 3:x=3 ");
	assert_int_equal(put(&at[0], "a", "y", NULL), 4);
	guest_hears(&ann, "4:y- ");
	guest_hears(&bob, "4:y- ");
	history_is(&at[0], "a", NULL, "3:x=3 ");
	history_is(&at[1], "a", id, "4:y- ");
	comes_back(&at[1], "a", id, "4:y- ", true);
	comes_back(&at[0], "a", "aaaaaaaa-1", "(?) 3:x=3 ", false);
	places_close(at);
}

TEST("a state has room for so many keys, and is full then")
{
	struct hub_content more = {
		.kind = SESAME_TEXT, .payload = BYTES("4"), .key = BYTES("w")};
	struct hub_rules rules = with_states();
	struct hub_receipt receipt;
	struct place at[2];

	places_open(at, &rules);
	put(&at[0], "a", "x", "1");
	put(&at[1], "a", "y", "2");
	put(&at[0], "a", "z", "3");
	for (int i = 0; i < 2; i++)
		assert_int_equal(say(&at[i], "a", &more, 1, NULL, &receipt),
				 HUB_STATE_FULL);
	put(&at[1], "a", "z", "again");
	put(&at[1], "a", "z", NULL);
	assert_int_equal(say(&at[0], "a", &more, 1, NULL, &receipt), HUB_OK);
	history_is(&at[1], "a", NULL, "1:x=1 2:y=2 6:w=4 ");
	places_close(at);
}

TEST("who is in a channel is told to all who are, and to who asks")
{
	struct hub_rules rules = small;
	struct guest ann = {.you = "ann", .member = {.sees = true}};
	struct guest bob = {.you = "bob"}, twin = {.you = "bob"};
	struct place at[2];

	rules.presence = true;
	places_open(at, &rules);
	guest_comes(&ann, &at[0], "a", NULL);
	guest_hears(&ann, "[+ann 1] ");
	guest_comes(&bob, &at[1], "a", NULL);
	guest_hears(&ann, "[+bob 2] ");
	present_are(&at[0], "a", "ann bob ");
	present_are(&at[1], "a", "ann bob ");
	/* Twice somewhere, and somewhere else too, is there once. */
	guest_comes(&twin, &at[0], "a", NULL);
	guest_goes(&bob);
	present_are(&at[1], "a", "ann bob ");
	guest_goes(&twin);
	guest_hears(&ann, "[-bob 1] ");
	present_are(&at[0], "a", "ann ");
	present_are(&at[1], "a", "ann ");
	places_close(at);
}

TEST("who was there first is told to have left")
{
	struct hub_rules rules = small;
	struct guest ann = {.you = "ann"}, eve = {.you = "eve"};
	struct guest bob = {.you = "bob", .member = {.sees = true}};
	struct place at[2];

	rules.presence = true;
	places_open(at, &rules);
	guest_comes(&ann, &at[0], "a", NULL);
	/* Nobody is in it there to hear who comes. */
	present_are(&at[1], "a", "ann ");
	guest_comes(&eve, &at[1], "another", NULL);
	for (int i = 0; i < 80; i++)
		place_turn(&at[1]);
	guest_comes(&bob, &at[1], "a", NULL);
	guest_hears(&bob, "[+bob 2] ");
	guest_goes(&ann);
	guest_hears(&bob, "[-ann 1] ");
	places_close(at);
}

TEST("names, keys and payloads may be anything that they may be at all")
{
	static const char *const names[] = {"a b",   "}{",    "\xc3\xbc", "a:m",
					    "*?[x]", "'\"\\", "%s%n"};
	struct hub_rules rules = small, states = with_states();
	struct hub_content content;
	struct hub_receipt receipt;
	struct guest g = {.you = "J\xc3\xbcrgen {x} y"};
	struct place at[2];

	places_open(at, &rules);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		g.member = (struct hub_member){.echo = true};
		guest_comes(&g, &at[1], names[i], NULL);
		assert_int_equal(tell(&at[0], names[i], "x"), 1);
		guest_hears(&g, "1:x ");
		guest_goes(&g);
	}
	content = text_of("");
	assert_int_equal(say(&at[0], "b", &content, 1, NULL, &receipt), HUB_OK);
	content = (struct hub_content){SESAME_BINARY, BYTES("\0\r\n\xff")};
	assert_int_equal(say(&at[0], "b", &content, 1, NULL, &receipt), HUB_OK);
	g.member = (struct hub_member){0};
	guest_comes(&g, &at[1], "b", id_of(&at[1], "b", 0));
	guest_hears(&g, "1: 2: ");
	places_close(at);

	places_open(at, &states);
	put(&at[0], "a", "two words", "1");
	put(&at[0], "a", "{} \xc3\xbc", "2");
	put(&at[0], "a", "two words", "3");
	history_is(&at[1], "a", NULL, "2:{} \xc3\xbc=2 3:two words=3 ");
	places_close(at);
}

TEST("a large message, and a batch of them, arrive as they were sent")
{
	static char large[300 * 1024];
	struct hub_content content[3];
	struct hub_rules rules = small;
	struct hub_receipt receipt;
	struct guest g = {.you = "ann", .stuck = true};
	struct place at[2];

	memset(large, 'x', sizeof(large) - 1);
	rules.history_bytes = 4 << 20;
	for (size_t i = 0; i < 3; i++)
		content[i] = text_of(large);
	places_open(at, &rules);
	assert_int_equal(say(&at[0], "a", content, 3, NULL, &receipt), HUB_OK);
	assert_int_equal(receipt.seq, 1);
	tell(&at[1], "a", "behind");
	g.member.served = 0;
	g.stuck = false;
	guest_comes(&g, &at[1], "a", id_of(&at[1], "a", 2));
	for (int n = 0; n < 1000 && !strstr(g.heard, "4:"); n++)
		place_turn(&at[1]);
	assert_int_equal(g.heard[0], '3');
	assert_non_null(strstr(g.heard, " 4:behind "));
	places_close(at);
}

TEST("too many of a second are refused, and told how long to wait")
{
	struct hub_content content = text_of("x");
	struct hub_rules rules = small;
	struct hub_receipt receipt;
	enum hub_verdict verdict = HUB_OK;
	struct place at[2];
	int n = 0;

	rules.rate = (struct hub_rate){5, 60000};
	places_open(at, &rules);
	for (; n < 20 && verdict == HUB_OK; n++)
		verdict = say(&at[0], "a", &content, 1, NULL, &receipt);
	assert_int_equal(verdict, HUB_TOO_OFTEN);
	assert_int_equal(n, 6);
	assert_in_range(receipt.wait_ms, 1, 12000);
	places_close(at);
}

TEST("who takes nothing for a while is told what it has missed")
{
	struct hub_rules rules = small;
	struct guest ann = {.you = "ann"};
	struct place at[2];

	rules.history = 2;
	rules.queue = 0;
	places_open(at, &rules);
	guest_comes(&ann, &at[1], "a", NULL);
	fill(&at[0], "a", 1, 1);
	guest_hears(&ann, "1:m1 ");
	ann.stuck = true;
	fill(&at[0], "a", 2, 6);
	history_is(&at[1], "a", NULL, "5:m5 6:m6 ");
	guest_reads(&ann);
	guest_hears(&ann, "(2-4) 5:m5 6:m6 ");
	assert_int_equal(ann.n_missed, 3);
	fill(&at[1], "a", 7, 7);
	guest_hears(&ann, "7:m7 ");
	places_close(at);
}

TEST("a channel without history hands on what comes, and forgets it")
{
	struct hub_rules rules = small;
	struct guest ann = {.you = "ann"};
	struct place at[2];

	rules.history = 0;
	places_open(at, &rules);
	guest_comes(&ann, &at[1], "a", NULL);
	tell(&at[0], "a", "one");
	tell(&at[1], "a", "two");
	guest_hears(&ann, "1:one 2:two ");
	history_is(&at[1], "a", NULL, "");
	comes_back(&at[1], "a", id_of(&at[1], "a", 1), "(2-2) ", true);
	places_close(at);
}

TEST("no more channels come to be than may, and no more members")
{
	struct guest g[3] = {{.you = "a"}, {.you = "b"}, {.you = "c"}};
	struct hub_rules rules = small;
	struct hub_member more = {0};
	char you[HUB_WHO_SIZE] = "d";
	struct place at[2];

	rules.channels = rules.members = 2;
	places_open(at, &rules);
	guest_comes(&g[0], &at[0], "a", NULL);
	guest_comes(&g[1], &at[0], "a", NULL);
	assert_int_equal(
		hub_join(at[0].seat, at[0].space, BYTES("a"), you, &more),
		HUB_MEMBERS_FULL);
	guest_comes(&g[2], &at[0], "b", NULL);
	assert_int_equal(
		hub_join(at[0].seat, at[0].space, BYTES("c"), you, &more),
		HUB_CHANNELS_FULL);
	guest_goes(&g[2]);
	assert_int_equal(
		hub_join(at[0].seat, at[0].space, BYTES("c"), you, &more),
		HUB_OK);
	hub_leave(at[0].seat, &more);
	places_close(at);
}
