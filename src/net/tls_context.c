/* SPDX-License-Identifier: MIT */
/*
 * TLS contexts: what is agreed to and whom is trusted. TLS 1.2 is the lowest
 * version unless the caller asks for an older one, which only a diagnosis
 * does; then OpenSSL's security level has to be lowered, too.
 */
#include "net/tls_inner.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

static const unsigned char http_1_1[] = "\x08http/1.1";

/* Nobody is asked: a library has no terminal. */
static int no_password(char *buffer, int size, int writing, void *user)
{
	struct ses_tls_context *ctx = user;

	ctx->wanted_password = true;
	return -1;
}

static struct ses_tls_context *new_context(bool is_server)
{
	struct ses_tls_context *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	ERR_clear_error();
	ctx->ssl_ctx = SSL_CTX_new(is_server ? TLS_server_method()
					     : TLS_client_method());
	if (!ctx->ssl_ctx) {
		free(ctx);
		return NULL;
	}
	atomic_init(&ctx->refs, 1);
	ctx->is_server = is_server;
	SSL_CTX_set_mode(ctx->ssl_ctx,
			 SSL_MODE_RELEASE_BUFFERS |
				 SSL_MODE_ENABLE_PARTIAL_WRITE |
				 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(ctx->ssl_ctx,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_min_proto_version(ctx->ssl_ctx, TLS1_2_VERSION);
	SSL_CTX_set_default_passwd_cb(ctx->ssl_ctx, no_password);
	SSL_CTX_set_default_passwd_cb_userdata(ctx->ssl_ctx, ctx);
	SSL_CTX_set_cert_verify_callback(ctx->ssl_ctx, ses_tls_verify, ctx);
	SSL_CTX_set_info_callback(ctx->ssl_ctx, ses_tls_note_event);
	return ctx;
}

void ses_tls_context_ref(struct ses_tls_context *ctx)
{
	atomic_fetch_add(&ctx->refs, 1);
}

void ses_tls_context_unref(struct ses_tls_context *ctx)
{
	if (!ctx || atomic_fetch_sub(&ctx->refs, 1) > 1)
		return;
	for (size_t i = 0; i < ctx->n_others; i++)
		SSL_CTX_free(ctx->others[i]);
	free(ctx->others);
	SSL_CTX_free(ctx->ssl_ctx);
	free(ctx);
}

static struct ses_tls_context *give_up(struct ses_tls_context *ctx)
{
	ses_tls_context_unref(ctx);
	return NULL;
}

static struct ses_tls_context *refuse(struct ses_tls_context *ctx, char *text,
				      size_t size, const char *why)
{
	if (text && size > 0)
		snprintf(text, size, "%s", why);
	return give_up(ctx);
}

static bool use_key(SSL_CTX *ssl_ctx, const char *key_file)
{
	return SSL_CTX_use_PrivateKey_file(ssl_ctx, key_file,
					   SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(ssl_ctx) == 1;
}

/* Have @ssl_ctx, which is @ctx's own or one of its others, use the files. */
static bool use_certificate(struct ses_tls_context *ctx, SSL_CTX *ssl_ctx,
			    const char *cert_file, const char *key_file,
			    char *text, size_t size)
{
	if (!key_file)
		key_file = cert_file;
	if (SSL_CTX_use_certificate_chain_file(ssl_ctx, cert_file) != 1) {
		ses_tls_explain_file(ctx, "certificate", cert_file, text, size);
		return false;
	}
	if (use_key(ssl_ctx, key_file))
		return true;
	ses_tls_explain_file(ctx, "key", key_file, text, size);
	return false;
}

/* ---- clients ---- */

/* "h2,http/1.1" to length-prefixed names (RFC 7301 3.1). */
static bool set_alpn(struct ses_tls_context *ctx, const char *names)
{
	struct bytes list = bytes_of_str(names), name;

	while (bytes_next_element(&list, &name)) {
		if (name.len > 255 ||
		    name.len + 1 > sizeof(ctx->alpn) - ctx->alpn_len)
			return false;
		ctx->alpn[ctx->alpn_len++] = (unsigned char)name.len;
		memcpy(ctx->alpn + ctx->alpn_len, name.data, name.len);
		ctx->alpn_len += (unsigned)name.len;
	}
	return ctx->alpn_len == 0 ||
	       SSL_CTX_set_alpn_protos(ctx->ssl_ctx, ctx->alpn,
				       ctx->alpn_len) == 0;
}

static int version_number(int version)
{
	return version == 0 ? 0 : TLS1_VERSION + (version - 10);
}

static void set_versions(SSL_CTX *ctx, int lowest, int highest)
{
	if (lowest > 0)
		SSL_CTX_set_min_proto_version(ctx, version_number(lowest));
	if (highest > 0)
		SSL_CTX_set_max_proto_version(ctx, version_number(highest));
	if ((lowest > 0 && lowest < 12) || (highest > 0 && highest < 12)) {
		if (lowest == 0)
			SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0");
	}
}

static bool trust(struct ses_tls_context *ctx, const char *ca_file, char *text,
		  size_t size)
{
	if (!ca_file)
		return SSL_CTX_set_default_verify_paths(ctx->ssl_ctx) == 1;
	if (SSL_CTX_load_verify_file(ctx->ssl_ctx, ca_file) == 1)
		return true;
	ses_tls_explain_file(ctx, "CA certificates", ca_file, text, size);
	return false;
}

struct ses_tls_context *
ses_tls_client_new(const struct ses_tls_client_options *options, char *text,
		   size_t text_size)
{
	static const struct ses_tls_client_options defaults;
	const struct ses_tls_client_options *o = options ? options : &defaults;
	struct ses_tls_context *ctx = new_context(false);

	if (text && text_size > 0)
		snprintf(text, text_size, "out of memory");
	if (!ctx)
		return NULL;
	ctx->insecure = o->insecure;
	set_versions(ctx->ssl_ctx, o->min_version, o->max_version);
	SSL_CTX_set_verify(ctx->ssl_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_cb(ctx->ssl_ctx, ses_tls_note_cert_request, NULL);
	if (!trust(ctx, o->ca_file, text, text_size))
		return give_up(ctx);
	if (o->key_file && !o->cert_file)
		return refuse(ctx, text, text_size,
			      "a key without a certificate proves nothing");
	if (o->cert_file && !use_certificate(ctx, ctx->ssl_ctx, o->cert_file,
					     o->key_file, text, text_size))
		return give_up(ctx);
	if (!set_alpn(ctx, o->alpn ? o->alpn : "http/1.1")) {
		if (text)
			snprintf(text, text_size, "cannot offer the ALPN %s",
				 o->alpn);
		return give_up(ctx);
	}
	return ctx;
}

/* ---- servers ---- */

/* http/1.1 or nothing: an offer without it is refused (RFC 7301 3.2). */
static int choose_alpn(SSL *ssl, const unsigned char **ret_name,
		       unsigned char *ret_len, const unsigned char *offer,
		       unsigned offer_len, void *arg)
{
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, ret_len, http_1_1,
				  sizeof(http_1_1) - 1, offer,
				  offer_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret_name = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool ask_for_certificates(struct ses_tls_context *ctx,
				 const char *ca_file, bool required, char *text,
				 size_t size)
{
	int mode = SSL_VERIFY_PEER;
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca_file);

	if (required)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	if (!names || SSL_CTX_load_verify_file(ctx->ssl_ctx, ca_file) != 1) {
		ses_tls_explain_file(ctx, "CA certificates", ca_file, text,
				     size);
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return false;
	}
	SSL_CTX_set_client_CA_list(ctx->ssl_ctx, names);
	SSL_CTX_set_verify(ctx->ssl_ctx, mode, NULL);
	return true;
}

static bool has_name(SSL_CTX *ssl_ctx, const char *name)
{
	X509 *certificate = SSL_CTX_get0_certificate(ssl_ctx);

	return certificate &&
	       X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

/*
 * Have @ssl show the identity of @other. The certificate alone is changed, not
 * the whole context: whom is trusted, how clients are verified and what ALPN
 * is agreed to are asked of a session's context, and belong to the first one.
 * What the first one had goes away, or a client that takes another kind of
 * signature would be shown the wrong name.
 */
static int show_identity(SSL *ssl, SSL_CTX *other)
{
	STACK_OF(X509) *chain = NULL;

	SSL_certs_clear(ssl);
	SSL_CTX_get0_chain_certs(other, &chain);
	if (SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(other),
				 SSL_CTX_get0_privatekey(other), chain, 1) == 1)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/*
 * The identity that the client asks for by SNI (RFC 6066 3). Who asks for
 * nobody that is here gets the first one, and will say what it thinks of it.
 */
static int choose_identity(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct ses_tls_context *ctx = arg;

	if (!name || has_name(ctx->ssl_ctx, name))
		return SSL_TLSEXT_ERR_OK;
	for (size_t i = 0; i < ctx->n_others; i++) {
		if (has_name(ctx->others[i], name))
			return show_identity(ssl, ctx->others[i]);
	}
	return SSL_TLSEXT_ERR_OK;
}

static bool use_identities(struct ses_tls_context *ctx,
			   const struct ses_tls_server_options *o, char *text,
			   size_t size)
{
	if (!use_certificate(ctx, ctx->ssl_ctx, o->cert_file, o->key_file, text,
			     size))
		return false;
	if (o->n_others == 0)
		return true;
	ctx->others = calloc(o->n_others, sizeof(*ctx->others));
	while (ctx->others && ctx->n_others < o->n_others) {
		const struct ses_tls_identity *id = &o->others[ctx->n_others];
		SSL_CTX *other = SSL_CTX_new(TLS_server_method());

		if (!other)
			return false;
		ctx->others[ctx->n_others++] = other;
		SSL_CTX_set_default_passwd_cb(other, no_password);
		SSL_CTX_set_default_passwd_cb_userdata(other, ctx);
		if (!use_certificate(ctx, other, id->cert_file, id->key_file,
				     text, size))
			return false;
	}
	SSL_CTX_set_tlsext_servername_callback(ctx->ssl_ctx, choose_identity);
	SSL_CTX_set_tlsext_servername_arg(ctx->ssl_ctx, ctx);
	return ctx->others != NULL;
}

struct ses_tls_context *
ses_tls_server_new(const struct ses_tls_server_options *options, char *text,
		   size_t text_size)
{
	struct ses_tls_context *ctx = new_context(true);

	if (text && text_size > 0)
		snprintf(text, text_size, "out of memory");
	if (!ctx)
		return NULL;
	if (options->client_cert_required && !options->client_ca_file)
		return refuse(
			ctx, text, text_size,
			"client certificates are required, but no CA says "
			"which to take");
	SSL_CTX_set_options(ctx->ssl_ctx, SSL_OP_CIPHER_SERVER_PREFERENCE |
						  SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_alpn_select_cb(ctx->ssl_ctx, choose_alpn, NULL);
	SSL_CTX_set_session_id_context(ctx->ssl_ctx,
				       (const unsigned char *)"sesame", 6);
	set_versions(ctx->ssl_ctx, options->min_version, 0);
	if (!use_identities(ctx, options, text, text_size))
		return give_up(ctx);
	if (options->client_ca_file &&
	    !ask_for_certificates(ctx, options->client_ca_file,
				  options->client_cert_required, text, text_size))
		return give_up(ctx);
	return ctx;
}
