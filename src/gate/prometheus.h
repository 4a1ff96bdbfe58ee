/* SPDX-License-Identifier: MIT */
/* Words of the text format of Prometheus (0.0.4). */
#ifndef GATE_PROMETHEUS_H
#define GATE_PROMETHEUS_H

#include "base/buf.h"

struct gate_label {
	char text[2100];
};

/* A value between quotes; what is too long is cut. */
struct gate_label gate_label(const char *value);
/* What comes before the series of "sesame_@name". */
void gate_family(struct ses_buf *out, const char *name, const char *type,
		 const char *help);
/* A family of one series without labels. */
void gate_family_of_one(struct ses_buf *out, const char *name, const char *type,
			const char *help, double value);

#endif
