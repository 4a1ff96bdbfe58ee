/* SPDX-License-Identifier: MIT */
/*
 * A request that was copied out of a browser, said in the doctor's own options,
 * so that a copy and a command line mean the same. Whoever reads a copy
 * (curl.c, har.c) says options here; case.c takes them.
 */
#ifndef DOCTOR_IMPORT_H
#define DOCTOR_IMPORT_H

#include "doctor/case.h"

#define DOCTOR_MAX_SAID	 128
#define DOCTOR_MAX_NOTES 8

struct doctor_import {
	/* In order: a name of options.def, or "url", and its value. */
	struct {
		const char *option;
		char *value;
	} said[DOCTOR_MAX_SAID];
	size_t n_said;
	size_t said_bytes; /* of all the values */
	/* What the reader of the report should know of it; holds no secret. */
	char note[DOCTOR_MAX_NOTES][256];
	size_t n_notes;
	bool no_credentials; /* it has none, and may have lost them */
	char failure[80];    /* of a recording: "net::ERR_FAILED", or "" */
	char complaint[400]; /* why there is no request; holds no secret */
};

void doctor_import_init(struct doctor_import *m);
void doctor_import_fini(struct doctor_import *m);

/* Each returns 0, or -1 with m->complaint. */
int doctor_import_say(struct doctor_import *m, const char *option,
		      struct bytes value);
/*
 * A field of the copied request. The fields of the handshake itself are left
 * to this handshake where they are the usual ones; others are kept, because
 * they may be the fault.
 */
int doctor_import_field(struct doctor_import *m, struct bytes name,
			struct bytes value);
/* The URL; http and https become ws and wss. Once only. */
int doctor_import_url(struct doctor_import *m, struct bytes url);
int doctor_import_fail(struct doctor_import *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_import_note(struct doctor_import *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Take the curl command that @value is, or that "@FILE" or "-" (standard input)
 * holds.
 */
int doctor_import_command(struct doctor_import *m, const char *value);
/* The value of the last such option, or NULL. */
const char *doctor_import_said(const struct doctor_import *m,
			       const char *option);

#endif
