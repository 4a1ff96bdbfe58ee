/* SPDX-License-Identifier: MIT */
/*
 * ws: and wss: URLs (RFC 6455 section 3, RFC 3986), and every way in which
 * people mistype them told apart. http: and https: are read too, as a fault
 * that still fills the result, because browsers and proxies use them.
 */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include "base/bytes.h"

enum ses_url_fault {
	SES_URL_OK,
#define URL_FAULT(symbol, ...) SES_URL_##symbol,
#include "wire/url_faults.def"
#undef URL_FAULT
	SES_N_URL_FAULTS
};

struct ses_url_fault_row {
	const char *id;
	const char *cause;    /* id in the vocabulary: "url.syntax", "url.scheme" */
	const char *sentence; /* what is wrong */
};

enum ses_host_kind { SES_HOST_NAME, SES_HOST_IPV4, SES_HOST_IPV6 };

/* A parsed URL; all parts borrowed from the text. */
struct ses_url {
	bool tls;	     /* wss or https */
	bool http;	     /* http or https was written */
	struct bytes userinfo; /* "ann:secret"; data NULL: none */
	struct bytes host;   /* without brackets */
	enum ses_host_kind host_kind;
	uint16_t port;	     /* given, or the scheme's default */
	bool port_given;
	struct bytes path;   /* begins with "/" or is empty */
	struct bytes query;  /* without "?"; data NULL: none */
};

/*
 * Parse @text. Returns 0, or SESAME_EURL with *ret_fault; for http and https
 * *ret_url is set all the same. *ret_at is where in @text the fault stands.
 */
int ses_url_parse(struct bytes text, struct ses_url *ret_url,
		  enum ses_url_fault *ret_fault, size_t *ret_at);
const struct ses_url_fault_row *ses_url_fault(enum ses_url_fault fault);
/*
 * What was probably meant by a URL with a fault, e.g. "wss://x/" for
 * "wws://x/"; written to @out, whether or not it is certain. False: no idea.
 */
bool ses_url_suggest(struct bytes text, char *out, size_t size);
/* The length of the invisible character (in UTF-8) that @in begins with, or 0. */
size_t ses_url_invisible(struct bytes in);
/* Whether @field is "host" or "host:port", as the Host field wants it. */
bool ses_url_host_field_valid(struct bytes field);
/* The request target: path (at least "/") and query. 0 or SESAME_ELIMIT. */
int ses_url_target(const struct ses_url *url, char *out, size_t size);
/* The Host field: brackets for IPv6, port unless it is the scheme's default. */
int ses_url_host_field(const struct ses_url *url, char *out, size_t size);
/* "http://host[:port]" or https: the origin of a page served from there. */
int ses_url_origin(const struct ses_url *url, char *out, size_t size);
/* "ws://host:port/path?query" again, without userinfo. 0 or SESAME_ELIMIT. */
int ses_url_write(const struct ses_url *url, char *out, size_t size);
/*
 * The @text with what may be a secret as "***": the password, every value of
 * the query that is not plainly none, all of the fragment. 0 or SESAME_ELIMIT.
 */
int ses_url_redact(struct bytes text, char *out, size_t size);
/* Whether @text holds what is a secret by its name or looks. */
bool ses_url_has_secret(struct bytes text);
/* Whether a parameter's @value is nobody's secret: 4, v2, true, websocket. */
bool ses_url_is_plain_value(struct bytes value);
/* Whether a parameter's @name is one, and no token in the place of a name. */
bool ses_url_is_plain_name(struct bytes name);

#endif
