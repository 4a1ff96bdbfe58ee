/* SPDX-License-Identifier: MIT */
/*
 * Channels: who is in one, who gets what, what one holds and for how long, how
 * many there may be. Pure and without locks; hub/hub.h says which thread calls
 * what, and docs/delivery.md what a channel promises.
 *
 * Members of a channel are kept by the seat (the worker) that has their
 * connection, so each worker walks through its own alone.
 *
 * Memory: a channel takes sizeof(struct hub_channel) + its name + seats *
 * sizeof(struct hub_crowd), about 270 B + name + 24 B for each worker, and what
 * it holds; a member takes struct hub_member, 88 B, beside its connection.
 */
#ifndef HUB_CHANNEL_H
#define HUB_CHANNEL_H

#include "hub/bucket.h"
#include "hub/receipts.h"
#include "hub/ring.h"
#include "hub/roster.h"
#include "hub/state.h"

#define HUB_NAME_MAX 128 /* bytes of a channel's name */

enum hub_verdict {
	HUB_OK,
	HUB_CHANNELS_FULL, /* no further channel may be */
	HUB_MEMBERS_FULL,  /* no further member in this channel */
	HUB_STATE_FULL,	   /* no further key, or bytes of values */
	HUB_BUSY,	   /* too much is on its way */
	HUB_TOO_OFTEN,	   /* for the channel's rate */
	HUB_OTHER_BODY,	   /* an Idempotency-Key that stood for something else */
	HUB_UNAVAILABLE,   /* the backplane does not answer */
	HUB_STORE_FULL,	   /* it has no memory left; nothing was published */
	HUB_UNKNOWN,	   /* nor does anybody know whether it was published */
	HUB_NO_MEMORY,
	HUB_LATER, /* the answer follows */
};

enum hub_slow { HUB_DROP, HUB_CLOSE, HUB_CONFLATE };

/* What holds for the channels of a space. Those who are in stay in. */
struct hub_rules {
	uint64_t channels; /* of the space */
	uint64_t members;  /* of a channel */
	bool states;	   /* it holds the newest of each key */
	bool presence;
	enum hub_slow slow;
	uint64_t queue; /* bytes that wait for those who read slowly */
	/* what a channel holds: messages (0: none), bytes, for how long */
	uint64_t history, history_bytes, history_ms;
	uint64_t keys;	/* of a state */
	uint64_t kept;	/* bytes that all channels hold */
	struct hub_rate rate; /* of messages in a channel */
};

/* Where names of channels mean something: a route. */
struct hub_space {
	struct hub_space *next;
	struct hub_rules rules;
	size_t n_channels;
	size_t kept;	      /* bytes */
	struct ses_list idle; /* channels without members, the oldest first */
	char name[];
};

#define HUB_PAST_MAX  8			 /* that a backplane tells */
#define HUB_ENDED_MAX (2 * HUB_PAST_MAX) /* with those known here alone */

/*
 * Epochs that the present one goes on from, or that went on from one of these:
 * who was in one of them has, of what is held now, all up to last.
 */
struct hub_past {
	size_t n;
	struct hub_ended {
		struct hub_epoch epoch;
		uint64_t last;
		uint32_t era; /* of it; 0: it was over before */
	} ended[HUB_ENDED_MAX];
};
/* NULL: it is none of them. */
const struct hub_ended *hub_past_find(const struct hub_past *past,
				      const struct hub_epoch *epoch);

/* The members of a channel at one seat. */
struct hub_crowd {
	struct ses_list members; /* the seat's thread alone */
	size_t n;
};

struct hub_channel {
	struct hub_channel *next; /* with the same hash, nearly */
	struct hub_space *space;
	uint64_t hash;
	struct hub_epoch epoch;
	bool opened; /* at the backplane */
	/* By an operation of the backplane: there is no memory for it. */
	bool unheard;
	/* The same of who came or went here: it looks at all of them later. */
	bool untold;
	bool unlooked; /* members were not told yet to look again */
	bool ready;  /* what it holds is known; see hub/backplane.h */
	bool refused; /* for it the backplane has no room */
	bool states; /* state is there */
	uint32_t era; /* one more with each epoch, while it is here */
	uint64_t last_id; /* of its messages */
	uint64_t serial;  /* the backplane's own */
	struct hub_past *past; /* NULL: it goes on from none */
	size_t n_members;
	size_t n_behind; /* members that do not keep up */
	size_t n_uses;	 /* messages on their way, and members */
	struct ses_list idle; /* in the space's, or alone */
	int64_t idle_ms;      /* since when */
	struct ses_list news; /* in the hub's, while some are to be told */
	uint64_t told_ms;     /* when they were last */
	struct hub_ring ring;
	struct hub_state *state;   /* NULL: of messages */
	struct hub_roster *roster; /* NULL: nobody asked for it */
	struct hub_receipts receipts;
	struct hub_bucket bucket;
	struct hub_ticket *waiting; /* for it to become ready */
	const char *name; /* behind the crowds; not NUL-terminated */
	size_t name_len;
	struct hub_crowd crowd[];
};

/* Somebody in a channel; embedded in whatever is served. */
struct hub_member {
	struct ses_list link;	     /* in the crowd */
	struct ses_list held;	     /* in the seat's, while it is held back */
	struct ses_list turn;	     /* in the seat's, while it waits for one */
	struct hub_channel *channel; /* NULL: in none */
	struct hub_person *person;   /* NULL: it is in no list */
	uint64_t id;		     /* of all members that ever were; never 0 */
	uint64_t served; /* up to this one it got all, or was told */
	uint32_t era;	 /* that served is of */
	uint16_t seat;
	bool echo : 1;	    /* gets its own messages too */
	bool envelopes : 1; /* speaks sesame.v1 */
	bool sees : 1;	    /* is told who comes and goes */
	bool closes : 1;    /* is closed when it would miss something */
	bool is_held : 1;
	bool behind : 1;    /* gets nothing new until it has caught up */
	bool begun : 1;	    /* it was welcomed; before it gets nothing */
	bool kept_up : 1;   /* since it began, or came back */
	bool dismissed : 1; /* it was too slow, and is leaving */
	bool resumed : 1; /* it came back, with an id that says something */
	bool lost : 1;	  /* nobody knows how much it missed */
	bool whole : 1;	  /* it knows no key yet: deletions are nothing to it */
	bool unseen : 1;  /* who came and went in the meantime was not told */
	unsigned asked : 2; /* how often for what others know, on its account */
};

/* All channels of a hub. */
struct hub_table {
	struct hub_space *spaces;
	struct hub_channel **bucket;
	size_t n_buckets, n;
	unsigned n_seats;
	uint64_t last_member;
	uint64_t n_epochs;
	uint64_t n_evicted; /* channels given up for others */
	uint64_t n_members, n_idle; /* channels without any use */
	size_t swept;	    /* buckets looked at in this round */
	/* How long channels stay that nobody is in, whatever they hold; 0: as
	 * long as they hold something. */
	int64_t linger_ms;
	/* NULL, or: @c is about to be forgotten. */
	void (*ending)(void *user, struct hub_channel *c);
	void *user;
	uint8_t seed[SES_HASH_SEED];
};

/*
 * What is wrong with @name as a channel's, as a sentence, or NULL: one to
 * HUB_NAME_MAX bytes of UTF-8 without control characters.
 */
const char *hub_name_wrong(struct bytes name);

/* False: no memory. */
bool hub_table_init(struct hub_table *t, unsigned n_seats,
		    const uint8_t seed[SES_HASH_SEED]);
/* All members have left, and no message is on its way. */
void hub_table_fini(struct hub_table *t);
/* The space called @name, made when there is none. NULL: no memory. */
struct hub_space *hub_table_space(struct hub_table *t, const char *name);
/* NULL: nobody is in it, and it holds nothing. */
struct hub_channel *hub_table_find(const struct hub_table *t,
				   const struct hub_space *space,
				   struct bytes name);
/*
 * The same, made when there is none; where there are as many as may be the
 * oldest without members is given up for it. It has a use more, which
 * hub_table_done() ends.
 */
enum hub_verdict hub_table_use(struct hub_table *t, struct hub_space *space,
			       struct bytes name, struct hub_channel **ret);
/* A use more of one that has some. */
static inline void hub_channel_use(struct hub_channel *c)
{
	c->n_uses++;
}
/* A use is over: of a message that was brought to all, say. @now_ms: 1970. */
void hub_table_done(struct hub_table *t, struct hub_channel *channel,
		    int64_t now_ms);

/*
 * Let @member (in no channel) into the channel @name at @seat, which is made
 * when there is none. It keeps up from the next message on. HUB_OK or why not.
 */
enum hub_verdict hub_table_join(struct hub_table *t, struct hub_space *space,
				struct bytes name, unsigned seat,
				struct hub_member *member);
/*
 * It leaves; the last one takes the channel along, when that holds nothing.
 * None in a channel is fine.
 */
void hub_table_leave(struct hub_table *t, struct hub_member *member,
		     int64_t now_ms);

/* ---- What a channel holds ---- */

/* Begin another epoch: what it held is forgotten. */
void hub_table_renew(struct hub_table *t, struct hub_channel *c,
		     const struct hub_epoch *epoch, uint64_t last_id);
/* The same of a state, which holds what @state does, made before; *state is what
 * it held. */
void hub_table_replace(struct hub_table *t, struct hub_channel *c,
		       const struct hub_epoch *epoch, uint64_t last_id,
		       struct hub_state **state);
/* An epoch that nobody could foretell. */
struct hub_epoch hub_table_epoch(struct hub_table *t);
/*
 * Whether all of @m have room: HUB_OK, HUB_STATE_FULL. Channels nobody is in may
 * go.
 */
enum hub_verdict hub_table_fits(struct hub_table *t, struct hub_channel *c,
				struct hub_message *const *m, size_t n);
/*
 * @m has its number, which is the next one: it is last_id from now on, and held
 * (with a user more) as the rules have it. Without memory it is not, and who
 * is behind is told of a gap.
 */
void hub_table_hold(struct hub_table *t, struct hub_channel *c,
		    struct hub_message *m, int64_t now_ms);
/* Forget what is too much, or too old. */
void hub_table_trim(struct hub_table *t, struct hub_channel *c, int64_t now_ms);
/* The oldest number that it holds; last_id + 1: none. */
uint64_t hub_channel_oldest(const struct hub_channel *c);
/* Note what was published under a key. */
bool hub_table_note(struct hub_table *t, struct hub_channel *c,
		    const struct hub_noted *noted);
/* Look after the next @n buckets. False: there is nothing that could age. */
bool hub_table_sweep(struct hub_table *t, size_t n, int64_t now_ms);
/* A keyed hash of several texts, for Idempotency-Keys. */
uint64_t hub_table_hash(const struct hub_table *t, struct bytes a,
			struct bytes b);

/* ---- Members that do not keep up ---- */

void hub_member_fall_behind(struct hub_member *member);
void hub_member_catch_up(struct hub_member *member);
/* It knows nothing: at what is new, or with the whole state. */
void hub_member_begin_afresh(struct hub_member *member);
/* Behind what @since says, which may be anything. */
void hub_member_begin_at(struct hub_member *member, struct bytes since);
/* Whether @since may be known to others, and is not here. */
bool hub_channel_lacks(const struct hub_channel *c, struct bytes since);
/* What it is to be told before anything else. */
struct hub_gap {
	bool is;
	uint64_t from, to; /* from 0: nobody knows */
	uint64_t served;   /* the mark, once it was told */
};
struct hub_gap hub_member_gap(const struct hub_member *member);
/*
 * The messages that are next, at most @room of them and @bytes, each with a user
 * more. None: it has caught up.
 */
size_t hub_member_next(const struct hub_member *member,
		       struct hub_message **out, size_t room, size_t bytes);

#endif
