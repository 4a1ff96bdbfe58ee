/* SPDX-License-Identifier: MIT */
/*
 * The keys that a route believes. Which algorithms each may check is fixed by
 * the configuration and by what kind of key it is; a token's "kid" chooses
 * among them, and nothing else of a token is heard. Pure.
 */
#ifndef GATE_KEYS_H
#define GATE_KEYS_H

#include "gate/secret_file.h"
#include "wire/signature.h"

#define GATE_MAX_KEYS 64
#define GATE_MAX_KID  256
/*
 * How many signatures one token may cost. Without a "kid" every key of its
 * algorithm could have signed it; with more of them than this it needs one.
 */
#define GATE_MAX_TRIES 4

struct gate_key {
	struct ses_key *key;
	char *kid;	     /* NULL: it has none, and goes with any */
	unsigned algorithms; /* that it may check, a set */
};

struct gate_keys {
	unsigned wanted;     /* by the configuration; 0: what the keys can */
	unsigned algorithms; /* of all keys together */
	struct gate_key key[GATE_MAX_KEYS];
	size_t n;
	size_t n_skipped; /* of a JWKS file: not for signatures, or unknown */
};

/* @wanted is a set of algorithms; 0: each key's own. NULL: no memory. */
struct gate_keys *gate_keys_new(unsigned wanted);
/* NULL is fine. */
void gate_keys_free(struct gate_keys *keys);

/*
 * Add what is in a file; false when a complaint was made. A PEM file holds
 * public keys or a certificate. A secret is the file as it is, without a line
 * end after it. A JWKS file (RFC 7517) may hold keys that are not for
 * signatures or of a sort not known; they are skipped, as section 5 asks, but
 * one at least must remain.
 */
bool gate_keys_add_pem(struct gate_keys *keys,
		       const struct gate_secret_file *file);
bool gate_keys_add_secret(struct gate_keys *keys,
			  const struct gate_secret_file *file);
bool gate_keys_add_jwks(struct gate_keys *keys,
			const struct gate_secret_file *file);

/*
 * The keys that may have signed by @algorithm; @kid data NULL: the token has
 * none. How many there are; GATE_MAX_TRIES of them at most are written.
 */
size_t gate_keys_find(const struct gate_keys *keys,
		      enum ses_algorithm algorithm, struct bytes kid,
		      const struct gate_key *ret[GATE_MAX_TRIES]);
/* "RS256, ES256" to @out. Returns @out. */
char *gate_algorithms_text(unsigned set, char *out, size_t size);

#endif
