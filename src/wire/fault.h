/* SPDX-License-Identifier: MIT */
/* Faults: what a peer did wrong, by name, with the answer the RFC asks for. */
#ifndef WIRE_FAULT_H
#define WIRE_FAULT_H

enum ses_fault {
	SES_FAULT_NONE,
#define FAULT(symbol, ...) SES_FAULT_##symbol,
#include "wire/faults.def"
#undef FAULT
	SES_N_FAULTS
};

struct ses_fault_row {
	const char *id;	      /* "LENGTH_TOP_BIT" */
	int close_code;	      /* to close with, or 0 */
	int status;	      /* to answer with, or 0 */
	const char *section;  /* "RFC 6455 5.2" */
	const char *sentence; /* what the peer did */
};

/* The row of a fault; static. */
const struct ses_fault_row *ses_fault_row(enum ses_fault fault);

#endif
