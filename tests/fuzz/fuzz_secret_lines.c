/* SPDX-License-Identifier: MIT */
/* Files of tokens and of users: either taken whole, or complained of. */
#include <assert.h>

#include "gate/tokens.h"
#include "gate/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Slow hashes are left out: they would be all that is tried. */
static bool is_slow(const char *hash)
{
	return hash[0] == '$' && hash[1] != 'a';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_complaints wrong;
	struct gate_secret_file file = {
		"f", bytes_of(data, size), {1, 1}, &wrong};
	struct gate_tokens *tokens;
	struct gate_users *users;
	unsigned line;

	wrong.n = 0;
	tokens = gate_tokens_read(&file);
	assert((tokens != NULL) == (wrong.n == 0));
	if (tokens)
		assert(!gate_tokens_find(tokens, file.text, &line));
	gate_tokens_free(tokens);
	wrong.n = 0;
	users = gate_users_read(&file);
	assert((users != NULL) == (wrong.n == 0));
	if (users) {
		struct gate_password *p = gate_users_ask(
			users, BYTES("alice"), bytes_first(file.text, 200));

		assert(!gate_hash_fault(bytes_of_str(p->hash)));
		if (!is_slow(p->hash))
			assert(!gate_password_check(p) || p->known);
		gate_password_free(p);
	}
	gate_users_free(users);
	return 0;
}
