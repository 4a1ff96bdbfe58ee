/* SPDX-License-Identifier: MIT */
/*
 * Many channels that hold much are opened at once: Redis cuts off whom it has
 * to tell more than its client-output-buffer-limit.
 */
#include <stdio.h>

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
	struct hub_redis_figures f;
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
	hub_redis_count(at[1].redis, &f);
	assert_int_equal(f.connects, 1);
	for (size_t i = 0; i < N_CHANNELS; i++)
		hub_release(&ticket[i]);
	two_nodes_close(at, &server);
}
