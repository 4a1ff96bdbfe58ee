/* SPDX-License-Identifier: MIT */
/*
 * The latest refusals, for the status page: a worker puts them in, the thread
 * of the house looks. Under a flood some are left out, never waited for.
 */
#ifndef GATE_RECENT_H
#define GATE_RECENT_H

#include "gate/story.h"

#define GATE_RECENT_STORIES 30

struct gate_recent;

struct gate_recent *gate_recent_new(void);
void gate_recent_free(struct gate_recent *recent);
/* For the worker: a copy is kept, unless somebody is looking just now. */
void gate_recent_add(struct gate_recent *recent, const struct gate_story *story);
/* Copy at most @room stories, newest first. How many. */
size_t gate_recent_get(struct gate_recent *recent, struct gate_story *to,
		       size_t room);

#endif
