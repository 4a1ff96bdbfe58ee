/* SPDX-License-Identifier: MIT */
/*
 * A kernel that is none: sockets, epoll, clocks and random bytes as our own
 * objects ask for them, played by whoever holds the far ends. What is wrapped
 * when a target is linked is listed in tests/CMakeLists.txt; a descriptor that
 * is not of this kernel, and everything while none is started, goes to the
 * real one.
 *
 * Nothing here waits: a turn of the loop sees what is ready, and time goes on
 * when kernel_pass() says so, or by kernel_when_idle(). The same calls give the
 * same bytes, every time.
 *
 * Also demanded of the caller: no descriptor is used after it was closed, none
 * is left open at the end, none can block, and no send can raise SIGPIPE.
 */
#ifndef TESTS_FUZZ_KERNEL_H
#define TESTS_FUZZ_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/addr.h"

#define KERNEL_WIRES 32 /* connections, in one run */
#define WIRE_ROOM    ((size_t)256 * 1024)

enum wire_state {
	WIRE_WAITING, /* at a listener, to be accepted */
	WIRE_CALLING, /* a connect() that is under way */
	WIRE_OPEN,
	WIRE_REFUSED, /* a connect() that came to nothing */
};

/* A connection, as its far end sees it. "Near" is the program. */
struct wire {
	enum wire_state state;
	bool called;   /* by the near end; else it came to a listener */
	uint16_t port; /* whose: the listener's, or the one that was called */
	struct ses_addr far;
	int fd;		    /* the near end's; -1: not yet, or closed */
	struct ses_buf in;  /* on its way to the near end */
	struct ses_buf out; /* sent by it and not read by the far end */
	size_t room;	    /* most of out; what is beyond is told EAGAIN */
	size_t piece;	    /* most that one call moves */
	int pending;	    /* SO_ERROR */
	bool closed;	    /* by the near end */
	bool cut;  /* with a reset, so that what it had sent may be lost */
	bool fin;  /* it will send no more */
	bool shut; /* and said so by shutdown(2), with all sent that it had */
	bool far_fin, far_gone, far_reset;
	bool linger_0; /* its close is to be a reset */
	uint64_t sent; /* by the near end, in all */
	void *user;    /* of the far end */
};

/* What the next call of a kind is answered with, once. */
enum kernel_call {
	KERNEL_ACCEPT,
	KERNEL_RECV,
	KERNEL_SEND,
	KERNEL_CONNECT, /* 0: connected at once; EINPROGRESS is the rule */
	KERNEL_SOCKET,
	KERNEL_WATCH, /* epoll_ctl(2) that adds */
	N_KERNEL_CALLS,
};

void kernel_start(uint64_t seed);
/* Ends the program when a descriptor was left open. */
void kernel_stop(void);

/* The next call of this kind fails so. */
void kernel_fail(enum kernel_call call, int sys_errno);
void kernel_pass(uint64_t ms);
uint64_t kernel_now_ms(void);
/*
 * For a program that waits: when nothing is ready, @idle is called and the time
 * that it would wait has passed.
 */
void kernel_when_idle(void (*idle)(void));
/* How many descriptors are open. */
unsigned kernel_open(void);

/* All wires so far, in the order of their beginning; those of both kinds. */
unsigned kernel_n_wires(void);
struct wire *kernel_wire(unsigned i);
/* Somebody comes to the listener of @port. NULL: there is none, or no room. */
struct wire *kernel_arrive(uint16_t port, const struct ses_addr *from);

/* ---- What the far end does ---- */

/* Answer a connect() under way: 0, or why not. */
void wire_answer(struct wire *w, int sys_errno);
/* Send; what is over WIRE_ROOM is dropped. How many bytes went. */
size_t wire_say(struct wire *w, struct bytes data);
/* Send no more; close; reset. */
void wire_end(struct wire *w);
void wire_leave(struct wire *w);
void wire_reset(struct wire *w);

#endif
