/* SPDX-License-Identifier: MIT */
/*
 * Of io_uring: what is asked of the kernel for a descriptor, and what is known
 * of it. What is there to tell, and the kernel will not tell again, waits for
 * the next turn. The states of a slot (R receiving, D direct, E eof or error):
 *
 *	state         R D E  is polled for   until
 *	------------  -----  --------------  ----------------------------------
 *	no stream     - - -  what is wanted  it is forgotten
 *	received for  x - -  room to write   much comes, MUCH_TIMES in a row;
 *	                                     or its owner wants no bytes
 *	turning       x x -  room to write   the receive, cancelled, has ended
 *	polled        - x -  what is wanted  little comes, LITTLE_TIMES in a row
 *	resting       - - -  room to write   its owner wants bytes, or has taken
 *	                                     of those that wait (@held, over a
 *	                                     ceiling)
 *	ended         - ? x  room to write   it is forgotten
 *
 * A poll for room to write is there only while the owner wants that. Bytes that
 * came and were not taken wait in @held in any of them, and are told first.
 */
#include "net/uring_inner.h"

#ifdef SESAME_URING

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SUBMITS 8 /* attempts, when interrupted or out of memory */

/* ---- requests ---- */

static uint64_t name_of(int fd, const struct ses_uring_slot *slot, unsigned op)
{
	return (uint64_t)slot->generation << 32 | (uint64_t)fd << 3 | op;
}

int ses_uring_enable(struct ses_uring *st)
{
	/* liburing 2.3 declares io_uring_enable_rings(), and has none */
	if (!st->enabled && syscall(__NR_io_uring_register, st->ring.ring_fd,
				    IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
		return -errno;
	st->enabled = true;
	return 0;
}

void ses_uring_count_turn(struct ses_uring *st)
{
	if (io_uring_sq_ready(&st->ring) == 0)
		st->turn++;
}

int ses_uring_submit(struct ses_uring *st)
{
	int n = ses_uring_enable(st);

	if (n < 0)
		return SESAME_ESYSTEM;
	/* what was cancelled is let go of with the answers */
	for (int i = 0; i < SUBMITS; i++) {
		n = io_uring_submit_and_get_events(&st->ring);
		if (n != -EINTR && n != -EAGAIN && n != -EBUSY)
			break;
	}
	ses_uring_count_turn(st);
	return n < 0 ? SESAME_ESYSTEM : 0;
}

struct io_uring_sqe *ses_uring_request(struct ses_uring *st)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&st->ring);

	if (!sqe && ses_uring_submit(st) == 0)
		sqe = io_uring_get_sqe(&st->ring);
	return sqe;
}

void ses_uring_name(struct ses_uring *st, struct io_uring_sqe *sqe, int fd,
		    struct ses_uring_slot *slot, unsigned op)
{
	io_uring_sqe_set_data64(sqe, name_of(fd, slot, op));
	slot->queued_turn = st->turn;
}

/* What the kernel could not take, for want of memory, is not to be done. */
static void take_back(struct ses_uring *st, int fd)
{
	struct io_uring_sq *sq = &st->ring.sq;

	for (unsigned i = *sq->khead; i != sq->sqe_tail; i++) {
		struct io_uring_sqe *sqe = &sq->sqes[i & *sq->kring_mask];

		if (sqe->fd != fd)
			continue;
		if ((sqe->user_data & 7) == SES_URING_SEND)
			st->unanswered[sqe->user_data >> 31 & 1]--;
		io_uring_prep_nop(sqe);
		io_uring_sqe_set_data64(sqe, SES_URING_CANCEL);
	}
}

/* No request for this descriptor is to be handed over from here on. */
static void settle(struct ses_uring *st, int fd, struct ses_uring_slot *slot)
{
	if (slot->queued_turn != st->turn)
		return;
	ses_uring_submit(st);
	if (slot->queued_turn == st->turn)
		take_back(st, fd);
}

void ses_uring_cancel(struct ses_uring *st, int fd, struct ses_uring_slot *slot,
		      unsigned op)
{
	uint64_t name = name_of(fd, slot, op);
	struct io_uring_sqe *sqe = ses_uring_request(st);

	if (!sqe)
		return;
	io_uring_prep_cancel64(sqe, name, 0);
	io_uring_sqe_set_data64(sqe, SES_URING_CANCEL);
}

int ses_uring_poll(struct ses_uring *st, int fd, struct ses_uring_slot *slot,
		   unsigned want)
{
	struct io_uring_sqe *sqe;

	if (slot->polled == want)
		return 0;
	if (slot->polled)
		ses_uring_cancel(st, fd, slot, slot->poll);
	slot->polled = 0;
	slot->poll = SES_URING_POLL | ((slot->poll + 1) & 3);
	if (!want)
		return 0;
	sqe = ses_uring_request(st);
	if (!sqe)
		return SESAME_ESYSTEM;
	io_uring_prep_poll_add(sqe, fd,
			       (want & SES_READABLE ? POLLIN | POLLRDHUP : 0) |
				       (want & SES_WRITABLE ? POLLOUT : 0));
	ses_uring_name(st, sqe, fd, slot, slot->poll);
	slot->polled = (uint8_t)want;
	return 0;
}

int ses_uring_receive(struct ses_uring *st, int fd, struct ses_uring_slot *slot)
{
	struct io_uring_sqe *sqe;

	if (slot->receiving || slot->eof || slot->error ||
	    ses_uring_is_full(slot))
		return 0;
	if (slot->direct)
		return ses_uring_poll(st, fd, slot, slot->io->want);
	sqe = ses_uring_request(st);
	if (!sqe)
		return SESAME_ESYSTEM;
	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = SES_URING_GROUP;
	ses_uring_name(st, sqe, fd, slot, SES_URING_RECV);
	slot->receiving = true;
	return 0;
}

/* ---- descriptors ---- */

static int grow_slots(struct ses_uring *st, int fd)
{
	size_t n = st->n_slots ? st->n_slots : 64;
	struct ses_uring_slot **slots;

	if (fd < 0 || fd >= SES_URING_DESCRIPTORS)
		return SESAME_ESYSTEM;
	while (n <= (size_t)fd)
		n *= 2;
	if (n == st->n_slots)
		return 0;
	slots = realloc(st->slots, n * sizeof(*slots));
	if (!slots)
		return SESAME_ENOMEM;
	memset(slots + st->n_slots, 0, (n - st->n_slots) * sizeof(*slots));
	st->slots = slots;
	st->n_slots = n;
	return 0;
}

/* A plain file is always ready, which is no use to anybody. */
static bool is_plain_file(int fd)
{
	struct stat about;

	return fstat(fd, &about) < 0 || S_ISREG(about.st_mode) ||
	       S_ISDIR(about.st_mode);
}

/*
 * The slot of @io's descriptor, made when there is none. NULL, also when it is
 * somebody else's: as epoll would have it.
 */
static struct ses_uring_slot *take_slot(struct ses_uring *st, struct ses_io *io)
{
	struct ses_uring_slot *slot;

	if (grow_slots(st, io->fd) < 0)
		return NULL;
	slot = st->slots[io->fd];
	if (slot)
		return slot->io == io ? slot : NULL;
	if (!io->bytes && is_plain_file(io->fd))
		return NULL;
	slot = malloc(sizeof(*slot));
	if (!slot)
		return NULL;
	*slot = (struct ses_uring_slot){
		.io = io,
		.poll = SES_URING_POLL,
		.generation = ++st->generation,
		.queued_turn = st->turn - 1,
	};
	st->slots[io->fd] = slot;
	return slot;
}

int ses_uring_keep(struct ses_uring_slot *slot, struct bytes bytes)
{
	int error;

	if (!slot->held) {
		slot->held = malloc(sizeof(*slot->held));
		if (!slot->held)
			return SESAME_ENOMEM;
		ses_buf_init(slot->held, SIZE_MAX);
	}
	error = ses_buf_append(slot->held, bytes);
	if (ses_buf_len(slot->held) == 0)
		ses_uring_drop_kept(slot);
	return error;
}

void ses_uring_drop_kept(struct ses_uring_slot *slot)
{
	if (slot->held)
		ses_buf_fini(slot->held);
	free(slot->held);
	slot->held = NULL;
}

void ses_uring_let_wait(struct ses_uring *st, int fd,
			struct ses_uring_slot *slot)
{
	int *waiting = st->waiting;

	if (slot->waiting)
		return;
	if (st->n_waiting == st->waiting_size) {
		size_t size = st->waiting_size ? st->waiting_size * 2 : 64;

		waiting = realloc(st->waiting, size * sizeof(*waiting));
		if (!waiting)
			return; /* the next bytes will do it */
		st->waiting = waiting;
		st->waiting_size = size;
	}
	waiting[st->n_waiting++] = fd;
	slot->waiting = true;
}

static int watch_bytes(struct ses_uring *st, struct ses_io *io,
		       struct ses_uring_slot *slot, unsigned want)
{
	int error =
		ses_uring_poll(st, io->fd, slot, ses_uring_to_poll(slot, want));

	if (error)
		return error;
	if (!(want & SES_READABLE)) {
		if (slot->receiving)
			ses_uring_cancel(st, io->fd, slot, SES_URING_RECV);
		return 0;
	}
	if (ses_uring_has_news(slot))
		ses_uring_let_wait(st, io->fd, slot);
	return slot->direct ? 0 : ses_uring_receive(st, io->fd, slot);
}

int ses_uring_watch(struct sesame_loop *loop, struct ses_io *io, unsigned want)
{
	struct ses_uring *st = ses_uring_of(loop);
	struct ses_uring_slot *slot = ses_uring_slot(st, io->fd);
	int error;

	if (want == io->want && slot && slot->io == io)
		return 0;
	slot = take_slot(st, io);
	if (!slot)
		return SESAME_ESYSTEM;
	error = io->bytes ? watch_bytes(st, io, slot, want)
			  : ses_uring_poll(st, io->fd, slot, want);
	if (!error)
		io->want = (uint8_t)want;
	return error;
}

void ses_uring_forget(struct sesame_loop *loop, struct ses_io *io)
{
	struct ses_uring *st = ses_uring_of(loop);
	struct ses_uring_slot *slot = ses_uring_slot(st, io->fd);

	io->want = 0;
	if (!slot || slot->io != io)
		return;
	settle(st, io->fd, slot);
	ses_uring_poll(st, io->fd, slot, 0);
	if (slot->receiving)
		ses_uring_cancel(st, io->fd, slot, SES_URING_RECV);
	/* until a poll is cancelled, who listened has the port */
	if (!io->bytes && st->enabled)
		ses_uring_submit(st);
	if (st->now == slot)
		st->now = NULL;
	io->sending = false;
	st->slots[io->fd] = NULL;
	ses_uring_drop_kept(slot);
	free(slot);
}

#endif
