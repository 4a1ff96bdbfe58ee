/* SPDX-License-Identifier: MIT */
/*
 * What is going on, for whoever waits at a terminal: one line on standard
 * error, rewritten with every handshake and gone before the report.
 */
#ifndef DOCTOR_PROGRESS_H
#define DOCTOR_PROGRESS_H

#include "doctor/probe.h"

/* Say that handshake @n begins; nothing without a terminal, --json, --quiet. */
void doctor_progress(const struct doctor_case *c, int n,
		     const struct doctor_trial *trial);
/* Take the line away. */
void doctor_progress_end(const struct doctor_case *c);

#endif
