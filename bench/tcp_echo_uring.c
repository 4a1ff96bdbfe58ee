/* SPDX-License-Identifier: MIT */
/*
 * The same limit on io_uring: receives that go on by themselves into buffers of
 * the ring's, which the kernel fills by and by (Linux 6.12), and all sends of a
 * turn, from where the bytes lie, with the one system call that also waits for
 * the next. A send that succeeds has no answer: when the call is back, it has
 * left. One that does not is finished by the kernel while its buffers wait.
 *
 *	tcp_echo_uring [--buffers N] [--bytes N]
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listening.h"
#include "ring.h"

#define ENTRIES	     4096
#define MOST_LINKS   65536
#define MOST_BUFFERS 1024

enum op { OP_ACCEPT, OP_RECV, OP_SEND, OP_FINISH };

struct piece {
	struct iovec at;
	unsigned buffer;
};

struct link {
	uint32_t generation; /* of the descriptor's use */
	bool open;
	bool finishing; /* the kernel sends what it could not send at once */
	bool touched;	/* is in the list of this turn */
	struct piece *pieces; /* to be sent; @n_flying of them are on their way */
	unsigned n, size, n_flying;
	struct msghdr head;
	struct iovec *vector;
};

struct buffer {
	unsigned filled;
	unsigned users; /* pieces of it that have not left */
	bool closed;	/* the kernel has done with it */
};

static struct io_uring ring;
static struct ring_buffers room = {.n = 16, .bytes = 64 * 1024};
static struct buffer buffers[MOST_BUFFERS];
static struct link *links[MOST_LINKS]; /* by descriptor */
static int touched[MOST_LINKS], flying[MOST_LINKS];
static unsigned n_touched, n_flying;

static struct io_uring_sqe *request(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) { /* a turn has fewer than there is room for */
		fputs("too many connections for the ring\n", stderr);
		exit(1);
	}
	return sqe;
}

/* Requests outlive connections; of another generation they are nobody's. */
static void name_request(struct io_uring_sqe *sqe, int fd, enum op op)
{
	uint64_t generation = links[fd] ? links[fd]->generation : 0;

	io_uring_sqe_set_data64(sqe, generation << 32 | (uint64_t)fd << 8 | op);
}

static int fd_of(uint64_t name)
{
	return (int)(name >> 8 & 0xffffff);
}

/* The connection of that name, or NULL. */
static struct link *link_of(uint64_t name)
{
	struct link *l = links[fd_of(name)];

	return l && l->open && l->generation == name >> 32 ? l : NULL;
}

/* ---- buffers ---- */

static void offer_buffer(unsigned id)
{
	buffers[id] = (struct buffer){0};
	ring_offer(&room, id);
}

static void leave_buffer(unsigned id)
{
	if (--buffers[id].users == 0 && buffers[id].closed)
		offer_buffer(id);
}

/* ---- pieces ---- */

static void add_piece(struct link *l, char *data, size_t len, unsigned buffer)
{
	struct piece *last = l->n > l->n_flying ? &l->pieces[l->n - 1] : NULL;

	if (last && last->buffer == buffer &&
	    (char *)last->at.iov_base + last->at.iov_len == data) {
		last->at.iov_len += len;
		return;
	}
	if (l->n == l->size) {
		l->size = l->size ? l->size * 2 : 4;
		l->pieces = realloc(l->pieces, l->size * sizeof(*l->pieces));
		l->vector = realloc(l->vector, l->size * sizeof(*l->vector));
		if (!l->pieces || !l->vector)
			die("realloc");
	}
	l->pieces[l->n++] = (struct piece){{data, len}, buffer};
	buffers[buffer].users++;
}

/* The first @sent bytes of what is on its way have left. */
static void drop_pieces(struct link *l, size_t sent)
{
	unsigned gone = 0;

	while (gone < l->n_flying && sent >= l->pieces[gone].at.iov_len) {
		sent -= l->pieces[gone].at.iov_len;
		leave_buffer(l->pieces[gone++].buffer);
	}
	if (sent && gone < l->n_flying) {
		l->pieces[gone].at.iov_base =
			(char *)l->pieces[gone].at.iov_base + sent;
		l->pieces[gone].at.iov_len -= sent;
	}
	l->n -= gone;
	l->n_flying -= gone;
	memmove(l->pieces, l->pieces + gone, l->n * sizeof(*l->pieces));
}

/* ---- requests ---- */

static void receive(int fd)
{
	struct io_uring_sqe *sqe = request();

	ring_prep_receive(sqe, fd);
	name_request(sqe, fd, OP_RECV);
}

static void send_pieces(int fd, struct link *l, enum op op, int flags)
{
	struct io_uring_sqe *sqe = request();

	l->n_flying = l->n;
	if (l->n == 1) {
		io_uring_prep_send(sqe, fd, l->pieces[0].at.iov_base,
				   l->pieces[0].at.iov_len, flags);
	} else {
		for (unsigned i = 0; i < l->n; i++)
			l->vector[i] = l->pieces[i].at;
		l->head = (struct msghdr){.msg_iov = l->vector,
					  .msg_iovlen = l->n};
		io_uring_prep_sendmsg(sqe, fd, &l->head, (unsigned)flags);
	}
	name_request(sqe, fd, op);
	if (op == OP_SEND)
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void send_all(void)
{
	for (unsigned i = 0; i < n_touched; i++) {
		int fd = touched[i];
		struct link *l = links[fd];

		l->touched = false;
		if (!l->open || l->finishing || !l->n)
			continue;
		send_pieces(fd, l, OP_SEND,
			    MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
		flying[n_flying++] = fd;
	}
	n_touched = 0;
}

/* ---- answers ---- */

static void touch(int fd, struct link *l)
{
	if (!l->touched)
		touched[n_touched++] = fd;
	l->touched = true;
}

static void end(int fd, struct link *l)
{
	l->open = false;
	l->generation++;
	l->n_flying = l->n;
	drop_pieces(l, SIZE_MAX);
	close(fd);
}

static void admit(int fd)
{
	if (fd >= MOST_LINKS)
		die("too many connections");
	if (!links[fd])
		links[fd] = calloc(1, sizeof(**links));
	if (!links[fd])
		die("calloc");
	links[fd]->open = true;
	links[fd]->finishing = false;
	receive(fd);
}

static void received(int fd, struct link *l, const struct io_uring_cqe *cqe)
{
	unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

	if (cqe->flags & IORING_CQE_F_BUFFER) {
		struct buffer *b = &buffers[id];
		char *data = ring_buffer(&room, id) + b->filled;

		b->users++; /* until its piece holds it */
		if (cqe->res > 0) {
			b->filled += (unsigned)cqe->res;
			if (l)
				add_piece(l, data, (size_t)cqe->res, id);
		}
		b->closed = !(cqe->flags & RING_GOES_ON);
		leave_buffer(id);
	}
	if (!l)
		return;
	if (cqe->res > 0) {
		touch(fd, l);
	} else if (cqe->res != -ENOBUFS) {
		end(fd, l);
		return;
	}
	if (!(cqe->flags & IORING_CQE_F_MORE))
		receive(fd);
}

/* It could not all leave at once: the kernel waits for room. */
static void finish(int fd, struct link *l, int res)
{
	if (res < 0 && res != -EAGAIN) {
		/* the receive ends, and with it the connection */
		shutdown(fd, SHUT_RDWR);
		res = INT32_MAX;
	}
	drop_pieces(l, res > 0 ? (size_t)res : 0);
	l->finishing = l->n > 0;
	if (l->finishing)
		send_pieces(fd, l, OP_FINISH, MSG_WAITALL | MSG_NOSIGNAL);
}

static void answer(const struct io_uring_cqe *cqe)
{
	int fd = fd_of(cqe->user_data);
	struct link *l = link_of(cqe->user_data);

	switch ((enum op)(cqe->user_data & 0xff)) {
	case OP_ACCEPT:
		if (cqe->res >= 0)
			admit(cqe->res);
		break;
	case OP_RECV:
		received(fd, l, cqe);
		break;
	case OP_SEND:
		break; /* has been seen to */
	case OP_FINISH:
		if (!l)
			break;
		finish(fd, l, cqe->res);
		touch(fd, l);
		break;
	}
}

/*
 * What was handed over with the last call has left, but for what has an answer;
 * those come before all that is received, which would go into their buffers.
 */
static void settle_sends(unsigned n)
{
	unsigned mask = *ring.cq.kring_mask, head = *ring.cq.khead;

	for (unsigned i = 0; i < n; i++) {
		const struct io_uring_cqe *cqe =
			&ring.cq.cqes[(head + i) & mask];
		struct link *l = link_of(cqe->user_data);

		if (l && (cqe->user_data & 0xff) == OP_SEND)
			finish(fd_of(cqe->user_data), l, cqe->res);
	}
	for (unsigned i = 0; i < n_flying; i++) {
		struct link *l = links[flying[i]];

		if (l->open && !l->finishing && l->n_flying)
			drop_pieces(l, SIZE_MAX);
	}
	n_flying = 0;
}

static void turn(void)
{
	struct io_uring_cqe *cqe;
	unsigned n;
	int r = io_uring_submit_and_wait(&ring, 1);

	if (r < 0 && r != -EINTR) {
		errno = -r;
		die("io_uring_enter");
	}
	n = io_uring_cq_ready(&ring);
	settle_sends(n);
	for (; n > 0 && io_uring_peek_cqe(&ring, &cqe) == 0; n--) {
		struct io_uring_cqe copy = *cqe;

		io_uring_cqe_seen(&ring, cqe);
		answer(&copy);
	}
	send_all();
}

static void read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"buffers", required_argument, NULL, 'n'},
		{"bytes", required_argument, NULL, 'b'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned value =
			optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		if (c == 'n')
			room.n = value;
		if (c == 'b')
			room.bytes = value;
		if (c == '?')
			exit(2);
	}
	if (!room.n || room.n > MOST_BUFFERS || (room.n & (room.n - 1)) ||
	    room.bytes < 4096) {
		fputs("buffers: a power of two up to 1024, of 4096 bytes or "
		      "more\n",
		      stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct io_uring_sqe *sqe;
	int listener;

	read_options(argc, argv);
	ring_open(&ring, ENTRIES);
	ring_open_buffers(&ring, &room);
	listener = listen_at(0, 0);
	sqe = request();
	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
	name_request(sqe, listener, OP_ACCEPT);
	for (;;)
		turn();
}
