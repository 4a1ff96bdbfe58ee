/* SPDX-License-Identifier: MIT */
/* Opening a WebSocket connection to a ws: or wss: URL. */
#ifndef SESAME_CLIENT_H
#define SESAME_CLIENT_H

#include <sesame/conn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A header field to send; both NUL-terminated, without CR or LF. */
struct sesame_header {
	const char *name;
	const char *value;
};

/* How to connect. Borrowed for the call of sesame_connect(); 0/NULL: default. */
struct sesame_client_options {
	const char *origin;	/* Origin to send; NULL or "": none */
	const char *protocols;	/* subprotocols, comma-separated; likewise */
	const char *user_agent; /* NULL: "sesame/VERSION" */
	const struct sesame_header *headers;
	size_t n_headers;
	/*
	 * http://[user:password@]host:port, https://... or socks5://...; NULL:
	 * none. User and password are sent as Basic or, when the proxy asks for
	 * it, Digest (RFC 7616); "http://:@host:port" answers Negotiate with
	 * this user's Kerberos ticket (RFC 4559), where the library has GSSAPI.
	 */
	const char *proxy;
	const char *proxy_ca_file; /* for https:// proxies, as ca_file */
	bool proxy_insecure;	   /* do not verify the proxy */
	int family;	   /* 4 or 6 to insist; 0: either */
	const char *source; /* local address to bind to; NULL: any */
	/*
	 * Where to connect instead of the URL's host and port, which the
	 * request, SNI and the certificate go on naming; NULL and 0: there.
	 */
	const char *connect_host;
	uint16_t connect_port;
	/* "user:password" for HTTP Basic; NULL: the URL's; "": none */
	const char *basic_auth;
	/* TLS, for wss. The files are read again when they were replaced. */
	const char *ca_file;   /* PEM; NULL: the system's, read once per loop */
	const char *cert_file; /* client certificate chain, PEM */
	const char *key_file;  /* its key; NULL: in cert_file. Not encrypted */
	bool insecure;	       /* do not verify the server. For tests only. */
	bool no_deflate;       /* do not offer permessage-deflate */
	struct sesame_limits limits;
};

/*
 * Begin to open a connection. Everything else is told by @handlers (borrowed
 * for the connection's life): on_open, or on_close with the reason; never
 * before this call returns.
 *
 * Returns 0 and *ret_conn, SESAME_EURL, SESAME_EINVAL, SESAME_ETLS (a
 * certificate or key file cannot be read) or SESAME_ENOMEM. When @text is not
 * NULL it receives one sentence about an error (at most @text_size bytes).
 */
SESAME_API int sesame_connect(struct sesame_loop *loop, const char *url,
			      const struct sesame_client_options *options,
			      const struct sesame_handlers *handlers,
			      void *user, struct sesame_conn **ret_conn,
			      char *text, size_t text_size);

#ifdef __cplusplus
}
#endif

#endif
