/* SPDX-License-Identifier: MIT */
/* Checking tokens, and what was said of the last one. */
#ifndef TESTS_GATE_CHECKING_H
#define TESTS_GATE_CHECKING_H

#include "signing.h"
#include "tokens.h"

#define HS256_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

/* What was said of the last token. */
static struct gate_jwt said __attribute__((unused));

static inline enum gate_fault check_at(const struct gate_keys *keys,
				       const struct gate_jwt_settings *settings,
				       struct bytes token, const char *path,
				       int64_t now_s)
{
	uint8_t *copy = test_guarded(token.data, token.len);
	enum gate_fault fault;

	json_decref(said.claims);
	fault = gate_jwt_check(keys, settings, bytes_of(copy, token.len),
			       bytes_of_str(path), now_s, &said);
	test_guard_free(copy, token.len);
	assert_int_equal(fault == GATE_FAULT_NONE, said.detail[0] == '\0');
	return fault;
}

static inline const struct gate_keys *secret_keys(void)
{
	static struct gate_keys *keys;

	if (!keys)
		keys = keys_of(gate_keys_add_secret, BYTES(SECRET), 0, NULL);
	return keys;
}

/* Of HS256 with the secret of all of these tests. */
static inline enum gate_fault
check_claims(const struct gate_jwt_settings *settings, const char *payload)
{
	return check_at(secret_keys(), settings,
			sign(SES_ALGORITHM_HS256, SECRET, HS256_HEADER, payload),
			"/chat", NOW);
}

#endif
