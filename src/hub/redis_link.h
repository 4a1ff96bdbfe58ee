/* SPDX-License-Identifier: MIT */
/*
 * A connection to Redis in a loop: commands go out one after the other, replies
 * come in their order. hiredis reads the protocol; the stream, its name and TLS
 * are net/dial.h's, so that nothing blocks and rediss:// needs no other
 * library. A reply larger than REDIS_REPLY_MAX ends the connection.
 */
#ifndef HUB_REDIS_LINK_H
#define HUB_REDIS_LINK_H

#include "hub/redis_url.h"
#include "net/dial.h"

#define REDIS_REPLY_MAX ((size_t)128 * 1024 * 1024) /* bytes */
#define REDIS_PARTS_MAX 65536			   /* of one list */
#define REDIS_QUEUE_MAX ((size_t)160 * 1024 * 1024) /* of unsent commands */

enum redis_sort { REDIS_TEXT, REDIS_ERROR, REDIS_NUMBER, REDIS_LIST, REDIS_NIL };

struct redis_reply {
	enum redis_sort sort;
	struct bytes text; /* of a text or an error */
	int64_t number;
	struct redis_reply **part; /* of a list; none is NULL */
	size_t n;
};

struct redis_link;

struct redis_link_events {
	void (*on_up)(struct redis_link *link);
	/* A reply that no command expects: of a subscription. */
	void (*on_told)(struct redis_link *link,
			const struct redis_reply *reply);
	/* It broke, or never came to be; @why is a phrase. It is down by now. */
	void (*on_down)(struct redis_link *link, const char *why);
};

/* What is done with a reply; NULL: the link broke, and nobody knows. */
typedef void redis_on_reply(void *arg, const struct redis_reply *reply);

struct redis_expected {
	redis_on_reply *on_reply; /* NULL: nobody wants it */
	void *arg;
};

struct redis_link {
	const struct redis_link_events *events;
	struct sesame_loop *loop;
	struct ses_tls_context *tls; /* of rediss:// */
	struct ses_dial *dial;	     /* one of these two, or none */
	struct ses_stream *stream;
	void *reader;
	struct ses_buf command; /* that is being written */
	struct redis_expected *expected; /* a ring */
	size_t first, n, room;
	bool reading, gone; /* in on_bytes; the reader goes when that is over */
	bool pushes;	    /* after SUBSCRIBE: nothing is expected any more */
};

/* Connect; on_up() or on_down() follows. False: no memory. */
bool redis_link_open(struct redis_link *link, const struct redis_url *url);
/* No event follows; what was expected is told NULL. */
void redis_link_close(struct redis_link *link);

/*
 * A command: its number of words, each of them, and its end. False at the end:
 * there was no memory for it, or the queue is full; nothing was sent, and
 * @on_reply will not be called.
 */
void redis_link_begin(struct redis_link *link, size_t n);
void redis_link_word(struct redis_link *link, struct bytes word);
/* The same in parts: a word of @len bytes, whose bytes are added by this. */
void redis_link_long_word(struct redis_link *link, size_t len);
void redis_link_part(struct redis_link *link, struct bytes part);
void redis_link_long_end(struct redis_link *link);
void redis_link_str(struct redis_link *link, const char *word);
void redis_link_u64(struct redis_link *link, uint64_t word);
bool redis_link_end(struct redis_link *link, redis_on_reply *on_reply,
		    void *arg);
/* Say who asks, and of which database, where @url has that. */
void redis_link_greet(struct redis_link *link, const struct redis_url *url,
		      redis_on_reply *on_reply,
		      redis_on_reply *on_selected, void *arg);
/* What is to be sent. */
size_t redis_link_queued(const struct redis_link *link);

static inline bool redis_reply_is(const struct redis_reply *r, const char *text)
{
	return r && r->sort == REDIS_TEXT && bytes_equal_str(r->text, text);
}

/* It has reached its maxmemory: nothing was done. */
bool redis_reply_is_full(const struct redis_reply *r);

static inline bool redis_reply_failed(const struct redis_reply *r)
{
	return !r || r->sort == REDIS_ERROR;
}

#endif
