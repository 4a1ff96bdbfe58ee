/* SPDX-License-Identifier: MIT */
/*
 * What a handshake teaches about the peer, in the words of struct
 * ses_tls_info. Verification runs to its end even after a fault, so that a
 * diagnosis can name the first one of each kind and show the certificate; the
 * handshake is judged only then, and goes no further with a peer that is not
 * to be trusted.
 */
#include "net/tls_inner.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* Descriptions of alerts (RFC 8446 section 6, RFC 5246 section 7.2). */
static const struct {
	int number;
	const char *name;
} alerts[] = {
	{10, "unexpected_message"},
	{20, "bad_record_mac"},
	{21, "decryption_failed"},
	{22, "record_overflow"},
	{30, "decompression_failure"},
	{40, "handshake_failure"},
	{41, "no_certificate"},
	{42, "bad_certificate"},
	{43, "unsupported_certificate"},
	{44, "certificate_revoked"},
	{45, "certificate_expired"},
	{46, "certificate_unknown"},
	{47, "illegal_parameter"},
	{48, "unknown_ca"},
	{49, "access_denied"},
	{50, "decode_error"},
	{51, "decrypt_error"},
	{60, "export_restriction"},
	{70, "protocol_version"},
	{71, "insufficient_security"},
	{80, "internal_error"},
	{86, "inappropriate_fallback"},
	{90, "user_canceled"},
	{100, "no_renegotiation"},
	{109, "missing_extension"},
	{110, "unsupported_extension"},
	{111, "certificate_unobtainable"},
	{112, "unrecognized_name"},
	{113, "bad_certificate_status_response"},
	{115, "unknown_psk_identity"},
	{116, "certificate_required"},
	{120, "no_application_protocol"},
};

/* ---- the certificate ---- */

static void print_name(const X509_NAME *name, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	out[0] = 0;
	if (!bio)
		return;
	if (X509_NAME_print_ex(bio, name, 0,
			       XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		len = BIO_get_mem_data(bio, &text);
		bytes_printable(bytes_of(text, (size_t)len), out, size);
	}
	BIO_free(bio);
}

static void print_time(const ASN1_TIME *time, char *out, size_t size)
{
	struct tm tm;

	out[0] = 0;
	if (time && ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static struct bytes bytes_of_asn1(const ASN1_STRING *s)
{
	return bytes_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static void note_alt_address(struct ses_tls_names *to, struct bytes address)
{
	char text[INET6_ADDRSTRLEN];

	if ((address.len == 4 || address.len == 16) &&
	    inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.data, text,
		      sizeof(text)))
		ses_tls_names_add(to, SES_TLS_NAME_IP, bytes_of_str(text));
}

static void note_alt_name(struct ses_tls_names *to, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		ses_tls_names_add(to, SES_TLS_NAME_DNS,
				  bytes_of_asn1(name->d.dNSName));
		break;
	case GEN_URI:
		ses_tls_names_add(
			to, SES_TLS_NAME_URI,
			bytes_of_asn1(name->d.uniformResourceIdentifier));
		break;
	case GEN_EMAIL:
		ses_tls_names_add(to, SES_TLS_NAME_EMAIL,
				  bytes_of_asn1(name->d.rfc822Name));
		break;
	case GEN_IPADD:
		note_alt_address(to, bytes_of_asn1(name->d.iPAddress));
		break;
	default: /* no rule and no verdict is about the others */
		break;
	}
}

static void note_alt_names(X509 *cert, struct ses_tls_names *to)
{
	int critical;
	GENERAL_NAMES *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);

	to->n = to->used = 0;
	/* -1: it has none; else they stand there twice, or cannot be read. */
	to->more = !names && critical != -1;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		note_alt_name(to, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
}

static void note_certificate(struct ses_tls_info *info, X509 *cert)
{
	print_name(X509_get_subject_name(cert), info->subject,
		   sizeof(info->subject));
	print_name(X509_get_issuer_name(cert), info->issuer,
		   sizeof(info->issuer));
	print_time(X509_get0_notBefore(cert), info->not_before,
		   sizeof(info->not_before));
	print_time(X509_get0_notAfter(cert), info->not_after,
		   sizeof(info->not_after));
	note_alt_names(cert, &info->names);
	info->self_signed = X509_self_signed(cert, 0) == 1;
}

/* ---- verification ---- */

static enum ses_tls_fault class_of(int error)
{
	switch (error) {
	case X509_V_OK:
		return SES_TLS_OK;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return SES_TLS_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return SES_TLS_HOSTNAME;
	default:
		return SES_TLS_UNTRUSTED;
	}
}

/* The gravest class found so far, and its first error. */
struct findings {
	enum ses_tls_fault fault;
	int error;
};

static int findings_index;
static pthread_once_t findings_once = PTHREAD_ONCE_INIT;

static void make_findings_index(void)
{
	findings_index =
		X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* Remember an error and let verification go on. */
static int note_error(int ok, X509_STORE_CTX *store)
{
	struct findings *found =
		X509_STORE_CTX_get_ex_data(store, findings_index);
	int error = X509_STORE_CTX_get_error(store);
	enum ses_tls_fault fault = class_of(error);

	/* the enum is in the order of gravity: chain, dates, names */
	if (!ok && found && (found->fault == SES_TLS_OK || fault < found->fault))
		*found = (struct findings){fault, error};
	return 1;
}

struct ses_tls_info *ses_tls_need_info(struct ses_tls *tls)
{
	if (!tls->info)
		tls->info = calloc(1, sizeof(*tls->info));
	return tls->info;
}

int ses_tls_verify(X509_STORE_CTX *store, void *context)
{
	const struct ses_tls_context *ctx = context;
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct ses_tls *tls = SSL_get_app_data(ssl);
	struct ses_tls_info *info = ses_tls_need_info(tls);
	struct findings found = {SES_TLS_OK, X509_V_OK};
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	int r;

	if (!info)
		return 0;

	pthread_once(&findings_once, make_findings_index);
	X509_STORE_CTX_set_ex_data(store, findings_index, &found);
	X509_STORE_CTX_set_verify_cb(store, note_error);
	r = X509_verify_cert(store);
	X509_STORE_CTX_set_ex_data(store, findings_index, NULL);
	if (r <= 0 && found.fault == SES_TLS_OK)
		found = (struct findings){SES_TLS_UNTRUSTED,
					  X509_STORE_CTX_get_error(store)};
	if (cert)
		note_certificate(info, cert);
	info->chain_len =
		(size_t)sk_X509_num(X509_STORE_CTX_get0_untrusted(store));
	info->verify = found.fault;
	if (found.fault != SES_TLS_OK)
		snprintf(info->text, sizeof(info->text), "%s",
			 X509_verify_cert_error_string(found.error));
	/* what the alert to the peer is made from */
	X509_STORE_CTX_set_error(store, found.error);
	return found.fault == SES_TLS_OK || ctx->insecure;
}

/* ---- events ---- */

static void note_alert(struct ses_tls_info *info, int number)
{
	snprintf(info->alert, sizeof(info->alert), "alert %d", number);
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		if (alerts[i].number == number)
			snprintf(info->alert, sizeof(info->alert), "%s",
				 alerts[i].name);
}

void ses_tls_note_event(const SSL *ssl, int where, int value)
{
	struct ses_tls *tls = SSL_get_app_data(ssl);
	int number = value & 0xff;

	if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT || !tls)
		return;
	if (number != SSL_AD_CLOSE_NOTIFY && ses_tls_need_info(tls))
		note_alert(tls->info, number);
}

int ses_tls_note_cert_request(SSL *ssl, void *arg)
{
	struct ses_tls *tls = SSL_get_app_data(ssl);

	if (tls && ses_tls_need_info(tls))
		tls->info->asked_for_cert = true;
	return 1;
}

void ses_tls_note_success(struct ses_tls *tls)
{
	struct ses_tls_info *info = tls->info;
	X509 *cert = SSL_get1_peer_certificate(tls->ssl);
	const unsigned char *alpn;
	unsigned len;

	snprintf(info->version, sizeof(info->version), "%s",
		 SSL_get_version(tls->ssl));
	snprintf(info->cipher, sizeof(info->cipher), "%s",
		 SSL_get_cipher_name(tls->ssl));
	SSL_get0_alpn_selected(tls->ssl, &alpn, &len);
	bytes_printable(bytes_of(alpn, len), info->alpn, sizeof(info->alpn));
	/* a resumed session brings the certificate without verification */
	if (cert && !info->subject[0])
		note_certificate(info, cert);
	X509_free(cert);
}

/* ---- failures ---- */

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static enum ses_tls_fault class_of_alert(const struct ses_tls *tls)
{
	static const char *const about_certificates[] = {
		"bad_certificate",
		"unsupported_certificate",
		"certificate_revoked",
		"certificate_expired",
		"certificate_unknown",
		"unknown_ca",
		"access_denied",
		"handshake_failure",
		"no_certificate",
		"decrypt_error",
		NULL};
	static const char *const about_versions[] = {
		"protocol_version",	   "insufficient_security",
		"handshake_failure",	   "inappropriate_fallback",
		"no_application_protocol", NULL};
	const char *alert = tls->info->alert;

	if (strcmp(alert, "certificate_required") == 0)
		return SES_TLS_CLIENT_CERT;
	if (tls->info->asked_for_cert && is_one_of(alert, about_certificates))
		return SES_TLS_CLIENT_CERT;
	if (is_one_of(alert, about_versions))
		return SES_TLS_VERSION;
	return SES_TLS_ALERT;
}

/* TLS begins with a record of type 20..23, version 3.x (RFC 8446 5.1). */
static bool speaks_tls(const struct ses_tls *tls)
{
	return tls->first_len == 0 ||
	       (tls->first[0] >= 20 && tls->first[0] <= 23 &&
		(tls->first_len == 1 || tls->first[1] == 3));
}

static bool is_about_versions(int reason)
{
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_UNSUPPORTED_SSL_VERSION:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_UNKNOWN_SSL_VERSION:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_VERSION_TOO_HIGH:
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_CIPHERS_AVAILABLE:
	case SSL_R_UNKNOWN_CIPHER_RETURNED:
	case SSL_R_WRONG_CIPHER_RETURNED:
	case SSL_R_DH_KEY_TOO_SMALL:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_INAPPROPRIATE_FALLBACK:
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return true;
	default:
		return false;
	}
}

static void quote_first_line(struct ses_tls *tls)
{
	struct bytes line = bytes_of(tls->first, tls->first_len);
	ptrdiff_t end = bytes_find_byte(line, '\n');
	char text[120];

	if (end >= 0)
		line = bytes_trim(bytes_first(line, (size_t)end));
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	bytes_printable(line, text, sizeof(text));
	snprintf(tls->info->text, sizeof(tls->info->text),
		 "the peer does not speak TLS; it sent \"%s\"", text);
}

static void quote_openssl(struct ses_tls_info *info, unsigned long error)
{
	const char *reason = ERR_reason_error_string(error);

	snprintf(info->text, sizeof(info->text), "%s",
		 reason ? reason : "TLS failed");
}

void ses_tls_note_failure(struct ses_tls *tls)
{
	struct ses_tls_info *info = ses_tls_need_info(tls);
	unsigned long error = ERR_peek_error();

	ERR_clear_error();
	if (!info || info->fault != SES_TLS_OK)
		return;
	if (info->alert[0]) {
		info->fault = class_of_alert(tls);
		snprintf(info->text, sizeof(info->text),
			 "the peer sent the alert %s", info->alert);
	} else if (info->verify != SES_TLS_OK && !tls->ctx->insecure) {
		info->fault = info->verify; /* text: verification's */
	} else if (!tls->up && !speaks_tls(tls)) {
		info->fault = SES_TLS_NOT_TLS;
		quote_first_line(tls);
	} else {
		info->fault = SES_TLS_OTHER;
		if (is_about_versions(ERR_GET_REASON(error)))
			info->fault = SES_TLS_VERSION;
		if (ERR_GET_REASON(error) ==
		    SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
			info->fault = SES_TLS_CLIENT_CERT;
		quote_openssl(info, error);
	}
}

void ses_tls_cut(struct ses_tls *tls, bool reset)
{
	struct ses_tls_info *info = tls->info;

	if (info->fault != SES_TLS_OK)
		return;
	if (!speaks_tls(tls)) {
		info->fault = SES_TLS_NOT_TLS;
		quote_first_line(tls);
		return;
	}
	info->fault = SES_TLS_CUT;
	snprintf(info->text, sizeof(info->text),
		 "the peer %s the connection during the TLS handshake",
		 reset ? "reset" : "closed");
}
