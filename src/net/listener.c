/* SPDX-License-Identifier: MIT */
/* Accepting in batches, see net/listener.h and accept(2), "Error handling". */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "net/spare.h"

#define BACKLOG 4096 /* the system lowers it to net.core.somaxconn */
#define BATCH	64   /* then the other descriptors have their turn */
#define REST_MS 100

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

static void rest(struct ses_listener *l, int error)
{
	/* without memory for the timer it simply tries again next turn */
	if (ses_timers_start(&l->loop->timers, &l->rest,
			     l->loop->now_ms + REST_MS) == 0)
		ses_io_watch(l->loop, &l->socket.io, 0);
	if (l->on_short)
		l->on_short(l, error);
}

static void rested(struct ses_timer *timer)
{
	struct ses_listener *l =
		ses_container_of(timer, struct ses_listener, rest);

	if (ses_io_watch(l->loop, &l->socket.io, SES_READABLE) < 0)
		ses_timers_start(&l->loop->timers, &l->rest,
				 l->loop->now_ms + REST_MS);
}

/*
 * Whether the next one would take a descriptor that is for others, from @first
 * on. While the last one was low there are more, and none has to be opened to
 * see.
 */
static bool is_for_others(struct ses_listener *l, int first)
{
	bool spared;
	int probe;

	if (l->last_fd < first / 2)
		return false;
	probe = fcntl(l->socket.io.fd, F_DUPFD_CLOEXEC, 0);
	spared = probe < 0 || probe >= first;
	if (probe >= 0)
		close(probe);
	return spared;
}

/* Take @most of those who wait. 0, or what there is too little of. */
static int take_in(struct ses_listener *l, int most)
{
	struct sesame_loop *loop = l->loop;
	int first_spared = ses_first_spared(l->spared);
	int result = 0;

	loop->accepting = l; /* until its owner closes, and maybe frees, it */
	for (int i = 0; i < most && loop->accepting == l; i++) {
		struct ses_addr peer = {.len = sizeof(peer.v6)};
		int fd;

		if (is_for_others(l, first_spared)) {
			result = EMFILE;
			break;
		}
		fd = accept4(l->socket.io.fd, &peer.any, &peer.len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			l->last_fd = fd;
			l->on_accept(l, fd, &peer);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		if (is_shortage(errno)) {
			result = errno;
			break;
		}
		/* all others are about that one connection: the next, please */
	}
	loop->accepting = NULL;
	return result;
}

static void on_ready(struct ses_polled *polled, unsigned ready)
{
	struct ses_listener *l =
		ses_container_of(polled, struct ses_listener, socket);
	int shortage = take_in(l, BATCH);

	if (shortage)
		rest(l, shortage);
}

int ses_listener_adopt(struct ses_listener *l, struct sesame_loop *loop, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct ses_addr at = {0};
	int one = 1;

	*l = (struct ses_listener){.loop = loop};
	l->socket = (struct ses_polled){.io.fd = fd, .on_ready = on_ready};
	l->rest.fire = rested;
	/* inherited by what is accepted; no TCP, no delay */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    ses_addr_of_socket(fd, false, &at) < 0 ||
	    ses_io_watch(loop, &l->socket.io, SES_READABLE) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return SESAME_ESYSTEM;
	}
	l->at = at;
	return 0;
}

int ses_listener_open(struct ses_listener *l, struct sesame_loop *loop,
		      const struct ses_addr *at, bool reuse_port)
{
	int fd = ses_listen(at, reuse_port, BACKLOG);

	if (fd < 0)
		return SESAME_ESYSTEM;
	return ses_listener_adopt(l, loop, fd);
}

void ses_listener_close(struct ses_listener *l)
{
	if (l->loop->accepting == l)
		l->loop->accepting = NULL;
	ses_timers_stop(&l->loop->timers, &l->rest);
	ses_io_forget(l->loop, &l->socket.io);
	close(l->socket.io.fd);
	l->socket.io.fd = -1;
}

void ses_listener_finish(struct ses_listener *l)
{
	int shortage = take_in(l, BACKLOG);

	if (shortage && l->on_short)
		l->on_short(l, shortage);
	ses_listener_close(l);
}
