/* SPDX-License-Identifier: MIT */
/* One sentence for the caller about why a call failed, where he wants one. */
#ifndef WS_COMPLAINT_H
#define WS_COMPLAINT_H

#include <stddef.h>

struct ses_complaint {
	char *text; /* NULL: nobody wants to know */
	size_t size;
};

/* Write the sentence. Returns @error, for the caller to return. */
int ses_complain(const struct ses_complaint *to, int error, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

#endif
