/* SPDX-License-Identifier: MIT */
/*
 * Between probe.c (the connection, from dialling to its end) and its parts:
 * hearing.c (the answer) and watch.c (what comes after a 101).
 */
#ifndef DOCTOR_PROBE_INNER_H
#define DOCTOR_PROBE_INNER_H

#include "doctor/h2.h"
#include "doctor/probe.h"
#include "doctor/request.h"
#include "wire/session.h"

#define RAW_BYTES  (256 * 1024) /* of an answer, as it comes */
#define BODY_BYTES (64 * 1024)	/* kept of a body */

enum stage {
	DIALLING,
	ASKED,	  /* the request is sent; the head has not come yet */
	READING,  /* the body of an answer other than 101 */
	WATCHING, /* open */
	PARTING,  /* our close frame is sent */
	DONE,
};

struct probing {
	struct doctor_probe *p;
	const struct doctor_case *c;
	struct doctor_request request;
	enum stage stage;
	double began_ms, opened_ms;
	double heard_ms; /* when the last of the body came */
	struct sesame_loop *loop;
	struct ses_timer timer;
	void (*on_time)(struct probing *x);
	struct ses_dial *dial;
	struct ses_stream *stream;
	struct ses_head_parser parser;
	struct ses_buf in; /* the head, then the body, as they came */
	struct ses_session_terms terms; /* of the session */
	struct sesame_session session;
	bool has_session;
	/* Of the protocol inside: engine.io greeted, and is to be answered. */
	bool greeted, says_pong;
	/* The beginning of a stream of bytes, whose messages mean nothing. */
	uint8_t stream_head[4];
	size_t stream_len;
	struct ses_buf out;  /* frames of the session */
	struct doctor_h2 h2; /* meaningful when request.h2 */
};

/* ---- probe.c ---- */

/* Call @on_time in @ms, and not what was waited for until now. */
void doctor_wait_for(struct probing *x, double ms,
		     void (*on_time)(struct probing *x));
/* Nothing more is to be seen: close the connection. */
void doctor_finish(struct probing *x);
/* The same, and this is how it ended. */
void doctor_conclude(struct probing *x, enum doctor_outcome outcome, int error);
/* Note how long it took until now. */
void doctor_tell_time(struct probing *x);
/* Send what HTTP/2 has to say. */
void doctor_flush_h2(struct probing *x);

/* ---- hearing.c ---- */

/* The request is sent: begin to read a head. */
void doctor_start_head(struct probing *x);
/* More came; the head may be whole now. */
void doctor_read_head(struct probing *x);
/* More came; the body may be whole now. */
void doctor_read_body(struct probing *x);
/* The answer is as whole as it will be: keep it, and conclude. */
void doctor_answered(struct probing *x);
/* The bytes are no HTTP: conclude with what they begin with. */
void doctor_not_http(struct probing *x, enum ses_fault fault);
/* No more of the head will come, for @error: name what there is. */
void doctor_head_never_came(struct probing *x, int error);
/* The same, since the time is over. */
void doctor_silent(struct probing *x);

/* ---- watch.c ---- */

/* It opened: hold it open and watch, from what came with the head on. */
void doctor_watch(struct probing *x, const struct sesame_deflate *deflate);
/* Bytes of an open connection. */
void doctor_take_frames(struct probing *x, uint8_t *data, size_t len);
/* It ended without a close frame. */
void doctor_cut(struct probing *x, int error);

#endif
