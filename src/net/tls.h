/* SPDX-License-Identifier: MIT */
/*
 * TLS by OpenSSL, seen as "bytes in, bytes out" over a stream. No OpenSSL type
 * leaves net/tls*.c. What a handshake taught about the other side is kept in
 * struct ses_tls_info, for verdicts and for admission.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <sys/types.h>

#include "base/buf.h"
#include "net/tls_names.h"

struct ses_tls_context;

struct ses_tls_client_options {
	const char *ca_file; /* NULL: the system's store */
	const char *cert_file, *key_file;
	bool insecure; /* verify, remember the outcome, go on regardless */
	const char *alpn; /* comma-separated; NULL: "http/1.1" */
	int min_version, max_version; /* 10..13 for TLS 1.0..1.3; 0: default */
};

/* A certificate with its chain and its key. */
struct ses_tls_identity {
	const char *cert_file, *key_file; /* PEM; key NULL: in cert_file */
};

struct ses_tls_server_options {
	const char *cert_file, *key_file; /* PEM; key NULL: in cert_file */
	/*
	 * More of them, for clients whose SNI is a name of theirs: the first
	 * that has it is taken. Who names nobody, or somebody else, gets the
	 * one above.
	 */
	const struct ses_tls_identity *others;
	size_t n_others;
	int min_version; /* 12 or 13; 0: 12 */
	const char *client_ca_file; /* ask for client certificates of this CA */
	bool client_cert_required;
};

/* Contexts are shared by many streams. NULL: @text says which file and why. */
struct ses_tls_context *
ses_tls_client_new(const struct ses_tls_client_options *options, char *text,
		   size_t text_size);
struct ses_tls_context *
ses_tls_server_new(const struct ses_tls_server_options *options, char *text,
		   size_t text_size);
void ses_tls_context_ref(struct ses_tls_context *ctx);
void ses_tls_context_unref(struct ses_tls_context *ctx);

/* Why a TLS handshake failed, told apart as the vocabulary does. */
enum ses_tls_fault {
	SES_TLS_OK,
	SES_TLS_NOT_TLS,	/* the peer does not speak TLS */
	SES_TLS_VERSION,	/* no common version, cipher or protocol */
	SES_TLS_UNTRUSTED,	/* chain not trusted */
	SES_TLS_EXPIRED,	/* expired or not yet valid */
	SES_TLS_HOSTNAME,	/* other names */
	SES_TLS_CLIENT_CERT,	/* the peer wants (another) client certificate */
	SES_TLS_ALERT,		/* any other alert from the peer */
	SES_TLS_CUT,		/* closed or reset during the handshake */
	SES_TLS_OTHER,
};

struct ses_tls_info {
	enum ses_tls_fault fault;
	/*
	 * What verification found, also when insecure went on: the first of
	 * UNTRUSTED, EXPIRED, HOSTNAME, else OK; with OpenSSL's words.
	 */
	enum ses_tls_fault verify;
	char text[160];	   /* OpenSSL's words for the fault or the verification */
	char alert[48];	   /* that the peer sent: "handshake_failure", or "" */
	char version[16];  /* "TLSv1.3" */
	char cipher[48];
	char alpn[16];
	bool asked_for_cert; /* the server sent a CertificateRequest */
	/* The peer's certificate; empty strings when it sent none. */
	char subject[128], issuer[128];
	char not_before[32], not_after[32]; /* "2026-11-22 14:00:00 UTC" */
	struct ses_tls_names names;
	size_t chain_len; /* certificates the peer sent */
	bool self_signed;
};

/* ---- one connection: the engine that struct ses_stream drives ---- */

/* What a call may read of the peer's bytes, and where it puts its own. */
struct ses_tls_wire {
	struct bytes in; /* what is left was not looked at yet */
	uint8_t *out;
	size_t out_len, out_size;
};

struct ses_tls {
	void *ssl;
	struct ses_tls_context *ctx;
	struct ses_tls_wire *wire; /* of the call at work */
	struct ses_buf unsent;	   /* records that the system did not take */
	struct ses_buf *early;	   /* to be read before the socket; or NULL */
	bool begun, up;		   /* the handshake: begun, done */
	bool said_close;	   /* close_notify went out */
	uint8_t first[64];	   /* of the peer's bytes, to tell what it spoke */
	size_t first_len;
	struct ses_tls_info *info; /* NULL: forgotten, and nothing new */
};

/* @name as for ses_stream_start_tls(). NULL: no memory. */
struct ses_tls *ses_tls_new(struct ses_tls_context *ctx, const char *name);
void ses_tls_free(struct ses_tls *tls);
/* Give back the memory of what the handshake taught: nobody will ask for it. */
void ses_tls_forget(struct ses_tls *tls);
/* 1: done, 0: more input is needed, SESAME_ETLS: info says why. */
int ses_tls_handshake(struct ses_tls *tls, struct ses_tls_wire *wire);
/* Decrypt: bytes, 0: more input is needed, SESAME_ECLOSED: close_notify came,
 * SESAME_ETLS. */
ssize_t ses_tls_read(struct ses_tls *tls, struct ses_tls_wire *wire, void *to,
		     size_t len);
/* Encrypt: how many bytes were taken (all that there is room for), or
 * SESAME_ETLS. */
ssize_t ses_tls_write(struct ses_tls *tls, struct ses_tls_wire *wire,
		      struct bytes from);
/* Say close_notify. */
void ses_tls_close(struct ses_tls *tls, struct ses_tls_wire *wire);
/* The peer's bytes ended during the handshake, by a reset or not. */
void ses_tls_cut(struct ses_tls *tls, bool reset);

#endif
