/* SPDX-License-Identifier: MIT */
/* Tokens made on the spot, and keys from text, for tests of what reads them. */
#ifndef TESTS_GATE_SIGNING_H
#define TESTS_GATE_SIGNING_H

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "gate/jwt.h"
#include "test.h"

#define NOW 1800000000

/* As base64url, with a NUL. Returns its length. */
static inline size_t encode_url(struct bytes in, char *out)
{
	size_t n = ses_base64_encode(in, out);

	while (n && out[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	out[n] = '\0';
	return n;
}

/*
 * The token of @header and @payload (JSON, or not) by an HMAC with @secret, in
 * a buffer that the next call takes.
 */
static inline struct bytes sign(enum ses_algorithm algorithm,
				const char *secret, const char *header,
				const char *payload)
{
	static char token[3][20000];
	static unsigned turn;
	char *out = token[turn++ % 3];
	uint8_t mac[64];
	size_t n = encode_url(bytes_of_str(header), out), len;

	out[n++] = '.';
	n += encode_url(bytes_of_str(payload), out + n);
	len = ses_hmac(algorithm, bytes_of_str(secret), bytes_of(out, n), mac);
	out[n++] = '.';
	n += encode_url(bytes_of(mac, len), out + n);
	return bytes_of(out, n);
}

/* Keys from one text; NULL, and the first complaint, when it is refused. */
static inline struct gate_keys *
keys_of(bool (*add)(struct gate_keys *keys,
		    const struct gate_secret_file *file),
	struct bytes text, unsigned wanted, char complaint[480])
{
	static struct gate_complaints wrong;
	struct gate_keys *keys = gate_keys_new(wanted);
	uint8_t *copy = test_guarded(text.data, text.len);
	struct gate_secret_file file = {
		"k", bytes_of(copy, text.len), {1, 1}, &wrong};
	bool good;

	wrong.n = 0;
	good = add(keys, &file);
	test_guard_free(copy, text.len);
	assert_int_equal(good, wrong.n == 0);
	if (complaint)
		snprintf(complaint, 480, "%s", good ? "" : wrong.list[0].text);
	if (good)
		return keys;
	gate_keys_free(keys);
	return NULL;
}

#endif
