/* SPDX-License-Identifier: MIT */
/*
 * The back end by epoll, level-triggered: one receive per readable turn leaves
 * the rest for the next turn, and no descriptor starves another. A descriptor
 * that nothing is wanted of is taken out of the set, because epoll would go on
 * telling about hang-ups.
 */
#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_READY 256

struct state {
	struct epoll_event ready[MOST_READY];
	int n, at; /* at: the one being handled */
};

static int epoll_open(struct sesame_loop *loop)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return SESAME_ENOMEM;
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->fd < 0) {
		free(state);
		return SESAME_ESYSTEM;
	}
	loop->backend_state = state;
	return 0;
}

static void epoll_close(struct sesame_loop *loop)
{
	close(loop->fd);
	free(loop->backend_state);
}

static int epoll_watch(struct sesame_loop *loop, struct ses_io *io,
		       unsigned want)
{
	struct epoll_event event = {
		.events = (want & SES_READABLE ? EPOLLIN | EPOLLRDHUP : 0) |
			  (want & SES_WRITABLE ? EPOLLOUT : 0),
		.data.ptr = io,
	};
	int op = !want ? EPOLL_CTL_DEL
		       : (io->want ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);

	if (want == io->want)
		return 0;
	if (epoll_ctl(loop->fd, op, io->fd, &event) < 0)
		return SESAME_ESYSTEM;
	io->want = (uint8_t)want;
	return 0;
}

static void epoll_forget(struct sesame_loop *loop, struct ses_io *io)
{
	struct state *state = loop->backend_state;

	epoll_watch(loop, io, 0);
	io->want = 0;
	for (int i = state->at + 1; i < state->n; i++)
		if (state->ready[i].data.ptr == io)
			state->ready[i].data.ptr = NULL;
}

static unsigned readiness(uint32_t events)
{
	unsigned ready = 0;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		ready |= SES_READABLE;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		ready |= SES_WRITABLE;
	return ready;
}

static int epoll_wait_turn(struct sesame_loop *loop, int timeout_ms)
{
	struct state *state = loop->backend_state;

	state->n = epoll_wait(loop->fd, state->ready, MOST_READY, timeout_ms);
	ses_loop_update(loop);
	if (state->n < 0) {
		state->n = 0;
		return errno == EINTR ? 0 : SESAME_ESYSTEM;
	}
	for (state->at = 0; state->at < state->n; state->at++) {
		struct ses_io *io = state->ready[state->at].data.ptr;
		unsigned ready = readiness(state->ready[state->at].events);

		/* an earlier handler may have changed what is wanted */
		if (io && (ready & io->want))
			ses_io_tell(io, ready & io->want);
	}
	state->n = state->at = 0;
	return 0;
}

static ssize_t epoll_recv(struct sesame_loop *loop, struct ses_io *io,
			  uint8_t **at, size_t len)
{
	return recv(io->fd, *at, len, 0);
}

static ssize_t epoll_send(struct sesame_loop *loop, struct ses_io *io,
			  const void *from, size_t len, bool more)
{
	return send(io->fd, from, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

const struct ses_backend ses_backend_epoll = {
	.name = "epoll",
	.open = epoll_open,
	.close = epoll_close,
	.watch = epoll_watch,
	.forget = epoll_forget,
	.wait = epoll_wait_turn,
	.recv = epoll_recv,
	.send = epoll_send,
};
