/* SPDX-License-Identifier: MIT */
/* Key sets, PEM files and secrets: each is keys that are of use, or a fault. */
#include <assert.h>

#include "gate/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool (*add)(struct gate_keys *keys,
			      const struct gate_secret_file *file),
		  struct bytes text, unsigned wanted)
{
	static struct gate_complaints wrong;
	struct gate_secret_file file = {"k", text, {1, 1}, &wrong};
	struct gate_keys *keys = gate_keys_new(wanted);

	wrong.n = 0;
	if (add(keys, &file)) {
		assert(keys->n > 0 && keys->algorithms && wrong.n == 0);
		for (size_t i = 0; i < keys->n; i++) {
			struct gate_key *k = &keys->key[i];
			unsigned can = ses_key_algorithms(k->key);

			assert(k->algorithms && !(k->algorithms & ~can));
			assert(!wanted || !(k->algorithms & ~wanted));
			/* No key is for HMAC and for something else. */
			assert(!(k->algorithms & 7) || !(k->algorithms & ~7u));
		}
	} else {
		assert(wrong.n > 0);
	}
	gate_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	check(gate_keys_add_jwks, in, 0);
	check(gate_keys_add_jwks, in, 0x1249);
	check(gate_keys_add_pem, in, 0);
	check(gate_keys_add_secret, in, 0);
	return 0;
}
