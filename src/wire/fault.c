/* SPDX-License-Identifier: MIT */
/* The faults' rows, from wire/faults.def. */
#include "wire/fault.h"

static const struct ses_fault_row rows[SES_N_FAULTS] = {
	{"NONE", 0, 0, "", "nothing is wrong"},
#define FAULT(symbol, close_code, status, section, sentence)                   \
	{#symbol, close_code, status, section, sentence},
#include "wire/faults.def"
#undef FAULT
};

const struct ses_fault_row *ses_fault_row(enum ses_fault fault)
{
	return &rows[(unsigned)fault < SES_N_FAULTS ? fault : 0];
}
