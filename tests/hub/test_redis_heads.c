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
