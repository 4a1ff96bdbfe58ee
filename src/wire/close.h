/* SPDX-License-Identifier: MIT */
/* Close codes and the body of close frames (RFC 6455 7.4, and its registry). */
#ifndef WIRE_CLOSE_H
#define WIRE_CLOSE_H

#include "base/bytes.h"
#include "wire/fault.h"

#define SES_CLOSE_NONE 1005 /* stands for "no code"; never on the wire */
#define SES_CLOSE_CUT  1006 /* stands for "no close frame"; never on the wire */

/* Whether a peer may put @code into a close frame. */
bool ses_close_code_valid(unsigned code);
/* "going away" for 1001; "" for codes without a registered meaning. Static. */
const char *ses_close_code_name(unsigned code);
/*
 * Read a close frame's body. An empty one gives SES_CLOSE_NONE. Returns 0 or
 * SESAME_EPROTO with *ret_fault. @ret_reason borrows from @body.
 */
int ses_close_parse(struct bytes body, uint16_t *ret_code,
		    struct bytes *ret_reason, enum ses_fault *ret_fault);

#endif
