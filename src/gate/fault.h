/* SPDX-License-Identifier: MIT */
/* Why credentials let nobody in: the rows of fault.def. */
#ifndef GATE_FAULT_H
#define GATE_FAULT_H

#include "why/cause.h"

enum gate_fault {
#define FAULT(symbol, ...) GATE_FAULT_##symbol,
#include "gate/fault.def"
#undef FAULT
	GATE_N_FAULTS
};

struct gate_fault_row {
	const char *name; /* "expired", for programs */
	enum why_cause cause;
	int status;
	const char *error; /* of RFC 6750 section 3.1; "" for none */
	const char *text;  /* a sentence for the operator */
};

/* The row of a fault; static. */
const struct gate_fault_row *gate_fault(enum gate_fault fault);

#endif
