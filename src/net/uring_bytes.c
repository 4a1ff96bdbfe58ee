/* SPDX-License-Identifier: MIT */
/*
 * Of io_uring: the bytes. What is received lies in buffers that the kernel was
 * given, until its stream takes it; what is sent lies in one of two arenas
 * until the kernel has answered.
 */
#include "net/uring_inner.h"

#ifdef SESAME_URING

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* The kernel fills a buffer by and by (Linux 6.12); older headers lack it. */
#define BUFFERS_BY_AND_BY 2
/* Who gets no more than this, so many times in a row, is received for again. */
#define LITTLE_BYTES ((size_t)2 * 1024)
#define LITTLE_TIMES 64
/* Output that may wait for the end of the turn: more is cheaper sent at once. */
#define LATER_BYTES ((size_t)16 * 1024)
#define ARENA_BYTES ((size_t)256 * 1024)
#define ARENA_ROOM  (ARENA_BYTES + SES_CORK_BYTES)
#define RING_BYTES  (SES_URING_BUFFERS * sizeof(struct io_uring_buf))

/* ---- buffers for what is received ---- */

void ses_uring_give_buffer(struct ses_uring *st, unsigned id)
{
	st->filled[id] = 0;
	io_uring_buf_ring_add(st->buffers,
			      st->memory + (size_t)id * SES_URING_BUFFER_BYTES,
			      SES_URING_BUFFER_BYTES, (unsigned short)id,
			      io_uring_buf_ring_mask(SES_URING_BUFFERS), 0);
	io_uring_buf_ring_advance(st->buffers, 1);
}

/* Register the ring of buffers, if the kernel can fill them by and by. */
static int register_buffers(struct ses_uring *st)
{
	struct io_uring_buf_reg reg = {
		.ring_addr = (uint64_t)(uintptr_t)st->buffers,
		.ring_entries = SES_URING_BUFFERS,
		.bgid = SES_URING_GROUP,
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

int ses_uring_open_buffers(struct ses_uring *st)
{
	st->memory = map((size_t)SES_URING_BUFFERS * SES_URING_BUFFER_BYTES);
	st->buffers = map(RING_BYTES);
	st->arenas = map(2 * ARENA_ROOM);
	if (!st->memory || !st->buffers || !st->arenas)
		return SESAME_ENOMEM;
	if (register_buffers(st) < 0)
		return SESAME_ESYSTEM;
	io_uring_buf_ring_init(st->buffers);
	for (unsigned i = 0; i < SES_URING_BUFFERS; i++)
		ses_uring_give_buffer(st, i);
	return 0;
}

void ses_uring_close_buffers(struct ses_uring *st)
{
	unmap(st->memory, (size_t)SES_URING_BUFFERS * SES_URING_BUFFER_BYTES);
	unmap(st->buffers, RING_BYTES);
	unmap(st->arenas, 2 * ARENA_ROOM);
}

/* ---- receiving ---- */

static ssize_t take_held(struct ses_uring_slot *slot, uint8_t *to, size_t len)
{
	struct bytes held = bytes_first(ses_buf_bytes(slot->held), len);

	memcpy(to, held.data, held.len);
	ses_buf_consume(slot->held, held.len);
	if (ses_buf_len(slot->held) == 0)
		ses_uring_drop_kept(slot);
	return (ssize_t)held.len;
}

/* As with epoll. Who gets little for long is received for again. */
static ssize_t receive(struct ses_uring_slot *slot, uint8_t *to, size_t len)
{
	ssize_t n = recv(slot->io->fd, to, len, MSG_DONTWAIT);

	if (n > (ssize_t)LITTLE_BYTES)
		slot->times = 0;
	else if (n > 0 && ++slot->times == LITTLE_TIMES)
		slot->direct = false;
	return n;
}

ssize_t ses_uring_recv(struct sesame_loop *loop, struct ses_io *io,
		       uint8_t **at, size_t len)
{
	struct ses_uring *st = ses_uring_of(loop);
	struct ses_uring_slot *slot = ses_uring_slot(st, io->fd);

	if (!slot || slot->io != io) {
		errno = EAGAIN;
		return -1;
	}
	if (slot->held)
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
	if (!slot->error && ses_uring_is_direct(slot))
		return receive(slot, *at, len);
	errno = slot->error ? slot->error : EAGAIN;
	return -1;
}

/* ---- sending ---- */

void ses_uring_change_arena(struct sesame_loop *loop)
{
	struct ses_uring *st = ses_uring_of(loop);

	st->arena ^= 1;
	st->arena_busy = st->unanswered[st->arena] > 0;
	loop->cork = st->arena_busy ? loop->own_cork
				    : st->arenas + st->arena * ARENA_ROOM;
}

/* Where output that waits for the end of the turn lies: the cork goes on. */
static const uint8_t *put_in_arena(struct sesame_loop *loop, const void *from,
				   size_t len)
{
	struct ses_uring *st = ses_uring_of(loop);
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
		       struct ses_uring_slot *slot, const void *from, size_t len)
{
	struct ses_uring *st = ses_uring_of(loop);
	const uint8_t *at = put_in_arena(loop, from, len);
	struct io_uring_sqe *sqe = at ? ses_uring_request(st) : NULL;

	if (!sqe)
		return false;
	io_uring_prep_send(sqe, io->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	ses_uring_name(st, sqe, io->fd, slot, SES_URING_SEND);
	sqe->user_data |= (uint64_t)st->arena << 31;
	st->unanswered[st->arena]++;
	slot->sent_at = (uint32_t)(at - st->arenas);
	slot->sent_len = (uint32_t)len;
	io->sending = true;
	return true;
}

ssize_t ses_uring_send(struct sesame_loop *loop, struct ses_io *io,
		       const void *from, size_t len, bool more)
{
	struct ses_uring_slot *slot = ses_uring_slot(ses_uring_of(loop), io->fd);

	/* what stands in the cork is not to be written over */
	if (slot && slot->io == io && loop->in_turn && !loop->cork_len &&
	    !more && send_later(loop, io, slot, from, len))
		return (ssize_t)len;
	return send(io->fd, from, len,
		    MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
}

#endif
