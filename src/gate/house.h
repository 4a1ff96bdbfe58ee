/* SPDX-License-Identifier: MIT */
/*
 * The gatehouse: the workers, each a thread with a loop of its own, and what
 * they share. All functions are for the one thread that opened it.
 */
#ifndef GATE_HOUSE_H
#define GATE_HOUSE_H

#include "gate/door.h"
#include "gate/journal.h"
#include "net/loop.h"

struct gate_house;

/*
 * Open the doors of @policy and let workers serve. @loop is the caller's own;
 * @on_empty is called in it once everybody has left after gate_house_leave().
 * @journal (or NULL) is borrowed. NULL: @text says why not.
 */
struct gate_house *gate_house_open(struct sesame_loop *loop,
				   struct gate_policy *policy,
				   struct gate_journal *journal,
				   void (*on_empty)(void *user), void *user,
				   char *text, size_t text_size);
/*
 * Serve by @policy from now on. False: @text says why not, and nothing has
 * changed. The number of workers stays as it was.
 */
bool gate_house_reload(struct gate_house *house, struct gate_policy *policy,
		       char *text, size_t text_size);
/* The doors that are open now. */
const struct gate_doors *gate_house_doors(const struct gate_house *house);
/* Connections that are open now. */
size_t gate_house_visits(const struct gate_house *house);
/* Close the doors and ask everybody to leave. */
void gate_house_leave(struct gate_house *house);
/* Throw out who is still there, and end the workers. NULL is fine. */
void gate_house_free(struct gate_house *house);

#endif
