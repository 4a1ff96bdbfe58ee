/* SPDX-License-Identifier: MIT */
/*
 * The backplane that makes many nodes one (docs/delivery.md): Redis numbers
 * messages and holds the history, state and presence of all channels; each node
 * holds a replica of those channels that somebody has open there.
 *
 * A thread of its own with a loop has two connections, for commands and for
 * what all nodes are told. Operations append to a bounded queue. While Redis is
 * away members stay; what is published waits for HUB_REDIS_WAIT_MS and is
 * refused then. Nothing that comes from Redis is trusted: see redis_entry.h.
 */
#ifndef HUB_REDIS_H
#define HUB_REDIS_H

#include "hub/backplane.h"

#define HUB_REDIS_WAIT_MS	5000 /* that something waits to be published */
#define HUB_REDIS_PREFIX	"sesame"
#define HUB_REDIS_URL_MAX	1024 /* bytes */
#define HUB_REDIS_ADDRESS_SIZE	400  /* of one in text, with its NUL */
#define HUB_REDIS_NODE_LEN	16   /* of the id of a node */
/*
 * Bytes of a payload. What waits to be told to a node is cut off by Redis from
 * 32 MiB on, as it comes (client-output-buffer-limit): a longer message, asked
 * for again after each cut, would never arrive, nor any behind it.
 */
#define HUB_REDIS_MESSAGE_MAX	4194304
#define HUB_REDIS_NOTE_MAX	((size_t)64 * 1024) /* bytes of a note */
#define HUB_REDIS_NOTES		1024 /* that wait to be written */
#define HUB_REDIS_NOTES_BYTES	((size_t)2 * 1024 * 1024) /* of those */

struct hub_redis_options {
	/* As hub_redis_url_wrong() has it; NUL-terminated, copied. */
	const char *url;
	const char *ca_file; /* whom rediss:// trusts; NULL: as the system */
	/*
	 * A sentence for the operator, for any thread; NULL: none. It never has
	 * a password.
	 */
	void (*log)(const char *sentence);
};

/*
 * What is wrong with @url, as a sentence without what may be secret in it, or
 * NULL: redis://[[USER]:PASSWORD@]HOST[:PORT][/DB][?prefix=PREFIX], rediss://
 * with TLS. Pure.
 */
const char *hub_redis_url_wrong(struct bytes url);
/* "redis://HOST:PORT/DB": what may be told of a @url that is right. */
void hub_redis_url_show(struct bytes url, char out[HUB_REDIS_ADDRESS_SIZE]);

/*
 * A backplane on the server of @options->url, to be given to hub_new(). It
 * connects by itself, and again whenever it is cut off. NULL: no memory, or
 * the URL or the file of certificates is none: @text says which and why.
 */
struct hub_backplane *hub_redis_new(const struct hub_redis_options *options,
				    char *text, size_t text_size);

/* How it goes; for any thread, as long as the hub lives. */
struct hub_redis_figures {
	bool up;		 /* both connections are there, and answer */
	char node[HUB_REDIS_NODE_LEN + 1]; /* this one */
	char address[HUB_REDIS_ADDRESS_SIZE];
	char trouble[160];	 /* why it is not up, or "" */
	char refuses[160];	 /* what it refused last, and why, or "" */
	uint64_t refuses_ms;	 /* when, by the clock of all loops */
	bool full;		 /* because it has reached its maxmemory */
	uint64_t connects;	 /* how often it came up */
	uint64_t published, refused, repeated; /* messages of this node */
	uint64_t received;	 /* of all nodes */
	uint64_t synced;	 /* channels that were looked up as a whole */
	uint64_t malformed;	 /* that were skipped, or mended */
	uint64_t ended;		 /* channels that Redis gave up for this node */
	uint64_t trimmed;	 /* messages that found no room in the route */
	uint64_t waiting_bytes;	 /* not yet published */
	uint64_t notes_lost;	 /* while too many waited to be written */
	uint64_t nodes;		 /* that are alive, this one too */
	uint64_t round_trip_us;	 /* of the last ping */
};
void hub_redis_count(struct hub_backplane *b, struct hub_redis_figures *ret);

/*
 * Notes that all nodes can read, by a name (printable ASCII, 100 bytes at
 * most): what a node does, why somebody was refused. They hold for @ttl_s.
 * While Redis takes none, the newest wait here for as long as they hold, up to
 * HUB_REDIS_NOTES and HUB_REDIS_NOTES_BYTES; of one name only the last. For any
 * thread.
 */
void hub_redis_note(struct hub_backplane *b, const char *name,
		    struct bytes text, unsigned ttl_s);
/*
 * Read the note called @name; for a "*" at its end those with the id of each
 * node there instead. @done is called in the backplane's thread, once for each
 * that is there and once more with a name of NULL, which comes early when Redis
 * is away; it may not wait. False: no memory, and @done will not be called.
 */
bool hub_redis_read(struct hub_backplane *b, const char *name,
		    void (*done)(void *user, const char *name,
				 struct bytes text),
		    void *user);
/*
 * The same for a program that has no hub: waits at most @timeout_ms. 0, or
 * SESAME_E... with @text.
 */
int hub_redis_ask(const struct hub_redis_options *options, const char *name,
		  unsigned timeout_ms,
		  void (*done)(void *user, const char *name, struct bytes text),
		  void *user, char *text, size_t text_size);
/*
 * A note called @name makes no sense to who has read it: that is counted, and
 * told in the log. For any thread.
 */
void hub_redis_blame(struct hub_backplane *b, struct bytes name);

#endif
