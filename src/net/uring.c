/* SPDX-License-Identifier: MIT */
/*
 * The back end by io_uring: what streams receive is already there when they are
 * called, and what they send leaves with all others' in one system call a turn.
 * Descriptors that are no streams are polled, and so are streams that get much
 * at a time: what is received ahead lies in memory that the processor's caches
 * have forgotten by then, which costs more than the call that it saves.
 *
 * Hard is that requests outlive what asked for them. Every answer carries its
 * descriptor and the generation of that descriptor's use, and one of an earlier
 * generation is nobody's: only its buffer is given back. A request that has not
 * been handed to the kernel yet names a descriptor by number, so before one is
 * closed all are handed over (settle()). Of one stream only one send
 * is on its way at a time, because a second one could overtake what the first
 * could not send.
 *
 * Here are the turn and the kernel's answers. uring_slot.c has what is known of
 * a descriptor and asked for it, uring_bytes.c what is received and sent.
 */
#include "net/uring_inner.h"

#ifdef SESAME_URING

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ENTRIES 4096
/* Who gets so much, so many times in a row, is polled. */
#define MUCH_BYTES ((size_t)8 * 1024)
#define MUCH_TIMES 4
/* The kernel says that it goes on to fill the buffer. */
#define BUFFER_GOES_ON (1u << 4)

/* ---- answers ---- */

static void call(struct ses_io *io, unsigned ready)
{
	if (io && (ready & io->want))
		ses_io_tell(io, ready & io->want);
}

/* Whoever gets much at a time had better receive it himself. */
static void choose_way(struct ses_uring *st, int fd,
		       struct ses_uring_slot *slot, size_t len)
{
	if (slot->direct || len < MUCH_BYTES) {
		slot->times = 0;
		return;
	}
	if (++slot->times < MUCH_TIMES)
		return;
	slot->times = 0;
	slot->direct = true;
	if (slot->receiving)
		ses_uring_cancel(st, fd, slot, SES_URING_RECV);
}

/*
 * What its owner did not take, or does not want now, waits. Of what waits there
 * is a ceiling: over it nothing more is received until it was taken.
 */
static void hold(struct ses_uring *st, int fd, struct ses_uring_slot *slot,
		 uint8_t *data, size_t len)
{
	if (ses_uring_keep(slot, bytes_of(data, len)) < 0)
		slot->error = ECONNABORTED; /* bytes are lost */
	if (slot->receiving && ses_uring_is_full(slot))
		ses_uring_cancel(st, fd, slot, SES_URING_RECV);
	if (slot->io->want & SES_READABLE)
		ses_uring_let_wait(st, fd, slot);
}

static void tell_bytes(struct ses_uring *st, int fd,
		       struct ses_uring_slot *slot, uint8_t *data, size_t len)
{
	if (ses_uring_has_news(slot) || !(slot->io->want & SES_READABLE)) {
		hold(st, fd, slot, data, len);
		return;
	}
	st->now = slot;
	st->now_data = data;
	st->now_len = len;
	call(slot->io, SES_READABLE);
	if (st->now == slot && st->now_len > 0)
		hold(st, fd, slot, st->now_data, st->now_len);
	st->now = NULL;
}

static bool is_fatal(int error)
{
	return error != ENOBUFS && error != ECANCELED && error != EAGAIN &&
	       error != EINTR && error != ENOMEM;
}

static void received(struct ses_uring *st, int fd, struct ses_uring_slot *slot,
		     const struct io_uring_cqe *cqe)
{
	unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	bool mine = slot && slot->generation == (uint32_t)(cqe->user_data >> 32);

	if (mine && !(cqe->flags & IORING_CQE_F_MORE))
		slot->receiving = false;
	if (mine && cqe->res == 0)
		slot->eof = true;
	if (mine && cqe->res < 0 && is_fatal(-cqe->res))
		slot->error = (uint16_t)-cqe->res;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		uint8_t *data = st->memory +
				(size_t)id * SES_URING_BUFFER_BYTES +
				st->filled[id];
		size_t len = cqe->res > 0 ? (size_t)cqe->res : 0;

		st->filled[id] += (uint32_t)len;
		if (mine && len > 0) {
			choose_way(st, fd, slot, len);
			tell_bytes(st, fd, slot, data, len);
		}
		if (!(cqe->flags & BUFFER_GOES_ON))
			ses_uring_give_buffer(st, id);
	} else if (mine && ses_uring_has_news(slot)) {
		call(slot->io, SES_READABLE);
	}
	/* its owner may be gone by now, or had something else to do first */
	slot = ses_uring_slot(st, fd);
	if (!slot || !slot->io->bytes || !(slot->io->want & SES_READABLE))
		return;
	if (ses_uring_has_news(slot))
		ses_uring_let_wait(st, fd, slot);
	ses_uring_receive(st, fd, slot);
}

static void sent(struct sesame_loop *loop, struct ses_uring_slot *slot, int res)
{
	const struct ses_uring *st = ses_uring_of(loop);
	struct bytes rest = bytes_of(st->arenas + slot->sent_at, slot->sent_len);
	int error = 0;

	slot->io->sending = false;
	if (res >= 0)
		rest = bytes_from(rest, (size_t)res);
	else if (res != -EAGAIN && res != -ENOBUFS && res != -ENOMEM &&
		 res != -EINTR)
		error = -res;
	loop->on_sent(slot->io, rest, error);
}

static void polled(struct ses_uring_slot *slot, unsigned op, int res)
{
	unsigned ready = 0;

	if (slot->poll != op || res == -ECANCELED)
		return;
	slot->polled = 0;
	if (res < 0 || res & (POLLIN | POLLRDHUP | POLLHUP | POLLERR))
		ready |= SES_READABLE;
	if (res < 0 || res & (POLLOUT | POLLHUP | POLLERR))
		ready |= SES_WRITABLE;
	call(slot->io, ready);
}

/* One poll tells once: ask again for what is still wanted. */
static void poll_on(struct ses_uring *st, int fd)
{
	struct ses_uring_slot *slot = ses_uring_slot(st, fd);

	if (!slot)
		return;
	ses_uring_poll(st, fd, slot, ses_uring_to_poll(slot, slot->io->want));
	if (slot->io->bytes && slot->io->want & SES_READABLE)
		ses_uring_receive(st, fd, slot);
}

static void answer(struct sesame_loop *loop, const struct io_uring_cqe *cqe)
{
	struct ses_uring *st = ses_uring_of(loop);
	uint64_t name = cqe->user_data;
	unsigned op = name & 7;
	int fd = (int)(name >> 3 & (SES_URING_DESCRIPTORS - 1));
	struct ses_uring_slot *slot;

	if (op == SES_URING_CANCEL)
		return;
	slot = ses_uring_slot(st, fd);
	if (op == SES_URING_RECV) {
		received(st, fd, slot, cqe);
		return;
	}
	if (op == SES_URING_SEND)
		st->unanswered[name >> 31 & 1]--;
	if (!slot || slot->generation != (uint32_t)(name >> 32))
		return;
	if (op == SES_URING_SEND) {
		sent(loop, slot, cqe->res);
		return;
	}
	polled(slot, op, cqe->res);
	poll_on(st, fd);
}

static void tell_waiting(struct ses_uring *st)
{
	size_t n = st->n_waiting;

	if (n == 0)
		return;
	/* those that come meanwhile are for the next turn */
	for (size_t i = 0; i < n; i++) {
		int fd = st->waiting[i];
		struct ses_uring_slot *slot = ses_uring_slot(st, fd);

		if (!slot)
			continue;
		slot->waiting = false;
		if (ses_uring_has_news(slot))
			call(slot->io, SES_READABLE);
		slot = ses_uring_slot(st, fd);
		if (!slot || !(slot->io->want & SES_READABLE))
			continue;
		if (ses_uring_has_news(slot))
			ses_uring_let_wait(st, fd, slot);
		if (slot->io->bytes)
			ses_uring_receive(st, fd, slot);
	}
	st->n_waiting -= n;
	memmove(st->waiting, st->waiting + n,
		st->n_waiting * sizeof(*st->waiting));
}

/* ---- the turn ---- */

static int enter(struct ses_uring *st, int timeout_ms)
{
	struct __kernel_timespec time = {.tv_sec = timeout_ms / 1000,
					 .tv_nsec =
						 timeout_ms % 1000 * 1000000L};
	struct io_uring_cqe *cqe;
	int r = ses_uring_enable(st);

	if (r < 0)
		return r;
	if (timeout_ms == 0)
		r = io_uring_submit_and_get_events(&st->ring);
	else
		r = io_uring_submit_and_wait_timeout(
			&st->ring, &cqe, 1, timeout_ms < 0 ? NULL : &time, NULL);
	ses_uring_count_turn(st);
	return r;
}

static int uring_wait(struct sesame_loop *loop, int timeout_ms)
{
	struct ses_uring *st = ses_uring_of(loop);
	struct io_uring_cqe *cqe;
	int r = enter(st, st->n_waiting ? 0 : timeout_ms);

	ses_loop_update(loop);
	if (r < 0 && r != -ETIME && r != -EINTR && r != -EBUSY && r != -EAGAIN)
		return SESAME_ESYSTEM;
	ses_uring_change_arena(loop);
	tell_waiting(st);
	/* those that come while these are dealt with are for the next turn */
	for (unsigned n = io_uring_cq_ready(&st->ring); n > 0; n--) {
		struct io_uring_cqe copy;

		if (io_uring_peek_cqe(&st->ring, &cqe) < 0)
			break;
		copy = *cqe;
		io_uring_cqe_seen(&st->ring, cqe);
		answer(loop, &copy);
	}
	return 0;
}

static void uring_hand_over(struct sesame_loop *loop)
{
	struct ses_uring *st = ses_uring_of(loop);
	struct io_uring_sqe *sqe;

	/* the thread that turns the loop is the ring's, and is not known yet */
	if (!st->enabled && loop->alarm.io.fd < 0)
		return;
	/* a loop around this one wakes for what the kernel tells alone */
	if (st->n_waiting && loop->alarm.io.fd >= 0 &&
	    (sqe = ses_uring_request(st))) {
		io_uring_prep_nop(sqe);
		io_uring_sqe_set_data64(sqe, SES_URING_CANCEL);
	}
	ses_uring_submit(st);
}

/* ---- birth and death ---- */

static void uring_close(struct sesame_loop *loop)
{
	struct ses_uring *st = ses_uring_of(loop);

	if (loop->fd >= 0)
		io_uring_queue_exit(&st->ring);
	for (size_t i = 0; i < st->n_slots; i++) {
		if (st->slots[i])
			ses_uring_drop_kept(st->slots[i]);
		free(st->slots[i]);
	}
	free(st->slots);
	free(st->waiting);
	ses_uring_close_buffers(st);
	free(st);
}

static int uring_open(struct sesame_loop *loop)
{
	struct ses_uring *st = calloc(1, sizeof(*st));
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
			 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
		.cq_entries = 4 * ENTRIES};

	if (!st)
		return SESAME_ENOMEM;
	loop->backend_state = st;
	st->turn = 1;
	if (io_uring_queue_init_params(ENTRIES, &st->ring, &params) < 0) {
		free(st);
		return SESAME_ESYSTEM;
	}
	loop->fd = st->ring.ring_fd;
	if (ses_uring_open_buffers(st) < 0) {
		uring_close(loop);
		loop->fd = -1;
		return SESAME_ESYSTEM;
	}
	return 0;
}

const struct ses_backend ses_backend_uring = {
	.name = "io_uring",
	.open = uring_open,
	.close = uring_close,
	.watch = ses_uring_watch,
	.forget = ses_uring_forget,
	.wait = uring_wait,
	.recv = ses_uring_recv,
	.send = ses_uring_send,
	.hand_over = uring_hand_over,
};

#endif
