/* SPDX-License-Identifier: MIT */
/*
 * Signatures of tokens (RFC 7518, RFC 8037): keys, and whether one of them has
 * signed. What a key may be used for comes from the key alone: an RSA key
 * never checks an HMAC, whatever a token says of itself.
 */
#ifndef WIRE_SIGNATURE_H
#define WIRE_SIGNATURE_H

#include "base/bytes.h"

enum ses_algorithm {
	SES_ALGORITHM_HS256,
	SES_ALGORITHM_HS384,
	SES_ALGORITHM_HS512,
	SES_ALGORITHM_RS256,
	SES_ALGORITHM_RS384,
	SES_ALGORITHM_RS512,
	SES_ALGORITHM_PS256,
	SES_ALGORITHM_PS384,
	SES_ALGORITHM_PS512,
	SES_ALGORITHM_ES256,
	SES_ALGORITHM_ES384,
	SES_ALGORITHM_ES512,
	SES_ALGORITHM_EDDSA,
	SES_N_ALGORITHMS
};

/* A set of algorithms is a sum of these. */
#define SES_ALGORITHM_BIT(algorithm) (1u << (algorithm))

const char *ses_algorithm_name(enum ses_algorithm algorithm);
/* The algorithm called @name, case and all; false when there is none. */
bool ses_algorithm_read(struct bytes name, enum ses_algorithm *ret);

#define SES_SIGNATURE_MAX 1024 /* bytes: of an RSA key of 8192 bits */

enum ses_key_kind {
	SES_KEY_SECRET,
	SES_KEY_RSA,
	SES_KEY_P256,
	SES_KEY_P384,
	SES_KEY_P521,
	SES_KEY_ED25519,
	SES_N_KEY_KINDS
};

/* A key to check signatures with; never changed, so threads can share it. */
struct ses_key;

/*
 * Each makes a key, or returns NULL with *ret_wrong as a static sentence
 * without its subject: "is an RSA key of less than 2048 bits".
 */

/* For HMAC. 32 bytes at least: less can be guessed (RFC 7518 section 3.2). */
struct ses_key *ses_key_from_secret(struct bytes secret, const char **ret_wrong);
/* The numbers big-endian, as "n" and "e" of a JWK are (RFC 7518 6.3.1). */
struct ses_key *ses_key_from_rsa(struct bytes n, struct bytes e,
				 const char **ret_wrong);
/* A point on the curve of @kind: "x" and "y" of a JWK (RFC 7518 6.2.1). */
struct ses_key *ses_key_from_point(enum ses_key_kind kind, struct bytes x,
				   struct bytes y, const char **ret_wrong);
/* 32 bytes: "x" of a JWK (RFC 8037 section 2). */
struct ses_key *ses_key_from_ed25519(struct bytes x, const char **ret_wrong);

#define SES_PEM_MAX_KEYS 16

/*
 * The keys of a PEM text: public keys, or one certificate (what it says of
 * itself is not looked at). Returns how many were put in @keys, or -1 with
 * *ret_wrong.
 */
int ses_keys_from_pem(struct bytes pem, struct ses_key *keys[SES_PEM_MAX_KEYS],
		      const char **ret_wrong);

/* Wipes a secret. NULL is fine. */
void ses_key_free(struct ses_key *key);

/* "RSA", "EC P-256": what people call it. Static. */
const char *ses_key_kind_name(enum ses_key_kind kind);
enum ses_key_kind ses_key_kind(const struct ses_key *key);
/*
 * The set of algorithms that the key can check; for a secret those for which
 * it is long enough.
 */
unsigned ses_key_algorithms(const struct ses_key *key);
/*
 * Whether @signature, as JOSE writes it, was made of @data by the owner of
 * @key. False too for an algorithm that is not among the key's.
 */
bool ses_signature_verify(const struct ses_key *key,
			  enum ses_algorithm algorithm, struct bytes data,
			  struct bytes signature);
/*
 * The HMAC of @data by HS256, HS384 or HS512. Returns its length, or 0 when
 * OpenSSL has none to offer.
 */
size_t ses_hmac(enum ses_algorithm algorithm, struct bytes secret,
		struct bytes data, uint8_t out[64]);

#endif
