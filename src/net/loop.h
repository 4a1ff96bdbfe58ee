/* SPDX-License-Identifier: MIT */
/*
 * The loop behind <sesame/loop.h>. What makes it fast belongs to the loop and
 * not to connections: one large receive buffer, one large cork for the output
 * of the connection at work, one pass over the others that have output at the
 * end of a turn. System specifics are behind struct ses_backend, so that a
 * completion-based back end can stand in for epoll.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <sesame/loop.h>

#include <stdatomic.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/list.h"
#include "net/timer.h"

#define SES_RECV_BYTES	 (512 * 1024)
#define SES_CORK_BYTES	 (256 * 1024)
#define SES_CIPHER_BYTES (320 * 1024)

/* What may be waited for at a descriptor. */
enum { SES_READABLE = 1, SES_WRITABLE = 2 };

/* A descriptor in the loop: a stream's, or part of a struct ses_polled. */
struct ses_io {
	int fd;
	uint8_t want; /* as the back end knows it */
	bool counted; /* in the loop's n_watched */
	bool bytes;   /* a stream's: the back end may receive ahead */
	bool sending; /* sent, and not answered yet: send nothing more */
};

/* One that is no stream's; embedded in whatever it belongs to. */
struct ses_polled {
	struct ses_io io;
	void (*on_ready)(struct ses_polled *polled, unsigned ready);
};

struct ses_backend {
	const char *name;
	int (*open)(struct sesame_loop *loop);
	void (*close)(struct sesame_loop *loop);
	/* Wait for @want (0: nothing) at @io from now on. 0 or SESAME_ESYSTEM. */
	int (*watch)(struct sesame_loop *loop, struct ses_io *io, unsigned want);
	/* Forget @io; it is told nothing more, not even in the present turn. */
	void (*forget)(struct sesame_loop *loop, struct ses_io *io);
	/* Wait at most @timeout_ms, and ses_io_tell() what is ready. */
	int (*wait)(struct sesame_loop *loop, int timeout_ms);
	/*
	 * Receive as recv(2) does, -1 with errno, to *@at or to a place of the
	 * back end's, which *@at is then: it is lent until the next call.
	 */
	ssize_t (*recv)(struct sesame_loop *loop, struct ses_io *io,
			uint8_t **at, size_t len);
	/*
	 * Send as send(2) does. @more: what follows at once may leave in the
	 * same packet. When @io->sending is set after it all was taken, and
	 * loop->on_sent() tells later what became of it.
	 */
	ssize_t (*send)(struct sesame_loop *loop, struct ses_io *io,
			const void *from, size_t len, bool more);
	/* NULL, or: let the system know all that was asked for by now. */
	void (*hand_over)(struct sesame_loop *loop);
};

extern const struct ses_backend ses_backend_epoll, ses_backend_uring;

struct ses_mailbox;
struct ses_tls_cache;

struct sesame_loop {
	const struct ses_backend *backend;
	int fd; /* of the back end: epoll's */
	uint64_t now_ms;
	uint64_t tidied_ms; /* when its thread looked at its spare blocks */
	struct ses_timers timers;
	struct ses_list dirty;	   /* streams with work to do this turn */
	struct ses_list waiting;   /* streams that are heavy, and have come */
	struct ses_list zombies;   /* streams to be freed at its end */
	struct ses_list lingering; /* streams without owner; see stream.c */
	size_t n_lingering;
	struct ses_list kinds; /* of connections; see ws/kind.h */
	struct ses_list bridges; /* see bridge.c */
	/* The following are one mapping, whose untouched pages cost nothing. */
	uint8_t *recv_buffer; /* SES_RECV_BYTES, lent for one callback */
	uint8_t *own_cork;    /* SES_CORK_BYTES */
	uint8_t *cipher;      /* SES_CIPHER_BYTES: TLS records on their way */
	uint8_t *cork; /* output of cork_owner: own_cork or the back end's */
	size_t cork_len;
	size_t room_len;   /* of the room last given to a stream */
	bool room_in_cork; /* where that is */
	struct ses_stream *cork_owner;
	struct ses_listener *accepting; /* whose on_accept is being called */
	size_t n_watched; /* descriptors and calls that keep run() running */
	struct ses_polled wake; /* eventfd, for stop and for threads' results */
	struct ses_polled alarm; /* timerfd, for loops inside others; or -1 */
	struct ses_mailbox *mailbox; /* what threads bring; see call.c */
	struct ses_tls_cache *tls_cache; /* of clients; NULL until one came */
	bool in_turn;
	unsigned in_calls; /* that call back outside of a turn */
	void *backend_state;
	/* A send that was put off is done but for @unsent, or failed. */
	void (*on_sent)(struct ses_io *io, struct bytes unsent, int error);
	atomic_bool stopping; /* by any thread: no neighbour is read with it */
};

/* Read the clock again; once per turn is enough for timeouts. */
void ses_loop_update(struct sesame_loop *loop);
/* As the back end's, and @io keeps the loop running until it is forgotten. */
int ses_io_watch(struct sesame_loop *loop, struct ses_io *io, unsigned want);
void ses_io_forget(struct sesame_loop *loop, struct ses_io *io);
/* Tell the one that @io belongs to. For back ends alone. */
void ses_io_tell(struct ses_io *io, unsigned ready);
/* There is work outside of a turn: let a loop around this one see it. */
void ses_loop_nudge(struct sesame_loop *loop);

/*
 * Run @work in a thread of its own and then @done in the loop's thread. At
 * most 64 at a time; more wait their turn. @cancel: no done() will be called;
 * the thread may run on for a while with its own copy of @job, freed by it.
 * When no thread can be had @done is called all the same, so @job has to say
 * from the start that it was not worked on.
 */
struct ses_call;
struct ses_call *ses_call_start(struct sesame_loop *loop,
				void (*work)(void *job),
				void (*done)(void *job, void *user),
				void (*free_job)(void *job), void *job,
				void *user);
void ses_call_cancel(struct ses_call *call);

/*
 * Have @run called in the loop's thread, at its next turn. This and the next
 * are all of a loop that other threads may call, as long as the loop lives;
 * what was posted when it is freed is not run. 0 or SESAME_ENOMEM.
 */
int ses_loop_post(struct sesame_loop *loop, void (*run)(void *arg), void *arg);
/*
 * The same without a need for memory: @post is the caller's, zeroed before its
 * first use, and must not move until it is run or the loop freed. What waits
 * already is not posted a second time.
 */
struct ses_post {
	struct ses_list link;
	void (*run)(void *arg);
	void *arg;
	bool waits;
	bool heap; /* it is call.c's own */
	uint64_t number; /* of all posts */
};
void ses_loop_post_own(struct sesame_loop *loop, struct ses_post *post,
		       void (*run)(void *arg), void *arg);
/* Take back what may wait; for an end that comes before the loop's. */
void ses_loop_unpost(struct sesame_loop *loop, struct ses_post *post);

/* For the loop alone: the threads' mailbox, and dealing with what is in it. */
int ses_mailbox_open(struct sesame_loop *loop);
void ses_mailbox_close(struct sesame_loop *loop);
void ses_mailbox_empty(struct sesame_loop *loop);

#endif
