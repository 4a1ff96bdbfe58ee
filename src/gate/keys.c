/* SPDX-License-Identifier: MIT */
/*
 * Keys from files. What a key may be used for is settled here, once, before
 * any token is seen: its kind, the "alg" of its JWK and the configuration's
 * list are cut with each other, and a key with nothing left is a fault.
 */
#include "gate/keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "gate/json.h"

struct gate_keys *gate_keys_new(unsigned wanted)
{
	struct gate_keys *keys = calloc(1, sizeof(*keys));

	if (keys)
		keys->wanted = wanted;
	return keys;
}

void gate_keys_free(struct gate_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->n; i++) {
		ses_key_free(keys->key[i].key);
		free(keys->key[i].kid);
	}
	free(keys);
}

char *gate_algorithms_text(unsigned set, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (enum ses_algorithm a = 0; a < SES_N_ALGORITHMS && n < size; a++)
		if (set & SES_ALGORITHM_BIT(a))
			n += (size_t)snprintf(out + n, size - n, "%s%s",
					      n ? ", " : "",
					      ses_algorithm_name(a));
	return out;
}

size_t gate_keys_find(const struct gate_keys *keys,
		      enum ses_algorithm algorithm, struct bytes kid,
		      const struct gate_key *ret[GATE_MAX_TRIES])
{
	size_t n = 0;

	for (size_t i = 0; i < keys->n; i++) {
		const struct gate_key *k = &keys->key[i];

		if (!(k->algorithms & SES_ALGORITHM_BIT(algorithm)) ||
		    (kid.data && k->kid && !bytes_equal_str(kid, k->kid)))
			continue;
		if (n < GATE_MAX_TRIES)
			ret[n] = k;
		n++;
	}
	return n;
}

/* ---- Adding ---- */

/* @key and @kid are taken. */
static bool add(struct gate_keys *keys, const struct gate_secret_file *file,
		struct ses_key *key, char *kid, unsigned algorithms)
{
	if (keys->n == GATE_MAX_KEYS) {
		gate_secret_complain(file, 0, "has more than %d keys",
				     GATE_MAX_KEYS);
		ses_key_free(key);
		free(kid);
		return false;
	}
	keys->key[keys->n++] = (struct gate_key){key, kid, algorithms};
	keys->algorithms |= algorithms;
	return true;
}

static unsigned wanted_of(const struct gate_keys *keys, unsigned set)
{
	return keys->wanted ? keys->wanted & set : set;
}

/* A key that the operator named by itself: it must be of use. */
static bool add_named(struct gate_keys *keys,
		      const struct gate_secret_file *file, struct ses_key *key)
{
	unsigned can = ses_key_algorithms(key);
	char wanted[128], possible[128];

	if (wanted_of(keys, can))
		return add(keys, file, key, NULL, wanted_of(keys, can));
	gate_algorithms_text(keys->wanted, wanted, sizeof(wanted));
	gate_algorithms_text(can, possible, sizeof(possible));
	if (ses_key_kind(key) == SES_KEY_SECRET)
		gate_secret_complain(file, 0,
				     "is a secret that is long enough for %s, "
				     "but algorithms has %s (a secret is as "
				     "long as the digest at least: RFC 7518 "
				     "section 3.2)",
				     possible, wanted);
	else
		gate_secret_complain(file, 0,
				     "holds a key of kind %s, which is for %s; "
				     "algorithms has %s",
				     ses_key_kind_name(ses_key_kind(key)),
				     possible, wanted);
	ses_key_free(key);
	return false;
}

bool gate_keys_add_pem(struct gate_keys *keys,
		       const struct gate_secret_file *file)
{
	struct ses_key *found[SES_PEM_MAX_KEYS];
	const char *wrong;
	int n = ses_keys_from_pem(file->text, found, &wrong);
	bool good = n > 0;

	if (n < 0)
		gate_secret_complain(file, 0, "%s", wrong);
	for (int i = 0; i < n; i++)
		good = add_named(keys, file, found[i]) && good;
	return good;
}

bool gate_keys_add_secret(struct gate_keys *keys,
			  const struct gate_secret_file *file)
{
	struct bytes secret = file->text;
	struct ses_key *key;
	const char *wrong;

	if (secret.len && secret.data[secret.len - 1] == '\n')
		secret.len--;
	if (secret.len && secret.data[secret.len - 1] == '\r')
		secret.len--;
	if (bytes_starts(secret, BYTES("-----BEGIN "))) {
		gate_secret_complain(file, 0,
				     "is a PEM file, whose text is "
				     "no secret; name it by key_file");
		return false;
	}
	key = ses_key_from_secret(secret, &wrong);
	if (!key) {
		gate_secret_complain(file, 0, "%s", wrong);
		return false;
	}
	return add_named(keys, file, key);
}

/* ---- JWKS ---- */

/* One key of the file, as far as it has been read. */
struct jwk {
	const json_t *json;
	const char *wrong;	/* what is wrong with it, without its subject */
	uint8_t a[2048], b[80]; /* its numbers, or its secret */
};

/* The number or secret called @name, decoded; false sets wrong. */
static bool decode(struct jwk *jwk, const char *name, const char *wrong,
		   uint8_t *out, size_t size, struct bytes *ret)
{
	struct bytes text = gate_json_text(jwk->json, name);
	size_t len;

	if (!text.data || ses_base64url_decode(text, out, size, &len) != 0) {
		jwk->wrong = wrong;
		return false;
	}
	*ret = bytes_of(out, len);
	return true;
}

static struct ses_key *rsa_of(struct jwk *jwk)
{
	struct bytes n, e;

	if (!decode(jwk, "n", "has no \"n\" in base64url", jwk->a,
		    sizeof(jwk->a), &n) ||
	    !decode(jwk, "e", "has no \"e\" in base64url", jwk->b,
		    sizeof(jwk->b), &e))
		return NULL;
	return ses_key_from_rsa(n, e, &jwk->wrong);
}

static struct ses_key *point_of(struct jwk *jwk, enum ses_key_kind kind)
{
	struct bytes x, y;

	if (!decode(jwk, "x", "has no \"x\" in base64url", jwk->a,
		    sizeof(jwk->a), &x) ||
	    !decode(jwk, "y", "has no \"y\" in base64url", jwk->b,
		    sizeof(jwk->b), &y))
		return NULL;
	return ses_key_from_point(kind, x, y, &jwk->wrong);
}

static struct ses_key *ed25519_of(struct jwk *jwk)
{
	struct bytes x;

	if (!decode(jwk, "x", "has no \"x\" in base64url", jwk->a,
		    sizeof(jwk->a), &x))
		return NULL;
	return ses_key_from_ed25519(x, &jwk->wrong);
}

static struct ses_key *secret_of(struct jwk *jwk)
{
	struct ses_key *key;
	struct bytes k;

	if (!decode(jwk, "k", "has no \"k\" in base64url, or one too long",
		    jwk->a, sizeof(jwk->a), &k))
		return NULL;
	key = ses_key_from_secret(k, &jwk->wrong);
	explicit_bzero(jwk->a, sizeof(jwk->a));
	return key;
}

static const struct sort {
	const char *kty, *crv;
	enum ses_key_kind kind;
} sorts[] = {
	{"RSA", NULL, SES_KEY_RSA},    {"oct", NULL, SES_KEY_SECRET},
	{"EC", "P-256", SES_KEY_P256}, {"EC", "P-384", SES_KEY_P384},
	{"EC", "P-521", SES_KEY_P521}, {"OKP", "Ed25519", SES_KEY_ED25519},
};

static const struct sort *sort_of(const json_t *json)
{
	struct bytes kty = gate_json_text(json, "kty");
	struct bytes crv = gate_json_text(json, "crv");

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (bytes_equal_str(kty, sorts[i].kty) &&
		    (!sorts[i].crv || bytes_equal_str(crv, sorts[i].crv)))
			return &sorts[i];
	return NULL;
}

static bool has_text(const json_t *array, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i,
			   item) if (bytes_equal_str(gate_json_bytes(item),
						     text)) return true;
	return false;
}

/* Whether it may check signatures, as far as it says what it is for. */
static bool is_for_signatures(const json_t *json)
{
	const json_t *use = json_object_get(json, "use");
	const json_t *ops = json_object_get(json, "key_ops");

	return (!use || bytes_equal_str(gate_json_bytes(use), "sig")) &&
	       (!ops || has_text(ops, "verify"));
}

/* The algorithms that its "alg" leaves; 0 for one that is not known. */
static unsigned stated_algorithms(const json_t *json)
{
	const json_t *alg = json_object_get(json, "alg");
	enum ses_algorithm algorithm;

	if (!alg)
		return ~0u;
	if (!ses_algorithm_read(gate_json_bytes(alg), &algorithm))
		return 0;
	return SES_ALGORITHM_BIT(algorithm);
}

static struct ses_key *key_of(struct jwk *jwk, enum ses_key_kind kind)
{
	if (kind == SES_KEY_SECRET)
		return secret_of(jwk);
	if (json_object_get(jwk->json, "d")) {
		jwk->wrong = "holds the private part too; who checks tokens "
			     "needs the public one alone";
		return NULL;
	}
	if (kind == SES_KEY_RSA)
		return rsa_of(jwk);
	if (kind == SES_KEY_ED25519)
		return ed25519_of(jwk);
	return point_of(jwk, kind);
}

/* A copy of its "kid"; false sets wrong. */
static bool copy_kid(struct jwk *jwk, char **ret_kid)
{
	const json_t *value = json_object_get(jwk->json, "kid");
	struct bytes kid = gate_json_bytes(value);

	*ret_kid = NULL;
	if (!value)
		return true;
	if (!kid.data || kid.len == 0 || kid.len > GATE_MAX_KID) {
		jwk->wrong = "has a \"kid\" that is no text of 1 to 256 bytes";
		return false;
	}
	*ret_kid = strndup((const char *)kid.data, kid.len);
	if (!*ret_kid)
		jwk->wrong = "needs more memory than there is";
	return *ret_kid != NULL;
}

/* False when jwk->wrong says why; a key that is not for us is skipped. */
static bool add_jwk(struct gate_keys *keys, const struct gate_secret_file *file,
		    struct jwk *jwk)
{
	const struct sort *sort = sort_of(jwk->json);
	unsigned set = wanted_of(keys, stated_algorithms(jwk->json));
	struct ses_key *key;
	char *kid;

	if (!json_is_object(jwk->json)) {
		jwk->wrong = "is no object";
		return false;
	}
	if (!sort || !is_for_signatures(jwk->json)) {
		keys->n_skipped++;
		return true;
	}
	key = key_of(jwk, sort->kind);
	if (!key)
		return false;
	set &= ses_key_algorithms(key);
	if (!set || !copy_kid(jwk, &kid)) {
		ses_key_free(key);
		keys->n_skipped += !set;
		return !set;
	}
	return add(keys, file, key, kid, set);
}

static void complain_of_jwk(const struct gate_secret_file *file,
			    const struct jwk *jwk, size_t i)
{
	struct bytes kid = gate_json_text(jwk->json, "kid");
	char shown[80];

	if (kid.len)
		gate_secret_complain(file, 0, "key %zu (kid \"%s\") %s", i + 1,
				     bytes_printable(kid, shown, sizeof(shown)),
				     jwk->wrong);
	else
		gate_secret_complain(file, 0, "key %zu %s", i + 1, jwk->wrong);
}

static bool add_array(struct gate_keys *keys,
		      const struct gate_secret_file *file, const json_t *array)
{
	size_t before = keys->n;
	struct jwk jwk;
	bool good = true;

	if (json_array_size(array) > GATE_MAX_KEYS) {
		gate_secret_complain(file, 0, "has more than %d keys",
				     GATE_MAX_KEYS);
		return false;
	}
	for (size_t i = 0; i < json_array_size(array); i++) {
		jwk.json = json_array_get(array, i);
		jwk.wrong = NULL;
		if (add_jwk(keys, file, &jwk))
			continue;
		if (jwk.wrong)
			complain_of_jwk(file, &jwk, i);
		good = false;
	}
	if (good && keys->n == before) {
		gate_secret_complain(file, 0,
				     "has no key that could check a token "
				     "(%zu that are for something else, of an "
				     "unknown sort, or not for algorithms)",
				     keys->n_skipped);
		return false;
	}
	return good;
}

bool gate_keys_add_jwks(struct gate_keys *keys,
			const struct gate_secret_file *file)
{
	const char *wrong;
	json_t *json = gate_json_read(file->text, &wrong);
	const json_t *array = json_object_get(json, "keys");
	bool good = false;

	if (!json)
		gate_secret_complain(file, 0, "%s", wrong);
	else if (!json_is_array(array))
		gate_secret_complain(file, 0,
				     "is no key set: it needs "
				     "{\"keys\": [...]}");
	else
		good = add_array(keys, file, array);
	json_decref(json);
	return good;
}
