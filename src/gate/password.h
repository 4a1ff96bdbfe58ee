/* SPDX-License-Identifier: MIT */
/*
 * Whether a password is the one of a hash as htpasswd writes it: bcrypt, apr1
 * (MD5), {SHA}, and the SHA-crypts of crypt(3). Pure, and slow on purpose.
 */
#ifndef GATE_PASSWORD_H
#define GATE_PASSWORD_H

#include "base/bytes.h"

#define GATE_PASSWORD_MAX 255 /* bytes */
#define GATE_HASH_MAX	  127 /* bytes of a hash as text */

/*
 * NULL when @hash is one that can be checked, else what is wrong with it, as a
 * static sentence without its subject. Plain text is refused.
 */
const char *gate_hash_fault(struct bytes hash);
/*
 * Whether @password is the one of @hash, which has no fault. Takes as long as
 * the hash wants, which may be a tenth of a second and more. Any thread may.
 */
bool gate_hash_matches(const char *hash, struct bytes password);

#endif
