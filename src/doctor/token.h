/* SPDX-License-Identifier: MIT */
/*
 * What a JSON Web Token (RFC 7519) in the user's request says of its own time.
 * Its claims are no secret of whoever signed it: they are read without a key.
 */
#ifndef DOCTOR_TOKEN_H
#define DOCTOR_TOKEN_H

#include "doctor/case.h"

enum doctor_token_time {
	DOCTOR_TOKEN_NONE, /* no token is sent, or none that says when it ends */
	DOCTOR_TOKEN_GOOD, /* one of those that are sent is within its time */
	DOCTOR_TOKEN_OVER, /* all ended before now: "exp" (section 4.1.4) */
};

/*
 * The tokens in the fields, the query and the subprotocols of @c, when it was
 * opened. With DOCTOR_TOKEN_OVER *@exp is when the last one ended, in seconds
 * since 1970.
 */
enum doctor_token_time doctor_token_time(const struct doctor_case *c,
					 int64_t *exp);

#endif
