/* SPDX-License-Identifier: MIT */
/*
 * Who is in a channel, by name: a name counts as one however many connections
 * it has. What changes is gathered until it is told, so that who comes and
 * goes a thousand times a second costs the others ten messages. Pure.
 */
#ifndef HUB_ROSTER_H
#define HUB_ROSTER_H

#include "base/list.h"
#include "hub/map.h"

#define HUB_NAMES_TOLD 64   /* in one list of who came, or went */
#define HUB_UNTOLD_MAX 4096 /* changes that are gathered */

struct hub_person {
	struct hub_entry entry;
	struct ses_list link;	 /* in the order in which they came */
	struct ses_list changed; /* not told yet */
	uint32_t n; /* connections; 0: gone, and not told yet */
	uint32_t here; /* of these, those to this process; see hub/hub.h */
	bool told;  /* the others know that it is there */
	uint32_t listed; /* the backplane's; 0: others do not know of those here */
	char name[];
};

struct hub_roster {
	struct hub_map map;
	struct ses_list people, changed;
	size_t n_changed;
	size_t n;  /* people who are there */
	bool more; /* changes were left out */
};

void hub_roster_init(struct hub_roster *r, const uint8_t seed[SES_HASH_SEED]);
/* Forget all. */
void hub_roster_fini(struct hub_roster *r);
/* NULL: nobody has that name. */
struct hub_person *hub_roster_find(const struct hub_roster *r,
				   struct bytes name);
/* A connection more, or one less, of @name. NULL: no memory. */
struct hub_person *hub_roster_enter(struct hub_roster *r, struct bytes name);
void hub_roster_leave(struct hub_roster *r, struct hub_person *person);
static inline bool hub_roster_has_news(const struct hub_roster *r)
{
	return r->n_changed || r->more;
}

/* What is to be told, borrowed until the next call. */
struct hub_news {
	struct bytes joined[HUB_NAMES_TOLD], left[HUB_NAMES_TOLD];
	size_t n_joined, n_left;
	size_t count;
	bool more;
};

/* Take what has gathered. False: nothing has changed after all. */
bool hub_roster_tell(struct hub_roster *r, struct hub_news *ret_news);
/* All is told: after hub_roster_tell() was used up, or where nobody is there to
 * hear it; who comes then gets the list. */
void hub_roster_settle(struct hub_roster *r);

/*
 * At most @limit names, in the order in which they came, from the one after
 * @after on (data NULL, or one who is gone: from the first on), to @out. How
 * many; *ret_more: there are more behind them.
 */
size_t hub_roster_list(const struct hub_roster *r, struct bytes after,
		       size_t limit, struct bytes *out, bool *ret_more);

#endif
