/* SPDX-License-Identifier: MIT */
/*
 * Certificates made when the test runs, so that none can expire in the
 * repository: a CA, and leaves with the names and dates that a case needs.
 */
#ifndef TESTS_NET_CERTIFICATES_H
#define TESTS_NET_CERTIFICATES_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

struct certificate {
	X509 *cert;
	EVP_PKEY *key;
};

static inline void add_extension(X509 *cert, X509 *issuer, int nid,
				 const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/*
 * A certificate for @name, valid from and until so many days from now, issued
 * by @ca (NULL: by itself). @names: "DNS:localhost,IP:127.0.0.1", or NULL for
 * a CA.
 */
static inline struct certificate
certificate_new(const char *name, const char *names,
		const struct certificate *ca, int from_days, int until_days)
{
	static long serial = 1;
	struct certificate c = {X509_new(), EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(c.cert);

	X509_set_version(c.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), serial++);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(c.cert, ca ? X509_get_subject_name(ca->cert)
					: subject);
	X509_gmtime_adj(X509_getm_notBefore(c.cert), from_days * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(c.cert), until_days * 86400L);
	X509_set_pubkey(c.cert, c.key);
	add_extension(c.cert, ca ? ca->cert : c.cert, NID_basic_constraints,
		      names ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (names)
		add_extension(c.cert, c.cert, NID_subject_alt_name, names);
	assert_int_not_equal(
		X509_sign(c.cert, ca ? ca->key : c.key, EVP_sha256()), 0);
	return c;
}

static inline void certificate_free(struct certificate *c)
{
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
}

/* Write certificate and key as one PEM file. */
static inline void certificate_write(const struct certificate *c,
				     const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	PEM_write_X509(f, c->cert);
	PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

#endif
