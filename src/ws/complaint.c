/* SPDX-License-Identifier: MIT */
/* The sentence that says why sesame_connect() or sesame_server_new() failed. */
#include "ws/complaint.h"

#include <stdarg.h>
#include <stdio.h>

int ses_complain(const struct ses_complaint *to, int error, const char *format,
		 ...)
{
	va_list args;

	if (!to->text || !to->size)
		return error;
	va_start(args, format);
	vsnprintf(to->text, to->size, format, args);
	va_end(args);
	return error;
}
