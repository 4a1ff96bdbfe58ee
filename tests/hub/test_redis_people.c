/* SPDX-License-Identifier: MIT */
/*
 * Who is in a channel, at nodes that are told lies, run out of memory or lose
 * their Redis: some seconds later the lists of all of them are right again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hub/hub_inner.h"
#include "redis_server.h"
#include "stage.h"

#define CROWD 2000

static const struct hub_rules rules = {
	.channels = 2 * CROWD,
	.members = 2 * CROWD,
	.presence = true,
	.queue = 1 << 20,
	.kept = 1 << 24,
};

static struct redis_server server;

static void begin(struct place at[2])
{
	two_nodes_open(at, &server, &rules);
}

static void end(struct place at[2])
{
	two_nodes_close(at, &server);
}

/* ---- Lies ---- */

/*
 * A command by which somebody lies of the channel NAME: of its first words, %s
 * is the id of the first node.
 */
struct lie {
	const char *name, *command;
	const char *seen; /* at the second node, until it heals; NULL: nothing */
};

static const struct lie lies[] = {
	{"a", "PUBLISH \"sesame:0:c:/chat/* a\" \"+%s ghost\"", "ann bob ghost "},
	{"b", "PUBLISH \"sesame:0:c:/chat/* b\" \"-%s ann\"", "bob "},
	{"c", "DEL \"sesame:{/chat/* c}:p\"", NULL},
	{"d", "SET \"sesame:{/chat/* d}:p\" rubbish", NULL},
	{"e", "HSET \"sesame:{/chat/* e}:p\" \"%s ghost\" 1", NULL},
	{"f", "HSET \"sesame:{/chat/* f}:p\" \"0123456789abcdef ghost\" 1", NULL},
	{"g", "HSET \"sesame:{/chat/* g}:p\" rubbish 1", NULL},
	/* Of all channels, and so the last ones. */
	{"h", "PUBLISH sesame:0:nodes:all -%s", "bob "},
};

static void tell_lie(const struct lie *lie, const char *node)
{
	char command[256], answer[256];

	snprintf(command, sizeof(command), lie->command, node);
	redis_server_ask(&server, command, answer, sizeof(answer));
	assert_true(answer[0] == ':' || answer[0] == '+');
}

/* Of a channel's list in Redis, how many are in it; "" where it is none. */
static bool lists_two(void *arg)
{
	char command[128], answer[64];

	snprintf(command, sizeof(command), "HLEN \"sesame:{/chat/* %s}:p\"",
		 (const char *)arg);
	redis_server_ask(&server, command, answer, sizeof(answer));
	return strncmp(answer, ":2\r", 3) == 0;
}

TEST("whatever somebody says of who is there, soon all nodes name just those")
{
	static struct guest ann[ARRAY_LEN(lies)], bob[ARRAY_LEN(lies)];
	struct place at[2], late;

	begin(at);
	redis_server_tell(&server, "SET sesame:lease:0123456789abcdef 1", "+OK");
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		ann[i] = (struct guest){.you = "ann"};
		bob[i] = (struct guest){.you = "bob"};
		guest_comes(&ann[i], &at[0], lies[i].name, NULL);
		guest_comes(&bob[i], &at[1], lies[i].name, NULL);
		present_are(&at[1], lies[i].name, "ann bob ");
	}
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		tell_lie(&lies[i], at[0].hub->backplane->node);
		if (lies[i].seen)
			present_are(&at[1], lies[i].name, lies[i].seen);
	}
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		place_wait(&at[1], lists_two, (void *)lies[i].name,
			   lies[i].command);
		present_are(&at[0], lies[i].name, "ann bob ");
		present_are(&at[1], lies[i].name, "ann bob ");
	}
	place_open(&late, server.url, &rules);
	for (size_t i = 0; i < ARRAY_LEN(lies); i++)
		present_are(&late, lies[i].name, "ann bob ");
	place_close(&late);
	end(at);
}

/* ---- One name, here and there ---- */

static bool lists_one(void *arg)
{
	return !lists_two(arg);
}

TEST("a name that is at two nodes leaves one of them, and is back at once")
{
	static struct guest ann = {.you = "ann"}, other = {.you = "ann"};
	static struct guest again = {.you = "ann"};
	char channel[] = "a";
	uint64_t began_ms;
	struct place at[2];

	begin(at);
	guest_comes(&ann, &at[0], channel, NULL);
	guest_comes(&other, &at[1], channel, NULL);
	place_wait(at, lists_two, channel, "ann twice");
	began_ms = at[0].loop->now_ms;
	guest_goes(&ann);
	place_wait(at, lists_one, channel, "ann once");
	guest_comes(&again, &at[0], channel, NULL);
	place_wait(at, lists_two, channel, "ann twice again");
	guest_goes(&other);
	place_wait(at, lists_one, channel, "ann at the first node");
	present_are(&at[1], channel, "ann ");
	/* And not by the next look at the whole list. */
	assert_true(at[0].loop->now_ms < began_ms + 6000);
	end(at);
}

/* ---- Very many ---- */

static struct guest crowd[CROWD];

/* Without waiting for a welcome. */
static void join(struct place *at, size_t i, const char *channel)
{
	struct guest *g = &crowd[i];

	*g = (struct guest){.place = at};
	snprintf(g->you, sizeof(g->you), "somebody%zu", i);
	assert_int_equal(hub_join(at->seat, at->space, bytes_of_str(channel),
				  g->you, &g->member),
			 HUB_OK);
}

static void leave(size_t i)
{
	hub_leave(crowd[i].place->seat, &crowd[i].member);
}

static void all_leave(void)
{
	for (size_t i = 0; i < CROWD; i++)
		leave(i);
}

struct count {
	struct place *at;
	const char *channel;
	size_t wanted;
};

static bool are_so_many(void *arg)
{
	const struct count *w = arg;
	const struct hub_channel *c;
	bool are;

	hub_lock(w->at->hub);
	c = hub_channel_of(w->at->hub, "/chat/*", bytes_of_str(w->channel));
	are = c && c->roster->n == w->wanted;
	hub_unlock(w->at->hub);
	return are;
}

static void count_is(struct place *at, const char *channel, size_t wanted)
{
	struct count w = {at, channel, wanted};

	place_wait(at, are_so_many, &w, "so many people");
}

TEST("the list of a large crowd is read to its end, some of it at a time")
{
	struct guest bob = {.you = "bob"};
	struct place at[2];

	begin(at);
	for (size_t i = 0; i < CROWD; i++)
		join(&at[0], i, "a");
	guest_comes(&bob, &at[1], "a", NULL);
	count_is(&at[1], "a", CROWD + 1);
	all_leave();
	count_is(&at[1], "a", 1);
	present_are(&at[1], "a", "bob ");
	end(at);
}

/* ---- Floods ---- */

static void hear_out(struct place *at)
{
	for (int i = 0; i < 80; i++) /* news come ten times a second */
		place_turn(at);
}

TEST("a flood of nodes that somebody made up takes out nobody who is there")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct place at[2];

	begin(at);
	bob.member.sees = true;
	guest_comes(&ann, &at[0], "a", NULL);
	guest_comes(&bob, &at[1], "a", NULL);
	present_are(&at[1], "a", "ann bob ");
	redis_server_tell(&server,
			  "EVAL \"for i = 1, 1000 do redis.call('PUBLISH', "
			  "KEYS[1], string.format('+%016x', i)) end return 1\" "
			  "1 sesame:0:nodes:all",
			  ":1");
	hear_out(&at[1]);
	assert_null(strstr(bob.heard, "-ann"));
	present_are(&at[1], "a", "ann bob ");
	end(at);
}

#define MADE_UP 6000 /* more than leave at once */

TEST("a node that ends takes along very many people, but not who is back")
{
	static const char node[] = "00000000000000aa";
	struct guest ann = {.you = "ann"};
	char command[512];
	uint64_t began_ms;
	struct place at[2];

	begin(at);
	guest_comes(&ann, &at[0], "a", NULL);
	snprintf(command, sizeof(command),
		 "EVAL \"for i = 1, %d do redis.call('PUBLISH', KEYS[1], '+%s "
		 "p' .. i) end return 1\" 1 \"sesame:0:c:/chat/* a\"",
		 MADE_UP, node);
	redis_server_tell(&server, command, ":1");
	count_is(&at[0], "a", MADE_UP + 1);
	began_ms = at[0].loop->now_ms;
	snprintf(command, sizeof(command),
		 "EVAL \"redis.call('PUBLISH', KEYS[1], '-%s') "
		 "redis.call('PUBLISH', KEYS[2], '+%s p%d') return 1\" 2 "
		 "sesame:0:nodes:all \"sesame:0:c:/chat/* a\"",
		 node, node, MADE_UP);
	redis_server_tell(&server, command, ":1");
	count_is(&at[0], "a", 2);
	/* And not by the next look at the list. */
	assert_true(at[0].loop->now_ms < began_ms + 3000);
	end(at);
}

/* ---- The list at Redis ---- */

static size_t most_after(const char *text, const char *words)
{
	size_t most = 0, n;

	for (; (text = strstr(text, words)); text++) {
		n = (size_t)atoll(text + strlen(words));
		most = n > most ? n : most;
	}
	return most;
}

/* Bytes of commands that wait for Redis to go on, of its busiest client. */
static size_t asked_bytes(void)
{
	static char answer[65536];

	redis_server_ask(&server, "CLIENT LIST", answer, sizeof(answer));
	return most_after(answer, " qbuf=");
}

TEST("a node that is back asks for the people of few channels at a time")
{
	struct place at[2];
	char name[16], you[32];
	size_t most = 0;

	begin(at);
	for (size_t i = 0; i < CROWD; i++) {
		snprintf(name, sizeof(name), "c%zu", i);
		join(&at[0], i, name);
	}
	count_is(&at[0], name, 1);
	present_are(&at[1], name, "somebody1999 ");
	/* Now nothing is answered that may write, but the rest is. */
	redis_server_tell(&server, "CLIENT PAUSE 1500 WRITE", "+OK");
	redis_server_tell(&server, "CLIENT KILL TYPE pubsub", ":");
	redis_server_tell(&server, "CLIENT KILL TYPE normal", ":");
	place_is_up(&at[0], false);
	for (int i = 0; i < 250; i++) {
		size_t bytes = asked_bytes();

		most = bytes > most ? bytes : most;
		place_turn(&at[0]);
	}
	assert_in_range(most, 1000, 32 * 1024);
	for (size_t i = 0; i < CROWD; i += CROWD / 4) {
		snprintf(name, sizeof(name), "c%zu", i);
		snprintf(you, sizeof(you), "somebody%zu ", i);
		present_are(&at[1], name, you);
	}
	all_leave();
	end(at);
}

/* ---- No memory ---- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void *__libc_malloc(size_t n);

static _Thread_local bool fails;

void *malloc(size_t n)
{
	return fails ? NULL : __libc_malloc(n);
}

static void leave_unsaid(size_t i)
{
	fails = true;
	leave(i);
	fails = false;
}

static void join_unsaid(struct place *at, size_t i, const char *channel)
{
	fails = true;
	join(at, i, channel);
	fails = false;
}

TEST("who came or went when there was no memory to tell others is told later")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct guest eve = {.you = "eve"};
	struct place at[2];

	begin(at);
	guest_comes(&ann, &at[0], "a", NULL);
	guest_comes(&bob, &at[1], "a", NULL);
	join(&at[0], 1, "a");
	present_are(&at[1], "a", "ann bob somebody1 ");
	leave_unsaid(1);
	join_unsaid(&at[0], 2, "a");
	join(&at[0], 3, "a");
	present_are(&at[1], "a", "ann bob somebody1 somebody3 ");
	present_are(&at[1], "a", "ann bob somebody2 somebody3 ");
	leave(2);
	leave(3);
	present_are(&at[1], "a", "ann bob ");
	/* The channel's end is not said either, nor that its last one left. */
	join(&at[0], 4, "b");
	guest_comes(&eve, &at[1], "b", NULL);
	present_are(&at[1], "b", "eve somebody4 ");
	leave_unsaid(4);
	present_are(&at[1], "b", "eve ");
	end(at);
}

struct opened {
	const char *channel;
	size_t nodes;
};

static bool is_opened(void *arg)
{
	const struct opened *o = arg;
	char command[128], answer[256], wanted[64];

	snprintf(command, sizeof(command),
		 "PUBSUB NUMSUB \"sesame:0:c:/chat/* %s\"", o->channel);
	redis_server_ask(&server, command, answer, sizeof(answer));
	snprintf(wanted, sizeof(wanted), "\r\n:%zu\r\n", o->nodes);
	return strstr(answer, wanted) != NULL;
}

static void opened_at(struct place *at, const char *channel, size_t nodes)
{
	struct opened o = {channel, nodes};

	place_wait(at, is_opened, &o, channel);
}

/* Of the channel in @arg: until when it is not given up, in us. */
static bool is_kept(void *arg)
{
	char command[128], answer[64];

	snprintf(command, sizeof(command), "ZSCORE \"sesame:{/chat/*}:a\" %s",
		 (const char *)arg);
	redis_server_ask(&server, command, answer, sizeof(answer));
	answer[strcspn(answer, "\n")] = ' ';
	return strtod(strchr(answer, ' '), NULL) / 1e6 > (double)time(NULL) + 20;
}

static bool is_not_kept(void *arg)
{
	return !is_kept(arg);
}

TEST("who is in a channel is known to Redis, though that could not be said")
{
	char channel[] = "a";
	struct place at[2];

	begin(at);
	tell(&at[0], channel, "x");
	opened_at(at, channel, 1);
	place_wait(at, is_not_kept, channel, "nobody");
	join_unsaid(&at[0], 0, channel);
	place_wait(at, is_kept, channel, "somebody");
	leave_unsaid(0);
	place_wait(at, is_not_kept, channel, "nobody again");
	end(at);
}

/* Nodes say it again each ten seconds. */
TEST("so is who came while Redis was full")
{
	char channel[] = "a";
	struct place at[2];

	begin(at);
	tell(&at[0], channel, "x");
	opened_at(at, channel, 1);
	place_wait(at, is_not_kept, channel, "nobody");
	redis_server_tell(&server, "CONFIG SET maxmemory 1", "+OK");
	join(&at[0], 0, channel);
	for (int i = 0; i < 100; i++)
		place_turn(&at[0]);
	assert_true(is_not_kept(channel));
	redis_server_tell(&server, "CONFIG SET maxmemory 0", "+OK");
	place_wait(at, is_kept, channel, "somebody");
	leave(0);
	end(at);
}

TEST("a channel that ended when there was no memory to say so is closed later")
{
	struct hub_rules one = rules;
	struct hub_ticket ticket = {.done = NULL};
	enum hub_verdict verdict;
	struct place at[2];

	one.presence = false;
	one.channels = 1;
	two_nodes_open(at, &server, &one);
	join(&at[0], 0, "a");
	opened_at(&at[0], "a", 1);
	leave(0);
	fails = true;
	verdict = hub_reach(at[0].seat, at[0].space, BYTES("b"), &ticket);
	fails = false;
	assert_int_equal(verdict, HUB_NO_MEMORY);
	opened_at(&at[0], "a", 0);
	join(&at[0], 1, "b");
	opened_at(&at[0], "b", 1);
	leave(1);
	two_nodes_close(at, &server);
}

#endif
