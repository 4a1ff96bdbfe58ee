/* SPDX-License-Identifier: MIT */
/* Digests that protocols ask for: SHA-1 for the opening handshake (RFC 6455
 * 4.2.2), MD5 and SHA-256 for Digest authentication (RFC 7616) and for secrets
 * that are kept as digests. */
#ifndef WIRE_DIGEST_H
#define WIRE_DIGEST_H

#include "base/bytes.h"

#define SES_SHA1_LEN   20
#define SES_MD5_LEN    16
#define SES_SHA256_LEN 32
#define SES_HEX_LEN    65 /* of the longest digest in hex, with its NUL */

/*
 * The SHA-1 of @head followed by @tail. False when OpenSSL has none to offer
 * or no memory; @out is undefined then.
 */
bool ses_sha1(struct bytes head, struct bytes tail, uint8_t out[SES_SHA1_LEN]);
/* The same of @in alone, by another digest. */
bool ses_md5(struct bytes in, uint8_t out[SES_MD5_LEN]);
bool ses_sha256(struct bytes in, uint8_t out[SES_SHA256_LEN]);
/* The digest of @in by "MD5" or "SHA256" in lower-case hex; false as above. */
bool ses_digest_hex(const char *algorithm, struct bytes in,
		    char out[SES_HEX_LEN]);

#endif
