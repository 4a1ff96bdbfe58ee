/* SPDX-License-Identifier: MIT */
/*
 * Hashes of passwords. crypt(3) knows all but two: {SHA} is a SHA-1 in base64,
 * and apr1 is the MD5-crypt of FreeBSD with a prefix of Apache's own.
 */
#include "gate/password.h"

#include <crypt.h>
#include <stdlib.h>

#include "base/base64.h"
#include "wire/digest.h"

#define BCRYPT_MAX  72 /* bytes of a password that bcrypt looks at */
#define BCRYPT_COST 15 /* two to the 15th rounds, seconds already */
#define SHA_ROUNDS  1000000

static const char alphabet[] =
	"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool has_prefix(struct bytes text, const char *prefix)
{
	return bytes_starts(text, bytes_of_str(prefix));
}

/* Whether @text is @least to @most letters of the alphabet of crypt(3). */
static bool is_letters(struct bytes text, size_t least, size_t most)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text.data[i] || !strchr(alphabet, text.data[i]))
			return false;
	return text.len >= least && text.len <= most;
}

static bool is_bcrypt(struct bytes hash)
{
	return has_prefix(hash, "$2y$") || has_prefix(hash, "$2b$") ||
	       has_prefix(hash, "$2a$");
}

/* ---- What is wrong with a hash ---- */

static const char *bcrypt_fault(struct bytes hash)
{
	uint64_t cost;

	if (hash.len != 60 || hash.data[6] != '$' ||
	    !bytes_to_u64(bytes_of(hash.data + 4, 2), 99, &cost) || cost < 4 ||
	    cost > 31 || !is_letters(bytes_from(hash, 7), 53, 53))
		return "is no whole bcrypt hash";
	if (cost > BCRYPT_COST)
		return "costs more than 15, so every try would take seconds";
	return NULL;
}

/* "SALT$LETTERS" */
static bool is_salted(struct bytes text, size_t most_salt, size_t letters)
{
	ptrdiff_t dollar = bytes_find_byte(text, '$');

	return dollar >= 0 &&
	       is_letters(bytes_first(text, (size_t)dollar), 1, most_salt) &&
	       is_letters(bytes_from(text, (size_t)dollar + 1), letters,
			  letters);
}

static const char *sha_crypt_fault(struct bytes hash, size_t letters)
{
	struct bytes rest = bytes_from(hash, 3);
	uint64_t rounds;
	ptrdiff_t dollar;

	if (has_prefix(rest, "rounds=")) {
		rest = bytes_from(rest, 7);
		dollar = bytes_find_byte(rest, '$');
		if (dollar < 0 ||
		    !bytes_to_u64(bytes_first(rest, (size_t)dollar), UINT64_MAX,
				  &rounds))
			return "is no whole SHA-crypt hash";
		if (rounds > SHA_ROUNDS)
			return "has more than 1000000 rounds, so every try "
			       "would take seconds";
		rest = bytes_from(rest, (size_t)dollar + 1);
	}
	return is_salted(rest, 16, letters) ? NULL
					    : "is no whole SHA-crypt hash";
}

static const char *sha1_fault(struct bytes hash)
{
	uint8_t digest[SES_SHA1_LEN];
	size_t len;

	if (ses_base64_decode(bytes_from(hash, 5), digest, sizeof(digest),
			      &len) != 0 ||
	    len != sizeof(digest))
		return "is no whole {SHA} hash";
	return NULL;
}

const char *gate_hash_fault(struct bytes hash)
{
	if (hash.len > GATE_HASH_MAX)
		return "is longer than any hash";
	if (is_bcrypt(hash))
		return bcrypt_fault(hash);
	if (has_prefix(hash, "$apr1$"))
		return is_salted(bytes_from(hash, 6), 8, 22)
			       ? NULL
			       : "is no whole apr1 hash";
	if (has_prefix(hash, "{SHA}"))
		return sha1_fault(hash);
	if (has_prefix(hash, "$5$"))
		return sha_crypt_fault(hash, 43);
	if (has_prefix(hash, "$6$"))
		return sha_crypt_fault(hash, 86);
	if (has_prefix(hash, "$"))
		return "is of a kind other than bcrypt, apr1, $5$ and $6$; "
		       "`htpasswd -B FILE USER` writes bcrypt";
	return "is plain text, or crypt's old DES, both of which are refused; "
	       "`htpasswd -B FILE USER` writes bcrypt";
}

/* ---- apr1 ---- */

struct text {
	uint8_t data[1024];
	size_t len;
};

static void put(struct text *t, struct bytes in)
{
	memcpy(t->data + t->len, in.data, in.len);
	t->len += in.len;
}

static bool digest_of(struct text *t, uint8_t out[SES_MD5_LEN])
{
	bool good = ses_md5(bytes_of(t->data, t->len), out);

	t->len = 0;
	return good;
}

/* One of a thousand rounds, each of another mix. */
static void mix(struct text *t, unsigned round, struct bytes password,
		struct bytes salt, struct bytes before)
{
	put(t, round & 1 ? password : before);
	if (round % 3)
		put(t, salt);
	if (round % 7)
		put(t, password);
	put(t, round & 1 ? before : password);
}

/* MD5-crypt (as in FreeBSD's crypt-md5.c) with "$apr1$" for "$1$". */
static bool apr1(struct bytes password, struct bytes salt,
		 uint8_t out[SES_MD5_LEN])
{
	struct bytes own = bytes_of(out, SES_MD5_LEN);
	struct text t = {.len = 0};
	bool good;

	put(&t, password);
	put(&t, salt);
	put(&t, password);
	good = digest_of(&t, out);
	put(&t, password);
	put(&t, BYTES("$apr1$"));
	put(&t, salt);
	for (size_t left = password.len; left;
	     left -= left < own.len ? left : own.len)
		put(&t, bytes_first(own, left));
	/* The reference wrote a zero for each set bit, by mistake or not. */
	for (size_t bits = password.len; bits; bits >>= 1)
		put(&t, bits & 1 ? BYTES("\0") : bytes_first(password, 1));
	good = digest_of(&t, out) && good;
	for (unsigned round = 0; round < 1000 && good; round++) {
		mix(&t, round, password, salt, own);
		good = digest_of(&t, out);
	}
	explicit_bzero(t.data, sizeof(t.data));
	return good;
}

/* Three bytes as four letters, the low bits first. */
static void put_letters(char *out, uint32_t bits, size_t n)
{
	for (; n--; bits >>= 6)
		*out++ = alphabet[bits & 63];
}

static bool apr1_matches(struct bytes hash, struct bytes password)
{
	static const uint8_t order[5][3] = {
		{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
	struct bytes rest = bytes_from(hash, 6), salt;
	uint8_t d[SES_MD5_LEN];
	char letters[22];

	salt = bytes_first(rest, (size_t)bytes_find_byte(rest, '$'));
	if (!apr1(password, salt, d))
		return false;
	for (size_t i = 0; i < 5; i++)
		put_letters(letters + 4 * i,
			    (uint32_t)d[order[i][0]] << 16 |
				    (uint32_t)d[order[i][1]] << 8 |
				    d[order[i][2]],
			    4);
	put_letters(letters + 20, d[11], 2);
	return bytes_equal_secret(bytes_of(letters, sizeof(letters)),
				  bytes_from(rest, salt.len + 1));
}

/* ---- The others ---- */

static bool sha1_matches(struct bytes hash, struct bytes password)
{
	uint8_t own[SES_SHA1_LEN], digest[SES_SHA1_LEN];
	size_t len = 0;

	return ses_base64_decode(bytes_from(hash, 5), digest, sizeof(digest),
				 &len) == 0 &&
	       ses_sha1(password, bytes_of(NULL, 0), own) &&
	       bytes_equal_secret(bytes_of(own, sizeof(own)),
				  bytes_of(digest, len));
}

static bool crypt_matches(const char *hash, struct bytes password)
{
	struct crypt_data *room = calloc(1, sizeof(*room));
	char text[GATE_PASSWORD_MAX + 1] = "";
	const char *own;
	bool good;

	if (!room)
		return false;
	memcpy(text, password.data, password.len);
	own = crypt_r(text, hash, room);
	good = own && bytes_equal_secret(bytes_of_str(own), bytes_of_str(hash));
	explicit_bzero(text, sizeof(text));
	explicit_bzero(room, sizeof(*room));
	free(room);
	return good;
}

bool gate_hash_matches(const char *hash, struct bytes password)
{
	struct bytes text = bytes_of_str(hash);
	bool good;

	/* A NUL would end it for crypt(3), and not for whoever typed it. */
	if (password.len > GATE_PASSWORD_MAX ||
	    bytes_find_byte(password, '\0') >= 0)
		return false;
	/* An empty one has no data, which memcpy() is not to see. */
	if (password.len == 0)
		password = BYTES("");
	if (has_prefix(text, "$apr1$"))
		return apr1_matches(text, password);
	if (has_prefix(text, "{SHA}"))
		return sha1_matches(text, password);
	good = crypt_matches(hash, password);
	/* The rest of a longer one is not looked at: any would do. */
	return good && (!is_bcrypt(text) || password.len <= BCRYPT_MAX);
}
