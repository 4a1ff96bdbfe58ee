/* SPDX-License-Identifier: MIT */
/*
 * What is said to a proxy and what it answers: HTTP CONNECT (RFC 9110 9.3.6)
 * and SOCKS version 5 (RFC 1928) with user name and password (RFC 1929). Pure:
 * bytes in, bytes out.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "base/buf.h"

enum ses_proxy_kind { SES_PROXY_HTTP, SES_PROXY_SOCKS5 };

#define SES_PROXY_TEXT 256

struct ses_proxy {
	enum ses_proxy_kind kind;
	bool tls; /* https://: TLS with the proxy itself */
	char host[SES_PROXY_TEXT]; /* name or address, no brackets */
	uint16_t port;
	bool has_user;
	bool ticket; /* ":@": this user's Kerberos ticket, no password */
	char user[SES_PROXY_TEXT], password[SES_PROXY_TEXT]; /* decoded */
	char name[SES_PROXY_TEXT + 32]; /* "http://proxy:3128", no secrets */
};

/*
 * Read "http://[user[:password]@]host[:port]", https://, socks5:// or
 * socks5h://; a text without scheme is taken as http. Ports: 80, 443 and 1080.
 * Returns 0, or SESAME_EINVAL with one phrase in @ret_text.
 */
int ses_proxy_parse(const char *text, struct ses_proxy *ret,
		    const char **ret_text);

/*
 * Append the CONNECT request for @host (no brackets) and @port. @user_agent may
 * be NULL; so may @authorization, then user and password are sent as Basic. 0,
 * SESAME_EINVAL (a byte that may not stand there), SESAME_ENOMEM.
 */
int ses_proxy_write_connect(const struct ses_proxy *proxy, struct bytes host,
			    uint16_t port, const char *user_agent,
			    const char *authorization, struct ses_buf *out);
/* "host:port" as CONNECT has it. 0 or an error of the buffer. */
int ses_proxy_write_target(struct bytes host, uint16_t port,
			   struct ses_buf *out);

/* SOCKS, in this order: greeting, method, maybe user and password, request. */

/* Append the greeting: no authentication, and a password if there is one. */
int ses_socks_write_greeting(const struct ses_proxy *proxy,
			     struct ses_buf *out);
/* Append user name and password. */
int ses_socks_write_user(const struct ses_proxy *proxy, struct ses_buf *out);
/*
 * Append the request for @host and @port. A name is left to the proxy to
 * resolve. SESAME_EINVAL for a name over 255 bytes.
 */
int ses_socks_write_request(struct bytes host, uint16_t port,
			    struct ses_buf *out);

/*
 * Read the answers. Each returns how many bytes were read, 0 when more are
 * needed, SESAME_EPROXY when the proxy refuses and SESAME_EPROTO when this is
 * no SOCKS 5; *ret_text then says so in one phrase (static).
 */
int ses_socks_read_method(struct bytes in, bool *ret_wants_user,
			  const char **ret_text);
int ses_socks_read_user(struct bytes in, const char **ret_text);
int ses_socks_read_reply(struct bytes in, const char **ret_text);

#endif
