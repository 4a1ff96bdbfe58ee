/* SPDX-License-Identifier: MIT */
/*
 * The event loop that connections live in: one per thread, never shared. A
 * program either lets it run (sesame_loop_run) or, with a loop of its own,
 * watches sesame_loop_fd() and calls sesame_loop_turn() when it is readable.
 * After fork(2) a loop and all that lives in it belong to the parent: the child
 * makes its own.
 */
#ifndef SESAME_LOOP_H
#define SESAME_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <sesame/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sesame_loop;
struct sesame_timer;
struct sesame_watch;

/* A new loop, or NULL with errno set (out of memory or descriptors). */
SESAME_API struct sesame_loop *sesame_loop_new(void);
/*
 * How the loop asks the system: "epoll"; or "io_uring", where the environment
 * has SESAME_LOOP=io_uring, the library was built with it and the system allows
 * it. Static.
 */
SESAME_API const char *sesame_loop_backend(const struct sesame_loop *loop);
/*
 * Free the loop. Connections, servers, timers and watches in it must be gone:
 * close them and turn the loop until they are. NULL is fine.
 */
SESAME_API void sesame_loop_free(struct sesame_loop *loop);
/*
 * Turn until sesame_loop_stop(), or until nothing is left to wait for.
 * Returns 0, SESAME_ESYSTEM, or SESAME_EINVAL from inside of a callback.
 */
SESAME_API int sesame_loop_run(struct sesame_loop *loop);
/*
 * Wait at most @timeout_ms (-1: for ever, 0: not at all) for something to
 * happen and deal with it. Returns 0, SESAME_ESYSTEM, or SESAME_EINVAL from
 * inside of a callback.
 */
SESAME_API int sesame_loop_turn(struct sesame_loop *loop, int timeout_ms);
/* Let sesame_loop_run() return. May be called from signal handlers and threads. */
SESAME_API void sesame_loop_stop(struct sesame_loop *loop);
/*
 * Readable whenever sesame_loop_turn() has something to do. Owned by the loop.
 * -1 with errno when there is no descriptor for its timers.
 */
SESAME_API int sesame_loop_fd(struct sesame_loop *loop);
/* Milliseconds of a monotonic clock, as of the present turn. */
SESAME_API uint64_t sesame_loop_now_ms(struct sesame_loop *loop);

/*
 * Call @fire once after @delay_ms. The timer belongs to the loop and is gone
 * when it has fired or was stopped. NULL when out of memory.
 */
SESAME_API struct sesame_timer *
sesame_timer_start(struct sesame_loop *loop, uint64_t delay_ms,
		   void (*fire)(void *user), void *user);
/*
 * Stop a timer that has not fired; from inside of @fire it is too late, for the
 * timer is gone then. NULL is fine.
 */
SESAME_API void sesame_timer_stop(struct sesame_timer *timer);

/*
 * Call @ready whenever the descriptor @fd (not owned) can be read from. NULL
 * when out of memory or when the descriptor cannot be watched: a plain file, or
 * one that is watched in this loop already.
 */
SESAME_API struct sesame_watch *
sesame_watch_start(struct sesame_loop *loop, int fd, void (*ready)(void *user),
		   void *user);
/*
 * Watch no more; @fd stays open. From inside of @ready as well, its own or
 * another's: one that was stopped is not told any more. NULL is fine.
 */
SESAME_API void sesame_watch_stop(struct sesame_watch *watch);

#ifdef __cplusplus
}
#endif

#endif
