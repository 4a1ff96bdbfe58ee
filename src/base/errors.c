/* SPDX-License-Identifier: MIT */
/* The text of every error number, from the rows in <sesame/error.h>. */
#include <sesame/error.h>

const char *sesame_strerror(int error)
{
	switch (error) {
#define ROW(name, number, text)                                                \
	case name:                                                             \
		return text;
		SESAME_ERRORS(ROW)
#undef ROW
	default:
		return error < 0 ? "an unknown error" : "no error";
	}
}
