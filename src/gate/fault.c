/* SPDX-License-Identifier: MIT */
/* The table of fault.def. */
#include "gate/fault.h"

static const struct gate_fault_row rows[GATE_N_FAULTS] = {
#define FAULT(symbol, name, cause, status, error, text) \
	[GATE_FAULT_##symbol] = {name, WHY_##cause, status, error, text},
#include "gate/fault.def"
#undef FAULT
};

const struct gate_fault_row *gate_fault(enum gate_fault fault)
{
	return &rows[fault];
}
