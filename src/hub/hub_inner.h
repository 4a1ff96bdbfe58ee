/* SPDX-License-Identifier: MIT */
/*
 * The hub from the inside: hub.c its seats and who comes and goes, publish.c
 * what comes in, bring.c what a backplane brings, run.c what came together,
 * serve.c what goes out, chores.c what is due, read.c what is asked for. Two
 * locks, taken in this order: the hub's, for the table of channels and all that
 * they hold, and a seat's, for its inbox. Lists of members and their marks are
 * for the seat's thread alone, but for n_behind.
 */
#ifndef HUB_HUB_INNER_H
#define HUB_HUB_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "hub/backplane.h"
#include "net/loop.h"

#define HUB_NEWS_MS  100  /* between two of a channel */
#define HUB_SWEEP_MS 1000 /* between two looks at what is too old */
#define HUB_SWEPT    8192 /* buckets in one look */

struct hub_seat {
	struct hub *hub;
	unsigned number;
	struct sesame_loop *loop;
	struct ses_list held;	/* publishers who wait; the thread's own */
	struct ses_list turns;	/* the slow who could take more; as well */
	struct ses_timer chores; /* runs while something is due */
	struct ses_buf scratch; /* for one frame at a time */
	pthread_mutex_t lock;
	/* under the lock: */
	struct hub_delivery *first, **end;
	struct hub_ticket *tickets, **last_ticket; /* with their answers */
	bool woken;	       /* its loop will look */
	struct ses_post knock; /* in its loop, while it is woken */
};

struct hub {
	const struct hub_events *events;
	struct hub_backplane *backplane;
	pthread_mutex_t lock;
	struct hub_table table; /* under the lock, but for lists of members */
	struct ses_list news;	/* channels whose presence is to be told */
	uint64_t swept_ms;	/* when what is too old was last looked for */
	bool holds;		/* something that may get too old */
	bool stopped;		/* all threads of seats have ended */
	atomic_size_t on_way;	/* bytes of messages */
	atomic_bool stirred;   /* something from afar is due */
	atomic_uint n_waiting;	/* seats where somebody is held back */
	atomic_ullong n_gaps, n_missed, n_conflated, n_closed;
	unsigned n_seats;
	struct hub_seat seat[];
};

/* ---- bring.c ---- */

/* Readers who wait for @c are told. */
void hub_answer_waiting(struct hub_channel *c, enum hub_verdict verdict);

/* ---- publish.c ---- */

/* Put @m into the inboxes of all seats with members; under the hub's lock. */
void hub_hand_out(struct hub *hub, struct hub_channel *channel,
		  struct hub_message *m);
/* A seat has brought it. */
void hub_was_brought(struct hub *hub, struct hub_message *m);
void hub_drop_message(struct hub_message *m);
/* Who was held back may look whether it can go on. */
void hub_tell_waiting(struct hub *hub);

/* ---- hub.c ---- */

/* Under the seat's lock. */
void hub_wake(struct hub_seat *seat);
/* Under the hub's lock: a use of @name that is ready, or why not. */
enum hub_verdict hub_use(struct hub *hub, struct hub_space *space,
			 struct bytes name, struct hub_channel **ret);

/* ---- run.c ---- */

#define HUB_RUN_MOST  64
#define HUB_RUN_BYTES ((size_t)16 * 1024) /* of frames for plain clients */

/*
 * Messages that follow one another in one channel and came together: who keeps
 * up is sent all of them at once. Or one of any kind.
 */
struct hub_run {
	struct hub_message *message[HUB_RUN_MOST];
	size_t n, payload_bytes;
	struct bytes frames[2]; /* data NULL: not built yet */
	struct ses_buf own[2];	/* what they lie in, if in no message */
};

/* Begin with @d what goes on as far as it may; the delivery behind it. */
struct hub_delivery *hub_run_take(struct hub_run *run, struct hub_delivery *d);
/* All its frames, for plain clients or in envelopes; data NULL: no memory. */
struct bytes hub_run_frames(struct hub_run *run, bool envelopes,
			    struct ses_buf *scratch);
void hub_run_fini(struct hub_run *run);

/* ---- serve.c ---- */

/* To the members at @seat. */
void hub_serve(struct hub_seat *seat, struct hub_run *run);
/* A turn's worth to the slow who wait for one. */
void hub_serve_turns(struct hub_seat *seat);

/* ---- chores.c ---- */

/* Something may be due: see to it in time. In the thread of @seat. */
void hub_start_chores(struct hub_seat *seat, unsigned in_ms);
/* Who is in @c has changed; under the hub's lock. */
void hub_note_news(struct hub *hub, struct hub_channel *c);
/* Members see what has changed as a whole. */
void hub_have_looked(struct hub *hub, struct hub_channel *c);

#endif
