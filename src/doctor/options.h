/* SPDX-License-Identifier: MIT */
/*
 * The command line of the doctor while it is read: words and copies of requests
 * become a case. Between options.c (what an option means) and case.c (what is
 * made of all of them).
 */
#ifndef DOCTOR_OPTIONS_H
#define DOCTOR_OPTIONS_H

#include "base/options.h"
#include "doctor/case.h"
#include "doctor/route.h"

/* Texts are borrowed from the command line, or from what was copied. */
struct doctor_command_line {
	struct doctor_case *c;
	const char *option; /* the one being taken, for complaints */
	const char *url, *copied_url;
	const char *proxy;
	bool no_proxy, help;
	/* What is read now comes from a copy, and gives way to options. */
	bool copied;
	bool copied_header[DOCTOR_MAX_HEADERS], copied_protocols;
	struct doctor_mappings mappings;
};

/* Which of the options on the command line are taken; a column of options.def. */
enum doctor_pass {
	DOCTOR_COPIES, /* where the request is copied from; help */
	DOCTOR_OTHERS, /* all the others, and the URL */
	DOCTOR_WAY,    /* the way to the server, and how far to go */
};

/* All return 0, or 2 after they told what is wrong on standard error. */

int doctor_read_words(struct doctor_command_line *r, char **words,
		      enum doctor_pass pass);
/* The option called @option, as if it stood on the command line. */
int doctor_take_option(struct doctor_command_line *r, const char *option,
		       const char *value);
/* "ann:secret" becomes Authorization: Basic. */
int doctor_take_basic(struct doctor_command_line *r, struct bytes user);

/* All of them, as rows for listing and reading. Static. */
const struct option_row *doctor_option_rows(size_t *ret_n);
void doctor_print_help(void);
/* Tell on standard error; 2. */
int doctor_complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
int doctor_set_bytes(char **to, struct bytes text);
int doctor_set_text(char **to, const char *text);
void doctor_drop_text(char **text);
/* What may be a URL, and may hold a password or what drives a terminal. */
const char *doctor_url_shown(const char *word, char *out, size_t size);

#endif
