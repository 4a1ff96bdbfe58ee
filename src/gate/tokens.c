/* SPDX-License-Identifier: MIT */
/* The file of static tokens. A token in plain text is refused, not taken. */
#include "gate/tokens.h"

#include <stdlib.h>

#include "base/percent.h"
#include "gate/digests.h"

struct entry {
	char name[GATE_TOKEN_NAME_MAX + 1];
	unsigned line;
};

struct gate_tokens {
	struct gate_digests digests;
	struct entry *entry; /* one for each digest */
	size_t room;
};

void gate_tokens_free(struct gate_tokens *tokens)
{
	if (!tokens)
		return;
	gate_digests_fini(&tokens->digests);
	free(tokens->entry);
	free(tokens);
}

size_t gate_tokens_count(const struct gate_tokens *tokens)
{
	return tokens->digests.n;
}

static bool read_hex(struct bytes text, uint8_t out[SES_SHA256_LEN])
{
	if (text.len != 2 * SES_SHA256_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = ses_hex_digit(text.data[i]);

		if (digit < 0)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
	}
	return true;
}

/* "NAME:HEX" into its parts; NULL, or what is wrong with it. */
static const char *split(struct bytes text, struct bytes *ret_name,
			 uint8_t digest[SES_SHA256_LEN])
{
	ptrdiff_t colon = bytes_find_byte(text, ':');

	if (colon < 0)
		return "has no colon: a line is NAME:SHA256";
	*ret_name = bytes_trim(bytes_first(text, (size_t)colon));
	if (ret_name->len == 0 || ret_name->len > GATE_TOKEN_NAME_MAX)
		return "needs a name of 1 to 64 bytes before its colon";
	for (size_t i = 0; i < ret_name->len; i++)
		if (ret_name->data[i] <= ' ' || ret_name->data[i] > '~')
			return "has a name with a blank or a byte that is not "
			       "ASCII";
	if (!read_hex(bytes_trim(bytes_from(text, (size_t)colon + 1)), digest))
		return "has no SHA-256, which is 64 digits; `printf %s TOKEN | "
		       "sha256sum` writes it";
	return NULL;
}

static const char *add(struct gate_tokens *t, struct bytes name,
		       const uint8_t digest[SES_SHA256_LEN], unsigned line)
{
	struct entry *entry;

	if (gate_digests_find(&t->digests, digest) < t->digests.n)
		return "is a token that stands in the file before";
	if (t->digests.n == GATE_MAX_DIGESTS)
		return "is the 10001st token: there may be 10000";
	if (t->digests.n == t->room) {
		size_t room = t->room ? 2 * t->room : 16;
		void *more = realloc(t->entry, room * sizeof(*t->entry));

		if (!more)
			return "needs more memory than there is";
		t->entry = more;
		t->room = room;
	}
	entry = &t->entry[t->digests.n];
	if (!gate_digests_add(&t->digests, digest))
		return "needs more memory than there is";
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->name, name.data, name.len);
	entry->line = line;
	return NULL;
}

/* Complain of a line, when it is wrong. */
static bool read_line(void *to, const struct gate_secret_file *file,
		      struct bytes text, unsigned line)
{
	uint8_t digest[SES_SHA256_LEN] = {0};
	struct bytes name;
	const char *wrong = split(text, &name, digest);

	if (!wrong)
		wrong = add(to, name, digest, line);
	if (wrong)
		gate_secret_complain(file, line, "the line %s", wrong);
	return !wrong;
}

static bool read_lines(struct gate_tokens *t,
		       const struct gate_secret_file *file)
{
	if (!gate_secret_each_line(file, read_line, t))
		return false;
	if (t->digests.n == 0)
		gate_secret_complain(file, 0, "has no token");
	return t->digests.n > 0;
}

struct gate_tokens *gate_tokens_read(const struct gate_secret_file *file)
{
	struct gate_tokens *t = calloc(1, sizeof(*t));

	if (!t)
		gate_secret_complain(file, 0, "needs more memory than there is");
	else if (!read_lines(t, file)) {
		gate_tokens_free(t);
		t = NULL;
	}
	return t;
}

const char *gate_tokens_find(const struct gate_tokens *tokens,
			     struct bytes token, unsigned *ret_line)
{
	uint8_t digest[SES_SHA256_LEN];
	size_t at;

	if (!ses_sha256(token, digest))
		return NULL;
	at = gate_digests_find(&tokens->digests, digest);
	if (at == tokens->digests.n)
		return NULL;
	*ret_line = tokens->entry[at].line;
	return tokens->entry[at].name;
}
