/* SPDX-License-Identifier: MIT */
/*
 * Where in a handshake a credential may stand, and finding it there. Browsers
 * cannot set fields on a WebSocket, so cookies, the query and the subprotocol
 * have to do. What stands twice is not chosen from: two programs would choose
 * differently. Pure.
 */
#ifndef GATE_PLACES_H
#define GATE_PLACES_H

#include "base/buf.h"

enum gate_place_kind {
	GATE_FROM_AUTHORIZATION, /* "header": Bearer, or Basic */
	GATE_FROM_FIELD,	 /* "header:NAME": its value is the token */
	GATE_FROM_COOKIE,	 /* "cookie:NAME" */
	GATE_FROM_QUERY,	 /* "query:NAME" */
	GATE_FROM_SUBPROTOCOL,	 /* "subprotocol", "subprotocol:MARKER" */
};

/* One entry of allow.token.from. */
struct gate_from {
	enum gate_place_kind kind;
	char *text; /* as it is written; owned by whoever read the file */
	struct bytes name; /* a part of text, or "bearer"; of a subprotocol
			      the marker: "MARKER, TOKEN" or "MARKER.TOKEN" */
	unsigned line;
};

/*
 * Read from->text: sets kind and name. NULL, or what is wrong with it as a
 * static sentence.
 */
const char *gate_from_read(struct gate_from *from);

/* A request; all borrowed. */
struct gate_asked {
	const struct ses_field *fields;
	size_t n_fields;
	struct bytes target; /* as it came: "/chat?token=x" */
};

#define GATE_CREDENTIAL_MAX 8192 /* bytes that are looked at */

enum gate_finding {
	GATE_FOUND_NONE,
	GATE_FOUND_TOKEN,
	GATE_FOUND_BASIC,   /* of a Basic field: what is behind the word */
	GATE_FOUND_SCHEME,  /* an Authorization of another scheme: its name, or
			       empty when it is none that is known */
	GATE_FOUND_EMPTY,   /* the place is there, with nothing in it */
	GATE_FOUND_SEVERAL, /* in one place */
};

/*
 * What stands at @from. *ret_value is borrowed from @asked, or is in @room,
 * where a value of the query is decoded.
 */
enum gate_finding gate_place_find(const struct gate_from *from,
				  const struct gate_asked *asked,
				  uint8_t room[GATE_CREDENTIAL_MAX],
				  struct bytes *ret_value);

/* The next part of a query: "name=value", both still encoded. */
bool gate_query_next(struct bytes *query, struct bytes *ret_name,
		     struct bytes *ret_value);
/* The next of a Cookie field's. */
bool gate_cookie_next(struct bytes *cookies, struct bytes *ret_name,
		      struct bytes *ret_value);
/* Whether an encoded name of a query is @name, when decoded. */
bool gate_query_name_is(struct bytes encoded, struct bytes name);
/* What stands behind the "?"; empty when there is none. */
struct bytes gate_query_of(struct bytes target);
/* The first value of @name in the query of @target, still encoded. data NULL:
 * it is not there. */
struct bytes gate_query_get(struct bytes target, const char *name);

/* The offered subprotocols in their order, over all fields. */
struct gate_offers {
	const struct gate_asked *asked;
	struct bytes marker;
	size_t field;
	struct bytes rest;
	bool marked; /* the one before was the marker by itself */
	/* the current one */
	struct bytes offer;
	struct bytes token; /* the part of it that is a token; or empty */
	bool is_marker;
};

void gate_offers_init(struct gate_offers *o, const struct gate_asked *asked,
		      const struct gate_from *from);
bool gate_offers_next(struct gate_offers *o);

#endif
