/* SPDX-License-Identifier: MIT */
/*
 * The rack's hands on a ring: what is asked of the kernel by io_uring goes wrong
 * as system calls do (rig.h). A request that is to fail is turned, just before
 * it is handed over, into one that does nothing and is answered with the error.
 * Linux can answer so since 6.10, and the loop takes no ring before 6.12.
 */
#include "rig.h"

#ifdef SESAME_URING

#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sys/socket.h>

/* Headers before Linux 6.10 lack it. */
#define NOP_TELLS_RESULT 1

static void refuse(struct io_uring_sqe *sqe, int error)
{
	uint64_t name = sqe->user_data;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_NOP;
	sqe->rw_flags = NOP_TELLS_RESULT;
	sqe->len = (unsigned)-error;
	sqe->user_data = name;
}

static void spoil_transfer(struct io_uring_sqe *sqe)
{
	if (sqe->opcode == IORING_OP_SEND && rig_strikes(RIG_SHORT))
		sqe->len = 1;
	if (rig_strikes(RIG_LATER)) {
		refuse(sqe, sqe->opcode == IORING_OP_SEND ? EAGAIN : ENOBUFS);
	} else if (rig_strikes(RIG_SIGNAL)) {
		refuse(sqe, EINTR);
	} else if (rig_strikes(RIG_RESET)) {
		shutdown(sqe->fd, SHUT_RDWR);
		refuse(sqe, ECONNRESET);
	}
}

/* Requests that were not handed over before. */
static void spoil(struct io_uring *ring)
{
	struct io_uring_sq *sq = &ring->sq;

	for (unsigned i = sq->sqe_head; i != sq->sqe_tail; i++) {
		struct io_uring_sqe *sqe = &sq->sqes[i & *sq->kring_mask];

		if (sqe->opcode == IORING_OP_SEND ||
		    sqe->opcode == IORING_OP_RECV)
			spoil_transfer(sqe);
		else if (sqe->opcode == IORING_OP_POLL_ADD &&
			 rig_strikes(RIG_SYSTEM))
			refuse(sqe, ENOMEM);
	}
}

/* Why none of them is taken now; 0: they are. */
static int balk(void)
{
	if (rig_strikes(RIG_SIGNAL))
		return -EINTR;
	if (rig_strikes(RIG_LATER))
		return -EAGAIN;
	return rig_strikes(RIG_SYSTEM) ? -EBUSY : 0;
}

int __real_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring);
int __wrap_io_uring_submit_and_get_events(struct io_uring *ring)
{
	int error = balk();

	if (error)
		return error;
	spoil(ring);
	return __real_io_uring_submit_and_get_events(ring);
}

int __real_io_uring_submit_and_wait_timeout(struct io_uring *ring,
					    struct io_uring_cqe **ret_cqe,
					    unsigned wanted,
					    struct __kernel_timespec *time,
					    sigset_t *signals);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring,
					    struct io_uring_cqe **ret_cqe,
					    unsigned wanted,
					    struct __kernel_timespec *time,
					    sigset_t *signals);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring,
					    struct io_uring_cqe **ret_cqe,
					    unsigned wanted,
					    struct __kernel_timespec *time,
					    sigset_t *signals)
{
	int error = balk();

	if (error)
		return error;
	spoil(ring);
	return __real_io_uring_submit_and_wait_timeout(ring, ret_cqe, wanted,
						       time, signals);
}

int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
				      struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
				      struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
				      struct io_uring_params *params)
{
	if (rig_strikes(RIG_SYSTEM))
		return -EMFILE;
	return __real_io_uring_queue_init_params(entries, ring, params);
}

int __real_io_uring_register_buf_ring(struct io_uring *ring,
				      struct io_uring_buf_reg *reg,
				      unsigned flags);
int __wrap_io_uring_register_buf_ring(struct io_uring *ring,
				      struct io_uring_buf_reg *reg,
				      unsigned flags);
int __wrap_io_uring_register_buf_ring(struct io_uring *ring,
				      struct io_uring_buf_reg *reg,
				      unsigned flags)
{
	if (rig_strikes(RIG_SYSTEM))
		return -ENOMEM;
	return __real_io_uring_register_buf_ring(ring, reg, flags);
}

#endif
