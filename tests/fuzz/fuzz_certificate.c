/* SPDX-License-Identifier: MIT */
/*
 * The certificate that a peer shows, out of any bytes that OpenSSL takes for
 * one: its names come out whole, each of one kind and fit for a terminal, and
 * a list of entries decides about it.
 */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "gate/client_certificate.h"
#include "net/tls.h"
#include "net/tls_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_ENTRIES 5

static struct gate_rule entries[N_ENTRIES] = {
	{.text = (char *)"subject:CN=alice"},
	{.text = (char *)"issuer:O=*"},
	{.text = (char *)"san:dns:*.a.example"},
	{.text = (char *)"!san:ip:192.0.2.7"},
	{.text = (char *)"san:uri:spiffe://a.example/*"},
};
static const struct gate_rules rules = {.rule = entries, .n = N_ENTRIES};

static void check_text(const char *text, size_t room)
{
	assert(strnlen(text, room) < room);
	for (; *text; text++)
		assert((uint8_t)*text >= ' ' && *text != 0x7f);
}

/* What the list says of it. */
static void decide(const struct ses_tls_info *info)
{
	char shown[GATE_CERTIFICATE_SHOWN];
	const struct gate_rule *rule = NULL;
	static bool ready;
	bool admitted;

	for (size_t i = 0; !ready && i < N_ENTRIES; i++)
		assert(!gate_certificate_rule_read(&entries[i]));
	ready = true;
	admitted = gate_certificate_admitted(&rules, info, &rule);
	assert(!admitted || (rule && !rule->negative));
	gate_certificate_shown(&rules, rule, info, shown, sizeof(shown));
	check_text(shown, sizeof(shown));
}

static void check(const struct ses_tls_info *info)
{
	const struct ses_tls_names *names = &info->names;
	char shown[GATE_CERTIFICATE_SHOWN];
	size_t at = 0, i = 0;

	check_text(info->subject, sizeof(info->subject));
	check_text(info->issuer, sizeof(info->issuer));
	check_text(info->not_before, sizeof(info->not_before));
	check_text(info->not_after, sizeof(info->not_after));
	assert(names->n <= SES_TLS_MAX_NAMES &&
	       names->used <= SES_TLS_NAMES_ROOM);
	for (; i < names->n; i++) {
		assert(names->of[i].at == at &&
		       ses_tls_name_kind(names, i) < SES_TLS_NAME_KINDS);
		check_text(ses_tls_name(names, i), names->used - at);
		at += strlen(ses_tls_name(names, i)) + 1;
	}
	assert(at == names->used);
	for (i = 0; ses_tls_next_host(names, &i);)
		assert(i <= names->n);
	gate_certificate_tell(info, shown, sizeof(shown));
	check_text(shown, sizeof(shown));
}

/* As the library does when a peer shows it. */
static void show(X509 *cert, struct ses_tls *tls)
{
	static SSL_CTX *ssl_ctx;
	static X509_STORE *trusted;
	struct ses_tls_context ctx = {.insecure = true};
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	SSL *ssl;

	if (!ssl_ctx) {
		ssl_ctx = SSL_CTX_new(TLS_method());
		trusted = X509_STORE_new();
	}
	ssl = SSL_new(ssl_ctx);
	SSL_set_app_data(ssl, tls);
	tls->ssl = ssl;
	tls->ctx = &ctx;
	X509_STORE_CTX_init(store, trusted, cert, NULL);
	X509_STORE_CTX_set_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx(),
				   ssl);
	ses_tls_verify(store, &ctx);
	X509_STORE_CTX_free(store);
	SSL_free(ssl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *at = data;
	X509 *cert = d2i_X509(NULL, &at, (long)size);
	static struct ses_tls_info info;
	struct ses_tls tls = {.info = &info};

	memset(&info, 0, sizeof(info));
	if (cert) {
		show(cert, &tls);
		check(&info);
		info.verify = SES_TLS_OK; /* as if somebody had signed it */
		decide(&info);
	}
	X509_free(cert);
	ERR_clear_error();
	return 0;
}
