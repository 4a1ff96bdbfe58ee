/* SPDX-License-Identifier: MIT */
/*
 * SHA-1 by OpenSSL. Looking an algorithm up takes longer than hashing a key
 * with it, so it is fetched once.
 */
#include "wire/digest.h"

#include <openssl/evp.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha1;

/* Kept until the program ends: connections may outlive any other owner. */
static void fetch_sha1(void)
{
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

bool ses_sha1(struct bytes head, struct bytes tail, uint8_t out[SES_SHA1_LEN])
{
	EVP_MD_CTX *ctx;
	bool ok;

	pthread_once(&once, fetch_sha1);
	ctx = sha1 ? EVP_MD_CTX_new() : NULL;
	ok = ctx && EVP_DigestInit_ex2(ctx, sha1, NULL) == 1 &&
	     EVP_DigestUpdate(ctx, head.data, head.len) == 1 &&
	     EVP_DigestUpdate(ctx, tail.data, tail.len) == 1 &&
	     EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}
