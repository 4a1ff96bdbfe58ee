/* SPDX-License-Identifier: MIT */
/* SHA-1, which the opening handshake asks for (RFC 6455 4.2.2), not for safety. */
#ifndef WIRE_DIGEST_H
#define WIRE_DIGEST_H

#include "base/bytes.h"

#define SES_SHA1_LEN 20

/*
 * The SHA-1 of @head followed by @tail. False when OpenSSL has none to offer
 * or no memory; @out is undefined then.
 */
bool ses_sha1(struct bytes head, struct bytes tail, uint8_t out[SES_SHA1_LEN]);

#endif
