/* SPDX-License-Identifier: MIT */
/* Keys from files: which are taken, for what, and which are refused. */
#include "gate/keys.h"

#include "signing.h"
#include "tokens.h"

#define SET(symbol) SES_ALGORITHM_BIT(SES_ALGORITHM_##symbol)
#define RSA_SET                                                           \
	(SET(RS256) | SET(RS384) | SET(RS512) | SET(PS256) | SET(PS384) | \
	 SET(PS512))

static bool is_pem(const char *text)
{
	return strncmp(text, "-----", 5) == 0;
}

TEST("what a key is for comes from its kind and the configuration")
{
	static const struct {
		const char *text;
		unsigned wanted, set;
	} rows[] = {
		{RSA_PEM, 0, RSA_SET},
		{PKCS1_PEM, 0, RSA_SET},
		{RSA_PEM, SET(RS256), SET(RS256)},
		{RSA_PEM, SET(PS512) | SET(ES256) | SET(HS256), SET(PS512)},
		{P256_PEM, 0, SET(ES256)},
		{P384_PEM, 0, SET(ES384)},
		{P521_PEM, 0, SET(ES512)},
		{ED25519_PEM, 0, SET(EDDSA)},
		{CERTIFICATE_PEM, 0, SET(ES256)},
		{SECRET, 0, SET(HS256) | SET(HS384) | SET(HS512)},
		{SECRET, SET(HS384) | SET(RS256), SET(HS384)},
		{"0123456789abcdef0123456789abcdef\n", 0, SET(HS256)},
		{"0123456789abcdef0123456789abcdef\r\n", 0, SET(HS256)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char wrong[480];
		struct gate_keys *keys = keys_of(
			is_pem(rows[i].text) ? gate_keys_add_pem
					     : gate_keys_add_secret,
			bytes_of_str(rows[i].text), rows[i].wanted, wrong);

		if (!keys)
			fail_msg("row %zu: %s", i, wrong);
		assert_int_equal(keys->n, 1);
		assert_int_equal(keys->algorithms, rows[i].set);
		assert_int_equal(keys->key[0].algorithms, rows[i].set);
		gate_keys_free(keys);
	}
}

TEST("a key file that is of no use is refused with the reason")
{
	static const struct {
		const char *text;
		unsigned wanted;
		const char *wrong;
	} rows[] = {
		{SMALL_RSA_PEM, 0, "k: is an RSA key of less than 2048 bits"},
		{K1_PEM, 0,
		 "k: is an EC key of a curve other than P-256, P-384 and "
		 "P-521"},
		{X25519_PEM, 0,
		 "k: is a key of a kind other than RSA, EC and Ed25519"},
		{PRIVATE_PEM, 0,
		 "k: holds a private key; who checks tokens needs the public "
		 "one alone, which `openssl pkey -in FILE -pubout` writes"},
		{CHAIN_PEM, 0,
		 "k: holds a certificate and more; the keys of a chain's "
		 "authorities sign no tokens"},
		{RSA_PEM, SET(HS256),
		 "k: holds a key of kind RSA, which is for RS256, RS384, "
		 "RS512, PS256, PS384, PS512; algorithms has HS256"},
		{P256_PEM, SET(ES384) | SET(RS256),
		 "k: holds a key of kind EC P-256, which is for ES256; "
		 "algorithms has RS256, ES384"},
		{"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		 0, "k: is no public key that OpenSSL can read"},
		{"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQY\n", 0,
		 "k: holds a PEM block that is cut or damaged"},
		{"-----BEGIN X-----\nAAAA\n-----END X-----\n", 0,
		 "k: holds a PEM block that is neither a public key nor a "
		 "certificate"},
	};
	static const struct {
		const char *text;
		unsigned wanted;
		const char *wrong;
	} secrets[] = {
		{"", 0, "k: is an empty secret"},
		{"\n", 0, "k: is an empty secret"},
		{"\r\n", 0, "k: is an empty secret"},
		{"secret", 0,
		 "k: is a secret of less than 32 bytes, which one token is "
		 "enough to guess (RFC 7518 section 3.2)"},
		{RSA_PEM, 0,
		 "k: is a PEM file, whose text is no secret; name it by "
		 "key_file"},
		{"0123456789abcdef0123456789abcdef", SET(HS512),
		 "k: is a secret that is long enough for HS256, but algorithms "
		 "has HS512 (a secret is as long as the digest at least: RFC "
		 "7518 section 3.2)"},
		{SECRET, SET(RS256),
		 "k: is a secret that is long enough for HS256, HS384, HS512, "
		 "but algorithms has RS256 (a secret is as long as the digest "
		 "at least: RFC 7518 section 3.2)"},
	};
	char wrong[480];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_null(keys_of(gate_keys_add_pem, bytes_of_str(rows[i].text),
				    rows[i].wanted, wrong));
		assert_string_equal(wrong, rows[i].wrong);
	}
	assert_null(keys_of(gate_keys_add_pem, BYTES(""), 0, wrong));
	assert_string_equal(wrong, "k: holds no PEM block");
	assert_null(keys_of(gate_keys_add_pem, BYTES(SECRET), 0, wrong));
	assert_string_equal(wrong, "k: holds no PEM block");
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		assert_null(keys_of(gate_keys_add_secret,
				    bytes_of_str(secrets[i].text),
				    secrets[i].wanted, wrong));
		assert_string_equal(wrong, secrets[i].wrong);
	}
}

TEST("several public keys in one PEM file are all keys")
{
	char text[4096], wrong[480];
	struct gate_keys *keys;

	snprintf(text, sizeof(text), "the old one\n%s\nthe new one\n%s%s",
		 P256_PEM, RSA_PEM, ED25519_PEM);
	keys = keys_of(gate_keys_add_pem, bytes_of_str(text), 0, wrong);
	assert_string_equal(wrong, "");
	assert_int_equal(keys->n, 3);
	assert_int_equal(keys->algorithms, RSA_SET | SET(ES256) | SET(EDDSA));
	gate_keys_free(keys);
	text[0] = '\0';
	for (size_t i = 0; i < 16; i++)
		strcat(text, ED25519_PEM);
	assert_null(keys_of(gate_keys_add_pem, bytes_of_str(text), 0, wrong));
	assert_string_equal(wrong, "k: holds more than 15 keys");
}

TEST("a PEM file that is cut anywhere is whole or refused")
{
	for (size_t len = 0; len < strlen(P256_PEM); len++) {
		struct gate_keys *keys = keys_of(
			gate_keys_add_pem, bytes_of(P256_PEM, len), 0, NULL);

		/* Without its last line end it is whole. */
		assert_int_equal(keys != NULL, len == strlen(P256_PEM) - 1);
		gate_keys_free(keys);
	}
}

TEST("a key set is read as far as its keys are for signatures")
{
	static const struct {
		const char *kid;
		unsigned set;
	} rows[] = {
		{"rsa", SET(RS256)},  {"p256", SET(ES256)},
		{"p384", SET(ES384)}, {"p521", SET(ES512)},
		{"ed", SET(EDDSA)},   {"secret", SET(HS256)},
	};
	struct gate_keys *keys =
		keys_of(gate_keys_add_jwks, BYTES(JWKS), 0, NULL);

	assert_non_null(keys);
	assert_int_equal(keys->n, ARRAY_LEN(rows));
	assert_int_equal(keys->n_skipped, 5);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(keys->key[i].kid, rows[i].kid);
		assert_int_equal(keys->key[i].algorithms, rows[i].set);
	}
	gate_keys_free(keys);
	/* What the configuration does not want is skipped. */
	keys = keys_of(gate_keys_add_jwks, BYTES(JWKS), SET(ES256) | SET(RS384),
		       NULL);
	assert_int_equal(keys->n, 1);
	assert_string_equal(keys->key[0].kid, "p256");
	gate_keys_free(keys);
}

#define EC_XY                                                    \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

TEST("a key set with a fault is refused whole")
{
	static const struct {
		const char *text, *wrong;
	} rows[] = {
		{"", "k: is no JSON"},
		{"[]", "k: is no JSON object"},
		{"{}", "k: is no key set: it needs {\"keys\": [...]}"},
		{"{\"keys\":{}}",
		 "k: is no key set: it needs {\"keys\": [...]}"},
		{"{\"keys\":[],\"keys\":[]}",
		 "k: has the same name twice in one object"},
		{"{\"keys\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}",
		 "k: is nested too deeply"},
		{"{\"keys\":[]}",
		 "k: has no key that could check a token (0 that are for "
		 "something else, of an unknown sort, or not for algorithms)"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"secp256k1\"," EC_XY
		 "}]}",
		 "k: has no key that could check a token (1 that are for "
		 "something else, of an unknown sort, or not for algorithms)"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_XY
		 ",\"alg\":\"none\"}]}",
		 "k: has no key that could check a token (1 that are for "
		 "something else, of an unknown sort, or not for algorithms)"},
		/* An algorithm of another kind leaves nothing. */
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_XY
		 ",\"alg\":\"HS256\"}]}",
		 "k: has no key that could check a token (1 that are for "
		 "something else, of an unknown sort, or not for algorithms)"},
		{"{\"keys\":[3]}", "k: key 1 is no object"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":"
		 "\"a\\u001bb\"," EC_XY "}]}",
		 "k: key 1 (kid \"a\\x1bb\") has an x or y of another length "
		 "than its curve"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\"}]}",
		 "k: key 1 has no \"y\" in base64url"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA=\"}]"
		 "}",
		 "k: key 1 has no \"x\" in base64url"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AA\"}]}",
		 "k: key 1 holds the private part too; who checks tokens needs "
		 "the public one alone"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":7," EC_XY
		 "}]}",
		 "k: key 1 has a \"kid\" that is no text of 1 to 256 bytes"},
		{"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":"
		 "\"\"," EC_XY "}]}",
		 "k: key 1 has a \"kid\" that is no text of 1 to 256 bytes"},
		{"{\"keys\":[{\"kty\":\"oct\",\"k\":\"\"}]}",
		 "k: key 1 is an empty secret"},
		{"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
		 "k: key 1 is a secret of less than 32 bytes, which one token "
		 "is enough to guess (RFC 7518 section 3.2)"},
		{"{\"keys\":[{\"kty\":\"oct\"}]}",
		 "k: key 1 has no \"k\" in base64url, or one too long"},
		{"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AAAA\"}]}",
		 "k: key 1 has no \"e\" in base64url"},
		{"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		 "\"AAAA\"}]}",
		 "k: key 1 has an x of other than 32 bytes"},
	};
	char wrong[480], text[8192];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_null(keys_of(gate_keys_add_jwks,
				    bytes_of_str(rows[i].text), 0, wrong));
		assert_string_equal(wrong, rows[i].wrong);
	}
	snprintf(text, sizeof(text), "{\"keys\":[%s]}", SMALL_JWK);
	assert_null(keys_of(gate_keys_add_jwks, bytes_of_str(text), 0, wrong));
	assert_string_equal(wrong, "k: key 1 (kid \"small\") is an RSA key of "
				   "less than 2048 bits");
	strcpy(text, "{\"keys\":[0");
	for (size_t i = 0; i < GATE_MAX_KEYS; i++)
		strcat(text, ",0");
	strcat(text, "]}");
	assert_null(keys_of(gate_keys_add_jwks, bytes_of_str(text), 0, wrong));
	assert_string_equal(wrong, "k: has more than 64 keys");
}

TEST("a key set that is cut anywhere is refused")
{
	for (size_t len = 0; len < strlen(JWKS); len += 1 + len / 64)
		assert_null(keys_of(gate_keys_add_jwks, bytes_of(JWKS, len), 0,
				    NULL));
}

TEST("a kid chooses among the keys of its algorithm alone")
{
	struct gate_keys *keys =
		keys_of(gate_keys_add_jwks, BYTES(JWKS), 0, NULL);
	const struct gate_key *tries[GATE_MAX_TRIES];
	static const char *const foreign[] = {
		"",
		"rs",
		"rsaa",
		"RSA",
		"p256",
		"../../dev/null",
		"rsa' OR 1=1",
		"enc",
		"oaep",
	};

	assert_int_equal(
		gate_keys_find(keys, SES_ALGORITHM_RS256, BYTES("rsa"), tries),
		1);
	assert_string_equal(tries[0]->kid, "rsa");
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		assert_int_equal(gate_keys_find(keys, SES_ALGORITHM_RS256,
						bytes_of_str(foreign[i]), tries),
				 0);
	/* The RSA key and the secret never meet. */
	assert_int_equal(
		gate_keys_find(keys, SES_ALGORITHM_HS256, BYTES("rsa"), tries),
		0);
	assert_int_equal(
		gate_keys_find(keys, SES_ALGORITHM_RS384, BYTES("rsa"), tries),
		0);
	assert_int_equal(gate_keys_find(keys, SES_ALGORITHM_ES256,
					bytes_of(NULL, 0), tries),
			 1);
	gate_keys_free(keys);
}
