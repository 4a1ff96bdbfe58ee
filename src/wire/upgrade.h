/* SPDX-License-Identifier: MIT */
/*
 * The opening handshake (RFC 6455 section 4): writing a request and checking
 * its answer, checking a request and writing its answer.
 */
#ifndef WIRE_UPGRADE_H
#define WIRE_UPGRADE_H

#include "wire/extensions.h"
#include "wire/head.h"

#define SES_KEY_LEN    24 /* base64 of 16 bytes */
#define SES_ACCEPT_LEN 28 /* base64 of a SHA-1 */

/* Base64 of 16 random bytes, without NUL. */
void ses_key_encode(const uint8_t random[16], char key[SES_KEY_LEN]);
/* Whether @text is the base64 of exactly 16 bytes. */
bool ses_key_valid(struct bytes text);
/* Sec-WebSocket-Accept for a key (any text, as servers must not decode it). */
void ses_key_accept(struct bytes key, char accept[SES_ACCEPT_LEN]);

/* ---- client ---- */

struct ses_upgrade_request {
	struct bytes host;	 /* Host field: "example.org:8080" */
	struct bytes target;	 /* "/chat?room=1" */
	struct bytes origin;	 /* data NULL: none is sent */
	struct bytes protocols;	 /* "a, b"; data NULL: none */
	struct bytes user_agent; /* data NULL: none */
	/*
	 * Sent as they are, after the others; but one that is named as a field
	 * above, or as Upgrade, Connection or any Sec-WebSocket-..., replaces
	 * it in its place, and does nothing but suppress it when its value's
	 * data is NULL.
	 */
	const struct ses_field *extra;
	size_t n_extra;
	char key[SES_KEY_LEN];
	struct ses_deflate_policy deflate;
};

/*
 * Append the request to @out. Returns 0, SESAME_EINVAL when a value holds a
 * CR, LF, NUL or the like (nothing is appended then), or an error of the buf.
 */
int ses_upgrade_write_request(const struct ses_upgrade_request *request,
			      struct ses_buf *out);

struct ses_upgrade_result {
	struct bytes subprotocol; /* borrowed from the head; empty: none */
	struct sesame_deflate deflate;
};

/*
 * Check a whole response head against the request. Returns 0, SESAME_EREFUSED
 * for a status other than 101, or SESAME_EPROTO for a 101 that is no valid
 * acceptance; *ret_fault says what (RESPONSE_...).
 */
int ses_upgrade_check_response(const struct ses_upgrade_request *request,
			       const struct ses_head *response,
			       struct ses_upgrade_result *ret_result,
			       enum ses_fault *ret_fault);

/* ---- server ---- */

/* A request that is a valid handshake; borrowed from the head. */
struct ses_upgrade_offer {
	struct bytes host;
	struct bytes target;
	struct bytes origin;	/* data NULL: none was sent */
	struct bytes key;
	struct bytes protocols; /* first field's value; more via the head */
};

/*
 * Whether who sent @request says nothing more before it has the answer (RFC 6455
 * 4.1): it asks for a handshake, acceptable or not, and no body follows.
 */
bool ses_upgrade_awaits_answer(const struct ses_head *request);

/*
 * Check that a request is a handshake that may be accepted. Returns 0 or
 * SESAME_EPROTO with *ret_fault, whose row has the status to answer with: the
 * fault that explains most comes first, so a plain GET lacks its Upgrade
 * whatever else it lacks. The target has to begin with "/": the absolute form
 * ("GET http://host/path") is refused, because a route and an upstream could
 * take the host from different places.
 */
int ses_upgrade_check_request(const struct ses_head *request,
			      struct ses_upgrade_offer *ret_offer,
			      enum ses_fault *ret_fault);
/* Whether @protocol (a token) is among those offered, over all fields. */
bool ses_upgrade_offers(const struct ses_head *request, struct bytes protocol);
/* Append the 101 for @offer. @subprotocol may be empty. */
int ses_upgrade_write_response(const struct ses_upgrade_offer *offer,
			       struct bytes subprotocol,
			       const struct sesame_deflate *deflate,
			       struct bytes server, struct ses_buf *out);
/*
 * Append an answer that closes: status line, @fields, Content-Type,
 * Content-Length, Connection: close, @body. Adds Sec-WebSocket-Version: 13 and
 * Upgrade to a 426, Allow: GET to a 405 unless @fields has an Allow.
 */
int ses_upgrade_write_answer(int status, const struct ses_field *fields,
			     size_t n_fields, struct bytes content_type,
			     struct bytes body, struct ses_buf *out);
/* The reason phrase of a status (RFC 9110 15), "" when unknown. Static. */
const char *ses_status_phrase(int status);

#endif
