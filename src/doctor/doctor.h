/* SPDX-License-Identifier: MIT */
/*
 * The diagnosis as a story: open a case, examine, diagnose, pronounce, report.
 * Start reading in doctor.c.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "doctor/verdict.h"

/* Below this confidence nothing is claimed. */
#define DOCTOR_NO_VERDICT 0.25

/* How a report is to look; whoever runs the command knows the terminal. */
struct doctor_look {
	bool colour;
	int width; /* columns to wrap at */
};

/* All of `sesame doctor`, told to standard output. Returns the exit status:
 * 0 open, 1 a diagnosed fault, 2 wrong usage, 3 no verdict. */
int doctor_main(int argc, char **argv, const struct doctor_look *look);

/* Ask probes until the plan has enough; fills the chart. 0, or -1: memory. */
int doctor_examine(struct doctor_chart *chart,
		   struct doctor_opinion *ret_opinion);

#endif
