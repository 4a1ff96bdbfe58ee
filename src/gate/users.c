/* SPDX-License-Identifier: MIT */
/* The htpasswd file. Names are looked up by their digest, as tokens are. */
#include "gate/users.h"

#include <stdlib.h>

#include "gate/digests.h"

struct entry {
	char hash[GATE_HASH_MAX + 1];
	unsigned line;
};

struct gate_users {
	struct gate_digests names;
	struct entry *entry; /* one for each name */
	size_t room;
};

void gate_users_free(struct gate_users *users)
{
	if (!users)
		return;
	gate_digests_fini(&users->names);
	free(users->entry);
	free(users);
}

static const char *add(struct gate_users *u, struct bytes name,
		       struct bytes hash, unsigned line)
{
	uint8_t digest[SES_SHA256_LEN];
	struct entry *entry;

	if (!ses_sha256(name, digest))
		return "cannot be hashed: OpenSSL has no SHA-256";
	if (gate_digests_find(&u->names, digest) < u->names.n)
		return "is for a user who stands in the file before";
	if (u->names.n == GATE_MAX_DIGESTS)
		return "is for the 10001st user: there may be 10000";
	if (u->names.n == u->room) {
		size_t room = u->room ? 2 * u->room : 16;
		void *more = realloc(u->entry, room * sizeof(*u->entry));

		if (!more)
			return "needs more memory than there is";
		u->entry = more;
		u->room = room;
	}
	entry = &u->entry[u->names.n];
	if (!gate_digests_add(&u->names, digest))
		return "needs more memory than there is";
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->hash, hash.data, hash.len);
	entry->line = line;
	return NULL;
}

/* Complain of a line, when it is wrong. */
static bool read_line(void *to, const struct gate_secret_file *file,
		      struct bytes text, unsigned line)
{
	ptrdiff_t colon = bytes_find_byte(text, ':');
	struct bytes name = bytes_first(text, colon < 0 ? 0 : (size_t)colon);
	struct bytes hash = bytes_from(text, name.len + 1);
	const char *wrong = NULL;

	if (colon < 0)
		wrong = "has no colon: a line is USER:HASH";
	else if (name.len == 0 || name.len > GATE_USER_MAX)
		wrong = "needs a user of 1 to 128 bytes before its colon";
	if (wrong) {
		gate_secret_complain(file, line, "the line %s", wrong);
		return false;
	}
	wrong = gate_hash_fault(hash);
	if (wrong) {
		gate_secret_complain(file, line, "the password %s", wrong);
		return false;
	}
	wrong = add(to, name, hash, line);
	if (wrong)
		gate_secret_complain(file, line, "the line %s", wrong);
	return !wrong;
}

static bool read_lines(struct gate_users *u, const struct gate_secret_file *file)
{
	if (!gate_secret_each_line(file, read_line, u))
		return false;
	if (u->names.n == 0)
		gate_secret_complain(file, 0, "has no user");
	return u->names.n > 0;
}

struct gate_users *gate_users_read(const struct gate_secret_file *file)
{
	struct gate_users *u = calloc(1, sizeof(*u));

	if (!u)
		gate_secret_complain(file, 0, "needs more memory than there is");
	else if (!read_lines(u, file)) {
		gate_users_free(u);
		u = NULL;
	}
	return u;
}

struct gate_password *gate_users_ask(const struct gate_users *users,
				     struct bytes user, struct bytes password)
{
	struct gate_password *p = calloc(1, sizeof(*p));
	uint8_t digest[SES_SHA256_LEN];
	size_t at, other;

	if (!p || !ses_sha256(user, digest) || password.len > GATE_PASSWORD_MAX) {
		free(p);
		return NULL;
	}
	at = gate_digests_find(&users->names, digest);
	/* Spread over all hashes: a mix of kinds tells nobody apart. */
	other = ((size_t)digest[0] << 8 | digest[1]) % users->names.n;
	p->known = at < users->names.n;
	p->line = p->known ? users->entry[at].line : 0;
	memcpy(p->hash, users->entry[p->known ? at : other].hash,
	       sizeof(p->hash));
	if (password.len)
		memcpy(p->password, password.data, password.len);
	p->password_len = password.len;
	return p;
}

bool gate_password_check(const struct gate_password *password)
{
	bool matches = gate_hash_matches(
		password->hash,
		bytes_of(password->password, password->password_len));

	return password->known && matches;
}

void gate_password_free(struct gate_password *password)
{
	if (password)
		explicit_bzero(password, sizeof(*password));
	free(password);
}
