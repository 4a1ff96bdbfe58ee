/* SPDX-License-Identifier: MIT */
/* What the files of net/tls share: the only place with OpenSSL's types. */
#ifndef NET_TLS_INNER_H
#define NET_TLS_INNER_H

#include <sesame/error.h>

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "net/tls.h"

struct ses_tls_context {
	SSL_CTX *ssl_ctx;
	atomic_uint refs;
	bool is_server;
	bool wanted_password; /* a key is encrypted */
	bool insecure;
	unsigned char alpn[128]; /* a client's offer, as on the wire */
	unsigned alpn_len;
	/* A server's other identities, to be chosen from by name. */
	SSL_CTX **others;
	size_t n_others;
};

/*
 * Say in @text (of @size bytes, or NULL) why @file, which is a "certificate", a
 * "key" or "CA certificates", was not taken, and clear OpenSSL's errors.
 */
void ses_tls_explain_file(const struct ses_tls_context *ctx, const char *what,
			  const char *file, char *text, size_t size);
/* Verify the peer's chain, write down what was found, and judge. */
int ses_tls_verify(X509_STORE_CTX *store, void *context);
/* SSL_CTX callbacks: alerts, and the server's wish for a certificate. */
void ses_tls_note_event(const SSL *ssl, int where, int value);
int ses_tls_note_cert_request(SSL *ssl, void *arg);
/* What is known about the peer, empty if it was forgotten; NULL: no memory. */
struct ses_tls_info *ses_tls_need_info(struct ses_tls *tls);
/* The handshake is done, or a call failed with OpenSSL's errors in its queue. */
void ses_tls_note_success(struct ses_tls *tls);
void ses_tls_note_failure(struct ses_tls *tls);

#endif
