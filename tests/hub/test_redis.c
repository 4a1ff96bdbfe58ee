/* SPDX-License-Identifier: MIT */
/*
 * What befalls a Redis behind channels: it is full, slow, restarted with what
 * it had or without, wants a password, or has what no gateway wrote. Members
 * stay, who publishes is told, memory is bounded. That channels promise the
 * same as without it is in test_backplane.c.
 */
#include <stdio.h>

#include "redis_server.h"
#include "stage.h"

static struct redis_server server;

static void begin(bool keeps)
{
	if (!redis_server_is_here())
		skip();
	stage_begin();
	redis_server_start(&server, keeps);
}

static void open_two(struct place at[2], const struct hub_rules *rules)
{
	for (int i = 0; i < 2; i++)
		place_open(&at[i], server.url, rules);
}

static void end(struct place at[2])
{
	places_close(at);
	redis_server_stop(&server);
}

static enum hub_verdict try_to_tell(struct place *at, const char *text)
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of_str(text),
	};
	struct hub_receipt receipt;

	return say(at, "a", &content, 1, NULL, &receipt);
}

static uint64_t malformed(struct place *at)
{
	struct hub_redis_figures f;

	hub_redis_count(at->redis, &f);
	return f.malformed;
}

/* How often @words were said. */
static int said_times(const char *words)
{
	const char *at = places_said();
	int n = 0;

	for (; (at = strstr(at, words)); at++)
		n++;
	return n;
}

/* ---- What no gateway wrote ---- */

#define NODE "0123456789abcdef"

TEST("rubbish that a channel is told is skipped, counted and said seldom")
{
	static const char *const rubbish[] = {
		"",
		"?",
		"m",
		"mrubbish",
		"m\\x00\\xff\\n",
		"maaaaaaaa 0 1 " NODE " 1 0 t 0 0 0\\nx",
		"maaaaaaaa -1 1 " NODE " 1 0 t 0 0 0\\nx",
		"maaaaaaaa 4503599627370497 1 " NODE " 1 0 t 0 0 0\\nx",
		"mAAAAAAAA 1 1 " NODE " 1 0 t 0 0 0\\nx",
		"maaaaaaa 1 1 " NODE " 1 0 t 0 0 0\\nx",
		"maaaaaaaa 1 1 0123456789ABCDEF 1 0 t 0 0 0\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 x 0 0 0\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 2 0 0\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 1 0 0\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 0 9 0\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 0 0 9\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 0 65536 0\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 0 0 0\\n\\xff",
		"maaaaaaaa 1 1 " NODE " 1 0 t 0 1 0\\n\\xffx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 0 0 0 x\\nx",
		"maaaaaaaa 1 1 " NODE " 1 0 t 0 0 0",
		"+",
		"+nobody",
		"+" NODE,
		"-" NODE " ",
		"+" NODE " \\xff",
	};
	char command[512];
	struct guest ann = {.you = "ann"};
	struct place at[2];
	uint64_t n = 0;

	begin(false);
	open_two(at, &plain);
	guest_comes(&ann, &at[0], "a", NULL);
	tell(&at[1], "a", "good");
	guest_hears(&ann, "1:good ");
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++, n++) {
		snprintf(command, sizeof(command),
			 "PUBLISH \"sesame:0:c:/chat/* a\" \"%s\"", rubbish[i]);
		redis_server_tell(&server, command, ":2");
	}
	tell(&at[1], "a", "better");
	guest_hears(&ann, "2:better ");
	if (malformed(&at[0]) != n)
		fail_msg("of %d were %d malformed", (int)n,
			 (int)malformed(&at[0]));
	assert_in_range(said_times("no gateway wrote"), 1, 3);
	end(at);
}

TEST("a node that is told rubbish of its own is as it was")
{
	static const char *const rubbish[] = {"",
					      "x",
					      "s",
					      "s ",
					      "s 1",
					      "p",
					      "p 1 99999\\nx",
					      "s 1 aaaaaaaa 1 0 0 0 99 0\\nx",
					      "s 1 aaaaaaaa 1 0 0 0 0 99\\nx"};
	char command[512], node[17];
	struct hub_redis_figures f;
	struct guest ann = {.you = "ann"};
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	guest_comes(&ann, &at[0], "a", NULL);
	hub_redis_count(at[0].redis, &f);
	snprintf(node, sizeof(node), "%s", f.node);
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		snprintf(command, sizeof(command),
			 "PUBLISH \"sesame:0:node:%s\" \"%s\"", node,
			 rubbish[i]);
		redis_server_tell(&server, command, ":1");
		snprintf(command, sizeof(command),
			 "PUBLISH \"sesame:0:nodes:all\" \"%s\"", rubbish[i]);
		redis_server_tell(&server, command, ":2");
	}
	/* Answers that nobody has asked for are no news. */
	snprintf(command, sizeof(command),
		 "PUBLISH \"sesame:0:node:%s\" \"s 1 aaaaaaaa 7 0 0 0 9 "
		 "0\\n/chat/* a\"",
		 node);
	redis_server_tell(&server, command, ":1");
	tell(&at[1], "a", "good");
	guest_hears(&ann, "1:good ");
	assert_int_equal(malformed(&at[0]), 2 * ARRAY_LEN(rubbish));
	end(at);
}

TEST("an entry that cannot be read is a gap of one, and stalls nobody")
{
	static const char *const keys[] = {"e rubbish", "x \\x00", "e \"\""};
	struct guest ann = {.you = "ann"};
	struct place at[2];
	char command[256];

	begin(false);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		redis_server_tell(&server, "FLUSHALL", "+OK");
		open_two(at, &plain);
		tell(&at[0], "a", "one");
		snprintf(command, sizeof(command),
			 "XADD \"sesame:{/chat/* a}:m\" 2-0 %s", keys[i]);
		redis_server_tell(&server, command, "$3");
		redis_server_tell(&server,
				  "HSET \"sesame:{/chat/* a}:h\" seq 2", ":0");
		tell(&at[0], "a", "three");
		guest_comes(&ann, &at[1], "a", id_of(&at[1], "a", 1));
		guest_hears(&ann, "(2-2) 3:three ");
		assert_true(malformed(&at[1]) > 0);
		places_close(at);
	}
	redis_server_stop(&server);
}

TEST("an entry that Redis could tell nobody is a gap of one, and is asked for once")
{
	struct guest ann = {.you = "ann"};
	struct hub_redis_figures f;
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	tell(&at[0], "a", "one");
	redis_server_tell(
		&server,
		"EVAL \"local m, h = KEYS[1], KEYS[2] "
		"local e = redis.call('XRANGE', m, '1-0', '1-0')[1][2][2] "
		"redis.call('HSET', h, 'seq', 2) "
		"return redis.call('XADD', m, '2-0', 'e', "
		"e:gsub(' 1 ', ' 2 ', 1) .. string.rep('x', 40 * 2^20))\" 2 "
		"\"sesame:{/chat/* a}:m\" \"sesame:{/chat/* a}:h\"",
		"$3");
	tell(&at[0], "a", "three");
	guest_comes(&ann, &at[1], "a", id_of(&at[1], "a", 1));
	guest_hears(&ann, "(2-2) 3:three ");
	hub_redis_count(at[1].redis, &f);
	assert_int_equal(f.connects, 1);
	end(at);
}

TEST("a key of another kind where ours is to be is begun anew")
{
	static const char *const suffixes[] = {"h", "m", "s", "o", "g", "p"};
	struct hub_rules rules = plain;
	char command[256];

	rules.presence = true;
	begin(false);
	for (size_t i = 0; i < 4 * ARRAY_LEN(suffixes); i++) {
		struct guest ann = {.you = "ann", .member = {.echo = true}};
		struct place at[2];
		bool list = i % 2;

		rules.states = i / 2 % 2;
		redis_server_tell(&server, "FLUSHALL", "+OK");
		snprintf(command, sizeof(command),
			 "%s \"sesame:{/chat/* a}:%s\" rubbish",
			 list ? "RPUSH" : "SET", suffixes[i / 4]);
		redis_server_tell(&server, command, list ? ":1" : "+OK");
		open_two(at, &rules);
		guest_comes(&ann, &at[0], "a", NULL);
		assert_int_equal(put(&at[1], "a", "k", "v"), 1);
		guest_hears(&ann, rules.states ? "1:k=v " : "1:v ");
		history_is(&at[1], "a", NULL, rules.states ? "1:k=v " : "1:v ");
		present_are(&at[1], "a", "ann ");
		places_close(at);
	}
	redis_server_stop(&server);
}

TEST("a key of another kind that comes later is begun anew as well")
{
	static const char *const suffixes[] = {"h", "m", "s", "o", "g"};
	struct hub_rules rules = plain;
	char command[256];

	begin(false);
	for (size_t i = 0; i < 2 * ARRAY_LEN(suffixes); i++) {
		struct guest ann = {.you = "ann"};
		struct place at[2];

		rules.states = i % 2;
		redis_server_tell(&server, "FLUSHALL", "+OK");
		open_two(at, &rules);
		guest_comes(&ann, &at[0], "a", NULL);
		put(&at[1], "a", "k", "v");
		guest_hears(&ann, rules.states ? "1:k=v " : "1:v ");
		snprintf(command, sizeof(command),
			 "SET \"sesame:{/chat/* a}:%s\" rubbish",
			 suffixes[i / 2]);
		redis_server_tell(&server, command, "+OK");
		put(&at[1], "a", "k", "w");
		put(&at[0], "a", "k", "x");
		for (int n = 0; n < 4000 && !strchr(ann.heard, 'x'); n++)
			place_turn(&at[0]);
		assert_non_null(strchr(ann.heard, 'x'));
		places_close(at);
	}
	redis_server_stop(&server);
}

static void name_of_key(const char *pattern, char out[256])
{
	char command[128], answer[512], *at;

	snprintf(command, sizeof(command), "KEYS %s", pattern);
	redis_server_ask(&server, command, answer, sizeof(answer));
	at = strstr(answer, "sesame:");
	assert_non_null(at);
	snprintf(out, 256, "%.*s", (int)strcspn(at, "\r"), at);
}

TEST("rubbish in place of what was published under a key is none")
{
	static const char *const patterns[] = {"*:i", "*:j", "*:c"};
	struct hub_content x = {.kind = SESAME_TEXT, .payload = BYTES("x")};
	char command[512], key[256], once[8];
	struct hub_receipt receipt;
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	for (size_t i = 0; i < 2 * ARRAY_LEN(patterns); i++) {
		snprintf(once, sizeof(once), "k%zu", i);
		assert_int_equal(say(&at[0], "a", &x, 1, once, &receipt), HUB_OK);
		name_of_key(patterns[i / 2], key);
		snprintf(command, sizeof(command), "DEL \"%s\"", key);
		redis_server_tell(&server, command, ":1");
		snprintf(command, sizeof(command), "%s \"%s\" rubbish",
			 i % 2 ? "RPUSH" : "SET", key);
		redis_server_tell(&server, command, i % 2 ? ":1" : "+OK");
		assert_int_equal(say(&at[0], "a", &x, 1, once, &receipt), HUB_OK);
		assert_int_equal(receipt.n, 1);
		assert_true(receipt.seq > 0);
	}
	end(at);
}

/* ---- A server that is full, slow, or goes away ---- */

TEST("a full Redis refuses, with a word to the operator, and goes on later")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	guest_comes(&ann, &at[0], "a", NULL);
	tell(&at[0], "a", "one");
	redis_server_tell(&server, "CONFIG SET maxmemory 1", "+OK");
	assert_int_equal(try_to_tell(&at[0], "two"), HUB_STORE_FULL);
	assert_int_equal(try_to_tell(&at[1], "three"), HUB_STORE_FULL);
	place_says(&at[0], "refuses what is published: OOM");
	guest_comes(&bob, &at[1], "a", id_of(&at[1], "a", 0));
	guest_hears(&bob, "1:one ");
	place_is_up(&at[0], true);
	redis_server_tell(&server, "CONFIG SET maxmemory 0", "+OK");
	assert_int_equal(tell(&at[0], "a", "four"), 2);
	guest_hears(&ann, "1:one 2:four ");
	guest_hears(&bob, "2:four ");
	end(at);
}

/* What was used long ago is noted as used first, which needs memory as well. */
TEST("a full Redis takes nothing for a channel that was long silent either")
{
	struct guest ann = {.you = "ann"};
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	guest_comes(&ann, &at[0], "a", NULL);
	tell(&at[0], "a", "one");
	redis_server_tell(&server, "ZADD \"sesame:{/chat/*}:a\" XX 1 a", ":0");
	redis_server_tell(&server, "CONFIG SET maxmemory 1", "+OK");
	assert_int_equal(try_to_tell(&at[0], "two"), HUB_STORE_FULL);
	assert_int_equal(try_to_tell(&at[1], "three"), HUB_STORE_FULL);
	redis_server_tell(&server, "CONFIG SET maxmemory 0", "+OK");
	assert_int_equal(tell(&at[0], "a", "four"), 2);
	guest_hears(&ann, "1:one 2:four ");
	end(at);
}

TEST("who publishes at a slow Redis waits, and nothing is lost")
{
	struct guest ann = {.you = "ann"};
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	guest_comes(&ann, &at[1], "a", NULL);
	redis_server_tell(&server, "CLIENT PAUSE 700 ALL", "+OK");
	assert_int_equal(tell(&at[0], "a", "late"), 1);
	guest_hears(&ann, "1:late ");
	assert_null(strstr(places_said(), "away"));
	end(at);
}

TEST("a Redis that comes back with what it had is another epoch, and no loss")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin(true);
	open_two(at, &plain);
	guest_comes(&ann, &at[0], "a", NULL);
	tell(&at[0], "a", "one");
	tell(&at[0], "a", "two");
	snprintf(before, sizeof(before), "%s", id_of(&at[0], "a", 1));
	guest_hears(&ann, "1:one 2:two ");
	redis_server_kill(&server);
	place_is_up(&at[0], false);
	place_is_up(&at[1], false);
	assert_int_equal(try_to_tell(&at[0], "lost"), HUB_UNAVAILABLE);
	redis_server_again(&server);
	place_is_up(&at[0], true);
	place_is_up(&at[1], true);
	place_says(&at[0], "is there again, restarted or another server");
	assert_int_equal(tell(&at[1], "a", "three"), 3);
	guest_hears(&ann, "(?) 3:three ");
	assert_string_not_equal(before, id_of(&at[0], "a", 1));
	guest_comes(&bob, &at[1], "a", before);
	guest_hears(&bob, "(?) 2:two 3:three ");
	end(at);
}

TEST("a Redis that comes back with nothing begins anew, and says so")
{
	struct guest ann = {.you = "ann"}, bob = {.you = "bob"};
	char before[HUB_ID_SIZE];
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	guest_comes(&ann, &at[0], "a", NULL);
	tell(&at[0], "a", "one");
	guest_hears(&ann, "1:one ");
	snprintf(before, sizeof(before), "%s", id_of(&at[0], "a", 1));
	redis_server_kill(&server);
	place_is_up(&at[0], false);
	place_is_up(&at[1], false);
	redis_server_again(&server);
	place_is_up(&at[0], true);
	place_is_up(&at[1], true);
	assert_int_equal(tell(&at[1], "a", "new"), 1);
	guest_hears(&ann, "(?) 1:new ");
	guest_comes(&bob, &at[1], "a", before);
	guest_hears(&bob, "(?) 1:new ");
	end(at);
}

static enum hub_verdict reached;

static void on_reached(struct hub_ticket *ticket)
{
	reached = ticket->verdict;
}

static bool is_reached(void *arg)
{
	return reached != HUB_LATER;
}

TEST("who asks a node that has just begun waits for its Redis")
{
	static struct hub_ticket ticket;
	struct place at;

	begin(false);
	redis_server_pause(&server, true);
	place_open(&at, server.url, &plain);
	ticket = (struct hub_ticket){.done = on_reached};
	reached = hub_reach(at.seat, at.space, BYTES("a"), &ticket);
	for (int i = 0; i < 100; i++)
		place_turn(&at);
	assert_int_equal(reached, HUB_LATER);
	redis_server_pause(&server, false);
	place_wait(&at, is_reached, NULL, "the channel");
	assert_int_equal(reached, HUB_OK);
	hub_release(&ticket);
	place_close(&at);
	redis_server_stop(&server);
}

/* Until it is taken: who publishes while a node connects again is refused. */
static void tell_at_last(struct place *at, const char *text)
{
	enum hub_verdict verdict = HUB_UNAVAILABLE;

	for (int i = 0; i < 4000 && verdict == HUB_UNAVAILABLE; i++) {
		verdict = try_to_tell(at, text);
		place_turn(at);
	}
	assert_int_equal(verdict, HUB_OK);
}

TEST("scripts and connections that are gone are made again, and no loss")
{
	struct guest ann = {.you = "ann"};
	struct place at[2];

	begin(false);
	open_two(at, &plain);
	guest_comes(&ann, &at[1], "a", NULL);
	tell(&at[0], "a", "one");
	redis_server_tell(&server, "SCRIPT FLUSH", "+OK");
	tell_at_last(&at[0], "two");
	redis_server_tell(&server, "CLIENT KILL TYPE pubsub", ":");
	tell_at_last(&at[0], "three");
	redis_server_tell(&server, "CLIENT KILL TYPE normal", ":");
	redis_server_tell(&server, "SCRIPT FLUSH", "+OK");
	tell_at_last(&at[0], "four");
	guest_hears(&ann, "1:one 2:two 3:three 4:four ");
	end(at);
}

/* ---- Memory ---- */

#define LARGE ((size_t)256 * 1024)

struct posts {
	struct hub_ticket ticket[1000];
	size_t n, n_ok, n_done;
};

static struct posts posts;

static void on_post(struct hub_ticket *ticket)
{
	posts.n_done++;
	posts.n_ok += ticket->verdict == HUB_OK;
}

static bool are_all_done(void *arg)
{
	return posts.n_done == posts.n;
}

/* As much as is taken. Why no more is. */
static enum hub_verdict post_all(struct place *at)
{
	static uint8_t large[LARGE];
	struct hub_content content = {
		.kind = SESAME_BINARY,
		.payload = bytes_of(large, sizeof(large)),
	};
	struct hub_receipt receipt;
	enum hub_verdict verdict = HUB_LATER;

	posts.n = posts.n_ok = posts.n_done = 0;
	while (posts.n < ARRAY_LEN(posts.ticket)) {
		struct hub_ticket *t = &posts.ticket[posts.n];

		*t = (struct hub_ticket){.done = on_post};
		verdict = hub_publish_to(at->seat, at->space, BYTES("a"),
					 &content, 1, bytes_of(NULL, 0), t,
					 &receipt);
		if (verdict != HUB_LATER)
			break;
		posts.n++;
	}
	return verdict;
}

TEST("what waits for a Redis that is silent is bounded, and comes in the end")
{
	struct hub_figures f;
	struct place at[2];
	size_t before, most;

	begin(false);
	open_two(at, &plain);
	tell(&at[0], "a", "one");
	before = test_heap();
	redis_server_pause(&server, true);
	assert_int_equal(post_all(&at[0]), HUB_BUSY);
	assert_in_range(posts.n, 200, 256);
	for (int i = 0; i < 40; i++)
		place_turn(&at[0]);
	hub_count(at[0].hub, &f);
	assert_in_range(f.on_way_bytes, 0, HUB_FULL_BYTES + LARGE);
	most = test_heap();
	/* What flies is written down once more. */
	if (most)
		assert_in_range(most - before, posts.n * LARGE,
				HUB_FULL_BYTES + (40 << 20));
	redis_server_pause(&server, false);
	place_wait(&at[0], are_all_done, NULL, "all that was published");
	/* As many as its five seconds suffice for, and not just those that flew
	 * at the time. */
	assert_in_range(posts.n_ok, 40, posts.n);
	assert_in_range(tell(&at[1], "a", "last"), posts.n_ok + 2, posts.n + 2);
	hub_count(at[0].hub, &f);
	assert_in_range(f.on_way_bytes, 0, HUB_FULL_BYTES / 8);
	end(at);
}

TEST("while Redis is away nothing piles up, whoever comes and goes")
{
	struct hub_rules rules = plain;
	struct guest ann = {.you = "ann"};
	struct place at[2];
	size_t before;

	rules.presence = true;
	begin(false);
	open_two(at, &rules);
	guest_comes(&ann, &at[0], "a", NULL);
	redis_server_kill(&server);
	place_is_up(&at[0], false);
	before = test_heap();
	for (int i = 0; i < 20000; i++) {
		struct hub_member m = {0};
		char name[16], you[HUB_WHO_SIZE];

		snprintf(name, sizeof(name), "c%d", i);
		snprintf(you, sizeof(you), "somebody %d", i);
		assert_int_equal(hub_join(at[0].seat, at[0].space,
					  bytes_of_str(name), you, &m),
				 HUB_OK);
		hub_leave(at[0].seat, &m);
		hub_redis_note(at[0].redis, name, BYTES("a note"), 60);
		if (i % 100 == 0)
			place_turn(&at[0]);
	}
	assert_int_equal(post_all(&at[0]), HUB_UNAVAILABLE);
	assert_int_equal(posts.n, 0);
	for (int i = 0; i < 40; i++)
		place_turn(&at[0]);
	if (before)
		assert_in_range(test_heap(), 0, before + (4 << 20));
	redis_server_again(&server);
	place_is_up(&at[0], true);
	place_is_up(&at[1], true);
	present_are(&at[1], "a", "ann ");
	end(at);
}

/* ---- Who is let in ---- */

TEST("a Redis that wants a password is told of as such, and ours to nobody")
{
	struct place at[2];
	char url[128];

	begin(false);
	redis_server_tell(&server, "CONFIG SET requirepass hush-hush", "+OK");
	open_two(at, &plain);
	place_says(&at[0], "NOAUTH");
	assert_int_equal(try_to_tell(&at[0], "x"), HUB_UNAVAILABLE);
	places_close(at);
	snprintf(url, sizeof(url), "redis://:hush-hash@127.0.0.1:%d/1",
		 server.port);
	place_open(&at[0], url, &plain);
	place_says(&at[0], "it refuses the user, the password or the database: "
			   "WRONGPASS invalid username-password pair");
	place_close(&at[0]);
	snprintf(url, sizeof(url), "redis://:hush-hush@127.0.0.1:%d/99",
		 server.port);
	place_open(&at[0], url, &plain);
	place_says(&at[0], "database: ERR DB index is out of range");
	place_close(&at[0]);
	snprintf(url, sizeof(url), "redis://:hush-hash@127.0.0.1:%d/1",
		 server.port);
	url[strlen("redis://:hush-h")] = 'u';
	place_open(&at[0], url, &plain);
	assert_int_equal(tell(&at[0], "a", "x"), 1);
	place_close(&at[0]);
	assert_null(strstr(places_said(), "hush"));
	redis_server_stop(&server);
}
