/* SPDX-License-Identifier: MIT */
/*
 * One controlled handshake: the user's request with one thing changed, and all
 * that was seen of it. A probe observes; it never judges.
 */
#ifndef DOCTOR_PROBE_H
#define DOCTOR_PROBE_H

#include "doctor/case.h"
#include "net/dial.h"
#include "why/stack.h"
#include "wire/upgrade.h"

/* What may differ from the user's own request; rows in changes.def. */
enum doctor_change {
#define CHANGE(symbol, ...) DOCTOR_##symbol,
#include "doctor/changes.def"
#undef CHANGE
	DOCTOR_N_CHANGES
};

/* A change and its value: (ORIGIN, "https://app.example"). */
struct doctor_trial {
	enum doctor_change change;
	char value[512]; /* "" where the change needs none */
	/* Of a comparison: which differences it takes over (differ.h). */
	uint64_t parts;
};

/* How a handshake ended. */
enum doctor_outcome {
	DOCTOR_OPEN,	  /* a valid 101, and usable while it was watched */
	DOCTOR_ANSWERED,  /* an HTTP answer that is not 101 */
	DOCTOR_BAD_101,	  /* a 101 that is no valid acceptance */
	DOCTOR_CLOSED_AFTER, /* 101, then a close frame by the server */
	DOCTOR_CUT_AFTER, /* 101, then closed or reset without a close frame */
	DOCTOR_BAD_FRAME, /* 101, then bytes that are no lawful frame */
	DOCTOR_NOT_HTTP,  /* bytes that are not HTTP */
	DOCTOR_NO_ANSWER, /* connected; closed, reset or silent before a status */
	DOCTOR_NO_CONNECTION, /* names, TCP, proxy or TLS failed */
};

struct doctor_probe {
	int n; /* 1, 2, ... */
	/* Whose secrets the texts about it hide; NULL: there are none. */
	const struct doctor_case *c;
	struct doctor_trial trial;
	enum doctor_outcome outcome;
	int error; /* SESAME_E...: of the dial, or how NO_ANSWER came about */
	enum ses_fault fault; /* of BAD_101, BAD_FRAME, NOT_HTTP */
	double ms; /* from the start to the answer, or to the failure */
	bool bare; /* the user's credentials were withheld on purpose */
	/* Of a trial over HTTP/2: it is spoken, and with WebSockets in it. */
	bool h2_spoken, h2_offered;
	struct ses_dial_report dial;
	/* What was sent, secrets included: redact before showing. */
	char *request;
	/* The answer: head as it came, its parsed view, the body's beginning. */
	char *head;
	size_t head_len;
	struct ses_head parsed; /* borrows from head; meaningful when status */
	int status; /* 0: none */
	/* How many only announced an answer (RFC 9110 15.2), the last status. */
	int n_interim, interim;
	uint8_t *body;
	size_t body_len; /* at most 64 KiB are kept; codings undone */
	bool body_open; /* no end of it was told, and no more of it came */
	bool body_swells; /* it was compressed, and is longer than that */
	uint64_t body_hash; /* of the body without volatile parts (digits) */
	/* How alike the bodies of one and the same question are, where they
	 * vary by chance; 0: they do not, as far as is known. */
	double likeness;
	struct why_hops hops;
	/* After a 101 */
	struct bytes subprotocol; /* chosen; borrowed from head */
	uint16_t close_code; /* 0: no close frame */
	char close_reason[128];	 /* redacted, then cut */
	char first_message[256]; /* so are these: the first ones' beginning */
	/* The protocol inside (enum doctor_hello): whether the client is to begin
	 * in it, whether it did, and whether the answer let in or refused. */
	unsigned hello;
	bool hello_due, hello_said, hello_welcomed, hello_refused;
	bool cut; /* the connection ended while it was held */
	double told_ms; /* when the last message came, after the 101 */
	double open_ms; /* how long it was open until it ended or was let go */
};

/*
 * Perform one handshake for @c with @trial and fill *ret_probe (zeroed by the
 * caller). Always succeeds in observing something; -1 only when out of memory.
 * Blocks, at most for the case's timeout and hold.
 */
int doctor_probe_run(const struct doctor_case *c,
		     const struct doctor_trial *trial,
		     struct doctor_probe *ret_probe);
void doctor_probe_fini(struct doctor_probe *p);
/* End the running probe and all later ones at once. For signal handlers. */
void doctor_probe_interrupt(void);
bool doctor_probe_interrupted(void);
/* Since some moment in the past; for durations. */
double doctor_now_ms(void);
/* "Origin: https://app.example", "nothing"; redacted. Returns @out. */
char *doctor_trial_text(const struct doctor_case *c,
			const struct doctor_trial *trial, char *out,
			size_t size);
/* "403 Forbidden", "101", "connection refused", "101, then close 4004 ...";
 * redacted before anything of it is cut. */
char *doctor_result_text(const struct doctor_probe *p, char *out, size_t size);

#endif
