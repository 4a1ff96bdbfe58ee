/* SPDX-License-Identifier: MIT */
/*
 * See kernel.h. A descriptor is a node of a table; where it stands there tells
 * its number. Readiness is worked out anew at each epoll_wait(2), by level, as
 * the loop asks for it.
 */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FD   100000
#define MOST_FDS   (KERNEL_WIRES + 32)
#define BIRTH_MS   ((uint64_t)1000000000)    /* of the steady clock */
#define SINCE_1970 ((uint64_t)1700000000000) /* of the other one */

/* COPY: of a listener, which tries so what number the next one would get. */
enum kind { FREE, SOCKET, LISTENER, EVENT, EPOLL, COPY };

struct node {
	enum kind kind;
	struct wire *wire;  /* of a socket that is connected */
	struct ses_addr at; /* bound to */
	uint64_t count;	    /* of an event */
	struct node *epoll; /* who watches it */
	uint32_t events;    /* for what */
	epoll_data_t data;
};

static struct {
	bool on;
	struct node node[MOST_FDS];
	struct wire wire[KERNEL_WIRES];
	unsigned n_wires;
	uint64_t now_ms, random;
	void (*idle)(void);
	bool drew; /* random bytes, since it was started */
	unsigned turn;
	bool fails[N_KERNEL_CALLS];
	int error[N_KERNEL_CALLS];
} kernel;

/* What the program did wrong, whatever the far ends did. */
static void blame(const char *what)
{
	fprintf(stderr, "kernel: %s\n", what);
	abort();
}

static int fail(int sys_errno)
{
	errno = sys_errno;
	return -1;
}

/* Whether this call is to fail; then errno is set. */
static bool fails(enum kernel_call call)
{
	if (!kernel.fails[call])
		return false;
	kernel.fails[call] = false;
	errno = kernel.error[call];
	return true;
}

/* ---- Descriptors ---- */

static bool is_ours(int fd)
{
	return kernel.on && fd >= FIRST_FD && fd < FIRST_FD + MOST_FDS;
}

static int number_of(const struct node *n)
{
	return FIRST_FD + (int)(n - kernel.node);
}

static struct node *node_of(int fd)
{
	struct node *n = &kernel.node[fd - FIRST_FD];

	if (n->kind == FREE)
		blame("a descriptor is used that is not open");
	return n;
}

/* The lowest that is free, as everywhere. */
static struct node *open_node(enum kind kind)
{
	for (int i = 0; i < MOST_FDS; i++) {
		if (kernel.node[i].kind != FREE)
			continue;
		kernel.node[i] = (struct node){.kind = kind};
		return &kernel.node[i];
	}
	errno = EMFILE;
	return NULL;
}

static int open_fd(enum kind kind)
{
	struct node *n = open_node(kind);

	return n ? number_of(n) : -1;
}

unsigned kernel_open(void)
{
	unsigned n = 0;

	for (int i = 0; i < MOST_FDS; i++)
		n += kernel.node[i].kind != FREE;
	return n;
}

/* ---- Life ---- */

static uint8_t draw(void)
{
	kernel.random ^= kernel.random << 13;
	kernel.random ^= kernel.random >> 7;
	kernel.random ^= kernel.random << 17;
	return (uint8_t)(kernel.random >> 32);
}

void kernel_start(uint64_t seed)
{
	memset(&kernel, 0, sizeof(kernel));
	unsetenv("SESAME_LOOP"); /* rings are the real one's */
	kernel.on = true;
	kernel.now_ms = BIRTH_MS;
	kernel.random = seed * 2 + 1;
	/* The library has some of the last run's in stock: use them up. */
	while (!kernel.drew)
		ses_random32();
}

void kernel_stop(void)
{
	for (int i = 0; i < MOST_FDS; i++)
		if (kernel.node[i].kind != FREE)
			blame("a descriptor was left open");
	for (unsigned i = 0; i < kernel.n_wires; i++) {
		ses_buf_fini(&kernel.wire[i].in);
		ses_buf_fini(&kernel.wire[i].out);
	}
	kernel.on = false;
}

void kernel_fail(enum kernel_call call, int sys_errno)
{
	kernel.fails[call] = true;
	kernel.error[call] = sys_errno;
}

void kernel_pass(uint64_t ms)
{
	kernel.now_ms += ms;
}

void kernel_when_idle(void (*idle)(void))
{
	kernel.idle = idle;
}

uint64_t kernel_now_ms(void)
{
	return kernel.now_ms;
}

/* ---- The far end ---- */

unsigned kernel_n_wires(void)
{
	return kernel.n_wires;
}

struct wire *kernel_wire(unsigned i)
{
	return i < kernel.n_wires ? &kernel.wire[i] : NULL;
}

static struct wire *new_wire(uint16_t port)
{
	struct wire *w;

	if (kernel.n_wires == KERNEL_WIRES)
		return NULL;
	w = &kernel.wire[kernel.n_wires++];
	*w = (struct wire){
		.port = port, .fd = -1, .room = WIRE_ROOM, .piece = WIRE_ROOM};
	ses_buf_init(&w->in, WIRE_ROOM);
	ses_buf_init(&w->out, WIRE_ROOM);
	return w;
}

static struct node *listener_of(uint16_t port)
{
	for (int i = 0; i < MOST_FDS; i++)
		if (kernel.node[i].kind == LISTENER &&
		    ses_addr_port(&kernel.node[i].at) == port)
			return &kernel.node[i];
	return NULL;
}

struct wire *kernel_arrive(uint16_t port, const struct ses_addr *from)
{
	struct wire *w = listener_of(port) ? new_wire(port) : NULL;

	if (!w)
		return NULL;
	w->state = WIRE_WAITING;
	w->far = *from;
	return w;
}

void wire_answer(struct wire *w, int sys_errno)
{
	if (w->state != WIRE_CALLING)
		return;
	w->state = sys_errno ? WIRE_REFUSED : WIRE_OPEN;
	w->pending = sys_errno;
}

static bool is_silent(const struct wire *w)
{
	return w->closed || w->far_fin || w->far_reset ||
	       w->state == WIRE_CALLING || w->state == WIRE_REFUSED;
}

size_t wire_say(struct wire *w, struct bytes data)
{
	size_t room = WIRE_ROOM - ses_buf_len(&w->in);

	if (is_silent(w))
		return 0;
	data = bytes_first(data, room);
	if (data.len)
		ses_buf_append(&w->in, data);
	return data.len;
}

void wire_end(struct wire *w)
{
	if (!is_silent(w))
		w->far_fin = true;
}

void wire_leave(struct wire *w)
{
	if (w->state == WIRE_CALLING || w->state == WIRE_REFUSED)
		return;
	w->far_fin = w->far_gone = true;
}

void wire_reset(struct wire *w)
{
	if (w->state == WIRE_CALLING)
		wire_answer(w, ECONNRESET);
	else if (w->state != WIRE_REFUSED)
		w->far_reset = w->far_gone = w->far_fin = true;
}

/* ---- Sockets ---- */

int __wrap_socket(int domain, int type, int protocol);
int __real_socket(int domain, int type, int protocol);

int __wrap_socket(int domain, int type, int protocol)
{
	if (!kernel.on)
		return __real_socket(domain, type, protocol);
	if (fails(KERNEL_SOCKET))
		return -1;
	if (!(type & SOCK_NONBLOCK))
		blame("a socket can block");
	return open_fd(SOCKET);
}

int __wrap_bind(int fd, const struct sockaddr *at, socklen_t len);
int __real_bind(int fd, const struct sockaddr *at, socklen_t len);

int __wrap_bind(int fd, const struct sockaddr *at, socklen_t len)
{
	if (!is_ours(fd))
		return __real_bind(fd, at, len);
	memcpy(&node_of(fd)->at.any, at, len);
	node_of(fd)->at.len = len;
	return 0;
}

int __wrap_listen(int fd, int backlog);
int __real_listen(int fd, int backlog);

int __wrap_listen(int fd, int backlog)
{
	if (!is_ours(fd))
		return __real_listen(fd, backlog);
	node_of(fd)->kind = LISTENER;
	return 0;
}

static struct wire *next_waiting(const struct node *listener)
{
	uint16_t port = ses_addr_port(&listener->at);

	for (unsigned i = 0; i < kernel.n_wires; i++) {
		struct wire *w = &kernel.wire[i];

		if (w->state == WIRE_WAITING && w->port == port)
			return w;
	}
	return NULL;
}

static int tell_address(const struct ses_addr *a, struct sockaddr *to,
			socklen_t *len)
{
	memcpy(to, &a->any, a->len < *len ? a->len : *len);
	*len = a->len;
	return 0;
}

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	struct wire *w;
	struct node *n;

	if (!is_ours(fd))
		return __real_accept4(fd, from, len, flags);
	if (!(flags & SOCK_NONBLOCK))
		blame("an accepted socket can block");
	w = next_waiting(node_of(fd));
	if (!w)
		return fail(EAGAIN);
	if (fails(KERNEL_ACCEPT)) {
		/* all but a shortage are about that one connection */
		if (errno == ECONNABORTED)
			w->state = WIRE_REFUSED;
		return -1;
	}
	n = open_node(SOCKET);
	if (!n)
		return -1;
	w->state = WIRE_OPEN;
	w->fd = number_of(n);
	n->wire = w;
	tell_address(&w->far, from, len);
	return w->fd;
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
int __real_connect(int fd, const struct sockaddr *to, socklen_t len);

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct ses_addr at = {.len = len};
	struct wire *w;
	int error = EINPROGRESS;

	if (!is_ours(fd))
		return __real_connect(fd, to, len);
	memcpy(&at.any, to, len);
	if (fails(KERNEL_CONNECT))
		error = errno;
	if (error && error != EINPROGRESS)
		return -1;
	w = new_wire(ses_addr_port(&at));
	if (!w)
		return fail(EADDRNOTAVAIL);
	w->far = at;
	w->called = true;
	w->fd = fd;
	w->state = error ? WIRE_CALLING : WIRE_OPEN;
	node_of(fd)->wire = w;
	return error ? fail(error) : 0;
}

static struct wire *wire_of(int fd)
{
	struct wire *w = node_of(fd)->wire;

	if (!w)
		blame("a socket is used that is not connected");
	return w;
}

ssize_t __wrap_recv(int fd, void *to, size_t len, int flags);
ssize_t __real_recv(int fd, void *to, size_t len, int flags);

ssize_t __wrap_recv(int fd, void *to, size_t len, int flags)
{
	struct bytes in;
	struct wire *w;

	if (!is_ours(fd))
		return __real_recv(fd, to, len, flags);
	w = wire_of(fd);
	if (fails(KERNEL_RECV))
		return -1;
	in = bytes_first(ses_buf_bytes(&w->in), len < w->piece ? len : w->piece);
	if (in.len) {
		memcpy(to, in.data, in.len);
		ses_buf_consume(&w->in, in.len);
		return (ssize_t)in.len;
	}
	if (w->far_reset)
		return fail(ECONNRESET);
	return w->far_fin ? 0 : fail(EAGAIN);
}

ssize_t __wrap_send(int fd, const void *from, size_t len, int flags);
ssize_t __real_send(int fd, const void *from, size_t len, int flags);

ssize_t __wrap_send(int fd, const void *from, size_t len, int flags)
{
	struct wire *w;
	size_t room;

	if (!is_ours(fd))
		return __real_send(fd, from, len, flags);
	w = wire_of(fd);
	if (!(flags & MSG_NOSIGNAL))
		blame("a send can raise SIGPIPE");
	if (fails(KERNEL_SEND)) {
		if (errno == ECONNRESET)
			wire_reset(w);
		return -1;
	}
	if (w->fin)
		blame("bytes are sent behind the end");
	if (w->far_reset)
		return fail(EPIPE);
	if (w->state == WIRE_CALLING)
		return fail(EAGAIN);
	if (w->far_gone)
		w->far_reset = true; /* it answers that nobody is there */
	room = w->room > ses_buf_len(&w->out) ? w->room - ses_buf_len(&w->out)
					      : 0;
	len = len < room ? len : room;
	len = len < w->piece ? len : w->piece;
	if (!len)
		return fail(EAGAIN);
	ses_buf_append(&w->out, bytes_of(from, len));
	w->sent += len;
	return (ssize_t)len;
}

int __wrap_shutdown(int fd, int how);
int __real_shutdown(int fd, int how);

int __wrap_shutdown(int fd, int how)
{
	struct wire *w;

	if (!is_ours(fd))
		return __real_shutdown(fd, how);
	w = wire_of(fd);
	if (w->far_reset)
		return fail(ENOTCONN);
	w->fin = w->shut = true;
	return 0;
}

/* Nobody will be accepted any more. */
static void end_listener(const struct node *listener)
{
	struct wire *w;

	while ((w = next_waiting(listener))) {
		w->state = WIRE_REFUSED;
		w->closed = w->cut = true;
	}
}

static void close_wire(struct wire *w)
{
	w->fd = -1;
	w->closed = true;
	w->cut |= w->linger_0 || ses_buf_len(&w->in) > 0;
	w->fin = true;
}

int __wrap_close(int fd);
int __real_close(int fd);

int __wrap_close(int fd)
{
	struct node *n;

	if (!is_ours(fd))
		return __real_close(fd);
	n = node_of(fd);
	if (n->wire)
		close_wire(n->wire);
	if (n->kind == LISTENER)
		end_listener(n);
	for (int i = 0; n->kind == EPOLL && i < MOST_FDS; i++)
		if (kernel.node[i].epoll == n)
			kernel.node[i].epoll = NULL;
	n->kind = FREE;
	n->epoll = NULL;
	return 0;
}

/* ---- What is asked about sockets ---- */

int __wrap_setsockopt(int fd, int level, int option, const void *value,
		      socklen_t len);
int __real_setsockopt(int fd, int level, int option, const void *value,
		      socklen_t len);

int __wrap_setsockopt(int fd, int level, int option, const void *value,
		      socklen_t len)
{
	const struct linger *linger = value;

	if (!is_ours(fd))
		return __real_setsockopt(fd, level, option, value, len);
	if (level == SOL_SOCKET && option == SO_LINGER)
		wire_of(fd)->linger_0 = linger->l_onoff && !linger->l_linger;
	return 0;
}

int __wrap_getsockopt(int fd, int level, int option, void *value,
		      socklen_t *len);
int __real_getsockopt(int fd, int level, int option, void *value,
		      socklen_t *len);

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	if (!is_ours(fd))
		return __real_getsockopt(fd, level, option, value, len);
	memset(value, 0, *len);
	if (level == SOL_SOCKET && option == SO_ERROR) {
		memcpy(value, &wire_of(fd)->pending, sizeof(int));
		wire_of(fd)->pending = 0;
	}
	return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *to, socklen_t *len);
int __real_getsockname(int fd, struct sockaddr *to, socklen_t *len);

int __wrap_getsockname(int fd, struct sockaddr *to, socklen_t *len)
{
	if (!is_ours(fd))
		return __real_getsockname(fd, to, len);
	return tell_address(&node_of(fd)->at, to, len);
}

int __wrap_getpeername(int fd, struct sockaddr *to, socklen_t *len);
int __real_getpeername(int fd, struct sockaddr *to, socklen_t *len);

int __wrap_getpeername(int fd, struct sockaddr *to, socklen_t *len)
{
	if (!is_ours(fd))
		return __real_getpeername(fd, to, len);
	return tell_address(&wire_of(fd)->far, to, len);
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	int *to;

	va_start(args, request);
	to = va_arg(args, int *);
	va_end(args);
	if (!is_ours(fd))
		return __real_ioctl(fd, request, to);
	if (request != SIOCOUTQ)
		return fail(EINVAL);
	*to = (int)ses_buf_len(&wire_of(fd)->out);
	return 0;
}

int __wrap_fcntl(int fd, int command, ...);
int __real_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...)
{
	va_list args;
	long value;

	va_start(args, command);
	value = va_arg(args, long);
	va_end(args);
	if (!is_ours(fd))
		return __real_fcntl(fd, command, value);
	node_of(fd);
	if (command == F_DUPFD_CLOEXEC)
		return open_fd(COPY);
	return command == F_GETFL ? O_RDWR | O_NONBLOCK : 0;
}

int __wrap_getrlimit(int resource, struct rlimit *limit);
int __real_getrlimit(int resource, struct rlimit *limit);

int __wrap_getrlimit(int resource, struct rlimit *limit)
{
	if (!kernel.on || resource != RLIMIT_NOFILE)
		return __real_getrlimit(resource, limit);
	limit->rlim_cur = limit->rlim_max = FIRST_FD + MOST_FDS;
	return 0;
}

/* ---- Events ---- */

int __wrap_eventfd(unsigned count, int flags);
int __real_eventfd(unsigned count, int flags);

int __wrap_eventfd(unsigned count, int flags)
{
	return kernel.on ? open_fd(EVENT) : __real_eventfd(count, flags);
}

ssize_t __wrap_read(int fd, void *to, size_t len);
ssize_t __real_read(int fd, void *to, size_t len);

ssize_t __wrap_read(int fd, void *to, size_t len)
{
	struct node *n;

	if (!is_ours(fd))
		return __real_read(fd, to, len);
	n = node_of(fd);
	if (n->kind != EVENT || len != sizeof(n->count))
		blame("something is read that is no event");
	if (!n->count)
		return fail(EAGAIN);
	memcpy(to, &n->count, len);
	n->count = 0;
	return (ssize_t)len;
}

ssize_t __wrap_write(int fd, const void *from, size_t len);
ssize_t __real_write(int fd, const void *from, size_t len);

ssize_t __wrap_write(int fd, const void *from, size_t len)
{
	struct node *n;

	if (!is_ours(fd))
		return __real_write(fd, from, len);
	n = node_of(fd);
	if (n->kind != EVENT)
		blame("something is written that is no event");
	n->count++;
	return (ssize_t)len;
}

int __wrap_epoll_create1(int flags);
int __real_epoll_create1(int flags);

int __wrap_epoll_create1(int flags)
{
	return kernel.on ? open_fd(EPOLL) : __real_epoll_create1(flags);
}

static int watch(struct node *n, struct node *epoll, int op,
		 const struct epoll_event *event)
{
	if (op == EPOLL_CTL_ADD && n->epoll)
		return fail(EEXIST);
	if (op != EPOLL_CTL_ADD && n->epoll != epoll)
		return fail(ENOENT);
	n->epoll = op == EPOLL_CTL_DEL ? NULL : epoll;
	if (op == EPOLL_CTL_DEL)
		return 0;
	n->events = event->events;
	n->data = event->data;
	return 0;
}

int __wrap_epoll_ctl(int at, int op, int fd, struct epoll_event *event);
int __real_epoll_ctl(int at, int op, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int at, int op, int fd, struct epoll_event *event)
{
	if (!is_ours(at))
		return __real_epoll_ctl(at, op, fd, event);
	if (!is_ours(fd))
		blame("a descriptor of another kernel is watched");
	if (op == EPOLL_CTL_ADD && fails(KERNEL_WATCH))
		return -1;
	return watch(node_of(fd), node_of(at), op, event);
}

static uint32_t readiness_of_wire(const struct wire *w)
{
	uint32_t ready = 0;

	if (w->state == WIRE_CALLING)
		return 0;
	if (w->state == WIRE_REFUSED)
		return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
	if (ses_buf_len(&w->in) || w->far_fin)
		ready |= EPOLLIN;
	if (w->far_fin)
		ready |= EPOLLRDHUP;
	if (w->room > ses_buf_len(&w->out) || w->far_reset)
		ready |= EPOLLOUT;
	if (w->far_reset)
		ready |= EPOLLERR;
	if (w->far_reset || (w->far_fin && w->fin))
		ready |= EPOLLHUP;
	return ready;
}

static uint32_t readiness_of(const struct node *n)
{
	switch (n->kind) {
	case SOCKET:
		return n->wire ? readiness_of_wire(n->wire)
			       : EPOLLOUT | EPOLLHUP;
	case LISTENER:
		return next_waiting(n) ? EPOLLIN : 0;
	case EVENT:
		return EPOLLOUT | (n->count ? EPOLLIN : 0);
	default:
		return 0;
	}
}

int __wrap_epoll_wait(int at, struct epoll_event *ready, int most,
		      int timeout_ms);
int __real_epoll_wait(int at, struct epoll_event *ready, int most,
		      int timeout_ms);

int __wrap_epoll_wait(int at, struct epoll_event *ready, int most,
		      int timeout_ms)
{
	struct node *epoll;
	int n = 0;

	if (!is_ours(at))
		return __real_epoll_wait(at, ready, most, timeout_ms);
	epoll = node_of(at);
	kernel.turn++; /* who is told first changes */
	for (unsigned i = 0; i < MOST_FDS && n < most; i++) {
		struct node *node = &kernel.node[(i + kernel.turn) % MOST_FDS];
		uint32_t events;

		if (node->kind == FREE || node->epoll != epoll)
			continue;
		events = readiness_of(node) &
			 (node->events | EPOLLERR | EPOLLHUP);
		if (!events)
			continue;
		ready[n].events = events;
		ready[n++].data = node->data;
	}
	if (!n && kernel.idle && timeout_ms) {
		kernel.idle();
		kernel.now_ms += timeout_ms > 0 ? (unsigned)timeout_ms : 1000;
	}
	return n;
}

/* ---- Clocks and chance ---- */

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	uint64_t ms = kernel.now_ms;

	if (!kernel.on)
		return __real_clock_gettime(clock, now);
	if (clock == CLOCK_REALTIME)
		ms += SINCE_1970;
	now->tv_sec = (time_t)(ms / 1000);
	now->tv_nsec = (long)(ms % 1000) * 1000000;
	return 0;
}

int __wrap_gettimeofday(struct timeval *now, void *zone);
int __real_gettimeofday(struct timeval *now, void *zone);

int __wrap_gettimeofday(struct timeval *now, void *zone)
{
	uint64_t ms = kernel.now_ms + SINCE_1970;

	if (!kernel.on)
		return __real_gettimeofday(now, zone);
	now->tv_sec = (time_t)(ms / 1000);
	now->tv_usec = (suseconds_t)(ms % 1000) * 1000;
	return 0;
}

time_t __wrap_time(time_t *now);
time_t __real_time(time_t *now);

time_t __wrap_time(time_t *now)
{
	time_t seconds = (time_t)((kernel.now_ms + SINCE_1970) / 1000);

	if (!kernel.on)
		return __real_time(now);
	if (now)
		*now = seconds;
	return seconds;
}

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags);
ssize_t __real_getrandom(void *to, size_t len, unsigned flags);

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags)
{
	uint8_t *out = to;

	if (!kernel.on)
		return __real_getrandom(to, len, flags);
	kernel.drew = true;
	for (size_t i = 0; i < len; i++)
		out[i] = draw();
	return (ssize_t)len;
}
