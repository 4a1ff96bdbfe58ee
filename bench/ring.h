/* SPDX-License-Identifier: MIT */
/*
 * What the limits on io_uring have in common: a ring of one thread, whose
 * completions run when it asks for them, and buffers that the kernel receives
 * into and fills by and by (Linux 6.12). What fails ends the process.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <liburing.h>

#define RING_GROUP 1 /* of the buffers, for IOSQE_BUFFER_SELECT */
/* Of an answer: the kernel goes on to fill that buffer; older headers lack it. */
#define RING_GOES_ON (1u << 4)

struct ring_buffers {
	unsigned n; /* a power of two */
	unsigned bytes;
	char *memory;
	struct io_uring_buf_ring *ring;
};

void ring_open(struct io_uring *ring, unsigned entries);
/* @b says how many there are to be, and how long they are. */
void ring_open_buffers(struct io_uring *ring, struct ring_buffers *b);
/* The kernel may fill that buffer (again). */
void ring_offer(struct ring_buffers *b, unsigned id);
/* Pages that are there from the beginning. */
void *ring_map(size_t len);

static inline char *ring_buffer(const struct ring_buffers *b, unsigned id)
{
	return b->memory + (size_t)id * b->bytes;
}

/* Receive from @fd into those buffers until it ends; the caller names it. */
static inline void ring_prep_receive(struct io_uring_sqe *sqe, int fd)
{
	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = RING_GROUP;
}

#endif
