/* SPDX-License-Identifier: MIT */
/*
 * What refused clients were told, for those that could not read it: browsers
 * hide the answer to a refused handshake from the page. Whoever knows the
 * reference of a refusal may hear it once more, and so may whoever knows the
 * number that the client gave its attempt; both are made up at random, and only
 * who was refused is told them.
 *
 * Each client address shares a small part of the room with few others, so a
 * flood of refusals drives out what its own addresses were told. For any
 * thread; time and randomness come in as arguments.
 */
#ifndef GATE_TOLD_H
#define GATE_TOLD_H

#include "base/buf.h"
#include "base/hash.h"
#include "gate/match.h"
#include "gate/policy.h"

#define GATE_TOLD_MS	600000 /* that a refusal can be asked for */
#define GATE_TOLD_PARTS 256
#define GATE_TOLD_EACH	32   /* refusals, of a part */
#define GATE_TOLD_BYTES 2048 /* of one; a longer one is not kept */

#define GATE_ATTEMPT_PREFIX "sesame.attempt."
#define GATE_ATTEMPT_DIGITS 40
#define GATE_TOLD_NAME_SIZE (GATE_ATTEMPT_DIGITS + 1)

struct gate_told;

/* By what a refusal is asked for: a reference, or the number of an attempt. */
struct gate_told_name {
	char text[GATE_TOLD_NAME_SIZE]; /* "": none */
};

/* Read a name as it is written in a path. False: it is none. */
bool gate_told_name_read(struct bytes text, struct gate_told_name *ret_name);
/*
 * The number that a client gave its attempt, among the subprotocols that it
 * offers: "sesame.attempt." and forty digits. No name where there is none.
 */
struct gate_told_name gate_told_attempt(struct bytes protocols);

/* @seed is secret. NULL: no memory. */
struct gate_told *gate_told_new(const uint8_t seed[SES_HASH_SEED]);
/* NULL is fine. */
void gate_told_free(struct gate_told *told);
/*
 * Keep that who is at @address was told @text, in JSON, under both names; a
 * name may be none. The oldest of its part goes.
 */
void gate_told_keep(struct gate_told *told, const struct gate_address *address,
		    const struct gate_told_name names[2], struct bytes text,
		    uint64_t now_ms);
/*
 * Append what was told under @name to @out. All is looked at, whatever is
 * found. False: nothing, or no longer; or no memory.
 */
bool gate_told_find(struct gate_told *told, const struct gate_told_name *name,
		    uint64_t now_ms, struct ses_buf *out);

/*
 * Append what another gateway says was told under @name, as far as @disclose
 * lets this one tell it. False: no gateway wrote that, or not about @name.
 */
bool gate_told_repeat(struct bytes json, const struct gate_told_name *name,
		      enum gate_disclose disclose, struct ses_buf *out);

#endif
