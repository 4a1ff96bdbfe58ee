/* SPDX-License-Identifier: MIT */
/*
 * One turn: wait, handle what is ready, fire timers, flush the streams that
 * have output, free those that were closed. Nothing is freed before the end of
 * the turn, so handlers may close anything, themselves included. Inside of
 * another event loop a timerfd stands in for the timeout of the wait.
 */
#include "net/loop.h"

#include "base/buf.h"
#include "net/bridge.h"
#include "net/clock.h"
#include "net/stream.h"
#include "net/tls_cache.h"
#include "wire/deflate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BUFFER_BYTES (SES_RECV_BYTES + SES_CORK_BYTES + SES_CIPHER_BYTES)
#define SPARES_MS    1000

struct sesame_timer {
	struct ses_timer timer;
	struct sesame_loop *loop;
	void (*fire)(void *user);
	void *user;
};

struct sesame_watch {
	struct ses_polled polled;
	struct sesame_loop *loop;
	void (*ready)(void *user);
	void *user;
};

void ses_loop_update(struct sesame_loop *loop)
{
	loop->now_ms = ses_clock_steady_ms();
}

/* A loop around this one waits at its descriptor, and calls no turn for it. */
static void hand_over(struct sesame_loop *loop)
{
	if (loop->alarm.io.fd >= 0 && !loop->in_turn && loop->backend->hand_over)
		loop->backend->hand_over(loop);
}

int ses_io_watch(struct sesame_loop *loop, struct ses_io *io, unsigned want)
{
	int error = loop->backend->watch(loop, io, want);

	if (error)
		return error;
	if (!io->counted)
		loop->n_watched++;
	io->counted = true;
	hand_over(loop);
	return 0;
}

void ses_io_forget(struct sesame_loop *loop, struct ses_io *io)
{
	loop->backend->forget(loop, io);
	if (!loop->in_turn && loop->backend->hand_over)
		loop->backend->hand_over(loop); /* its owner closes it now */
	if (io->counted)
		loop->n_watched--;
	io->counted = false;
}

void ses_io_tell(struct ses_io *io, unsigned ready)
{
	struct ses_polled *polled;

	if (io->bytes) {
		ses_stream_ready(io, ready);
		return;
	}
	polled = ses_container_of(io, struct ses_polled, io);
	polled->on_ready(polled, ready);
}

/* ---- birth and death ---- */

static void wake(struct sesame_loop *loop)
{
	uint64_t one = 1;
	/* can only fail by being full, and then it is awake */
	ssize_t n = write(loop->wake.io.fd, &one, sizeof(one));

	(void)n;
}

static void on_wake(struct ses_polled *polled, unsigned ready)
{
	struct sesame_loop *loop =
		ses_container_of(polled, struct sesame_loop, wake);
	uint64_t count;

	if (read(polled->io.fd, &count, sizeof(count)) > 0)
		ses_mailbox_empty(loop);
}

static int open_wake(struct sesame_loop *loop)
{
	loop->wake.io.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake.io.fd < 0)
		return SESAME_ESYSTEM;
	loop->wake.on_ready = on_wake;
	/* not by ses_io_watch(): it must not keep the loop running */
	return loop->backend->watch(loop, &loop->wake.io, SES_READABLE);
}

static int map_buffers(struct sesame_loop *loop)
{
	void *map = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return SESAME_ENOMEM;
	loop->recv_buffer = map;
	loop->cork = loop->own_cork = loop->recv_buffer + SES_RECV_BYTES;
	loop->cipher = loop->cork + SES_CORK_BYTES;
	return 0;
}

/* The one that was asked for, where the system lets us; else epoll. */
static int open_backend(struct sesame_loop *loop)
{
#ifdef SESAME_URING
	const char *wanted = getenv("SESAME_LOOP");

	loop->backend = &ses_backend_uring;
	if (wanted && !strcmp(wanted, loop->backend->name) &&
	    loop->backend->open(loop) == 0)
		return 0;
#endif
	loop->backend = &ses_backend_epoll;
	return loop->backend->open(loop);
}

const char *sesame_loop_backend(const struct sesame_loop *loop)
{
	return loop->backend->name;
}

struct sesame_loop *sesame_loop_new(void)
{
	struct sesame_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->fd = loop->wake.io.fd = loop->alarm.io.fd = -1;
	ses_list_init(&loop->dirty);
	ses_list_init(&loop->waiting);
	ses_list_init(&loop->zombies);
	ses_list_init(&loop->lingering);
	ses_list_init(&loop->kinds);
	ses_list_init(&loop->bridges);
	loop->on_sent = ses_stream_sent;
	if (open_backend(loop) < 0) {
		free(loop);
		return NULL;
	}
	if (open_wake(loop) < 0 || map_buffers(loop) < 0 ||
	    ses_mailbox_open(loop) < 0) {
		sesame_loop_free(loop);
		return NULL;
	}
	ses_loop_update(loop);
	return loop;
}

void sesame_loop_free(struct sesame_loop *loop)
{
	if (!loop)
		return;
	ses_bridges_abandon(loop);
	ses_streams_abandon(loop);
	ses_mailbox_close(loop);
	ses_tls_cache_free(loop->tls_cache);
	loop->backend->close(loop);
	if (loop->wake.io.fd >= 0)
		close(loop->wake.io.fd);
	if (loop->alarm.io.fd >= 0)
		close(loop->alarm.io.fd);
	if (loop->recv_buffer)
		munmap(loop->recv_buffer, BUFFER_BYTES);
	ses_timers_fini(&loop->timers);
	ses_buf_forget_spares();
	ses_deflate_forget_spares();
	free(loop);
}

/* ---- turning ---- */

/* Streams have work to do without an event. */
static bool is_behind(const struct sesame_loop *loop)
{
	return !ses_list_empty(&loop->dirty) || !ses_list_empty(&loop->waiting);
}

static int wait_ms(const struct sesame_loop *loop, int timeout_ms)
{
	int due = ses_timers_wait_ms(&loop->timers, loop->now_ms);

	if (is_behind(loop))
		return 0;
	if (due < 0 || (timeout_ms >= 0 && timeout_ms < due))
		return timeout_ms;
	return due;
}

/* Let the timerfd, if there is one, ring when the next timer is due. */
static void set_alarm(struct sesame_loop *loop)
{
	struct itimerspec at = {0};
	uint64_t due;

	if (loop->alarm.io.fd < 0)
		return;
	if (loop->timers.n > 0) {
		due = loop->timers.heap[0]->at_ms;
		at.it_value.tv_sec = (time_t)(due / 1000);
		at.it_value.tv_nsec = (long)(due % 1000) * 1000000 + 1;
	}
	timerfd_settime(loop->alarm.io.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static int turn(struct sesame_loop *loop, int timeout_ms)
{
	int error;

	loop->in_turn = true;
	ses_loop_update(loop);
	ses_streams_flush(loop);
	error = loop->backend->wait(loop, wait_ms(loop, timeout_ms));
	ses_timers_fire(&loop->timers, loop->now_ms);
	ses_streams_flush(loop);
	ses_streams_serve_waiting(loop);
	ses_streams_reap(loop);
	loop->in_turn = false;
	set_alarm(loop);
	if (loop->alarm.io.fd >= 0 && is_behind(loop))
		wake(loop);
	return error;
}

int sesame_loop_turn(struct sesame_loop *loop, int timeout_ms)
{
	int error;

	if (loop->in_turn || loop->in_calls)
		return SESAME_EINVAL;
	error = turn(loop, timeout_ms);
	/* nobody knows when the next one comes */
	if (loop->backend->hand_over)
		loop->backend->hand_over(loop);
	return error;
}

static bool has_work(const struct sesame_loop *loop)
{
	return loop->n_watched > 0 || loop->timers.n > 0 || is_behind(loop);
}

/* Big blocks that nobody has taken for so long go back to the system. */
static int turn_and_tidy(struct sesame_loop *loop)
{
	int error = turn(loop, ses_buf_spare_bytes() ? SPARES_MS : -1);

	if (loop->now_ms - loop->tidied_ms >= SPARES_MS) {
		ses_buf_tidy_spares();
		loop->tidied_ms = loop->now_ms;
	}
	return error;
}

int sesame_loop_run(struct sesame_loop *loop)
{
	int error = 0;

	if (loop->in_turn || loop->in_calls)
		return SESAME_EINVAL;
	while (!error && !atomic_load(&loop->stopping) && has_work(loop))
		error = turn_and_tidy(loop);
	if (loop->backend->hand_over) /* another thread may free the loop */
		loop->backend->hand_over(loop);
	atomic_store(&loop->stopping, false);
	return error;
}

void sesame_loop_stop(struct sesame_loop *loop)
{
	atomic_store(&loop->stopping, true);
	wake(loop);
}

uint64_t sesame_loop_now_ms(struct sesame_loop *loop)
{
	return loop->now_ms;
}

/* ---- inside of another loop ---- */

static void on_alarm(struct ses_polled *polled, unsigned ready)
{
	uint64_t count;
	ssize_t n = read(polled->io.fd, &count, sizeof(count));

	(void)n; /* the turn looks at the timers anyway */
}

static void on_earlier(struct ses_timers *t)
{
	struct sesame_loop *loop =
		ses_container_of(t, struct sesame_loop, timers);

	if (!loop->in_turn)
		set_alarm(loop);
}

void ses_loop_nudge(struct sesame_loop *loop)
{
	if (!loop->in_turn && loop->alarm.io.fd >= 0)
		wake(loop);
}

int sesame_loop_fd(struct sesame_loop *loop)
{
	if (loop->alarm.io.fd >= 0)
		return loop->fd;
	loop->alarm.io.fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->alarm.io.fd < 0)
		return -1;
	loop->alarm.on_ready = on_alarm;
	loop->backend->watch(loop, &loop->alarm.io, SES_READABLE);
	loop->timers.earlier = on_earlier;
	hand_over(loop);
	set_alarm(loop);
	if (is_behind(loop))
		wake(loop);
	return loop->fd;
}

/* ---- timers and watches for everybody ---- */

static void on_timer(struct ses_timer *t)
{
	struct sesame_timer *timer =
		ses_container_of(t, struct sesame_timer, timer);
	void (*fire)(void *user) = timer->fire;
	void *user = timer->user;

	free(timer);
	fire(user);
}

struct sesame_timer *sesame_timer_start(struct sesame_loop *loop,
					uint64_t delay_ms,
					void (*fire)(void *user), void *user)
{
	struct sesame_timer *timer = calloc(1, sizeof(*timer));
	uint64_t at;

	if (!timer)
		return NULL;
	if (!loop->in_turn)
		ses_loop_update(loop);
	timer->timer.fire = on_timer;
	timer->loop = loop;
	timer->fire = fire;
	timer->user = user;
	at = delay_ms > UINT64_MAX - loop->now_ms ? UINT64_MAX
						  : loop->now_ms + delay_ms;
	if (ses_timers_start(&loop->timers, &timer->timer, at) < 0) {
		free(timer);
		return NULL;
	}
	return timer;
}

void sesame_timer_stop(struct sesame_timer *timer)
{
	if (!timer)
		return;
	ses_timers_stop(&timer->loop->timers, &timer->timer);
	free(timer);
}

static void on_watched(struct ses_polled *polled, unsigned ready)
{
	struct sesame_watch *watch =
		ses_container_of(polled, struct sesame_watch, polled);

	watch->ready(watch->user);
}

struct sesame_watch *sesame_watch_start(struct sesame_loop *loop, int fd,
					void (*ready)(void *user), void *user)
{
	struct sesame_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->polled = (struct ses_polled){.io.fd = fd, .on_ready = on_watched};
	watch->loop = loop;
	watch->ready = ready;
	watch->user = user;
	if (ses_io_watch(loop, &watch->polled.io, SES_READABLE) < 0) {
		free(watch);
		return NULL;
	}
	return watch;
}

void sesame_watch_stop(struct sesame_watch *watch)
{
	if (!watch)
		return;
	ses_io_forget(watch->loop, &watch->polled.io);
	free(watch);
}
