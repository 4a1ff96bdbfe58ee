/* SPDX-License-Identifier: MIT */
/*
 * What members who stay are told when a Redis begins another life: nothing that
 * they have comes again, and whatever is taken then reaches them, behind the gap.
 */
#include <stdio.h>

#include "redis_server.h"
#include "stage.h"

static struct redis_server server;

/* One member of sesame.v1 and a plain one, each at a node of its own. */
struct crowd {
	struct place at[2];
	struct guest ann, bob;
};

static void begin(struct crowd *c, const struct hub_rules *rules)
{
	*c = (struct crowd){
		.ann = {.you = "ann"},
		.bob = {.you = "bob", .plain = true},
	};
	two_nodes_open(c->at, &server, rules);
	guest_comes(&c->ann, &c->at[0], "a", NULL);
	guest_comes(&c->bob, &c->at[1], "a", NULL);
}

static void end(struct crowd *c)
{
	two_nodes_close(c->at, &server);
}

static void tell_two(struct crowd *c)
{
	tell(&c->at[0], "a", "one");
	tell(&c->at[1], "a", "two");
	guest_hears(&c->ann, "1:one 2:two ");
	guest_hears(&c->bob, "one two ");
}

/* What is said now is all that they hear, behind a gap. */
static void hear_no_more_than(struct crowd *c, const char *text)
{
	char heard[100];
	uint64_t seq = tell(&c->at[0], "a", text);

	snprintf(heard, sizeof(heard), "(?) %d:%s ", (int)seq, text);
	guest_hears(&c->ann, heard);
	snprintf(heard, sizeof(heard), "%s ", text);
	guest_hears(&c->bob, heard);
}

/* ---- Nothing comes twice ---- */

static void die(struct crowd *c)
{
	redis_server_kill(&server);
	for (int i = 0; i < 2; i++)
		place_is_up(&c->at[i], false);
	redis_server_again(&server);
	for (int i = 0; i < 2; i++)
		place_is_up(&c->at[i], true);
}

TEST("a Redis that dies again and again before it saves sends nothing twice")
{
	struct crowd c;

	begin(&c, &plain);
	tell_two(&c);
	redis_server_tell(&server, "SAVE", "+OK");
	for (int i = 0; i < 3; i++) {
		die(&c);
		hear_no_more_than(&c, "new");
	}
	end(&c);
}

TEST("a server that follows another one again and again sends nothing twice")
{
	struct redis_server other;
	struct crowd c;

	begin(&c, &plain);
	redis_server_start(&other, false);
	tell_two(&c);
	redis_server_take_over(&other, &server);
	tell(&c.at[0], "a", "three");
	guest_hears(&c.ann, "3:three ");
	guest_hears(&c.bob, "three ");
	for (int i = 0; i < 3; i++) {
		redis_server_take_over(&server, &other);
		hear_no_more_than(&c, "new");
	}
	redis_server_stop(&other);
	end(&c);
}

TEST("who comes back with an id that Redis forgot lacks nothing, and gets no more")
{
	struct guest eve = {.you = "eve"};
	char before[HUB_ID_SIZE];
	struct crowd c;

	begin(&c, &plain);
	tell_two(&c);
	redis_server_tell(&server, "SAVE", "+OK");
	die(&c);
	hear_no_more_than(&c, "lost");
	snprintf(before, sizeof(before), "%s", id_of(&c.at[0], "a", 3));
	die(&c);
	hear_no_more_than(&c, "new");
	guest_comes(&eve, &c.at[1], "a", before);
	guest_hears(&eve, "(?) 3:new ");
	end(&c);
}

/* ---- What begins an epoch is heard ---- */

static void play_begun(uint64_t history, const char *forget, const char *told)
{
	struct hub_rules rules = plain;
	struct crowd c;

	rules.history = history;
	begin(&c, &rules);
	for (int i = 0; i < 3; i++) {
		redis_server_tell(&server, forget, told);
		hear_no_more_than(&c, "new");
	}
	end(&c);
}

TEST("what begins another epoch is heard, though nobody keeps it")
{
	play_begun(0, "FLUSHALL", "+OK");
	play_begun(0, "DEL \"sesame:{/chat/* a}:h\"", ":");
	play_begun(1, "FLUSHALL", "+OK");
}

TEST("so are all that come at once, though only the last is kept")
{
	static const struct hub_content more[] = {
		{.kind = SESAME_TEXT, .payload = BYTES("a")},
		{.kind = SESAME_TEXT, .payload = BYTES("b")},
		{.kind = SESAME_TEXT, .payload = BYTES("c")},
	};
	struct hub_rules rules = plain;
	struct hub_receipt receipt;
	struct crowd c;

	rules.history = 1;
	begin(&c, &rules);
	tell_two(&c);
	redis_server_tell(&server, "FLUSHALL", "+OK");
	assert_int_equal(say(&c.at[0], "a", more, 3, NULL, &receipt), HUB_OK);
	guest_hears(&c.ann, "(?) 1:a 2:b 3:c ");
	guest_hears(&c.bob, "a b c ");
	history_is(&c.at[1], "a", NULL, "3:c ");
	end(&c);
}
