/* SPDX-License-Identifier: MIT */
/*
 * The report: for people, as JSON and as a page; the words that all of these
 * share (how sure, who has to act, what was changed); and where the page is put.
 */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include "doctor/doctor.h"

/* How the whole thing stands; marks, colours and headings follow from it. */
enum doctor_standing {
	DOCTOR_FINE,	/* it opens, and nothing is wrong */
	DOCTOR_FLAWED,	/* it opens, and yet something is wrong */
	DOCTOR_REFUSES, /* it does not open, and the cause is known */
	DOCTOR_UNSURE,	/* it does not open, and the cause is a guess */
	DOCTOR_UNKNOWN, /* nothing was answered before the end */
};

enum doctor_standing doctor_standing(const struct doctor_verdict *v);
/* "very likely"; without a capital. */
const char *doctor_say_confidence(double confidence);
/* "Whoever runs the server has to act." */
const char *doctor_say_who(const struct doctor_verdict *v);
/* "reverse proxy"; NULL for none. */
const char *doctor_say_layer(enum why_layer layer);
/* The @i-th evidence, with "handshake 2:" before it. Returns @out. */
char *doctor_say_evidence(const struct doctor_verdict *v, size_t i, char *out,
			  size_t size);
/* "confirmed twice", or "" when it was not asked again. Returns @out. */
char *doctor_say_repeats(int repeated, char *out, size_t size);
/* "as asked", "as asked, again", "Origin: https://app.example"; redacted. */
char *doctor_say_change(const struct doctor_case *c,
			const struct doctor_probe *p, char *out, size_t size);
/* What kind of step of dialling this was: "TLS". */
const char *doctor_say_step(enum ses_dial_kind kind);
/* What it was about, such as a proxy's URL without its password; into @out. */
const char *doctor_say_object(const struct ses_dial_step *step, char *out,
			      size_t size);
/* How it ended: "done", "connection refused". */
const char *doctor_say_outcome(const struct ses_dial_step *step);

/* Who is to read a command line again. */
enum doctor_reader {
	DOCTOR_FOR_OTHERS, /* no secrets, and files by their last name alone */
	DOCTOR_FOR_A_LOG,  /* no secrets */
	DOCTOR_FOR_USER,   /* all as it was given, fit for a terminal */
};
/* The command line @argv again, quoted for a shell. 0 or an error of the
 * buffer. */
int doctor_repeat_command(const struct doctor_case *c, char **argv,
			  enum doctor_reader reader, struct ses_buf *out);

/* Append the diagnosis for people to @out. 0 or an error of the buffer. */
int doctor_report_text(const struct doctor_chart *chart,
		       const struct doctor_verdict *verdict, double duration_ms,
		       const struct doctor_look *look, struct ses_buf *out);
/* The same as one JSON object (tests/contracts/diagnosis.schema.json). */
int doctor_report_json(const struct doctor_chart *chart,
		       const struct doctor_verdict *verdict, double duration_ms,
		       struct ses_buf *out);
/* Append the diagnosis as one page of HTML; @command is how it was asked for,
 * fit to be shown; @when a time for people. 0 or an error of the buffer. */
int doctor_report_html(const struct doctor_chart *chart,
		       const struct doctor_verdict *verdict, double duration_ms,
		       const char *command, const char *when,
		       struct ses_buf *out);

/* Whether --html can be obeyed; says on standard error why not. */
bool doctor_can_publish(const struct doctor_case *c);
/* Put the page where --html wants it: whole, or not at all. False after it was
 * told why not. @argv: how the doctor was called. */
bool doctor_publish_report(const struct doctor_chart *chart,
			   const struct doctor_verdict *verdict,
			   double duration_ms, char **argv);

#endif
