/* SPDX-License-Identifier: MIT */
/*
 * What WWW-Authenticate and Proxy-Authenticate ask for (RFC 9110 11.6.1): a
 * list of challenges, each a scheme with parameters or one token. Pure.
 */
#ifndef WIRE_CHALLENGE_H
#define WIRE_CHALLENGE_H

#include "base/bytes.h"

struct ses_challenge {
	struct bytes scheme; /* "Digest"; compare without regard to case */
	struct bytes token;  /* of "Negotiate YII..."; empty: none */
	struct bytes params; /* for ses_challenge_param() */
};

/*
 * Cut the next challenge off @list; all borrow from it. False when there are
 * no more, or what follows is none.
 */
bool ses_challenge_next(struct bytes *list, struct ses_challenge *ret);
/*
 * The parameter called @name, its quotes undone, as a string in @out. False
 * when it is absent, or does not fit, or holds a NUL.
 */
bool ses_challenge_param(const struct ses_challenge *challenge,
			 const char *name, char *out, size_t size);

#endif
