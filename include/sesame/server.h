/* SPDX-License-Identifier: MIT */
/* Accepting WebSocket connections. */
#ifndef SESAME_SERVER_H
#define SESAME_SERVER_H

#include <sesame/conn.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sesame_server;

/* A handshake that waits for an answer. Borrowed for the on_request callback. */
struct sesame_request {
	const char *target;    /* "/chat?room=1", as sent */
	const char *host;      /* the Host field */
	const char *origin;    /* NULL: none was sent */
	const char *protocols; /* offered subprotocols, comma-separated; "" none */
	const char *peer;      /* "127.0.0.1:54321" */
	const void *internal;
};

/* The value of the request's first field @name, or NULL. Borrowed likewise. */
SESAME_API const char *
sesame_request_header(const struct sesame_request *request, const char *name);

/*
 * The answer to a handshake. The strings are read right after on_request has
 * returned, so they may be static, the request's own or the application's, but
 * not of the callback's stack.
 */
struct sesame_answer {
	/* 0 or 101: accept. Else refuse with this status, 400..599. */
	int status;
	const char *subprotocol; /* one of those offered, or NULL */
	const char *body;	 /* text of a refusal; NULL: the status phrase */
	void *user;		 /* for the connection's callbacks */
};

struct sesame_server_options {
	/* "127.0.0.1", "::" (IPv6 alone), ...; NULL: "127.0.0.1" */
	const char *address;
	uint16_t port;	     /* 0: a free one, see sesame_server_port() */
	bool reuse_port;     /* share the port between processes or threads */
	/* wss: */
	const char *cert_file; /* PEM chain; NULL: plain ws */
	const char *key_file;  /* PEM; NULL: in cert_file */
	const char *client_ca_file; /* ask for client certificates from this CA */
	bool client_cert_required;  /* needs client_ca_file */
	bool deflate; /* agree to permessage-deflate when offered */
	/*
	 * Let messages refer to earlier ones, both ways, unless the client asks
	 * for less. They get shorter, the more alike they are; each connection
	 * then takes up to 320 KiB, and compressing takes more time.
	 */
	bool deflate_takeover;
	struct sesame_limits limits;
	/*
	 * Connections and handshakes at a time; 0: 100,000. Up to 1,000 more
	 * descriptors are held for a moment by clients that were refused.
	 */
	size_t max_connections;
	/*
	 * Decide on a handshake by filling @answer (zeroed: accept without
	 * subprotocol). NULL: accept when the request's Origin is absent or
	 * its host and port are those of the Host field, else refuse with 403.
	 * With a certificate the Origin's scheme has to be https. Without one,
	 * http and https will do, for TLS may end at a proxy in front; that
	 * proxy has to pass the Host field on as it came.
	 */
	void (*on_request)(struct sesame_server *server, void *user,
			   const struct sesame_request *request,
			   struct sesame_answer *answer);
	void *user; /* for on_request, and connections whose answer has none */
};

/*
 * Listen. @options is copied but for the strings, which must outlive the
 * server; @handlers is borrowed for its life. Returns 0 and *ret_server, or
 * SESAME_EINVAL (an address that is none, options for TLS without a
 * certificate), SESAME_ESYSTEM (errno: EADDRINUSE, EACCES, EMFILE...),
 * SESAME_ETLS, SESAME_ENOMEM; @text as in sesame_connect().
 */
SESAME_API int sesame_server_new(struct sesame_loop *loop,
				 const struct sesame_server_options *options,
				 const struct sesame_handlers *handlers,
				 struct sesame_server **ret_server, char *text,
				 size_t text_size);
/* The port that it listens at. */
SESAME_API uint16_t sesame_server_port(const struct sesame_server *server);
/* How many connections are open. */
SESAME_API size_t sesame_server_connections(const struct sesame_server *server);
/*
 * Stop listening and close every connection with @code (1001: going away; else
 * as in sesame_session_close()). Turn the loop until
 * sesame_server_connections() is 0, then free. Returns 0, or SESAME_EINVAL for
 * a code that may not be sent; then nothing was done.
 */
SESAME_API int sesame_server_close(struct sesame_server *server, uint16_t code);
/*
 * Free; connections that are still open are aborted first, with their on_close
 * called before this returns. Not from inside of a callback of the server or
 * of its connections. NULL is fine.
 */
SESAME_API void sesame_server_free(struct sesame_server *server);
/*
 * Send one message to all open connections for which @wants says true (NULL:
 * all). The frame is built once. Returns how many took it: none for text that
 * is not UTF-8, for a kind that is none, for more than limits.queue_bytes, and
 * when out of memory.
 */
SESAME_API size_t sesame_server_broadcast(
	struct sesame_server *server, enum sesame_kind kind, const void *data,
	size_t len, bool (*wants)(struct sesame_conn *conn, void *user),
	void *user);

#ifdef __cplusplus
}
#endif

#endif
