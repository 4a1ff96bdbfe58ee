/* SPDX-License-Identifier: MIT */
/*
 * Channels: who is in one, who gets what, how many there may be. Pure and
 * without locks; hub/hub.h says which thread calls what.
 *
 * Members of a channel are kept by the seat (the worker) that has their
 * connection, so each worker walks through its own alone.
 *
 * Memory: a channel takes sizeof(struct hub_channel) + its name + seats *
 * sizeof(struct hub_crowd), about 120 B + name + 24 B for each worker; a member
 * takes struct hub_member, 72 B, beside its connection.
 */
#ifndef HUB_CHANNEL_H
#define HUB_CHANNEL_H

#include "base/hash.h"
#include "base/list.h"

#define HUB_NAME_MAX 128 /* bytes of a channel's name */

enum hub_verdict {
	HUB_OK,
	HUB_CHANNELS_FULL, /* no further channel may be */
	HUB_MEMBERS_FULL,  /* no further member in this channel */
	HUB_BUSY,	   /* too much is on its way */
	HUB_NO_MEMORY,
};

/* How many there may be; those who are in stay in, whatever is set later. */
struct hub_bounds {
	uint64_t channels; /* of the space */
	uint64_t members;  /* of a channel */
};

/* Where names of channels mean something: a route. */
struct hub_space {
	struct hub_space *next;
	size_t n_channels;
	char name[];
};

/* The members of a channel at one seat. */
struct hub_crowd {
	struct ses_list members; /* the seat's thread alone */
	size_t n;
};

struct hub_channel {
	struct hub_channel *next; /* with the same hash, nearly */
	struct hub_space *space;
	uint64_t hash;
	uint64_t last_id;  /* of its messages */
	size_t n_members;
	size_t n_uses;	   /* messages on their way, and members */
	const char *name;  /* behind the crowds; not NUL-terminated */
	size_t name_len;
	struct hub_crowd crowd[];
};

/* Somebody in a channel; embedded in whatever is served. */
struct hub_member {
	struct ses_list link;	     /* in the crowd */
	struct ses_list held;	     /* in the seat's, while it is held back */
	struct hub_channel *channel; /* NULL: in none */
	unsigned seat;
	bool echo;	/* gets its own messages too */
	bool is_held;
	uint64_t id;	/* of all members that ever were; never 0 */
	uint64_t since; /* messages up to this one went before it came */
};

/* All channels of a hub. */
struct hub_table {
	struct hub_space *spaces;
	struct hub_channel **bucket;
	size_t n_buckets, n;
	unsigned n_seats;
	uint64_t last_member;
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
/* NULL: nobody is in it. */
struct hub_channel *hub_table_find(const struct hub_table *t,
				   const struct hub_space *space,
				   struct bytes name);

/*
 * Let @member (in no channel) into the channel @name at @seat, which is made
 * when it is the first one. HUB_OK or why not.
 */
enum hub_verdict hub_table_join(struct hub_table *t, struct hub_space *space,
				struct bytes name, struct hub_bounds bounds,
				unsigned seat, struct hub_member *member);
/* It leaves; the last one takes the channel along. None in a channel is fine. */
void hub_table_leave(struct hub_table *t, struct hub_member *member);

/* A message more is on its way in @channel; its number, from 1. */
uint64_t hub_table_number(struct hub_channel *channel);
/* A message has been brought to all. */
void hub_table_done(struct hub_table *t, struct hub_channel *channel);

/* Whether @member gets message @id of the member @sender (0: of nobody). */
bool hub_gets(const struct hub_member *member, uint64_t id, uint64_t sender);

#endif
