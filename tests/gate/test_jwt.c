/* SPDX-License-Identifier: MIT */
/*
 * Tokens that are good, and every way in which others have let in bad ones:
 * CVE-2015-9235 and kin ("none", HMAC with a public key), CVE-2018-0114 (a key
 * in the token), CVE-2022-21449 (zeros as signature), empty keys, tricks with
 * "kid" and "crit", names that stand twice.
 */
#include "gate/jwt.h"

#include <openssl/err.h>
#include <pthread.h>

#include "checking.h"

#define SET(symbol) SES_ALGORITHM_BIT(SES_ALGORITHM_##symbol)

static enum gate_fault check_header(const char *header)
{
	static const struct gate_jwt_settings any;

	return check_at(secret_keys(), &any,
			sign(SES_ALGORITHM_HS256, SECRET, header,
			     "{\"sub\":\"alice\"}"),
			"/chat", NOW);
}

static struct gate_word chat = {(char *)"chat", 31};
static struct gate_word issuer = {(char *)"https://id.example", 30};

static const struct gate_jwt_settings strict = {
	.issuer = {&issuer, 1},
	.audience = {&chat, 1},
};

static struct gate_keys *named_keys(const char *text)
{
	return keys_of(strncmp(text, "-----", 5) == 0 ? gate_keys_add_pem
						      : gate_keys_add_secret,
		       bytes_of_str(text), 0, NULL);
}

TEST("tokens that other programs have signed are good")
{
	struct gate_keys *set =
		keys_of(gate_keys_add_jwks, BYTES(JWKS), 0, NULL);

	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		struct bytes text = bytes_of_str(tokens[i].text);
		struct gate_keys *keys = named_keys(tokens[i].key);

		if (check_at(keys, &strict, text, "/", NOW) != GATE_FAULT_NONE)
			fail_msg("%zu, %s: %s", i, tokens[i].algorithm,
				 said.detail);
		assert_string_equal(said.subject, "alice");
		assert_int_equal(said.expires_s, 1800000300);
		assert_true(gate_claim_has(said.claims, "role", "member"));
		gate_keys_free(keys);
		/* The set has one algorithm for each key. */
		assert_int_equal(
			check_at(set, &strict, text, "/", NOW) == GATE_FAULT_NONE,
			!strstr("RS384 RS512 PS256 PS384 PS512 HS384 HS512",
				tokens[i].algorithm));
	}
	gate_keys_free(set);
}

TEST("a token is good by its own key alone")
{
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		for (size_t k = 0; k < ARRAY_LEN(tokens); k++) {
			struct gate_keys *keys = named_keys(tokens[k].key);
			enum ses_algorithm a;

			assert_true(ses_algorithm_read(
				bytes_of_str(tokens[i].algorithm), &a));
			assert_int_equal(
				check_at(keys, &strict,
					 bytes_of_str(tokens[i].text), "/",
					 NOW) == GATE_FAULT_NONE,
				!!(keys->algorithms & SES_ALGORITHM_BIT(a)));
			gate_keys_free(keys);
		}
	}
}

/* RFC 7518 3.5: the salt is as long as the digest. */
TEST("a token with a salt of another length is refused")
{
	struct gate_keys *keys = named_keys(RSA_PEM);

	assert_int_equal(
		check_at(keys, &strict, BYTES(OTHER_SALT_TOKEN), "/", NOW),
		GATE_FAULT_SIGNATURE);
	gate_keys_free(keys);
}

TEST("the example of RFC 7519 is good until it expires")
{
	static const char token[] =
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l"
		"eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char set[] =
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qz"
		"KObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CA"
		"ow\"}]}";
	static const struct gate_jwt_settings any;
	struct gate_keys *keys =
		keys_of(gate_keys_add_jwks, BYTES(set), 0, NULL);

	assert_int_equal(check_at(keys, &any, BYTES(token), "/", 1300819379),
			 GATE_FAULT_NONE);
	assert_string_equal(said.subject, "");
	assert_true(gate_claim_has(said.claims, "http://example.com/is_root",
				   "true"));
	assert_int_equal(check_at(keys, &any, BYTES(token), "/", 1300819380),
			 GATE_FAULT_EXPIRED);
	gate_keys_free(keys);
}

/* A byte that is another may be a fault of its own, but it is always one. */
TEST("a token with any byte changed is refused")
{
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		struct gate_keys *keys = named_keys(tokens[i].key);
		size_t len = strlen(tokens[i].text);
		char *text = strdup(tokens[i].text);
		bool is_mac = tokens[i].algorithm[0] == 'H';

		for (size_t at = 0; at < len; at++) {
			/* Curves are slow: one change for each byte. */
			static const char others[] = "A-_.=+/ z0\n";

			for (size_t k = 0; k < (is_mac ? sizeof(others) : 1);
			     k++) {
				if (others[k] == text[at])
					continue;
				text[at] = others[k];
				assert_int_not_equal(
					check_at(keys, &strict,
						 bytes_of(text, len), "/", NOW),
					GATE_FAULT_NONE);
				text[at] = tokens[i].text[at];
			}
		}
		free(text);
		gate_keys_free(keys);
	}
}

TEST("a token that is cut or longer is refused")
{
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		struct gate_keys *keys = named_keys(tokens[i].key);
		size_t len = strlen(tokens[i].text);
		char *text = calloc(1, len + 2);

		for (size_t cut = 0; cut < len; cut++)
			assert_int_not_equal(
				check_at(keys, &strict,
					 bytes_of(tokens[i].text, cut), "/", NOW),
				GATE_FAULT_NONE);
		memcpy(text, tokens[i].text, len);
		for (int c = 0; c < 256; c++) {
			text[len] = (char)c;
			assert_int_not_equal(check_at(keys, &strict,
						      bytes_of(text, len + 1),
						      "/", NOW),
					     GATE_FAULT_NONE);
		}
		free(text);
		gate_keys_free(keys);
	}
}

TEST("the algorithm is the configuration's, never the token's")
{
	static const struct {
		const char *header;
		enum gate_fault fault;
	} rows[] = {
		{"{\"alg\":\"HS256\"}", GATE_FAULT_NONE},
		{"{\"alg\":\"none\"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"None\"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"NONE\"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"nOnE\"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"\"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"hs256\"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"HS256 \"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"RS256\"}", GATE_FAULT_ALGORITHM},
		{"{\"alg\":\"ES256\"}", GATE_FAULT_ALGORITHM},
		/* long enough for it, and signed by another */
		{"{\"alg\":\"HS512\"}", GATE_FAULT_SIGNATURE},
		{"{\"alg\":null}", GATE_FAULT_MALFORMED},
		{"{\"alg\":[\"HS256\"]}", GATE_FAULT_MALFORMED},
		{"{\"alg\":0}", GATE_FAULT_MALFORMED},
		{"{\"ALG\":\"HS256\"}", GATE_FAULT_MALFORMED},
		{"{}", GATE_FAULT_MALFORMED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (check_header(rows[i].header) != rows[i].fault)
			fail_msg("%s: %s", rows[i].header, said.detail);
	check_header("{\"alg\":\"none\"}");
	assert_string_equal(said.detail, "the token says \"none\"; the route "
					 "takes HS256, HS384, HS512");
	check_header("{\"alg\":\"\\u001b[31m\"}");
	assert_string_equal(said.detail,
			    "the token says \"\\x1b[31m\"; the route takes "
			    "HS256, HS384, HS512");
}

TEST("no algorithm, and no signature, let nobody in")
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",  "{\"alg\":\"HS256\"}",
		"{\"alg\":\"RS256\"}", "{\"alg\":\"ES256\"}",
		"{\"alg\":\"EdDSA\"}",
	};
	struct gate_keys *keys =
		keys_of(gate_keys_add_jwks, BYTES(JWKS), 0, NULL);
	static const struct gate_jwt_settings any;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct bytes token = sign(SES_ALGORITHM_HS256, "", headers[i],
					  "{\"sub\":\"alice\"}");

		assert_int_not_equal(check_at(keys, &any, token, "/", NOW),
				     GATE_FAULT_NONE);
		while (token.data[token.len - 1] != '.')
			token.len--;
		assert_int_not_equal(check_at(keys, &any, token, "/", NOW),
				     GATE_FAULT_NONE);
		assert_int_not_equal(check_at(keys, &any,
					      bytes_first(token, token.len - 1),
					      "/", NOW),
				     GATE_FAULT_NONE);
	}
	gate_keys_free(keys);
}

/* The classic: the public key, which everybody knows, as an HMAC's secret. */
TEST("a public key is no secret")
{
	static const char *const pems[] = {
		RSA_PEM,  PKCS1_PEM,   P256_PEM,
		P521_PEM, ED25519_PEM, CERTIFICATE_PEM,
	};
	static const enum ses_algorithm macs[] = {
		SES_ALGORITHM_HS256, SES_ALGORITHM_HS384, SES_ALGORITHM_HS512};
	static const struct gate_jwt_settings any;
	struct gate_keys *set =
		keys_of(gate_keys_add_jwks, BYTES(JWKS), 0, NULL);

	for (size_t i = 0; i < ARRAY_LEN(pems); i++) {
		struct gate_keys *keys = named_keys(pems[i]);

		for (size_t k = 0; k < ARRAY_LEN(macs); k++) {
			static const char *const ids[] = {
				"", ",\"kid\":\"rsa\"", ",\"kid\":\"p256\""};

			for (size_t j = 0; j < ARRAY_LEN(ids); j++) {
				char header[80];
				struct bytes token;

				snprintf(header, sizeof(header),
					 "{\"alg\":\"%s\"%s}",
					 ses_algorithm_name(macs[k]), ids[j]);
				token = sign(macs[k], pems[i], header, "{}");
				assert_int_equal(
					check_at(keys, &any, token, "/", NOW),
					GATE_FAULT_ALGORITHM);
				assert_int_not_equal(
					check_at(set, &any, token, "/", NOW),
					GATE_FAULT_NONE);
			}
		}
		gate_keys_free(keys);
	}
	gate_keys_free(set);
}

TEST("what a header says of keys is not heard")
{
	static const char *const headers[] = {
		"{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
		"{\"alg\":\"HS256\",\"jku\":\"http://127.0.0.1:1/keys\"}",
		"{\"alg\":\"HS256\",\"x5u\":\"file:///etc/passwd\"}",
		"{\"alg\":\"HS256\",\"x5c\":[\"AAAA\"]}",
	};
	static const struct gate_jwt_settings any;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		assert_int_equal(check_header(headers[i]), GATE_FAULT_NONE);
		assert_int_equal(check_at(secret_keys(), &any,
					  sign(SES_ALGORITHM_HS256, "\0\0\0",
					       headers[i], "{}"),
					  "/", NOW),
				 GATE_FAULT_SIGNATURE);
	}
}

TEST("a kid chooses among the keys, and can do no more")
{
	static const struct gate_jwt_settings any;
	struct gate_keys *set =
		keys_of(gate_keys_add_jwks, BYTES(JWKS), 0, NULL);
	static const struct {
		const char *kid;
		enum gate_fault fault;
	} rows[] = {
		{"\"secret\"", GATE_FAULT_NONE},
		{"\"Secret\"", GATE_FAULT_KEY},
		{"\"secret \"", GATE_FAULT_KEY},
		{"\"rsa\"", GATE_FAULT_KEY},
		{"\"p256\"", GATE_FAULT_KEY},
		{"\"\"", GATE_FAULT_KEY},
		{"\"../../../../dev/null\"", GATE_FAULT_KEY},
		{"\"/dev/null\"", GATE_FAULT_KEY},
		{"\"x' UNION SELECT 'a\"", GATE_FAULT_KEY},
		{"\"secret\\u0000\"", GATE_FAULT_MALFORMED},
		{"null", GATE_FAULT_MALFORMED},
		{"7", GATE_FAULT_MALFORMED},
		{"[\"secret\"]", GATE_FAULT_MALFORMED},
		{"{\"a\":1}", GATE_FAULT_MALFORMED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char header[80];

		snprintf(header, sizeof(header),
			 "{\"alg\":\"HS256\",\"kid\":%s}", rows[i].kid);
		if (check_at(set, &any,
			     sign(SES_ALGORITHM_HS256, SECRET, header, "{}"),
			     "/", NOW) != rows[i].fault)
			fail_msg("%s: %s", rows[i].kid, said.detail);
	}
	gate_keys_free(set);
	/* A key without a kid goes with any. */
	assert_int_equal(check_header("{\"alg\":\"HS256\",\"kid\":\"x\"}"),
			 GATE_FAULT_NONE);
}

TEST("a token without a kid costs four signatures at most")
{
	static const struct gate_jwt_settings any;
	char text[2048] = "{\"keys\":[";
	struct gate_keys *keys;
	struct bytes token;

	for (int i = 0; i < 5; i++) {
		char key[128], secret[64];

		snprintf(key, sizeof(key), "%d23456789abcdef0123456789abcdef0",
			 i);
		encode_url(bytes_of_str(key), secret);
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s{\"kty\":\"oct\",\"kid\":\"%d\",\"k\":\"%s\"}",
			 i ? "," : "", i, secret);
	}
	strcat(text, "]}");
	keys = keys_of(gate_keys_add_jwks, bytes_of_str(text), 0, NULL);
	token = sign(SES_ALGORITHM_HS256, "023456789abcdef0123456789abcdef0",
		     "{\"alg\":\"HS256\"}", "{}");
	assert_int_equal(check_at(keys, &any, token, "/", NOW), GATE_FAULT_KEY);
	assert_string_equal(said.detail, "the token has no \"kid\", and 5 keys "
					 "of the route are for HS256");
	token = sign(SES_ALGORITHM_HS256, "023456789abcdef0123456789abcdef0",
		     "{\"alg\":\"HS256\",\"kid\":\"0\"}", "{}");
	assert_int_equal(check_at(keys, &any, token, "/", NOW), GATE_FAULT_NONE);
	gate_keys_free(keys);
}

TEST("a header that could be read in two ways is not read")
{
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
		"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
		"{\"alg\":\"HS256\",\"crit\":[]}",
		"{\"alg\":\"HS256\",\"crit\":null}",
		"{\"alg\":\"HS256\",\"b64\":false}",
		"[\"HS256\"]",
		"\"HS256\"",
		"",
		"null",
		"{\"alg\":\"HS256\"}x",
		"{\"alg\":\"HS256\"}{}",
		"{\"alg\":\"HS256\",}",
		"{'alg':'HS256'}",
		"{\"alg\":\"HS256\",\"a\":\"\xff\"}",
		"{\"alg\":\"HS256\",\"a\":\"\x01\"}",
		"\xef\xbb\xbf{\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		if (check_header(headers[i]) != GATE_FAULT_MALFORMED)
			fail_msg("%s: %s", headers[i], said.detail);
}

TEST("a payload that is no object of claims is refused")
{
	static const struct {
		const char *payload, *detail;
	} rows[] = {
		{"", "the token's payload is no JSON"},
		{"[]", "the token's payload is no JSON object"},
		{"{\"sub\":\"a\",\"sub\":\"b\"}",
		 "the token's payload has the same name twice in one object"},
		{"{\"a\":{\"b\":1,\"b\":2}}",
		 "the token's payload has the same name twice in one object"},
		{"{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
		 "the token's payload is nested too deeply"},
		{"{\"sub\":7}", "the token's \"sub\" is no text"},
		{"{\"exp\":\"1900000000\"}",
		 "the token's \"exp\" is no number"},
		{"{\"exp\":null}", "the token's \"exp\" is no number"},
		{"{\"nbf\":true}", "the token's \"nbf\" is no number"},
		{"{\"exp\":1e999}",
		 "the token's payload has a number that is too large"},
		{"{\"exp\":99999999999999999999}",
		 "the token's payload has a number that is too large"},
	};
	static const struct gate_jwt_settings any;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(check_claims(&any, rows[i].payload),
				 GATE_FAULT_MALFORMED);
		assert_string_equal(said.detail, rows[i].detail);
	}
}

TEST("brackets within texts are not deep")
{
	static const struct gate_jwt_settings any;

	assert_int_equal(check_claims(&any, "{\"a\":\"\\\"[[[[[[[[[[[[[[[["
					    "[[[[[[[[\\\\\",\"b\":[]}"),
			 GATE_FAULT_NONE);
}

TEST("what is no token says what it lacks")
{
	static const struct {
		const char *token, *detail;
	} rows[] = {
		{"", "a signed token has three parts with dots between them; "
		     "this has no dot"},
		{"undefined", "a signed token has three parts with dots "
			      "between them; this has no dot"},
		{"a.b", "a signed token has three parts with dots between "
			"them; this has two"},
		{"a.b.c.d.e", "the token has more than three parts; encrypted "
			      "ones are not taken"},
		{"..", "the token's header is no JSON"},
		{"e30=.e30.x", "the token's header is not base64url"},
		{" e30.e30.x", "the token's header is not base64url"},
		{"e30.e30.x", "the token's header has no \"alg\""},
	};
	static const struct gate_jwt_settings any;
	static char text[GATE_TOKEN_MAX + 1];
	struct bytes token;
	char payload[7000] = "{\"a\":\"";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(check_at(secret_keys(), &any,
					  bytes_of_str(rows[i].token), "/", NOW),
				 GATE_FAULT_MALFORMED);
		assert_string_equal(said.detail, rows[i].detail);
	}
	memset(text, 'a', sizeof(text));
	assert_int_equal(check_at(secret_keys(), &any,
				  bytes_of(text, sizeof(text)), "/", NOW),
			 GATE_FAULT_MALFORMED);
	assert_string_equal(said.detail, "the token is longer than 8192 bytes");
	text[6000] = text[6001] = '.';
	assert_int_equal(
		check_at(secret_keys(), &any, bytes_of(text, 8000), "/", NOW),
		GATE_FAULT_MALFORMED);
	assert_string_equal(said.detail, "the token's header is too long");
	/* As long as a token may be. */
	memset(payload + 6, 'x', 6050);
	strcpy(payload + 6056, "\"}");
	token = sign(SES_ALGORITHM_HS256, SECRET, "{\"alg\":\"HS256\"}",
		     payload);
	assert_in_range(token.len, 8100, 8192);
	assert_int_equal(check_at(secret_keys(), &any, token, "/", NOW),
			 GATE_FAULT_NONE);
}

/* Nothing of a token that is not signed may decide, nor be told as true. */
TEST("the signature comes before what a token claims")
{
	static const struct gate_jwt_settings any;
	struct bytes token = sign(SES_ALGORITHM_HS256, "another secret",
				  HS256_HEADER, "{\"sub\":\"bob\",\"exp\":1}");

	assert_int_equal(check_at(secret_keys(), &any, token, "/", NOW),
			 GATE_FAULT_SIGNATURE);
	assert_null(said.claims);
	assert_string_equal(said.subject, "");
	assert_string_equal(said.detail, "1 key was tried for HS256");
}

/* TLS looks into the same queue, and would take an old entry for its own. */
TEST("nothing is left in OpenSSL's queue of errors, and nothing taken from it")
{
	char pem[1000];

	ERR_raise(ERR_LIB_USER, 77);
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		struct gate_keys *keys = named_keys(tokens[i].key);
		char *text = strdup(tokens[i].text);
		char *last = text + strlen(text) - 3;

		*last = *last == 'x' ? 'y' : 'x';
		assert_int_equal(
			check_at(keys, &strict, bytes_of_str(text), "/", NOW),
			GATE_FAULT_SIGNATURE);
		gate_keys_free(keys);
		free(text);
	}
	snprintf(pem, sizeof(pem), "%.60s", P256_PEM);
	assert_null(keys_of(gate_keys_add_pem, bytes_of_str(pem), 0, NULL));
	assert_null(keys_of(gate_keys_add_pem, BYTES(K1_PEM), 0, NULL));
	assert_null(keys_of(gate_keys_add_jwks,
			    BYTES("{\"keys\":[{\"kty\":\"EC\",\"crv\":"
				  "\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAA"
				  "AAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAA"
				  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}"),
			    0, NULL));
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 77);
	assert_int_equal(ERR_get_error(), 0);
}

static void *check_often(void *arg)
{
	const struct gate_keys *keys = arg;
	size_t good = 0;

	for (size_t n = 0; n < 5; n++)
		for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
			struct gate_jwt jwt;

			good += gate_jwt_check(keys, &strict,
					       bytes_of_str(tokens[i].text),
					       BYTES("/"), NOW,
					       &jwt) == GATE_FAULT_NONE;
			json_decref(jwt.claims);
		}
	return (void *)good;
}

TEST("several threads check tokens by the same keys")
{
	struct gate_keys *keys =
		keys_of(gate_keys_add_jwks, BYTES(JWKS), 0, NULL);
	pthread_t threads[4];
	size_t own = (size_t)check_often(keys);

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, check_often, keys), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *good;

		pthread_join(threads[i], &good);
		assert_int_equal((size_t)good, own);
	}
	assert_in_range(own, 5, 5 * ARRAY_LEN(tokens));
	gate_keys_free(keys);
}
