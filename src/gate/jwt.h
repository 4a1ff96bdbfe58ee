/* SPDX-License-Identifier: MIT */
/*
 * Signed tokens (JWT, RFC 7519; compact JWS, RFC 7515), checked as RFC 8725
 * advises: the keys and their algorithms come from the configuration alone,
 * nothing of a token is believed before its signature is, and what could be
 * read in two ways is not read at all. Pure: the time is an argument.
 */
#ifndef GATE_JWT_H
#define GATE_JWT_H

#include <jansson.h>

#include "gate/compared.h"
#include "gate/fault.h"
#include "gate/keys.h"

#define GATE_TOKEN_MAX	  8192 /* bytes */
#define GATE_DETAIL_SIZE  256
#define GATE_SUBJECT_SIZE 128

/* A text of the configuration, and where it stands. */
struct gate_word {
	char *text;
	unsigned line;
};

struct gate_words {
	struct gate_word *word;
	size_t n;
};

/* claims: {NAME: VALUE} */
struct gate_claim {
	char *name, *value;
	unsigned line;
};

enum gate_expiry { GATE_EXPIRY_OPTIONAL, GATE_EXPIRY_REQUIRED };

/*
 * allow.token.jwt. The keys that make it:
 *   key_file     PEM: public keys, or a certificate
 *   secret_file  the secret of HS256, HS384, HS512, as it is
 *   jwks_file    a key set (RFC 7517)
 *                (one of these three at least)
 *   algorithms   a list of names; default: what each key is for
 *   issuer       a text or a list: "iss" must be one of them; default: any
 *   audience     a text or a list: "aud" must hold one of them. Default: a
 *                token that is for somebody is refused (RFC 7519 4.1.3), one
 *                that is for nobody in particular passes; "*" takes any
 *   leeway       for clocks that differ; default 30s, at most 10m
 *   expiry       optional (the default) or required: whether a token without
 *                "exp" passes
 *   claims       {NAME: VALUE}: see gate_claim_has()
 *   paths_claim  the claim with the paths that the token opens
 */
struct gate_jwt_settings {
	struct gate_place at; /* line 0: not given */
	struct gate_file_name key_file, secret_file, jwks_file;
	unsigned algorithms; /* a set; 0: not given */
	struct gate_words issuer, audience;
	uint64_t leeway_ms;
	uint64_t expiry; /* enum gate_expiry */
	struct gate_claim *claim;
	size_t n_claims;
	struct gate_word paths_claim; /* text NULL: not given */
};

struct gate_jwt {
	json_t *claims; /* of a token whose signature is good; to be released */
	char subject[GATE_SUBJECT_SIZE]; /* "sub", printable; "": none */
	int64_t expires_s;		 /* 0: never */
	unsigned line; /* of the setting that said no; 0: none did */
	char detail[GATE_DETAIL_SIZE]; /* for the operator; no secret is in it */
	struct gate_compared compared; /* "aud: [\"a\"]", "aud: \"b\"" */
};

/*
 * Check @token at @now_s (seconds since 1970) for a request of @path.
 * *ret_jwt is always set: also the claims of a good token that does not
 * suffice.
 */
enum gate_fault gate_jwt_check(const struct gate_keys *keys,
			       const struct gate_jwt_settings *settings,
			       struct bytes token, struct bytes path,
			       int64_t now_s, struct gate_jwt *ret_jwt);

/*
 * Whether the claim called @name (by that very name, or, when there is none, by
 * the names between its dots, one within the other: "realm_access.roles") is
 * @value: that text, number or truth, or a list that holds it; of "scope" and
 * "scp" also one of the words between blanks (RFC 8693 4.2).
 */
bool gate_claim_has(const json_t *claims, const char *name, const char *value);

#endif
