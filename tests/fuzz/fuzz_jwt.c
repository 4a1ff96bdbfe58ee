/* SPDX-License-Identifier: MIT */
/*
 * Tokens as they come, which never are good; and header and payload (two
 * lines) signed as they should be, to reach what is behind the signature.
 */
#include <assert.h>

#include "../gate/tokens.h"
#include "base/base64.h"
#include "gate/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gate_keys *read_keys(void)
{
	static struct gate_complaints wrong;
	struct gate_secret_file file = {"k", bytes_of_str(JWKS), {1, 1}, &wrong};
	struct gate_keys *keys = gate_keys_new(0);
	bool good = gate_keys_add_jwks(keys, &file);

	assert(good);
	return keys;
}

static size_t encode(struct bytes in, char *out)
{
	size_t n = ses_base64_encode(in, out);

	while (n && out[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	return n;
}

static struct bytes sign(struct bytes in, char *out)
{
	ptrdiff_t end = bytes_find_byte(in, '\n');
	struct bytes header = bytes_first(in, end < 0 ? in.len : (size_t)end);
	size_t n = encode(header, out), len;
	uint8_t mac[64];

	out[n++] = '.';
	n += encode(bytes_from(in, header.len + 1), out + n);
	len = ses_hmac(SES_ALGORITHM_HS256, bytes_of_str(SECRET),
		       bytes_of(out, n), mac);
	out[n++] = '.';
	n += encode(bytes_of(mac, len), out + n);
	return bytes_of(out, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_keys *keys;
	static struct gate_word any = {(char *)"*", 1};
	static struct gate_word chat = {(char *)"chat", 1};
	static struct gate_claim claim = {(char *)"a.b", (char *)"x", 1};
	static const struct gate_jwt_settings open = {.audience = {&any, 1}};
	static const struct gate_jwt_settings strict = {
		.issuer = {&chat, 1},
		.audience = {&chat, 1},
		.claim = &claim,
		.n_claims = 1,
		.paths_claim = {(char *)"rooms", 1},
	};
	struct gate_jwt jwt;
	char token[10000];
	enum gate_fault fault;

	if (!keys)
		keys = read_keys();
	fault = gate_jwt_check(keys, &open, bytes_of(data, size), BYTES("/"), 0,
			       &jwt);
	assert(fault != GATE_FAULT_NONE && !jwt.claims);
	assert(jwt.detail[0] && fault < GATE_N_FAULTS);
	if (size > 6000)
		return 0;
	gate_jwt_check(keys, &open, sign(bytes_of(data, size), token),
		       BYTES("/chat"), 1800000000, &jwt);
	json_decref(jwt.claims);
	gate_jwt_check(keys, &strict, sign(bytes_of(data, size), token),
		       BYTES("/chat/1"), 1800000000, &jwt);
	json_decref(jwt.claims);
	return 0;
}
