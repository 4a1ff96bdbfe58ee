/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <errno.h>
#include <sys/mman.h>

#include "listening.h"

#define BUFFERS_BY_AND_BY 2 /* older headers lack it */

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	errno = -r;
	die(what);
}

void ring_open(struct io_uring *ring, unsigned entries)
{
	struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
						  IORING_SETUP_DEFER_TASKRUN |
						  IORING_SETUP_CQSIZE,
					 .cq_entries = 8 * entries};

	check(io_uring_queue_init_params(entries, ring, &params), "io_uring");
	io_uring_register_ring_fd(ring);
}

void *ring_map(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

void ring_offer(struct ring_buffers *b, unsigned id)
{
	io_uring_buf_ring_add(b->ring, ring_buffer(b, id), b->bytes,
			      (unsigned short)id, io_uring_buf_ring_mask(b->n),
			      0);
	io_uring_buf_ring_advance(b->ring, 1);
}

void ring_open_buffers(struct io_uring *ring, struct ring_buffers *b)
{
	struct io_uring_buf_reg reg = {.ring_entries = b->n,
				       .bgid = RING_GROUP,
				       .pad = BUFFERS_BY_AND_BY};

	b->memory = ring_map((size_t)b->n * b->bytes);
	b->ring = ring_map(b->n * sizeof(struct io_uring_buf));
	reg.ring_addr = (uint64_t)(uintptr_t)b->ring;
	check(io_uring_register_buf_ring(ring, &reg, 0),
	      "buffers that are filled by and by (Linux 6.12)");
	io_uring_buf_ring_init(b->ring);
	for (unsigned i = 0; i < b->n; i++)
		ring_offer(b, i);
}
