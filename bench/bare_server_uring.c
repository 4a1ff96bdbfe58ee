/* SPDX-License-Identifier: MIT */
/*
 * The limit of bare.h by io_uring: who comes is accepted and received from by
 * requests that go on by themselves, into buffers of the ring's; and all that a
 * turn has to say, and to close, leaves with the one system call that also
 *waits for the next. A send that cannot be taken at once is lost, so that when
 *the call is back nobody reads what was said any more.
 *
 *	bare_server_uring [--refuse]   as bare_server
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bare.h"
#include "listening.h"
#include "ring.h"

#define ENTRIES 4096
#define WORDS_BYTES \
	(4u << 20) /* said in a turn at most, before they are sent */

enum op { OP_ACCEPT, OP_RECEIVE, OP_REST };

static struct io_uring ring;
static struct ring_buffers buffers = {.n = 16, .bytes = 64 * 1024};
static unsigned filled[16]; /* bytes of each buffer that were used up */
static uint32_t generations[BARE_LINKS]; /* of the descriptor's use */
static bool receives[BARE_LINKS];	 /* that request goes on */
static char *words;
static size_t words_len;

static void hand_over(void)
{
	if (io_uring_submit(&ring) < 0)
		die("io_uring_enter");
	words_len = 0;
}

static struct io_uring_sqe *request(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		hand_over();
		sqe = io_uring_get_sqe(&ring);
	}
	return sqe;
}

/* Requests outlive connections; of another generation they are nobody's. */
static uint64_t name_of(int fd, enum op op)
{
	return (uint64_t)generations[fd] << 32 | (uint64_t)fd << 8 | op;
}

/* Only what goes wrong with it is told, and nobody listens to that. */
static void tell_nothing(struct io_uring_sqe *sqe)
{
	io_uring_sqe_set_data64(sqe, OP_REST);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void receive(int fd)
{
	struct io_uring_sqe *sqe = request();

	ring_prep_receive(sqe, fd);
	io_uring_sqe_set_data64(sqe, name_of(fd, OP_RECEIVE));
	receives[fd] = true;
}

void bare_say(int fd, const void *data, size_t len)
{
	struct io_uring_sqe *sqe;

	if (len > WORDS_BYTES - words_len)
		hand_over();
	sqe = request(); /* may hand over, too */
	memcpy(words + words_len, data, len);
	io_uring_prep_send(sqe, fd, words + words_len, len,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
	tell_nothing(sqe);
	words_len += len;
}

/* A receive that goes on holds the socket: it ends before. */
void bare_close(int fd)
{
	struct io_uring_sqe *sqe;

	if (receives[fd]) {
		sqe = request();
		io_uring_prep_cancel64(sqe, name_of(fd, OP_RECEIVE), 0);
		tell_nothing(sqe);
	}
	generations[fd]++;
	sqe = request();
	io_uring_prep_close(sqe, fd);
	tell_nothing(sqe);
}

/* What came lies behind what came before it in the same buffer. */
static void received(int fd, bool is_mine, const struct io_uring_cqe *cqe)
{
	unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	size_t len = cqe->res > 0 ? (size_t)cqe->res : 0;
	const char *data = NULL;

	if (cqe->flags & IORING_CQE_F_BUFFER) {
		data = ring_buffer(&buffers, id) + filled[id];
		filled[id] += (unsigned)len;
	}
	if (is_mine) {
		receives[fd] = cqe->flags & IORING_CQE_F_MORE;
		if (len || cqe->res != -ENOBUFS)
			bare_hear(fd, (const uint8_t *)data, len);
		if (!receives[fd] && name_of(fd, OP_RECEIVE) == cqe->user_data)
			receive(fd);
	}
	if (data && !(cqe->flags & RING_GOES_ON)) {
		filled[id] = 0;
		ring_offer(&buffers, id);
	}
}

static void answer(const struct io_uring_cqe *cqe)
{
	int fd = (int)(cqe->user_data >> 8 & 0xffffff);

	switch ((enum op)(cqe->user_data & 0xff)) {
	case OP_ACCEPT:
		if (cqe->res < 0)
			break;
		bare_join(cqe->res);
		receive(cqe->res);
		break;
	case OP_RECEIVE:
		received(fd, name_of(fd, OP_RECEIVE) == cqe->user_data, cqe);
		break;
	case OP_REST:
		break;
	}
}

static void turn(void)
{
	struct io_uring_cqe *cqe;
	int r = io_uring_submit_and_wait(&ring, 1);

	if (r < 0 && r != -EINTR) {
		errno = -r;
		die("io_uring_enter");
	}
	words_len = 0;
	for (unsigned n = io_uring_cq_ready(&ring);
	     n > 0 && io_uring_peek_cqe(&ring, &cqe) == 0; n--) {
		struct io_uring_cqe copy = *cqe;

		io_uring_cqe_seen(&ring, cqe);
		answer(&copy);
	}
}

int main(int argc, char **argv)
{
	struct io_uring_sqe *sqe;

	bare_read_options(argc, argv);
	ring_open(&ring, ENTRIES);
	ring_open_buffers(&ring, &buffers);
	words = ring_map(WORDS_BYTES);
	sqe = request();
	io_uring_prep_multishot_accept(sqe, listen_at(0, 0), NULL, NULL, 0);
	io_uring_sqe_set_data64(sqe, OP_ACCEPT);
	for (;;)
		turn();
}
