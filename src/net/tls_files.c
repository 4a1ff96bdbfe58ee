/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a file of certificates or with a key, in words. OpenSSL
 * tells which of its routines gave up; the file itself tells the rest: that it
 * is no PEM, that it holds something else, that it was cut.
 */
#include "net/tls_inner.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define LOOKED_AT 65536 /* of a file */

struct content {
	uint8_t data[LOOKED_AT];
	size_t len;
	int error; /* errno, or 0 */
};

static void look_into(const char *file, struct content *ret)
{
	FILE *f = fopen(file, "re");

	ret->len = 0;
	ret->error = f ? 0 : errno;
	if (!f)
		return;
	errno = 0;
	ret->len = fread(ret->data, 1, sizeof(ret->data), f);
	if (ferror(f))
		ret->error = errno ? errno : EIO;
	fclose(f);
}

/* Whether the PEM has a part whose title ends in @title. */
static bool has_part(const struct content *c, const char *title)
{
	static const char begin[] = "-----BEGIN ";
	struct bytes rest = bytes_of(c->data, c->len);
	char end[64];

	snprintf(end, sizeof(end), "%s-----", title);
	while (rest.len > 0) {
		ptrdiff_t n = bytes_find_byte(rest, '\n');
		struct bytes line = n < 0 ? rest : bytes_first(rest, (size_t)n);

		rest = bytes_from(rest, line.len + 1);
		line = bytes_trim(line);
		if (bytes_starts(line, bytes_of_str(begin)) &&
		    line.len >= strlen(end) &&
		    bytes_equal_str(bytes_from(line, line.len - strlen(end)),
				    end))
			return true;
	}
	return false;
}

static bool is_pem(const struct content *c)
{
	return memmem(c->data, c->len, "-----BEGIN ", 11) != NULL;
}

/* What a file without PEM is, and how it becomes PEM. */
static const char *say_binary(const struct content *c)
{
	const unsigned char *at = c->data;
	long len = (long)c->len;
	X509 *cert = d2i_X509(NULL, &at, len);
	EVP_PKEY *key = NULL;
	PKCS12 *bag = NULL;
	const char *says =
		"it is not PEM, which has a line -----BEGIN ...-----";

	if (!cert) {
		at = c->data;
		key = d2i_AutoPrivateKey(NULL, &at, len);
	}
	if (!cert && !key) {
		at = c->data;
		bag = d2i_PKCS12(NULL, &at, len);
	}
	if (cert)
		says = "it is a certificate in DER, not PEM; convert it "
		       "(openssl x509 -inform der -in ... -out ...)";
	else if (key)
		says = "it is a key in DER, not PEM; convert it "
		       "(openssl pkey -inform der -in ... -out ...)";
	else if (bag)
		says = "it is PKCS #12, not PEM; convert it "
		       "(openssl pkcs12 -nodes -in ... -out ...)";
	X509_free(cert);
	EVP_PKEY_free(key);
	PKCS12_free(bag);
	return says;
}

/* What a PEM holds that is not what was looked for. */
static const char *say_other(const struct content *c, bool key)
{
	if (has_part(c, "CERTIFICATE REQUEST"))
		return key ? "it holds a certificate request, no private key"
			   : "it holds a request for a certificate, not the "
			     "certificate that was made of it";
	if (key && has_part(c, "CERTIFICATE"))
		return "it holds a certificate, no private key; name the file "
		       "that has its key";
	if (!key && has_part(c, "PRIVATE KEY"))
		return "it holds a private key, no certificate; name the file "
		       "that has its certificate";
	if (has_part(c, "PUBLIC KEY"))
		return key ? "it holds a public key; the private one is needed"
			   : "it holds a public key, no certificate";
	return key ? "there is no private key in it"
		   : "there is no certificate in it";
}

static bool is_about_form(unsigned long error)
{
	int lib = ERR_GET_LIB(error);

	return error == 0 || lib == ERR_LIB_PEM || lib == ERR_LIB_ASN1 ||
	       lib == ERR_LIB_OSSL_DECODER ||
	       (lib == ERR_LIB_X509 &&
		ERR_GET_REASON(error) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) ||
	       (lib == ERR_LIB_SSL && ERR_GET_REASON(error) == ERR_R_PEM_LIB);
}

/* What @c holds cannot be that, whatever OpenSSL says of it; NULL: it can. */
static const char *say_content(const struct content *c, bool key)
{
	if (c->error)
		return strerror(c->error);
	if (c->len == 0)
		return "the file is empty";
	if (!is_pem(c))
		return say_binary(c);
	if (key ? !has_part(c, "PRIVATE KEY") : !has_part(c, "CERTIFICATE"))
		return say_other(c, key);
	return NULL;
}

static const char *say_error(unsigned long error, bool key)
{
	const char *reason = ERR_reason_error_string(error);

	if (ERR_GET_LIB(error) == ERR_LIB_X509 &&
	    (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
	     ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH))
		return "it is the key of another certificate; take the one "
		       "that this certificate was made with";
	if (is_about_form(error))
		return key ? "the key in it is damaged or was cut; copy it "
			     "anew, from -----BEGIN to -----END"
			   : "a certificate in it is damaged or was cut; copy "
			     "it anew, from -----BEGIN to -----END";
	return reason ? reason : "unknown error";
}

void ses_tls_explain_file(const struct ses_tls_context *ctx, const char *what,
			  const char *file, char *text, size_t size)
{
	unsigned long error = ERR_peek_last_error();
	bool key = strcmp(what, "key") == 0;
	static _Thread_local struct content content;
	const char *says;

	if (text && size > 0) {
		look_into(file, &content);
		says = say_content(&content, key);
		if (!says && key && ctx->wanted_password)
			says = "it is encrypted; decrypt it first "
			       "(openssl pkey -in ... -out ...)";
		if (!says)
			says = say_error(error, key);
		snprintf(text, size, "cannot use the %s %s: %s", what, file,
			 says);
		OPENSSL_cleanse(content.data, content.len);
	}
	ERR_clear_error();
}
