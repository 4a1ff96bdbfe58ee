/* SPDX-License-Identifier: MIT */
/*
 * What stands behind the channels of a process: whoever numbers messages and
 * knows what other nodes have. The hub (hub/hub.h) serves its members from what
 * it holds itself; a backplane keeps that equal to what all nodes hold. Nothing
 * but this interface is known of it: in memory (hub/memory.c) it is the process
 * alone.
 *
 * All operations are called in any seat's thread with the hub's lock held, so
 * none may wait for anything. What takes a while says HUB_LATER, or leaves a
 * channel not ready, and brings the rest by the functions below, which are for
 * any thread.
 */
#ifndef HUB_BACKPLANE_H
#define HUB_BACKPLANE_H

#include "hub/hub.h"

struct hub_backplane;

/* Something that is to be published. */
struct hub_post {
	struct hub_channel *channel; /* is ready, and in use */
	struct hub_message **message; /* not numbered yet; to be referenced */
	size_t n;		      /* one at least; they stay together */
	/* An Idempotency-Key as it came (data NULL: none), and hashes of it and
	 * of what is published. */
	struct bytes key;
	uint64_t hash[2];
	uint64_t now_ms;  /* of a clock that only goes on */
	int64_t time_ms;  /* since 1970 */
	struct hub_ticket *ticket; /* for an answer that comes later */
	/* What became of it. */
	struct hub_receipt *receipt;
};

struct hub_backplane_ops {
	const char *name;
	/* Others may have a channel too, and publish when nobody is here. */
	bool shared;
	/* How long a channel stays that nobody here is in; 0: as long as it
	 * holds something. */
	unsigned linger_ms;
	/*
	 * @c has come to be here. It is to become ready, now or later, by
	 * hub_bring_epoch() and, for what it holds, hub_bring_message(); or
	 * c->unheard: there is no memory, and nothing will come.
	 */
	void (*open)(struct hub_backplane *b, struct hub_channel *c);
	/* It is about to be forgotten here. */
	void (*close)(struct hub_backplane *b, struct hub_channel *c);
	/*
	 * Number and bring, or refuse. HUB_LATER: post->ticket is answered
	 * later, by hub_answer(), and what is needed of @post was copied.
	 */
	enum hub_verdict (*publish)(struct hub_backplane *b,
				    struct hub_post *post);
	/* Somebody here joins or leaves a channel with presence. */
	void (*enter)(struct hub_backplane *b, struct hub_channel *c,
		      struct bytes who);
	void (*leave)(struct hub_backplane *b, struct hub_channel *c,
		      struct bytes who);
	/* NULL, or: begin, once b->hub is there. False: it cannot. */
	bool (*start)(struct hub_backplane *b);
	/*
	 * NULL, or: somebody knows of more than is here. hub_bring_standing()
	 * follows, with @look; or c->unheard, as of open().
	 */
	void (*refresh)(struct hub_backplane *b, struct hub_channel *c);
	/* NULL, or: the first member here came into @c, or the last one left. */
	void (*inhabit)(struct hub_backplane *b, struct hub_channel *c);
	/* NULL, or: bring nothing more, and answer all tickets. */
	void (*stop)(struct hub_backplane *b);
	void (*free)(struct hub_backplane *b);
};

struct hub_backplane {
	const struct hub_backplane_ops *ops;
	struct hub *hub; /* set by the hub before anything is called */
	char node[32];	 /* its name, where there are others; "" */
};

/* The process alone. NULL: no memory. */
struct hub_backplane *hub_memory_new(void);

/* ---- For a backplane ---- */

/* What follows may be called only between these, or within an operation. */
void hub_lock(struct hub *hub);
void hub_unlock(struct hub *hub);
/* NULL: nobody here has it. */
struct hub_channel *hub_channel_of(struct hub *hub, const char *space,
				   struct bytes name);
/*
 * @c is in its @epoch at @last_id, and what it holds is what follows. It is
 * ready after it. Members who were in it before are told of a gap: with a
 * number when the epoch is the same one.
 */
void hub_bring_epoch(struct hub *hub, struct hub_channel *c,
		     const struct hub_epoch *epoch, uint64_t last_id);
/* What a channel holds, as the backplane knows it. */
struct hub_standing {
	struct hub_epoch epoch;
	uint64_t last_id;
	uint64_t floor; /* of a state: see hub/state.h */
	/* Epochs that this one goes on from, the newest first, and the last
	 * number that each handed on. */
	struct hub_past_epoch {
		struct hub_epoch epoch;
		uint64_t last;
	} past[HUB_PAST_MAX];
	size_t n_past;
	/* In the order of their numbers: all that it holds, or what is behind
	 * the last one here. They become of its epoch. */
	struct hub_message **message;
	size_t n;
	/* From this number on some were told meanwhile, and are brought to
	 * members whether the channel holds them or not; 0: none. */
	uint64_t told;
	bool whole; /* all, and what is here is not to be believed */
	bool look;  /* members look again, even if nothing is new */
	struct hub_state *state; /* NULL, or by hub_prepare() */
};
/*
 * What takes long of a @s that is whole, and of states: to be done before the
 * lock is taken. Once it was brought and the lock is open again what is left of
 * it is to be forgotten; nothing if nothing was prepared. Without memory it
 * takes long with the lock held.
 */
void hub_prepare(struct hub *hub, struct hub_standing *s);
void hub_forget_prepared(struct hub_standing *s);
/*
 * Make @c what @s says; it is ready after it. What follows what is here is
 * brought to members; else they look what is held, and are told of a gap.
 */
void hub_bring_standing(struct hub *hub, struct hub_channel *c,
			struct hub_standing *s);
/* @c will not become ready for now: who waits for that is told. */
void hub_give_up(struct hub_channel *c);
/*
 * Where all nodes are together there is no room for @c, which is not ready: who
 * waits for that is told, and members are closed.
 */
void hub_refuse_channel(struct hub *hub, struct hub_channel *c);
/* A random epoch. */
struct hub_epoch hub_new_epoch(struct hub *hub);
/*
 * @m has its epoch's next number, and its time. It is held, and brought to all
 * members.
 */
void hub_bring_message(struct hub *hub, struct hub_channel *c,
		       struct hub_message *m);
/*
 * Somebody at another node came to a channel with presence, or left it.
 */
void hub_bring_person(struct hub *hub, struct hub_channel *c, struct bytes who,
		      bool comes);
/* The bounds and the rate of @post->channel, as far as this node knows. */
enum hub_verdict hub_check_post(struct hub *hub, const struct hub_post *post);
/* Its rate alone. */
enum hub_verdict hub_check_rate(const struct hub_post *post);
/* Without the lock: a ticket gets its answer in the thread of its seat. */
void hub_answer(struct hub_ticket *ticket, enum hub_verdict verdict,
		const struct hub_receipt *receipt);

#endif
