/* SPDX-License-Identifier: MIT */
/*
 * Passwords that are being checked for one worker: a few at a time, each in a
 * thread, because a hash is slow on purpose; the others wait in a line of
 * bounded length. Who was right a while ago is remembered as a digest that
 * only this process can make, so that a client that comes back costs little.
 */
#ifndef GATE_PASSWORDS_H
#define GATE_PASSWORDS_H

#include "gate/users.h"
#include "net/loop.h"

#define GATE_PASSWORDS_AT_ONCE	2
#define GATE_PASSWORDS_WAITING	256
#define GATE_PASSWORDS_KNOWN	256
#define GATE_PASSWORDS_KNOWN_MS 300000

struct gate_passwords;
struct gate_password_check;

/* NULL: no memory. All checks have to be over or cancelled when it is freed. */
struct gate_passwords *gate_passwords_new(struct sesame_loop *loop);
void gate_passwords_free(struct gate_passwords *passwords);

/* Whether this very password was right a while ago. */
bool gate_passwords_knows(struct gate_passwords *passwords,
			  const struct gate_password *password);
/*
 * Check a copy of @password; @done is called later, never before this returns:
 * 1: it is right, 0: it is wrong, -1: it could not be checked. NULL: too many
 * wait.
 */
struct gate_password_check *
gate_passwords_ask(struct gate_passwords *passwords,
		   const struct gate_password *password,
		   void (*done)(void *user, int outcome), void *user);
/* Give up; done is not called. NULL is fine. */
void gate_passwords_cancel(struct gate_password_check *check);

#endif
