/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL between two memory areas: a BIO of our own reads what the stream
 * received and writes records into the loop's buffer, so a turn's records
 * leave in one send and no system call happens in here. Contexts are made in
 * tls_context.c; what is learned about the peer is written down in
 * tls_info.c.
 */
#include "net/tls_inner.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A record and its overhead, generously (RFC 5246 6.2.3, RFC 8446 5.2). */
#define RECORD_BYTES (16384 + 512)

/* ---- the BIO ---- */

static void note_first(struct ses_tls *tls, struct bytes in)
{
	struct bytes head = bytes_first(in, sizeof(tls->first) - tls->first_len);

	if (tls->up || head.len == 0)
		return;
	memcpy(tls->first + tls->first_len, head.data, head.len);
	tls->first_len += head.len;
}

static int wire_read(BIO *bio, char *to, int len)
{
	struct ses_tls *tls = BIO_get_data(bio);
	struct bytes got;

	BIO_clear_retry_flags(bio);
	if (!tls->wire || tls->wire->in.len == 0 || len <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	got = bytes_first(tls->wire->in, (size_t)len);
	memcpy(to, got.data, got.len);
	tls->wire->in = bytes_from(tls->wire->in, got.len);
	return (int)got.len;
}

static int wire_write(BIO *bio, const char *from, int len)
{
	struct ses_tls *tls = BIO_get_data(bio);
	struct ses_tls_wire *wire = tls->wire;

	BIO_clear_retry_flags(bio);
	if (!wire || len < 0 || (size_t)len > wire->out_size - wire->out_len) {
		BIO_set_retry_write(bio);
		return -1;
	}
	memcpy(wire->out + wire->out_len, from, (size_t)len);
	wire->out_len += (size_t)len;
	return len;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO_METHOD *wire_method; /* NULL: no memory */
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
	wire_method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(),
				   "sesame");
	if (!wire_method)
		return;
	BIO_meth_set_read(wire_method, wire_read);
	BIO_meth_set_write(wire_method, wire_write);
	BIO_meth_set_ctrl(wire_method, wire_control);
}

/* ---- birth and death ---- */

/*
 * A name is checked and sent as SNI, without the dot that makes it absolute; an
 * address is only checked (RFC 6066 section 3).
 */
static bool set_name(SSL *ssl, const char *text)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	size_t len = strlen(text);
	char name[256];

	if (len >= sizeof(name))
		return false;
	memcpy(name, text, len + 1);
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = 0;
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
		return true;
	X509_VERIFY_PARAM_set_hostflags(param,
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

static bool set_up(struct ses_tls *tls, const char *name)
{
	SSL *ssl = SSL_new(tls->ctx->ssl_ctx);
	BIO *bio;

	tls->ssl = ssl;
	if (!ssl)
		return false;
	SSL_set_app_data(ssl, tls);
	pthread_once(&method_once, make_method);
	bio = wire_method ? BIO_new(wire_method) : NULL;
	if (!bio)
		return false;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	if (tls->ctx->is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return !name || tls->ctx->is_server || !*name || set_name(ssl, name);
}

struct ses_tls *ses_tls_new(struct ses_tls_context *ctx, const char *name)
{
	struct ses_tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return NULL;
	ses_tls_context_ref(ctx);
	tls->ctx = ctx;
	ERR_clear_error();
	if (ses_tls_need_info(tls) && set_up(tls, name))
		return tls;
	ses_tls_free(tls);
	return NULL;
}

void ses_tls_free(struct ses_tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	ses_buf_fini(&tls->unsent);
	ses_tls_context_unref(tls->ctx);
	free(tls->info);
	free(tls);
}

void ses_tls_forget(struct ses_tls *tls)
{
	free(tls->info);
	tls->info = NULL;
}

/* ---- bytes in, bytes out ---- */

/* What a call of OpenSSL that returned @r meant: 0 to go on, or an error. */
static int outcome(struct ses_tls *tls, int r)
{
	switch (SSL_get_error(tls->ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return SESAME_ECLOSED;
	default:
		ses_tls_note_failure(tls);
		return SESAME_ETLS;
	}
}

/* An error of others would pass for one of the call's; there is seldom one. */
static void enter(struct ses_tls *tls, struct ses_tls_wire *wire)
{
	if (ERR_peek_error())
		ERR_clear_error();
	tls->wire = wire;
}

int ses_tls_handshake(struct ses_tls *tls, struct ses_tls_wire *wire)
{
	int r;

	enter(tls, wire);
	note_first(tls, wire->in);
	r = SSL_do_handshake(tls->ssl);
	if (r == 1)
		ses_tls_note_success(tls);
	else
		r = outcome(tls, r);
	tls->wire = NULL;
	return r == SESAME_ECLOSED ? SESAME_ETLS : r;
}

/* There is nothing to be read, not even the end; to ask OpenSSL takes longer. */
static bool is_dry(const struct ses_tls *tls, const struct ses_tls_wire *wire)
{
	return wire->in.len == 0 && !SSL_has_pending(tls->ssl) &&
	       !SSL_get_shutdown(tls->ssl);
}

ssize_t ses_tls_read(struct ses_tls *tls, struct ses_tls_wire *wire, void *to,
		     size_t len)
{
	size_t n = 0;
	int r;

	if (is_dry(tls, wire))
		return 0;
	enter(tls, wire);
	r = SSL_read_ex(tls->ssl, to, len, &n);
	if (r != 1)
		r = outcome(tls, r);
	tls->wire = NULL;
	return r == 1 ? (ssize_t)n : r;
}

ssize_t ses_tls_write(struct ses_tls *tls, struct ses_tls_wire *wire,
		      struct bytes from)
{
	size_t taken = 0, n;
	int r = 1;

	enter(tls, wire);
	while (taken < from.len &&
	       wire->out_size - wire->out_len >= RECORD_BYTES) {
		struct bytes next = bytes_first(bytes_from(from, taken), 16384);

		r = SSL_write_ex(tls->ssl, next.data, next.len, &n);
		if (r != 1)
			break;
		taken += n;
	}
	if (r != 1)
		r = outcome(tls, r);
	tls->wire = NULL;
	return r < 0 ? SESAME_ETLS : (ssize_t)taken;
}

void ses_tls_close(struct ses_tls *tls, struct ses_tls_wire *wire)
{
	enter(tls, wire);
	SSL_shutdown(tls->ssl);
	tls->said_close = true;
	tls->wire = NULL;
	ERR_clear_error();
}
