/* SPDX-License-Identifier: MIT */
/*
 * A request that nobody sends: as an operator describes it on the command line
 * or in `tests`, or as the journal remembers it. It is made of the very fields
 * that would be sent and goes through the hops as a sent one would.
 */
#ifndef GATE_REHEARSAL_H
#define GATE_REHEARSAL_H

#include "gate/hops.h"
#include "gate/story.h"
#include "net/tls.h"

#define GATE_MAX_VIA	 16
#define GATE_MAX_HEADERS 32
#define GATE_MAX_PARTS	 16

/* What is described; NULL: not sent. */
struct gate_description {
	const char *url;  /* "ws://host/path" or a path alone */
	const char *host; /* instead of the URL's */
	const char *origin, *user_agent, *subprotocol;
	const char *from;	       /* NULL: 127.0.0.1 */
	const char *via[GATE_MAX_VIA]; /* hops, the nearest to us last */
	size_t n_via;
	const char *header[GATE_MAX_HEADERS]; /* "Name: value" */
	size_t n_headers;
	const char *token; /* where the route takes one from; "none" */
	const char *basic; /* "NAME:PASSWORD" */
	const char *cookie;
	/* of its certificate: "subject:CN=alice", "san:dns:a"; "none" */
	const char *certificate[GATE_MAX_PARTS];
	size_t n_parts;
};

struct gate_rehearsal {
	struct gate_request request;
	struct gate_hops hops;
	struct ses_head head;
	struct ses_tls_info tls; /* the certificate */
	bool bare;		 /* it is said to have no credentials */
	char target[4096], host[300], forwarded[1024], text[1600];
	/* fields that are made here */
	char cookie[GATE_CREDENTIAL_MAX + 600];
	char authorization[GATE_CREDENTIAL_MAX + 600];
	char protocols[GATE_CREDENTIAL_MAX + 5000];
};

/*
 * Make @ret of @description, as it would come to a gateway with @policy. What
 * is made borrows from both. False: @text says what is wrong, and which part.
 */
bool gate_rehearse(const struct gate_policy *policy,
		   const struct gate_description *description,
		   struct gate_rehearsal *ret, char *text, size_t text_size);
/*
 * The request of a story once more. False: what the journal has of it is cut,
 * so it may be decided otherwise than it was.
 */
bool gate_rehearse_story(const struct gate_story *story,
			 struct gate_rehearsal *ret);

#endif
