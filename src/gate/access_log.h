/* SPDX-License-Identifier: MIT */
/*
 * The access log. Workers put whole lines into a bounded queue and a thread
 * of its own writes them, so nobody is held up by a full disk or a pipe that
 * nobody reads: what has no room is left out and counted, and the log says how
 * many lines are missing.
 */
#ifndef GATE_ACCESS_LOG_H
#define GATE_ACCESS_LOG_H

#include "gate/line.h"
#include "gate/policy.h"

struct gate_access_log;

/* What is told of connections. */
enum gate_log_mode {
	GATE_LOG_REFUSALS, /* no log is set: refusals, on standard error */
	GATE_LOG_LINES,	   /* all, here */
	GATE_LOG_NOTHING,
};

/* A log with its thread that tells nothing yet. NULL: errno says why. */
struct gate_access_log *gate_access_log_new(void);
/*
 * Write by @policy from now on. False: @text says why its file cannot be
 * opened, and nothing has changed. For the thread of the house, as the next.
 */
bool gate_access_log_set(struct gate_access_log *log,
			 const struct gate_policy *policy, char *text,
			 size_t text_size);

/* Where lines will go once they are taken there. */
struct gate_log_target {
	const char *file; /* of the policy; NULL: a standard stream, or none */
	int fd;
	bool made; /* the file */
};

/*
 * The same in two steps, with what may fail in the first. After it comes one of
 * the other two; to drop a target leaves no file that there was not before.
 */
bool gate_access_log_open(const struct gate_policy *policy,
			  struct gate_log_target *ret, char *text,
			  size_t text_size);
void gate_access_log_take(struct gate_access_log *log,
			  const struct gate_policy *policy,
			  const struct gate_log_target *target);
void gate_access_log_drop(const struct gate_log_target *target);
/* Open the file again by its name. Where it cannot be, the old one is kept. */
void gate_access_log_reopen(struct gate_access_log *log);
/* Write what is queued, for a second at most, and end. NULL is fine. */
void gate_access_log_free(struct gate_access_log *log);

/* ---- For all threads ---- */

enum gate_log_mode gate_access_log_mode(const struct gate_access_log *log);
bool gate_access_log_is_json(const struct gate_access_log *log);
/* Queue a line. Never waits for a file. */
void gate_access_log_add(struct gate_access_log *log, struct bytes line);
/* Whether there is room for a line; else one is counted as left out. */
bool gate_access_log_has_room(struct gate_access_log *log);
uint64_t gate_access_log_left_out(const struct gate_access_log *log);

#endif
