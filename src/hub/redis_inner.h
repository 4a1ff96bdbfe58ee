/* SPDX-License-Identifier: MIT */
/*
 * The backplane on Redis from the inside: redis.c the orders that come from
 * other threads, redis_life.c the two connections, redis_post.c what is
 * published, redis_sync.c what is told, redis_answer.c what a channel holds,
 * redis_people.c presence, redis_notes.c notes; redis/ has what is done inside
 * Redis, docs/backplane.md the keys there. All runs in the backplane's
 * thread but the operations in redis.c, which are called with the hub's lock
 * held. Locks, in this order: the hub's, that of the orders. No reply is waited
 * for with any of them.
 */
#ifndef HUB_REDIS_INNER_H
#define HUB_REDIS_INNER_H

#include "hub/hub_inner.h"
#include "hub/redis.h"
#include "hub/redis_entry.h"
#include "hub/redis_link.h"
#include "hub/redis_scripts.h"

#define REDIS_CHORES_MS	 200
#define REDIS_BEAT_MS	 1000 /* between two pings */
#define REDIS_DEAD_MS	 3500 /* without an answer */
#define REDIS_LEASE_S	 9    /* of a node */
#define REDIS_FLIGHTS	 1024 /* commands that publish, on their way */
#define REDIS_FLIGHT_BYTES ((size_t)8 * 1024 * 1024)
#define REDIS_BATCH	 128 /* messages in one of them */
#define REDIS_BATCH_BYTES ((size_t)128 * 1024)
#define REDIS_TUNINGS	 1024 /* topics that wait to be confirmed at a time */
#define REDIS_SYNCS	 64 /* channels asked for at a time */
#define REDIS_FIRST_SYNCS 4  /* as long as none was answered */
#define REDIS_PEOPLE_ASKED 8 /* channels asked who is there at a time */
#define REDIS_SYNC_BYTES ((size_t)256 * 1024) /* in one answer, or an entry */
#define REDIS_EARLY_BYTES ((size_t)8 * 1024 * 1024) /* told, and not brought */
#define REDIS_NODES	 256 /* others that are known */
#define REDIS_SHA_LEN	 40
#define REDIS_LINGER_MS	 30000 /* of a channel that nobody here is in */
#define REDIS_KEPT_MS	 3600000 /* Redis keeps what is kept, at least */
#define REDIS_SILENT_MS	 600000 /* Redis keeps one that nothing was said in */

/* ---- Orders, from any thread ---- */

enum redis_errand {
	REDIS_OPEN,
	REDIS_CLOSE,
	REDIS_REFRESH,
	REDIS_INHABIT,
	REDIS_POST,
	REDIS_PERSON, /* comes or goes */
	REDIS_NOTE,
	REDIS_READ,
	REDIS_BLAME,
};

/* What a channel, and all of its route, may hold at Redis. */
struct redis_bounds {
	uint64_t most, most_bytes, age_ms; /* of the channel */
	uint64_t channels, kept;	   /* of the route */
};

struct redis_order {
	struct ses_list link;
	enum redis_errand errand;
	uint64_t serial; /* of the channel */
	struct hub_space *space;
	struct bytes tag;  /* "SPACE NAME" */
	struct bytes text; /* who; or a note, or an Idempotency-Key */
	bool states, presence;
	bool inhabited; /* somebody here is in it */
	bool untold;	/* orders of who came or went are missing */
	struct redis_bounds bounds;
};

struct redis_post {
	struct redis_order order;
	struct redis_post *next; /* on the same flight */
	struct hub_ticket *ticket;
	struct hub_receipt receipt;
	size_t bytes; /* that count as on the way */
	uint64_t at_ms;
	size_t n;
	struct hub_message *message[];
};

struct redis_note {
	struct redis_order order; /* tag: its name */
	unsigned ttl_s;
	uint64_t end_ms; /* it holds until then */
	struct redis *redis;
	void (*done)(void *user, const char *name, struct bytes text);
	void *user;
	unsigned n_asked; /* replies that are to come, and one */
};

/* ---- A channel that is open here ---- */

struct redis_channel {
	struct hub_entry entry; /* by its tag, in redis->channels */
	struct ses_list link;	/* of all */
	struct ses_list due;	/* in redis->untuned or ->due, while it is in
				 * need of either */
	struct redis *redis;
	uint64_t serial;
	struct hub_space *space;
	struct bytes name;
	bool states, presence;
	bool closed;	/* nobody has it open; it goes when nothing is expected */
	bool inhabited; /* somebody here is in it */
	bool vouched;	/* Redis knows, and has to be told what is so then */
	bool said_in;	/* something was, once */
	bool written;	/* people of this node were, at Redis */
	bool leaving;	/* it is closed when those are taken out there */
	bool tuned;	/* what it is told arrives here */
	unsigned n_tuning; /* confirmations of that which are to come */
	unsigned n_asked;  /* replies of others that are to come */
	bool syncing, again, look;
	bool retry; /* with the next chores */
	uint64_t looked_ms, asked_ms, vouched_ms;
	uint64_t opened_ms;
	bool brought; /* once, what it holds */
	uint64_t number; /* of what was asked last */
	uint64_t told_again; /* the lowest number that was; 0: none */
	/* Who is there, as redis_people.c looks at it again and again. */
	struct ses_list turn; /* in one of redis->people_... */
	bool people_asked;    /* and not answered yet */
	uint64_t people_number, people_ms; /* of the last question */
	uint64_t people_more; /* where the next one goes on; 0: it begins */
	/* How often it began. hub_person.listed: the round by which the list
	 * was last known to name that one. */
	uint32_t people_round;
	struct redis_bounds bounds;
	/* What came of it so far. */
	struct hub_message **got;
	size_t n_got, room, got_bytes;
	uint64_t looked; /* up to this number */
	uint64_t from;	 /* behind this one; 0: all */
	struct hub_standing *standing; /* of the answer's first part */
	struct ses_list early; /* what was told before it could be brought */
	struct hub_map people; /* of other nodes: "NODE WHO" */
	struct ses_list persons;
	char tag[];
};

/* Somebody at another node. */
struct redis_person {
	struct hub_entry entry;
	struct ses_list link;	 /* of the channel's */
	struct ses_list of_node; /* in node->persons, or redis->leavers */
	struct redis_channel *channel;
	struct redis_node *node;
	uint32_t life;	/* of the node; that of another is over */
	bool confirmed; /* named in the list that is being read */
	char text[];
};

/* A place for a node. */
struct redis_node {
	char id[HUB_REDIS_NODE_LEN + 1]; /* "": none */
	uint64_t heard_ms;
	uint32_t life; /* one more with each that ended here */
	struct ses_list persons;
};

/* A command that publishes, and was not answered yet. */
struct redis_flight {
	struct redis *redis;
	struct redis_post *posts; /* NULL: it is over */
	size_t n, bytes;
	uint64_t counter;
	bool answered; /* by Redis; not all of it was told here yet */
	bool seen;     /* some of it was told here, by which it is known */
	bool whole;    /* up to its last */
	uint64_t answered_ms;
	bool again;  /* it was sent before, and nobody knows what became of it */
	bool unsure; /* to a server that may have forgotten it */
	struct hub_epoch epoch;
	uint64_t seq; /* of its first, once it is seen or answered */
};

struct redis {
	struct hub_backplane base;
	struct redis_url url;
	char address[HUB_REDIS_ADDRESS_SIZE];
	char node[HUB_REDIS_NODE_LEN + 1];
	char host[64];
	void (*log)(const char *sentence);
	struct ses_tls_context *tls;
	pthread_t thread;
	bool runs;
	struct sesame_loop *loop;
	pthread_mutex_t lock; /* guards what follows */
	struct ses_list orders;
	struct ses_post knock;
	bool knocked, stopping;
	bool unsaid; /* orders to close, or who is in one, are missing */
	size_t orders_bytes;
	struct hub_redis_figures figures;
	/* ---- the thread's own ---- */
	struct ses_list late; /* orders to open, without memory until now */
	struct redis_link command, told;
	bool up, command_ready, told_ready;
	bool ended; /* nothing begins any more */
	char life[48], told_life[48]; /* run ids of the server */
	char last_life[48];
	uint64_t client, last_client; /* the server's number of command; or 0 */
	/* Its history as a leader, and whether one before was of another. */
	char history[48], last_history[48];
	bool has_followed;
	char sha[REDIS_N_SCRIPTS][REDIS_SHA_LEN + 1];
	int64_t ahead_ms; /* Redis's clock, less the loop's */
	uint64_t asked_ms; /* when that was asked for last */
	uint64_t opened_ms, up_ms, down_ms;
	uint64_t command_heard_ms, told_heard_ms, beat_ms, ping_us;
	unsigned n_failed;
	bool paused; /* too much is on its way to members */
	struct ses_timer chores, reconnect;
	struct hub_map channels;
	/* All that is open; of it what is not told here yet, and is to be; and
	 * what is to be asked for. */
	struct ses_list all, untuned, due;
	size_t n_tuning; /* confirmations of topics that are to come */
	size_t early_bytes; /* of what was told too early, in all channels */
	size_t n_syncing, most_syncing; /* that many may be */
	size_t top_syncing; /* more than that were too many at once */
	unsigned n_prompt;  /* answers since, that came fast */
	uint64_t number;
	struct ses_list posts; /* that wait to be sent */
	struct redis_flight flight[REDIS_FLIGHTS];
	uint64_t counter, answered; /* those in between are flying */
	size_t flying_bytes;
	struct redis_node nodes[REDIS_NODES];
	struct ses_list leavers; /* people of nodes that ended */
	size_t n_may_leave;	 /* of these until the next chores */
	/* Channels whose people are asked for: soon, by now, and again later;
	 * each in the order of its time. */
	struct ses_list people_due, people_asked, people_kept;
	size_t n_people_asked;
	/* Notes that are to be written, the oldest first, and those that are
	 * on their way. */
	struct ses_list notes, notes_flying;
	size_t n_notes, n_notes_flying, notes_bytes; /* of both */
	bool notes_refused; /* the last one was: one at a time is tried */
	uint64_t notes_tried_ms;
	size_t n_unlooked; /* channels that may be gone since */
	uint64_t kept_ms; /* when all that is open was last looked over */
	uint64_t serials;     /* under the hub's lock */
	uint64_t malformed_ms; /* when it was last told */
	char trouble[160];
	uint8_t seed[SES_HASH_SEED];
};

/* ---- redis.c ---- */

void redis_say(struct redis *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Add to a figure, from the thread. */
#define redis_add(r, field, many)                                              \
	do {                                                                   \
		pthread_mutex_lock(&(r)->lock);                                \
		(r)->figures.field += (many);                                  \
		pthread_mutex_unlock(&(r)->lock);                              \
	} while (0)
void redis_free_order(struct redis_order *order);
/* Channels for which there was no memory, once more. */
void redis_open_late(struct redis *r);
/* Takes @order. False: there is no room for it. */
bool redis_give(struct redis *r, struct redis_order *order);

/* ---- redis_life.c ---- */

/* Connect, and do all that is due, until redis_end(). */
void redis_begin(struct redis *r);
void redis_end(struct redis *r);
/* It is broken: begin again. @why is a phrase. */
void redis_lose(struct redis *r, const char *why);
/* A command that runs a script: KEYS and ARGV follow. */
void redis_script_begin(struct redis *r, enum redis_script script,
			size_t n_keys, size_t n_args);
/* What the scripts on channels begin with: four keys, and seven arguments. */
void redis_script_keys(struct redis *r, struct bytes tag, bool states);
void redis_script_args(struct redis *r, const struct redis_bounds *bounds,
		       bool states, size_t name_len);
/* A word "PREFIX:{TAG}:SUFFIX". */
void redis_key(struct redis *r, struct bytes tag, const char *suffix);
/* The same for what has a name of its own, as "PREFIX:lease:NODE". */
void redis_own_key(struct redis *r, const char *what, const char *name);
/* "PREFIX:DB:WHAT:NAME": topics are no database's. */
void redis_topic(struct redis *r, struct redis_link *link, const char *what,
		 struct bytes name);
/* Whatever becomes of it. */
void redis_no_reply(void *arg, const struct redis_reply *reply);

/* ---- redis_post.c ---- */

void redis_post_take(struct redis *r, struct redis_post *post);
/* Send what may be sent. */
void redis_post_send(struct redis *r);
/* It went away: nothing more is told of what it has answered. */
void redis_post_lose(struct redis *r);
/* After it came up again. @same: it is the server that was there before. */
void redis_post_resume(struct redis *r, bool same);
/* Refuse what waits too long; all: @end. */
void redis_post_expire(struct redis *r, bool end);
/* The server refuses @what, a phrase: it is said, once a second at most. */
void redis_refused(struct redis *r, const char *what,
		   const struct redis_reply *reply);
/* What is published to the channel @tag was told. */
void redis_post_seen(struct redis *r, struct bytes tag,
		     const struct redis_entry *e);

/* ---- redis_sync.c ---- */

struct redis_channel *redis_channel_find(struct redis *r, struct bytes tag);
/* False: no memory; nothing was done. */
bool redis_sync_open(struct redis *r, const struct redis_order *order);
void redis_sync_close(struct redis *r, const struct redis_order *order);
void redis_sync_refresh(struct redis *r, const struct redis_order *order);
void redis_sync_inhabit(struct redis *r, const struct redis_order *order);
/* All are asked for again, or nothing arrives any more. */
void redis_sync_resume(struct redis *r);
void redis_sync_lose(struct redis *r);
void redis_sync_some(struct redis *r);
void redis_sync_end(struct redis *r);
/* What is due for all that is open. */
void redis_sync_keep(struct redis *r);
/* A topic of a channel, or this node's own, was told @text. */
void redis_sync_tuned(struct redis *r, struct bytes tag, bool on);
void redis_sync_told(struct redis *r, struct bytes tag, struct bytes text);
void redis_sync_answered(struct redis *r, struct bytes text);
/* Something that no gateway wrote: it is counted, and said in the log. */
void redis_malformed(struct redis *r, const char *what, struct bytes where);
/*
 * What a script tells beside its answer, as the last part of @reply: how many
 * channels and messages Redis gave up, and what was found that no gateway wrote;
 * "followed" is said alone: the server has what another one had.
 */
void redis_told_beside(struct redis *r, const struct redis_reply *reply,
		       struct bytes where);
/* The same, of a script that says where; @arg: the struct redis. */
void redis_told_there(void *arg, const struct redis_reply *reply);
/* Up to where the hub knows the channel @tag; "", 0: it does not. */
struct hub_id redis_known(struct redis *r, struct bytes tag);
/* Under the hub's lock. NULL: it is not there any more. */
struct hub_channel *redis_hub_channel(const struct redis_channel *c);
/* It was closed, and there may have been no memory to say so. */
bool redis_channel_is_gone(const struct redis_channel *c);
void redis_channel_settle(struct redis_channel *c);
void redis_channel_close(struct redis_channel *c);

/* ---- redis_people.c ---- */

void redis_people_init(struct redis *r);
void redis_people_order(struct redis *r, const struct redis_order *order);
/* All people of @c are to be asked for, once that is its turn, and then again
 * and again. */
void redis_people_sync(struct redis_channel *c);
/* They are not any more. */
void redis_people_rest(struct redis_channel *c);
/* Ask for those whose turn it is. */
void redis_people_some(struct redis *r);
/* What is due of that, several times a second. */
void redis_people_keep(struct redis *r);
void redis_people_told(struct redis *r, struct redis_channel *c,
		       struct bytes text, bool comes);
void redis_people_answered(struct redis *r, struct bytes text);
void redis_people_forget(struct redis *r, struct redis_channel *c);
/* A node lives, or ended. */
void redis_node_told(struct redis *r, struct bytes text);
void redis_node_beat(struct redis *r);

/* ---- redis_answer.c ---- */

/* NULL: no memory. */
struct hub_message *redis_message_of(struct redis *r,
				     const struct redis_entry *e);
/*
 * A part of what @c holds. False: no memory, or it does not go on from the part
 * before.
 */
bool redis_answer_take(struct redis_channel *c, const struct redis_holding *h);
/* That was all: the hub gets it. */
void redis_answer_bring(struct redis_channel *c);
void redis_answer_forget(struct redis_channel *c);
/*
 * An entry that was told before it could be brought: members get it with the
 * answer, which may hold it no more. Of too many the newest are kept, or none.
 */
void redis_early_keep(struct redis_channel *c, struct bytes text);
void redis_early_forget(struct redis_channel *c);

/* ---- redis_notes.c ---- */

void redis_notes_init(struct redis *r);
/* It is written, now or as soon as Redis takes it. */
void redis_note_take(struct redis *r, struct redis_note *note);
/* What is due of that, several times a second. */
void redis_notes_keep(struct redis *r);
void redis_note_read(struct redis *r, struct redis_note *note);

#endif
