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
 * closed all are handed over (settle()). Of one stream only one send is on its
 * way at a time, because a second one could overtake what the first could not
 * send.
 */
#include "net/loop.h"

#ifdef SESAME_URING

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"

#define ENTRIES		 4096
#define MOST_DESCRIPTORS (1 << 20)
/* What came before it is wanted waits in buffers of which the loop has a few. */
#define BUFFERS	     16 /* a power of two */
#define BUFFER_BYTES (64 * 1024)
#define GROUP	     1
/* Of one descriptor so much may wait, and what was on its way to it besides. */
#define HELD_BYTES ((size_t)256 * 1024)
/* Who gets so much, so many times in a row, is polled; and so little, no more. */
#define MUCH_BYTES   ((size_t)8 * 1024)
#define MUCH_TIMES   4
#define LITTLE_BYTES ((size_t)2 * 1024)
#define LITTLE_TIMES 64
/* The kernel fills a buffer by and by (Linux 6.12); older headers lack these. */
#define BUFFERS_BY_AND_BY 2
#define BUFFER_GOES_ON	  (1u << 4)
/* Output that may wait for the end of the turn: more is cheaper sent at once. */
#define LATER_BYTES ((size_t)16 * 1024)
#define ARENA_BYTES ((size_t)256 * 1024)
#define ARENA_ROOM  (ARENA_BYTES + SES_CORK_BYTES)

enum op { OP_RECV = 0, OP_SEND = 1, OP_CANCEL = 2, OP_POLL = 4 /* ..7 */ };

struct slot {
	struct ses_io *io;
	uint32_t generation;
	uint32_t queued_turn; /* when a request for it was last made */
	uint8_t poll;	      /* OP_POLL..: the one that counts */
	uint8_t polled;	      /* what that waits for; 0: there is none */
	bool receiving;	      /* a receive is with the kernel */
	bool direct;	      /* it is polled and receives by itself */
	uint8_t times;	      /* receives that speak for the other way */
	bool waiting;	      /* in the list of those with something to tell */
	bool eof;
	int error;	     /* errno of the receive, to be told */
	const uint8_t *sent; /* what is on its way */
	uint32_t sent_len;
	struct ses_buf held; /* came, and was not taken yet */
};

struct state {
	struct io_uring ring;
	bool enabled;
	struct slot **slots; /* by descriptor */
	size_t n_slots;
	uint32_t turn;
	uint32_t generation; /* the latest */
	/* received bytes */
	struct io_uring_buf_ring *buffers;
	uint8_t *memory;
	uint32_t filled[BUFFERS]; /* bytes of each that were used up */
	struct slot *now;	  /* whose bytes these are */
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

static struct state *state_of(struct sesame_loop *loop)
{
	return loop->backend_state;
}

/* ---- requests ---- */

static uint64_t name_of(int fd, const struct slot *slot, unsigned op)
{
	return (uint64_t)slot->generation << 32 | (uint64_t)fd << 3 | op;
}

/* The thread that does it first is the ring's from then on. */
static int enable(struct state *st)
{
	/* liburing 2.3 declares io_uring_enable_rings(), and has none */
	if (!st->enabled && syscall(__NR_io_uring_register, st->ring.ring_fd,
				    IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
		return -errno;
	st->enabled = true;
	return 0;
}

/* A turn of requests is over once the kernel has taken all of them. */
static void count_turn(struct state *st)
{
	if (io_uring_sq_ready(&st->ring) == 0)
		st->turn++;
}

static int submit(struct state *st)
{
	int n = enable(st);

	if (n < 0)
		return SESAME_ESYSTEM;
	do {
		/* what was cancelled is let go of with the answers */
		n = io_uring_submit_and_get_events(&st->ring);
	} while (n == -EINTR);
	count_turn(st);
	return n < 0 ? SESAME_ESYSTEM : 0;
}

static struct io_uring_sqe *new_request(struct state *st)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&st->ring);

	if (!sqe && submit(st) == 0)
		sqe = io_uring_get_sqe(&st->ring);
	return sqe;
}

static void name_request(struct state *st, struct io_uring_sqe *sqe, int fd,
			 struct slot *slot, unsigned op)
{
	io_uring_sqe_set_data64(sqe, name_of(fd, slot, op));
	slot->queued_turn = st->turn;
}

/* What the kernel could not take, for want of memory, is not to be done. */
static void take_back(struct state *st, int fd)
{
	struct io_uring_sq *sq = &st->ring.sq;

	for (unsigned i = *sq->khead; i != sq->sqe_tail; i++) {
		struct io_uring_sqe *sqe = &sq->sqes[i & *sq->kring_mask];

		if (sqe->fd != fd)
			continue;
		if ((sqe->user_data & 7) == OP_SEND)
			st->unanswered[sqe->user_data >> 31 & 1]--;
		io_uring_prep_nop(sqe);
		io_uring_sqe_set_data64(sqe, OP_CANCEL);
	}
}

/* No request for this descriptor is to be handed over from here on. */
static void settle(struct state *st, int fd, struct slot *slot)
{
	if (slot->queued_turn != st->turn)
		return;
	submit(st);
	if (slot->queued_turn == st->turn)
		take_back(st, fd);
}

static bool is_full(const struct slot *slot)
{
	return ses_buf_len(&slot->held) >= HELD_BYTES;
}

static bool receives_by_itself(const struct slot *slot)
{
	return slot->direct && !slot->receiving;
}

/* What is to be polled, when the owner wants @want. */
static unsigned to_be_polled(const struct slot *slot, unsigned want)
{
	if (slot->io->bytes && !receives_by_itself(slot))
		want &= SES_WRITABLE;
	return want;
}

static void cancel(struct state *st, int fd, struct slot *slot, unsigned op)
{
	uint64_t name = name_of(fd, slot, op);
	struct io_uring_sqe *sqe = new_request(st);

	if (!sqe)
		return;
	io_uring_prep_cancel64(sqe, name, 0);
	io_uring_sqe_set_data64(sqe, OP_CANCEL);
}

static int begin_poll(struct state *st, int fd, struct slot *slot, unsigned want)
{
	struct io_uring_sqe *sqe;

	if (slot->polled == want)
		return 0;
	if (slot->polled)
		cancel(st, fd, slot, slot->poll);
	slot->polled = 0;
	slot->poll = OP_POLL | ((slot->poll + 1) & 3);
	if (!want)
		return 0;
	sqe = new_request(st);
	if (!sqe)
		return SESAME_ESYSTEM;
	io_uring_prep_poll_add(sqe, fd,
			       (want & SES_READABLE ? POLLIN | POLLRDHUP : 0) |
				       (want & SES_WRITABLE ? POLLOUT : 0));
	name_request(st, sqe, fd, slot, slot->poll);
	slot->polled = (uint8_t)want;
	return 0;
}

static int begin_receive(struct state *st, int fd, struct slot *slot)
{
	struct io_uring_sqe *sqe;

	if (slot->receiving || slot->eof || slot->error || is_full(slot))
		return 0;
	if (slot->direct)
		return begin_poll(st, fd, slot, slot->io->want);
	sqe = new_request(st);
	if (!sqe)
		return SESAME_ESYSTEM;
	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	name_request(st, sqe, fd, slot, OP_RECV);
	slot->receiving = true;
	return 0;
}

/* ---- descriptors ---- */

static struct slot *slot_of(const struct state *st, int fd)
{
	return fd >= 0 && (size_t)fd < st->n_slots ? st->slots[fd] : NULL;
}

static int grow_slots(struct state *st, int fd)
{
	size_t n = st->n_slots ? st->n_slots : 64;
	struct slot **slots;

	if (fd >= MOST_DESCRIPTORS)
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
static struct slot *take_slot(struct state *st, struct ses_io *io)
{
	struct slot *slot;

	if (grow_slots(st, io->fd) < 0)
		return NULL;
	slot = st->slots[io->fd];
	if (slot)
		return slot->io == io ? slot : NULL;
	if (!io->bytes && is_plain_file(io->fd))
		return NULL;
	slot = calloc(1, sizeof(*slot));
	if (!slot)
		return NULL;
	slot->io = io;
	slot->poll = OP_POLL;
	slot->generation = ++st->generation;
	slot->queued_turn = st->turn - 1;
	ses_buf_init(&slot->held, SIZE_MAX);
	st->slots[io->fd] = slot;
	return slot;
}

/* Tell @fd's owner again in the next turn. */
static void let_wait(struct state *st, int fd, struct slot *slot)
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

static bool has_news(const struct slot *slot)
{
	return ses_buf_len(&slot->held) > 0 || slot->eof || slot->error;
}

static int watch_bytes(struct state *st, struct ses_io *io, struct slot *slot,
		       unsigned want)
{
	int error = begin_poll(st, io->fd, slot, to_be_polled(slot, want));

	if (error)
		return error;
	if (!(want & SES_READABLE)) {
		if (slot->receiving)
			cancel(st, io->fd, slot, OP_RECV);
		return 0;
	}
	if (has_news(slot))
		let_wait(st, io->fd, slot);
	return slot->direct ? 0 : begin_receive(st, io->fd, slot);
}

static int uring_watch(struct sesame_loop *loop, struct ses_io *io,
		       unsigned want)
{
	struct state *st = state_of(loop);
	struct slot *slot = slot_of(st, io->fd);
	int error;

	if (want == io->want && slot && slot->io == io)
		return 0;
	slot = take_slot(st, io);
	if (!slot)
		return SESAME_ESYSTEM;
	error = io->bytes ? watch_bytes(st, io, slot, want)
			  : begin_poll(st, io->fd, slot, want);
	if (!error)
		io->want = (uint8_t)want;
	return error;
}

static void uring_forget(struct sesame_loop *loop, struct ses_io *io)
{
	struct state *st = state_of(loop);
	struct slot *slot = slot_of(st, io->fd);

	io->want = 0;
	if (!slot || slot->io != io)
		return;
	settle(st, io->fd, slot);
	begin_poll(st, io->fd, slot, 0);
	if (slot->receiving)
		cancel(st, io->fd, slot, OP_RECV);
	if (st->now == slot)
		st->now = NULL;
	io->sending = false;
	st->slots[io->fd] = NULL;
	ses_buf_fini(&slot->held);
	free(slot);
}

/* ---- buffers for what is received ---- */

static void give_buffer(struct state *st, unsigned id)
{
	st->filled[id] = 0;
	io_uring_buf_ring_add(st->buffers,
			      st->memory + (size_t)id * BUFFER_BYTES,
			      BUFFER_BYTES, (unsigned short)id,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(st->buffers, 1);
}

/* Register the ring of buffers, if the kernel can fill them by and by. */
static int register_buffers(struct state *st)
{
	struct io_uring_buf_reg reg = {
		.ring_addr = (uint64_t)(uintptr_t)st->buffers,
		.ring_entries = BUFFERS,
		.bgid = GROUP,
		.pad = BUFFERS_BY_AND_BY,
	};

	return io_uring_register_buf_ring(&st->ring, &reg, 0);
}

static void *map(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void unmap(void *at, size_t len)
{
	if (at)
		munmap(at, len);
}

#define RING_BYTES (BUFFERS * sizeof(struct io_uring_buf))

static int open_buffers(struct state *st)
{
	st->memory = map((size_t)BUFFERS * BUFFER_BYTES);
	st->buffers = map(RING_BYTES);
	st->arenas = map(2 * ARENA_ROOM);
	if (!st->memory || !st->buffers || !st->arenas)
		return SESAME_ENOMEM;
	if (register_buffers(st) < 0)
		return SESAME_ESYSTEM;
	io_uring_buf_ring_init(st->buffers);
	for (unsigned i = 0; i < BUFFERS; i++)
		give_buffer(st, i);
	return 0;
}

/* ---- answers ---- */

static void call(struct ses_io *io, unsigned ready)
{
	if (io && (ready & io->want))
		ses_io_tell(io, ready & io->want);
}

/* Whoever gets much at a time had better receive it himself. */
static void choose_way(struct state *st, int fd, struct slot *slot, size_t len)
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
		cancel(st, fd, slot, OP_RECV);
}

/*
 * What its owner did not take, or does not want now, waits. Of what waits there
 * is a ceiling: over it nothing more is received until it was taken.
 */
static void hold(struct state *st, int fd, struct slot *slot, uint8_t *data,
		 size_t len)
{
	if (ses_buf_append(&slot->held, bytes_of(data, len)) < 0)
		slot->error = ECONNABORTED; /* bytes are lost */
	if (slot->receiving && is_full(slot))
		cancel(st, fd, slot, OP_RECV);
	if (slot->io->want & SES_READABLE)
		let_wait(st, fd, slot);
}

static void tell_bytes(struct state *st, int fd, struct slot *slot,
		       uint8_t *data, size_t len)
{
	if (has_news(slot) || !(slot->io->want & SES_READABLE)) {
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

static void received(struct state *st, int fd, struct slot *slot,
		     const struct io_uring_cqe *cqe)
{
	unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	bool mine = slot && slot->generation == (uint32_t)(cqe->user_data >> 32);

	if (mine && !(cqe->flags & IORING_CQE_F_MORE))
		slot->receiving = false;
	if (mine && cqe->res == 0)
		slot->eof = true;
	if (mine && cqe->res < 0 && is_fatal(-cqe->res))
		slot->error = -cqe->res;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		uint8_t *data =
			st->memory + (size_t)id * BUFFER_BYTES + st->filled[id];
		size_t len = cqe->res > 0 ? (size_t)cqe->res : 0;

		st->filled[id] += (uint32_t)len;
		if (mine && len > 0) {
			choose_way(st, fd, slot, len);
			tell_bytes(st, fd, slot, data, len);
		}
		if (!(cqe->flags & BUFFER_GOES_ON))
			give_buffer(st, id);
	} else if (mine && has_news(slot)) {
		call(slot->io, SES_READABLE);
	}
	/* its owner may be gone by now, or had something else to do first */
	slot = slot_of(st, fd);
	if (!slot || !slot->io->bytes || !(slot->io->want & SES_READABLE))
		return;
	if (has_news(slot))
		let_wait(st, fd, slot);
	begin_receive(st, fd, slot);
}

static void sent(struct sesame_loop *loop, struct slot *slot, int res)
{
	struct bytes rest = bytes_of(slot->sent, slot->sent_len);
	int error = 0;

	slot->io->sending = false;
	if (res >= 0)
		rest = bytes_from(rest, (size_t)res);
	else if (res != -EAGAIN && res != -ENOBUFS && res != -ENOMEM &&
		 res != -EINTR)
		error = -res;
	loop->on_sent(slot->io, rest, error);
}

static void polled(struct slot *slot, unsigned op, int res)
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
static void poll_on(struct state *st, int fd)
{
	struct slot *slot = slot_of(st, fd);

	if (!slot)
		return;
	begin_poll(st, fd, slot, to_be_polled(slot, slot->io->want));
	if (slot->io->bytes && slot->io->want & SES_READABLE)
		begin_receive(st, fd, slot);
}

static void answer(struct sesame_loop *loop, const struct io_uring_cqe *cqe)
{
	struct state *st = state_of(loop);
	uint64_t name = cqe->user_data;
	unsigned op = name & 7;
	int fd = (int)(name >> 3 & (MOST_DESCRIPTORS - 1));
	struct slot *slot;

	if (op == OP_CANCEL)
		return;
	slot = slot_of(st, fd);
	if (op == OP_RECV) {
		received(st, fd, slot, cqe);
		return;
	}
	if (op == OP_SEND)
		st->unanswered[name >> 31 & 1]--;
	if (!slot || slot->generation != (uint32_t)(name >> 32))
		return;
	if (op == OP_SEND) {
		sent(loop, slot, cqe->res);
		return;
	}
	polled(slot, op, cqe->res);
	poll_on(st, fd);
}

static void tell_waiting(struct state *st)
{
	size_t n = st->n_waiting;

	if (n == 0)
		return;
	/* those that come meanwhile are for the next turn */
	for (size_t i = 0; i < n; i++) {
		int fd = st->waiting[i];
		struct slot *slot = slot_of(st, fd);

		if (!slot)
			continue;
		slot->waiting = false;
		if (has_news(slot))
			call(slot->io, SES_READABLE);
		slot = slot_of(st, fd);
		if (!slot || !(slot->io->want & SES_READABLE))
			continue;
		if (has_news(slot))
			let_wait(st, fd, slot);
		if (slot->io->bytes)
			begin_receive(st, fd, slot);
	}
	st->n_waiting -= n;
	memmove(st->waiting, st->waiting + n,
		st->n_waiting * sizeof(*st->waiting));
}

static int enter(struct state *st, int timeout_ms)
{
	struct __kernel_timespec time = {.tv_sec = timeout_ms / 1000,
					 .tv_nsec =
						 timeout_ms % 1000 * 1000000L};
	struct io_uring_cqe *cqe;
	int r = enable(st);

	if (r < 0)
		return r;
	if (timeout_ms == 0)
		r = io_uring_submit_and_get_events(&st->ring);
	else
		r = io_uring_submit_and_wait_timeout(
			&st->ring, &cqe, 1, timeout_ms < 0 ? NULL : &time, NULL);
	count_turn(st);
	return r;
}

/* What is sent from the other one is answered while this one is written. */
static void change_arena(struct sesame_loop *loop)
{
	struct state *st = state_of(loop);

	st->arena ^= 1;
	st->arena_busy = st->unanswered[st->arena] > 0;
	loop->cork = st->arena_busy ? loop->own_cork
				    : st->arenas + st->arena * ARENA_ROOM;
}

static int uring_wait(struct sesame_loop *loop, int timeout_ms)
{
	struct state *st = state_of(loop);
	struct io_uring_cqe *cqe;
	int r = enter(st, st->n_waiting ? 0 : timeout_ms);

	ses_loop_update(loop);
	if (r < 0 && r != -ETIME && r != -EINTR && r != -EBUSY && r != -EAGAIN)
		return SESAME_ESYSTEM;
	change_arena(loop);
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

/* ---- bytes ---- */

static ssize_t take_held(struct slot *slot, uint8_t *to, size_t len)
{
	struct bytes held = bytes_first(ses_buf_bytes(&slot->held), len);

	memcpy(to, held.data, held.len);
	ses_buf_consume(&slot->held, held.len);
	if (ses_buf_len(&slot->held) == 0)
		ses_buf_release(&slot->held);
	return (ssize_t)held.len;
}

/* As with epoll. Who gets little for long is received for again. */
static ssize_t receive(struct slot *slot, uint8_t *to, size_t len)
{
	ssize_t n = recv(slot->io->fd, to, len, MSG_DONTWAIT);

	if (n > (ssize_t)LITTLE_BYTES)
		slot->times = 0;
	else if (n > 0 && ++slot->times == LITTLE_TIMES)
		slot->direct = false;
	return n;
}

static ssize_t uring_recv(struct sesame_loop *loop, struct ses_io *io,
			  uint8_t **at, size_t len)
{
	struct state *st = state_of(loop);
	struct slot *slot = slot_of(st, io->fd);

	if (!slot || slot->io != io) {
		errno = EAGAIN;
		return -1;
	}
	if (ses_buf_len(&slot->held) > 0)
		return take_held(slot, *at, len);
	if (st->now == slot && st->now_len > 0) {
		len = len < st->now_len ? len : st->now_len;
		*at = st->now_data;
		st->now_data += len;
		st->now_len -= len;
		return (ssize_t)len;
	}
	if (slot->eof && !slot->error)
		return 0;
	if (!slot->error && receives_by_itself(slot))
		return receive(slot, *at, len);
	errno = slot->error ? slot->error : EAGAIN;
	return -1;
}

/* Where output that waits for the end of the turn lies: the cork goes on. */
static const uint8_t *put_in_arena(struct sesame_loop *loop, const void *from,
				   size_t len)
{
	struct state *st = state_of(loop);
	uint8_t *base = st->arenas + st->arena * ARENA_ROOM, *at = loop->cork;

	if (len > LATER_BYTES || st->arena_busy || at < base ||
	    at + len > base + ARENA_BYTES)
		return NULL;
	if (from != at)
		memcpy(at, from, len);
	loop->cork = at + ((len + 63) & ~(size_t)63);
	return at;
}

static bool send_later(struct sesame_loop *loop, struct ses_io *io,
		       struct slot *slot, const void *from, size_t len)
{
	struct state *st = state_of(loop);
	const uint8_t *at = put_in_arena(loop, from, len);
	struct io_uring_sqe *sqe = at ? new_request(st) : NULL;

	if (!sqe)
		return false;
	io_uring_prep_send(sqe, io->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	name_request(st, sqe, io->fd, slot, OP_SEND);
	sqe->user_data |= (uint64_t)st->arena << 31;
	st->unanswered[st->arena]++;
	slot->sent = at;
	slot->sent_len = (uint32_t)len;
	io->sending = true;
	return true;
}

static ssize_t uring_send(struct sesame_loop *loop, struct ses_io *io,
			  const void *from, size_t len, bool more)
{
	struct slot *slot = slot_of(state_of(loop), io->fd);

	/* what stands in the cork is not to be written over */
	if (slot && slot->io == io && loop->in_turn && !loop->cork_len &&
	    !more && send_later(loop, io, slot, from, len))
		return (ssize_t)len;
	return send(io->fd, from, len,
		    MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
}

static void uring_hand_over(struct sesame_loop *loop)
{
	struct state *st = state_of(loop);
	struct io_uring_sqe *sqe;

	/* the thread that turns the loop is the ring's, and is not known yet */
	if (!st->enabled && loop->alarm.io.fd < 0)
		return;
	/* a loop around this one wakes for what the kernel tells alone */
	if (st->n_waiting && loop->alarm.io.fd >= 0 && (sqe = new_request(st))) {
		io_uring_prep_nop(sqe);
		io_uring_sqe_set_data64(sqe, OP_CANCEL);
	}
	submit(st);
}

/* ---- birth and death ---- */

static void uring_close(struct sesame_loop *loop)
{
	struct state *st = state_of(loop);

	if (loop->fd >= 0)
		io_uring_queue_exit(&st->ring);
	for (size_t i = 0; i < st->n_slots; i++) {
		if (st->slots[i])
			ses_buf_fini(&st->slots[i]->held);
		free(st->slots[i]);
	}
	free(st->slots);
	free(st->waiting);
	unmap(st->memory, (size_t)BUFFERS * BUFFER_BYTES);
	unmap(st->buffers, RING_BYTES);
	unmap(st->arenas, 2 * ARENA_ROOM);
	free(st);
}

static int uring_open(struct sesame_loop *loop)
{
	struct state *st = calloc(1, sizeof(*st));
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
	if (open_buffers(st) < 0) {
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
	.watch = uring_watch,
	.forget = uring_forget,
	.wait = uring_wait,
	.recv = uring_recv,
	.send = uring_send,
	.hand_over = uring_hand_over,
};

#endif
