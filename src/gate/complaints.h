/* SPDX-License-Identifier: MIT */
/* What is wrong with a file: gathered in any order, told in the file's. */
#ifndef GATE_COMPLAINTS_H
#define GATE_COMPLAINTS_H

#include "base/buf.h"

#define GATE_MAX_COMPLAINTS 100

struct gate_place {
	int line, column; /* from 1; 0: the file as a whole */
};

struct gate_complaint {
	struct gate_place at;
	char text[480];
};

struct gate_complaints {
	struct gate_complaint list[GATE_MAX_COMPLAINTS];
	bool no_memory; /* is among them */
	size_t n;
};

/*
 * Note a sentence about a place, without the secrets of URLs in it. What is
 * beyond the hundredth is dropped.
 */
void gate_complain(struct gate_complaints *c, struct gate_place at,
		   const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Append "FILE:LINE:COLUMN: sentence" for each, in the order of the file. */
void gate_complaints_print(struct gate_complaints *c, const char *file,
			   struct ses_buf *out);

#endif
