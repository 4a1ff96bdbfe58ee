/* SPDX-License-Identifier: MIT */
/*
 * TLS at the far end of a wire: OpenSSL between two areas of memory. What the
 * far end says and is told stays plain; here it becomes records and is read
 * out of them. Keys are chosen by OpenSSL, so bytes differ from run to run, and
 * lengths do not.
 */
#ifndef TESTS_FUZZ_FAR_TLS_H
#define TESTS_FUZZ_FAR_TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"

/* Of nobody: it is known to everybody who reads this. */
static const char far_identity[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEILl41RGljWWrcsezkTBZ/TCHjc3JeJZe2jfQ1iDGUdu+\n"
	"-----END PRIVATE KEY-----\n"
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBMjCB5aADAgECAhQ+pSHOHUp6nrn24+t0OiqR8iWRtjAFBgMrZXAwDjEMMAoG\n"
	"A1UEAwwDZmFyMCAXDTI2MTEyMzA0MjMxOFoYDzIxMjYxMDMwMDQyMzE4WjAOMQww\n"
	"CgYDVQQDDANmYXIwKjAFBgMrZXADIQD58V2jE5rwneaeJ7+WsFmFDVaz8sZhf9OY\n"
	"8AbxWM1uP6NTMFEwHQYDVR0OBBYEFK6Ee8SaaX0PXn8NQl4c0K1Hzo0RMB8GA1Ud\n"
	"IwQYMBaAFK6Ee8SaaX0PXn8NQl4c0K1Hzo0RMA8GA1UdEwEB/wQFMAMBAf8wBQYD\n"
	"K2VwA0EAFSG6oSP2cmJnrf8k4kFEw3JNodAA4yImffcHO9Wnx4GLKqgmJYWsW0Z9\n"
	"eyaGvmozXBRSStwbGsTjVeHY8hxRCg==\n"
	"-----END CERTIFICATE-----\n";

struct far_tls {
	SSL *ssl; /* NULL: the wire is plain */
	BIO *in, *out;
	struct ses_buf records; /* that the wire has not taken yet */
	bool broken; /* what came was no TLS, or what went was spoilt */
};

/* A file that a server can read its identity from; it is nowhere. */
static inline const char *far_identity_file(void)
{
	static char name[64];
	int fd;

	if (*name)
		return name;
	fd = memfd_create("identity", MFD_CLOEXEC);
	if (write(fd, far_identity, sizeof(far_identity) - 1) < 0)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return name;
}

static inline void far_tls_begin(struct far_tls *t, bool old)
{
	static SSL_CTX *ctx;

	if (!ctx)
		ctx = SSL_CTX_new(TLS_client_method());
	t->ssl = SSL_new(ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	if (old)
		SSL_set_max_proto_version(t->ssl, TLS1_2_VERSION);
	ses_buf_init(&t->records, 1 << 22);
}

static inline void far_tls_end(struct far_tls *t)
{
	if (!t->ssl)
		return;
	SSL_free(t->ssl);
	ses_buf_fini(&t->records);
	ERR_clear_error();
}

static inline void far_tls_note(struct far_tls *t, int r)
{
	int error = SSL_get_error(t->ssl, r);

	t->broken |= error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
	ERR_clear_error();
}

/* Make records of as much as can be; how many bytes of it. */
static inline size_t far_tls_seal(struct far_tls *t, struct bytes plain)
{
	char *records;
	size_t n = 0;
	long len;
	int r = 1;

	if (!SSL_is_init_finished(t->ssl))
		r = SSL_do_handshake(t->ssl);
	if (r == 1 && plain.len)
		r = SSL_write_ex(t->ssl, plain.data, plain.len, &n);
	if (r != 1)
		far_tls_note(t, r);
	len = BIO_get_mem_data(t->out, &records);
	if (len > 0)
		ses_buf_append(&t->records, bytes_of(records, (size_t)len));
	(void)BIO_reset(t->out);
	return n;
}

/* Take records in; what they hold is had by far_tls_open(). */
static inline void far_tls_feed(struct far_tls *t, struct bytes records)
{
	if (records.len)
		BIO_write(t->in, records.data, (int)records.len);
}

/* How many bytes of plain text there were, 0: none for now. */
static inline size_t far_tls_open(struct far_tls *t, uint8_t *to, size_t len)
{
	size_t n = 0;
	int r = t->broken ? 0 : SSL_read_ex(t->ssl, to, len, &n);

	if (r != 1 && !t->broken)
		far_tls_note(t, r);
	return r == 1 ? n : 0;
}

#endif
