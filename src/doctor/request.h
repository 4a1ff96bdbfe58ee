/* SPDX-License-Identifier: MIT */
/*
 * What one probe sends and where to: the user's request with one thing
 * changed; withhold.c says which parts of it stay at home.
 */
#ifndef DOCTOR_REQUEST_H
#define DOCTOR_REQUEST_H

#include "doctor/probe.h"

struct doctor_request {
	struct ses_upgrade_request upgrade; /* borrows from what follows */
	struct ses_url url;
	bool plain; /* a plain GET: an answer of 101 would be a surprise */
	bool bare;  /* credentials withheld */
	bool preflight; /* OPTIONS instead of GET */
	bool h2;	/* to be asked over HTTP/2 */
	struct ses_tls_client_options tls; /* meaningful when url.tls */
	struct ses_dial_options dial;	   /* without its context */
	char host[512];
	char origin[600];
	char preface[128];
	char target[33000];
	char path[33000]; /* without the tokens in it */
	char protocols[1024];
	char query[2048];
	char cookie[1024];
	struct ses_field extra[DOCTOR_MAX_HEADERS + 2];
	struct ses_buf bytes; /* as sent */
};

/*
 * Make the request of @c with @trial into *ret (which must stay in place, and
 * borrows from both). 0, SESAME_EINVAL for values that cannot be sent, or an
 * error of the buffer. doctor_request_fini() in any case.
 */
int doctor_request_make(const struct doctor_case *c,
			const struct doctor_trial *trial,
			struct doctor_request *ret);
void doctor_request_fini(struct doctor_request *r);
/*
 * The query that @trial sends: the user's own, but for what PARAMETER,
 * NO_PARAMETER and NO_QUERY change of it. Written to @out where it has to be.
 */
struct bytes doctor_changed_query(const struct doctor_case *c,
				  const struct doctor_trial *trial, char *out,
				  size_t size);
/* Whether a field called @name belongs to the handshake alone. */
bool doctor_is_handshake_field(struct bytes name);

#endif
