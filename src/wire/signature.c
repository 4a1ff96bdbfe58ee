/* SPDX-License-Identifier: MIT */
/*
 * Signatures by OpenSSL. What is hard is what must not pass: a key of another
 * curve, one too short to be of use, an exponent of 1, r or s of zero. What
 * OpenSSL notes about a failure is dropped here, for the next one who looks at
 * its queue is TLS, and would take it for its own.
 */
#include "wire/signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define RSA_LEAST_BITS 2048
#define RSA_MOST_BITS  8192 /* dearer ones would let tokens cost too much */
#define SECRET_LEAST   32
#define SECRET_MOST    4096
#define POINT_MOST     (1 + 2 * 66) /* of P-521, not compressed */

struct ses_key {
	enum ses_key_kind kind;
	EVP_PKEY *public; /* NULL: a secret */
	size_t secret_len;
	uint8_t secret[];
};

/* ---- Algorithms and kinds ---- */

static const struct algorithm {
	const char *name, *digest;
	size_t digest_len;
	bool pss;
} algorithms[SES_N_ALGORITHMS] = {
	[SES_ALGORITHM_HS256] = {"HS256", "SHA256", 32},
	[SES_ALGORITHM_HS384] = {"HS384", "SHA384", 48},
	[SES_ALGORITHM_HS512] = {"HS512", "SHA512", 64},
	[SES_ALGORITHM_RS256] = {"RS256", "SHA256", 32},
	[SES_ALGORITHM_RS384] = {"RS384", "SHA384", 48},
	[SES_ALGORITHM_RS512] = {"RS512", "SHA512", 64},
	[SES_ALGORITHM_PS256] = {"PS256", "SHA256", 32, true},
	[SES_ALGORITHM_PS384] = {"PS384", "SHA384", 48, true},
	[SES_ALGORITHM_PS512] = {"PS512", "SHA512", 64, true},
	[SES_ALGORITHM_ES256] = {"ES256", "SHA256", 32},
	[SES_ALGORITHM_ES384] = {"ES384", "SHA384", 48},
	[SES_ALGORITHM_ES512] = {"ES512", "SHA512", 64},
	[SES_ALGORITHM_EDDSA] = {"EdDSA", NULL, 0}, /* it hashes by itself */
};

#define BIT(symbol) SES_ALGORITHM_BIT(SES_ALGORITHM_##symbol)

static const struct kind {
	const char *name, *group;
	size_t number_len; /* of r, s, x and y */
	unsigned algorithms;
} kinds[SES_N_KEY_KINDS] = {
	[SES_KEY_SECRET] = {"secret", NULL, 0,
			    BIT(HS256) | BIT(HS384) | BIT(HS512)},
	[SES_KEY_RSA] = {"RSA", NULL, 0,
			 BIT(RS256) | BIT(RS384) | BIT(RS512) | BIT(PS256) |
				 BIT(PS384) | BIT(PS512)},
	[SES_KEY_P256] = {"EC P-256", "prime256v1", 32, BIT(ES256)},
	[SES_KEY_P384] = {"EC P-384", "secp384r1", 48, BIT(ES384)},
	[SES_KEY_P521] = {"EC P-521", "secp521r1", 66, BIT(ES512)},
	[SES_KEY_ED25519] = {"Ed25519", NULL, 0, BIT(EDDSA)},
};

const char *ses_algorithm_name(enum ses_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

bool ses_algorithm_read(struct bytes name, enum ses_algorithm *ret)
{
	for (enum ses_algorithm a = 0; a < SES_N_ALGORITHMS; a++) {
		if (bytes_equal_str(name, algorithms[a].name)) {
			*ret = a;
			return true;
		}
	}
	return false;
}

const char *ses_key_kind_name(enum ses_key_kind kind)
{
	return kinds[kind].name;
}

enum ses_key_kind ses_key_kind(const struct ses_key *key)
{
	return key->kind;
}

unsigned ses_key_algorithms(const struct ses_key *key)
{
	unsigned set = kinds[key->kind].algorithms;

	if (key->kind != SES_KEY_SECRET)
		return set;
	for (enum ses_algorithm a = 0; a < SES_N_ALGORITHMS; a++)
		if (algorithms[a].digest_len > key->secret_len)
			set &= ~SES_ALGORITHM_BIT(a);
	return set;
}

/* ---- Keys ---- */

static struct ses_key *new_key(enum ses_key_kind kind, size_t secret_len,
			       const char **ret_wrong)
{
	struct ses_key *key = calloc(1, sizeof(*key) + secret_len);

	if (!key) {
		*ret_wrong = "needs more memory than there is";
		return NULL;
	}
	key->kind = kind;
	key->secret_len = secret_len;
	return key;
}

void ses_key_free(struct ses_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->public);
	OPENSSL_cleanse(key->secret, key->secret_len);
	free(key);
}

struct ses_key *ses_key_from_secret(struct bytes secret, const char **ret_wrong)
{
	struct ses_key *key;

	if (secret.len < SECRET_LEAST || secret.len > SECRET_MOST) {
		*ret_wrong = secret.len == 0 ? "is an empty secret"
			     : secret.len > SECRET_MOST
				     ? "is a secret of more than 4096 bytes"
				     : "is a secret of less than 32 bytes, "
				       "which one token is enough to guess "
				       "(RFC 7518 section 3.2)";
		return NULL;
	}
	key = new_key(SES_KEY_SECRET, secret.len, ret_wrong);
	if (key)
		memcpy(key->secret, secret.data, secret.len);
	return key;
}

/* NULL, or why an RSA key is of no use. */
static const char *rsa_fault(EVP_PKEY *public)
{
	BIGNUM *n = NULL, *e = NULL;
	const char *wrong = NULL;
	int bits = EVP_PKEY_get_bits(public);

	if (EVP_PKEY_get_bn_param(public, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(public, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		wrong = "is no whole RSA key";
	else if (bits < RSA_LEAST_BITS)
		wrong = "is an RSA key of less than 2048 bits";
	else if (bits > RSA_MOST_BITS)
		wrong = "is an RSA key of more than 8192 bits";
	else if (!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) ||
		 BN_num_bits(e) > 64)
		wrong = "is an RSA key with a modulus or an exponent that no "
			"RSA key has";
	BN_free(n);
	BN_free(e);
	return wrong;
}

static bool is_valid_point(EVP_PKEY *public)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public, NULL);
	bool valid = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return valid;
}

static const char *ec_kind(EVP_PKEY *public, enum ses_key_kind *ret_kind)
{
	char group[64];
	size_t len;

	if (EVP_PKEY_get_group_name(public, group, sizeof(group), &len) != 1)
		return "is an EC key whose curve has no name";
	for (enum ses_key_kind k = SES_KEY_P256; k <= SES_KEY_P521; k++) {
		if (strcmp(group, kinds[k].group) == 0) {
			*ret_kind = k;
			return is_valid_point(public)
				       ? NULL
				       : "is no point on its curve";
		}
	}
	return "is an EC key of a curve other than P-256, P-384 and P-521";
}

static const char *kind_of(EVP_PKEY *public, enum ses_key_kind *ret_kind)
{
	switch (EVP_PKEY_get_base_id(public)) {
	case EVP_PKEY_RSA:
		*ret_kind = SES_KEY_RSA;
		return rsa_fault(public);
	case EVP_PKEY_EC:
		return ec_kind(public, ret_kind);
	case EVP_PKEY_ED25519:
		*ret_kind = SES_KEY_ED25519;
		return NULL;
	default:
		return "is a key of a kind other than RSA, EC and Ed25519";
	}
}

/* A key of @public (taken; may be NULL). */
static struct ses_key *key_of(EVP_PKEY *public, const char **ret_wrong)
{
	enum ses_key_kind kind = SES_KEY_RSA;
	const char *wrong = public ? kind_of(public, &kind)
				   : "is no public key that OpenSSL can read";
	struct ses_key *key;

	if (wrong)
		*ret_wrong = wrong;
	key = wrong ? NULL : new_key(kind, 0, ret_wrong);
	if (key)
		key->public = public;
	else
		EVP_PKEY_free(public);
	return key;
}

static EVP_PKEY *public_of(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *public = NULL;

	if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &public, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	return public;
}

static EVP_PKEY *rsa_of(struct bytes n, struct bytes e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *bn_n = BN_bin2bn(n.data, (int)n.len, NULL);
	BIGNUM *bn_e = BN_bin2bn(e.data, (int)e.len, NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *public = NULL;

	if (build && bn_n && bn_e &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	public = public_of("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(bn_n);
	BN_free(bn_e);
	return public;
}

struct ses_key *ses_key_from_rsa(struct bytes n, struct bytes e,
				 const char **ret_wrong)
{
	struct ses_key *key;

	if (n.len == 0 || e.len == 0 || n.len > RSA_MOST_BITS / 8 + 1 ||
	    e.len > 9) {
		*ret_wrong = "is an RSA key whose modulus or exponent is "
			     "empty or too long";
		return NULL;
	}
	ERR_set_mark();
	key = key_of(rsa_of(n, e), ret_wrong);
	ERR_pop_to_mark();
	return key;
}

struct ses_key *ses_key_from_point(enum ses_key_kind kind, struct bytes x,
				   struct bytes y, const char **ret_wrong)
{
	size_t len = kinds[kind].number_len;
	uint8_t point[POINT_MOST] = {4}; /* not compressed */
	OSSL_PARAM params[3];
	struct ses_key *key;

	if (len == 0 || x.len != len || y.len != len) {
		*ret_wrong = "has an x or y of another length than its curve";
		return NULL;
	}
	memcpy(point + 1, x.data, len);
	memcpy(point + 1 + len, y.data, len);
	params[0] = OSSL_PARAM_construct_utf8_string(
		OSSL_PKEY_PARAM_GROUP_NAME, (char *)kinds[kind].group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						      point, 1 + 2 * len);
	params[2] = OSSL_PARAM_construct_end();
	ERR_set_mark();
	key = key_of(public_of("EC", params), ret_wrong);
	ERR_pop_to_mark();
	if (!key)
		*ret_wrong = "is no point on its curve";
	return key;
}

struct ses_key *ses_key_from_ed25519(struct bytes x, const char **ret_wrong)
{
	struct ses_key *key;

	if (x.len != 32) {
		*ret_wrong = "has an x of other than 32 bytes";
		return NULL;
	}
	ERR_set_mark();
	key = key_of(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data,
						 x.len),
		     ret_wrong);
	ERR_pop_to_mark();
	return key;
}

/* ---- PEM ---- */

static EVP_PKEY *public_of_certificate(const uint8_t *data, long len)
{
	X509 *x509 = d2i_X509(NULL, &data, len);
	EVP_PKEY *public = x509 ? X509_get_pubkey(x509) : NULL;

	X509_free(x509);
	return public;
}

static struct ses_key *key_of_block(const char *name, const uint8_t *data,
				    long len, const char **ret_wrong)
{
	if (strcmp(name, "PUBLIC KEY") == 0)
		return key_of(d2i_PUBKEY(NULL, &data, len), ret_wrong);
	if (strcmp(name, "RSA PUBLIC KEY") == 0)
		return key_of(d2i_PublicKey(EVP_PKEY_RSA, NULL, &data, len),
			      ret_wrong);
	if (strcmp(name, "CERTIFICATE") == 0)
		return key_of(public_of_certificate(data, len), ret_wrong);
	if (strstr(name, "PRIVATE KEY"))
		*ret_wrong = "holds a private key; who checks tokens needs "
			     "the public one alone, which `openssl pkey -in "
			     "FILE -pubout` writes";
	else
		*ret_wrong = "holds a PEM block that is neither a public key "
			     "nor a certificate";
	return NULL;
}

/* The next block: 1, 0 at the end, -1 with *ret_wrong. */
static int next_block(BIO *bio, struct ses_key **ret_key, bool *certificates,
		      const char **ret_wrong)
{
	char *name = NULL, *header = NULL;
	uint8_t *data = NULL;
	long len = 0;

	if (PEM_read_bio(bio, &name, &header, &data, &len) != 1) {
		int reason = ERR_GET_REASON(ERR_peek_last_error());

		*ret_wrong = "holds a PEM block that is cut or damaged";
		return reason == PEM_R_NO_START_LINE ? 0 : -1;
	}
	*ret_key = key_of_block(name, data, len, ret_wrong);
	*certificates |= strcmp(name, "CERTIFICATE") == 0;
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, len > 0 ? (size_t)len : 0);
	return *ret_key ? 1 : -1;
}

static int read_blocks(BIO *bio, struct ses_key *keys[SES_PEM_MAX_KEYS],
		       const char **ret_wrong)
{
	bool certificates = false;
	int n = 0, got;

	while ((got = next_block(bio, &keys[n], &certificates, ret_wrong)) > 0)
		if (++n == SES_PEM_MAX_KEYS)
			break;
	if (got == 0 && n == 0)
		*ret_wrong = "holds no PEM block";
	else if (got > 0)
		*ret_wrong = "holds more than 15 keys";
	else if (got == 0 && certificates && n > 1)
		*ret_wrong = "holds a certificate and more; the keys of a "
			     "chain's authorities sign no tokens";
	else if (got == 0)
		return n;
	while (n > 0)
		ses_key_free(keys[--n]);
	return -1;
}

int ses_keys_from_pem(struct bytes pem, struct ses_key *keys[SES_PEM_MAX_KEYS],
		      const char **ret_wrong)
{
	BIO *bio;
	int n;

	if (pem.len > 1 << 20) {
		*ret_wrong = "is longer than 1 MiB";
		return -1;
	}
	ERR_set_mark();
	bio = BIO_new_mem_buf(pem.data ? (const void *)pem.data : "",
			      (int)pem.len);
	*ret_wrong = "needs more memory than there is";
	n = bio ? read_blocks(bio, keys, ret_wrong) : -1;
	BIO_free(bio);
	ERR_pop_to_mark();
	return n;
}

/* ---- Signatures ---- */

size_t ses_hmac(enum ses_algorithm algorithm, struct bytes secret,
		struct bytes data, uint8_t out[64])
{
	const EVP_MD *md = EVP_get_digestbyname(algorithms[algorithm].digest);
	unsigned len = 0;

	if (!md || !HMAC(md, secret.data, (int)secret.len, data.data, data.len,
			 out, &len))
		return 0;
	return len;
}

static bool verify_hmac(const struct ses_key *key, enum ses_algorithm algorithm,
			struct bytes data, struct bytes signature)
{
	uint8_t own[64];
	size_t len = ses_hmac(algorithm, bytes_of(key->secret, key->secret_len),
			      data, own);

	return len && len == signature.len &&
	       CRYPTO_memcmp(own, signature.data, len) == 0;
}

static bool set_padding(EVP_PKEY_CTX *ctx, bool pss)
{
	if (!pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	/* The salt is as long as the digest (RFC 7518 section 3.5). */
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) ==
		       1;
}

static bool verify(const struct ses_key *key, const struct algorithm *algorithm,
		   struct bytes data, struct bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx = NULL;
	bool good;

	good = ctx &&
	       EVP_DigestVerifyInit_ex(ctx, &key_ctx, algorithm->digest, NULL,
				       NULL, key->public, NULL) == 1 &&
	       (key->kind != SES_KEY_RSA ||
		set_padding(key_ctx, algorithm->pss)) &&
	       EVP_DigestVerify(ctx, signature.data, signature.len, data.data,
				data.len) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

/* JOSE writes r and s one after the other (RFC 7518 3.4), OpenSSL in DER. */
static int der_of(struct bytes signature, uint8_t **ret_der)
{
	int half = (int)(signature.len / 2);
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature.data, half, NULL);
	BIGNUM *s = BN_bin2bn(signature.data + half, half, NULL);
	int len = -1;

	if (pair && r && s && !BN_is_zero(r) && !BN_is_zero(s) &&
	    ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL; /* they are the pair's now */
		len = i2d_ECDSA_SIG(pair, ret_der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return len;
}

static bool verify_ecdsa(const struct ses_key *key,
			 const struct algorithm *algorithm, struct bytes data,
			 struct bytes signature)
{
	uint8_t *der = NULL;
	bool good;
	int len;

	if (signature.len != 2 * kinds[key->kind].number_len)
		return false;
	len = der_of(signature, &der);
	good = len > 0 &&
	       verify(key, algorithm, data, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	return good;
}

bool ses_signature_verify(const struct ses_key *key,
			  enum ses_algorithm algorithm, struct bytes data,
			  struct bytes signature)
{
	bool good;

	if (!(ses_key_algorithms(key) & SES_ALGORITHM_BIT(algorithm)) ||
	    signature.len == 0 || signature.len > SES_SIGNATURE_MAX)
		return false;
	ERR_set_mark();
	if (key->kind == SES_KEY_SECRET)
		good = verify_hmac(key, algorithm, data, signature);
	else if (kinds[key->kind].group)
		good = verify_ecdsa(key, &algorithms[algorithm], data,
				    signature);
	else
		good = verify(key, &algorithms[algorithm], data, signature);
	ERR_pop_to_mark();
	return good;
}
