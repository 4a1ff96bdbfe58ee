/* SPDX-License-Identifier: MIT */
/*
 * A browser's recording (HTTP Archive 1.2) is searched for the WebSocket that
 * failed. It is read once, in constant memory, whatever its size.
 */
#ifndef DOCTOR_HAR_H
#define DOCTOR_HAR_H

#include "doctor/import.h"

/*
 * Take the request from the file @path into @m, which was initialised. Of
 * several the last that failed; @match (or NULL) is part of its URL. 0, or -1
 * with m->complaint.
 */
int doctor_har_read(const char *path, const char *match,
		    struct doctor_import *m);
/* The same from a function that yields bytes. Pure. */
int doctor_har_read_from(size_t (*refill)(void *context, uint8_t *room,
					  size_t size),
			 void *context, const char *match,
			 struct doctor_import *m);

#endif
