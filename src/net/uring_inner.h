/* SPDX-License-Identifier: MIT */
/*
 * What net/uring.c, which leads, uring_slot.c and uring_bytes.c share.
 *
 * A request's name (user_data), which its answer brings back:
 *
 *	 63             32  31  30     23 22            3 2    0
 *	+-----------------+---+----------+---------------+------+
 *	|   generation    | a |    0     |  descriptor   | kind |
 *	+-----------------+---+----------+---------------+------+
 *
 * The generation is of the descriptor's use: an answer of an earlier one is
 * nobody's. @a is, of a send, the arena that it is read from. The kind is below;
 * polls take theirs in turn, so that the answer of one that was cancelled is not
 * taken for that of the next. Of what cancels, and of a no-op, all but the kind
 * is 0: nobody waits for the answer.
 */
#ifndef NET_URING_INNER_H
#define NET_URING_INNER_H

#include "net/loop.h"

#ifdef SESAME_URING

#include <liburing.h>

#include "base/buf.h"

#define SES_URING_DESCRIPTORS (1 << 20)
/* What came before it is wanted waits in buffers of which the loop has a few. */
#define SES_URING_BUFFERS      16 /* a power of two */
#define SES_URING_BUFFER_BYTES (64 * 1024)
#define SES_URING_GROUP	       1
/* Of one descriptor so much may wait, and what was on its way to it besides. */
#define SES_URING_HELD_BYTES ((size_t)256 * 1024)

/* What a request is: part of its name. */
enum {
	SES_URING_RECV = 0,
	SES_URING_SEND = 1,
	SES_URING_CANCEL = 2,
	SES_URING_POLL = 4 /* ..7 */
};

/* What is known of a descriptor. As streams, there are many: keep it small. */
struct ses_uring_slot {
	struct ses_io *io;
	struct ses_buf *held; /* came, and was not taken yet; or NULL */
	uint32_t generation;
	uint32_t queued_turn; /* when a request for it was last made */
	uint32_t sent_at;     /* what is on its way: where in the arenas */
	uint32_t sent_len;
	uint16_t error;	    /* errno of the receive, to be told */
	uint8_t times;	    /* receives that speak for the other way */
	uint8_t poll : 3;   /* SES_URING_POLL..: the one that counts */
	uint8_t polled : 2; /* what that waits for; 0: there is none */
	bool receiving : 1; /* a receive is with the kernel */
	bool direct : 1;    /* it is polled and receives by itself */
	bool waiting : 1;   /* in the list of those with something to tell */
	bool eof : 1;
};

struct ses_uring {
	struct io_uring ring;
	bool enabled;
	struct ses_uring_slot **slots; /* by descriptor */
	size_t n_slots;
	uint32_t turn;
	uint32_t generation; /* the latest */
	/* received bytes */
	struct io_uring_buf_ring *buffers;
	uint8_t *memory;
	uint32_t filled[SES_URING_BUFFERS]; /* bytes of each that were used up */
	struct ses_uring_slot *now;	    /* whose bytes these are */
	uint8_t *now_data;
	size_t now_len;
	/* output of this turn, and of the one before, which is being answered */
	uint8_t *arenas;
	unsigned arena;
	unsigned unanswered[2]; /* sends, for each arena */
	bool arena_busy;	/* this one is, unexpectedly, still read */
	/* descriptors with something to tell besides what the kernel tells */
	int *waiting;
	size_t n_waiting, waiting_size;
};

static inline struct ses_uring *ses_uring_of(struct sesame_loop *loop)
{
	return loop->backend_state;
}

/* ---- uring_slot.c: requests ---- */

/* The thread that does it first is the ring's from then on. 0 or -errno. */
int ses_uring_enable(struct ses_uring *st);
/* A turn of requests is over once the kernel has taken all of them. */
void ses_uring_count_turn(struct ses_uring *st);
/* Hand all requests over. 0 or SESAME_ESYSTEM. */
int ses_uring_submit(struct ses_uring *st);
/* A request to be filled in; NULL: there is no place. */
struct io_uring_sqe *ses_uring_request(struct ses_uring *st);
/* It is @slot's, of kind @op. */
void ses_uring_name(struct ses_uring *st, struct io_uring_sqe *sqe, int fd,
		    struct ses_uring_slot *slot, unsigned op);
void ses_uring_cancel(struct ses_uring *st, int fd, struct ses_uring_slot *slot,
		      unsigned op);
/* Poll for @want, and for nothing else, from now on. 0 or SESAME_ESYSTEM. */
int ses_uring_poll(struct ses_uring *st, int fd, struct ses_uring_slot *slot,
		   unsigned want);
/* Receive, if that may be and is not asked for yet. 0 or SESAME_ESYSTEM. */
int ses_uring_receive(struct ses_uring *st, int fd, struct ses_uring_slot *slot);

/* ---- uring_slot.c: descriptors ---- */

/* As the back end's of the same names. */
int ses_uring_watch(struct sesame_loop *loop, struct ses_io *io, unsigned want);
void ses_uring_forget(struct sesame_loop *loop, struct ses_io *io);
/* Keep what came and was not taken. 0 or SESAME_ENOMEM. */
int ses_uring_keep(struct ses_uring_slot *slot, struct bytes bytes);
/* That was all taken, or is not wanted any more. */
void ses_uring_drop_kept(struct ses_uring_slot *slot);
/* Tell @fd's owner again in the next turn. */
void ses_uring_let_wait(struct ses_uring *st, int fd,
			struct ses_uring_slot *slot);

static inline struct ses_uring_slot *ses_uring_slot(const struct ses_uring *st,
						    int fd)
{
	return fd >= 0 && (size_t)fd < st->n_slots ? st->slots[fd] : NULL;
}

static inline bool ses_uring_has_news(const struct ses_uring_slot *slot)
{
	return slot->held || slot->eof || slot->error;
}

static inline bool ses_uring_is_full(const struct ses_uring_slot *slot)
{
	return slot->held && ses_buf_len(slot->held) >= SES_URING_HELD_BYTES;
}

static inline bool ses_uring_is_direct(const struct ses_uring_slot *slot)
{
	return slot->direct && !slot->receiving;
}

/* What is to be polled, when the owner wants @want. */
static inline unsigned ses_uring_to_poll(const struct ses_uring_slot *slot,
					 unsigned want)
{
	if (slot->io->bytes && !ses_uring_is_direct(slot))
		want &= SES_WRITABLE;
	return want;
}

/* ---- uring_bytes.c ---- */

/* 0, SESAME_ENOMEM or SESAME_ESYSTEM. */
int ses_uring_open_buffers(struct ses_uring *st);
void ses_uring_close_buffers(struct ses_uring *st);
/* Let the kernel fill that buffer again. */
void ses_uring_give_buffer(struct ses_uring *st, unsigned id);
/* What is sent from the other one is answered while this one is written. */
void ses_uring_change_arena(struct sesame_loop *loop);
/* As the back end's of the same names. */
ssize_t ses_uring_recv(struct sesame_loop *loop, struct ses_io *io,
		       uint8_t **at, size_t len);
ssize_t ses_uring_send(struct sesame_loop *loop, struct ses_io *io,
		       const void *from, size_t len, bool more);

#endif

#endif
