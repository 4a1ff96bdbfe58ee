/* SPDX-License-Identifier: MIT */
/*
 * The rack: a play runs in a process of its own, and one call in it, the n-th
 * of its kind, goes wrong. The calls are those that our own objects make, for
 * they are wrapped when the test is linked: the libraries below us, of which
 * several do not survive a failing malloc, are left alone.
 *
 * With SESAME_LOOP=io_uring it is the requests of a ring that go wrong (ring.c),
 * in place of recv(2), send(2) and epoll(7): a request is answered with an error
 * instead of being made, a send takes one byte, the ring is busy or interrupted.
 * Not to be had there: a receive of one byte, because the kernel chooses how
 * much of a buffer it fills; a batch of which the kernel takes a part only; a
 * cancel that fails, whose answer nobody looks at; and answers that are lost,
 * which the kernel does not do.
 *
 * What is looked at after every play: how the process ended, memory of ours
 * that nobody freed, and descriptors that nobody closed.
 */
#ifndef TESTS_TORTURE_RIG_H
#define TESTS_TORTURE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rig_kind {
	RIG_MEMORY, /* an allocation fails */
	RIG_SHORT,  /* a read or a write moves one byte */
	RIG_LATER,  /* nothing to be read, no place to write to, this once */
	RIG_SIGNAL, /* EINTR */
	RIG_RESET,  /* the connection is gone */
	RIG_SYSTEM, /* no descriptor, no thread, no file */
	RIG_EARLY,  /* all timers fire at this turn, whatever the time */
	RIG_HOUR,   /* the clock goes forward by an hour */
	N_RIG,
};

extern const char *const rig_names[N_RIG];

#define RIG_NOTES 8192
#define RIG_DEPTH 12

/* In memory that the processes share. */
struct rig {
	/* of the play that ended last */
	bool struck;	/* the call that was to fail was made */
	long calls;	/* how many of the kind were made */
	long leaks;	/* allocations that are still there */
	void *leaked;	/* where one of them was made */
	int files;	/* descriptors more than before */
	long unnoted;	/* allocations that there was no place to note */
	bool ended;	/* and its end was seen: */
	int status;	/* as waitpid(2) has it */
	void *stack[RIG_DEPTH]; /* where it failed */
	int depth;
	char notes[RIG_NOTES]; /* the play's own */
};

/* A play; what it returns is the exit status of its process. */
typedef int (*rig_play)(void *arg);

/*
 * Run @play in a process in which the @nth call of @kind goes wrong; -1: none
 * does. Calls are counted from the beginning, or with @later from rig_strike()
 * on, and until rig_spare(). Both may be called from any process.
 */
void rig_run(enum rig_kind kind, long nth, rig_play play, void *arg);
/* The same in two steps, for those who act while it runs. */
void rig_start(enum rig_kind kind, long nth, bool later, rig_play play,
	       void *arg);
void rig_wait(void);
void rig_strike(void);
void rig_spare(void);
/*
 * Of a call that is made: whether it is the one to go wrong. For those who wrap
 * one.
 */
bool rig_strikes(enum rig_kind kind);
/* Whether the process of the play has ended by itself. */
bool rig_has_ended(void);
void rig_signal(int signal);

extern struct rig *rig;

/* Add a line to the play's notes. */
void rig_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Of a play that makes its own time: what our clock says; 0: the real one. */
extern uint64_t rig_clock_ms;

/* How many places of a kind are tried by default. */
extern long rig_sample;

/*
 * Call @each with every place at which @kind may strike, having run with -1
 * first. By default a sample of the places, SESAME_TORTURE=all takes all, and
 * SESAME_TORTURE=KIND:N is that one. @each returns false after the last place.
 */
void rig_each(enum rig_kind kind, bool (*each)(enum rig_kind kind, long nth,
					       void *arg),
	      void *arg);

/* Fail the test, and say which call it was. */
void rig_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* It ended by itself and with all that it had given back. */
void rig_check_end(void);

#endif
