/* SPDX-License-Identifier: MIT */
/*
 * Accepting connections. A process that runs out of descriptors must neither
 * spin nor die: the listener then rests for a moment and tries again.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/addr.h"
#include "net/loop.h"

struct ses_listener {
	struct ses_polled socket;
	struct sesame_loop *loop;
	struct ses_timer rest;
	struct ses_addr at; /* with the real port, if 0 was asked for */
	void *owner;
	/*
	 * A connection: its socket, non-blocking, is the receiver's. The
	 * listener may be closed from within.
	 */
	void (*on_accept)(struct ses_listener *listener, int fd,
			  const struct ses_addr *peer);
	/*
	 * How many descriptors it leaves to others, an eighth of all at most:
	 * it rests as if there were none left. 0, unless its owner says more.
	 */
	unsigned spared;
	int last_fd;
	/* Optional: descriptors or memory ran out; @sys_errno says which. */
	void (*on_short)(struct ses_listener *listener, int sys_errno);
};

/*
 * Listen at @at. Set owner and callbacks before the next turn. Returns 0 or
 * SESAME_ESYSTEM with errno (EADDRINUSE, EACCES, EADDRNOTAVAIL, EMFILE...).
 */
int ses_listener_open(struct ses_listener *listener, struct sesame_loop *loop,
		      const struct ses_addr *at, bool reuse_port);
/* The same with a socket that listens already (taken). 0 or SESAME_ESYSTEM. */
int ses_listener_adopt(struct ses_listener *listener, struct sesame_loop *loop,
		       int fd);
/* Stop listening; no event follows. The struct is the caller's again. */
void ses_listener_close(struct ses_listener *listener);
/*
 * The same, but those who wait to be accepted are accepted before: for them the
 * system has taken the connection already, and would reset it. on_accept must
 * not close the listener then.
 */
void ses_listener_finish(struct ses_listener *listener);

#endif
