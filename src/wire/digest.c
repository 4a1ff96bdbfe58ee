/* SPDX-License-Identifier: MIT */
/*
 * Digests by OpenSSL. Looking SHA-1 up takes longer than hashing a key with
 * it, so what is asked for by the handshake is fetched once.
 */
#include "wire/digest.h"

#include <openssl/evp.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha1, *sha256, *md5;

/* Kept until the program ends: connections may outlive any other owner. */
static void fetch(void)
{
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	md5 = EVP_MD_fetch(NULL, "MD5", NULL); /* not there in FIPS mode */
}

bool ses_sha1(struct bytes head, struct bytes tail, uint8_t out[SES_SHA1_LEN])
{
	EVP_MD_CTX *ctx;
	bool ok;

	pthread_once(&once, fetch);
	ctx = sha1 ? EVP_MD_CTX_new() : NULL;
	ok = ctx && EVP_DigestInit_ex2(ctx, sha1, NULL) == 1 &&
	     EVP_DigestUpdate(ctx, head.data, head.len) == 1 &&
	     EVP_DigestUpdate(ctx, tail.data, tail.len) == 1 &&
	     EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool ses_md5(struct bytes in, uint8_t out[SES_MD5_LEN])
{
	pthread_once(&once, fetch);
	return md5 && EVP_Digest(in.data, in.len, out, NULL, md5, NULL) == 1;
}

bool ses_sha256(struct bytes in, uint8_t out[SES_SHA256_LEN])
{
	pthread_once(&once, fetch);
	return sha256 &&
	       EVP_Digest(in.data, in.len, out, NULL, sha256, NULL) == 1;
}

bool ses_digest_hex(const char *algorithm, struct bytes in,
		    char out[SES_HEX_LEN])
{
	static const char digits[] = "0123456789abcdef";
	EVP_MD *md = EVP_MD_fetch(NULL, algorithm, NULL);
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok;

	ok = md && EVP_Digest(in.data, in.len, raw, &len, md, NULL) == 1 &&
	     2 * len < SES_HEX_LEN;
	EVP_MD_free(md);
	if (!ok)
		return false;
	for (unsigned i = 0; i < len; i++) {
		out[2 * i] = digits[raw[i] >> 4];
		out[2 * i + 1] = digits[raw[i] & 15];
	}
	out[2 * len] = 0;
	return true;
}
