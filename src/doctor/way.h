/* SPDX-License-Identifier: MIT */
/* Whether the way that the options ask for can be gone at all. */
#ifndef DOCTOR_WAY_H
#define DOCTOR_WAY_H

#include "doctor/case.h"

/*
 * Options that contradict each other, or this machine: -6 and an IPv4 address,
 * a --source that is of the other family or no address of this machine. No
 * server is to blame for these. 0, or 2 when it was told.
 */
int doctor_check_way(const struct doctor_case *c);

#endif
