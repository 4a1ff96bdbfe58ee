/* SPDX-License-Identifier: MIT */
/*
 * Many channels at once: Redis cuts off whom it has to tell more than its
 * client-output-buffer-limit, and a node that is back asks for all that it has
 * open.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub/hub_inner.h"
#include "hub/redis_inner.h"
#include "redis_relay.h"
#include "redis_server.h"
#include "stage.h"

#define N_CHANNELS 30
#define LARGE	   ((size_t)512 * 1024)

static struct redis_server server;
static struct hub_ticket ticket[N_CHANNELS];
static size_t n_done, n_ok;

static void on_reached(struct hub_ticket *t)
{
	n_done++;
	n_ok += t->verdict == HUB_OK;
}

static bool are_all_done(void *arg)
{
	return n_done == N_CHANNELS;
}

static const char *name_of(size_t i)
{
	static char name[16];

	snprintf(name, sizeof(name), "c%d", (int)i);
	return name;
}

static void fill(struct place *at)
{
	static uint8_t large[LARGE];
	struct hub_content content = {
		.kind = SESAME_BINARY,
		.payload = bytes_of(large, sizeof(large)),
	};
	struct hub_receipt receipt;

	for (size_t i = 0; i < N_CHANNELS; i++)
		assert_int_equal(say(at, name_of(i), &content, 1, NULL, &receipt),
				 HUB_OK);
}

static void reach_all(struct place *at)
{
	n_done = n_ok = 0;
	for (size_t i = 0; i < N_CHANNELS; i++) {
		ticket[i] = (struct hub_ticket){.done = on_reached};
		assert_int_equal(hub_reach(at->seat, at->space,
					   bytes_of_str(name_of(i)), &ticket[i]),
				 HUB_LATER);
	}
	place_wait(at, are_all_done, NULL, "all channels");
}

TEST("who opens many large channels at once is not cut off for it")
{
	struct hub_rules rules = plain;
	struct place at[2];

	rules.kept = 1 << 26;
	two_nodes_open(at, &server, &rules);
	redis_server_tell(&server,
			  "CONFIG SET client-output-buffer-limit \"pubsub 4mb "
			  "0 0\"",
			  "+OK");
	fill(&at[0]);
	place_is_up(&at[1], true);
	reach_all(&at[1]);
	assert_int_equal(n_ok, N_CHANNELS);
	assert_null(strstr(places_said(), "it closed the connection"));
	for (size_t i = 0; i < N_CHANNELS; i++)
		hub_release(&ticket[i]);
	two_nodes_close(at, &server);
}

/* ---- Topics ---- */

#define N_OPEN	   (3 * REDIS_TUNINGS)
#define OWN_TOPICS 2 /* of a node: its own, and that of all */

static struct hub_member members[N_OPEN];

static void open_all(struct place *at)
{
	for (size_t i = 0; i < N_OPEN; i++) {
		char you[HUB_WHO_SIZE] = "";

		assert_int_equal(hub_join(at->seat, at->space,
					  bytes_of_str(name_of(i)), you,
					  &members[i]),
				 HUB_OK);
		members[i].begun = true; /* nobody there is told anything */
	}
}

static void leave_all(struct place *at)
{
	for (size_t i = 0; i < N_OPEN; i++)
		hub_leave(at->seat, &members[i]);
}

/* How many Redis tells of. */
static long topics(void)
{
	static const char name[] = "pubsub_channels:";
	static char answer[16384];
	const char *at;

	redis_server_ask(&server, "INFO stats", answer, sizeof(answer));
	at = strstr(answer, name);
	assert_non_null(at);
	return strtol(at + strlen(name), NULL, 10);
}

static bool are_topics(void *wanted)
{
	return topics() == *(long *)wanted;
}

static void topics_are(struct place *at, long n)
{
	n += OWN_TOPICS;
	place_wait(at, are_topics, &n, "so many topics");
}

TEST("a node that is back asks for so many topics at a time, as answers come")
{
	struct hub_rules rules = plain;
	struct redis_relay relay;
	struct place at;

	if (!redis_server_is_here())
		skip();
	rules.channels = 2 * N_OPEN;
	stage_begin();
	redis_server_start(&server, false);
	redis_relay_start(&relay, &server, false);
	place_open(&at, relay.url, &rules);
	place_is_up(&at, true);
	open_all(&at);
	topics_are(&at, N_OPEN);
	atomic_store(&relay.loses_told, true);
	redis_relay_cut(&relay);
	topics_are(&at, REDIS_TUNINGS);
	for (int i = 0; i < 60; i++)
		place_turn(&at);
	topics_are(&at, REDIS_TUNINGS);
	atomic_store(&relay.loses_told, false);
	redis_relay_cut(&relay);
	topics_are(&at, N_OPEN);
	leave_all(&at);
	place_close(&at);
	redis_relay_stop(&relay);
	redis_server_stop(&server);
}

/* ---- A clock ---- */

static bool is_taken(void *arg)
{
	static const struct hub_content content = {.kind = SESAME_TEXT,
						   .payload = BYTES("one")};
	struct hub_receipt receipt;

	return say(arg, "a", &content, 1, "", &receipt) == HUB_OK;
}

TEST("a Redis whose clock is set goes on taking what is published")
{
	struct redis_relay relay;
	struct place at;

	if (!redis_server_is_here())
		skip();
	stage_begin();
	redis_server_start(&server, false);
	redis_relay_start(&relay, &server, true);
	atomic_store(&relay.late_by, 60);
	atomic_store(&relay.waits, false);
	place_open(&at, relay.url, &plain);
	place_is_up(&at, true);
	assert_false(is_taken(&at)); /* its time is over, by the other clock */
	atomic_store(&relay.late_by, 0);
	place_wait(&at, is_taken, &at, "a message that is taken");
	place_close(&at);
	redis_relay_stop(&relay);
	redis_server_stop(&server);
}
