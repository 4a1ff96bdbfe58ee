/* SPDX-License-Identifier: MIT */
/*
 * Two places where members are: two seats of one process, or two nodes on one
 * Redis. What channels promise is played once and holds for both: the plays say
 * who is where, and SESAME_BACKPLANE=redis says what the places are, as it does
 * for the plays of tests/flow. The test's own thread turns the loops.
 */
#ifndef TESTS_HUB_STAGE_H
#define TESTS_HUB_STAGE_H

#include "hub/backplane.h"
#include "hub/redis.h"
#include "test.h"

struct guest;
struct redis_server;

/* Of a route: all has a bound, which plays reach that set another one. */
extern const struct hub_rules plain;

struct place {
	struct place *next; /* of those that are open */
	struct hub *hub;
	struct hub_seat *seat;
	struct sesame_loop *loop;
	struct hub_space *space;
	struct hub_backplane *redis; /* NULL: it is not on one */
	struct guest *guests;
};

/* A member that writes down what it is told. */
struct guest {
	struct hub_member member; /* echo and sees are the test's to set */
	struct guest *next;
	struct place *place;
	bool plain;    /* it gets payloads, each of them a word it hears */
	bool stuck;    /* takes nothing, until guest_reads() */
	bool left_out; /* told that it is too slow */
	bool refused; /* told that its channel is one too many */
	uint64_t n_missed;
	struct bytes since;
	char you[HUB_WHO_SIZE]; /* "": it is given a name */
	char welcome[512];
	char heard[8192]; /* as story.h has it */
};

/* Whether the plays are to be on Redis. */
bool stage_has_nodes(void);
/*
 * The backplane that plays are to be on, a Redis that is empty. There is one
 * for all tests of a program; a test is skipped where it is not installed.
 */
struct hub_backplane *stage_backplane(void);

/* Nothing is open, nor was anything said: another test may have failed. */
void stage_begin(void);
void places_open(struct place at[2], const struct hub_rules *rules);
/* One more node on the Redis at @url. */
void place_open(struct place *at, const char *url,
		const struct hub_rules *rules);
/* Whoever is there leaves. */
void place_close(struct place *at);
void places_close(struct place at[2]);
/* Two nodes on a Redis of their own; skipped where it is not installed. */
void two_nodes_open(struct place at[2], struct redis_server *server,
		    const struct hub_rules *rules);
void two_nodes_close(struct place at[2], struct redis_server *server);
/* A moment passes there, and something may happen wherever one is open. */
void place_turn(struct place *at);
/* Until @is_so, or the test fails after 20 s: @what was waited for. */
void place_wait(struct place *at, bool (*is_so)(void *arg), void *arg,
		const char *what);
/* What the places said to the operator, all of it so far; and until then. */
const char *places_said(void);
void place_says(struct place *at, const char *words);
/* Its Redis is there, or away. */
void place_is_up(struct place *at, bool up);

/* Enter, and wait to be welcomed. @since: NULL for who has no id. */
void guest_comes(struct guest *g, struct place *at, const char *channel,
		 const char *since);
void guest_goes(struct guest *g);
/* It takes what it is sent again. */
void guest_reads(struct guest *g);
/* It is told just this, since the last time. */
void guest_hears(struct guest *g, const char *story);

/* Publish there, as by POST, and wait for what becomes of it. */
enum hub_verdict say(struct place *at, const char *channel,
		     const struct hub_content *content, size_t n,
		     const char *key, struct hub_receipt *ret_receipt);
/* The same: a text, or a value of a state, NULL to take it away. It is taken;
 * its number. */
uint64_t tell(struct place *at, const char *channel, const char *text);
uint64_t put(struct place *at, const char *channel, const char *key,
	     const char *value);
/* Behind @since, NULL for all: a story as those of guests. */
void history_is(struct place *at, const char *channel, const char *since,
		const char *story);
/* "ann bob " */
void present_are(struct place *at, const char *channel, const char *names);
/* An id of the channel's epoch. */
const char *id_of(struct place *at, const char *channel, uint64_t number);

#endif
