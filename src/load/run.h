/* SPDX-License-Identifier: MIT */
/*
 * A run: threads with their crowds, and a watcher who opens the stage, takes
 * the time, reads the meters of the server, and ends it.
 */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include <signal.h>

#include "load/plan.h"

/* How far it is, for whoever waits. */
struct load_progress {
	unsigned opened, failed;
	bool measuring;
	double seconds;	   /* since the measuring began, or since the opening */
	double per_second; /* messages of late */
};

/* Who is told, a few times each second. */
struct load_watcher {
	void (*tell)(const struct load_progress *progress, void *user);
	void *user;
	const volatile sig_atomic_t *interrupted; /* not 0: end it now */
};

/*
 * Run @plan, which was checked, to its end. 0 and *ret; or an error with a
 * sentence in @text, when not even one connection opened, a process cannot be
 * looked at from the beginning, or descriptors or memory are short. Then *ret
 * has what is known.
 */
int load_run(const struct load_plan *plan, const struct load_watcher *watcher,
	     struct load_result *ret, char *text, size_t size);

#endif
