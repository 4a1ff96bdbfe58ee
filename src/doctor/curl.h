/* SPDX-License-Identifier: MIT */
/*
 * A curl command as browsers copy it ("Copy as cURL"), for bash, cmd or
 * PowerShell, becomes a request; so does an Invoke-WebRequest (power.h). Nothing
 * of it is run. Pure.
 */
#ifndef DOCTOR_CURL_H
#define DOCTOR_CURL_H

#include "doctor/import.h"

/*
 * Read @text into @m, which was initialised. A lone URL is a command, too. 0, or
 * -1 with m->complaint.
 */
int doctor_curl_read(struct bytes text, struct doctor_import *m);

#endif
