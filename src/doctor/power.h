/* SPDX-License-Identifier: MIT */
/*
 * What browsers copy "as PowerShell": a $session with its User-Agent and cookies,
 * and Invoke-WebRequest with -Uri and -Headers @{...}. Nothing of it is run. Pure.
 */
#ifndef DOCTOR_POWER_H
#define DOCTOR_POWER_H

#include "doctor/import.h"

/* Whether @text, without blanks before it, begins as such a copy does. */
bool doctor_power_is(struct bytes text);
/* Say it in the doctor's options. 0, or -1 with m->complaint. */
int doctor_power_read(struct bytes text, struct doctor_import *m);

#endif
