/* SPDX-License-Identifier: MIT */
/*
 * One request over HTTP/2, as bytes in and bytes out: what the server says in
 * its SETTINGS, then a WebSocket by extended CONNECT (RFC 8441) where that is
 * offered, a plain GET where it is not.
 */
#ifndef DOCTOR_H2_H
#define DOCTOR_H2_H

#include "doctor/request.h"

struct doctor_h2 {
	void *session; /* the library's */
	const struct doctor_request *request;
	int32_t stream; /* 0: not asked yet */
	/* What was learned so far */
	bool spoken;  /* SETTINGS came: HTTP/2 is spoken */
	bool offers;  /* ENABLE_CONNECT_PROTOCOL is among them */
	bool has_head, ended;
	int status;
	struct ses_buf head; /* as a head of HTTP/1.1 would be written */
	struct ses_buf data; /* what came since the owner looked last */
	struct ses_buf asked; /* the request, as text */
	struct ses_buf out;   /* data of ours that is still to be sent */
};

/* @request is borrowed until fini. 0 or SESAME_ENOMEM. */
int doctor_h2_init(struct doctor_h2 *h, const struct doctor_request *request);
void doctor_h2_fini(struct doctor_h2 *h);
/* The peer's bytes. 0, or SESAME_EPROTO: this is no HTTP/2. */
int doctor_h2_feed(struct doctor_h2 *h, struct bytes in);
/* Append @data to the open stream. 0 or SESAME_ELIMIT. */
int doctor_h2_send(struct doctor_h2 *h, struct bytes data);
/* The next bytes for the peer; borrowed until the next call, empty: none. */
struct bytes doctor_h2_output(struct doctor_h2 *h);

#endif
