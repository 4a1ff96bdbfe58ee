/* SPDX-License-Identifier: MIT */
/*
 * What one node leaves for the others while Redis takes nothing: it waits, as
 * long as it holds and as far as there is room, and is written then.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub/hub_inner.h"
#include "redis_server.h"
#include "stage.h"

static struct redis_server server;

static void begin(struct place at[2])
{
	two_nodes_open(at, &server, &plain);
	place_is_up(&at[0], true);
}

static void note(struct place *at, const char *name, const char *text,
		 unsigned ttl_s)
{
	hub_redis_note(at->redis, name, bytes_of_str(text), ttl_s);
}

struct wanted {
	const char *name, *text;
};

static bool is_written(void *arg)
{
	const struct wanted *w = arg;
	char command[128], answer[256], text[256];

	snprintf(command, sizeof(command), "GET sesame:note:%s", w->name);
	redis_server_ask(&server, command, answer, sizeof(answer));
	snprintf(text, sizeof(text), "\r\n%s\r\n", w->text);
	return strstr(answer, text) != NULL;
}

static void written(struct place *at, const char *name, const char *text)
{
	struct wanted w = {name, text};

	place_wait(at, is_written, &w, name);
}

/* How long it is kept, in ms. */
static long left_of(const char *name)
{
	char command[128], answer[64];

	snprintf(command, sizeof(command), "PTTL sesame:note:%s", name);
	redis_server_ask(&server, command, answer, sizeof(answer));
	assert_int_equal(answer[0], ':');
	return strtol(answer + 1, NULL, 10);
}

struct moment {
	struct place *place;
	uint64_t ms;
};

static bool is_past(void *arg)
{
	struct moment *m = arg;

	return m->place->loop->now_ms >= m->ms;
}

static void pass(struct place *at, uint64_t ms)
{
	struct moment m = {at, at->loop->now_ms + ms};

	place_wait(at, is_past, &m, "a moment");
}

TEST("what a full Redis refuses is written later, for what is left of its time")
{
	struct place at[2];

	begin(at);
	redis_server_tell(&server, "CONFIG SET maxmemory 1", "+OK");
	note(&at[0], "short", "it holds for a second", 1);
	note(&at[0], "long", "it holds for an hour", 3600);
	place_says(&at[0], "refuses what other gateways are to know, which "
			   "waits here: OOM");
	pass(&at[0], 1500);
	redis_server_tell(&server, "CONFIG SET maxmemory 0", "+OK");
	written(&at[0], "long", "it holds for an hour");
	assert_in_range(left_of("long"), 3500000, 3600000 - 1500);
	redis_server_tell(&server, "EXISTS sesame:note:short", ":0");
	note(&at[1], "next", "at once", 60);
	written(&at[1], "next", "at once");
	two_nodes_close(at, &server);
}

TEST("while Redis is away the newest wait, and of one name the last")
{
	struct hub_redis_figures f;
	char name[32], text[32];
	struct place at[2];

	begin(at);
	redis_server_kill(&server);
	place_is_up(&at[0], false);
	for (int i = 0; i < 2 * HUB_REDIS_NOTES; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		note(&at[0], name, "x", 3600);
		snprintf(text, sizeof(text), "of round %d", i);
		note(&at[0], "same", text, 3600);
	}
	pass(&at[0], 500);
	hub_redis_count(at[0].redis, &f);
	assert_int_equal(f.notes_lost, HUB_REDIS_NOTES + 1);
	redis_server_again(&server);
	place_is_up(&at[0], true);
	written(&at[0], "same", text);
	written(&at[0], name, "x");
	snprintf(name, sizeof(name), "n%d", HUB_REDIS_NOTES + 1);
	written(&at[0], name, "x");
	redis_server_tell(&server, "EXISTS sesame:note:n1024", ":0");
	two_nodes_close(at, &server);
}

TEST("a note that was on its way when the connection broke is written again")
{
	struct place at[2];

	begin(at);
	redis_server_pause(&server, true);
	note(&at[0], "lost", "twice sent", 3600);
	place_is_up(&at[0], false);
	redis_server_kill(&server);
	redis_server_again(&server);
	written(&at[0], "lost", "twice sent");
	two_nodes_close(at, &server);
}

TEST("notes of many bytes wait up to a bound of these")
{
	static char text[HUB_REDIS_NOTE_MAX];
	struct hub_redis_figures f;
	struct place at[2];
	char name[32];

	memset(text, 'x', sizeof(text) - 1);
	begin(at);
	redis_server_kill(&server);
	place_is_up(&at[0], false);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		note(&at[0], name, text, 3600);
	}
	pass(&at[0], 300);
	hub_redis_count(at[0].redis, &f);
	assert_int_equal(f.notes_lost,
			 100 - HUB_REDIS_NOTES_BYTES / sizeof(text) + 1);
	two_nodes_close(at, &server);
}
